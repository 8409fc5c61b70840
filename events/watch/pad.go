package watch

import (
	"context"
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

const (
	// tick is how often a pad is looked after.
	tick = time.Second
	// every is how long counts lie here at most, as long as their isolate lives.
	every = 8 * time.Second
	// turn is for how long one event is used to look after them: an event may go on for 30 seconds after its answer.
	turn = 24 * time.Second
	// rest is how long nothing has to happen before an isolate that is about to fall asleep hands over what it has.
	rest = 2 * time.Second
)

// pad is what was noticed of a tenant and not told yet.
type pad struct {
	scope tenants.Scope
	set   *meter.Set // nil: nothing
	spans []trace.Span
	since time.Time // of the first of it
	last  time.Time // of the last

	pending *meter.Batch // on its way: repeated as it is until it is taken
	failed  int          // how often it was not
	again   time.Time    // when it is repeated

	busy    bool            // somebody looks after the pad
	leaving bool            // but only once more
	after   context.Context // the event of the last that came on it since then
}

// bare reports whether nothing lies on the pad.
func (p *pad) bare() bool { return p.set == nil && p.pending == nil }

// keep counts a span that has ended, and keeps it where its trace is kept.
func (w *Watch) keep(ctx context.Context, e *end) {
	w.put(ctx, e.scope, e.Start.Add(e.Took), func(p *pad) {
		switch {
		case !e.counts:
		case e.strange:
			p.set.Count(meter.Of(meter.Requests, meter.Stranger, meter.Other, meter.Class(status(&e.Span))), 1)
		default:
			count(p.set, &e.Span)
		}
		if e.kept {
			w.room(p, &e.Span)
		}
	})
}

// keepLate keeps a span that was counted when it ended.
func (w *Watch) keepLate(ctx context.Context, s *Span) {
	s.mu.Lock()
	seen, scope := s.seen(), s.scope
	s.mu.Unlock()
	s.identify(&seen)
	w.put(ctx, scope, w.opts.Now(), func(p *pad) { w.room(p, &seen) })
}

// room keeps a span where there is room for it.
func (w *Watch) room(p *pad, s *trace.Span) {
	if len(p.spans) < meter.MaxSpans {
		p.spans = append(p.spans, *s)
		return
	}
	p.set.Count(meter.Of(meter.SpansDropped, w.worker), 1)
}

// put lays something on the tenant's pad, and makes sure that somebody looks after it. The caller does not hold the mutex.
func (w *Watch) put(ctx context.Context, scope tenants.Scope, now time.Time, f func(*pad)) {
	if w.opts.Sink == nil {
		return
	}
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
	f(p)
	if p.leaving {
		p.after = ctx
	}
	w.start(ctx, p)
}

// start looks after a pad in the event of ctx, unless somebody does. If that event is over already, it will be that of what comes next on the pad. It releases
// the mutex.
func (w *Watch) start(ctx context.Context, p *pad) {
	already := p.busy
	p.busy = true
	w.mu.Unlock()
	if already || w.opts.Background(ctx, func(ctx context.Context) { w.look(ctx, p) }) == nil {
		return
	}
	w.mu.Lock()
	p.busy = false
	w.mu.Unlock()
}

// look hands over what lies on a pad, until there is nothing or its turn is over. At the end of its turn it hands over everything, as nobody may come after it; what
// came meanwhile is looked after in the event of whoever brought it.
func (w *Watch) look(ctx context.Context, p *pad) {
	ctx = context.WithValue(ctx, spanKey{}, (*Span)(nil)) // nobody notices the telling: there would always be something to tell
	for end, over := w.opts.Now().Add(turn), false; !over; {
		pause(ctx, tick)
		now := w.opts.Now()
		over = !now.Before(end) || ctx.Err() != nil
		w.mu.Lock()
		if p.bare() {
			break
		}
		p.leaving = over
		speak := p.due(now, over)
		w.mu.Unlock()
		if speak {
			w.tell(ctx, p)
		}
		if over {
			w.mu.Lock()
		}
	}
	after := p.after
	p.busy, p.leaving, p.after = false, false, nil
	if p.bare() {
		delete(w.pads, p.scope.Tenant())
	}
	if p.bare() || after == nil {
		w.mu.Unlock()
		return
	}
	w.start(after, p)
}

// due reports whether it is time to hand over. What was not taken is repeated after a pause that doubles.
func (p *pad) due(now time.Time, over bool) bool {
	switch {
	case over:
		return true
	case p.pending != nil:
		return !now.Before(p.again)
	}
	return now.Sub(p.since) >= every || now.Sub(p.last) >= rest || len(p.spans) >= meter.MaxSpans
}

// tell hands over what could not be handed over last time and then, if that went well, what lies on the pad.
func (w *Watch) tell(ctx context.Context, p *pad) {
	for {
		w.mu.Lock()
		fresh := p.pending == nil
		if fresh && p.set == nil {
			w.mu.Unlock()
			return
		}
		if fresh {
			w.seed()
			w.number++
			p.pending = &meter.Batch{Writer: w.writer, Number: w.number, Set: p.set, Spans: p.spans}
			p.set, p.spans = nil, nil
		}
		b := *p.pending
		w.mu.Unlock()
		err := w.opts.Sink.Add(ctx, p.scope, b)
		w.mu.Lock()
		if err != nil {
			p.failed++
			p.again = w.opts.Now().Add(tick << min(p.failed, 5))
			w.mu.Unlock()
			w.opts.Log.WarnContext(ctx, "meters are told later", "worker", w.worker, "tenantId", p.scope.Tenant(), "failed", p.failed, "error", err.Error())
			return
		}
		p.pending, p.failed = nil, 0
		w.mu.Unlock()
		if fresh {
			return
		}
	}
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
