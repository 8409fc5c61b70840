package safety

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// TestSample measures the local screen on sets of others: of the attacks how many are found, of what only looks like them how many are taken
// for one. LEVADA_PROMPTS names a folder with *.jsonl of {label, source, variant?, lang?, text}; -v lists the mistakes. The table is that of
// docs/safety.md. The lines are in two halves by their digests: the mistakes of the second are counted and not shown, so that nobody writes rules by
// them.
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
	add := func(half, name string, found bool) {
		for _, name := range []string{name, half + name} {
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
	}
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var p struct{ Label, Source, Variant, Lang, Text, Category string }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
			v, half := screen(p.Text, false), "first half: "
			heldBack := sha256.Sum256([]byte(p.Text))[0]%2 == 1
			if heldBack {
				half = "second half: "
			}
			add(half, filepath.Base(name)+" "+p.Label, v.Found())
			add(half, "  "+p.Source+" "+p.Variant+p.Category, v.Found())
			if p.Lang != "" {
				add(half, "    "+p.Source+" "+p.Lang, v.Found())
			}
			if v.Found() != (p.Label != "benign") && !heldBack {
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

// TestFiles measures how many whole texts that have nothing to do with attacks are taken for one: as a question, as one that others wrote, and as a
// document, by pieces. LEVADA_FILES has patterns of files, parted by colons; -v lists what was found. The table is that of docs/safety.md.
func TestFiles(t *testing.T) {
	patterns := filepath.SplitList(os.Getenv("LEVADA_FILES"))
	if len(patterns) == 0 {
		t.Skip("LEVADA_FILES has no patterns of files")
	}
	acme, filter := tenantstest.Scope(t, "acme"), New(Local{}, nil, nil)
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		var sizes []int
		var question, strange, document, pieces, bad int
		count := func(found bool, n *int) {
			if found {
				*n++
			}
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			sizes = append(sizes, utf8.RuneCount(b))
			for as, n := range map[bool]*int{false: &question, true: &strange} {
				v, err := Local{}.Screen(t.Context(), acme, Ask{Text: string(b), Strange: as})
				require.NoError(t, err)
				count(v.Found(), n)
			}
			r, err := filter.read(t.Context(), acme, Ask{Text: string(b)})
			require.NoError(t, err)
			count(r.worst.Found(), &document)
			for piece := range piecesOf(string(b)) {
				v := screen(piece, true)
				pieces++
				count(v.Found(), &bad)
				if v = certain(v); v.Found() {
					t.Logf("%s %.2f %s %.200q", name, v.Score, v.Rule, piece)
				}
			}
		}
		slices.Sort(sizes)
		t.Logf("%s: of %d files (median %d, longest %d characters) %d as a question, %d as retrieved, %d as a document; %d of %d pieces as retrieved",
			pattern, len(names), sizes[len(sizes)/2], sizes[len(sizes)-1], question, strange, document, bad, pieces)
	}
}

// BenchmarkArguments screens what tools are called with: a document, and many short strings.
func BenchmarkArguments(b *testing.B) {
	document, _ := json.Marshal(map[string]string{"content": sentences(5500)})
	many, _ := json.Marshal(strings.SplitAfter(sentences(2000), " "))
	for name, text := range map[string]string{"document": string(document), "strings": string(many)} {
		f := New(Local{}, nil, nil)
		acme := tenantstest.Scope(b, "acme")
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := f.said(b.Context(), acme, tenants.Safety{Input: tenants.ScreenFlag}, "r", text)
				require.NoError(b, err)
			}
		})
	}
}
