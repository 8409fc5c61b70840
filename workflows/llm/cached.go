package llm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
)

// CachedOptions changes how a cached generator uses its store. The zero value is good.
type CachedOptions struct {
	// Patience is how long an order waits for the store before it asks a model, 250 ms.
	Patience time.Duration
	// PutPatience is how long the store may take to take an answer, 10 s.
	PutPatience time.Duration
	// MaxBytes is the longest answer that is kept, 256 KiB.
	MaxBytes int
	// Background runs f after the answer was closed, for the event of ctx. Without it, closing waits for f.
	Background func(ctx context.Context, f func(context.Context)) error
}

// kindAnswer is the kind of the answers' keys.
const kindAnswer = "answer"

// NewCached gives the orders that allow it (Order.Cache) the answer that an equal order of the same tenant had: one with
// the same first model, the same prompt and the same version, redacted alike. Such an answer reserves nothing, costs nothing and asks no budget.
//
// An answer is kept only when the first model gave it, it said something and ended by itself, with FinishStop or
// FinishTools: never one that was cut, that failed, that was closed before its end or that another model gave. A store
// that is slow or fails costs an order Patience at most, and nothing else. Two equal orders at the same time may both ask
// the model.
func NewCached(g Generator, store cache.Store, o *CachedOptions) Generator {
	c := &cachedGenerator{next: g, store: store}
	if o != nil {
		c.options = *o
	}
	if c.options.Patience == 0 {
		c.options.Patience = 250 * time.Millisecond
	}
	if c.options.PutPatience == 0 {
		c.options.PutPatience = 10 * time.Second
	}
	if c.options.MaxBytes == 0 {
		c.options.MaxBytes = 256 << 10
	}
	if c.options.Background == nil {
		c.options.Background = func(ctx context.Context, f func(context.Context)) error {
			f(context.WithoutCancel(ctx))
			return nil
		}
	}
	return c
}

type cachedGenerator struct {
	next    Generator
	store   cache.Store
	options CachedOptions
}

// Generate implements Generator.
func (c *cachedGenerator) Generate(ctx context.Context, s tenants.Scope, o Order) (Answer, error) {
	if o.Cache < cache.MinTTL || len(o.Models) == 0 || s.Check() != nil {
		return c.next.Generate(ctx, s, o)
	}
	return c.cached(ctx, s, o)
}

// cached answers an order that may be answered from the store.
func (c *cachedGenerator) cached(ctx context.Context, s tenants.Scope, o Order) (Answer, error) {
	first := o.Models[0].Name
	version := o.Version
	if o.Redact {
		version += " redacted"
	}
	name, err := fingerprint(question{s.Tenant(), first, version, o.Prompt})
	if err != nil {
		return nil, err // a mistake in Prompt's type, which a test finds
	}
	within, span := watch.Start(ctx, trace.Search, "answers")
	r, ok := c.find(within, s, name)
	span.Note(func(f *trace.Facts) { f.Cache = trace.Cached(ok) })
	span.End(within, nil)
	if ok {
		return &replay{record: r, rest: r.deltas(o.Prompt.Stream)}, nil
	}
	a, err := c.next.Generate(ctx, s, o)
	if err != nil || a.Cached() || a.Source().Model != first {
		return a, err
	}
	keep := func(r record) {
		r.Question = name
		c.keep(ctx, s, r, o.Cache)
	}
	return &recorder{Answer: a, record: record{Source: a.Source()}, limit: c.options.MaxBytes, keep: keep}, nil
}

// find asks the store, and takes whatever goes wrong for a miss.
func (c *cachedGenerator) find(ctx context.Context, s tenants.Scope, name string) (record, bool) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Patience)
	defer cancel()
	b, err := c.store.Get(ctx, s, cache.Key{Kind: kindAnswer, Name: name})
	var r record
	if err == nil {
		r, err = decodeRecord(b, name)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		slog.WarnContext(ctx, "cached answer not read", "tenantId", s.Tenant(), "error", err)
	}
	return r, err == nil
}

// keep stores an answer, when it can.
func (c *cachedGenerator) keep(ctx context.Context, s tenants.Scope, r record, life time.Duration) {
	err := c.options.Background(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.options.PutPatience)
		defer cancel()
		b, err := json.Marshal(r)
		if err == nil {
			err = c.store.Put(ctx, s, cache.Key{Kind: kindAnswer, Name: r.Question}, b, life)
		}
		if err != nil {
			slog.WarnContext(ctx, "answer not cached", "tenantId", s.Tenant(), "error", err)
		}
	})
	if err != nil {
		slog.WarnContext(ctx, "answer not cached", "tenantId", s.Tenant(), "error", err)
	}
}

// recorder passes an answer through and writes down what it says.
type recorder struct {
	Answer
	record record
	limit  int
	ended  bool // the answer came to its end
	spoilt bool // it will not be kept
	keep   func(record)
}

// Next implements Stream.
func (r *recorder) Next() (Delta, error) {
	d, err := r.Answer.Next()
	switch {
	case errors.Is(err, io.EOF):
		r.ended = true
	case err != nil:
		r.spoilt = true
	case !r.spoilt:
		r.record.add(d)
		r.spoilt = r.record.size() > r.limit
	}
	return d, err
}

// Ready serves the function of the same name.
func (r *recorder) Ready() bool { return Ready(r.Answer) }

// Redacted serves the function of the same name.
func (r *recorder) Redacted() []string { return Redacted(r.Answer) }

// Close implements Stream. The caller has all of the answer by then, so the store delays nobody.
func (r *recorder) Close() error {
	err := r.Answer.Close()
	if err == nil && r.ended && !r.spoilt && r.record.complete() {
		r.record.Redacted = r.Redacted()
		r.keep(r.record)
	}
	r.spoilt = true // once is enough
	return err
}
