package book

import (
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// gcra is a rate by the generic cell rate algorithm, in whole nanoseconds: permits come back one by one. It remembers what
// was taken of late, so that a lease that comes back leaves the rate as if it had never been.
type gcra struct {
	Full  int64   `json:"f,omitempty"` // when all permits are back, but for those in Taken
	Taken []taken `json:"t,omitempty"` // of late, oldest first
	Every int64   `json:"e,omitempty"`

	changed bool
}

// taken is permits that were taken between two moments.
type taken struct {
	First int64 `json:"a"`
	Last  int64 `json:"z"`
	N     int64 `json:"n"`
}

const (
	// recent is for how long a lease may come back. Purses give back sooner.
	recent = int64(5 * time.Second)
	// maxTaken bounds what is remembered; what is older may not come back.
	maxTaken = 12
)

// rule is a rate's limit.
type rule struct{ every, burst int64 }

func ruleOf(r tenants.Rate) rule {
	if r.PerMinute <= 0 {
		return rule{every: int64(time.Minute)}
	}
	return rule{int64(quota.Every(r)), max(0, int64(r.Burst))}
}

// full is when all permits are back, if no more are taken.
func (g *gcra) full() int64 {
	full := g.Full
	for _, t := range g.Taken {
		full = max(full, t.Last) + t.N*g.Every
	}
	return full
}

// available is how many permits there are now.
func (g *gcra) available(now int64, r rule) int {
	return int(max(0, r.burst*r.every-max(0, g.full()-now)) / r.every)
}

// take takes permits that are available.
func (g *gcra) take(now int64, r rule, n int) {
	if n == 0 {
		return
	}
	g.changed = true
	if g.Every != r.every { // what was taken by another limit does not come back
		g.Full, g.Taken, g.Every = g.full(), nil, r.every
	}
	for len(g.Taken) > 0 && (g.Taken[0].Last < now-recent || len(g.Taken) >= maxTaken) {
		g.settle()
	}
	if last := len(g.Taken) - 1; last >= 0 && max(g.before(last), g.Taken[last].Last) >= now {
		g.Taken[last].Last, g.Taken[last].N = now, g.Taken[last].N+int64(n)
		return
	}
	g.Taken = append(g.Taken, taken{now, now, int64(n)})
}

// before is when all permits would be back that were taken before the i-th of Taken. If that is later than a moment, it
// makes no difference when until then the i-th were taken.
func (g *gcra) before(i int) int64 {
	all := gcra{Full: g.Full, Taken: g.Taken[:i], Every: g.Every}
	return all.full()
}

// settle takes the oldest for used.
func (g *gcra) settle() {
	g.Full = max(g.Full, g.Taken[0].Last) + g.Taken[0].N*g.Every
	g.Taken = g.Taken[1:]
}

// back returns permits of a lease. Those that were leased too long ago, or under another limit, are worth nothing.
func (g *gcra) back(r rule, n int, at int64) {
	for i := range g.Taken {
		if t := &g.Taken[i]; n > 0 && g.Every == r.every && t.First <= at && at <= t.Last {
			t.N -= min(t.N, int64(n))
			g.changed = true
			return
		}
	}
}

// wait is the time until some permits more can be taken, after others that are available now; for more than there ever are,
// until there are all.
func (g *gcra) wait(now int64, r rule, first, n int) time.Duration {
	free := r.burst*r.every - max(0, g.full()-now)
	need := (int64(first) + min(int64(n), max(1, r.burst))) * r.every
	return time.Duration(max(0, need-free))
}
