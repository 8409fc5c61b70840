package answer

import (
	"bufio"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus/terms"
	"levada.dev/workflows/rag"
)

// collection is one of the folders below LEVADA_IR, which has corpus.jsonl, queries.jsonl and qrels.tsv.
type collection struct {
	docs      []rag.Source
	at        map[string]int
	questions []question
	postings  map[string][]posting
	lengths   []float64
	mean      float64
}

type question struct {
	id, text string
	right    map[int]bool
}

type posting struct {
	doc int
	n   float64
}

func load(t *testing.T, name string) *collection {
	t.Helper()
	folder := os.Getenv("LEVADA_IR")
	if folder == "" {
		t.Skip("LEVADA_IR names no folder of collections")
	}
	c := &collection{at: map[string]int{}, postings: map[string][]posting{}}
	lines := func(file string, each func([]byte)) {
		f, err := os.Open(filepath.Join(folder, name, file))
		require.NoError(t, err)
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			each(s.Bytes())
		}
	}
	type line struct {
		ID          string `json:"_id"`
		Title, Text string
	}
	lines("corpus.jsonl", func(b []byte) {
		var l line
		require.NoError(t, json.Unmarshal(b, &l))
		c.at[l.ID] = len(c.docs)
		c.docs = append(c.docs, rag.Source{DocID: l.ID, Title: l.Title, Text: l.Text})
	})
	right := map[string]map[int]bool{}
	lines("qrels.tsv", func(b []byte) {
		f := strings.Fields(string(b))
		if at, ok := c.at[f[1]]; ok && f[2] != "0" {
			if right[f[0]] == nil {
				right[f[0]] = map[int]bool{}
			}
			right[f[0]][at] = true
		}
	})
	lines("queries.jsonl", func(b []byte) {
		var l line
		require.NoError(t, json.Unmarshal(b, &l))
		if len(right[l.ID]) > 0 {
			c.questions = append(c.questions, question{l.ID, l.Text, right[l.ID]})
		}
	})
	for i, d := range c.docs {
		head, body := terms.Passage(d.Title, "", d.Text)
		counts := map[string]float64{}
		for _, x := range append(head, body...) {
			counts[x]++
		}
		for x, n := range counts {
			c.postings[x] = append(c.postings[x], posting{i, n})
		}
		c.lengths = append(c.lengths, float64(len(body)))
		c.mean += float64(len(body)) / float64(len(c.docs))
	}
	return c
}

// search is BM25 over the terms of the lexical index, without the documents that are left out.
func (c *collection) search(text string, k int, without map[int]bool) []rag.Source {
	scores := map[int]float64{}
	most := 0.0
	for _, q := range terms.Question(text) {
		ps := c.postings[q.Text]
		idf := math.Log(1 + (float64(len(c.docs))-float64(len(ps))+0.5)/(float64(len(ps))+0.5))
		if len(ps) > 0 {
			most += idf * q.Weight
		}
		for _, p := range ps {
			scores[p.doc] += q.Weight * idf * p.n / (p.n + 0.9*(0.6+0.4*c.lengths[p.doc]/c.mean))
		}
	}
	var found []int
	for d := range scores {
		if !without[d] {
			found = append(found, d)
		}
	}
	sort.Slice(found, func(i, j int) bool {
		return scores[found[i]] > scores[found[j]] || scores[found[i]] == scores[found[j]] && found[i] < found[j]
	})
	var out []rag.Source
	for _, d := range found[:min(k, len(found))] {
		s := c.docs[d]
		s.Score = scores[d] / most
		out = append(out, s)
	}
	return out
}

var number = regexp.MustCompile(`\b[1-9][0-9]*\b`)

