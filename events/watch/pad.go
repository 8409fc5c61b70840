package watch

import (
	"context"
	"log/slog"
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

const (
	// every is how long counts lie here at most, as long as their isolate lives.
	every = 8 * time.Second
	// turn is for how long one event is used to look after them: an event may go on for 30 seconds after its answer.
	turn = 24 * time.Second
	// rest is how long nothing has to happen before an isolate that is about to fall asleep hands over what it has.
	rest = 2 * time.Second
)

// pad is what was noticed of a tenant and not told yet.
type pad struct {
	scope   tenants.Scope
	set     *meter.Set
	spans   []trace.Span
	since   time.Time // of the first of it
	last    time.Time // of the last
	number  int64
	pending *meter.Batch // on its way: repeated as it is until it is taken
	busy    bool         // somebody looks after the pad
}

// keep counts a span that has ended, and keeps it where its trace is kept. The caller does not hold the mutex.
func (w *Watch) keep(ctx context.Context, scope tenants.Scope, done trace.Span, sampled bool) {
	if w.opts.Sink == nil && w.opts.Export == nil {
		return
	}
	now := done.Start.Add(done.Took)
	w.mu.Lock()
	p := w.pads[scope.Tenant()]
	if p == nil {
		p = &pad{scope: scope}
		w.pads[scope.Tenant()] = p
	}
	if p.set == nil {
		p.set, p.since = &meter.Set{}, now
	}
	p.last = now
	count(p.set, done)
	if sampled && len(p.spans) < meter.MaxSpans {
		p.spans = append(p.spans, done)
	}
	look := !p.busy
	p.busy = p.busy || look
	w.mu.Unlock()
	if look && w.opts.Background(ctx, func(ctx context.Context) { w.look(ctx, p) }) != nil {
		w.mu.Lock()
		p.busy = false // the next span's event will
		w.mu.Unlock()
	}
}

// look hands over what lies on a pad, until there is nothing or the event's turn is over.
func (w *Watch) look(ctx context.Context, p *pad) {
	end := w.opts.Now().Add(turn)
	for {
		pause(ctx, time.Second)
		now := w.opts.Now()
		over := !now.Before(end) || ctx.Err() != nil
		w.mu.Lock()
		if p.set == nil && p.pending == nil || over && !due(p, now, over) {
			p.busy = false
			w.mu.Unlock()
			return
		}
		speak := due(p, now, over)
		w.mu.Unlock()
		if speak {
			w.tell(ctx, p)
		}
		if over {
			w.mu.Lock()
			p.busy = false
			w.mu.Unlock()
			return
		}
	}
}

// due reports whether it is time to hand over.
func due(p *pad, now time.Time, over bool) bool {
	if p.pending != nil {
		return true
	}
	return p.set != nil && (over || now.Sub(p.since) >= every || now.Sub(p.last) >= rest || len(p.spans) >= meter.MaxSpans)
}

// tell hands over what lies on the pad, or what could not be handed over last time.
func (w *Watch) tell(ctx context.Context, p *pad) {
	w.mu.Lock()
	if p.pending == nil {
		p.number++
		p.pending = &meter.Batch{Writer: w.writer, Number: p.number, Set: p.set, Spans: p.spans}
		p.set, p.spans = nil, nil
	}
	b := *p.pending
	w.mu.Unlock()
	if w.opts.Sink != nil {
		if err := w.opts.Sink.Add(ctx, p.scope, b); err != nil {
			slog.WarnContext(ctx, "meters are told later", "tenantId", p.scope.Tenant(), "error", err)
			return
		}
	}
	if w.opts.Export != nil && len(b.Spans) > 0 {
		if err := w.opts.Export(ctx, b.Spans); err != nil {
			slog.WarnContext(ctx, "spans were not exported", "tenantId", p.scope.Tenant(), "spans", len(b.Spans), "error", err)
		}
	}
	w.mu.Lock()
	p.pending = nil
	w.mu.Unlock()
}

// pause waits for a while, or for the end of the event.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
