package api

import (
	"sync"
	"time"

	"levada.dev/events/fault"
)

// strangers remembers who failed lately to prove to be a source, by tenant, source and address. It is the isolate's own: what strangers do
// takes nothing of a tenant's rates, nor of a source's that shares their address, and costs no call.
//
// A signature is over the body, so a stranger's has to be read. Small ones always are, which costs what any refusal costs; large ones,
// which take the room that all bodies of the isolate share, are not for whom it failed often.
type strangers struct {
	mu    sync.Mutex
	known map[string]failures
}

// failures is how many there were, each of which is forgotten after a while.
type failures struct {
	n  float64
	at time.Time
}

const (
	maxFailures  = 20              // of one, until it is refused
	forgetAfter  = 3 * time.Second // one of them
	maxStrangers = 1024            // that are remembered; then it begins anew
)

// left is how many failures of somebody are not forgotten yet.
func (s *strangers) left(who string, now time.Time) float64 {
	f := s.known[who]
	return max(0, f.n-float64(now.Sub(f.at))/float64(forgetAfter))
}

// check refuses who failed too often, until one failure is forgotten.
func (s *strangers) check(who string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.left(who, now) - (maxFailures - 1)
	if over <= 0 {
		return nil
	}
	return fault.New(fault.Limited, "rate_limited", "too many deliveries from this address were not signed by the source; large ones are not read for now", nil).
		WithHint("sign with a current secret of the source; bodies of up to 64 KiB with a content-length are still looked at").
		WithRetryAfter(time.Duration(over * float64(forgetAfter)))
}

// failed notes a failure.
func (s *strangers) failed(who string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.left(who, now)+1, maxFailures)
	if s.known == nil || len(s.known) >= maxStrangers {
		s.known = map[string]failures{}
	}
	s.known[who] = failures{n, now}
}
