package rag_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// desk is a cache before a searcher that finds one source, which says who asked what and how often anything was searched before.
type desk struct {
	t      *testing.T
	now    time.Time
	ledger *memory.Ledger
	store  *memory.Cache
	cached *rag.Cached
	asked  int
	edit   func(*rag.Result) error // of what is found
	jobs   atomic.Int64
}

func newDesk(t *testing.T) *desk {
	l := &desk{t: t, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return l.now }
	l.ledger, l.store = memory.NewLedger(clock), memory.NewCache(clock)
	l.cached = rag.NewCached(l, l.ledger, l.store, &rag.CachedOptions{Now: clock})
	return l
}

// Search is what the cache asks.
func (l *desk) Search(_ context.Context, s tenants.Scope, q rag.Query) (rag.Result, error) {
	l.asked++
	r := rag.Result{Mode: rag.Hybrid, Intent: rag.IntentOf(q.Text), Sources: []rag.Source{{
		DocID: "doc", ChunkID: "doc#0", Text: fmt.Sprint(s.Tenant(), " asked ", q.Text, ", search ", l.asked), Score: 0.1 + 0.2,
	}}}
	r.Timings.Total = time.Second
	if l.edit != nil {
		return r, l.edit(&r)
	}
	return r, nil
}

func cacheable(text string) rag.Query {
	return rag.Query{Text: text, TopK: 5, Model: model, Cache: 10 * time.Minute}
}

func (l *desk) ask(s tenants.Scope, q rag.Query) rag.Result {
	l.t.Helper()
	r, err := l.cached.Search(l.t.Context(), s, q)
	require.NoError(l.t, err)
	return r
}

// answers asks the same and says what a cache had to do with each answer.
func (l *desk) answers(s tenants.Scope, q rag.Query, n int) (uses []rag.CacheUse) {
	l.t.Helper()
	for range n {
		uses = append(uses, l.ask(s, q).Cache)
	}
	return uses
}

// ingest makes a document searchable.
func (l *desk) ingest(s tenants.Scope, docID string) {
	l.t.Helper()
	id := fmt.Sprint("job-", l.jobs.Add(1))
	r, err := corpus.Submit(l.t.Context(), l.ledger, s, corpus.Submission{
		DocID: docID, JobID: id, ContentType: "text/plain", TextKey: corpus.TextKey(docID, id, id), Bytes: 5, SHA256: id, Model: model, Cause: events.Cause{ID: id},
	})
	require.NoError(l.t, err)
	vs, err := l.ledger.Advance(l.t.Context(), s, []corpus.Progress{{
		DocumentRef: events.DocumentRef{DocID: docID, Generation: r.Generation, JobID: id}, Stage: corpus.StageIndex, Slice: events.Slice{Slices: 1, Chunks: 1},
	}})
	require.NoError(l.t, err)
	require.True(l.t, vs[0].Complete)
}

var (
	hits, misses = []rag.CacheUse{rag.Hit}, []rag.CacheUse{rag.Miss}
	missHit      = []rag.CacheUse{rag.Miss, rag.Hit}
)

func TestAnEqualQueryIsAnsweredFromTheCache(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	first := l.ask(acme, cacheable("Who cut  it?"))
	second := l.ask(acme, cacheable(" Who\tcut it? "))
	assert.Equal(t, 1, l.asked)
	assert.Equal(t, first.Sources, second.Sources)
	assert.NotEmpty(t, first.Delimiter)
	assert.Equal(t, first.Delimiter, second.Delimiter, "so that the prompts of answers are equal")
	assert.Equal(t, []any{first.Mode, first.Intent, rag.Hit}, []any{second.Mode, second.Intent, second.Cache})
	assert.Zero(t, second.Timings.Embed)
	assert.Less(t, second.Timings.Total, time.Second, "the time of this search")

	l.now = l.now.Add(10 * time.Minute)
	assert.Equal(t, missHit, l.answers(acme, cacheable("Who cut it?"), 2), "it has lived its life")
}

