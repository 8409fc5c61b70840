package demo

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter/view"
	"levada.dev/infra/waterfall"
)

// trace draws what the newest turn since then was made of, and shows that the other tenant knows of no such trace. An isolate tells what it has
// noticed within seconds.
func (s Show) trace(ctx context.Context, since time.Time) error {
	return until(ctx, "no trace of the conversation is kept", func(ctx context.Context) (bool, error) {
		t, err := s.newest(ctx, since)
		if err != nil || t.ID == "" {
			return false, err
		}
		return true, s.draw(ctx, t.ID)
	})
}

// newest is the last turn's trace that has begun since then, if it is there already.
func (s Show) newest(ctx context.Context, since time.Time) (view.Trace, error) {
	for t, err := range s.Owner.Traces(ctx, "/chat", false) {
		if err != nil || t.Start.After(since) {
			return t, err
		}
		break
	}
	return view.Trace{}, nil
}

func (s Show) draw(ctx context.Context, id string) error {
	t, err := s.Owner.Trace(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nWhat the last turn was made of, trace %s:\n", id)
	waterfall.Draw(s.Out, t, 0)
	_, err = s.Other.Trace(ctx, id)
	if !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("tenant %s asks for trace %s: %w", s.Other.Tenant(), id, err)
	}
	fmt.Fprintf(s.Out, "For tenant %s: %s\n", s.Other.Tenant(), fault.As(err).Code)
	return nil
}
