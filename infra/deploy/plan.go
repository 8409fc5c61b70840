package deploy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Op is what becomes of a resource.
type Op string

// The operations, as plans show them.
const (
	Create  Op = "+"
	Update  Op = "~" // what is wanted has changed
	Drift   Op = "!" // what is live has changed
	Same    Op = "="
	Refuse  Op = "x"
	Destroy Op = "-" // only what was named
)

// Action is one line of a plan.
type Action struct {
	Op   Op       `json:"op"`
	Kind string   `json:"kind"`
	Name string   `json:"name"`
	Why  []string `json:"why,omitempty"`

	do    func(ctx context.Context, r *run) error
	after bool     // the new versions have their traffic by then
	parts []string // all that is written, where Why names some of it
}

// String is the line.
func (a Action) String() string {
	line := string(a.Op) + " " + a.Kind + " " + a.Name
	if len(a.Why) > 0 {
		line += "  (" + strings.Join(a.Why, "; ") + ")"
	}
	return line
}

// Within reports whether an action does nothing that another would not do, which was shown before: it is for the same thing, of the same
// kind, and for no reason more. That a part of it is well by now, such as entries that were on their way to where lists are read, is no
// reason to ask again.
func (a Action) Within(shown Action) bool {
	if a.Op != shown.Op || a.Kind != shown.Kind || a.Name != shown.Name {
		return false
	}
	reasons, known := a.Why, shown.Why
	if len(a.parts) > 0 {
		reasons, known = a.parts, shown.parts
	}
	return !slices.ContainsFunc(reasons, func(why string) bool { return !slices.Contains(known, why) })
}

// Plan is what has to be done, in the order in which it can be. It is data, and has no secret in it.
type Plan struct {
	Unit    Unit     `json:"unit"`
	Release string   `json:"release"`
	Live    string   `json:"live,omitempty"` // the release that is deployed
	Actions []Action `json:"actions"`

	Warnings []string `json:"warnings,omitempty"` // what to know before it is carried out

	desired *Desired
	live    *live
	account *account.Account
	jobs    []*job                // the Workers that are there
	left    map[stack.Role]string // the specs of Workers that are left as they are
}

// Count is how many actions there are of the operations.
func (p *Plan) Count(ops ...Op) int {
	n := 0
	for _, a := range p.Actions {
		if slices.Contains(ops, a.Op) {
			n++
		}
	}
	return n
}

// Changes is how many actions would write something.
func (p *Plan) Changes() int { return p.Count(Create, Update, Drift, Destroy) }

// Refused are the actions that nothing is done for.
func (p *Plan) Refused() []Action {
	return slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return a.Op != Refuse })
}

// PlanOptions changes what a plan may do. The zero value is careful.
type PlanOptions struct {
	Adopt   bool         // take over what has the unit's names and nobody owns
	Destroy []string     // the names of resources that are not wanted any more, and may go with their data
	Only    []stack.Role // the Workers to change; all when empty

	noted bool // what is wanted is the release as it was noted: see MakeDrift
}

// Make compares what is wanted with what is live. It sends GETs alone.
func Make(ctx context.Context, a *account.Account, d *Desired, o PlanOptions) (*Plan, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	workers, err := d.Stack.Order()
	if err != nil {
		return nil, err
	}
	l, err := read(ctx, a, d)
	if err != nil {
		return nil, fmt.Errorf("what %s has: %w", d.Unit, err)
	}
	if d.Versions != nil && !o.noted {
		if err := l.readReach(ctx, a, d); err != nil {
			return nil, fmt.Errorf("what %s has: %w", d.Unit, err)
		}
	}
	p := &planner{Plan: &Plan{Unit: d.Unit, Release: d.Release, desired: d, live: l, account: a, left: map[stack.Role]string{}}, options: o, wanted: d.Unit.untagged(&d.Stack)}
	p.Live = l.manifest.Release
	p.queues()
	p.namespaces()
	p.buckets()
	p.indexes()
	p.gateway()
	for _, w := range workers {
		p.worker(w)
		p.workflows(w.Role)
	}
	p.Actions = behind(p.Actions)
	p.after = true
	p.consumers()
	p.queueSettings(nil)
	for _, w := range workers {
		p.crons(w)
	}
	p.addresses()
	p.tenants()
	p.stay()
	p.own()
	if p.Changes() > 0 || !p.is(&l.manifest, workers) {
		p.release(workers)
	}
	p.leftovers() // data goes when everything else is well
	return p.Plan, nil
}

// release is the note of all that was done. A name that is kept for something else keeps it: who goes back to it means that.
func (p *planner) release(workers []stack.Worker) {
	a := Action{Op: Update, Kind: "release", Name: p.Release, do: func(ctx context.Context, r *run) error { return r.note(ctx) }}
	if p.live.manifest.Release == "" {
		a.Op = Create
	}
	for _, m := range []*Manifest{&p.live.manifest, &p.live.kept} {
		if m == &p.live.kept && m.burnt(&p.live.manifest) {
			a.Why = []string{"was noted by a deployment that was stopped then, and never live: it is noted anew"}
			continue
		}
		if m.Release == p.Release && p.desired.Versions == nil && !p.is(m, workers) {
			a = Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{"is kept with other content: choose another name"}}
		}
	}
	p.add(a)
}

// is reports whether a manifest tells what is wanted: the live one does not when a deployment was stopped before its last step.
func (p *planner) is(m *Manifest, workers []stack.Worker) bool {
	for _, w := range workers {
		spec, left := p.left[w.Role]
		if !left {
			spec = p.desired.spec(w)
		}
		if m.Workers[w.Role].Spec != spec {
			return false
		}
	}
	if p.desired.Tenants != nil && m.Tenants != p.desired.Tenants.Hash() {
		return false
	}
	return reflect.DeepEqual(plain(m.Stack), plain(p.desired.Stack))
}

// planner makes a plan.
type planner struct {
	*Plan
	options PlanOptions
	wanted  names // that carry no tags
	after   bool
}

// behind puts those actions last that wait for the traffic, and keeps the order of each kind.
func behind(all []Action) []Action {
	slices.SortStableFunc(all, func(x, y Action) int {
		switch {
		case x.after == y.after:
			return 0
		case y.after:
			return -1
		}
		return 1
	})
	return all
}

func (p *planner) add(a Action) {
	a.after = p.after
	p.Actions = append(p.Actions, a)
}

// settle adds the action for a resource that is there: none, or one that makes it as it should be. It has drifted when it is wanted as it
// was at the last release.
func (p *planner) settle(a Action, asBefore bool) {
	switch {
	case len(a.Why) == 0:
		a.Op, a.do = Same, nil
	case asBefore:
		a.Op = Drift
	default:
		a.Op = Update
	}
	p.add(a)
}

// before finds a resource in the table of the last release.
func before[T any](p *planner, all func(*stack.Stack) []T, is func(T) bool) (T, bool) {
	for _, x := range all(&p.live.manifest.Stack) {
		if is(x) {
			return x, true
		}
	}
	var none T
	return none, false
}
