package deploy

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// queues come with their dead-letter queues first: a consumer names them.
func (p *planner) queues() {
	for _, dead := range []bool{true, false} {
		for _, q := range p.desired.Stack.Queues {
			if p.desired.Stack.TakesDeadLetters(q.Name) == dead {
				p.queue(q)
			}
		}
	}
}

// queue makes a queue. What is wrong with one that is there is mended later: see queueSettings.
func (p *planner) queue(q stack.Queue) {
	name, want := p.Unit.Name(q.Name), settingsOf(q)
	if have := p.live.queues[name]; have != nil {
		if len(have.differs(want)) == 0 {
			p.add(Action{Op: Same, Kind: "queue", Name: name})
		}
		return
	}
	p.add(Action{Op: Create, Kind: "queue", Name: name, do: func(ctx context.Context, r *run) error {
		var made liveQueue
		body := map[string]any{"queue_name": name}
		if q.Retention > 0 {
			body["settings"] = map[string]int{"message_retention_period": want.Retention}
		}
		err := r.account.Do(ctx, http.MethodPost, r.account.Path("queues"), body, &made)
		if err != nil {
			found, lerr := account.List[*liveQueue](ctx, r.account, r.account.Path("queues"))
			if err = orThere(err, lerr, found, func(q *liveQueue) bool { return q.Name == name }, func(q *liveQueue) { made = *q }); err != nil {
				return err
			}
		}
		r.queues.put(name, made.ID)
		if len(made.differs(want)) > 0 {
			return r.setQueue(ctx, made.ID, want)
		}
		return nil
	}})
}

func (p *planner) namespaces() {
	for _, n := range p.desired.Stack.Namespaces {
		title := p.Unit.Name(n.Name)
		if p.live.namespaces[title] != "" {
			p.add(Action{Op: Same, Kind: "kv", Name: title})
			continue
		}
		p.add(Action{Op: Create, Kind: "kv", Name: title, do: func(ctx context.Context, r *run) error {
			type namespace struct{ ID, Title string }
			var made namespace
			path := r.account.Path("storage", "kv", "namespaces")
			err := r.account.Do(ctx, http.MethodPost, path, map[string]string{"title": title}, &made)
			if err != nil {
				found, lerr := account.List[namespace](ctx, r.account, path)
				if err = orThere(err, lerr, found, func(n namespace) bool { return n.Title == title }, func(n namespace) { made = n }); err != nil {
					return err
				}
			}
			r.namespaces.put(title, made.ID)
			return nil
		}})
	}
}

// orThere forgives a POST that failed when what it was to make is there: its answer was lost, or somebody was faster.
func orThere[T any](failed, lookup error, all []T, is func(T) bool, found func(T)) error {
	if lookup != nil {
		return failed
	}
	for _, x := range all {
		if is(x) {
			found(x)
			return nil
		}
	}
	return failed
}

func (p *planner) buckets() {
	for _, b := range p.desired.Stack.Buckets {
		name := p.Unit.Name(b.Name)
		if p.live.buckets[name] {
			p.add(Action{Op: Same, Kind: "r2", Name: name})
			continue
		}
		p.add(Action{Op: Create, Kind: "r2", Name: name, do: func(ctx context.Context, r *run) error {
			err := r.account.Do(ctx, http.MethodPost, r.account.Path("r2", "buckets"), map[string]string{"name": name}, nil)
			return unlessThere(ctx, r, err, r.account.Path("r2", "buckets", name))
		}})
	}
}

// unlessThere is orThere for what can be asked for by name.
func unlessThere(ctx context.Context, r *run, failed error, path string) error {
	if failed == nil || r.account.Get(ctx, path, nil) == nil {
		return nil
	}
	return failed
}

// liveIndex is a Vectorize index.
type liveIndex struct {
	Name   string      `json:"name"`
	Config indexConfig `json:"config"`

	properties []stack.Property
}

type indexConfig struct {
	Dimensions int    `json:"dimensions"`
	Metric     string `json:"metric"`
}

func (l *live) readIndexes(ctx context.Context, a *account.Account, _ *Desired) error {
	var all []*liveIndex
	err := a.Get(ctx, a.Path("vectorize", "v2", "indexes"), &all)
	for _, i := range all {
		l.indexes[i.Name] = i
	}
	return err
}

func (i *liveIndex) readProperties(ctx context.Context, a *account.Account) error {
	var list struct {
		All []stack.Property `json:"metadataIndexes"`
	}
	err := a.Get(ctx, a.Path("vectorize", "v2", "indexes", i.Name, "metadata_index", "list"), &list)
	i.properties = list.All
	return err
}

// indexes are made with their metadata indexes: vectors that come before one are not in it.
func (p *planner) indexes() {
	for _, i := range p.desired.Stack.Indexes {
		name := p.Unit.Name(i.Name)
		want := indexConfig{Dimensions: i.Dimensions, Metric: i.Metric}
		have := p.live.indexes[name]
		if have == nil {
			p.add(Action{Op: Create, Kind: "vectorize", Name: name, do: func(ctx context.Context, r *run) error {
				body := map[string]any{"name": name, "config": want}
				err := r.account.Do(ctx, http.MethodPost, r.account.Path("vectorize", "v2", "indexes"), body, nil)
				return unlessThere(ctx, r, err, r.account.Path("vectorize", "v2", "indexes", name))
			}})
		} else if why := diff("", want, have.Config); len(why) > 0 {
			p.add(Action{Op: Refuse, Kind: "vectorize", Name: name, Why: append(why, "an index keeps its shape: give the model another name and move the tenants (docs/runbooks/embedding-model.md)")})
			continue
		} else {
			p.add(Action{Op: Same, Kind: "vectorize", Name: name})
		}
		for _, property := range i.Metadata {
			p.property(name, have, property)
		}
	}
}

func (p *planner) property(index string, have *liveIndex, want stack.Property) {
	a := Action{Op: Create, Kind: "metadata index", Name: index + " " + want.Name}
	if have != nil {
		for _, is := range have.properties {
			if is.Name != want.Name {
				continue
			}
			a.Op = Same
			if !strings.EqualFold(is.Type, want.Type) {
				a.Op = Refuse
				a.Why = []string{fmt.Sprintf("it is of type %s, wanted is %s: a metadata index keeps its type, use another field", is.Type, want.Type)}
			}
			p.add(a)
			return
		}
		a.Why = []string{"documents that are there already are found by it once they are ingested again"}
	}
	a.do = func(ctx context.Context, r *run) error {
		path := r.account.Path("vectorize", "v2", "indexes", index, "metadata_index")
		err := r.account.Do(ctx, http.MethodPost, path+"/create", want, nil)
		if err == nil {
			return nil
		}
		now := liveIndex{Name: index}
		lookup := now.readProperties(ctx, r.account)
		return orThere(err, lookup, now.properties, func(x stack.Property) bool { return x.Name == want.Name }, func(stack.Property) {})
	}
	p.add(a)
}
