package flow

import (
	"context"
	"sync"
	"time"
)

// Mailbox keeps the signals to a run until it waits for them, in the order in which they came. The zero value is empty and
// ready, and safe for concurrent use.
type Mailbox struct {
	mu      sync.Mutex
	signals map[string][][]byte
	more    chan struct{} // closed when a signal comes
}

// Put adds a signal.
func (m *Mailbox) Put(signal string, payload []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signals == nil {
		m.signals = map[string][][]byte{}
	}
	m.signals[signal] = append(m.signals[signal], payload)
	if m.more != nil {
		close(m.more)
		m.more = nil
	}
}

// Take takes the oldest signal of a name and reports whether there is one.
func (m *Mailbox) Take(signal string) (payload []byte, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.signals[signal]
	if len(waiting) == 0 {
		return nil, false
	}
	m.signals[signal] = waiting[1:]
	return waiting[0], true
}

// Wait takes the oldest signal of a name once there is one, and fails with ErrTimeout when that takes too long.
func (m *Mailbox) Wait(ctx context.Context, signal string, timeout time.Duration) ([]byte, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		more := m.news()
		if payload, ok := m.Take(signal); ok {
			return payload, nil
		}
		select {
		case <-more:
		case <-timer.C:
			return nil, ErrTimeout
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// news is closed when the next signal comes.
func (m *Mailbox) news() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.more == nil {
		m.more = make(chan struct{})
	}
	return m.more
}