func TestAnyOtherQueryIsSearched(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	l.ask(acme, cacheable("q"))
	filtered := func(filter string, fields rag.Fields) func(*rag.Query) {
		return func(q *rag.Query) { q.Filter, q.Fields = json.RawMessage(filter), fields }
	}
	for name, edit := range map[string]func(*rag.Query){
		"text":    func(q *rag.Query) { q.Text = "Q" },
		"number":  func(q *rag.Query) { q.TopK = 6 },
		"mode":    func(q *rag.Query) { q.Mode = rag.Keyword },
		"filter":  filtered(`{"docId":"a"}`, nil),
		"fields":  filtered(`{"docId":"a"}`, rag.Fields{"year": tenants.FieldNumber}),
		"boosts":  func(q *rag.Query) { q.Boosts = []tenants.Boost{{Source: "wiki", Percent: 200}} },
		"expand":  func(q *rag.Query) { q.Expand = 1 },
		"rerank":  func(q *rag.Query) { q.Rerank = true },
		"model":   func(q *rag.Query) { q.Model = "another" },
		"default": func(q *rag.Query) { q.Text = "q and a" },
	} {
		q := cacheable("q")
		edit(&q)
		assert.Equal(t, missHit, l.answers(acme, q, 2), name)
	}
	q := cacheable("q")
	q.Mode = rag.Hybrid
	assert.Equal(t, hits, l.answers(acme, q, 1), "the default said aloud")
	filtered("{ \"docId\": \"a\" }", nil)(&q)
	assert.Equal(t, hits, l.answers(acme, q, 1), "the same filter")
}

func TestATenantHasItsOwn(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	l := newDesk(t)
	for _, s := range []tenants.Scope{acme, globex, acme, globex} {
		assert.Contains(t, l.ask(s, cacheable("Who cut it?")).Sources[0].Text, string(s.Tenant())+" asked")
	}
	assert.Equal(t, 2, l.asked)
	l.ingest(globex, "a")
	assert.Equal(t, hits, l.answers(acme, cacheable("Who cut it?"), 1), "another's document changes nothing")
	assert.Equal(t, misses, l.answers(globex, cacheable("Who cut it?"), 1))
}

func TestWhatSearchesShowHasChanged(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	q := cacheable("Who cut it?")
	require.Equal(t, missHit, l.answers(acme, q, 2))
	for name, change := range map[string]func(){
		"ingested":       func() { l.ingest(acme, "a") },
		"ingested again": func() { l.ingest(acme, "a") },
		"deleted": func() {
			l.ingest(acme, "b")
			require.Equal(t, missHit, l.answers(acme, q, 2))
			_, err := l.ledger.Delete(t.Context(), acme, corpus.Deletion{DocID: "b", JobID: "delete", Cause: events.Cause{ID: "delete"}})
			require.NoError(t, err)
		},
	} {
		change()
		assert.Equal(t, missHit, l.answers(acme, q, 2), name)
	}
}

// A change that comes while it is searched makes the result one of before.
func TestAResultBelongsToTheEditionBefore(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	l.edit = func(*rag.Result) error {
		l.edit = nil
		l.ingest(acme, "a")
		return nil
	}
	assert.Equal(t, []rag.CacheUse{rag.Miss, rag.Miss, rag.Hit}, l.answers(acme, cacheable("q"), 3))
}

// The index of vectors may not show yet what the ledger says is searchable: what is found meanwhile lives shortly.
func TestAResultFromBeforeTheIndexHasSettledLivesShortly(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	l.ingest(acme, "a")
	l.edit = func(r *rag.Result) error { r.Sources = []rag.Source{}; return nil } // it is not seen yet
	q := cacheable("q")
	require.Empty(t, l.ask(acme, q).Sources)
	l.edit = nil // now it is
	assert.Equal(t, hits, l.answers(acme, q, 1))
	l.now = l.now.Add(rag.Unsettled)
	assert.Equal(t, missHit, l.answers(acme, q, 2), "soon it is searched again")
	require.NotEmpty(t, l.ask(acme, q).Sources)

	l.now = l.now.Add(corpus.Settling)
	require.Equal(t, missHit, l.answers(acme, q, 2))
	l.now = l.now.Add(q.Cache - time.Second)
	assert.Equal(t, hits, l.answers(acme, q, 1), "what is found later lives its life")
}

func TestWhatIsNotKept(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	for name, edit := range map[string]func(*rag.Result, *rag.Query){
		"a degraded result": func(r *rag.Result, _ *rag.Query) {
			r.Degraded = []rag.Missing{{Part: rag.PartVector, Code: "search_late"}}
		},
		"a session's":        func(_ *rag.Result, q *rag.Query) { q.Rewrite = &rag.Rewrite{} },
		"what nobody allows": func(_ *rag.Result, q *rag.Query) { q.Cache = 0 },
		"what is too long":   func(r *rag.Result, _ *rag.Query) { r.Sources[0].Text = strings.Repeat("x", 300<<10) },
		"no text":            func(_ *rag.Result, q *rag.Query) { q.Text = "\xff" },
	} {
		l, q := newDesk(t), cacheable("q")
		edit(&rag.Result{Sources: make([]rag.Source, 1)}, &q)
		l.edit = func(r *rag.Result) error { edit(r, &rag.Query{}); return nil }
		for range 2 {
			assert.NotEqual(t, rag.Hit, l.ask(acme, q).Cache, name)
		}
		assert.Equal(t, 2, l.asked, name)
		assert.Zero(t, l.store.Len(), name)
	}
}

