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
	found, gone := map[string]bool{}, names{}
	left := func(kind string, names []string, path func(name string) string) {
		for _, name := range names {
			if wanted[name] || !p.Unit.owns(name) {
				continue
			}
			found[name] = true
			if p.leftover(kind, name, path(name)) {
				gone.add(kind, name)
			}
		}
	}
	a, l := p.account, p.live
	left("worker", slices.Sorted(maps.Keys(l.scripts)), func(n string) string { return a.Path("workers", "scripts", n) })
	left("workflow", slices.Sorted(maps.Keys(l.workflows)), func(n string) string { return a.Path("workflows", n) })
	left("queue", slices.Sorted(maps.Keys(l.queues)), func(n string) string { return a.Path("queues", l.queues[n].ID) })
	left("gateway", slices.Sorted(maps.Keys(l.gateways)), func(n string) string { return a.Path("ai-gateway", "gateways", n) })
	left("r2", slices.Sorted(maps.Keys(l.buckets)), func(n string) string { return a.Path("r2", "buckets", n) })
	left("vectorize", slices.Sorted(maps.Keys(l.indexes)), func(n string) string { return a.Path("vectorize", "v2", "indexes", n) })
	left("kv", slices.Sorted(maps.Keys(l.namespaces)), func(n string) string { return a.Path("storage", "kv", "namespaces", l.namespaces[n]) })
	p.forget(gone)
	for _, name := range p.options.Destroy {
		if !found[name] {
			p.add(Action{Op: Refuse, Kind: "destroy", Name: name, Why: []string{"it is wanted, or is not there, or is not of " + p.Unit.String() + ": only what a deployment does not want any more can be destroyed"}})
		}
	}
}

// leftover plans what becomes of one, and reports whether it is destroyed.
func (p *planner) leftover(kind, name, path string) bool {
	stranger := p.strange(kind, name)
	if !slices.Contains(p.options.Destroy, name) {
		why := fmt.Sprintf("not wanted any more; it stays, with what is in it%s: --allow-destroy %s takes it away", p.drains(kind, name), name)
		if stranger != "" {
			why = "it has a name of ours, and stays: " + stranger
		}
		p.add(Action{Op: Same, Kind: kind, Name: name, Why: []string{why}})
		return false
	}
	if stranger != "" {
		p.add(Action{Op: Refuse, Kind: kind, Name: name, Why: []string{stranger}})
		return false
	}
	why := "with all its data"
	if kind == "r2" {
		why = "if nothing is in it: the API takes no bucket away that has objects"
	}
	p.add(Action{Op: Destroy, Kind: kind, Name: name, Why: []string{why}, do: func(ctx context.Context, r *run) error {
		if err := r.unplug(ctx, kind, name); err != nil {
			return err
		}
		err := r.account.Do(ctx, http.MethodDelete, path, nil, nil)
		switch {
		case kind == "r2" && account.IsStatus(err, http.StatusConflict):
			return fmt.Errorf("it is not empty, so it stays: take its objects away, by a lifecycle rule or a client of S3, and destroy it then: %w", err)
		case account.IsStatus(err, http.StatusNotFound, http.StatusGone):
			return nil // it went when an answer was lost
		}
		return err
	}})
	return true
}

// strange says why a leftover is not to be destroyed: nobody says that it is ours.
func (p *planner) strange(kind, name string) string {
	if s := p.live.scripts[name]; kind == "worker" && s != nil {
		if ours, _ := p.Unit.owner(s.Tags); !ours {
			return "it is not tagged as ours"
		}
		return ""
	}
	if p.ours(kind, name) || p.options.Adopt || p.options.noted {
		return ""
	}
	return "it is not noted as ours: --adopt beside --allow-destroy takes it away all the same"
}

// drains says who goes on getting what is in a queue. Its consumer stays with it: what was sent before is handled, not kept until it expires.
func (p *planner) drains(kind, name string) string {
	if q := p.live.queues[name]; kind == "queue" && q != nil && len(q.Consumers) > 0 {
		return ", and " + q.Consumers[0].script() + " goes on getting that"
	}
	return ""
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
