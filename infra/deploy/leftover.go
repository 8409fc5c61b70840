package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"levada.dev/infra/deploy/account"
)

// leftovers are the unit's resources that are not wanted any more. They stay, as they may hold data, unless their names were given.
func (p *planner) leftovers() {
	wanted := map[string]bool{}
	for _, name := range p.Unit.names(&p.desired.Stack) {
		wanted[name] = true
	}
	found := map[string]bool{}
	left := func(kind string, names []string, path func(name string) string) {
		for _, name := range names {
			if wanted[name] || !p.Unit.owns(name) {
				continue
			}
			found[name] = true
			p.leftover(kind, name, path(name))
		}
	}
	a, l := p.account, p.live
	left("worker", slices.Sorted(maps.Keys(l.scripts)), func(n string) string { return a.Path("workers", "scripts", n) })
	left("workflow", slices.Sorted(maps.Keys(l.workflows)), func(n string) string { return a.Path("workflows", n) })
	left("queue", slices.Sorted(maps.Keys(l.queues)), func(n string) string { return a.Path("queues", l.queues[n].ID) })
	left("gateway", slices.Sorted(maps.Keys(l.gateways)), func(n string) string { return a.Path("ai-gateway", "gateways", n) })
	left("vectorize", slices.Sorted(maps.Keys(l.indexes)), func(n string) string { return a.Path("vectorize", "v2", "indexes", n) })
	left("kv", slices.Sorted(maps.Keys(l.namespaces)), func(n string) string { return a.Path("storage", "kv", "namespaces", l.namespaces[n]) })
	for _, name := range p.options.Destroy {
		if !found[name] {
			p.add(Action{Op: Refuse, Kind: "destroy", Name: name, Why: []string{"it is wanted, or is not there, or is not of " + p.Unit.String() + ": only what a deployment does not want any more can be destroyed"}})
		}
	}
}

func (p *planner) leftover(kind, name, path string) {
	if !slices.Contains(p.options.Destroy, name) {
		p.add(Action{Op: Same, Kind: kind, Name: name, Why: []string{fmt.Sprintf("not wanted any more; it stays, with what is in it: --allow-destroy %s takes it away", name)}})
		return
	}
	if s := p.live.scripts[name]; kind == "worker" && s != nil {
		if ours, _ := p.Unit.owner(s.Tags); !ours {
			p.add(Action{Op: Refuse, Kind: kind, Name: name, Why: []string{"it is not tagged as ours"}})
			return
		}
	}
	p.add(Action{Op: Destroy, Kind: kind, Name: name, Why: []string{"with all its data"}, do: func(ctx context.Context, r *run) error {
		if err := r.unplug(ctx, kind, name); err != nil {
			return err
		}
		return r.account.Do(ctx, http.MethodDelete, path, nil, nil)
	}})
}

// unplug takes away the consumers of a queue, or those that are a Worker: neither goes before them.
func (r *run) unplug(ctx context.Context, kind, name string) error {
	if kind != "queue" && kind != "worker" {
		return nil
	}
	for _, q := range r.plan.live.queues {
		for _, c := range q.Consumers {
			if kind == "queue" && q.Name != name || kind == "worker" && c.script() != name {
				continue
			}
			err := r.account.Do(ctx, http.MethodDelete, r.account.Path("queues", q.ID, "consumers", c.ID), nil, nil)
			if err != nil && !account.IsStatus(err, http.StatusNotFound) {
				return err
			}
		}
	}
	return nil
}
