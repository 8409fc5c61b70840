package consumers

import (
	"container/list"
	"context"
	"sync"
	"time"

	"levada.dev/events/fault"
)

// Room is the memory that the handlers of an instance share: batches of one stage, documents and pages of another meet in it, and what
// does not fit would be the end of the instance and cost everybody's messages an attempt. Who has some waits for no more, so nobody waits for
// ever. Those who wait get in by their order, so nobody small is held up by more than who was there. A nil Room is large enough for all.
type Room struct {
	bytes int64

	mu    sync.Mutex
	free  int64
	queue list.List      // of *guest, who wait
	over  map[*loan]bool // who may be asked to leave
}

// guest waits for room.
type guest struct {
	bytes int64
	let   chan struct{} // closed when it is in
}

// loan is what was lent.
type loan struct {
	recall func()
	gone   bool
}

// NewRoom is a room of so many bytes.
func NewRoom(bytes int64) *Room { return &Room{bytes: bytes, free: bytes, over: map[*loan]bool{}} }

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
	if err := r.wait(ctx, bytes); err != nil {
		return nil, err
	}
	return func() { r.leave(bytes) }, nil
}

// Lend is Enter for who depends on others, a server that sends slowly: it has its bytes for a time for sure. From then on it is asked to leave as
// soon as somebody waits: recall is called, once, and must not block.
func (r *Room) Lend(ctx context.Context, bytes int64, sure time.Duration, recall func()) (leave func(), err error) {
	giveBack, err := r.Enter(ctx, bytes)
	if err != nil || r == nil {
		return giveBack, err
	}
	l := &loan{recall: recall}
	t := time.AfterFunc(sure, func() { r.due(l) })
	return func() {
		t.Stop()
		r.forget(l)
		giveBack()
	}, nil
}

// wait waits for its turn and for so many bytes.
func (r *Room) wait(ctx context.Context, bytes int64) error {
	r.mu.Lock()
	if ctx.Err() == nil && r.queue.Len() == 0 && bytes <= r.free {
		r.free -= bytes
		r.mu.Unlock()
		return nil
	}
	g := &guest{bytes: bytes, let: make(chan struct{})}
	at := r.queue.PushBack(g)
	r.recall()
	r.mu.Unlock()
	select {
	case <-g.let:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-g.let: // meanwhile
		r.free += g.bytes
	default:
		r.queue.Remove(at)
	}
	r.admit() // who stood behind it
	return fault.Unavailablef(ctx.Err(), "memory_busy", "there was no room for it")
}

func (r *Room) leave(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += bytes
	r.admit()
}

// admit lets in who is first, as long as there is room for it.
func (r *Room) admit() {
	for first := r.queue.Front(); first != nil; first = r.queue.Front() {
		g := first.Value.(*guest)
		if g.bytes > r.free {
			return
		}
		r.free -= g.bytes
		r.queue.Remove(first)
		close(g.let)
	}
}

// due says that a loan's time is over.
func (r *Room) due(l *loan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.gone {
		return
	}
	r.over[l] = true
	if r.queue.Len() > 0 {
		r.recall()
	}
}

// recall asks all whose time is over to leave.
func (r *Room) recall() {
	for l := range r.over {
		delete(r.over, l)
		l.recall()
	}
}

func (r *Room) forget(l *loan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.gone = true
	delete(r.over, l)
}
