package rag_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// witness notes what the store was asked for.
type witness struct {
	cache.Store
	mu   sync.Mutex
	gets []string
	held chan struct{} // closed when it was asked for something
}

func (w *witness) Get(ctx context.Context, s tenants.Scope, key cache.Key) ([]byte, error) {
	w.mu.Lock()
	w.gets = append(w.gets, key.Name)
	if w.held != nil && len(w.gets) == 1 {
		close(w.held)
	}
	w.mu.Unlock()
	return w.Store.Get(ctx, s, key)
}

func (w *witness) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.gets)
	w.gets = nil
	return n
}

// process is another cache over the same ledger and store, as another isolate has it.
func (l *desk) process(store cache.Store, bytes int) *rag.Cached {
	return rag.NewCached(l, l.ledger, store, &rag.CachedOptions{Now: func() time.Time { return l.now }, RecentBytes: bytes})
}

func TestWhatWasAskedForOfLateIsInMemory(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	l := newDesk(t)
	w := &witness{Store: l.store}
	first, second := l.process(w, 0), l.process(w, 0)
	l.cached = first
	require.Equal(t, missHit, l.answers(acme, cacheable("q"), 2))
	assert.Equal(t, 1, w.asked(), "what was found is known without the store")
	l.cached = second
	assert.Equal(t, []rag.CacheUse{rag.Hit, rag.Hit}, l.answers(acme, cacheable("q"), 2))
	assert.Equal(t, 1, w.asked(), "what another process has found is asked for once")
	assert.Equal(t, misses, l.answers(globex, cacheable("q"), 1), "another tenant's is never taken")
	w.asked()

	l.ingest(acme, "a")
	assert.Equal(t, missHit, l.answers(acme, cacheable("q"), 2))
	assert.Equal(t, 1, w.asked())
	l.ingest(acme, "b")
	assert.Equal(t, missHit, l.answers(acme, cacheable("another"), 2))
	assert.Equal(t, 2, w.asked(), "a guess that was wrong, and the one that is right")
	assert.Equal(t, missHit, l.answers(acme, cacheable("q"), 2))
	l.now = l.now.Add(rag.Unsettled)
	assert.Equal(t, misses, l.answers(acme, cacheable("q"), 1), "it lives no longer in memory than in the store")
}

// What the memory and the store give to the same query is the same.
func TestMemoryAndStoreAnswerAlike(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	l := newDesk(t)
	first, second := l.process(l.store, 0), l.process(l.store, 0)
	l.cached = first
	require.Equal(t, misses, l.answers(acme, cacheable("q"), 1))
	inMemory := l.ask(acme, cacheable("q"))
	l.cached = second
	assert.Equal(t, inMemory, l.ask(acme, cacheable("q")))
}

func TestMemoryIsBounded(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	l := newDesk(t)
	w := &witness{Store: l.store}
	l.cached = l.process(w, 2000) // a few results
	for i := range 20 {
		l.ask([]tenants.Scope{acme, globex}[i%2], cacheable(fmt.Sprint("q", i)))
	}
	w.asked()
	l.ask(globex, cacheable("q19"))
	assert.Zero(t, w.asked(), "the last one is there")
	assert.Equal(t, hits, l.answers(acme, cacheable("q0"), 1))
	assert.Equal(t, 1, w.asked(), "the first one is in the store alone")
	l.cached = l.process(w, 10)
	assert.Equal(t, []rag.CacheUse{rag.Hit, rag.Hit}, l.answers(acme, cacheable("q0"), 2))
	assert.Equal(t, 2, w.asked(), "what is larger than all of the memory is not there")
}

// slowEdition answers when the store has been asked.
type slowEdition struct {
	rag.Editions
	after chan struct{}
	fail  error
}

func (s slowEdition) Edition(ctx context.Context, t tenants.Scope) (corpus.Edition, error) {
	select {
	case <-s.after:
	case <-ctx.Done():
		return corpus.Edition{}, ctx.Err()
	}
	if s.fail != nil {
		return corpus.Edition{}, s.fail
	}
	return s.Editions.Edition(ctx, t)
}

func TestTheStoreIsAskedBesideTheLedger(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	for _, fail := range []error{nil, fault.Unavailablef(nil, "ledger_unreachable", "no answer")} {
		l := newDesk(t)
		l.ask(acme, cacheable("q"))
		w := &witness{Store: l.store, held: make(chan struct{})}
		editions := &slowEdition{Editions: l.ledger, after: make(chan struct{})}
		close(editions.after)
		l.cached = rag.NewCached(l, editions, w, &rag.CachedOptions{Now: func() time.Time { return l.now }})
		l.ask(acme, cacheable("another")) // which tells it the edition
		w.mu.Lock()
		w.gets, w.held = nil, make(chan struct{})
		w.mu.Unlock()
		editions.after, editions.fail = w.held, fail
		if fail == nil {
			assert.Equal(t, hits, l.answers(acme, cacheable("q"), 1))
		} else {
			assert.Equal(t, misses, l.answers(acme, cacheable("q"), 1), "nothing is answered that the edition does not confirm")
		}
		assert.Equal(t, 1, w.asked())
	}
}
