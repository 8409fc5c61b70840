package consumers

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/letters"
)

// Router takes batches from queues to handlers. It is safe for concurrent use.
type Router struct {
	routes     map[string]Route
	claims     events.Claims
	undertaker *Undertaker
	options    Options
}

// Options tunes a Router. The zero value is what production uses, but for MaxAttempts, which follows the queues.
type Options struct {
	// MaxAttempts says, by queue, how often a message is delivered at most: the queue's retries and one. A failure of
	// the last attempt is final. A queue that is not named has 4, the platform's three retries and one.
	MaxAttempts map[string]int
	// RetryDelay is the delay after the first failure; it doubles with each further one up to MaxDelay. The defaults are
	// 2 seconds and 5 minutes. A fault that says when to try again (RetryAfter) is not tried sooner.
	RetryDelay, MaxDelay time.Duration
	MaxDelays            map[string]time.Duration // MaxDelay of a queue of its own
	DeadAttempts         int                      // how often a message of a dead-letter queue is delivered at most. Default: 101
	Log                  *slog.Logger             // default: slog.Default()
	Watch                *watch.Watch             // notices what handlers do; default: one that writes the lines of the log alone
	Now                  func() time.Time         // default: time.Now
	Middleware           []Middleware             // outermost first, inside Watched and Recover
	Room                 *Room                    // for what the handlers take; default: there is enough
}

const (
	defaultAttempts   = 4
	defaultDead       = 101
	defaultRetryDelay = 2 * time.Second
	defaultMaxDelay   = 5 * time.Minute

	// longestDelay is what a queue takes: https://developers.cloudflare.com/queues/configuration/batching-retries/.
	longestDelay = 24 * time.Hour
	// groupsAtOnce is how many groups of a batch are handled at once, so that a slow tenant does not hold up the others
	// of its batch. A Worker has six connections waiting for headers at a time.
	groupsAtOnce = 4
)

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.DeadAttempts <= 0 {
		c.DeadAttempts = defaultDead
	}
	if c.RetryDelay <= 0 {
		c.RetryDelay = defaultRetryDelay
	}
	if c.MaxDelay <= 0 {
		c.MaxDelay = defaultMaxDelay
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Watch == nil {
		c.Watch = watch.New("consumers", &watch.Options{Log: c.Log, Now: c.Now})
	}
	return c
}

// New makes a router of routes with distinct types. The options may be nil.
func New(routes []Route, claims events.Claims, u *Undertaker, o *Options) *Router {
	r := &Router{routes: map[string]Route{}, claims: claims, undertaker: u, options: o.withDefaults()}
	around := append([]Middleware{Watched(r.options.Watch, r.options.Log, r.options.Now), Recover()}, r.options.Middleware...)
	for _, route := range routes {
		if _, twice := r.routes[route.Type]; twice {
			panic("consumers: two routes for " + route.Type)
		}
		for i := len(around) - 1; i >= 0; i-- {
			route.Handle = around[i](route, route.Handle)
		}
		r.routes[route.Type] = route
	}
	return r
}

// Handle does a batch of a queue's messages and answers a verdict for each, in order.
func (r *Router) Handle(ctx context.Context, queue string, ms []Message) []Verdict {
	b := &batch{Router: r, queue: queue, messages: ms, errs: make([]error, len(ms)), dead: make([]bool, len(ms))}
	groups := b.sort(ctx)
	b.each(groups, func(g *group) { b.run(ctx, g) })
	b.bury(ctx, groups)
	b.postpone(ctx, groups)
	return b.verdicts()
}

// HandleDead buries what the platform moved to the dead-letter queue of a queue, because no attempt of Handle lived
// to do it.
func (r *Router) HandleDead(ctx context.Context, queue string, ms []Message) []Verdict {
	b := &batch{Router: r, queue: queue, spent: true, messages: ms, errs: make([]error, len(ms)), dead: make([]bool, len(ms))}
	groups := b.sort(ctx)
	for _, g := range groups {
		for _, i := range g.where {
			b.dead[i] = true
			b.errs[i] = fault.New(fault.Unavailable, "attempts_exhausted", "no attempt to handle it ended", nil)
		}
	}
	for i, err := range b.errs {
		b.dead[i] = b.dead[i] || err != nil && b.messages[i].Attempts >= b.maxAttempts()
	}
	b.bury(ctx, groups)
	b.keepLast(ctx)
	return b.verdicts()
}

