package entity_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"levada.dev/workflows/prose/entity"
)

// TestPersonsOfSamples measures how much of the names that are marked in a set of others is found, wholly or in part, and how much of what is taken
// for a person is marked as one. LEVADA_PII names a folder as that of workflows/safety/redact. docs/safety.md has what came of it.
func TestPersonsOfSamples(t *testing.T) {
	folder := os.Getenv("LEVADA_PII")
	if folder == "" {
		t.Skip("LEVADA_PII names no folder with *.jsonl of marked sentences")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var marked, hit, whole, found, right int
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var s struct {
				Text  string
				Spans []struct {
					Type       string
					Start, End int // in characters
				}
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
			all, err := entity.Find(t.Context(), s.Text)
			require.NoError(t, err)
			var persons []entity.Entity
			for _, e := range all {
				if e.Type == entity.Person {
					persons = append(persons, entity.Entity{From: utf8.RuneCountInString(s.Text[:e.From]), To: utf8.RuneCountInString(s.Text[:e.To])})
				}
			}
			rights := map[int]bool{}
			for _, span := range s.Spans {
				if span.Type != "PERSON" {
					continue
				}
				marked++
				touched, covered := false, false
				for i, p := range persons {
					if p.From < span.End && p.To > span.Start {
						touched, rights[i] = true, true
						covered = covered || p.From <= span.Start && p.To >= span.End
					}
				}
				if touched {
					hit++
				}
				if covered {
					whole++
				}
			}
			found, right = found+len(persons), right+len(rights)
		}
		require.NoError(t, f.Close())
	}
	t.Logf("of %d names %d found wholly, %d at least in part; of %d taken for one %d right", marked, whole, hit, found, right)
}
