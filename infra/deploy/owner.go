package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Workers carry tags that say whose they are. What else a unit has carries nothing, so its names are noted in the unit's own namespace, before
// anything of those names is made: whoever was stopped finds what it had begun to be its own, and what is there and not noted is somebody else's.

// record is what a unit has made in its account, or taken over.
type record struct {
	Unit  Unit  `json:"unit"`
	Names names `json:"names"`
}

const ownerKey = ownKeys + "owner"

// names are those of resources, by the kinds that plans have.
type names map[string][]string

func (n names) has(kind, name string) bool { return slices.Contains(n[kind], name) }

func (n names) add(kind, name string) {
	if !n.has(kind, name) {
		n[kind] = append(n[kind], name)
	}
}

// each calls do with each name, until it returns false, and reports whether it never did.
func (n names) each(do func(kind, name string) bool) bool {
	for kind, all := range n {
		for _, name := range all {
			if !do(kind, name) {
				return false
			}
		}
	}
	return true
}

// untagged are the names of a table's resources that carry no tags.
func (u Unit) untagged(s *stack.Stack) names {
	n := names{}
	for _, q := range s.Queues {
		n.add("queue", u.Name(q.Name))
	}
	for _, one := range s.Namespaces {
		n.add("kv", u.Name(one.Name))
	}
	for _, b := range s.Buckets {
		n.add("r2", u.Name(b.Name))
	}
	for _, i := range s.Indexes {
		n.add("vectorize", u.Name(i.Name))
	}
	for _, w := range s.Workflows {
		n.add("workflow", u.Name(w.Name))
	}
	if s.Gateway.Name != "" {
		n.add("gateway", u.Name(s.Gateway.Name))
	}
	return n
}

// untagged are the names that an account has of a unit's.
func (l *live) untagged(u Unit) names {
	n := names{}
	gather(n, u, "queue", l.queues)
	gather(n, u, "kv", l.namespaces)
	gather(n, u, "r2", l.buckets)
	gather(n, u, "vectorize", l.indexes)
	gather(n, u, "workflow", l.workflows)
	gather(n, u, "gateway", l.gateways)
	return n
}

func gather[V any](n names, u Unit, kind string, all map[string]V) {
	for name := range all {
		if u.owns(name) {
			n.add(kind, name)
		}
	}
}

// readRecord reads what is noted as the unit's, where it matters: something is to be made, or is there and the live release does not name it.
func (l *live) readRecord(ctx context.Context, a *account.Account, d *Desired) error {
	there := l.untagged(d.Unit)
	l.released = d.Unit.untagged(&l.manifest.Stack)
	if d.Unit.untagged(&d.Stack).each(there.has) && there.each(l.released.has) {
		return nil
	}
	_, err := readKey(ctx, a, l.namespaces[d.Unit.Name(tenantsNamespace)], ownerKey, &l.record)
	return err
}

// ours reports whether something that is there belongs to the unit: it is noted, or the live release has it, or the one that is gone back to.
// The namespace for the notes comes before they do, so one that is empty is taken.
func (p *planner) ours(kind, name string) bool {
	switch {
	case p.live.record.Names.has(kind, name), p.live.released.has(kind, name), p.desired.Versions != nil && p.wanted.has(kind, name):
		return true
	}
	return kind == "kv" && name == p.Unit.Name(tenantsNamespace) && !p.live.holds
}

// own refuses what is there and not ours, unless it is taken over, and has the names of what is going to be made noted before.
func (p *planner) own() {
	if p.options.noted {
		return
	}
	if of := p.live.record.Unit; of != (Unit{}) && of != p.Unit {
		p.add(Action{Op: Refuse, Kind: "owner", Name: p.Unit.Name(tenantsNamespace), Why: []string{"what is noted in it is of " + of.String()}})
		return
	}
	fresh, refused := names{}, names{}
	var settled []Action
	for _, a := range p.Actions {
		switch {
		case refused.has(a.Kind, a.Name):
			continue // a queue has its settings in a line of their own
		case a.Op == Refuse || !p.wanted.has(a.Kind, a.Name):
		case a.Op == Create:
			fresh.add(a.Kind, a.Name)
		case p.ours(a.Kind, a.Name) || fresh.has(a.Kind, a.Name):
		case p.options.Adopt:
			fresh.add(a.Kind, a.Name)
			a = takenOver(a)
		default:
			refused.add(a.Kind, a.Name)
			a = Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{
				"it is there, and not noted as ours: --adopt takes it over (what another machine noted may take a minute to be seen here)"}, after: a.after}
		}
		settled = append(settled, a)
	}
	p.Actions = settled
	if !fresh.each(p.live.record.Names.has) {
		p.noteFirst(p.record(nil))
	}
}

func takenOver(a Action) Action {
	if a.Op == Same {
		a.do = func(context.Context, *run) error { return nil } // it is as it should be
	}
	a.Op, a.Why = Update, append([]string{"taken over"}, a.Why...)
	return a
}

// record is what is to be noted: all that is wanted, and what is there and ours, but for what is gone.
func (p *planner) record(gone names) record {
	rec := record{p.Unit, p.Unit.untagged(&p.desired.Stack)} // not p.wanted, as it is added to
	p.live.untagged(p.Unit).each(func(kind, name string) bool {
		if p.ours(kind, name) && !gone.has(kind, name) {
			rec.Names.add(kind, name)
		}
		return true
	})
	return rec
}

// noteFirst puts the note ahead of everything but the namespace that it goes to.
func (p *planner) noteFirst(rec record) {
	at := 0
	i := slices.IndexFunc(p.Actions, func(a Action) bool { return a.Kind == "kv" && a.Name == p.Unit.Name(tenantsNamespace) })
	if i >= 0 && p.Actions[i].Op == Create {
		namespace := p.Actions[i]
		p.Actions, at = slices.Insert(slices.Delete(p.Actions, i, i+1), 0, namespace), 1
	}
	p.Actions = slices.Insert(p.Actions, at, p.noting(rec))
}

func (p *planner) noting(rec record) Action {
	n := 0
	for _, all := range rec.Names {
		slices.Sort(all)
		n += len(all)
	}
	a := Action{Op: Update, Kind: "owner", Name: p.Unit.Name(tenantsNamespace), Why: []string{fmt.Sprintf("%d names are noted as ours", n)}}
	if p.live.record.Unit == (Unit{}) {
		a.Op = Create
	}
	a.do = func(ctx context.Context, r *run) error {
		text, err := json.Marshal(rec)
		if err != nil {
			return err
		}
		return r.writeKV(ctx, []pair{{Key: ownerKey, Value: string(text)}})
	}
	return a
}

// forget takes the names of what was destroyed from the record.
func (p *planner) forget(gone names) {
	if p.live.record.Unit == (Unit{}) || gone.each(func(kind, name string) bool { return !p.live.record.Names.has(kind, name) }) {
		return
	}
	a := p.noting(p.record(gone))
	a.after = p.after
	p.add(a)
}