// keepLast keeps, with those that nobody can read, the letters of messages that do not come again although nobody could bury them: their
// tenant's ledger or box has been silent all the time. Their documents fail as stuck.
func (b *batch) keepLast(ctx context.Context) {
	for i, m := range b.messages {
		if b.errs[i] == nil || b.dead[i] || m.Attempts < b.options.DeadAttempts {
			continue
		}
		l := b.letter(i)
		if ev, err := events.Decode(m.Body); err == nil {
			l = b.buried(i, b.routes[ev.Type], ev).Letter
		}
		if err := b.undertaker.BuryUnread(ctx, l); err != nil {
			b.errs[i] = fmt.Errorf("%w; %w", b.errs[i], err)
			continue
		}
		b.dead[i] = true
	}
}

// batch is one call of Handle.
type batch struct {
	*Router
	queue    string
	spent    bool // every attempt at the messages was made: they come from the dead-letter queue, which counts its own deliveries
	messages []Message
	errs     []error // why a message is not done
	dead     []bool  // whether it is to be buried, and after bury, whether it was
}

// group is the messages of a batch that go to one handler together.
type group struct {
	scope      tenants.Scope
	route      Route
	deliveries []Delivery
	where      []int // the message of each delivery
}

// sort reads the messages and groups them by tenant and type, in order of first appearance. What cannot be read or has
// no route gets its error, and no group; it is dead.
func (b *batch) sort(ctx context.Context) []*group {
	type key struct {
		tenant tenants.ID
		typ    string
	}
	byKey := map[key]*group{}
	var groups []*group
	for i, m := range b.messages {
		s, d, err := b.read(ctx, m)
		if err != nil {
			b.fail(i, err)
			continue
		}
		k := key{s.Tenant(), d.Event.Type}
		g := byKey[k]
		if g == nil {
			g = &group{scope: s, route: b.routes[d.Event.Type]}
			byKey[k] = g
			groups = append(groups, g)
		}
		g.deliveries, g.where = append(g.deliveries, d), append(g.where, i)
	}
	return groups
}

func (b *batch) read(ctx context.Context, m Message) (tenants.Scope, Delivery, error) {
	ev, err := events.Decode(m.Body)
	if err != nil {
		return tenants.Scope{}, Delivery{}, err
	}
	s, err := ev.Scope()
	if err != nil {
		return s, Delivery{}, err
	}
	if _, ok := b.routes[ev.Type]; !ok {
		return s, Delivery{}, fault.New(fault.Invalid, "event_unrouted", "nobody handles "+ev.Type, nil)
	}
	if ev, err = events.Resolve(ctx, b.claims, s, ev); err != nil {
		return s, Delivery{}, err
	}
	return s, Delivery{Event: ev, Attempt: m.Attempts}, nil
}

// each runs f for the groups, a few at once.
func (b *batch) each(groups []*group, f func(*group)) {
	var eg errgroup.Group
	eg.SetLimit(groupsAtOnce)
	for _, g := range groups {
		eg.Go(func() error {
			f(g)
			return nil
		})
	}
	_ = eg.Wait()
}

// run has a group handled when there is room for what that takes. A group that gets none is not done, and no more than that: it comes
// again, also after the last attempt, when the platform's dead-letter queue has it.
func (b *batch) run(ctx context.Context, g *group) {
	var bytes int64
	for _, d := range g.deliveries {
		bytes += int64(g.route.Memory) * int64(len(d.Event.Data))
	}
	leave, err := b.options.Room.Enter(ctx, bytes)
	if err != nil {
		FailAt(b.errs, g.where, err)
		return
	}
	defer leave()
	for i, err := range g.route.Handle(ctx, g.scope, g.deliveries) {
		if err != nil {
			b.fail(g.where[i], err)
		}
	}
}

// fail notes why a message is not done, and whether that is final.
func (b *batch) fail(i int, err error) {
	b.errs[i] = err
	b.dead[i] = !fault.Retryable(err) || b.messages[i].Attempts >= b.maxAttempts()
}

