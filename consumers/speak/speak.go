package speak

import (
	"context"
	"fmt"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/narrate"
	"levada.dev/workflows/speech/record"
)

// Consumer makes takes.
type Consumer struct {
	recorder *record.Recorder
	runs     flow.Runs
}

// New makes the consumer.
func New(r *record.Recorder, runs flow.Runs) *Consumer { return &Consumer{r, runs} }

// Route takes speech.requested.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{Type: events.TypeSpeechRequested, Name: "speak", Handle: consumers.Facts(c.Handle)}
}

// Handle makes one take after the other; the queue gives it one at a time, so none waits for another. What takes longer than somebody would wait for
// is left to the flow, whose run has a name of its own for each time that the take was asked for: one that was lost is followed by another.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.SpeechRequested]) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = c.one(ctx, s, d.Fact)
	}
	return errs
}

func (c *Consumer) one(ctx context.Context, s tenants.Scope, f events.SpeechRequested) error {
	if f.Characters > speech.MaxStreamed {
		if err := c.runs.Start(ctx, s, narrate.Kind, f.Identity(), narrate.Order{Take: f.Take}); err != nil {
			return fmt.Errorf("start the narration of %s: %w", f.Take, err)
		}
		return nil
	}
	if err := c.recorder.Record(ctx, s, f.Take, nil); err != nil && fault.As(err).Code != speech.CodeBusy {
		return fmt.Errorf("speak %s: %w", f.Take, err)
	}
	return nil
}
