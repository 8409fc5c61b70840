package rag

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// place finds out which space is read, and the question's vector there. While the ledger is asked the question is embedded in the space that it
// most likely is: that of the tenant's last search here, or of its configuration. Where that was wrong, it is embedded once more.
func (a *asker) place(ctx context.Context) error {
	guess := cmp.Or(a.query.Space, a.guesses.of(a.scope.Tenant()), a.query.Model)
	if a.query.Space != "" {
		return a.placeIn(ctx, guess)
	}
	guessing, stop := context.WithCancel(ctx)
	defer stop()
	said := beside(func() (corpus.Edition, error) {
		e, err := a.ports.Ledger.Edition(ctx, a.scope)
		if err != nil || cmp.Or(e.Space, a.query.Model) != guess {
			stop() // what is embedded is of no use
		}
		return e, err
	})
	embedded := a.placeIn(guessing, guess)
	waited := a.opts.Now()
	e, err := said()
	a.out.Timings.Ledger += a.opts.Now().Sub(waited)
	if err != nil {
		err = fmt.Errorf("ask for the space: %w", err)
		if ctx.Err() == nil { // and nobody has ended this
			a.unknown = err
		}
		return err
	}
	a.edition = &e
	space := cmp.Or(e.Space, a.query.Model)
	a.guesses.heard(a.scope.Tenant(), space)
	if space != guess {
		return a.placeIn(ctx, space)
	}
	return embedded
}

// placeIn embeds the question in a space.
func (a *asker) placeIn(ctx context.Context, space string) error {
	began := a.opts.Now()
	defer func() { a.out.Timings.Embed += a.opts.Now().Sub(began) }()
	e, err := a.ports.Embedder.Embed(ctx, a.scope, llm.Call{Model: space, Purpose: cmp.Or(a.query.Purpose, llm.ForQuery), RequestID: a.query.RequestID}, []string{a.query.Text})
	if err != nil {
		return fmt.Errorf("embed the query: %w", err)
	}
	if len(e.Vectors) != 1 {
		return fault.New(fault.Internal, "embedding_count", fmt.Sprintf("%d vectors for one query", len(e.Vectors)), nil)
	}
	a.space, a.values = space, e.Vectors[0]
	return nil
}

// guesses are the spaces that tenants were in when they were last asked for.
type guesses struct {
	mu     sync.Mutex
	spaces map[tenants.ID]string
}

// maxGuesses is of how many tenants the space is remembered.
const maxGuesses = 1000

func (g *guesses) of(t tenants.ID) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spaces[t]
}

func (g *guesses) heard(t tenants.ID, space string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.spaces[t]; g.spaces == nil || !there && len(g.spaces) >= maxGuesses {
		g.spaces = map[tenants.ID]string{}
	}
	g.spaces[t] = space
}

// beside runs f in a goroutine and returns what waits for its end. What f panics with the waiter does, as no goroutine may take the process
// with it.
func beside[T any](f func() (T, error)) (wait func() (T, error)) {
	var (
		v        T
		err      error
		panicked any
		done     = make(chan struct{})
	)
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		v, err = f()
	}()
	return func() (T, error) {
		if <-done; panicked != nil {
			panic(panicked)
		}
		return v, err
	}
}
