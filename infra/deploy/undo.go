package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// undoTime is how long a way back may take. It has its own time, since whoever deploys may be leaving: enough for its work after the API has
// blocked who was too fast, twice. Who waits for it knows of it: the Nx plugin does.
const undoTime = 2*account.LongestPause + 2*time.Minute

// begin remembers what an action may have changed, also when its answer is lost. What has drifted is set to what the last release has, so
// that changes nothing of it; nor do resources, which stay.
func (r *run) begin(a Action) {
	switch a.Kind {
	case "gateway", "workflow", "consumer", "crons", "workers.dev", "domain", "route", "queue":
		r.changed = r.changed || a.Op == Update || a.Op == Create && a.Kind != "queue"
	case "tenants":
		r.published = r.published || a.Op != Drift
	case "release":
		r.noting = true
	}
}

// undo gives back what the last noted release had, also when ctx is done: the traffic with the tags, the tenants' configuration, and the
// settings that no version has. Resources that were made stay, as they may hold data. When nothing was changed it returns the cause as it is,
// and the next run goes on; a release that is noted is not taken back.
func (r *run) undo(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		cause = context.Cause(ctx)
	}
	if r.noted || r.noting && r.fresh {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	r.look(ctx)
	jobs, before := r.strays(), &r.plan.live.manifest
	if len(jobs) == 0 && (r.fresh || !r.changed && !r.published && !r.noting) {
		return cause
	}
	r.tell("taking it back: " + cause.Error())
	var failed []error
	try := func(what string, err error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", what, err))
		}
	}
	if r.noting {
		try("the note of the release", r.renote(ctx))
	}
	for _, j := range jobs {
		if err := r.giveBack(ctx, j); err != nil {
			failed = append(failed, err)
		}
	}
	switch {
	case before.Tenants != "" && r.unpublish():
		try("the tenants' configuration", r.republish(ctx, before.Tenants))
	case r.published:
		r.stayed = append(r.stayed, "the tenants' configuration")
	}
	if !r.fresh {
		failed = append(failed, r.resettle(ctx)...)
	}
	if err := errors.Join(failed...); err != nil {
		return &StuckError{cause, err, r.stayed}
	}
	to := before.Release
	if slices.ContainsFunc(jobs, func(j *job) bool { return r.before(j).ID != before.Workers[j.role].ID }) {
		to = "" // to what somebody had put in its place
	}
	return &RolledBackError{Cause: cause, To: to, Stayed: r.stayed}
}

// look finds out which of the Workers that were sent whole have their new version: of some nobody has seen the answer.
func (r *run) look(ctx context.Context) {
	for _, j := range r.plan.jobs {
		if !j.sent || slices.Contains(r.moved, j) || slices.Contains(r.stayed, j.script) {
			continue
		}
		if now, err := shares(ctx, r.account, j.script); err != nil || !slices.Equal(now, j.live.deployment) {
			r.went(j)
		}
	}
	noted := &r.plan.live.manifest
	for _, j := range r.plan.jobs {
		migrated := !r.fresh && reached(j.live.MigrationTag) > len(noted.Stack.ObjectsOf(j.role))
		if migrated && !slices.Contains(r.stayed, j.script) {
			r.stayed = append(r.stayed, j.script) // by a deployment before this one, that nobody noted
		}
	}
}

// went notes that a Worker that was sent whole has its new version.
func (r *run) went(j *job) {
	switch {
	case j.live == nil || len(j.live.deployment) == 0:
	case j.bereft || migrate(r.plan.desired.Stack.ObjectsOf(j.role), j.live.MigrationTag) != nil:
		r.stayed = append(r.stayed, j.script) // what has migrated, or lost a namespace, cannot go back
	default:
		r.moved = append(r.moved, j)
	}
}

