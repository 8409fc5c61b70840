package port

import (
	"context"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// Embedder is Workers AI through the AI Gateway.
type Embedder struct {
	ai      ai.Binding
	gateway string
}

var _ llm.Embedder = Embedder{}

// NewEmbedder calls models through the named gateway.
func NewEmbedder(b ai.Binding, gateway string) Embedder { return Embedder{b, gateway} }

// Embed implements llm.Embedder.
func (e Embedder) Embed(ctx context.Context, s tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	if err := s.Check(); err != nil {
		return llm.Embedded{}, err
	}
	m, err := llm.FindEmbedding(c.Model)
	if err != nil {
		return llm.Embedded{}, err
	}
	limit := patienceMany
	if c.Purpose == llm.ForQuery {
		limit = patienceOne
	}
	ctx, cancel := isolate.Within(ctx, limit)
	defer cancel()
	resp, err := e.ai.Run(ctx, m.Name, map[string]any{"text": texts}, options(ctx, e.gateway, s, c, "embed."+string(c.Purpose)))
	if err != nil {
		return llm.Embedded{}, unanswered(err, m.Name)
	}
	defer resp.Body.Close()
	body, err := readAnswer(resp.Body, len(texts), m.Dimensions)
	if err != nil {
		return llm.Embedded{}, fault.Unavailablef(err, llm.CodeBrokeOff, "model %s broke off", m.Name)
	}
	if resp.Status != http.StatusOK {
		return llm.Embedded{}, dialect.Refusal(m.Name, resp.Status, body, time.Now())
	}
	out := llm.Embedded{LogID: resp.Header.Get("cf-aig-log-id")}
	if out.Vectors, err = vectors(body, len(texts), m.Dimensions); err != nil {
		return llm.Embedded{}, fault.New(fault.Internal, "model_answer", "model "+m.Name+" answered in another form", err)
	}
	return out, nil
}
