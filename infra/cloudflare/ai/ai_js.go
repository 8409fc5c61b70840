package ai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"levada.dev/infra/cloudflare/isolate"
)

// Binding is the AI binding. It may be shared by all goroutines.
type Binding struct{ name string }

// Open returns the binding of the name, by custom "AI".
func Open(binding string) Binding { return Binding{binding} }

// Response is the raw answer. Errors of the model are statuses here, with the
// platform's error code in the body.
type Response struct {
	Status int
	Header http.Header   // Content-Type, Cf-Aig-Log-Id, Cf-Aig-Cache-Status and Cf-Ai-Req-Id alone
	Body   io.ReadCloser // the caller closes it; closing it early cancels a stream
}

// LogID is the entry of the call in the gateway's log; empty without a gateway.
func (r *Response) LogID() string { return r.Header.Get("Cf-Aig-Log-Id") }

// Cached reports whether the gateway had the answer, and the provider was not asked.
func (r *Response) Cached() bool { return r.Header.Get("Cf-Aig-Cache-Status") == "HIT" }

// Run calls the model. input is the JSON object the model takes, as a json.RawMessage or a value that
// marshals to it. When ctx is canceled before the answer has begun, the answer is let go as soon as it begins.
func (b Binding) Run(ctx context.Context, model string, input any, o *Options) (*Response, error) {
	in, ok := input.(json.RawMessage)
	if !ok {
		var err error
		if in, err = json.Marshal(input); err != nil {
			return nil, fmt.Errorf("ai: input of %s: %w", model, err)
		}
	}
	r, err := isolate.Call(ctx, "ai.run", b.name, model, in, json.RawMessage(o.json()))
	if err != nil {
		return nil, fmt.Errorf("ai: %s: %w", model, err)
	}
	resp, err := isolate.ReadResponse(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Response{resp.StatusCode, resp.Header, resp.Body}, nil
}
