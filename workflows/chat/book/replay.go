package book

import (
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
)

// MaxReplay is the most events of one replay.
const MaxReplay = 4096

// Replay implements chat.Sessions.
func (b *Book) Replay(tx rows.Tx, s tenants.Scope, stream chat.StreamID, after, limit int) (chat.Replay, error) {
	now := b.now()
	if limit < 1 || after < 0 {
		return chat.Replay{}, fault.Invalidf("limit", "value_out_of_range", "after event %d, %d events", after, limit)
	}
	_, number, err := stream.Split()
	if err != nil {
		return chat.Replay{}, err
	}
	t, err := readTurn(tx, number)
	if err != nil {
		return chat.Replay{}, err
	}
	if t == nil {
		return chat.Replay{}, fault.Missing("stream_not_found", "there is no such stream")
	}
	if t.abandoned(now) {
		m, err := exists(tx)
		if err == nil {
			err = interrupt(tx, s, m, t, now)
		}
		if err != nil {
			return chat.Replay{}, err
		}
	}
	if t.state&dropped != 0 {
		return chat.Replay{}, fault.Missing("stream_not_found", "the events of this stream are not kept any more").
			WithHint("read the answer in the history of the session")
	}
	if !t.over() {
		b.followed.Store(now.UnixMilli())
	}
	evs, more, err := t.log.after(after, min(limit, MaxReplay))
	return chat.Replay{Events: evs, Over: t.over() && !more}, err
}
