package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// liveWorkflow is a Workflow as the account has it.
type liveWorkflow struct {
	Name   string `json:"name"`
	Script string `json:"script_name"`
	Class  string `json:"class_name"`
}

// workflows are made right after the Worker that has their classes: others bind to them. One that is there gets another class when the version
// that has it has the traffic: right after a Worker that went up at once, else when the rollout is over.
func (p *planner) workflows(role stack.Role) {
	for _, f := range p.desired.Stack.WorkflowsOf(role) {
		name := p.Unit.Name(f.Name)
		want := map[string]string{"script_name": p.Unit.Script(role), "class_name": f.Class}
		a := Action{Op: Create, Kind: "workflow", Name: name, do: func(ctx context.Context, r *run) error {
			return r.account.Do(ctx, http.MethodPut, r.account.Path("workflows", name), want, nil)
		}}
		have, there := p.live.workflows[name]
		if !there {
			p.add(a)
			continue
		}
		a.Why = diff("", want, have)
		if _, left := p.left[role]; left && len(a.Why) > 0 {
			p.add(Action{Op: Same, Kind: a.Kind, Name: name, Why: []string{"left as it is, with its Worker"}})
			continue
		}
		was, known := before(p, func(s *stack.Stack) []stack.Workflow { return s.Workflows }, func(w stack.Workflow) bool { return w.Name == f.Name })
		p.after = slices.ContainsFunc(p.jobs, func(j *job) bool { return j.role == role && !j.atOnce })
		p.settle(a, known && was == f)
		p.after = false
	}
}

// renamed reports whether a Workflow that is there gets a class that its Worker does not have yet.
func (p *planner) renamed(f stack.Workflow, have liveWorkflow) bool {
	had := func(w stack.Workflow) bool { return w.Class == f.Class && w.Role == f.Role }
	return (have.Class != f.Class || have.Script != p.Unit.Script(f.Role)) && !slices.ContainsFunc(p.live.manifest.Stack.Workflows, had)
}

// liveConsumer is who gets a queue's messages. The API calls its Worker by several names.
type liveConsumer struct {
	ID         string           `json:"consumer_id"`
	Type       string           `json:"type"`
	Script     string           `json:"script"`
	ScriptName string           `json:"script_name"`
	Service    string           `json:"service"`
	DeadLetter string           `json:"dead_letter_queue"`
	Settings   consumerSettings `json:"settings"`
}

func (c liveConsumer) script() string {
	for _, name := range []string{c.ScriptName, c.Script, c.Service} {
		if name != "" {
			return name
		}
	}
	return ""
}

type consumerSettings struct {
	BatchSize      int   `json:"batch_size"`
	MaxRetries     int   `json:"max_retries"`
	MaxWaitMillis  int64 `json:"max_wait_time_ms"`
	MaxConcurrency *int  `json:"max_concurrency,omitempty"`
	RetryDelay     int   `json:"retry_delay"`
}

// wantedConsumer is a consumer as the API takes it.
type wantedConsumer struct {
	Type       string           `json:"type"`
	Script     string           `json:"script_name"`
	DeadLetter string           `json:"dead_letter_queue,omitempty"`
	Settings   consumerSettings `json:"settings"`
}

func (d *Desired) consumer(q stack.Queue) wantedConsumer {
	c := wantedConsumer{Type: "worker", Script: d.Unit.Script(q.Consumer), Settings: consumerSettings{
		BatchSize: q.MaxBatchSize, MaxRetries: q.MaxRetries, MaxWaitMillis: q.MaxWaitTime.Milliseconds(), RetryDelay: int(q.RetryDelay / time.Second),
	}}
	if q.DeadLetter != "" {
		c.DeadLetter = d.Unit.Name(q.DeadLetter)
	}
	if q.MaxConcurrency > 0 {
		c.Settings.MaxConcurrency = &q.MaxConcurrency
	}
	return c
}

func (p *planner) consumers() {
	for _, q := range p.desired.Stack.Queues {
		if q.Consumer != "" {
			p.consumer(q)
		}
	}
}

