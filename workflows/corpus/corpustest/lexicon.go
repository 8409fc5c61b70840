package corpustest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// TestLexicon checks the promises of corpus.Lexicon. An index may hold what others have written: a test looks at words and documents
// of its own.
func TestLexicon(t *testing.T, newLexicon func(t *testing.T) corpus.Lexicon) {
	acme, globex := tenantstest.Two(t)
	start := func(t *testing.T) *shelf {
		return &shelf{t: t, x: newLexicon(t), doc: tenantstest.Fresh(t, "doc-"), mark: strings.ToLower(strings.ReplaceAll(tenantstest.Fresh(t, ""), "-", ""))}
	}
	t.Run("who has more of the rarer words comes first", func(t *testing.T) {
		sh := start(t)
		sh.put(acme, sh.passage(0, "water water"), sh.passage(1, "water"), sh.passage(2, "water levada stone levada"),
			sh.passage(3, "stone stone"), sh.passage(4, "hill"))
		found := sh.find(acme, "levada", "water")
		assert.Equal(t, []int{2, 0, 1}, chunksOf(found))
		assert.Equal(t, [][]int{{0, 1}, {1}, {1}}, matchedOf(found))
		assert.Equal(t, []int{0, 1, 2}, chunksOf(sh.find(acme, "water")))
		assert.Empty(t, sh.find(acme, "river").Hits)
		for _, h := range found.Hits {
			assert.Greater(t, h.Score, 0.0)
			assert.Less(t, h.Score, found.Most)
		}
	})
	t.Run("a hit is what was written, without its terms", func(t *testing.T) {
		sh := start(t)
		p := sh.passage(7, "water")
		p.Metadata = corpus.Metadata{
			DocID: sh.doc, Generation: 3, Chunk: 7, Start: 10, End: 20, Text: "Água, \"fria\"\n<b>", Cut: true, Heading: "A > B", Source: "suite",
			Meta: map[string]any{"year": 2026.0, "tags": []any{"x", "y"}, "deep": map[string]any{"a": true}},
		}
		sh.put(acme, p)
		found := sh.find(acme, "water")
		require.Len(t, found.Hits, 1)
		assert.Equal(t, corpus.Passage{Metadata: p.Metadata}, found.Hits[0].Passage)
		ps, err := sh.x.Passages(t.Context(), acme, []corpus.Place{sh.place(3, 7)})
		require.NoError(t, err)
		assert.Equal(t, []corpus.Passage{{Metadata: p.Metadata}}, ps)
	})
	t.Run("a word in the head counts more", func(t *testing.T) {
		sh := start(t)
		in, under := sh.passage(0, "water stone"), sh.passage(1, "stone")
		under.Head = sh.words("water")
		sh.put(acme, in, under)
		assert.Equal(t, []int{1, 0}, chunksOf(sh.find(acme, "water")))
	})
	t.Run("what weighs more decides", func(t *testing.T) {
		sh := start(t)
		sh.put(acme, sh.passage(0, "water"), sh.passage(1, "stone"))
		ask := func(water, stone float64) corpus.Found {
			q := sh.query("water", "stone")
			q.Terms[0].Weight, q.Terms[1].Weight = water, stone
			return sh.ask(acme, q)
		}
		assert.Equal(t, []int{0, 1}, chunksOf(ask(1, 0.5)))
		assert.Equal(t, []int{1, 0}, chunksOf(ask(0.5, 1)))
	})
	t.Run("terms are compared as they are", func(t *testing.T) {
		sh := start(t)
		terms := []string{"Água", "água", "agua", "c++", "c", "C", "don't", "dont", `"x"`, "x", "*", "AND", "and", "a b", "a", "ต้นไม้", "水", "水道", "-1", "1",
			strings.Repeat("long", 30), "NEAR(", "col:umn", "^start", "a\x00b"}
		var ps []corpus.Passage
		for i, term := range terms {
			p := sh.passage(i, "")
			p.Body = []string{sh.mark + term}
			ps = append(ps, p)
		}
		sh.put(acme, ps...)
		for i, term := range terms {
			found := sh.ask(acme, corpus.LexicalQuery{Terms: []corpus.Term{{Text: sh.mark + term, Weight: 1}}, TopK: 50})
			assert.Equal(t, []int{i}, chunksOf(found), "%q", term)
		}
	})
	t.Run("a tenant finds its own", func(t *testing.T) {
		sh := start(t)
		sh.put(acme, sh.passage(0, "water"))
		sh.put(globex, sh.passage(1, "water"))
		assert.Equal(t, []int{0}, chunksOf(sh.find(acme, "water")))
		assert.Equal(t, []int{1}, chunksOf(sh.find(globex, "water")))
		assert.Equal(t, 1, sh.stored(acme, 1))
		at := []corpus.Place{sh.place(1, 0), sh.place(1, 1)}
		ps, err := sh.x.Passages(t.Context(), globex, at)
		require.NoError(t, err)
		require.Len(t, ps, 1)
		assert.Equal(t, 1, ps[0].Chunk)
		sh.remove(globex, 1)
		assert.Equal(t, []int{0}, chunksOf(sh.find(acme, "water")))
	})
	t.Run("writing again is writing once", func(t *testing.T) {
		sh := start(t)
		one, two := sh.passage(0, "water stone"), sh.passage(1, "water water water")
		sh.put(acme, one, two)
		before := sh.find(acme, "water", "stone")
		for range 3 {
			sh.put(acme, one, two)
		}
		sh.put(acme, two)
		assert.Equal(t, before, sh.find(acme, "water", "stone"))
		assert.Equal(t, 2, sh.stored(acme, 1))
	})
	t.Run("the same place replaces", func(t *testing.T) {
		sh := start(t)
		sh.put(acme, sh.passage(0, "water"), sh.passage(1, "hill"))
		newer := sh.passage(0, "stone")
		newer.Text = "newer"
		sh.put(acme, newer)
		assert.Empty(t, sh.find(acme, "water").Hits)
		found := sh.find(acme, "stone")
		require.Len(t, found.Hits, 1)
		assert.Equal(t, "newer", found.Hits[0].Passage.Text)
		assert.Equal(t, []int{1}, chunksOf(sh.find(acme, "hill")))
	})
	t.Run("what is removed is gone, and may be removed again", func(t *testing.T) {
		sh := start(t)
		for g := range 3 {
			sh.put(acme, sh.of(g+1, sh.passage(0, "water")), sh.of(g+1, sh.passage(1, "stone")))
		}
		assert.Equal(t, []int{2, 4, 6}, []int{sh.stored(acme, 1), sh.stored(acme, 2), sh.stored(acme, 9)})
		for range 2 {
			sh.remove(acme, 1, 3, 8)
			found := sh.find(acme, "water")
			require.Len(t, found.Hits, 1)
			assert.Equal(t, 2, found.Hits[0].Passage.Generation)
			assert.Equal(t, []int{0, 2, 2}, []int{sh.stored(acme, 1), sh.stored(acme, 2), sh.stored(acme, 9)})
		}
		sh.put(acme, sh.passage(0, "water"))
		assert.Len(t, sh.find(acme, "water").Hits, 2, "a place may be written again")
		ps, err := sh.x.Passages(t.Context(), acme, []corpus.Place{sh.place(3, 0), sh.place(2, 1), sh.place(1, 0)})
		require.NoError(t, err)
		assert.Equal(t, []int{2, 1}, []int{ps[0].Generation, ps[1].Generation}, "those there are, in their order")
	})
	t.Run("scores do not remember what is gone", func(t *testing.T) {
		sh := start(t)
		sh.put(acme, sh.passage(0, "water stone"), sh.passage(1, "water"))
		before := sh.find(acme, "stone")
		sh.put(acme, sh.of(2, sh.passage(0, "stone stone hill hill hill hill")), sh.of(2, sh.passage(1, "stone")))
		assert.NotEqual(t, before.Most, sh.find(acme, "stone").Most)
		sh.remove(acme, 2)
		after := sh.find(acme, "stone")
		assert.InDelta(t, before.Most, after.Most, 1e-9)
		assert.InDelta(t, before.Hits[0].Score, after.Hits[0].Score, 1e-9)
	})
	t.Run("a filter lets pass what meets all of it", func(t *testing.T) {
		sh := start(t)
		var ps []corpus.Passage
		for i := range 6 {
			p := sh.passage(i, "water"+strings.Repeat(" stone", i))
			p.Source, p.Meta = string(rune('a'+i%3)), map[string]any{"year": float64(i), "even": i%2 == 0}
			ps = append(ps, p)
		}
		sh.put(acme, ps...)
		for filter, want := range map[string][]int{
			``:                                 {0, 1, 2, 3, 4, 5},
			`{"source":"a"}`:                   {0, 3},
			`{"source":{"$ne":"a"}}`:           {1, 2, 4, 5},
			`{"source":{"$in":["a","b"]}}`:     {0, 1, 3, 4},
			`{"source":{"$nin":["a","b"]}}`:    {2, 5},
			`{"meta.year":{"$gte":2,"$lt":5}}`: {2, 3, 4},
			`{"meta.year":{"$gt":2},"source":{"$eq":"a"}}`:      {3},
			`{"meta.even":true}`:                                {0, 2, 4},
			`{"meta.even":{"$ne":true},"meta.year":3}`:          {3},
			`{"meta.year":"3"}`:                                 {},
			`{"meta.none":1}`:                                   {},
			`{"docId":"` + sh.doc + `","meta.year":{"$lte":1}}`: {0, 1},
			`{"docId":"none"}`:                                  {},
		} {
			q := sh.query("water")
			q.Filter = json.RawMessage(filter)
			assert.Equal(t, want, chunksOf(sh.ask(acme, q)), filter)
		}
	})
	t.Run("many have a word", func(t *testing.T) {
		sh := start(t)
		var ps []corpus.Passage
		for i := range 120 {
			ps = append(ps, sh.passage(i, "water"+strings.Repeat(" stone", i%7)))
		}
		ps[77].Body = append(ps[77].Body, sh.words("levada water water")...)
		sh.put(acme, ps...)
		q := sh.query("water")
		q.TopK = 50
		found := sh.ask(acme, q)
		assert.Len(t, found.Hits, 50)
		for i, h := range found.Hits[1:] {
			assert.LessOrEqual(t, h.Score, found.Hits[i].Score)
		}
		assert.Equal(t, 77, chunksOf(sh.find(acme, "levada", "water"))[0])
		assert.Equal(t, 120, sh.stored(acme, 1))
	})
	t.Run("many have a word often", func(t *testing.T) {
		sh := start(t)
		const passages = 220 // 22,000 places
		for _, s := range []tenants.Scope{acme, globex} {
			best := map[tenants.ID]int{acme.Tenant(): passages - 1, globex.Tenant(): 0}[s.Tenant()]
			var ps []corpus.Passage
			for i := range passages {
				text := strings.Repeat(" water", 100) + strings.Repeat(" stone", 50)
				if i == best {
					text = strings.Repeat(" water", 101)
				}
				ps = append(ps, sh.passage(i, text))
			}
			sh.put(s, ps...)
			assert.Equal(t, best, chunksOf(sh.find(s, "water"))[0], "the newest is found as the oldest is")
			assert.Equal(t, best, chunksOf(sh.find(s, "water", "hill"))[0])
		}
	})
	t.Run("a full write passes, what is too much is refused whole", func(t *testing.T) {
		sh := start(t)
		text := strings.Repeat("água e pedra <b>\n", 300)
		ps := make([]corpus.Passage, corpus.MaxWrite+1)
		for i := range ps {
			ps[i] = sh.passage(i, "water stone")
			ps[i].Text = text
		}
		refused(t, sh.x.Put(t.Context(), acme, ps), "passages_count")
		assert.Zero(t, sh.stored(acme, 1))
		sh.put(acme, ps[:corpus.MaxWrite]...)
		assert.Equal(t, corpus.MaxWrite, sh.stored(acme, 1))
		at := make([]corpus.Place, corpus.MaxWrite)
		for i := range at {
			at[i] = sh.place(1, corpus.MaxWrite-1-i)
		}
		got, err := sh.x.Passages(t.Context(), acme, at)
		require.NoError(t, err)
		require.Len(t, got, corpus.MaxWrite)
		assert.Equal(t, corpus.MaxWrite-1, got[0].Chunk)
		sh.remove(acme, 1)
		assert.Zero(t, sh.stored(acme, 1))
		assert.Empty(t, sh.find(acme, "water").Hits)
	})
	t.Run("what the index does not take is refused", func(t *testing.T) {
		sh := start(t)
		good := sh.passage(0, "water")
		change := func(f func(*corpus.Passage)) corpus.Passage {
			p := good
			f(&p)
			return p
		}
		for code, p := range map[string]corpus.Passage{
			"passage_place":      change(func(p *corpus.Passage) { p.DocID = "" }),
			"term_empty":         change(func(p *corpus.Passage) { p.Head = []string{""} }),
			"metadata_too_large": change(func(p *corpus.Passage) { p.Text = strings.Repeat("x", corpus.MaxMetadata) }),
			"passage_too_large":  change(func(p *corpus.Passage) { p.Body = make70000(sh.mark) }),
			"metadata_invalid":   change(func(p *corpus.Passage) { p.Meta = map[string]any{"x": math.NaN()} }),
		} {
			refused(t, sh.x.Put(t.Context(), acme, []corpus.Passage{good, p}), code)
		}
		for _, p := range []corpus.Passage{
			change(func(p *corpus.Passage) { p.Generation = 0 }), change(func(p *corpus.Passage) { p.Chunk = -1 }), change(func(p *corpus.Passage) { p.Chunk = 1 << 20 }),
		} {
			refused(t, sh.x.Put(t.Context(), acme, []corpus.Passage{p}), "passage_place")
		}
		assert.Zero(t, sh.stored(acme, 1), "a call is refused whole")
		refused(t, sh.x.Put(t.Context(), acme, nil), "passages_count")
		refused(t, sh.x.Remove(t.Context(), acme, nil), "passages_count")
		refused(t, sh.x.Remove(t.Context(), acme, []corpus.Generation{{DocID: "x"}}), "passage_place")
		_, err := sh.x.Passages(t.Context(), acme, nil)
		refused(t, err, "passages_count")
		_, err = sh.x.Stored(t.Context(), acme, corpus.Generation{Generation: 1})
		refused(t, err, "passage_place")
	})
	t.Run("what is no question is refused", func(t *testing.T) {
		sh := start(t)
		ask := func(code string, change func(*corpus.LexicalQuery)) {
			q := sh.query("water", "stone")
			change(&q)
			_, err := sh.x.Find(t.Context(), acme, q)
			refused(t, err, code)
		}
		ask("top_k_invalid", func(q *corpus.LexicalQuery) { q.TopK = 0 })
		ask("top_k_invalid", func(q *corpus.LexicalQuery) { q.TopK = corpus.MaxTopK + 1 })
		ask("term_empty", func(q *corpus.LexicalQuery) { q.Terms[0].Text = "" })
		ask("term_twice", func(q *corpus.LexicalQuery) { q.Terms[0] = q.Terms[1] })
		for _, w := range []float64{0, -1} {
			ask("term_weight", func(q *corpus.LexicalQuery) { q.Terms[1].Weight = w })
		}
		ask("terms_count", func(q *corpus.LexicalQuery) {
			for i := range corpus.MaxTerms {
				q.Terms = append(q.Terms, corpus.Term{Text: fmt.Sprint("w", i), Weight: 1})
			}
		})
		for _, filter := range []string{`[]`, `"x"`, `{"source":{"$or":[1]}}`, `{"source":{"$in":"a"}}`, `{"source":{}}`, `{"$and":1}`, `{"source":"` + strings.Repeat("x", 2048) + `"}`} {
			ask("filter_invalid", func(q *corpus.LexicalQuery) { q.Filter = json.RawMessage(filter) })
		}
		q := sh.query("water")
		q.Terms = nil
		found := sh.ask(acme, q)
		assert.Empty(t, found.Hits, "no word, nothing found")
		assert.Zero(t, found.Most)
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		sh := start(t)
		none := tenants.Scope{}
		assert.ErrorIs(t, sh.x.Put(t.Context(), none, []corpus.Passage{sh.passage(0, "water")}), tenants.ErrNoScope)
		assert.ErrorIs(t, sh.x.Remove(t.Context(), none, []corpus.Generation{sh.generation(1)}), tenants.ErrNoScope)
		_, err := sh.x.Find(t.Context(), none, sh.query("water"))
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = sh.x.Passages(t.Context(), none, []corpus.Place{sh.place(1, 0)})
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = sh.x.Stored(t.Context(), none, sh.generation(1))
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
}

func make70000(word string) []string {
	words := make([]string, 70_000)
	for i := range words {
		words[i] = word
	}
	return words
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	assert.Equal(t, code, fault.As(err).Code, "%v", err)
}

// shelf is an index in which a test has one document, and words that nobody else has.
type shelf struct {
	t    *testing.T
	x    corpus.Lexicon
	doc  string
	mark string // that its words begin with
}

// words are the words of a text, as the test's own.
func (sh *shelf) words(text string) []string {
	var ws []string
	for _, w := range strings.Fields(text) {
		ws = append(ws, sh.mark+w)
	}
	return ws
}

func (sh *shelf) passage(chunk int, text string) corpus.Passage {
	return corpus.Passage{
		Metadata: corpus.Metadata{DocID: sh.doc, Generation: 1, Chunk: chunk, Start: 10 * chunk, End: 10*chunk + 9, Text: text, Source: "suite"},
		Body:     sh.words(text),
	}
}

func (sh *shelf) of(generation int, p corpus.Passage) corpus.Passage {
	p.Generation = generation
	return p
}

func (sh *shelf) generation(n int) corpus.Generation {
	return corpus.Generation{DocID: sh.doc, Generation: n}
}

func (sh *shelf) place(generation, chunk int) corpus.Place {
	return corpus.Place{Generation: sh.generation(generation), Chunk: chunk}
}

func (sh *shelf) put(s tenants.Scope, ps ...corpus.Passage) {
	sh.t.Helper()
	require.NoError(sh.t, sh.x.Put(sh.t.Context(), s, ps))
}

func (sh *shelf) remove(s tenants.Scope, generations ...int) {
	sh.t.Helper()
	var refs []corpus.Generation
	for _, g := range generations {
		refs = append(refs, sh.generation(g))
	}
	require.NoError(sh.t, sh.x.Remove(sh.t.Context(), s, refs))
}

func (sh *shelf) stored(s tenants.Scope, generation int) int {
	sh.t.Helper()
	n, err := sh.x.Stored(sh.t.Context(), s, sh.generation(generation))
	require.NoError(sh.t, err)
	return n
}

func (sh *shelf) query(words ...string) corpus.LexicalQuery {
	q := corpus.LexicalQuery{TopK: 10}
	for _, w := range words {
		q.Terms = append(q.Terms, corpus.Term{Text: sh.mark + w, Weight: 1})
	}
	return q
}

func (sh *shelf) ask(s tenants.Scope, q corpus.LexicalQuery) corpus.Found {
	sh.t.Helper()
	found, err := sh.x.Find(sh.t.Context(), s, q)
	require.NoError(sh.t, err)
	return found
}

func (sh *shelf) find(s tenants.Scope, words ...string) corpus.Found {
	sh.t.Helper()
	return sh.ask(s, sh.query(words...))
}

func chunksOf(f corpus.Found) []int {
	out := []int{}
	for _, h := range f.Hits {
		out = append(out, h.Passage.Chunk)
	}
	return out
}

func matchedOf(f corpus.Found) [][]int {
	var out [][]int
	for _, h := range f.Hits {
		out = append(out, h.Matched)
	}
	return out
}
