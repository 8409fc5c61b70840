package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
)

// followStream tells a turn from where the client has lost it. 204 is the end: browsers come back after anything else.
func followStream(c *call) error {
	after, err := lastEventID(c.r)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	live, err := c.Chat.Follow(c.ctx(), c.scope, chat.StreamID(c.r.PathValue("streamId")), after)
	c.stage("replay", began)
	if err != nil {
		return err
	}
	defer live.Close()
	if err := c.showStream(live.Stream()); err != nil {
		return err
	}
	ahead := &peeked{Live: live}
	if live.Ready() && ahead.over(c.ctx()) {
		h := c.w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Server-Timing", c.timings())
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.tell(ahead)
}

// peeked is a Live whose first event somebody has looked at.
type peeked struct {
	chat.Live
	first chat.Event
	err   error
	held  bool
}

// over reports whether there is nothing to tell any more.
func (p *peeked) over(ctx context.Context) bool {
	p.first, p.err = p.Live.Next(ctx)
	p.held = true
	return errors.Is(p.err, io.EOF)
}

// Ready implements chat.Live.
func (p *peeked) Ready() bool { return p.held || p.Live.Ready() }

// Next implements chat.Live.
func (p *peeked) Next(ctx context.Context) (chat.Event, error) {
	if p.held {
		p.held = false
		return p.first, p.err
	}
	return p.Live.Next(ctx)
}

// lastEventID is after which event a client wants the stream: the header, which browsers send when they come back, or
// ?lastEventId=, for the first time, when they send no headers of one's own.
func lastEventID(r *http.Request) (int, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" && r.URL.RawQuery != "" {
		last = r.URL.Query().Get("lastEventId")
	}
	if last == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(last, 10, 63)
	if err != nil {
		return 0, fault.Invalidf("lastEventId", "last_event_id_invalid", "%.40q is not the id of an event", last)
	}
	return int(id), nil
}
