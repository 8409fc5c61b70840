package deploy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// ApplyOptions changes how a plan is carried out.
type ApplyOptions struct {
	Canary   Canary
	Gate     Gate                                             // nil: nobody asks the Workers how they are
	Progress func(line string)                                // is told each step; may be nil
	Done     func(a Action)                                   // is told each action that was carried out; may be nil
	Sleep    func(ctx context.Context, d time.Duration) error // how a bake waits
	Now      func() time.Time
}

// Canary is how a new version gets its traffic.
type Canary struct {
	Steps []int         // percent, rising; 100 comes at the end by itself
	Bake  time.Duration // how long each step is watched
}

// RefusedError is a plan that must not be carried out. Nothing was.
type RefusedError struct{ Actions []Action }

// Error implements error.
func (e *RefusedError) Error() string {
	lines := make([]string, len(e.Actions))
	for i, a := range e.Actions {
		lines[i] = a.String()
	}
	return "refused, and nothing was done:\n  " + strings.Join(lines, "\n  ")
}

// RolledBackError is a deployment that failed and was taken back.
type RolledBackError struct {
	Cause  error
	To     string   // the release that is live again; empty when it had no name
	Stayed []string // what could not go back, and is as the failed release has it: Workers, the tenants' configuration
}

// Error implements error.
func (e *RolledBackError) Error() string {
	to := e.To
	if to == "" {
		to = "the version before"
	}
	return fmt.Sprintf("rolled back to %s%s: %v", to, without(e.Stayed), e.Cause)
}

// Unwrap makes the cause known to errors.Is.
func (e *RolledBackError) Unwrap() error { return e.Cause }

// without names what has stayed.
func without(stayed []string) string {
	if len(stayed) == 0 {
		return ""
	}
	return ", without " + strings.Join(stayed, ", ") + ", which could not go back"
}

// StuckError is a deployment that failed and could not be taken back, or not all of it: somebody has to look.
type StuckError struct {
	Cause    error
	Rollback error    // each thing that is not as it was, and why
	Stayed   []string // as those of RolledBackError
}

// Error implements error.
func (e *StuckError) Error() string {
	return fmt.Sprintf("%v; AND THE ROLLBACK FAILED%s: %v: see docs/runbooks/rollback.md", e.Cause, without(e.Stayed), e.Rollback)
}

// Unwrap makes both known to errors.Is.
func (e *StuckError) Unwrap() []error { return []error{e.Cause, e.Rollback} }

// Apply carries a plan out, from the top to the bottom, and stops at the first failure. Each action makes what is not there, or sets what is to
// this, so whoever was stopped anywhere plans and applies again. What fails, or is interrupted, is taken back to the release that was noted
// last as far as it has changed anything of it; before the first release there is nothing to go back to, and the next run goes on.
func Apply(ctx context.Context, p *Plan, o ApplyOptions) error {
	if refused := p.Refused(); len(refused) > 0 {
		return &RefusedError{refused}
	}
	if p.Changes() == 0 {
		return nil
	}
	r := newRun(p, o)
	for _, a := range p.Actions {
		if a.Op == Same {
			continue
		}
		err := r.carryOut(ctx, a)
		if err != nil && r.noted {
			return fmt.Errorf("release %s is live, and what was to be done after it was not: %w", p.Release, err)
		}
		if err != nil {
			return err
		}
		r.options.Done(a)
	}
	return nil
}

func (r *run) carryOut(ctx context.Context, a Action) error {
	if a.after {
		if err := r.rollout(ctx); err != nil {
			return err
		}
	}
	if a.Kind == "release" {
		if err := r.verify(ctx); err != nil {
			return r.undo(ctx, err)
		}
	}
	r.tell(a.String())
	r.begin(a)
	err := a.do(ctx, r)
	switch {
	case err == nil && a.Kind == "release":
		r.noted = true // whoever leaves now leaves a release that is whole
	case ctx.Err() != nil:
		return r.undo(ctx, context.Cause(ctx))
	case err != nil && r.fresh:
		return fmt.Errorf("%s %s: %w", a.Kind, a.Name, err)
	case err != nil:
		return r.undo(ctx, fmt.Errorf("%s %s: %w", a.Kind, a.Name, err))
	}
	return nil
}

// run is a plan that is carried out.
type run struct {
	plan    *Plan
	account *account.Account
	options ApplyOptions

	queues, namespaces ids

	rollouts  []*job                // uploaded, and without traffic
	moved     []*job                // that have all the traffic now, and can go back
	stayed    []string              // the Workers that have it, and cannot
	to        map[stack.Role]string // the versions that were deployed
	fresh     bool                  // the first deployment: addresses take minutes to be known
	changed   bool                  // the settings that no version has: see begin
	published bool                  // or part of it
	noting    bool                  // the note of this release may be there
	noted     bool                  // it is
}

func newRun(p *Plan, o ApplyOptions) *run {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Done == nil {
		o.Done = func(Action) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = account.Sleep
	}
	r := &run{plan: p, account: p.account, options: o, to: map[stack.Role]string{}, fresh: p.live.manifest.Release == ""}
	for name, q := range p.live.queues {
		r.queues.put(name, q.ID)
	}
	for title, id := range p.live.namespaces {
		r.namespaces.put(title, id)
	}
	return r
}

func (r *run) tell(line string) { r.options.Progress(line) }
func (r *run) now() time.Time   { return r.options.Now() }

// ids are those of resources by their names, also of those that were just made.
type ids struct {
	mu  sync.Mutex
	ids map[string]string
}

func (i *ids) put(name, id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ids == nil {
		i.ids = map[string]string{}
	}
	i.ids[name] = id
}

func (i *ids) id(name string) string { return i.all()[name] }

func (i *ids) all() map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ids
}