// strays are the Workers whose traffic is to go back: those that were moved, and those that a deployment before this one moved and nobody
// noted.
func (r *run) strays() []*job {
	jobs := slices.Clone(r.moved)
	for _, j := range r.plan.jobs {
		version, whole := j.live.whole()
		noted := r.plan.live.manifest.Workers[j.role].ID
		if whole && noted != "" && version != noted && r.before(j).ID == noted && !slices.Contains(jobs, j) && !slices.Contains(r.stayed, j.script) {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// before is what a Worker goes back to: what it had when all began, when somebody put that there; else, and where traffic is divided with it,
// its version of the last release.
func (r *run) before(j *job) Version {
	live := r.plan.live
	noted := &live.manifest
	v := noted.Workers[j.role]
	shared := slices.ContainsFunc(j.live.deployment, func(x share) bool { return x.Version == v.ID })
	if v.ID != "" && (shared || live.unfinished(j)) && reached(j.live.MigrationTag) <= len(noted.Stack.ObjectsOf(j.role)) {
		return v
	}
	return Version{ID: j.live.stable(), Spec: tag(j.live.Tags, "spec"), Secrets: tag(j.live.Tags, "secrets")}
}

// renote notes the release before again, and takes away the note of this one, of which some may have arrived.
func (r *run) renote(ctx context.Context) error {
	before, d := &r.plan.live.manifest, r.plan.desired
	note, err := before.pair()
	if err != nil {
		return err
	}
	pairs := []pair{{Key: currentKey, Value: note.Value}}
	if d.Release == before.Release {
		pairs = append(pairs, note)
	}
	if err := r.writeKV(ctx, pairs); err != nil {
		return err
	}
	if d.Release == before.Release || d.Versions != nil {
		return nil // the release was there before, and says the same
	}
	if kept := r.plan.live.kept; kept.Release != "" {
		again, err := kept.pair()
		if err != nil {
			return err
		}
		return r.writeKV(ctx, []pair{again}) // it was there before, and can be gone back to
	}
	return r.deleteKV(ctx, []string{releaseKey(d.Release)})
}

// republish publishes what was published with an earlier release.
func (r *run) republish(ctx context.Context, hash string) error {
	entries, err := readEntries(ctx, r.account, r.namespace(), hash)
	if err != nil {
		return err
	}
	// Not asked for: what was just written may not be in the list yet.
	now := maps.Clone(r.plan.live.published)
	if r.published {
		changed, gone := unpublished(r.plan.desired.Tenants, now)
		for _, key := range append(changed, gone...) {
			now[key] = entryMark{} // as it was or as it was to be
		}
	}
	changed, gone := unpublished(entries, now)
	return r.publish(ctx, entries, changed, gone)
}

// unpublish reports whether other than the last release's configuration may be published: by this deployment, or by one that nobody noted.
func (r *run) unpublish() bool {
	before, now := r.plan.live.manifest.Tenants, r.plan.live.published
	return r.published || before != "" && len(now) > 0 && now[tenants.HashEntry] != markOf([]byte(before))
}

// resettle gives back the settings that no version has, all that can be: one that cannot does not keep the others.
func (r *run) resettle(ctx context.Context) []error {
	p, err := r.planBack(ctx)
	if err != nil {
		return []error{fmt.Errorf("gateway, workflows, consumers, crons and addresses: %w", err)}
	}
	back := newRun(p, r.options)
	var failed []error
	for _, a := range p.Actions {
		if a.Op == Same {
			continue
		}
		err := errors.New(strings.Join(a.Why, "; ")) // of what is refused
		if a.Op != Refuse {
			r.tell("back: " + a.String())
			err = a.do(ctx, back)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s: %w", a.Kind, a.Name, err))
		}
	}
	return failed
}

// planBack plans from the last noted release what no version has. The manifest is the one that was read when all began, as the namespace may
// answer with another by now. What it does not name and this release has made is taken away: consumers, schedules and addresses.
func (r *run) planBack(ctx context.Context) (*Plan, error) {
	noted, made := &r.plan.live.manifest, &r.plan.desired.Stack
	d := &Desired{Unit: r.plan.Unit, Release: noted.Release, Stack: noted.Stack, Versions: noted.Workers}
	asked := *d
	var others []stack.Worker // that are public now, or were not there
	for _, w := range made.Workers {
		was, there := noted.Stack.Worker(w.Role)
		if !there {
			asked.Stack.Workers = append(slices.Clip(asked.Stack.Workers), w)
		}
		if !there || w.Public && !was.Public {
			others = append(others, w)
		}
	}
	asked.Stack.Routes = append(slices.Clip(asked.Stack.Routes), made.Routes...)
	l, err := read(ctx, r.account, &asked)
	if err != nil {
		return nil, err
	}
	l.manifest = *noted
	p := &planner{Plan: &Plan{Unit: d.Unit, Release: d.Release, desired: d, live: l, account: r.account}, options: PlanOptions{noted: true, Adopt: true}}
	for _, w := range noted.Stack.Workers {
		if !slices.Contains(r.stayed, p.Unit.Script(w.Role)) { // the class of a Workflow is that of the version
			p.workflows(w.Role)
		}
	}
	p.gateway()
	p.consumers()
	p.unconsumed(made)
	p.queueSettings(r.plan.live.queues)
	for _, w := range noted.Stack.Workers {
		p.crons(w)
	}
	p.addresses()
	for _, w := range others {
		w.Crons, w.Public = nil, false
		if _, there := noted.Stack.Worker(w.Role); !there {
			p.crons(w)
			p.workersDev(w)
		}
		p.detach(p.Unit.Script(w.Role))
	}
	return p.Plan, nil
}

// unconsumed takes away the consumers of a table that are not wanted: their messages wait for the Worker that knows them.
func (p *planner) unconsumed(made *stack.Stack) {
	for _, q := range made.Queues {
		live := p.live.queues[p.Unit.Name(q.Name)]
		kept := slices.ContainsFunc(p.desired.Stack.Queues, func(x stack.Queue) bool { return x.Name == q.Name && x.Consumer != "" })
		if live == nil || q.Consumer == "" || kept {
			continue
		}
		for _, c := range live.Consumers {
			if c.script() != p.Unit.Script(q.Consumer) {
				continue
			}
			path := p.account.Path("queues", live.ID, "consumers", c.ID)
			p.add(Action{Op: Update, Kind: "consumer", Name: live.Name + " -> " + c.script(), Why: []string{"not wanted any more: it is taken away"}, do: func(ctx context.Context, r *run) error {
				err := r.account.Do(ctx, http.MethodDelete, path, nil, nil)
				if account.IsStatus(err, http.StatusNotFound) {
					return nil
				}
				return err
			}})
		}
	}
}
