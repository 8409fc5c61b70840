package llm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"levada.dev/events/fault"
)

// errSilent is why a call is given up in which nothing was heard for too long.
var errSilent = fault.New(fault.Unavailable, CodeBrokeOff, "the model said nothing for too long", nil)

// silence gives a call up when the model is waited for and nothing comes. It does not look at the clock with each piece but
// now and then at whether the wait is still the one that it saw before; so it gives up after one to two times patience.
type silence struct {
	ctx      context.Context // of the call; ends with errSilent
	stop     context.CancelCauseFunc
	patience time.Duration
	waits    atomic.Int64 // odd while somebody waits for the model

	mu    sync.Mutex
	seen  int64
	timer *time.Timer
	over  bool
}

// await begins with a wait.
func await(ctx context.Context, patience time.Duration) *silence {
	s := &silence{patience: patience}
	s.ctx, s.stop = context.WithCancelCause(ctx)
	s.waits.Store(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(patience, s.look)
	return s
}

// wait and heard stand around each wait but the first, which heard alone ends.
func (s *silence) wait()  { s.waits.Add(1) }
func (s *silence) heard() { s.waits.Add(1) }

func (s *silence) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.waits.Load()
	switch {
	case s.over:
	case n%2 == 1 && n == s.seen:
		s.stop(errSilent)
	default:
		s.seen = n
		s.timer.Reset(s.patience)
	}
}

// why is the reason of an error of the call.
func (s *silence) why(err error) error {
	if context.Cause(s.ctx) == errSilent {
		return errSilent
	}
	return err
}

// end is called when nobody listens any more.
func (s *silence) end() {
	s.mu.Lock()
	s.over = true
	s.timer.Stop()
	s.mu.Unlock()
	s.stop(nil)
}
