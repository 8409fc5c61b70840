package quota

import (
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

const (
	// leaseLife is for how long permits may lie with an isolate. What was leased in a quiet moment is not used in a busy one.
	leaseLife = 1500 * time.Millisecond
	// quick is how soon a lease must be used up for the next to be larger.
	quick = time.Second
	// share is the part of a rate's burst that a lease has at most: an eighth.
	share = 8
	// refusalLife is for how long a refused rate is not asked again.
	refusalLife = 200 * time.Millisecond
)

// lease is permits of one rate, as an isolate has them.
type lease struct {
	key     string // as the ledger knows it
	limit   tenants.Rate
	left    int
	at      int64 // the ledger's time when the oldest of them were leased
	expires time.Time

	asked     time.Time // when the ledger was last asked for some
	size      int       // how many beyond the need
	known     time.Time // when the ledger last said how the rate stands
	remaining int       // that it had left then

	refused *fault.Error
	until   time.Time
}

// has reports whether n permits can be taken now.
func (l *lease) has(n int, now time.Time) bool { return n <= l.left && now.Before(l.expires) }

// refuses is why n permits are not worth asking for, if that is known.
func (l *lease) refuses(now time.Time) error {
	if l.refused != nil && now.Before(l.until) {
		return l.refused
	}
	return nil
}

// put adds permits that were leased at a time. Together they are as old as the oldest.
func (l *lease) put(n int, at int64, now time.Time) {
	if n == 0 {
		return
	}
	if l.left == 0 {
		l.at, l.expires = at, now.Add(leaseLife)
	}
	l.left += n
	l.at = min(l.at, at)
}

// grow is how many permits to ask for beyond the need: none at first, and twice as many each time that they were used up
// quickly.
func (l *lease) grow(need int, limit tenants.Rate, now time.Time) int {
	if l.asked.IsZero() || now.Sub(l.asked) >= quick {
		l.size = 0
	} else {
		l.size = min(max(2*l.size, need), limit.Burst/share)
	}
	l.asked = now
	return l.size
}

// standing is how the rate stands, as far as this isolate knows.
func (l *lease) standing(now time.Time) Standing {
	every := Every(l.limit)
	remaining := min(l.limit.Burst, l.remaining+l.left+int(max(0, now.Sub(l.known))/every))
	return Standing{Limit: l.limit.Burst, Remaining: remaining, Reset: time.Duration(l.limit.Burst-remaining) * every}
}
