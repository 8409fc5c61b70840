package rag_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// hybrid is a question to both.
func hybrid(text string, topK int) rag.Query { return rag.Query{Text: text, TopK: topK, Model: model} }

// library is a world whose two halves know different things: vectors go by the number a question begins with, words by its words.
func library(t *testing.T, opts *rag.Options) *world {
	w := newWorld(t, opts)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		for _, d := range []struct {
			doc  string
			at   float64
			text string
		}{
			{"near", 5, "Water is led through the garden in the morning."},
			{"word", 0, "The zorbulator is kept in a shed behind the mill."},
			{"far", 1, "Maize is dried on the roof of the house."},
		} {
			w.ledger.set(s, d.doc, 1)
			w.both(t, s, d.at, corpus.Metadata{DocID: d.doc, Generation: 1, End: len(d.text), Text: d.text, Meta: map[string]any{"tenant": string(s.Tenant())}})
		}
	}
	return w
}

func TestAHybridSearchFindsWhatEitherHalfFinds(t *testing.T) {
	w := library(t, nil)
	r, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
	require.NoError(t, err)
	assert.Equal(t, rag.Hybrid, r.Mode, "the default")
	assert.Empty(t, r.Degraded)
	require.Equal(t, []string{"word#0", "near#0"}, ids(r)[:2])
	word, near := r.Sources[0].Scores, r.Sources[1].Scores
	assert.NotNil(t, word.Keyword)
	assert.NotNil(t, word.Fused)
	assert.Nil(t, near.Keyword, "it has none of the words")
	assert.InDelta(t, 1.0, *near.Vector, 1e-6)
	assert.Nil(t, near.Boost)
	assert.Nil(t, near.Rerank)
	assert.Equal(t, *word.Fused, r.Sources[0].Score)
	assert.Equal(t, "WORD", r.Sources[0].Title)

	assert.Len(t, w.ledger.asked, 1, "the ledger is asked once about both")
	assert.ElementsMatch(t, []string{"near", "word", "far"}, w.ledger.asked[0])
	assert.Equal(t, rag.FuseWindow, w.index.queries[0].TopK)
	assert.Equal(t, rag.FuseWindow, w.words.queries[0].TopK)
}

func TestModesAskTheirHalfAlone(t *testing.T) {
	w := library(t, nil)
	q := hybrid("5 zorbulator", 3)
	q.Mode = rag.Keyword
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"word#0"}, ids(r))
	assert.Equal(t, rag.Scores{Keyword: &r.Sources[0].Score}, r.Sources[0].Scores)
	assert.Empty(t, w.embedder.calls, "nothing is paid for")
	assert.Equal(t, 9, w.words.queries[0].TopK)

	q.Mode = rag.Vector
	w.words.queries = nil
	r, err = w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, "near#0", ids(r)[0])
	assert.Empty(t, w.words.queries)

	q.Mode, q.Text = rag.Keyword, "?!"
	r, err = w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Empty(t, r.Sources, "without a word there is nothing to look up")
	assert.Empty(t, w.words.queries)

	q.Mode = "psychic"
	_, err = w.Search(t.Context(), w.acme, q)
	assert.Equal(t, "mode", fault.As(err).Field)
}

func TestFiltersReachBothHalves(t *testing.T) {
	w := library(t, nil)
	q := hybrid("5 zorbulator", 3)
	q.Filter = []byte(`{"docId":"far"}`)
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"far#0"}, ids(r))
	assert.JSONEq(t, string(w.index.queries[0].Filter), string(w.words.queries[0].Filter))
}

func TestTenantsSeeTheirOwnInBothHalves(t *testing.T) {
	w := library(t, nil)
	text := "The secret of the zorbulator is told to nobody."
	w.ledger.set(w.acme, "secret", 1)
	w.both(t, w.acme, 5, corpus.Metadata{DocID: "secret", Generation: 1, End: len(text), Text: text})
	for range 2 {
		r, err := w.Search(t.Context(), w.globex, hybrid("5 secret of the zorbulator", 10))
		require.NoError(t, err)
		assert.NotContains(t, ids(r), "secret#0")
		r, err = w.Search(t.Context(), w.acme, hybrid("5 secret of the zorbulator", 10))
		require.NoError(t, err)
		assert.Equal(t, "secret#0", ids(r)[0])
	}
	_, err := w.Search(t.Context(), tenants.Scope{}, hybrid("5", 1))
	assert.Equal(t, tenants.ErrNoScope, err)
}

// What either index still has, or has already, of a generation that is not shown is not shown.
func TestStaleGenerationsOfEitherHalf(t *testing.T) {
	w := library(t, nil)
	w.ledger.set(w.acme, "word", 2)
	text := "The frobnicator has taken its place."
	m := corpus.Metadata{DocID: "word", Generation: 2, End: len(text), Text: text}
	w.both(t, w.acme, 0, m)
	r, err := w.Search(t.Context(), w.acme, hybrid("0 zorbulator frobnicator", 10))
	require.NoError(t, err)
	for _, s := range r.Sources {
		assert.NotContains(t, s.Text, "zorbulator")
	}
	assert.Equal(t, "word#0", ids(r)[0])
	assert.Equal(t, 2, r.Sources[0].Generation())
	w.ledger.set(w.acme, "word", 0)
	w.ledger.set(w.acme, "near", 7)
	r, err = w.Search(t.Context(), w.acme, hybrid("5 zorbulator garden", 10))
	require.NoError(t, err)
	assert.Equal(t, []string{"far#0"}, ids(r), "deleted, and ahead of the ledger")
}

