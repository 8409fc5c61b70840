package deploy

import (
	"context"
	"fmt"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/account"
)

// MakeDrift compares a unit with its release as it was noted, whatever the checkout has become since. All its actions but those that stay
// the same are drift: what somebody changed by hand, or a deployment that was stopped left. It needs neither code nor secrets, and a token
// that may read is enough. The plan is for looking at: nothing in it can be applied.
func MakeDrift(ctx context.Context, a *account.Account, u Unit) (*Plan, error) {
	namespace, err := findNamespace(ctx, a, u)
	if err != nil {
		return nil, err
	}
	var noted Manifest
	if found, err := readKey(ctx, a, namespace, currentKey, &noted); err != nil {
		return nil, err
	} else if !found {
		return nil, unnoted(ctx, a, u)
	}
	d := &Desired{Unit: u, Release: noted.Release, Before: noted.Before, Stack: noted.Stack, Versions: noted.Workers}
	if noted.Tenants != "" {
		if d.Tenants, err = readEntries(ctx, a, namespace, noted.Tenants); err != nil {
			return nil, err
		}
	}
	plan, err := Make(ctx, a, d, PlanOptions{noted: true, Adopt: true})
	if err != nil {
		return nil, err
	}
	plan.strayed()
	return plan, nil
}

// unnoted says why no release is noted: there was none yet, or somebody has deleted the namespace it was noted in.
func unnoted(ctx context.Context, a *account.Account, u Unit) error {
	l := &live{scripts: map[string]*liveScript{}}
	if err := l.readScripts(ctx, a, nil); err != nil {
		return err
	}
	for name, s := range l.scripts {
		if ours, _ := u.owner(s.Tags); ours && u.owns(name) {
			return fault.Missing("release_lost", "%s has Workers and no release: what %s had is gone, or its first deployment was stopped", u, u.Name(tenantsNamespace)).
				WithHint("deploy it, with --adopt when its notes are gone: docs/runbooks/disaster-recovery.md")
		}
	}
	return fault.Missing("release_unknown", "%s has no release yet", u).WithHint("deploy it first")
}

// strayed turns what a plan would do into what differs.
func (p *Plan) strayed() {
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool { return a.Kind == "release" })
	for i, a := range p.Actions {
		a.do = nil
		switch a.Op {
		case Same:
		case Create:
			a.Op, a.Why = Drift, []string{"it is gone"}
		default:
			a.Op = Drift
		}
		p.Actions[i] = a
	}
}

// astray says where a Worker is not as its release was noted.
func (p *planner) astray(j *job) (Op, []string) {
	s := j.live
	why := p.differences(j)
	if spec := tag(s.Tags, "spec"); spec != j.spec {
		why = append(why, fmt.Sprintf("spec %s is noted at the Worker, %s with the release", spec, j.spec))
	}
	switch version, whole := s.whole(); {
	case !whole:
		why = append(why, fmt.Sprintf("its traffic is divided between %d versions", len(s.deployment)))
	case version != j.backTo:
		why = append(why, fmt.Sprintf("version %.8s is deployed, the release has %.8s", version, j.backTo))
	}
	if ours, _ := p.Unit.owner(s.Tags); !ours {
		why = append(why, "it is not tagged as ours")
	}
	why = append(why, p.observes(s)...)
	if len(why) == 0 {
		return Same, nil
	}
	return Drift, why
}
