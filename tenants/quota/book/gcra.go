package book

import (
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// gcra is a rate by the generic cell rate algorithm, in whole nanoseconds: permits come back one by one, and Full is when
// all of them are back, if no more are taken.
type gcra struct {
	Full  int64 `json:"f,omitempty"`
	Since int64 `json:"s,omitempty"` // when it was last found full for a while: permits of older leases have come back by themselves
	Every int64 `json:"e,omitempty"`
}

// rule is a rate's limit.
type rule struct{ every, burst int64 }

func ruleOf(r tenants.Rate) rule {
	if r.PerMinute <= 0 {
		return rule{every: int64(time.Minute)}
	}
	return rule{int64(quota.Every(r)), max(0, int64(r.Burst))}
}

// available is how many permits there are now.
func (g *gcra) available(now int64, r rule) int {
	return int(max(0, r.burst*r.every-max(0, g.Full-now)) / r.every)
}

// take takes permits that are available.
func (g *gcra) take(now int64, r rule, n int) {
	if n == 0 {
		return
	}
	if g.Full < now {
		g.Full, g.Since = now, now
	}
	if g.Every != r.every {
		g.Every, g.Since = r.every, now
	}
	g.Full += int64(n) * r.every
}

// back returns permits of a lease. Once the rate has stood full since they were leased, or has changed, they are worth
// nothing: giving them back then would let more through than the limit.
func (g *gcra) back(r rule, n int, at int64) {
	if at >= g.Since && g.Every == r.every {
		g.Full -= int64(n) * r.every
	}
}

// wait is the time until there is a number of permits; for more than there ever are, until there are all.
func (g *gcra) wait(now int64, r rule, n int) time.Duration {
	free := r.burst*r.every - max(0, g.Full-now)
	return time.Duration(max(0, min(int64(n), max(1, r.burst))*r.every-free))
}

// full reports whether there is nothing to remember.
func (g *gcra) full(now int64) bool { return g.Full <= now }