// TestStudyOfTheCheck tells how well the check tells what a source says from what it does not: LEVADA_IR is the folder of collections.
func TestStudyOfTheCheck(t *testing.T) {
	for _, name := range []string{"xquad-en", "xquad-de", "scifact", "cranfield"} {
		c := load(t, name)
		type kind struct{ yes, all int }
		kinds := map[string]*kind{}
		count := func(what string, claim string, e *Evidence, at int) bool {
			k := kinds[what]
			if k == nil {
				k = &kind{}
				kinds[what] = k
			}
			k.all++
			ok := e.Check(claim, at).Supported
			if ok && what[0] == '-' && k.yes < 4 {
				v := e.Check(claim, at)
				q, _, _ := e.Quote(v)
				t.Logf("%s: %.2f %q\n\t%q", what, v.Coverage, claim, q)
			}
			if ok {
				k.yes++
			}
			return ok
		}
		step := max(1, len(c.questions)/300)
		missed := 0
		for i := 0; i < len(c.questions); i += step {
			q := c.questions[i]
			sources := c.search(q.text, 4, q.right)
			sources = append([]rag.Source{c.docs[slices.Min(slices.Collect(maps.Keys(q.right)))]}, sources...)
			e := Prepare(sources)
			ss := Sentences(sources[0].Text)
			s := ss[i%len(ss)]
			claim := s.Claim(sources[0].Text)
			if !e.Says(claim) || len(claim) < 30 {
				continue
			}
			if !count("+ its own sentence", claim, e, 0) && missed < 3 {
				missed++
				t.Logf("missed: %q", claim)
			}
			count("- its own sentence, other source", claim, e, 1)
			if drop := thinned(claim); drop != claim {
				count("+ shortened by function words and one other", drop, e, 0)
			}
			if at := number.FindStringIndex(claim); at != nil {
				n, _ := strconv.Atoi(claim[at[0]:at[1]])
				count("- a number changed", claim[:at[0]]+strconv.Itoa(n+1)+claim[at[1]:], e, 0)
			}
			if other := swappedName(claim, sources[1].Text, sources[0]); other != "" && c.at["p1"] == 0 && name != "xquad-de" {
				count("- a name changed", other, e, 0)
			}
			if denied := deny(claim, name); denied != "" {
				count("- denied", denied, e, 0)
			}
			if name == "scifact" {
				count("+ claim, document that is about it", q.text, e, 0)
				for k := 1; k < len(sources); k++ {
					count("- claim, nearest other documents", q.text, e, k)
				}
			}
		}
		var names []string
		for n := range kinds {
			names = append(names, n)
		}
		slices.Sort(names)
		tp, p, fp, n := 0, 0, 0, 0
		for _, k := range names {
			t.Logf("%-10s %-48s %4d of %4d supported (%.3f)", name, k, kinds[k].yes, kinds[k].all, float64(kinds[k].yes)/float64(kinds[k].all))
			if strings.Contains(k, "claim, ") {
				continue
			}
			if k[0] == '+' {
				tp, p = tp+kinds[k].yes, p+kinds[k].all
			} else {
				fp, n = fp+kinds[k].yes, n+kinds[k].all
			}
		}
		t.Logf("%-10s precision %.3f recall %.3f (false %d of %d)", name, float64(tp)/float64(tp+fp), float64(tp)/float64(p), fp, n)
	}
}

// thinned leaves out the function words, and the longest word that is no name and no number.
func thinned(claim string) string {
	in := terms.LanguageOf(claim)
	var keep []string
	places := terms.Places(claim, in)
	drop := -1
	for i, p := range places {
		w := claim[p.From:p.To]
		if !p.Function && !p.Number && strings.ToLower(w) == w && (drop < 0 || len(w) > places[drop].To-places[drop].From) {
			drop = i
		}
	}
	for i, p := range places {
		if (!p.Function || negates(claim[p.From:p.To], in)) && i != drop {
			keep = append(keep, claim[p.From:p.To])
		}
	}
	return strings.Join(keep, " ")
}

var capital = regexp.MustCompile(`[a-z] [A-Z][a-z]{4,}\b`)

// swappedName puts a name of another text for one of the claim.
func swappedName(claim, other string, own rag.Source) string {
	mine := capital.FindAllStringIndex(claim, -1)
	if len(mine) < 1 {
		return ""
	}
	at := mine[len(mine)-1]
	for _, n := range capital.FindAllString(other, -1) {
		if n = n[2:]; !strings.Contains(own.Text, n[:5]) && !strings.Contains(own.Title, n[:5]) {
			return claim[:at[0]+2] + n + claim[at[1]:]
		}
	}
	return ""
}

// deny makes a sentence say the opposite.
func deny(claim, name string) string {
	words := []string{" is ", " was ", " are ", " were ", " has ", " had ", " can ", " could ", " will "}
	not := "not "
	if name == "xquad-de" {
		words, not = []string{" ist ", " war ", " sind ", " waren ", " hat ", " hatte ", " wurde ", " wurden "}, "nicht "
	}
	for _, w := range words {
		if i := strings.Index(claim, w); i > 0 {
			return claim[:i+len(w)] + not + claim[i+len(w):]
		}
	}
	return ""
}
