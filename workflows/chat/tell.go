package chat

import (
	"context"
	"time"

	"levada.dev/events/fault"
)

const (
	tellTime   = 5 * time.Second // of one attempt
	retryFirst = 200 * time.Millisecond
	retryMost  = 2 * time.Second
)

// tell brings what happens to the session until the turn is over, in as few calls as its audience permits. The final event
// goes to the client when the session has it: whatever dies before that, the session tells how the turn ended,
// and the client that was cut off learns it there. When the session has no room for more, the model is stopped and only the
// end is told.
func (t *turn) tell(ctx context.Context, stop context.CancelCauseFunc) error {
	tick := time.NewTimer(t.chat.opts.Flush)
	defer tick.Stop()
	sign := time.NewTimer(t.chat.opts.Sign)
	defer sign.Stop()
	ripe, refused := false, false
	for {
		some, now := t.journal.waiting()
		if !now && !(some && ripe) {
			select {
			case <-t.journal.news:
				continue
			case <-tick.C:
				ripe = true
				continue
			case <-sign.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		events, outcome := t.journal.batch()
		audience, err := t.deliver(ctx, News{Stream: t.stream, Events: events, Outcome: outcome})
		if fault.Is(err, fault.Invalid) && len(events) > 0 && !refused {
			refused = true
			t.log(ctx, "a session refused what happened in a turn", err)
			refusal := fault.As(err)
			if refusal.Code != CodeTooLong {
				refusal = errOurs // the session was told what nobody should tell it
			}
			t.journal.refuse(refusal)
			stop(refusal)
			continue
		}
		if err != nil {
			return err
		}
		t.journal.taken(events)
		if outcome != nil {
			t.live.end(events[len(events)-1])
			return nil
		}
		ripe = false
		sign.Reset(t.chat.opts.Sign)
		if audience.Following {
			tick.Reset(t.chat.opts.Hurry)
		} else {
			tick.Reset(t.chat.opts.Flush)
		}
	}
}

// deliver tells the session something, again and again for as long as the turn is ours.
func (t *turn) deliver(ctx context.Context, n News) (Audience, error) {
	ctx, cancel := context.WithTimeout(ctx, TurnLease)
	defer cancel()
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		a, err := t.attempt(ctx, n)
		if err == nil || !fault.Retryable(err) {
			return a, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return a, err
		}
	}
}

func (t *turn) attempt(ctx context.Context, n News) (Audience, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	return t.chat.ports.Sessions.Tell(ctx, t.scope, n)
}
