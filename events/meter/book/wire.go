package book

import (
	"context"
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
)

// The methods of the wire.
const (
	methodAdd    = "add"
	methodRead   = "read"
	methodTraces = "traces"
	methodTrace  = "trace"
	methodClear  = "clear"
	methodCount  = "count"
	methodMute   = "mute"
	methodUnmute = "unmute"
	methodSet    = "alerts.set"
	methodList   = "alerts.list"
	methodDrop   = "alerts.drop"
)

// batch is meter.Batch on the wire.
type batch struct {
	Writer string       `json:"writer"`
	Number int64        `json:"number"`
	Set    *meter.Set   `json:"set,omitempty"`
	Spans  []trace.Span `json:"spans,omitempty"`
}

// listing is meter.TraceQuery on the wire.
type listing struct {
	Name   string    `json:"name,omitempty"`
	Failed bool      `json:"failed,omitempty"`
	Before time.Time `json:"before,omitzero"`
	ID     string    `json:"id,omitempty"`
	Limit  int       `json:"limit"`
}

type none struct{}

// Call runs one method of the book inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodAdd:
		return call.Serve(tx, body, func(_ tenants.Scope, in batch) (none, error) { return none{}, b.Add(tx, meter.Batch(in)) })
	case methodRead:
		return call.Serve(tx, body, func(_ tenants.Scope, q query) (page, error) { return b.Read(tx, q) })
	case methodTraces:
		return call.Serve(tx, body, func(_ tenants.Scope, q listing) ([]meter.Trace, error) { return b.Traces(tx, meter.TraceQuery(q)) })
	case methodTrace:
		return call.Serve(tx, body, func(_ tenants.Scope, id string) ([]trace.Span, error) { return b.Trace(tx, id) })
	case methodClear:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Clear(tx, limit) })
	case methodCount:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.Count(tx, limit) })
	case methodMute:
		return call.Serve(tx, body, func(_ tenants.Scope, by string) (none, error) { return none{}, b.Mute(tx, by) })
	case methodUnmute:
		return call.Serve(tx, body, func(_ tenants.Scope, by string) (none, error) { return none{}, b.Unmute(tx, by) })
	case methodSet:
		return call.Serve(tx, body, func(s tenants.Scope, o alert.Order) (alert.Taken, error) { return b.Set(tx, s, o) })
	case methodList:
		return call.Serve(tx, body, func(tenants.Scope, none) ([]alert.Alert, error) { return b.List(tx) })
	case methodDrop:
		return call.Serve(tx, body, func(s tenants.Scope, id string) (none, error) { return none{}, b.Drop(tx, s, id) })
	}
	return call.Unknown(method)
}

// Keeps is at the end of which step what a method of the wire keeps is to be looked after; 0: it keeps nothing.
func Keeps(method string) time.Duration {
	switch method {
	case methodAdd:
		return meter.Hour
	case methodSet:
		return lookEvery
	}
	return 0
}

// Sends reports whether a method of the wire may have left an event in the outbox.
func Sends(method string) bool { return method == methodSet || method == methodDrop }

// Client is the far end of Call: the tenants' meters over whatever carries the bytes to them and back.
type Client struct{ do call.Carrier }

var (
	_ meter.Meters = (*Client)(nil)
	_ alert.Rules  = (*Client)(nil)
)

// NewClient makes the meters over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// Add implements meter.Sink.
func (c *Client) Add(ctx context.Context, s tenants.Scope, in meter.Batch) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodAdd, batch(in))
	return err
}

// Read implements meter.Meters. What is much comes in several answers; what is counted between them may be in the later ones.
func (c *Client) Read(ctx context.Context, s tenants.Scope, q meter.Query) ([]meter.Slot, error) {
	ask := query{From: q.From, To: q.To, Step: q.Step}
	for _, m := range q.Metrics {
		ask.Metrics = append(ask.Metrics, m.Spec().Name)
	}
	type pageOfSets struct {
		Slots []meter.Slot `json:"slots"`
		Next  time.Time    `json:"next"`
	}
	all := []meter.Slot{}
	for {
		p, err := call.Ask[pageOfSets](ctx, c.do, s, nil, methodRead, ask)
		if err != nil {
			return nil, err
		}
		if all = append(all, p.Slots...); p.Next.IsZero() {
			return all, nil
		}
		ask.From = p.Next
	}
}

// Traces implements meter.Meters.
func (c *Client) Traces(ctx context.Context, s tenants.Scope, q meter.TraceQuery) ([]meter.Trace, error) {
	return call.Ask[[]meter.Trace](ctx, c.do, s, nil, methodTraces, listing(q))
}

// Trace implements meter.Meters.
func (c *Client) Trace(ctx context.Context, s tenants.Scope, id string) ([]trace.Span, error) {
	return call.Ask[[]trace.Span](ctx, c.do, s, nil, methodTrace, id)
}

// Clear forgets what is kept of the tenant whatever its age, so many traces and slots at most, and says how many.
func (c *Client) Clear(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodClear, limit)
}

// Count is how many traces and slots are kept of the tenant, as far as the limit.
func (c *Client) Count(ctx context.Context, s tenants.Scope, limit int) (int, error) {
	return call.Ask[int](ctx, c.do, s, nil, methodCount, limit)
}

// Bar has nothing be kept of the tenant from now on, while all there was is being erased. It holds for two days, unless it is renewed. Nothing is ever in flight.
func (c *Client) Bar(ctx context.Context, s tenants.Scope, by string) (busy bool, err error) {
	_, err = call.Ask[none](ctx, c.do, s, nil, methodMute, by)
	return false, err
}

// Unbar has what comes be kept again, from a minute on, unless another has barred it meanwhile.
func (c *Client) Unbar(ctx context.Context, s tenants.Scope, by string) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodUnmute, by)
	return err
}

// Set implements alert.Rules.
func (c *Client) Set(ctx context.Context, s tenants.Scope, o alert.Order) (alert.Taken, error) {
	return call.Ask[alert.Taken](ctx, c.do, s, nil, methodSet, o)
}

// List implements alert.Rules.
func (c *Client) List(ctx context.Context, s tenants.Scope) ([]alert.Alert, error) {
	return call.Ask[[]alert.Alert](ctx, c.do, s, nil, methodList, none{})
}

// Drop implements alert.Rules.
func (c *Client) Drop(ctx context.Context, s tenants.Scope, id string) error {
	_, err := call.Ask[none](ctx, c.do, s, nil, methodDrop, id)
	return err
}
