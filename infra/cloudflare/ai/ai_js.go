package ai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"levada.dev/infra/cloudflare/isolate"
)

// Binding is the AI binding. It may be shared by all goroutines.
type Binding struct{ name string }

// Open returns the binding of the name, by custom "AI".
func Open(binding string) Binding { return Binding{binding} }

// Gateway routes a call through AI Gateway.
type Gateway struct {
	ID             string
	CacheKey       string // shared by whoever sends it: prefix it with the tenant
	CacheTTL       time.Duration
	SkipCache      bool
	Metadata       map[string]string // at most five entries
	CollectLog     *bool             // nil: the gateway's own setting
	EventID        string
	RequestTimeout time.Duration
	Retries        *Retries
}

// Retries is how the gateway repeats a failed call.
type Retries struct {
	MaxAttempts int // 1 to 5
	Delay       time.Duration
	Backoff     string // constant, linear or exponential
}

// Options are the options of a call.
type Options struct {
	Gateway      *Gateway
	RejectIfBusy bool     // fail with 3040 instead of waiting for capacity
	Tags         []string // at most five of 50 characters
	ExtraHeaders map[string]string
}

// Response is the raw answer. Errors of the model are statuses here, with the
// platform's error code in the body.
type Response struct {
	Status int
	Header http.Header
	Body   io.ReadCloser // the caller closes it; closing it early cancels a stream
}

// LogID is the entry of the call in the gateway's log; empty without a gateway.
func (r *Response) LogID() string { return r.Header.Get("Cf-Aig-Log-Id") }

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
	options, err := json.Marshal(o.wire())
	if err != nil {
		return nil, fmt.Errorf("ai: options: %w", err)
	}
	r, err := isolate.Call(ctx, "ai.run", b.name, model, in, json.RawMessage(options))
	if err != nil {
		return nil, fmt.Errorf("ai: %s: %w", model, err)
	}
	resp, err := isolate.ReadResponse(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Response{resp.StatusCode, resp.Header, resp.Body}, nil
}

type wireOptions struct {
	Gateway      *wireGateway      `json:"gateway,omitempty"`
	RejectIfBusy bool              `json:"rejectIfBusy,omitempty"`
	Tags         []string          `json:"tags,omitempty"`
	ExtraHeaders map[string]string `json:"extraHeaders,omitempty"`
}

type wireGateway struct {
	ID               string            `json:"id"`
	CacheKey         string            `json:"cacheKey,omitempty"`
	CacheTTL         int64             `json:"cacheTtl,omitempty"` // seconds
	SkipCache        bool              `json:"skipCache,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
	CollectLog       *bool             `json:"collectLog,omitempty"`
	EventID          string            `json:"eventId,omitempty"`
	RequestTimeoutMs int64             `json:"requestTimeoutMs,omitempty"`
	Retries          *wireRetries      `json:"retries,omitempty"`
}

type wireRetries struct {
	MaxAttempts  int    `json:"maxAttempts,omitempty"`
	RetryDelayMs int64  `json:"retryDelayMs,omitempty"`
	Backoff      string `json:"backoff,omitempty"`
}

func (o *Options) wire() wireOptions {
	if o == nil {
		return wireOptions{}
	}
	w := wireOptions{RejectIfBusy: o.RejectIfBusy, Tags: o.Tags, ExtraHeaders: o.ExtraHeaders}
	if g := o.Gateway; g != nil {
		w.Gateway = &wireGateway{
			ID: g.ID, CacheKey: g.CacheKey, CacheTTL: int64(g.CacheTTL / time.Second), SkipCache: g.SkipCache,
			Metadata: g.Metadata, CollectLog: g.CollectLog, EventID: g.EventID, RequestTimeoutMs: g.RequestTimeout.Milliseconds(),
		}
		if r := g.Retries; r != nil {
			w.Gateway.Retries = &wireRetries{r.MaxAttempts, r.Delay.Milliseconds(), r.Backoff}
		}
	}
	return w
}