func TestKeywordsEnlargeTheirWindow(t *testing.T) {
	w := newWorld(t, &rag.Options{OverFetch: 2})
	w.ledger.set(w.acme, "busy", 9)
	for generation := range 9 {
		text := fmt.Sprintf("The zorbulator of year %d.%s", generation, strings.Repeat(" Dry.", generation))
		w.both(t, w.acme, 5, corpus.Metadata{DocID: "busy", Generation: generation + 1, End: len(text), Text: text})
	}
	q := hybrid("zorbulator", 2)
	q.Mode = rag.Keyword
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"busy#0"}, ids(r))
	require.Len(t, w.words.queries, 2)
	assert.Equal(t, rag.MaxTopK, w.words.queries[1].TopK)
}

func TestAHalfThatIsDownIsNamed(t *testing.T) {
	down := fault.Unavailablef(errors.New("reset"), "model_busy", "busy")
	for name, tc := range map[string]struct {
		fail  func(*world)
		part  rag.Part
		first string
	}{
		"embedder":       {func(w *world) { w.embedder.err = down }, rag.PartVector, "word#0"},
		"vectors before": {func(w *world) { w.index.Before = func(string) error { return down } }, rag.PartVector, "word#0"},
		"vectors after":  {func(w *world) { w.index.After = func(string) error { return down } }, rag.PartVector, "word#0"},
		"words before":   {func(w *world) { w.words.Before = func(string) error { return down } }, rag.PartKeyword, "near#0"},
		"words after":    {func(w *world) { w.words.After = func(string) error { return down } }, rag.PartKeyword, "near#0"},
	} {
		t.Run(name, func(t *testing.T) {
			w := library(t, nil)
			tc.fail(w)
			for range 2 {
				r, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
				require.NoError(t, err)
				assert.Equal(t, []rag.Missing{{Part: tc.part, Code: "model_busy"}}, r.Degraded)
				assert.Equal(t, rag.Hybrid, r.Mode)
				assert.Equal(t, tc.first, ids(r)[0])
			}
			q := hybrid("5 zorbulator", 3)
			q.Mode = rag.Mode(tc.part)
			_, err := w.Search(t.Context(), w.acme, q)
			assert.Equal(t, "model_busy", fault.As(err).Code, "alone it is the fault")
			q.Mode, q.Filter = rag.Hybrid, []byte(`{"nope":1}`)
			_, err = w.Search(t.Context(), w.acme, q)
			assert.True(t, fault.Is(err, fault.Invalid), "%v", err)
		})
	}
}

func TestFaultsThatNoHalfMakesUpFor(t *testing.T) {
	down := fault.Unavailablef(nil, "lexicon_unreachable", "down")
	broke := fault.New(fault.Limited, "budget_exhausted", "spent", nil)
	for name, tc := range map[string]struct {
		fail func(*world)
		code string
	}{
		"both halves":      {func(w *world) { w.embedder.err = down; w.words.Before = func(string) error { return down } }, "lexicon_unreachable"},
		"ledger":           {func(w *world) { w.ledger.err = down }, "lexicon_unreachable"},
		"budget":           {func(w *world) { w.embedder.err = broke }, "budget_exhausted"},
		"budget and words": {func(w *world) { w.embedder.err = broke; w.words.Before = func(string) error { return down } }, "budget_exhausted"},
		"a mistake of ours": {func(w *world) {
			w.words.Before = func(string) error { return fault.New(fault.Internal, "rows", "broken", nil) }
		}, "rows"},
		"a mistake while the other waits": {func(w *world) {
			w.embedder.late = true
			w.words.Before = func(string) error { return fault.New(fault.Internal, "rows", "broken", nil) }
		}, "rows"},
	} {
		t.Run(name, func(t *testing.T) {
			w := library(t, nil)
			tc.fail(w)
			_, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
			assert.Equal(t, tc.code, fault.As(err).Code, "%v", err)
		})
	}
}

func TestALateHalfIsLeftOut(t *testing.T) {
	for name, late := range map[rag.Part]func(*world){
		rag.PartVector:  func(w *world) { w.embedder.late = true },
		rag.PartKeyword: func(w *world) { w.words.late = true },
	} {
		t.Run(string(name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := library(t, &rag.Options{Patience: time.Second})
				late(w)
				r, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 3))
				require.NoError(t, err)
				assert.Equal(t, []rag.Missing{{Part: name, Code: "search_late"}}, r.Degraded)
				assert.NotEmpty(t, r.Sources)
			})
		})
	}
}

func TestASearchThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := library(t, nil)
		w.embedder.late, w.words.late = true, true
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		_, err := w.Search(ctx, w.acme, hybrid("5 zorbulator", 3))
		assert.Error(t, err)
	})
}

