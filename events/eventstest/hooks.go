package eventstest

import "sync"

// Hooks makes the calls of a double fail. Calls count from 1, over all methods of the double. A call that fails
// before has no effect; one that fails after has had it, and the caller cannot tell the two apart.
type Hooks struct {
	mu            sync.Mutex
	calls         int
	before, after map[int]error
}

// FailBefore makes the nth call from the beginning return err and do nothing.
func (h *Hooks) FailBefore(nth int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before == nil {
		h.before = map[int]error{}
	}
	h.before[nth] = err
}

// FailAfter makes the nth call from the beginning do its work and return err.
func (h *Hooks) FailAfter(nth int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.after == nil {
		h.after = map[int]error{}
	}
	h.after[nth] = err
}

// Calls is how many calls there were, failed ones included.
func (h *Hooks) Calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// do runs one call.
func (h *Hooks) do(effect func() error) error {
	h.mu.Lock()
	h.calls++
	before, after := h.before[h.calls], h.after[h.calls]
	h.mu.Unlock()
	if before != nil {
		return before
	}
	if err := effect(); err != nil {
		return err
	}
	return after
}
