package watch

import "sync"

// maxHeld is how many spans of one trace wait in an isolate for its end: the first ones, which tell how it came about.
const maxHeld = 100

// tail is what has ended in this isolate of a trace that is not kept, from what brought the trace here to the end of that. If something of it fails, all of it is kept after
// all, as far as it is here: other isolates have decided for themselves. What goes well costs a pointer for each span, and is forgotten at the end.
type tail struct {
	mu     sync.Mutex
	root   *Span // brought the trace here; nil, when it has ended
	held   []*Span
	failed bool // something has
}

// ended takes a span that has ended, of somebody whose traces may be kept or not, and returns what is kept now: nothing, until one has failed, and from then on each.
func (t *tail) ended(s *Span, whose, failed bool) (keep []*Span) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case whose && (t.failed || failed):
		keep, t.held, t.failed = append(t.held, s), nil, true
	case whose && t.root != nil && t.root != s && len(t.held) < maxHeld:
		if t.held == nil {
			t.held = make([]*Span, 0, 16)
		}
		t.held = append(t.held, s)
	}
	if t.root == s {
		t.held, t.root = nil, nil
	}
	return keep
}
