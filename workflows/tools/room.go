package tools

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"levada.dev/events/fault"
)

// A tool takes some twenty times the memory that its arguments have: their tree, what it reads of them, its result and the tree of that. A few large calls at
// a time would be all that an isolate has, so calls with large arguments wait for room, in their order.
const (
	smallInput  = 16 << 10 // bytes that need no room kept for them
	roomWait    = 10 * time.Second
	defaultRoom = 1 << 20
)

// CodeBusy is that of a call for which there was no room in its time; 503.
const CodeBusy = "tools_busy"

// takeRoom waits until there is room for the arguments. What it waits is of the tool's time.
func (x *execution) takeRoom(ctx context.Context) error {
	began := x.r.opts.Now()
	wait, cancel := context.WithTimeout(ctx, x.tool.timeout())
	defer cancel()
	if err := x.stay.enter(wait, len(x.order.Input)); err != nil {
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "caller_left", "the caller left", context.Cause(ctx))
		}
		return err
	}
	x.waited = x.r.opts.Now().Sub(began)
	return nil
}

// stay is what a call has of the room. Each call has one, which is used by one goroutine at a time until it is over.
type stay struct {
	room *semaphore.Weighted
	size int64 // of the room

	mu   sync.Mutex
	held int64
	over bool
}

// enter waits ten seconds at most until there is room for so many bytes, and gives back what the call has before it waits: nobody waits for a call
// that waits.
func (s *stay) enter(ctx context.Context, bytes int) error {
	s.leave()
	if bytes <= smallInput {
		return nil
	}
	n := min(int64(bytes), s.size)
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if err := s.room.Acquire(ctx, n); err != nil {
		return fault.New(fault.Unavailable, CodeBusy, "there is no room for JSON of this size now", nil).WithRetryAfter(roomWait)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		s.room.Release(n)
		return fault.New(fault.Unavailable, CodeBusy, "the call is over", nil)
	}
	s.held = n
	return nil
}

// leave gives back what the call has.
func (s *stay) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Release(s.held)
	s.held = 0
}

// end gives back what the call has, for good: a tool that was left behind gets no more.
func (s *stay) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Release(s.held)
	s.held, s.over = 0, true
}

// Leave gives back the room that large arguments have. A tool that is going to wait for somebody else's server says so, when all is built that it sends: how
// long a server of one tenant takes is not to be felt by others.
func (c *Call) Leave() {
	if c.stay != nil {
		c.stay.leave()
	}
}

// Enter waits for room for so many bytes of a server's answer, before it is read; it is kept until the result was checked. An error is the tool's failure.
func (c *Call) Enter(ctx context.Context, bytes int) error {
	if c.stay == nil {
		return nil
	}
	return c.stay.enter(ctx, bytes)
}
