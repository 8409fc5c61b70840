package chat

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"levada.dev/tenants"
)

// live is a turn as the client that began it follows it: from memory as long as the client keeps up, from the
// session when it does not, or when the turn cannot tell its end.
type live struct {
	chat   *Chat
	scope  tenants.Scope
	stream StreamID // set before the client gets it
	leave  func()   // called once, when the client stops listening

	mu     sync.Mutex
	queue  []Event
	room   []Event // where a queue begins
	bytes  int
	behind bool // what comes after the queue is read from the session
	over   bool // nothing comes after the queue
	closed bool
	wake   chan struct{}

	last    int         // id of the last event that Next returned
	rest    Live        // what is read from the session
	silence *time.Timer // of Next
}

var _ Live = (*live)(nil)

// maxQueue is how many bytes wait for a client at most.
const maxQueue = 256 << 10

// Stream implements Live.
func (l *live) Stream() StreamID { return l.stream }

// put gives the client an event, without ever waiting for it.
func (l *live) put(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.behind || l.over {
		return
	}
	if l.bytes+weight(e) > maxQueue {
		l.behind = true
	} else {
		l.queue = append(l.queue, e)
		l.bytes += weight(e)
	}
	signal(l.wake)
}

// end gives the client the final event.
func (l *live) end(e Event) {
	l.put(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	signal(l.wake)
}

// handOver has the client read the rest from the session, unless it has it all.
func (l *live) handOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = l.behind || !l.over
	signal(l.wake)
}

// Close implements Live.
func (l *live) Close() {
	l.mu.Lock()
	first := !l.closed
	l.closed, l.queue = true, nil
	signal(l.wake)
	l.mu.Unlock()
	if first {
		l.leave()
	}
}

// Ready implements Live.
func (l *live) Ready() bool {
	if l.rest != nil {
		return l.rest.Ready()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || len(l.queue) > 0 || l.over && !l.behind
}

// Next implements Live.
func (l *live) Next(ctx context.Context) (Event, error) {
	var silence <-chan time.Time
	for l.rest == nil {
		e, err := l.take()
		switch {
		case err != nil:
			return e, err
		case e.Type != "":
			l.last = e.ID
			return e, nil
		case l.rest != nil:
			continue
		case silence == nil:
			silence = l.listen()
			defer l.silence.Stop()
		}
		select {
		case <-l.wake:
		case <-silence:
			return Event{}, nil
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
	return l.rest.Next(ctx)
}

// listen begins to wait for a silence. Most events are waited for, and one timer serves for all of them.
func (l *live) listen() <-chan time.Time {
	if l.silence == nil {
		l.silence = time.NewTimer(l.chat.opts.Heartbeat)
	} else {
		l.silence.Reset(l.chat.opts.Heartbeat)
	}
	return l.silence.C
}

// take is the next event that waits, or none.
func (l *live) take() (Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return Event{}, context.Canceled
	case len(l.queue) > 0:
		e, n := first(l.queue)
		for _, taken := range l.queue[:n] {
			l.bytes -= weight(taken)
		}
		if l.queue = l.queue[n:]; len(l.queue) == 0 {
			l.queue = l.room[:0]
		}
		return e, nil
	case l.behind:
		l.rest = newFollower(l.chat, l.scope, l.stream, l.last)
	case l.over:
		return Event{}, io.EOF
	}
	return Event{}, nil
}

const (
	tokenHead = `{"token":"`
	tokenTail = `"}`
	// maxToken is how long a token becomes by joining.
	maxToken = 16 << 10
)

// first is the first event of a queue that is not empty, and how many it stands for: tokens that have waited together go
// out as one, under the id of the last. The texts of JSON strings can be joined as they are.
func first(queue []Event) (Event, int) {
	n, size := 1, len(queue[0].Data)
	for joins(queue[0]) && n < len(queue) && size < maxToken && joins(queue[n]) {
		size += len(queue[n].Data)
		n++
	}
	if n == 1 {
		return queue[0], 1
	}
	joined := []byte(tokenHead)
	for _, e := range queue[:n] {
		joined = append(joined, e.Data[len(tokenHead):len(e.Data)-len(tokenTail)]...)
	}
	return Event{ID: queue[n-1].ID, Type: Token, Data: append(joined, tokenTail...)}, n
}

func joins(e Event) bool {
	return e.Type == Token && bytes.HasPrefix(e.Data, []byte(tokenHead)) && bytes.HasSuffix(e.Data, []byte(tokenTail))
}
