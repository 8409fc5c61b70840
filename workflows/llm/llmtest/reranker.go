package llmtest

import (
	"context"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Reranker is an llm.Reranker without a model: a text's score is the cosine of its Vector and the question's. It refuses what the
// port does not allow. The zero value is ready. Set the function before it is used.
type Reranker struct {
	// Before runs before a call does anything; its error is the call's.
	Before func(c llm.Call, question string, texts []string) error
	// After runs when the call has been made; its error is the call's, and the money is spent.
	After func(c llm.Call, question string, texts []string) error

	mu    sync.Mutex
	calls []Call
}

var _ llm.Reranker = (*Reranker)(nil)

// Rerank implements llm.Reranker.
func (r *Reranker) Rerank(ctx context.Context, s tenants.Scope, c llm.Call, question string, texts []string) (llm.Reranked, error) {
	if err := s.Check(); err != nil {
		return llm.Reranked{}, err
	}
	if err := ctx.Err(); err != nil {
		return llm.Reranked{}, fault.Unavailablef(err, "model_unreachable", "the model was not reached")
	}
	if _, err := llm.FindReranker(c.Model); err != nil {
		return llm.Reranked{}, err
	}
	if err := llm.CheckContexts(question, texts); err != nil {
		return llm.Reranked{}, err
	}
	if r.Before != nil {
		if err := r.Before(c, question, texts); err != nil {
			return llm.Reranked{}, err
		}
	}
	r.mu.Lock()
	r.calls = append(r.calls, Call{Tenant: s.Tenant(), Call: c, Texts: len(texts)})
	r.mu.Unlock()
	const dimensions = 256
	asked, words := Vector(question, dimensions)
	out := llm.Reranked{LogID: "test"}
	for _, text := range texts {
		v, n := Vector(text, dimensions)
		out.Scores = append(out.Scores, dot(asked, v))
		out.Tokens += words + n
	}
	if r.After != nil {
		if err := r.After(c, question, texts); err != nil {
			return llm.Reranked{}, err
		}
	}
	return out, nil
}

// Calls is the calls that were made, oldest first.
func (r *Reranker) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call(nil), r.calls...)
}
