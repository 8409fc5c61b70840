package quota

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Purses is an isolate's side of the money: a Gate that leases from a Ledger, so that most requests make no way to it.
type Purses struct {
	ledger  Ledger
	limits  func(context.Context, tenants.Scope) (Limits, error)
	options Options

	mu    sync.Mutex
	desks map[tenants.ID]*desk
}

var _ Gate = (*Purses)(nil)

// Options may be left out.
type Options struct {
	// Now tells the time; time.Now by default.
	Now func() time.Time
	// Background runs f beside the event of ctx, which stays open until f returns: isolate.Go. A goroutine by default.
	Background func(ctx context.Context, f func(context.Context)) error
	// NewID makes the name of a purse, which no other ever has. Random text by default.
	NewID func() string
}

// NewGate makes a gate over a ledger. It asks for a tenant's limits at each exchange with the ledger, so they should come
// from a cache.
func NewGate(l Ledger, limits func(context.Context, tenants.Scope) (Limits, error), o *Options) *Purses {
	p := &Purses{ledger: l, limits: limits, desks: map[tenants.ID]*desk{}}
	if o != nil {
		p.options = *o
	}
	if p.options.Now == nil {
		p.options.Now = time.Now
	}
	if p.options.Background == nil {
		p.options.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	if p.options.NewID == nil {
		p.options.NewID = rand.Text
	}
	return p
}

// Acquire implements Gate.
func (p *Purses) Acquire(ctx context.Context, s tenants.Scope, a Ask) (Hold, error) {
	d, err := p.desk(s)
	if err != nil {
		return nil, err
	}
	if a.Requests < 0 || a.Amount.Negative() || a.Room.Negative() || a.Ahead.Negative() {
		return nil, fault.Invalidf("", "ask_invalid", "nothing can be asked for less than nothing: %+v", a)
	}
	return d.acquire(ctx, a)
}

// Statement implements Gate. What this isolate has settled is told first, if the ledger takes it.
func (p *Purses) Statement(ctx context.Context, s tenants.Scope, from, to Day) (Statement, error) {
	d, err := p.desk(s)
	if err != nil {
		return Statement{}, err
	}
	limits, err := p.limits(ctx, s)
	if err != nil {
		return Statement{}, err
	}
	d.tell(ctx)
	st, err := p.ledger.Statement(ctx, s, Query{from, to, limits})
	st.Lines = together(st.Lines)
	return st, err
}

// desk is where a tenant's purses lie.
func (p *Purses) desk(s tenants.Scope) (*desk, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.desks[s.Tenant()]
	if d == nil {
		d = newDesk(p, s)
		p.desks[s.Tenant()] = d
	}
	return d, nil
}