func (p *planner) consumer(q stack.Queue) {
	queue, want := p.Unit.Name(q.Name), p.desired.consumer(q)
	a := Action{Op: Create, Kind: "consumer", Name: queue + " -> " + want.Script}
	var have *liveConsumer
	if l := p.live.queues[queue]; l != nil {
		if i := slices.IndexFunc(l.Consumers, func(c liveConsumer) bool { return c.Type == "" || c.Type == "worker" }); i >= 0 {
			have = &l.Consumers[i]
		}
	}
	if have == nil {
		a.do = func(ctx context.Context, r *run) error {
			path := r.account.Path("queues", r.queues.id(queue), "consumers")
			err := r.account.Do(ctx, http.MethodPost, path, want, nil)
			if err == nil {
				return nil
			}
			var now []liveConsumer
			lookup := r.account.Get(ctx, path, &now)
			return orThere(err, lookup, now, func(c liveConsumer) bool { return c.script() == want.Script }, func(liveConsumer) {})
		}
		p.add(a)
		return
	}
	if have.script() != want.Script {
		a.Why = append(a.Why, fmt.Sprintf("its messages go to %s", have.script()))
	}
	if have.DeadLetter != want.DeadLetter {
		a.Why = append(a.Why, fmt.Sprintf("dead letters %s -> %s", short(have.DeadLetter), short(want.DeadLetter)))
	}
	a.Why = append(a.Why, diff("", want.Settings, have.Settings)...)
	id := have.ID
	a.do = func(ctx context.Context, r *run) error {
		return r.account.Do(ctx, http.MethodPut, r.account.Path("queues", r.queues.id(queue), "consumers", id), want, nil)
	}
	was, known := before(p, func(s *stack.Stack) []stack.Queue { return s.Queues }, func(x stack.Queue) bool { return x.Name == q.Name })
	p.settle(a, known && was == q)
}

// crons replaces a Worker's schedules, also by none.
func (p *planner) crons(w stack.Worker) {
	script := p.Unit.Script(w.Role)
	want := slices.Sorted(slices.Values(w.Crons))
	var have []string
	if s := p.live.scripts[script]; s != nil {
		have = s.crons
	}
	if len(want) == 0 && len(have) == 0 {
		return
	}
	a := Action{Op: Create, Kind: "crons", Name: script, do: func(ctx context.Context, r *run) error {
		body := make([]map[string]string, 0, len(want))
		for _, c := range want {
			body = append(body, map[string]string{"cron": c})
		}
		return r.account.Do(ctx, http.MethodPut, r.account.Path("workers", "scripts", script, "schedules"), body, nil)
	}}
	if len(have) == 0 && p.live.scripts[script] == nil {
		p.add(a)
		return
	}
	if !slices.Equal(want, have) {
		a.Why = []string{fmt.Sprintf("[%s] -> [%s]", strings.Join(have, ", "), strings.Join(want, ", "))}
	}
	was, known := p.live.manifest.Stack.Worker(w.Role)
	p.settle(a, known && slices.Equal(was.Crons, w.Crons))
}

// addresses are where the public Worker answers, and that no other does.
func (p *planner) addresses() {
	for _, w := range p.desired.Stack.Workers {
		p.workersDev(w)
		if !w.Public {
			continue
		}
		for _, host := range p.desired.Stack.Domains {
			p.domain(host, p.Unit.Script(w.Role))
		}
		for _, r := range p.desired.Stack.Routes {
			p.route(r, p.Unit.Script(w.Role))
		}
		p.detach(p.Unit.Script(w.Role))
	}
}

