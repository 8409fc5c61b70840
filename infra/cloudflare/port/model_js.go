package port

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// Model is Workers AI through the AI Gateway.
type Model struct {
	ai      ai.Binding
	gateway string
}

var _ llm.Model = Model{}

// NewModel calls models through the named gateway.
func NewModel(b ai.Binding, gateway string) Model { return Model{b, gateway} }

// maxAnswer is how much of an answer that does not come as a stream is read.
const maxAnswer = 8 << 20

// Generate implements llm.Model.
func (m Model) Generate(ctx context.Context, s tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	model, err := llm.FindGeneration(c.Model)
	if err != nil {
		return nil, err
	}
	in, err := dialect.Encode(model, p)
	if err != nil {
		return nil, fault.New(fault.Invalid, "model_refused", "the prompt has JSON that is none", err)
	}
	resp, err := m.ai.Run(ctx, model.Name, json.RawMessage(in), options(ctx, m.gateway, s, c, string(c.Purpose)))
	if err != nil {
		return nil, unanswered(err, model.Name)
	}
	a := &answer{body: resp.Body, source: llm.Source{Model: model.Name, LogID: resp.LogID()}}
	to := dialect.Answer{Model: model.Name, ID: a.source.LogID, MaxTokens: p.MaxTokens}
	if resp.Status == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		a.stream = dialect.NewStream(resp.Body, to)
		a.pieces = a.stream
		return a, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fault.Unavailablef(err, llm.CodeBrokeOff, "model %s broke off", model.Name)
	}
	if resp.Status != http.StatusOK {
		return nil, dialect.Refusal(model.Name, resp.Status, body, time.Now())
	}
	a.pieces, err = dialect.NewWhole(body, to)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// options are those of a call on a tenant's behalf. The gateway takes five keys of metadata; by its trace a call is found among the spans of what it was made for. The session's header leads calls of it to where the provider has cached their beginning.
func options(ctx context.Context, gateway string, s tenants.Scope, c llm.Call, route string) *ai.Options {
	o := &ai.Options{RejectIfBusy: c.Impatient, Gateway: &ai.Gateway{ID: gateway, Metadata: map[string]string{
		"tenant_id": string(s.Tenant()), "route": route, "request_id": c.RequestID,
	}}}
	if place := watch.Of(ctx).Parent(); place != (trace.Parent{}) {
		o.Gateway.Metadata["trace_id"] = place.TraceID()
	}
	if c.Session != "" {
		o.ExtraHeaders = map[string]string{"x-session-affinity": s.Key("session", c.Session)}
	}
	return o
}

// How long a model may take that answers at once and as a whole. A model that writes has its patience from workflows/llm.
const (
	patienceOne  = 15 * time.Second // of a question that somebody waits for
	patienceMany = time.Minute      // of as many texts, or as much sound, as one call takes
)

// unanswered is the fault of a call that no answer came to. One that was given up may have been at work: it is booked.
func unanswered(err error, model string) error {
	if errors.Is(err, isolate.ErrSilent) {
		return fault.Unavailablef(err, llm.CodeBrokeOff, "model %s said nothing for too long", model)
	}
	return fault.Unavailablef(err, "model_unavailable", "model %s did not answer", model)
}

// answer is an answer as it comes.
type answer struct {
	pieces interface {
		Next() (llm.Delta, error)
		Ready() bool
	}
	stream *dialect.Stream // nil when the answer came at once
	body   io.Closer
	source llm.Source
	closed bool
}

// Next implements llm.Stream.
func (a *answer) Next() (llm.Delta, error) {
	if a.closed {
		return llm.Delta{}, io.ErrClosedPipe
	}
	return a.pieces.Next()
}

// Ready serves llm.Ready.
func (a *answer) Ready() bool { return a.closed || a.pieces.Ready() }

// Close implements llm.Stream. A stream that has said its last word is let end by itself, since one that is canceled looks to the
// gateway as if the caller had left.
func (a *answer) Close() error {
	if a.closed || a.stream == nil {
		a.closed = true
		return nil
	}
	a.closed = true
	if e, ok := a.body.(interface{ End() error }); ok && a.stream.Complete() {
		return e.End()
	}
	return a.body.Close()
}

// Source implements llm.Stream.
func (a *answer) Source() llm.Source { return a.source }
