package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/web"
)

const (
	// atOnce is how many jobs of a tenant are told at a time by a server that answers within quick. Any other is told one after the other: a Worker waits for six answers
	// at a time, and the router handles four tenants of a batch, so whose server is slow has one of the six, and others never wait for it.
	// https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
	atOnce = 4
	quick  = time.Second
	// longest is how long the events of a call may take. What was not told by then comes again. The slowest server is told of all that one event names (book's
	// toldAtOnce) sooner.
	longest = 5 * time.Minute
	// maxPause is how long a server may have us wait. Otherwise the router doubles the pauses, up to half a day altogether.
	maxPause = 2 * time.Hour
)

// Ports are what a Consumer needs. All are required.
type Ports struct {
	Directory tenants.Directory
	Secrets   tenants.Secrets
	Do        web.Do // follows no redirect
}

// Options tunes a Consumer.
type Options struct {
	// Private lets configurations open http and private networks. Without it they stay closed, whatever a configuration says.
	Private bool
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default slog.Default()
}

// Consumer tells tenants' servers. It is safe for concurrent use.
type Consumer struct {
	Ports
	opts Options
}

// New makes the consumer. The options may be nil.
func New(p Ports, o *Options) *Consumer {
	c := &Consumer{Ports: p}
	if o != nil {
		c.opts = *o
	}
	if c.opts.Now == nil {
		c.opts.Now = time.Now
	}
	if c.opts.Log == nil {
		c.opts.Log = slog.Default()
	}
	return c
}

// Routes takes speech.synthesized, speech.failed, alert.fired and alert.resolved.
func (c *Consumer) Routes() []consumers.Route {
	return []consumers.Route{
		{Type: events.TypeSpeechSynthesized, Name: "notify", Handle: consumers.Facts(c.Synthesized)},
		{Type: events.TypeSpeechFailed, Name: "notify", Handle: consumers.Facts(c.Failed)},
		{Type: events.TypeAlertFired, Name: "notify", Handle: consumers.Facts(c.Fired)},
		{Type: events.TypeAlertResolved, Name: "notify", Handle: consumers.Facts(c.Resolved)},
	}
}

// Synthesized tells that texts were spoken: a message for each job that waited.
func (c *Consumer) Synthesized(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.SpeechSynthesized]) []error {
	return c.tell(ctx, s, (*tenants.Config).SpeechHook, facts(ds, synthesized))
}

// Failed tells that texts will not be spoken.
func (c *Consumer) Failed(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.SpeechFailed]) []error {
	return c.tell(ctx, s, (*tenants.Config).SpeechHook, facts(ds, failed))
}

// Fired tells that alerts fire.
func (c *Consumer) Fired(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.AlertFired]) []error {
	return c.tell(ctx, s, (*tenants.Config).AlertHook, facts(ds, fired))
}

// Resolved tells that they do not any more.
func (c *Consumer) Resolved(ctx context.Context, s tenants.Scope, ds []consumers.Of[events.AlertResolved]) []error {
	return c.tell(ctx, s, (*tenants.Config).AlertHook, facts(ds, resolved))
}

// fact is an event and what is said of it.
type fact struct {
	consumers.Delivery
	messages []message
}

func facts[T events.Fact](ds []consumers.Of[T], say func(consumers.Of[T]) []message) []fact {
	all := make([]fact, len(ds))
	for i, d := range ds {
		all[i] = fact{d.Delivery, say(d)}
	}
	return all
}

// tell sends the messages of events. An event of which one message was not taken comes again as a whole, under the same ids.
func (c *Consumer) tell(ctx context.Context, s tenants.Scope, to func(*tenants.Config) *tenants.Hook, facts []fact) []error {
	config, err := c.Directory.Config(ctx, s.Tenant())
	if err != nil {
		return consumers.Fail(len(facts), err)
	}
	told := to(config)
	if told == nil { // nobody is to be told; of alerts the API says so (toldTo)
		return make([]error, len(facts))
	}
	r := &round{errs: make([]error, len(facts))}
	if r.hook, err = c.open(ctx, s, told); err != nil {
		r.errs = consumers.Fail(len(facts), err)
	} else {
		r.send(ctx, s, facts)
	}
	if r.gone {
		c.opts.Log.WarnContext(ctx, "the webhook is gone: it answered 410", "tenantId", s.Tenant())
	}
	return r.errs
}

// round is one call's way through its messages.
type round struct {
	hook *hook

	mu    sync.Mutex
	quick bool    // the server is: its last answer was
	errs  []error // of each event: its first
	down  error   // the server does not answer, or wants to be left alone: nothing more is sent
	gone  bool    // the server wants no more of it
}

func (r *round) send(ctx context.Context, s tenants.Scope, facts []fact) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, f := range facts {
		for _, m := range f.messages {
			g.Go(func() error {
				if r.open(i) {
					began := r.hook.opts.Now()
					r.note(i, r.hook.post(ctx, m.id(s, f.Event.ID), m), r.hook.opts.Now().Sub(began))
				}
				return nil
			})
			if !r.isQuick() {
				_ = g.Wait() // of which none fails
			}
		}
	}
	_ = g.Wait()
}

// isQuick reports whether the server is known to be.
func (r *round) isQuick() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quick
}

// open reports whether a message of an event is still to be sent.
func (r *round) open(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil && r.errs[i] == nil && !r.gone {
		r.errs[i] = r.down
	}
	return r.down == nil && !r.gone
}

// note takes what became of a message of an event, and how long that took.
func (r *round) note(i int, err error, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quick = took <= quick
	switch {
	case errors.Is(err, errGone):
		r.gone = true
		return
	case err == nil:
		return
	case r.errs[i] == nil:
		r.errs[i] = err
	}
	if code := fault.As(err).Code; r.down == nil && (code == CodeUnreachable || code == CodeBusy) {
		r.down = err
	}
}
