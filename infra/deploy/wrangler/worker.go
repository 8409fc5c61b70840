package wrangler

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// config is the file of one Worker.
func (p *Pool) config(w stack.Worker) ([]byte, error) {
	c := config{
		Schema:    path.Join("..", p.Schema),
		Name:      p.Unit.Script(w.Role),
		AccountID: p.Account,
		// What was built is uploaded as it is: wrangler would bundle the modules into one, and so run others than were tested.
		Main: path.Join("..", p.Built, string(w.Role), "worker.mjs"), NoBundle: true, FindAdditionalModules: true,
		Rules: []rule{
			{Type: "ESModule", Globs: []string{"**/*.mjs", "**/*.js"}},
			{Type: "CompiledWasm", Globs: []string{"**/*.wasm"}},
		},
		CompatibilityDate: w.CompatibilityDate, CompatibilityFlags: w.CompatibilityFlags,
		Vars:          p.Stack.VarsOf(w),
		Migrations:    p.migrations(w.Role),
		Triggers:      triggers{Crons: append([]string{}, w.Crons...)},
		Observability: observe(p.Stack.Observability),
	}
	if w.Public {
		c.WorkersDev, c.Routes = p.Stack.WorkersDev, p.routes()
	}
	if len(w.Secrets) > 0 {
		c.Secrets = &required{w.Secrets}
	}
	if a := w.Assets; a != nil {
		c.Assets = &assets{Directory: path.Join("..", p.Built, build.AssetsFolder(w.Role)), HTMLHandling: a.HTMLHandling, NotFoundHandling: a.NotFoundHandling, RunWorkerFirst: a.RunWorkerFirst()}
	}
	if w.CPUMillis > 0 {
		c.Limits = &limits{w.CPUMillis}
	}
	for _, b := range w.Bindings {
		if err := p.bind(&c, w.Role, b); err != nil {
			return nil, err
		}
	}
	p.consume(&c, w.Role)
	if err := p.own(&c, w); err != nil {
		return nil, err
	}
	return jsonc(c, p.header(w), p.notes(w, c))
}

// routes are the addresses of the public Worker.
func (p *Pool) routes() (routes []route) {
	for _, d := range p.Stack.Domains {
		routes = append(routes, route{Pattern: d, Custom: true})
	}
	for _, r := range p.Stack.Routes {
		routes = append(routes, route{Pattern: r.Pattern, Zone: r.Zone})
	}
	return routes
}

// migrations tell the classes of Durable Objects in the order of the table: the n-th comes with the tag vn. So a class at its end is a new
// step, and one in between would be a lie about the past.
func (p *Pool) migrations(role stack.Role) (steps []migration) {
	for i, o := range p.Stack.ObjectsOf(role) {
		steps = append(steps, migration{Tag: fmt.Sprintf("v%d", i+1), Classes: []string{o.Class}})
	}
	return steps
}

// observe is never with the platform's own line for each event, which has the request's address and headers. So it says of logs what is wanted, also where that is none.
func observe(o stack.Observability) observability {
	part := func(percent int, to string) *sampled {
		s := &sampled{Enabled: percent > 0, Rate: float64(percent) / 100}
		if to != "" {
			s.Destinations = []string{to}
		}
		return s
	}
	all := observability{Enabled: o.Logs > 0 || o.Traces > 0, Logs: part(o.Logs, o.LogsTo)}
	all.Logs.Invocations = new(bool)
	if o.Traces > 0 {
		all.Traces = part(o.Traces, o.TracesTo)
	}
	return all
}

