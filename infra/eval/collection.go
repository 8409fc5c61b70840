package eval

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Collection is documents, questions, and which documents answer them.
type Collection struct {
	Name      string
	Documents []Document
	Questions []Question // those that something answers
}

// Document is one of a collection.
type Document struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"` // one that has none is its title
}

// Question is asked, and answered by documents.
type Question struct {
	ID      string         `json:"_id"`
	Text    string         `json:"text"`
	Answers map[string]int `json:"-"` // the grade of each document that answers it, above 0
}

// The files of a collection. Some are handed out with the last one in a folder of its own.
const (
	documentsFile = "corpus.jsonl"
	questionsFile = "queries.jsonl"
	answersFile   = "qrels.tsv"
)

// layout says what a folder is to look like.
const layout = documentsFile + ", " + questionsFile + " and " + answersFile + " (or qrels/test.tsv), as BEIR hands collections out"

// Load reads a collection's folder. What is wrong in a file is told with its line.
func Load(folder string) (Collection, error) {
	name, err := filepath.Abs(folder)
	if err != nil {
		return Collection{}, err
	}
	c := Collection{Name: filepath.Base(name)}
	known := map[string]bool{}
	c.Documents, err = readLines(folder, documentsFile, func(d *Document) error {
		d.Text = cmp.Or(strings.TrimSpace(d.Text), strings.TrimSpace(d.Title))
		return named(known, d.ID, d.Text)
	})
	if err != nil {
		return c, err
	}
	asked := map[string]bool{}
	questions, err := readLines(folder, questionsFile, func(q *Question) error { return named(asked, q.ID, strings.TrimSpace(q.Text)) })
	if err != nil {
		return c, err
	}
	answers, err := readAnswers(folder, known)
	if err != nil {
		return c, err
	}
	for _, q := range questions {
		if q.Answers = answers[q.ID]; len(q.Answers) > 0 {
			c.Questions = append(c.Questions, q)
		}
	}
	switch {
	case len(c.Documents) == 0:
		return c, fmt.Errorf("%s has no document", filepath.Join(folder, documentsFile))
	case len(questions) == 0:
		return c, fmt.Errorf("%s has no question", filepath.Join(folder, questionsFile))
	case len(c.Questions) == 0:
		return c, fmt.Errorf("%s: none of the %d questions is answered by a document: their ids are others than those of %s", folder, len(questions), answersFile)
	}
	return c, nil
}

// named refuses what has no id or no text, and an id that came before.
func named(known map[string]bool, id, text string) error {
	switch {
	case id == "":
		return errors.New("_id is missing")
	case text == "":
		return fmt.Errorf("%.64q has no text", id)
	case known[id]:
		return fmt.Errorf("%.64q is there twice", id)
	}
	known[id] = true
	return nil
}

// longestLine is of a document; book-length ones are not what questions are asked of.
const longestLine = 64 << 20

// readLines reads a JSON value a line and has each checked.
func readLines[T any](folder, file string, check func(*T) error) ([]T, error) {
	name := filepath.Join(folder, file)
	f, err := os.Open(name)
	if err != nil {
		return nil, missing(folder, file, err)
	}
	defer f.Close()
	var out []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	n := 1
	for ; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if err := check(&v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		out = append(out, v)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, n, err)
	}
	return out, nil
}

// missing is why a file of a collection cannot be read.
func missing(folder, file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is no collection, %w: it has %s", folder, err, layout)
	}
	return fmt.Errorf("%s of %s: %w", file, folder, err)
}

// readAnswers reads which of the documents that are known answer which question.
func readAnswers(folder string, known map[string]bool) (map[string]map[string]int, error) {
	name := filepath.Join(folder, answersFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		other := filepath.Join(folder, "qrels", "test.tsv")
		if rest, e := os.ReadFile(other); e == nil {
			name, b, err = other, rest, nil
		}
	}
	if err != nil {
		return nil, missing(folder, answersFile, err)
	}
	answers := map[string]map[string]int{}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || n == 1 && f[0] == "query-id" {
			continue
		}
		if len(f) != 3 {
			return nil, fmt.Errorf("%s:%d: question, document and grade expected", name, n)
		}
		grade, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %.64q is not a grade", name, n, f[2])
		}
		if grade < 1 {
			continue
		}
		if !known[f[1]] {
			return nil, fmt.Errorf("%s:%d: question %.64q is answered by document %.64q, which is not in %s", name, n, f[0], f[1], documentsFile)
		}
		if answers[f[0]] == nil {
			answers[f[0]] = map[string]int{}
		}
		answers[f[0]][f[1]] = grade
	}
	return answers, nil
}