func TestDuplicatesAreCountedAndLeftOut(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 5 {
		doc := fmt.Sprintf("copy-%d", i)
		text := "The levada of the north was dug by hand through rock in three years, and it still carries water."
		if i == 4 {
			text = "Quite another thing is said about the north here."
		}
		w.ledger.set(w.acme, doc, 1)
		w.both(t, w.acme, 5-float64(i)/10, corpus.Metadata{DocID: doc, Generation: 1, End: len(text), Text: text})
	}
	for _, mode := range rag.Modes {
		q := hybrid("5 levada of the north", 2)
		q.Mode = mode
		r, err := w.Search(t.Context(), w.acme, q)
		require.NoError(t, err)
		assert.Equal(t, []string{"copy-0#0", "copy-4#0"}, ids(r), mode)
		assert.Equal(t, 3, r.Sources[0].Duplicates)
		assert.Zero(t, r.Sources[1].Duplicates)
	}
}

func TestBoosts(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	doc := func(source string, changed time.Time, meta map[string]any) corpus.Document {
		d := corpus.Document{Searchable: 1, UpdatedAt: changed}
		d.Source, d.Metadata = source, meta
		return d
	}
	for name, tc := range map[string]struct {
		boosts []tenants.Boost
		doc    corpus.Document
		want   float64
	}{
		"none":               {nil, doc("wiki", day(1), nil), 1},
		"its source":         {[]tenants.Boost{{Source: "wiki", Percent: 150}}, doc("wiki", day(1), nil), 1.5},
		"another source":     {[]tenants.Boost{{Source: "wiki", Percent: 150}}, doc("blog", day(1), nil), 1},
		"its value":          {[]tenants.Boost{{Field: "lang", Equals: "de", Percent: 50}}, doc("", day(1), map[string]any{"lang": "de"}), 0.5},
		"a number":           {[]tenants.Boost{{Field: "year", Equals: "2026", Percent: 200}}, doc("", day(1), map[string]any{"year": 2026.0}), 2},
		"a boolean":          {[]tenants.Boost{{Field: "top", Equals: "true", Percent: 200}}, doc("", day(1), map[string]any{"top": true}), 2},
		"no value":           {[]tenants.Boost{{Field: "lang", Equals: "de", Percent: 50}}, doc("", day(1), nil), 1},
		"new":                {[]tenants.Boost{{HalfLifeDays: 30, Percent: 200}}, doc("", now, nil), 2},
		"a half-life old":    {[]tenants.Boost{{HalfLifeDays: 30, Percent: 200}}, doc("", day(30), nil), 1.5},
		"two half-lives old": {[]tenants.Boost{{HalfLifeDays: 30, Percent: 200}}, doc("", day(60), nil), 1.25},
		"of tomorrow":        {[]tenants.Boost{{HalfLifeDays: 30, Percent: 200}}, doc("", day(-5), nil), 2},
		"dated by a field":   {[]tenants.Boost{{Field: "on", HalfLifeDays: 30, Percent: 200}}, doc("", now, map[string]any{"on": day(30).Format(time.RFC3339)}), 1.5},
		"a day":              {[]tenants.Boost{{Field: "on", HalfLifeDays: 36_500, Percent: 200}}, doc("", now, map[string]any{"on": "2026-11-22"}), 2},
		"no date":            {[]tenants.Boost{{Field: "on", HalfLifeDays: 30, Percent: 200}}, doc("", now, map[string]any{"on": "soon"}), 1},
		"several":            {[]tenants.Boost{{Source: "wiki", Percent: 150}, {HalfLifeDays: 30, Percent: 200}}, doc("wiki", now, nil), 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, &rag.Options{Now: func() time.Time { return now }})
			tc.doc.ID = "d"
			w.ledger.documents[w.acme.Key("d")] = tc.doc
			w.both(t, w.acme, 5, corpus.Metadata{DocID: "d", Generation: 1, End: 5, Text: "water"})
			q := hybrid("5 water", 1)
			q.Boosts = tc.boosts
			r, err := w.Search(t.Context(), w.acme, q)
			require.NoError(t, err)
			got := r.Sources[0]
			assert.InDelta(t, *got.Scores.Fused*tc.want, got.Score, 1e-4)
			if tc.want == 1 {
				assert.Nil(t, got.Scores.Boost)
			} else {
				assert.InDelta(t, tc.want, *got.Scores.Boost, 1e-4)
			}
		})
	}
}

func TestABoostChangesTheOrder(t *testing.T) {
	w := library(t, nil)
	d := w.ledger.documents[w.acme.Key("far")]
	d.Source = "handbook"
	w.ledger.documents[w.acme.Key("far")] = d
	q := hybrid("5 garden roof", 3)
	q.Boosts = []tenants.Boost{{Source: "handbook", Percent: 1_000}}
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, "far#0", ids(r)[0])
	r, err = w.Search(t.Context(), w.globex, q)
	require.NoError(t, err)
	assert.Equal(t, "near#0", ids(r)[0], "no source of globex's is called so")
}
