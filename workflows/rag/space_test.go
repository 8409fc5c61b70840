package rag_test

import (
	"context"
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

// other is a model whose vectors are of other dimensions.
const other = "@cf/baai/bge-base-en-v1.5"

// moved is a library of which one document is in the other model's space as well, and there it is another that is near.
func moved(t *testing.T) *world {
	w := library(t, nil)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		require.NoError(t, w.index.Upsert(t.Context(), s, other, []corpus.Vector{{
			ID: corpus.VectorID(s, "far", 1, 0), Values: append(place(5), make([]float32, 768-384)...), Metadata: corpus.Metadata{DocID: "far", Generation: 1, Text: "there"},
		}}))
	}
	return w
}

func space(name string) func(context.Context) (corpus.Edition, error) {
	return func(context.Context) (corpus.Edition, error) { return corpus.Edition{Number: 1, Space: name}, nil }
}

// models are those that questions were embedded with.
func (e *embedder) models() (names []string) {
	for _, c := range e.calls {
		names = append(names, c.Model)
	}
	return names
}

func TestTheLedgerSaysWhichSpaceIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		says, asked, finds string
		embedded           []string
	}{
		"none":                {"", "", "near#0", []string{model}},
		"that of the guess":   {model, "", "near#0", []string{model}},
		"another":             {other, "", "far#0", []string{model, other}},
		"the query its own":   {model, other, "far#0", []string{other}},
		"and it is not asked": {"no/model", other, "far#0", []string{other}},
	} {
		t.Run(name, func(t *testing.T) {
			w := moved(t)
			w.ledger.edition = space(c.says)
			q := ask("5", 1)
			q.Space = c.asked
			r, err := w.Search(t.Context(), w.acme, q)
			require.NoError(t, err)
			assert.Equal(t, []string{c.finds}, ids(r))
			assert.Equal(t, c.embedded, w.embedder.models())
			w.embedder.calls = nil
			q.Mode = rag.Hybrid
			r, err = w.Search(t.Context(), w.acme, q)
			require.NoError(t, err)
			assert.Equal(t, []string{c.finds}, ids(r))
			assert.Empty(t, r.Degraded)
			assert.Equal(t, c.embedded[len(c.embedded)-1:], w.embedder.models(), "the next one guesses better")
		})
	}
}

// What was guessed right becomes wrong when the tenant moves, and is another tenant's never.
func TestAGuessIsOnlyAGuess(t *testing.T) {
	w := moved(t)
	for _, c := range []struct {
		s     tenants.Scope
		space string
		finds string
	}{{w.acme, other, "far#0"}, {w.globex, model, "near#0"}, {w.acme, model, "near#0"}, {w.acme, "", "near#0"}, {w.acme, other, "far#0"}} {
		w.ledger.edition = space(c.space)
		r, err := w.Search(t.Context(), c.s, ask("5", 1))
		require.NoError(t, err)
		assert.Equal(t, []string{c.finds}, ids(r))
	}
	assert.Equal(t, []string{model, other, model, other, model, model, model, other}, w.embedder.models())
}

// What the question was embedded with first is of no use, and may fail.
func TestAModelThatIsNotReadMayFail(t *testing.T) {
	w := moved(t)
	w.ledger.edition = space(other)
	q := ask("5", 1)
	q.Model = "gone/model"
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"far#0"}, ids(r))
}

func TestWordsNeedNoSpace(t *testing.T) {
	w := moved(t)
	w.ledger.edition = func(context.Context) (corpus.Edition, error) { panic("it was asked") }
	q := hybrid("zorbulator", 1)
	q.Mode = rag.Keyword
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"word#0"}, ids(r))
}

func TestWithoutTheLedgerNoSpaceIsGuessed(t *testing.T) {
	for _, mode := range []rag.Mode{rag.Hybrid, rag.Vector} {
		synctest.Test(t, func(t *testing.T) {
			w := moved(t)
			w.embedder.late = true // until it is told that it is of no use
			w.ledger.edition = func(context.Context) (corpus.Edition, error) {
				return corpus.Edition{}, fault.Unavailablef(nil, "ledger_unreachable", "")
			}
			q := hybrid("5 zorbulator", 1)
			q.Mode = mode
			_, err := w.Search(t.Context(), w.acme, q)
			assert.Equal(t, []any{fault.Unavailable, "ledger_unreachable"}, []any{fault.KindOf(err), fault.As(err).Code}, mode)
		})
	}
}

// A ledger that hangs costs the half that needs it, as a slow half does; whether anything may be shown is asked anew.
func TestALedgerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := moved(t)
		w.ledger.edition = func(ctx context.Context) (corpus.Edition, error) {
			<-ctx.Done()
			return corpus.Edition{}, ctx.Err()
		}
		r, err := w.Search(t.Context(), w.acme, hybrid("5 zorbulator", 1))
		require.NoError(t, err)
		assert.Equal(t, []rag.Missing{{Part: rag.PartVector, Code: "search_late"}}, r.Degraded)
	})
}

func TestALedgerThatPanics(t *testing.T) {
	w := moved(t)
	w.ledger.edition = func(context.Context) (corpus.Edition, error) { panic("no") }
	for _, mode := range []rag.Mode{rag.Hybrid, rag.Vector} {
		q := hybrid("5", 1)
		q.Mode = mode
		assert.PanicsWithValue(t, "no", func() { _, _ = w.Search(t.Context(), w.acme, q) })
	}
}

// editions is a ledger of which only the edition is asked.
type editions struct{ now corpus.Edition }

func (e *editions) Edition(context.Context, tenants.Scope) (corpus.Edition, error) { return e.now, nil }

func TestACacheHandsTheSpaceOn(t *testing.T) {
	l := newDesk(t)
	acme := moved(t).acme
	of := &editions{corpus.Edition{Number: 7, Space: other}}
	var asked []rag.Query
	cached := rag.NewCached(searcher(func(q rag.Query) (rag.Result, error) {
		asked = append(asked, q)
		return l.Search(t.Context(), acme, q)
	}), of, l.store, &rag.CachedOptions{Now: func() time.Time { return l.now }})
	use := func(q rag.Query) rag.CacheUse {
		r, err := cached.Search(t.Context(), acme, q)
		require.NoError(t, err)
		return r.Cache
	}
	assert.Equal(t, rag.Miss, use(cacheable("q")))
	assert.Equal(t, other, asked[0].Space)
	assert.Equal(t, rag.Hit, use(cacheable("q")))
	of.now.Space = model
	assert.Equal(t, rag.Miss, use(cacheable("q")), "nothing of the space before")
	assert.Equal(t, model, asked[1].Space)
	of.now.Space = ""
	assert.Equal(t, rag.Miss, use(cacheable("q")))
	assert.Equal(t, model, asked[2].Space, "that of the configuration")

	q := cacheable("q")
	q.Space = other
	assert.Empty(t, use(q), "a space that is being filled changes without an edition")
	assert.Equal(t, other, asked[3].Space)
}

type searcher func(q rag.Query) (rag.Result, error)

func (f searcher) Search(_ context.Context, _ tenants.Scope, q rag.Query) (rag.Result, error) {
	return f(q)
}
