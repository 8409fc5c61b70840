package eval

import (
	"bufio"
	"encoding/json"
	"fmt"
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
	Text  string `json:"text"`
}

// Question is asked, and answered by documents.
type Question struct {
	ID      string         `json:"_id"`
	Text    string         `json:"text"`
	Answers map[string]int `json:"-"` // the grade of each document that answers it, above 0
}

// Load reads a collection's folder.
func Load(folder string) (Collection, error) {
	c := Collection{Name: filepath.Base(filepath.Clean(folder))}
	var err error
	if c.Documents, err = readLines[Document](filepath.Join(folder, "corpus.jsonl")); err != nil {
		return c, err
	}
	questions, err := readLines[Question](filepath.Join(folder, "queries.jsonl"))
	if err != nil {
		return c, err
	}
	answers, err := readAnswers(filepath.Join(folder, "qrels.tsv"))
	if err != nil {
		return c, err
	}
	known := make(map[string]bool, len(c.Documents))
	for _, d := range c.Documents {
		known[d.ID] = true
	}
	for _, q := range questions {
		for d := range answers[q.ID] {
			if !known[d] {
				return c, fmt.Errorf("%s: question %s is answered by document %s, which is not there", c.Name, q.ID, d)
			}
		}
		if q.Answers = answers[q.ID]; len(q.Answers) > 0 {
			c.Questions = append(c.Questions, q)
		}
	}
	if len(c.Documents) == 0 || len(c.Questions) == 0 {
		return c, fmt.Errorf("%s: %d documents, %d questions with answers", c.Name, len(c.Documents), len(c.Questions))
	}
	return c, nil
}

// readLines reads a JSON value a line.
func readLines[T any](name string) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		out = append(out, v)
	}
	return out, lines.Err()
}

func readAnswers(name string) (map[string]map[string]int, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
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
			return nil, fmt.Errorf("%s:%d: %q is not a grade", name, n, f[2])
		}
		if grade < 1 {
			continue
		}
		if answers[f[0]] == nil {
			answers[f[0]] = map[string]int{}
		}
		answers[f[0]][f[1]] = grade
	}
	return answers, nil
}
