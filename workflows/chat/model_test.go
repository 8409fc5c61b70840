package chat_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

func gpt(t testing.TB) []llm.GenerationModel {
	t.Helper()
	m, err := llm.FindGeneration("@local/script")
	require.NoError(t, err)
	return []llm.GenerationModel{m}
}

// model is a generator by a script.
type model struct {
	pieces []piece
	notes  []piece // for summaries
	refuse error   // of every call
	gate   func(o llm.Order) error
	spent  func()
	ready  func(given int) bool // whether more came together with the last piece

	mu     sync.Mutex
	orders []llm.Order
	scopes []tenants.Scope
	open   int
}

// piece is what an answer says next, after a while.
type piece struct {
	llm.Delta
	after time.Duration
	err   error
	panic bool
}

func words(texts ...string) (all []piece) {
	for _, text := range texts {
		all = append(all, piece{Delta: llm.Delta{Text: text}})
	}
	return append(all, piece{Delta: llm.Delta{Finish: llm.FinishStop}})
}

func (m *model) Generate(ctx context.Context, s tenants.Scope, o llm.Order) (llm.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders, m.scopes = append(m.orders, o), append(m.scopes, s)
	if m.refuse != nil {
		return nil, m.refuse
	}
	if m.gate != nil {
		if err := m.gate(o); err != nil {
			return nil, err
		}
	}
	m.open++
	a := &answer{ctx: ctx, model: m, pieces: m.pieces}
	if o.Call.Purpose == llm.ForSummary {
		a.pieces = m.notes
	}
	return a, nil
}

// last is the last order of a purpose.
func (m *model) last(p llm.Purpose) llm.Order {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.orders) - 1; i >= 0; i-- {
		if m.orders[i].Call.Purpose == p {
			return m.orders[i]
		}
	}
	return llm.Order{}
}

type answer struct {
	ctx    context.Context
	model  *model
	pieces []piece
	given  int
	closed bool
}

func (a *answer) Next() (llm.Delta, error) {
	if a.given == len(a.pieces) {
		return llm.Delta{}, io.EOF
	}
	p := a.pieces[a.given]
	if p.after > 0 {
		timer := time.NewTimer(p.after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-a.ctx.Done():
		}
	}
	if a.ctx.Err() != nil {
		return llm.Delta{}, a.ctx.Err()
	}
	if p.panic {
		panic("the model's port is broken")
	}
	if p.err != nil {
		return llm.Delta{}, p.err
	}
	a.given++
	return p.Delta, nil
}

func (a *answer) Ready() bool { return a.model.ready != nil && a.model.ready(a.given) }

func (a *answer) Close() error {
	if a.closed {
		return errors.New("closed twice")
	}
	a.closed = true
	a.model.mu.Lock()
	a.model.open--
	a.model.mu.Unlock()
	return nil
}

func (a *answer) Source() llm.Source { return llm.Source{Model: "@local/script", LogID: "log-1"} }

func (a *answer) Spent() (llm.Usage, int64) {
	if a.model.spent != nil {
		a.model.spent()
	}
	return llm.Usage{Prompt: 10, Completion: a.given, Estimated: a.given < len(a.pieces)}, int64(1000 + a.given)
}

func (a *answer) Cached() bool { return false }

// shelf is a retriever that finds the same for everybody of a tenant.
type shelf struct {
	found   map[tenants.ID][]rag.Source
	err     error
	queries []rag.Query
	said    [][]llm.Message // what each question could lean on
	whole   string          // that every question is rewritten to
	lacks   []rag.Missing
}

func (r *shelf) Search(ctx context.Context, s tenants.Scope, q rag.Query) (rag.Result, error) {
	r.queries = append(r.queries, q)
	said, err := q.Rewrite.History(ctx)
	if err != nil {
		return rag.Result{}, err
	}
	r.said = append(r.said, said)
	return rag.Result{Sources: r.found[s.Tenant()], Rewritten: r.whole, Degraded: r.lacks}, r.err
}
