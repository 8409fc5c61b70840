package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Kept is a file of results, from which a run that broke off goes on. A nil one keeps nothing.
type Kept struct {
	path    string
	results map[string]Result
}

// OpenKept reads the file, if it is there.
func OpenKept(path string) (*Kept, error) {
	k := &Kept{path, map[string]Result{}}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(b, &k.results); err != nil {
		return nil, fmt.Errorf("%s has no results of a run: %w", path, err)
	}
	return k, nil
}

// Find is the result of what was measured under a key.
func (k *Kept) Find(key string) (Result, bool) {
	if k == nil {
		return Result{}, false
	}
	r, there := k.results[key]
	return r, there
}

// Put keeps a result. A run that is killed meanwhile leaves the file as it was.
func (k *Kept) Put(key string, r Result) error {
	if k == nil {
		return nil
	}
	k.results[key] = r
	b, err := json.MarshalIndent(k.results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(k.path+".new", b, 0o644); err != nil {
		return err
	}
	return os.Rename(k.path+".new", k.path)
}

// key is that of a collection as this run measures it: with other documents, questions or modes it is another. Of which commit a result is, it
// says itself.
func (r Run) key(c Collection, others *Collection) (string, error) {
	what := struct {
		Collection Collection
		Right      []map[string]int
		Others     *Collection
		Modes      []string
		Answers    int
	}{Collection: c, Modes: r.Modes, Answers: r.Answers}
	for _, q := range c.Questions {
		what.Right = append(what.Right, q.Answers)
	}
	if r.Answers > 0 && others != nil {
		what.Others = &Collection{Name: others.Name, Questions: others.Questions}
	}
	b, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return c.Name + " " + hex.EncodeToString(sum[:8]), nil
}
