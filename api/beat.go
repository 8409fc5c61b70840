package api

import (
	"sync"
	"time"
)

// beating is a stream that is written by whoever waits for what is to be said, and that says in a silence that it lives. Clients skip that:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation.
type beating struct {
	*stream
	mu    sync.Mutex // of what is written
	timer *time.Timer
	last  time.Time // something was said
	over  bool
}

// beat has a stream say that it lives, until it is stopped or at its end.
func beat(s *stream) *beating {
	b := &beating{stream: s, last: time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer = time.AfterFunc(beatEvery, b.say)
	return b
}

// say is a heartbeat, when nothing else was said for so long. That the client has left is found out by whoever writes the next event. The timer is
// not set back with each event: in a Worker that is a call of the host.
func (b *beating) say() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	wait := beatEvery - time.Since(b.last)
	if wait <= 0 {
		if _, err := b.w.Write(beats); err != nil {
			return
		}
		b.w.Flush()
		b.last, wait = time.Now(), beatEvery
	}
	b.timer.Reset(wait)
}

// send is stream.send.
func (b *beating) send() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = time.Now()
	return b.stream.send()
}

// end is stream.end.
func (b *beating) end() {
	b.stop()
	b.stream.end()
}

// stop waits for a heartbeat that is being written, and has none follow.
func (b *beating) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.timer.Stop()
}
