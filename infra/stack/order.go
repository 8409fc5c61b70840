package stack

import (
	"fmt"
	"slices"
	"strings"
)

// Order puts each Worker after those whose classes, Workflows and entry points it binds, which have to be there first, and leaves the table's
// order else. A circle is an error: none of its Workers could be deployed first.
func (s *Stack) Order() ([]Worker, error) {
	var ordered []Worker
	var visit func(w Worker, above []string) error
	visit = func(w Worker, above []string) error {
		if slices.ContainsFunc(ordered, func(o Worker) bool { return o.Role == w.Role }) {
			return nil
		}
		circle := slices.Contains(above, string(w.Role))
		above = append(slices.Clone(above), string(w.Role))
		if circle {
			return fmt.Errorf("the Workers %s bind each other in a circle: none could be deployed first", strings.Join(above, " -> "))
		}
		for _, b := range w.Bindings {
			before, there := s.Worker(s.Home(b))
			if !there || before.Role == w.Role {
				continue
			}
			if err := visit(before, above); err != nil {
				return err
			}
		}
		ordered = append(ordered, w)
		return nil
	}
	for _, w := range s.Workers {
		if err := visit(w, nil); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

// Home is the role of the Worker that has what a binding names; empty when no Worker has it.
func (s *Stack) Home(b Binding) Role {
	switch b.Kind {
	case Class:
		if i := slices.IndexFunc(s.Objects, func(o Object) bool { return o.Class == b.Target }); i >= 0 {
			return s.Objects[i].Role
		}
	case Flow:
		if i := slices.IndexFunc(s.Workflows, func(w Workflow) bool { return w.Name == b.Target }); i >= 0 {
			return s.Workflows[i].Role
		}
	case Service:
		return Role(b.Target)
	}
	return ""
}

// TakesDeadLetters reports whether a queue is where another one's dead letters go.
func (s *Stack) TakesDeadLetters(queue string) bool {
	return queue != "" && slices.ContainsFunc(s.Queues, func(q Queue) bool { return q.DeadLetter == queue })
}
