package record

import (
	"context"
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
// for some seconds, each time as the tape has begun, of which the answer may have been lost; then the take is released, so the queue tries on when others wait for it, and why is returned. When ctx ends, the take is left as it is, to
// whoever claims it next.
func (r *Recorder) Live(ctx context.Context, s tenants.Scope, c speech.Claim, noted func()) error {
	own := *r
	own.Booth = watched{r.Booth, noted}
	for try := 1; ; try++ {
		err := own.whole(ctx, s, &c, try > 1)
		if err = over(err); err == nil || ctx.Err() != nil {
			return err
		}
		pause := max(time.Duration(try)*time.Second, fault.As(err).RetryAfter)
		if Hopeless(err) || try == liveTries || pause > livePatience {
			end := r.Booth.Release
			if Hopeless(err) {
				end = r.Booth.End
			}
			if ended := over(end(ctx, s, c.Ticket, speech.Problem(err))); ended != nil {
				return ended
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// whole makes all of a take that is missing, and ends it. What was tried before is claimed again: what the tape has is not what was heard of it.
func (r *Recorder) whole(ctx context.Context, s tenants.Scope, c *speech.Claim, again bool) error {
	if again {
		now, err := r.Booth.TakeOver(ctx, s, c.Take, c.Direct)
		if fault.As(err).Code == speech.CodeBusy {
			return speech.ErrOver(c.Take) // somebody else's by now
		}
		if err != nil {
			return err
		}
		*c = now
	}
	if err := r.Speak(ctx, s, c, c.Missing()); err != nil {
		return err
	}
	return r.Booth.End(ctx, s, c.Ticket, nil)
}

// watched tells of parts that were noted.
type watched struct {
	speech.Booth
	noted func()
}

// Add implements speech.Booth.
func (w watched) Add(ctx context.Context, s tenants.Scope, t speech.Ticket, tape speech.Tape) error {
	if err := w.Booth.Add(ctx, s, t, tape); err != nil {
		return err
	}
	if len(tape.Parts) == 0 {
		return nil
	}
	w.noted()
	return nil
}
