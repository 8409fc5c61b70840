package narrate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/record"
)

// Kind is the flow's.
const Kind flow.Kind = "narrate"

// Order is what the flow is started with.
type Order struct {
	Take string `json:"take"`
}

// Narrator is the flow that makes a take in steps. It is safe for concurrent use.
type Narrator struct{ recorder *record.Recorder }

// New makes a narrator.
func New(r *record.Recorder) *Narrator { return &Narrator{r} }

var _ flow.Flow = (*Narrator)(nil).Flow

// PartsAStep is how many parts a step speaks at most: a minute or two of the model's time, so that a step that is cut off is soon where it was, and
// 200,000 characters are 17 steps.
const PartsAStep = 12

// pauses are those between the attempts at a step that has failed so often that the run would give it up. Each is shorter than what a take may be
// without news (speech.Late), so no other run is begun while this one waits; together they are an hour.
var pauses = [...]time.Duration{time.Minute, 3 * time.Minute, 8 * time.Minute, 8 * time.Minute, 8 * time.Minute, 8 * time.Minute, 8 * time.Minute, 8 * time.Minute, 8 * time.Minute}

// heard is what a step came to. The text is not kept with it: each step has it from the booth.
type heard struct {
	Left   int          `json:"left"`           // parts that are missing
	Over   bool         `json:"over,omitempty"` // the take is not this run's any more
	Failed *job.Problem `json:"failed,omitempty"`
}

// Flow makes the take. Each step claims it anew: of two runs that make the same take, or two attempts at a step, the later goes on and the other
// ends. However a run ends, its take does; if it is lost, the booth has another begun.
func (n *Narrator) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	var o Order
	if err := json.Unmarshal(params, &o); err != nil {
		return fault.New(fault.Invalid, "narrate_order", "the order cannot be read", err)
	}
	var h heard
	for i := 0; i == 0 || h.Left > 0 && h.Failed == nil; i++ {
		var err error
		h, err = insist(ctx, r, fmt.Sprintf("speak %d", i), func(ctx context.Context) (heard, error) { return n.speak(ctx, s, o.Take) })
		if err != nil {
			h.Failed = speech.Problem(err)
		}
		if h.Over {
			return nil
		}
	}
	_, err := insist(ctx, r, "end", func(ctx context.Context) (heard, error) { return n.end(ctx, s, o.Take, h.Failed) })
	return err
}

// speak speaks the next parts that are missing.
func (n *Narrator) speak(ctx context.Context, s tenants.Scope, take string) (heard, error) {
	c, err := n.recorder.Booth.Claim(ctx, s, take)
	if err != nil {
		return of(err)
	}
	missing := c.Missing()
	now := missing[:min(len(missing), PartsAStep)]
	if err := n.recorder.Speak(ctx, s, &c, now); err != nil {
		return of(err)
	}
	return heard{Left: len(missing) - len(now)}, nil
}

// end ends the take.
func (n *Narrator) end(ctx context.Context, s tenants.Scope, take string, failed *job.Problem) (heard, error) {
	c, err := n.recorder.Booth.Claim(ctx, s, take)
	if err == nil {
		err = n.recorder.Booth.End(ctx, s, c.Ticket, failed)
	}
	if err != nil {
		return of(err)
	}
	return heard{}, nil
}

// of is what a step came to that failed: what does not pass is a result, and not tried again.
func of(err error) (heard, error) {
	switch {
	case fault.As(err).Code == speech.CodeOver:
		return heard{Over: true}, nil
	case record.Hopeless(err):
		return heard{Failed: speech.Problem(err)}, nil
	}
	return heard{}, err
}

// insist does a step, and again after each of the pauses.
func insist(ctx context.Context, r flow.Run, name string, f func(ctx context.Context) (heard, error)) (heard, error) {
	h, err := flow.Do(ctx, r, name, f)
	for n, pause := range pauses {
		if err == nil || record.Hopeless(err) {
			break
		}
		if err := r.Sleep(ctx, fmt.Sprintf("%s: pause %d", name, n), pause); err != nil {
			return h, err
		}
		h, err = flow.Do(ctx, r, fmt.Sprintf("%s: again %d", name, n), f)
	}
	return h, err
}