// bind adds one binding of the table.
func (p *Pool) bind(c *config, role stack.Role, b stack.Binding) error {
	switch b.Kind {
	case stack.KV:
		c.KV = append(c.KV, namespace{b.Name, p.namespaceID(b.Target)})
	case stack.R2:
		c.R2 = append(c.R2, bucket{b.Name, p.Unit.Name(b.Target)})
	case stack.Producer:
		if c.Queues == nil {
			c.Queues = &queues{}
		}
		c.Queues.Producers = append(c.Queues.Producers, producer{b.Name, p.Unit.Name(b.Target)})
	case stack.Vectorize:
		c.Vectorize = append(c.Vectorize, index{b.Name, p.Unit.Name(b.Target)})
	case stack.Service:
		c.Services = append(c.Services, service{b.Name, p.Unit.Script(stack.Role(b.Target))})
	case stack.Class:
		if c.Objects == nil {
			c.Objects = &objects{}
		}
		c.Objects.Bindings = append(c.Objects.Bindings, object{b.Name, b.Target, p.elsewhere(role, b)})
	case stack.Flow:
		c.Workflows = append(c.Workflows, workflow{b.Name, p.Unit.Name(b.Target), p.classOf(b.Target), p.elsewhere(role, b)})
	case stack.Analytics:
		c.Datasets = append(c.Datasets, dataset{b.Name, p.Unit.Dataset(b.Target)})
	case stack.AI:
		return one(&c.AI, b)
	case stack.Version:
		return one(&c.VersionMetadata, b)
	case stack.GatewayID:
		if c.Vars == nil {
			c.Vars = map[string]string{}
		}
		c.Vars[b.Name] = p.Unit.Name(b.Target)
	default:
		return fmt.Errorf("binding %q: %q is nothing that a configuration can say", b.Name, b.Kind)
	}
	return nil
}

// one sets a binding that wrangler knows one of.
func one(place **named, b stack.Binding) error {
	if *place != nil {
		return fmt.Errorf("bindings %q and %q: wrangler knows one of the type %s", (*place).Binding, b.Name, b.Kind)
	}
	*place = &named{b.Name}
	return nil
}

// namespaceID is the id of a namespace, or what stands for it.
func (p *Pool) namespaceID(name string) string {
	if id := p.Namespaces[name]; id != "" {
		return id
	}
	return "<id of " + p.Unit.Name(name) + ">"
}

// elsewhere is the script that has what is bound, when it is not the Worker itself.
func (p *Pool) elsewhere(role stack.Role, b stack.Binding) string {
	if home := p.Stack.Home(b); home != role {
		return p.Unit.Script(home)
	}
	return ""
}

func (p *Pool) classOf(workflow string) string {
	for _, f := range p.Stack.Workflows {
		if f.Name == workflow {
			return f.Class
		}
	}
	return ""
}

// consume adds the queues whose batches the Worker receives.
func (p *Pool) consume(c *config, role stack.Role) {
	for _, q := range p.Stack.Queues {
		if q.Consumer != role {
			continue
		}
		if c.Queues == nil {
			c.Queues = &queues{}
		}
		one := consumer{
			Queue: p.Unit.Name(q.Name), MaxBatchSize: q.MaxBatchSize, MaxWait: int(q.MaxWaitTime / time.Second),
			MaxRetries: q.MaxRetries, RetryDelay: int(q.RetryDelay / time.Second), MaxConcurrency: q.MaxConcurrency,
		}
		if q.DeadLetter != "" {
			one.DeadLetter = p.Unit.Name(q.DeadLetter)
		}
		c.Queues.Consumers = append(c.Queues.Consumers, one)
	}
}

// own adds a binding for each of the Worker's own Workflows that it does not bind: wrangler makes those that a Worker binds, and no others.
func (p *Pool) own(c *config, w stack.Worker) error {
	for _, f := range p.Stack.WorkflowsOf(w.Role) {
		if slices.ContainsFunc(c.Workflows, func(o workflow) bool { return o.Name == p.Unit.Name(f.Name) }) {
			continue
		}
		name := strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if slices.ContainsFunc(w.Bindings, func(b stack.Binding) bool { return b.Name == name }) || w.Vars[name] != "" || slices.Contains(w.Secrets, name) {
			return fmt.Errorf("workflow %q: wrangler makes it by a binding, and %q is the name of another", f.Name, name)
		}
		c.Workflows = append(c.Workflows, workflow{Binding: name, Name: p.Unit.Name(f.Name), Class: f.Class})
	}
	return nil
}
