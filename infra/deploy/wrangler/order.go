package wrangler

import (
	"fmt"
	"slices"
	"strings"

	"levada.dev/infra/stack"
)

// order puts each Worker after those whose classes, Workflows and entry points it binds, which have to be there first, and leaves the table's
// order else. A circle is an error: nobody could go first.
func (p *Pool) order() ([]stack.Worker, error) {
	var ordered []stack.Worker
	var visit func(w stack.Worker, above []string) error
	visit = func(w stack.Worker, above []string) error {
		if slices.ContainsFunc(ordered, func(o stack.Worker) bool { return o.Role == w.Role }) {
			return nil
		}
		above = append(slices.Clone(above), string(w.Role))
		if slices.Contains(above[:len(above)-1], string(w.Role)) {
			return fmt.Errorf("the Workers %s bind each other: none could be deployed first", strings.Join(above, " -> "))
		}
		for _, b := range w.Bindings {
			role, other := p.home(b)
			if !other || role == w.Role {
				continue
			}
			before, ok := p.Stack.Worker(role)
			if !ok {
				return fmt.Errorf("worker %q: binding %q: there is no worker %q", w.Role, b.Name, role)
			}
			if err := visit(before, above); err != nil {
				return err
			}
		}
		ordered = append(ordered, w)
		return nil
	}
	for _, w := range p.Stack.Workers {
		if err := visit(w, nil); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

// home is the Worker that has what is bound, if a Worker has it.
func (p *Pool) home(b stack.Binding) (stack.Role, bool) {
	switch b.Kind {
	case stack.Class:
		if i := slices.IndexFunc(p.Stack.Objects, func(o stack.Object) bool { return o.Class == b.Target }); i >= 0 {
			return p.Stack.Objects[i].Role, true
		}
	case stack.Flow:
		if i := slices.IndexFunc(p.Stack.Workflows, func(f stack.Workflow) bool { return f.Name == b.Target }); i >= 0 {
			return p.Stack.Workflows[i].Role, true
		}
	case stack.Service:
		return stack.Role(b.Target), true
	}
	return "", false
}
