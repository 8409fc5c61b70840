package consumers

import (
	"context"

	"golang.org/x/sync/semaphore"

	"levada.dev/events/fault"
)

// Room is the memory that the handlers of an instance share: batches of one stage, documents and pages of another meet in it, and what
// does not fit would be the end of the instance and cost everybody's messages an attempt. Who has some waits for no more, so nobody waits for
// ever. Those who wait get in by their order, so nobody small is held up by more than who was there. A nil Room is large enough for all.
type Room struct {
	free  *semaphore.Weighted
	bytes int64
}

// NewRoom is a room of so many bytes.
func NewRoom(bytes int64) *Room { return &Room{free: semaphore.NewWeighted(bytes), bytes: bytes} }

// Bytes is how large the room is.
func (r *Room) Bytes() int64 {
	if r == nil {
		return 0
	}
	return r.bytes
}

// Enter waits for so many bytes, or for the whole room if they are more, and returns the way to give them back, once. When ctx ends before,
// that is fault.Unavailable, code memory_busy.
func (r *Room) Enter(ctx context.Context, bytes int64) (leave func(), err error) {
	if r == nil || bytes <= 0 {
		return func() {}, nil
	}
	bytes = min(bytes, r.bytes)
	if err := r.free.Acquire(ctx, bytes); err != nil {
		return nil, fault.Unavailablef(err, "memory_busy", "there was no room for it")
	}
	return func() { r.free.Release(bytes) }, nil
}
