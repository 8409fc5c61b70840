package generate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Plan is what a generator is about to write.
type Plan struct {
	What  string   `json:"what"`            // "consumer digest"
	Files []File   `json:"files"`           // sorted by path, also those that are right already
	Notes []string `json:"notes,omitempty"` // what is left to do
}

// File is one file of a plan.
type File struct {
	Path   string `json:"path"` // from the checkout's root, with slashes
	Action Action `json:"action"`
	Text   string `json:"text,omitempty"` // what it is to hold, unless it is kept

	before, after []byte
	touched       bool // not only read
}

// Action is what is done to a file.
type Action string

// The actions.
const (
	Make Action = "make"
	Edit Action = "edit"
	Keep Action = "keep"
)

// Changed are the files that are to be written.
func (p *Plan) Changed() []File {
	return slices.DeleteFunc(slices.Clone(p.Files), func(f File) bool { return f.Action == Keep })
}

// Diff is what the plan does as a unified diff; empty when that is nothing.
func (p *Plan) Diff() string {
	var b strings.Builder
	for _, f := range p.Changed() {
		from := "a/" + f.Path
		if f.Action == Make {
			from = os.DevNull
		}
		b.WriteString(udiff.Unified(from, "b/"+f.Path, string(f.before), string(f.after)))
	}
	return b.String()
}

// Apply writes the plan into the checkout: first what is new, then what leads to it, so that whoever is interrupted can do it
// again. A file that has changed since the plan was made is a conflict, and nothing is written.
func (p *Plan) Apply(root string) error {
	changed := p.Changed()
	for _, f := range changed {
		now, err := read(root, f.Path)
		if err != nil {
			return err
		}
		if (now == nil) != (f.before == nil) || !bytes.Equal(now, f.before) {
			return refuse(codeEdited, f.Path, "", "run the command again", "has changed while the command ran")
		}
	}
	slices.SortStableFunc(changed, func(a, b File) int { return strings.Compare(order(a), order(b)) })
	for _, f := range changed {
		if err := write(filepath.Join(root, filepath.FromSlash(f.Path)), f.after); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return nil
}

func order(f File) string {
	if f.Action == Make {
		return "1"
	}
	return "2"
}

// read is a file of the checkout; nil when there is none.
func read(root, path string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if b == nil && err == nil {
		b = []byte{} // it is there, and empty
	}
	return b, err
}

// write replaces a file as a whole, and keeps its mode.
func write(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	tmp := file + ".levada-new"
	if err := os.WriteFile(tmp, b, mode); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
