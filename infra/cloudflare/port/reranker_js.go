package port

import (
	"context"
	"encoding/json"
	"io"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Reranker is Workers AI through the AI Gateway.
type Reranker struct {
	ai      ai.Binding
	gateway string
}

var _ llm.Reranker = Reranker{}

// NewReranker calls models through the named gateway.
func NewReranker(b ai.Binding, gateway string) Reranker { return Reranker{b, gateway} }

// Rerank implements llm.Reranker.
func (r Reranker) Rerank(ctx context.Context, s tenants.Scope, c llm.Call, question string, texts []string) (llm.Reranked, error) {
	if err := s.Check(); err != nil {
		return llm.Reranked{}, err
	}
	m, err := llm.FindReranker(c.Model)
	if err != nil {
		return llm.Reranked{}, err
	}
	if err := llm.CheckContexts(question, texts); err != nil {
		return llm.Reranked{}, err
	}
	input, err := json.Marshal(ranking(question, texts))
	if err != nil {
		return llm.Reranked{}, fault.New(fault.Internal, "rerank_encoding", "", err)
	}
	ctx, cancel := isolate.Within(ctx, patienceOne)
	defer cancel()
	resp, err := r.ai.Run(ctx, m.Name, json.RawMessage(input), options(ctx, r.gateway, s, c, "rerank"))
	if err != nil {
		return llm.Reranked{}, unanswered(err, m.Name)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAround))
	if err != nil {
		return llm.Reranked{}, fault.Unavailablef(err, llm.CodeBrokeOff, "model %s broke off", m.Name)
	}
	return reranked(m.Name, resp.Status, resp.LogID(), body, len(texts))
}
