package port

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
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
	resp, err := e.ai.Run(ctx, m.Name, map[string]any{"text": texts}, &ai.Options{Gateway: &ai.Gateway{
		ID: e.gateway,
		Metadata: map[string]string{
			"tenant_id": string(s.Tenant()), "route": "embed." + string(c.Purpose), "request_id": c.RequestID,
		},
	}})
	if err != nil {
		return llm.Embedded{}, fault.Unavailablef(err, "model_unavailable", "model %s did not answer", m.Name)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return llm.Embedded{}, fault.Unavailablef(err, "model_unavailable", "model %s broke off", m.Name)
	}
	if resp.Status != http.StatusOK {
		return llm.Embedded{}, modelFault(m.Name, resp.Status, body)
	}
	out := llm.Embedded{LogID: resp.Header.Get("cf-aig-log-id")}
	if out.Vectors, err = vectors(body, len(texts), m.Dimensions); err != nil {
		return llm.Embedded{}, fault.New(fault.Internal, "model_answer", "model "+m.Name+" answered in another form", err)
	}
	return out, nil
}

// modelFault names what the provider refused: https://developers.cloudflare.com/workers-ai/platform/errors/.
func modelFault(model string, status int, body []byte) error {
	var e struct {
		Errors []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		InternalCode int    `json:"internalCode"`
		Description  string `json:"description"`
	}
	_ = json.Unmarshal(body, &e) // an answer in no known form is judged by its status alone
	code, text := e.InternalCode, e.Description
	if len(e.Errors) > 0 {
		code, text = e.Errors[0].Code, e.Errors[0].Message
	}
	switch {
	case code == 3036:
		return fault.New(fault.Limited, "model_quota", "the account's daily use of models is up", nil)
	case code == 3040 || status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "model_busy", "model "+model+" is out of capacity", nil)
	case status == http.StatusRequestTimeout || status >= 500:
		return fault.New(fault.Unavailable, "model_unavailable", "model "+model+" failed: "+text, nil)
	}
	return fault.New(fault.Invalid, "model_refused", "model "+model+" refused the input: "+text, nil)
}
