package quotatest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// Gate lets everything through that Refuse does not refuse, and remembers it. The zero value is ready.
type Gate struct {
	// Refuse is asked before anything passes, when it is set; its error is the caller's.
	Refuse func(s tenants.Scope, a quota.Ask) error

	mu    sync.Mutex
	holds []*hold
	still map[tenants.ID]bool
}

var _ quota.Gate = (*Gate)(nil)

// Acquire implements quota.Gate.
func (g *Gate) Acquire(ctx context.Context, s tenants.Scope, a quota.Ask) (quota.Hold, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if g.Refuse != nil {
		if err := g.Refuse(s, a); err != nil {
			return nil, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.Talks && g.still[s.Tenant()] {
		return nil, quota.ErrStill
	}
	h := &hold{gate: g, tenant: s.Tenant(), ask: a}
	g.holds = append(g.holds, h)
	return h, nil
}

// Still refuses what talks from then on, or lets it in again, as the ledger of money does.
func (g *Gate) Still(_ context.Context, s tenants.Scope, still bool) error {
	if err := s.Check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.still == nil {
		g.still = map[tenants.ID]bool{}
	}
	g.still[s.Tenant()] = still
	return nil
}

// StandsStill tells whether what talks is refused.
func (g *Gate) StandsStill(_ context.Context, s tenants.Scope) (bool, error) {
	if err := s.Check(); err != nil {
		return false, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.still[s.Tenant()], nil
}

// Statement implements quota.Gate: what was settled, whatever the days.
func (g *Gate) Statement(_ context.Context, s tenants.Scope, _, to quota.Day) (quota.Statement, error) {
	if err := s.Check(); err != nil {
		return quota.Statement{}, err
	}
	var st quota.Statement
	for _, u := range g.Used(s) {
		line := u.Line(to)
		i := slices.IndexFunc(st.Lines, func(l quota.Line) bool { return l.Empty() == line.Empty() })
		if i < 0 {
			i = len(st.Lines)
			st.Lines = append(st.Lines, line.Empty())
		}
		st.Lines[i] = st.Lines[i].Add(line)
	}
	return st, nil
}

// Asked is what a tenant has acquired, in order.
func (g *Gate) Asked(s tenants.Scope) []quota.Ask {
	g.mu.Lock()
	defer g.mu.Unlock()
	var asks []quota.Ask
	for _, h := range g.holds {
		if h.tenant == s.Tenant() {
			asks = append(asks, h.ask)
		}
	}
	return asks
}

// Used is what a tenant's holds were settled with, in the order of the holds.
func (g *Gate) Used(s tenants.Scope) []quota.Use {
	g.mu.Lock()
	defer g.mu.Unlock()
	var uses []quota.Use
	for _, h := range g.holds {
		if h.tenant == s.Tenant() {
			uses = append(uses, h.used...)
		}
	}
	return uses
}

// Check fails the test when a hold of money is not settled, when a second settling tried to book something, which is lost,
// and when more was used than was held.
func (g *Gate) Check(t testing.TB) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, h := range g.holds {
		if problem := h.problem(); problem != "" {
			t.Errorf("hold %d of %s, %+v: %s", i, h.tenant, h.ask, problem)
		}
	}
}

// hold remembers how it was settled.
type hold struct {
	gate    *Gate
	tenant  tenants.ID
	ask     quota.Ask
	settled int
	used    []quota.Use
	lost    []quota.Use
}

func (h *hold) problem() string {
	var sum quota.Amount
	for _, u := range h.used {
		sum = sum.Add(u.Amount())
	}
	switch {
	case h.settled == 0 && h.ask.Amount != (quota.Amount{}):
		return "is not settled"
	case len(h.lost) > 0:
		return fmt.Sprintf("was settled %d times; %+v is not booked", h.settled, h.lost)
	case !h.ask.Amount.Covers(sum):
		return fmt.Sprintf("more was used than was held: %+v", h.used)
	}
	return ""
}

// Settle implements quota.Hold.
func (h *hold) Settle(_ context.Context, used ...quota.Use) {
	h.gate.mu.Lock()
	defer h.gate.mu.Unlock()
	h.settled++
	if h.settled == 1 {
		h.used = slices.Clone(used)
	} else {
		h.lost = append(h.lost, used...)
	}
}

// Standing implements quota.Hold: of a rate that nobody uses up.
func (h *hold) Standing() quota.Standing {
	return quota.Standing{Limit: 1000, Remaining: 999, Reset: time.Second}
}