func TestAFailedSearchIsNotKept(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	l.edit = func(*rag.Result) error { return fault.Unavailablef(nil, "ledger_unreachable", "no answer") }
	_, err := l.cached.Search(t.Context(), acme, cacheable("q"))
	assert.Equal(t, "ledger_unreachable", fault.As(err).Code)
	assert.Zero(t, l.store.Len())
	_, err = l.cached.Search(t.Context(), tenants.Scope{}, cacheable("q"))
	assert.Error(t, err, "nobody asks")
}

func TestAStoreOrLedgerThatFailsFailsNobody(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	broken := func(at string) func(string) error {
		return func(op string) error {
			if op == at {
				return fault.Unavailablef(nil, "cache_unavailable", "no answer")
			}
			return nil
		}
	}
	for name, fails := range map[string]func(*desk){
		"get, before":     func(l *desk) { l.store.Before = broken("get") },
		"get, after":      func(l *desk) { l.store.After = broken("get") },
		"put, before":     func(l *desk) { l.store.Before = broken("put") },
		"put, after":      func(l *desk) { l.store.After = broken("put") },
		"edition, before": func(l *desk) { l.ledger.Before = broken("edition") },
		"edition, after":  func(l *desk) { l.ledger.After = broken("edition") },
	} {
		l := newDesk(t)
		fails(l)
		for range 2 {
			assert.NotEmpty(t, l.ask(acme, cacheable("q")).Sources, name)
		}
		l.store.Hooks, l.ledger.Hooks = memory.Hooks{}, memory.Hooks{}
		uses := l.answers(acme, cacheable("q"), 2)
		assert.Equal(t, rag.Hit, uses[1], "%s: it works again", name)
	}
}

func TestWhatIsNoResultOfTheQueryIsNotTaken(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	for _, poison := range []string{
		"", "null", "{}", "not JSON", `{"name":"another","until":99999999999999,"mode":"hybrid","mark":"x","sources":[],"places":[]}`,
		`{"name":"NAME","until":99999999999999,"mode":"hybrid","mark":"x","places":[]}`, `{"name":"NAME","until":99999999999999,"mode":"hybrid","mark":"x","sources":[{}],"places":[]}`,
		`{"name":"NAME","until":1,"mode":"hybrid","mark":"x","sources":[],"places":[]}`,
	} {
		l := newDesk(t)
		store := &poisoned{Store: l.store, value: poison}
		l.cached = rag.NewCached(l, l.ledger, store, &rag.CachedOptions{Now: func() time.Time { return l.now }})
		r := l.ask(acme, cacheable("q"))
		assert.Equal(t, rag.Miss, r.Cache, poison)
		assert.Len(t, r.Sources, 1, poison)
	}
}

// poisoned has a value under every key.
type poisoned struct {
	cache.Store
	value string
}

func (p *poisoned) Get(_ context.Context, _ tenants.Scope, key cache.Key) ([]byte, error) {
	return []byte(strings.ReplaceAll(p.value, "NAME", key.Name)), nil
}

// hanging never answers before its caller has left.
type hanging struct{ cache.Store }

func (hanging) Get(ctx context.Context, _ tenants.Scope, _ cache.Key) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) Put(ctx context.Context, _ tenants.Scope, _ cache.Key, _ []byte, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hanging) Edition(ctx context.Context, _ tenants.Scope) (corpus.Edition, error) {
	<-ctx.Done()
	return corpus.Edition{}, ctx.Err()
}

func TestNobodyWaitsForAStoreThatHangs(t *testing.T) {
	for _, editions := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			acme, _ := tenantstest.Two(t)
			l := newDesk(t)
			o := &rag.CachedOptions{Background: func(ctx context.Context, f func(context.Context)) error {
				go f(context.WithoutCancel(ctx))
				return nil
			}}
			var from rag.Editions = l.ledger
			if editions {
				from = hanging{}
			}
			l.cached = rag.NewCached(l, from, hanging{}, o)
			began := time.Now()
			require.Len(t, l.ask(acme, cacheable("q")).Sources, 1)
			assert.Equal(t, 250*time.Millisecond, time.Since(began), "its patience, on the test's own clock")
			time.Sleep(time.Minute) // on it, too: what was to be kept is given up
		})
	}
}