// detach takes away the addresses that lead to the public Worker and are not wanted any more: the tenant may be served elsewhere by now.
func (p *planner) detach(script string) {
	away := func(kind, name, path string, known bool) {
		a := Action{Kind: kind, Name: name, Why: []string{"not wanted any more: it is taken away"}, do: func(ctx context.Context, r *run) error {
			err := r.account.Do(ctx, http.MethodDelete, path, nil, nil)
			if account.IsStatus(err, http.StatusNotFound) {
				return nil
			}
			return err
		}}
		p.settle(a, !known) // who put it there if no release did?
	}
	noted := &p.live.manifest.Stack
	for _, host := range slices.Sorted(maps.Keys(p.live.domains)) {
		if d := p.live.domains[host]; d.Script == script && !slices.Contains(p.desired.Stack.Domains, host) {
			away("domain", host, p.account.Path("workers", "domains", d.ID), slices.Contains(noted.Domains, host))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.live.routes)) {
		zone := p.live.routes[name]
		for _, r := range zone.all {
			want := stack.Route{Pattern: r.Pattern, Zone: name}
			if r.Script == script && !slices.Contains(p.desired.Stack.Routes, want) {
				away("route", r.Pattern, account.Join("zones", zone.id, "workers", "routes", r.ID), slices.Contains(noted.Routes, want))
			}
		}
	}
}

// workersDev turns the address that every Worker could have on or off.
func (p *planner) workersDev(w stack.Worker) {
	script := p.Unit.Script(w.Role)
	want := devAddress{Enabled: w.Public && p.desired.Stack.WorkersDev}
	a := Action{Op: Create, Kind: "workers.dev", Name: script, do: func(ctx context.Context, r *run) error {
		return r.setDev(ctx, script, want)
	}}
	s := p.live.scripts[script]
	if s == nil {
		if want.Enabled { // it is turned off with the first upload otherwise
			p.add(a)
		}
		return
	}
	a.Why = diff("", want, s.dev)
	if len(a.Why) == 0 && !want.Enabled {
		return // nothing to show
	}
	p.settle(a, p.live.manifest.Stack.WorkersDev == p.desired.Stack.WorkersDev)
}

func (r *run) setDev(ctx context.Context, script string, to devAddress) error {
	return r.account.Set(ctx, r.account.Path("workers", "scripts", script, "subdomain"), to, nil)
}

func (p *planner) domain(host, script string) {
	a := Action{Op: Create, Kind: "domain", Name: host, do: func(ctx context.Context, r *run) error {
		body := map[string]string{"hostname": host, "service": script, "environment": "production"}
		return r.account.Do(ctx, http.MethodPut, r.account.Path("workers", "domains"), body, nil)
	}}
	switch leads := p.live.domains[host].Script; {
	case p.live.uncovered[host]:
		a = Action{Op: Refuse, Kind: "domain", Name: host, Why: []string{"it is in no zone that the token sees: is the zone in this account, and Zone Read the token's?"}}
	case leads == "":
	case leads == script:
		a.Op, a.do = Same, nil
	default:
		a = Action{Op: Refuse, Kind: "domain", Name: host, Why: []string{"it leads to " + leads + ": take it away there first"}}
	}
	p.add(a)
}

func (p *planner) route(want stack.Route, script string) {
	a := Action{Op: Create, Kind: "route", Name: want.Pattern}
	zone := p.live.routes[want.Zone]
	if zone.id == "" {
		p.add(Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{"the token sees no zone " + want.Zone + ": is it in the account, and the token's?"}})
		return
	}
	path := account.Join("zones", zone.id, "workers", "routes")
	body := map[string]string{"pattern": want.Pattern, "script": script}
	i := slices.IndexFunc(zone.all, func(r liveRoute) bool { return r.Pattern == want.Pattern })
	switch {
	case i < 0:
		a.do = func(ctx context.Context, r *run) error {
			err := r.account.Do(ctx, http.MethodPost, path, body, nil)
			if err == nil {
				return nil
			}
			var now []liveRoute
			lookup := r.account.Get(ctx, path, &now)
			return orThere(err, lookup, now, func(x liveRoute) bool { return x.Pattern == want.Pattern && x.Script == script }, func(liveRoute) {})
		}
	case zone.all[i].Script == script:
		a.Op = Same
	case zone.all[i].Script == "":
		id := zone.all[i].ID
		a.Op, a.Why = Drift, []string{"it leads to no Worker"}
		a.do = func(ctx context.Context, r *run) error {
			return r.account.Do(ctx, http.MethodPut, path+"/"+id, body, nil)
		}
	default:
		a.Op, a.Why = Refuse, []string{"it leads to " + zone.all[i].Script + ": take it away there first"}
	}
	p.add(a)
}
