package quota

import (
	"context"
	"log/slog"
	"time"
)

const (
	// tick is how often what lies here is looked after.
	tick = time.Second
	// turn is for how long one event is used for that: an event may go on for 30 seconds after its answer.
	turn = 25 * time.Second
)

// unlock releases the mutex, and makes sure that somebody looks after what lies here.
func (d *desk) unlock(ctx context.Context) {
	start := !d.flushing && !d.bare()
	if d.leaving {
		d.after = ctx
	}
	d.mu.Unlock()
	if start {
		d.start(ctx)
	}
}

// start looks after what lies here, in the event of ctx, unless somebody does. It reports whether somebody does now: if that
// event is over, it will be the next one that comes.
func (d *desk) start(ctx context.Context) bool {
	d.mu.Lock()
	already := d.flushing
	d.flushing = true
	d.mu.Unlock()
	if already || d.options.Background(ctx, d.flush) == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushing = false
	return false
}

// bare reports whether nothing lies here: no permit, no money, no call in flight, nothing to tell.
func (d *desk) bare() bool {
	return d.account.settled() && len(d.closing) == 0 && d.tenant.left == 0 && !d.own
}

// flush tells the ledger what was used and gives back what nobody asks for, until nothing is left or its turn is over. At
// the end of its turn it gives everything back, as nobody may come after it; if calls are in flight, the event of one of
// them goes on.
func (d *desk) flush(ctx context.Context) {
	end := d.now().Add(turn)
	for !d.leaving && sleep(ctx, tick) {
		d.mu.Lock()
		now := d.now()
		if d.bare() {
			d.flushing = false
			d.mu.Unlock()
			return
		}
		d.leaving = !now.Before(end)
		speak := !d.busy && (d.leaving || d.due(now))
		d.busy = d.busy || speak
		d.mu.Unlock()
		if !speak {
			continue
		}
		if err := d.exchange(ctx); err != nil {
			slog.WarnContext(ctx, "the ledger of money is told later", "tenantId", d.scope.Tenant(), "error", err)
		}
	}
	for _, ctx := range d.stop() {
		if d.start(ctx) {
			return
		}
	}
}

// stop ends a turn. It gives the events that may go on: those of calls in flight, and the last that left it something.
func (d *desk) stop() (events []context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushing, d.leaving = false, false
	if d.after != nil {
		events = append(events, d.after)
		d.after = nil
	}
	for h := range d.account.calls {
		if h.ctx != nil {
			events = append(events, h.ctx)
		}
	}
	return events
}

// due reports whether the ledger should hear something now.
func (d *desk) due(now time.Time) bool {
	return d.account.due(now) || len(d.closing) > 0 || d.own && now.Sub(d.swept) >= quick ||
		d.tenant.left > 0 && !d.tenant.has(0, now)
}

// tell tells the ledger what was used, if there is anything and nobody does so already.
func (d *desk) tell(ctx context.Context) {
	d.mu.Lock()
	speak := !d.busy && (len(d.account.lines) > 0 || d.account.pending != nil)
	d.busy = d.busy || speak
	d.unlock(ctx)
	if speak {
		_ = d.exchange(ctx) // what was not told now is told later
	}
}
