package record

import (
	"context"
	"slices"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
)

const (
	// liveTries is how often what fails is tried while somebody listens, and livePatience how long nobody may be asked to wait for one of them.
	liveTries    = 4
	livePatience = 5 * time.Second
)

// Live makes a take of which the caller has the claim, for somebody who listens: noted is called after each part that is kept. What may pass is tried again
// for some seconds; then the take is released, so the queue tries on when others wait for it, and why is returned. When ctx ends, the take is left as it is, to
// whoever claims it next.
func (r *Recorder) Live(ctx context.Context, s tenants.Scope, c speech.Claim, noted func()) error {
	w := &watched{Booth: r.Booth, parts: slices.Clone(c.Tape.Parts), noted: noted}
	own := *r
	own.Booth = w
	for try := 1; ; try++ {
		err := own.Speak(ctx, s, &c, c.Missing())
		if err == nil {
			err = r.Booth.End(ctx, s, c.Ticket, nil)
		}
		if err = over(err); err == nil || ctx.Err() != nil {
			return err
		}
		pause := max(time.Duration(try)*time.Second, fault.As(err).RetryAfter)
		if Hopeless(err) || try == liveTries || pause > livePatience {
			end := r.Booth.Release
			if Hopeless(err) {
				end = r.Booth.End
			}
			if ended := over(end(ctx, s, c.Ticket, Problem(err))); ended != nil {
				return ended
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		c.Tape.Parts = w.kept()
	}
}

// watched remembers which parts were noted, and tells of them.
type watched struct {
	speech.Booth
	noted func()

	mu    sync.Mutex
	parts []speech.Part
}

// Add implements speech.Booth.
func (w *watched) Add(ctx context.Context, s tenants.Scope, t speech.Ticket, tape speech.Tape) error {
	if err := w.Booth.Add(ctx, s, t, tape); err != nil {
		return err
	}
	if len(tape.Parts) == 0 {
		return nil
	}
	w.mu.Lock()
	w.parts = append(w.parts, tape.Parts...)
	w.mu.Unlock()
	w.noted()
	return nil
}

func (w *watched) kept() []speech.Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.parts)
}
