package tools

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/safety"
)

// Runner stands in front of all tools, whoever asks. It is safe for concurrent use.
type Runner struct {
	ports Ports
	opts  Options
	room  *semaphore.Weighted // for large arguments, in bytes
}

var _ Box = (*Runner)(nil)

// Ports is what a Runner needs.
type Ports struct {
	Tools   *Registry        // the platform's
	Calls   Calls            // those with a key
	Records events.Publisher // what it has taken is on record
}

// Options tunes a Runner. The zero value is what runs natively; a Worker needs Background.
type Options struct {
	// Own is the tools that a tenant brings itself. One that has the name of a platform's, or that nobody could call, is left out. It is asked
	// again and again, so what takes time is kept by whoever answers. Default: none.
	Own func(c *tenants.Config) []Tool
	// Screen asks of the arguments of a call what the tenant's policy wants asked (safety.Filter.Arguments), when they fit the schema. Its error
	// refuses the call; what it found the caller is told (Caller.Flagged), also beside an error. Default: nothing is asked.
	Screen func(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID, arguments string) (safety.Verdict, error)
	// Background runs f beside the request of ctx, with a context that outlives the request and the client. An error means that f does not
	// run. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error
	// Linger is how long a call with a key goes on without its caller. The platform ends what a request left behind 30 s after the answer
	// (https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil). Default 25 s.
	Linger time.Duration
	// Room is how many bytes of large arguments are worked on at a time; longer ones are alone. Default 1 MiB, for the memory of a Worker.
	Room int64

	Worker string // in the source of the events; default "api"
	Now    func() time.Time
	NewID  func() string // of calls; default: random
	Log    *slog.Logger
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Own == nil {
		c.Own = func(*tenants.Config) []Tool { return nil }
	}
	if c.Background == nil {
		c.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	if c.Linger <= 0 {
		c.Linger = 25 * time.Second
	}
	if c.Room <= 0 {
		c.Room = defaultRoom
	}
	if c.Worker == "" {
		c.Worker = "api"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// NewRunner makes a Runner. The options may be nil.
func NewRunner(p Ports, o *Options) *Runner {
	opts := o.withDefaults()
	return &Runner{ports: p, opts: opts, room: semaphore.NewWeighted(opts.Room)}
}

// List implements Box.
func (r *Runner) List(c Caller) []Tool {
	return slices.DeleteFunc(r.enabled(c.Config), func(t Tool) bool { return grant(c, t) != nil })
}

// enabled is what the tenant has, by name.
func (r *Runner) enabled(c *tenants.Config) []Tool {
	if c == nil || len(c.Tools.Enabled) == 0 {
		return nil
	}
	found := slices.DeleteFunc(r.ports.Tools.List(), func(t Tool) bool { return !c.Tools.Has(t.Name) })
	for _, own := range r.opts.Own(c) {
		taken := slices.ContainsFunc(found, func(t Tool) bool { return t.Name == own.Name })
		if c.Tools.Has(own.Name) && !taken && own.check() == nil {
			found = append(found, own)
		}
	}
	slices.SortFunc(found, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// find is a tool that the caller may call. Who may call none is told so before it is looked for; what the tenant does not have does not
// exist.
func (r *Runner) find(c Caller, name string) (Tool, error) {
	if err := needs(c, tenants.ScopeTools, "tools"); err != nil {
		return Tool{}, err
	}
	have := r.enabled(c.Config)
	i := slices.IndexFunc(have, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		return Tool{}, noTool(name)
	}
	return have[i], grant(c, have[i])
}

func noTool(name string) error {
	return fault.Missing(CodeNotFound, "there is no tool %.64q", name).WithHint("GET /schema/tools lists those that there are")
}

// grant refuses a tool that the caller's key is not good for.
func grant(c Caller, t Tool) error {
	if err := needs(c, tenants.ScopeTools, t.Name); err != nil {
		return err
	}
	for _, scope := range t.Needs {
		if err := needs(c, scope, t.Name); err != nil {
			return err
		}
	}
	return nil
}

func needs(c Caller, scope tenants.APIScope, what string) error {
	if c.Allows != nil && c.Allows(scope) {
		return nil
	}
	return fault.New(fault.Denied, CodeDenied, "the key does not have the scope "+string(scope)+", which "+what+" needs", nil).
		WithHint("use a key that has it")
}
