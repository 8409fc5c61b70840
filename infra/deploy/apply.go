package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	Stayed []string // the Workers that could not go back
}

// Error implements error.
func (e *RolledBackError) Error() string {
	to := e.To
	if to == "" {
		to = "the version before"
	}
	if len(e.Stayed) > 0 {
		to += ", without " + strings.Join(e.Stayed, ", ") + ", which could not go back"
	}
	return fmt.Sprintf("rolled back to %s: %v", to, e.Cause)
}

// Unwrap makes the cause known to errors.Is.
func (e *RolledBackError) Unwrap() error { return e.Cause }

// StuckError is a deployment that failed and could not be taken back: somebody has to look.
type StuckError struct{ Cause, Rollback error }

// Error implements error.
func (e *StuckError) Error() string {
	return fmt.Sprintf("%v; AND THE ROLLBACK FAILED: %v: see docs/runbooks/rollback.md", e.Cause, e.Rollback)
}

// Unwrap makes both known to errors.Is.
func (e *StuckError) Unwrap() []error { return []error{e.Cause, e.Rollback} }

// Apply carries a plan out, from the top to the bottom, and stops at the first failure. Each action makes what is not there, or sets what is to
// this, so whoever was stopped anywhere plans and applies again. What got traffic and is not well gets none.
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
		r.published = r.published || a.Kind == "tenants"
		err := a.do(ctx, r)
		if ctx.Err() != nil {
			return r.undo(ctx, context.Cause(ctx))
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", a.Kind, a.Name, err)
		}
		r.options.Done(a)
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
	published bool                  // or part of it
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

// undo gives the traffic and the configuration back to the release before, also when ctx is done.
func (r *run) undo(ctx context.Context, cause error) error {
	before, jobs := r.plan.live.manifest, r.strays()
	if len(jobs) == 0 && (!r.published || before.Tenants == "") {
		return cause // there is nothing to go back to
	}
	if ctx.Err() != nil {
		cause = context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	r.tell("taking it back: " + cause.Error())
	var failed []error
	for _, j := range jobs {
		failed = append(failed, r.giveBack(ctx, j))
	}
	if r.published && before.Tenants != "" {
		if err := r.republish(ctx, before.Tenants); err != nil {
			failed = append(failed, fmt.Errorf("the tenants' configuration: %w", err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return &StuckError{cause, err}
	}
	return &RolledBackError{Cause: cause, To: before.Release, Stayed: r.stayed}
}

// strays are the Workers whose traffic is to go back: those that were moved, and those that a deployment before this one moved and nobody
// noted.
func (r *run) strays() []*job {
	jobs := slices.Clone(r.moved)
	for _, j := range r.plan.jobs {
		version, whole := j.live.whole()
		noted := r.plan.live.manifest.Workers[j.role].ID
		if whole && noted != "" && version != noted && r.before(j).ID == noted && !slices.Contains(jobs, j) {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// before is what a Worker goes back to: its version of the last release, while that can be deployed, else the one it had when all began.
func (r *run) before(j *job) Version {
	noted := &r.plan.live.manifest
	if v := noted.Workers[j.role]; v.ID != "" && reached(j.live.MigrationTag) <= len(noted.Stack.ObjectsOf(j.role)) {
		return v
	}
	return Version{ID: j.live.stable(), Spec: tag(j.live.Tags, "spec"), Secrets: tag(j.live.Tags, "secrets")}
}

const undoTime = 5 * time.Minute

// republish publishes what was published with an earlier release.
func (r *run) republish(ctx context.Context, hash string) error {
	entries, err := readEntries(ctx, r.account, r.namespace(), hash)
	if err != nil {
		return err
	}
	// Not asked for: what was just written may not be in the list yet.
	now := make(map[string]entryMark, len(r.plan.desired.Tenants))
	for key, value := range r.plan.desired.Tenants {
		now[key] = markOf(value)
	}
	changed, gone := unpublished(entries, now)
	return r.publish(ctx, entries, changed, gone)
}
