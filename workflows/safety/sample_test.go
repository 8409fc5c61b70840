package safety

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSample measures the local screen on sets of others: of the attacks how many are found, of what only looks like them how many are taken
// for one. LEVADA_PROMPTS names a folder with *.jsonl of {label, source, variant?, lang?, text}; -v lists the mistakes. The table is that of
// docs/safety.md.
func TestSample(t *testing.T) {
	folder := os.Getenv("LEVADA_PROMPTS")
	if folder == "" {
		t.Skip("LEVADA_PROMPTS names no folder with *.jsonl of prompts")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	type count struct{ all, found int }
	counts := map[string]*count{}
	add := func(name string, found bool) {
		c := counts[name]
		if c == nil {
			c = &count{}
			counts[name] = c
		}
		c.all++
		if found {
			c.found++
		}
	}
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var p struct{ Label, Source, Variant, Lang, Text, Category string }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
			v := screen(p.Text, false)
			add(filepath.Base(name)+" "+p.Label, v.Found())
			add("  "+p.Source+" "+p.Variant+p.Category, v.Found())
			if p.Lang != "" {
				add("    "+p.Source+" "+p.Lang, v.Found())
			}
			if v.Found() != (p.Label != "benign") {
				t.Logf("%s %s %s: %.2f %s %.150q", p.Source, p.Variant, p.Lang, v.Score, v.Rule, p.Text)
			}
		}
		require.NoError(t, f.Close())
	}
	names := make([]string, 0, len(counts))
	for n := range counts {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		t.Logf("%4d of %4d  %s", counts[n].found, counts[n].all, n)
	}
}

// TestQuestions measures how many questions and texts that have nothing to do with attacks are taken for one. LEVADA_IR names a folder with
// a folder for each collection, of queries.jsonl and corpus.jsonl.
func TestQuestions(t *testing.T) {
	folder := os.Getenv("LEVADA_IR")
	if folder == "" {
		t.Skip("LEVADA_IR names no folder with collections")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 4<<20)
		all, found := 0, 0
		for lines.Scan() {
			var p struct{ Title, Text string }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
			all++
			if v := screen(p.Text, filepath.Base(name) == "corpus.jsonl"); v.Found() {
				found++
				if found <= 8 {
					t.Logf("%.2f %s %.300q", v.Score, v.Rule, p.Text)
				}
			}
		}
		require.NoError(t, f.Close())
		t.Logf("%4d of %5d  %s", found, all, filepath.Join(filepath.Base(filepath.Dir(name)), filepath.Base(name)))
	}
}

func BenchmarkScreen(b *testing.B) {
	text := ""
	for len(text) < 2000 {
		text += "The registry keeps twelve entries for each tenant, and answers within a second when nobody writes. "
	}
	text = text[:2000]
	screen(text, false)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		screen(text, false)
	}
}
