package deploy

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Return is a plan that goes back to an earlier release, and what it says beforehand.
type Return struct {
	*Plan
	To     Manifest
	Stays  []string // what does not go back
	Config bool     // the tenants' configuration goes back, too
	Access []string // who can work with it again, and who no more, when it does
}

// MakeReturn plans the way back of code, configuration and bindings together: to a release that is kept, or the one before the live one.
func MakeReturn(ctx context.Context, a *account.Account, u Unit, to string, o PlanOptions) (*Return, error) {
	namespace, err := findNamespace(ctx, a, u)
	if err != nil {
		return nil, err
	}
	var live Manifest
	if found, err := readKey(ctx, a, namespace, currentKey, &live); err != nil {
		return nil, err
	} else if !found {
		return nil, unnoted(ctx, a, u)
	}
	if to == "" {
		if to, err = lastWell(ctx, a, u, namespace, live); err != nil {
			return nil, err
		}
	}
	if to == "" {
		return nil, fault.Missing("release_unknown", "%s is at its first release, %s", u, live.Release).WithHint("there is nothing to go back to")
	}
	ret := &Return{}
	found, err := readKey(ctx, a, namespace, releaseKey(to), &ret.To)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.Missing("release_unknown", "%s has no release %.60q", u, to).WithHint("levada status lists them")
	}
	d := &Desired{Unit: u, Release: to, Before: ret.To.Before, Stack: ret.To.Stack, Versions: ret.To.Workers}
	if ret.To.Tenants != "" {
		if d.Tenants, err = readEntries(ctx, a, namespace, ret.To.Tenants); err != nil {
			return nil, err
		}
		if ret.Config = ret.To.Tenants != live.Tenants; ret.Config {
			ret.Access = accessOf(ctx, a, namespace, live.Tenants, d.Tenants)
		}
	}
	if ret.Plan, err = Make(ctx, a, d, o); err != nil {
		return nil, err
	}
	ret.Stays = stays(live, ret.To)
	return ret, nil
}

// lastWell is the release to go back to: the one before the noted one. When what is deployed is not the noted one, a deployment after it was
// stopped before it had noted its own, and the way leads to the noted one; but not when it was a way back that was stopped: that goes on.
func lastWell(ctx context.Context, a *account.Account, u Unit, namespace string, noted Manifest) (string, error) {
	now := map[stack.Role]string{}
	for role := range noted.Workers {
		shares, err := shares(ctx, a, u.Script(role))
		if err != nil {
			return "", err
		}
		if len(shares) == 1 {
			now[role] = shares[0].Version
		}
	}
	var before Manifest
	if noted.Before != "" {
		if _, err := readKey(ctx, a, namespace, releaseKey(noted.Before), &before); err != nil {
			return "", err
		}
	}
	for role, v := range noted.Workers {
		if now[role] != v.ID && (now[role] == "" || now[role] != before.Workers[role].ID) {
			return noted.Release, nil
		}
	}
	return noted.Before, nil
}

// stays says what a way back leaves as it is.
func stays(live, to Manifest) []string {
	all := []string{
		"documents, conversations, money spent, dead letters: data stays as it is",
		"secrets come back with the versions that had them: one that was taken away because it leaked has to be taken away again",
	}
	had := map[string]bool{}
	for _, o := range to.Stack.Objects {
		had[o.Class] = true
	}
	for _, o := range live.Stack.Objects {
		if !had[o.Class] {
			all = append(all, fmt.Sprintf("the class %s of Durable Objects came after %s: versions from before cannot be deployed any more", o.Class, to.Release))
		}
	}
	return all
}

// stay refuses to go back to versions that cannot be deployed, or whose resources are gone: an empty one in their place would be worse.
func (p *planner) stay() {
	if p.desired.Versions == nil || p.options.noted {
		return
	}
	for i, a := range p.Actions {
		why := ""
		switch a.Kind {
		case "queue", "kv", "r2", "vectorize":
			if a.Op == Create {
				why = "it is gone, and with it what was in it: deploy instead of going back"
			}
		case "worker":
			if a.Op != Same && a.Op != Refuse {
				why = p.live.unreachable[a.Name]
			}
		}
		if why != "" {
			p.Actions[i] = Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{why}, after: a.after}
		}
	}
}
