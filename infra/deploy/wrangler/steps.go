package wrangler

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"levada.dev/infra/stack"
)

// Step is a command of wrangler, or what it has no command for.
type Step struct {
	What string   `json:"what"`
	Args []string `json:"args,omitempty"` // of wrangler
	Note string   `json:"note,omitempty"`
}

// String is the step as a line for a shell.
func (s Step) String() string {
	if len(s.Args) == 0 {
		return "# " + s.What + ": " + s.Note
	}
	line := "npx wrangler " + strings.Join(s.Args, " ")
	if s.Note != "" {
		line += "  # " + s.Note
	}
	return line
}

// need is a resource of the pool and how it is made.
type need struct {
	kind  stack.Kind
	name  string // in the table
	steps []Step
}

// Create is what has to be there before the first deployment. wrangler would make buckets and queues by itself, but only those that
// a Worker writes to, and no dead-letter queue: so all are made first.
func (p *Pool) Create() []Step {
	var steps []Step
	for _, n := range p.needs() {
		steps = append(steps, n.steps...)
	}
	return steps
}

// needs are the pool's resources in the order in which they are made: a queue after its dead-letter queue, an index's properties with it.
func (p *Pool) needs() (needs []need) {
	add := func(kind stack.Kind, name string, steps ...Step) {
		needs = append(needs, need{kind, name, steps})
	}
	for _, q := range deadFirst(&p.Stack) {
		s := Step{What: "queue", Args: []string{"queues", "create", p.Unit.Name(q.Name)}}
		if q.Retention > 0 { // which no configuration has
			s.Args = append(s.Args, "--message-retention-period-secs="+strconv.Itoa(int(q.Retention.Seconds())))
		}
		add(stack.Producer, q.Name, s)
	}
	for _, n := range p.Stack.Namespaces {
		if p.Namespaces[n.Name] == "" { // else it is there
			add(stack.KV, n.Name, Step{What: "KV namespace", Args: []string{"kv", "namespace", "create", p.Unit.Name(n.Name)}, Note: "levada wrangler needs its id: --kv " + n.Name + "=ID, or --look-up"})
		}
	}
	for _, b := range p.Stack.Buckets {
		add(stack.R2, b.Name, Step{What: "R2 bucket", Args: []string{"r2", "bucket", "create", p.Unit.Name(b.Name)}})
	}
	for _, i := range p.Stack.Indexes {
		add(stack.Vectorize, i.Name, p.index(i)...)
	}
	if g := p.Stack.Gateway; g.Name != "" {
		add(stack.GatewayID, g.Name, p.gateway(g))
	}
	return needs
}

// gateway says what no command of wrangler does.
func (p *Pool) gateway(g stack.Gateway) Step {
	s := Step{What: "AI Gateway " + p.Unit.Name(g.Name), Note: "wrangler has no command for it; it is made in the dashboard, or by levada deploy"}
	for i, spend := range g.Spend {
		if i == 0 {
			s.Note += ". Its spend limits:"
		}
		whose := "each tenant"
		if spend.Tenant != "" {
			whose = spend.Tenant
		}
		s.Note += fmt.Sprintf(" %d USD in %d h for %s;", spend.USD, int(spend.Window.Hours()), whose)
	}
	s.Note = strings.TrimSuffix(s.Note, ";")
	return s
}

// index is an index and the properties that can be filtered on, which have to be there before the first vector.
func (p *Pool) index(i stack.Index) []Step {
	name := p.Unit.Name(i.Name)
	steps := []Step{{What: "Vectorize index", Args: []string{"vectorize", "create", name, "--dimensions=" + strconv.Itoa(i.Dimensions), "--metric=" + i.Metric}}}
	for _, m := range i.Metadata {
		steps = append(steps, Step{What: "metadata index", Args: []string{"vectorize", "create-metadata-index", name, "--propertyName=" + m.Name, "--type=" + m.Type}})
	}
	return steps
}

// deadFirst puts queues after those that get their dead letters.
func deadFirst(s *stack.Stack) []stack.Queue {
	var dead, others []stack.Queue
	for _, q := range s.Queues {
		if s.TakesDeadLetters(q.Name) {
			dead = append(dead, q)
		} else {
			others = append(others, q)
		}
	}
	return append(dead, others...)
}

// Deploy is how the pool's Workers are deployed, in the order in which that works.
func (p *Pool) Deploy() ([]Step, error) {
	workers, err := p.Stack.Order()
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, w := range workers {
		steps = append(steps, p.deploy(w))
	}
	return steps, nil
}

// deploy is the command for one Worker. Its secrets are given by the first deployment, which wrangler refuses without them, and stay.
func (p *Pool) deploy(w stack.Worker) Step {
	s := Step{What: "Worker", Args: []string{"deploy", "--config", p.configured(w.Role)}}
	if len(w.Secrets) > 0 {
		s.Note = "the first time with --secrets-file FILE, with lines of NAME=value: " + strings.Join(w.Secrets, ", ")
	}
	return s
}

// configured is the file of a role from where wrangler is called.
func (p *Pool) configured(role stack.Role) string { return path.Join(p.Dir, configPath(role)) }
