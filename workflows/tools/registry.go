package tools

import (
	"fmt"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

// Registry is tools by name. It is safe for concurrent use.
type Registry struct{ tools []Tool }

// New makes a registry. Two tools of one name, and one that nobody could call, are refused.
func New(tools ...Tool) (*Registry, error) {
	r := &Registry{slices.Clone(tools)}
	slices.SortFunc(r.tools, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range r.tools {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("tool %q: %w", t.Name, err)
		}
		if i > 0 && r.tools[i-1].Name == t.Name {
			return nil, fault.Invalidf("name", "tool_invalid", "there are two tools %q", t.Name)
		}
	}
	return r, nil
}

// maxName is the longest name that the models' interfaces take.
const maxName = 64

// check refuses what could not be called. Schemas are not compiled for it: a test does.
func (t *Tool) check() error {
	switch {
	case t.Name == "" || len(t.Name) > maxName || strings.Trim(t.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return fault.Invalidf("name", "tool_invalid", "is not 1 to %d lower-case letters, digits and underscores", maxName)
	case t.Description == "":
		return fault.Invalidf("description", "tool_invalid", "is empty")
	case t.Input == nil || t.Output == nil:
		return fault.Invalidf("input", "tool_invalid", "input and output need a schema")
	case t.Timeout < 0 || t.Timeout > MaxTimeout:
		return fault.Invalidf("timeout", "tool_invalid", "is not between 0 and %v", MaxTimeout)
	case !slices.Contains([]Cost{Free, Compute, Models, Outside}, t.Cost):
		return fault.Invalidf("cost", "tool_invalid", "%q is no class of cost", t.Cost)
	case !slices.Contains([]Effects{NoEffects, Reads, Writes}, t.Effects):
		return fault.Invalidf("effects", "tool_invalid", "%q is no kind of effects", t.Effects)
	case t.Run == nil:
		return fault.Invalidf("run", "tool_invalid", "does nothing")
	}
	return nil
}

// Find is a tool by its name; fault.NotFound when there is none.
func (r *Registry) Find(name string) (Tool, error) {
	i, found := slices.BinarySearchFunc(r.tools, name, func(t Tool, name string) int { return strings.Compare(t.Name, name) })
	if !found {
		return Tool{}, fault.Missing(CodeNotFound, "there is no tool %.64q", name)
	}
	return r.tools[i], nil
}

// List is every tool, by name.
func (r *Registry) List() []Tool { return slices.Clone(r.tools) }