func (b *batch) maxAttempts() int {
	if n := b.options.MaxAttempts[b.queue]; n > 0 {
		return n
	}
	return defaultAttempts
}

// bury hands the dead to the undertaker: those of each group together, those without a group alone.
func (b *batch) bury(ctx context.Context, groups []*group) {
	grouped := make([]bool, len(b.messages))
	for _, g := range groups {
		var ds []Deceased
		var where []int
		for i, m := range g.where {
			grouped[m] = true
			if b.dead[m] {
				ds = append(ds, b.buried(m, g.route, g.deliveries[i].Event))
				where = append(where, m)
			}
		}
		b.settle(ctx, g.scope, where, b.undertaker.Bury(ctx, g.scope, ds))
	}
	for i := range b.messages {
		if !grouped[i] && b.dead[i] {
			s, errs := b.buryUnread(ctx, i)
			b.settle(ctx, s, []int{i}, errs)
		}
	}
}

// buryUnread buries a message that has no event to hand out. If its envelope can be read its document fails, too:
// then it is its claimed data that is lost.
func (b *batch) buryUnread(ctx context.Context, i int) (tenants.Scope, []error) {
	ev, err := events.Decode(b.messages[i].Body)
	if err == nil {
		if s, err := ev.Scope(); err == nil {
			return s, b.undertaker.Bury(ctx, s, []Deceased{b.buried(i, b.routes[ev.Type], ev)})
		}
	}
	return tenants.Scope{}, []error{b.undertaker.BuryUnread(ctx, b.letter(i))}
}

// settle notes which of a tenant's messages could not be buried, and counts the others.
func (b *batch) settle(ctx context.Context, s tenants.Scope, where []int, errs []error) {
	buried := int64(len(errs))
	for i, err := range errs {
		if err != nil {
			buried--
			b.dead[where[i]] = false
			b.errs[where[i]] = fmt.Errorf("bury (%v): %w", b.errs[where[i]], err)
		}
	}
	if buried > 0 {
		b.options.Watch.Count(ctx, s, meter.Of(meter.DeadLetters, b.queue), buried)
	}
}

// letter is that of a message of which nothing is known.
func (b *batch) letter(i int) letters.Letter {
	m, f := b.messages[i], fault.As(b.errs[i])
	attempts := m.Attempts
	if b.spent {
		attempts = b.maxAttempts()
	}
	return letters.Letter{
		ID: letters.NewID(b.queue, m.ID), Queue: b.queue, Body: m.Body, Attempts: attempts, At: b.options.Now().UTC(),
		Code: f.Code, Message: f.Message, Reason: b.errs[i].Error(),
	}
}

// buried is an event of a message, with its letter.
func (b *batch) buried(i int, route Route, ev events.Event) Deceased {
	d := Deceased{Letter: b.letter(i), Event: ev}
	d.Tenant, d.EventID, d.Type, d.Subject, d.TraceParent = ev.Tenant, ev.ID, ev.Type, ev.Subject, ev.TraceParent
	d.Handler, d.Stage = route.Name, string(route.Stage)
	return d
}

func (b *batch) verdicts() []Verdict {
	vs := make([]Verdict, len(b.messages))
	for i, err := range b.errs {
		switch {
		case err == nil:
			vs[i] = Verdict{Outcome: Done}
		case b.dead[i]:
			vs[i] = Verdict{Outcome: Dead, Err: err}
		default:
			vs[i] = Verdict{Outcome: Retry, Delay: b.delay(b.messages[i], err), Err: err}
		}
	}
	return vs
}

func (b *batch) maxDelay() time.Duration {
	if d := b.options.MaxDelays[b.queue]; d > 0 {
		return d
	}
	return b.options.MaxDelay
}

// delay doubles with each attempt. Up to a quarter comes on top, by the message, so that what failed together does
// not come back together.
func (b *batch) delay(m Message, err error) time.Duration {
	d := b.options.RetryDelay << min(max(m.Attempts-1, 0), 16)
	d = min(d, b.maxDelay())
	d = max(d, fault.As(err).RetryAfter)
	h := fnv.New32a()
	h.Write([]byte(m.ID))
	return min(d+d/4*time.Duration(h.Sum32()%256)/256, longestDelay)
}
