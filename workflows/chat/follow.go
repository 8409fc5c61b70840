package chat

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// follower is a turn as the session tells it. It asks; nothing is held open in the session, which would be billed by the second.
type follower struct {
	chat     *Chat
	scope    tenants.Scope
	stream   StreamID
	after    int // id of the last event that was read
	queue    []Event
	over     bool // nothing comes after the queue
	pause    time.Duration
	failures int
}

var _ Live = (*follower)(nil)

const (
	// page is how many events are read at once.
	page = 512
	// patience is how many times in a row the session may fail to answer a follower.
	patience = 8
	// slack is how many times slower than Poll a follower asks when nothing happens.
	slack = 4
)

func newFollower(c *Chat, s tenants.Scope, stream StreamID, after int) *follower {
	return &follower{chat: c, scope: s, stream: stream, after: after}
}

// Stream implements Live.
func (f *follower) Stream() StreamID { return f.stream }

// Ready implements Live.
func (f *follower) Ready() bool { return len(f.queue) > 0 || f.over }

// Close implements Live.
func (f *follower) Close() {}

// Next implements Live.
func (f *follower) Next(ctx context.Context) (Event, error) {
	silence := time.NewTimer(f.chat.opts.Heartbeat)
	defer silence.Stop()
	for {
		switch {
		case ctx.Err() != nil:
			return Event{}, ctx.Err()
		case len(f.queue) > 0:
			e, n := first(f.queue)
			f.queue = f.queue[n:]
			return e, nil
		case f.over:
			return Event{}, io.EOF
		}
		select {
		case <-time.After(f.pause):
		case <-silence.C:
			return Event{}, nil
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
		if err := f.ask(ctx); err != nil {
			return Event{}, err
		}
	}
}

// ask reads once more. A failure is borne for a while; a stream that has vanished under its follower ends.
func (f *follower) ask(ctx context.Context) error {
	err := f.read(ctx)
	switch {
	case err == nil:
		f.failures = 0
	case fault.Is(err, fault.NotFound):
		f.queue, f.over = []Event{failed(f.after+1, errGone)}, true
	case !fault.Retryable(err) || f.failures == patience:
		return err
	default:
		f.failures++
		f.pause = slack * f.chat.opts.Poll
	}
	return nil
}

// read asks the session for what came after the last event, and asks less often when that is nothing.
func (f *follower) read(ctx context.Context) error {
	r, err := f.chat.ports.Sessions.Replay(ctx, f.scope, f.stream, f.after, page)
	if err != nil {
		return err
	}
	if n := len(r.Events); n > 0 {
		f.queue, f.after = append(f.queue, r.Events...), r.Events[n-1].ID
	}
	f.over = r.Over
	switch {
	case len(r.Events) == page:
		f.pause = 0
	case len(r.Events) > 0:
		f.pause = f.chat.opts.Poll
	default:
		f.pause = min(max(f.pause, f.chat.opts.Poll)*3/2, slack*f.chat.opts.Poll)
	}
	return nil
}

// errGone is how a turn ends whose session was deleted.
var errGone = fault.New(fault.Conflict, "session_deleted", "the session was deleted while the turn was running", nil)

// failed is the event that ends a turn by an error.
func failed(id int, err *fault.Error) Event {
	data, e := json.Marshal(struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int64  `json:"retryAfterMs,omitempty"`
	}{err.Code, err.Message, err.RetryAfter.Milliseconds()})
	if e != nil {
		panic(e) // strings always encode
	}
	return Event{ID: id, Type: Error, Data: data}
}
