package watch

import (
	"sync"

	"levada.dev/events/trace"
)

// maxHeld is how many spans of one trace wait in an isolate for its end: the first ones, which tell how it came about.
const maxHeld = 100

// tail is what has ended in this isolate of a trace that is not kept, from what brought the trace here to the end of that. If something of it fails, all of it is kept after
// all, as far as it is here: other isolates have decided for themselves. What goes well costs a pointer for each span, and is forgotten at the end.
type tail struct {
	mu     sync.Mutex
	held   []*end
	failed bool // something has
	over   bool // it has ended without
}

// ended takes a span that has ended, and returns what is kept now: nothing, until one has failed, and from then on each.
func (t *tail) ended(e *end) (keep []*end) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	whose := !e.unkept && e.scope.Check() == nil
	switch {
	case whose && (t.failed || e.Outcome == trace.Failed):
		keep, t.held, t.failed = append(t.held, e), nil, true
	case whose && !t.failed && !t.over && !e.begun && len(t.held) < maxHeld:
		if t.held == nil {
			t.held = make([]*end, 0, 16)
		}
		t.held = append(t.held, e)
	}
	if e.begun {
		t.held, t.over = nil, true
	}
	return keep
}
