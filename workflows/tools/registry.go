package tools

import (
	"encoding/json"
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

func (t Tool) check() error {
	var schema struct {
		Type string `json:"type"`
	}
	switch {
	case t.Name == "" || len(t.Name) > maxName || strings.Trim(t.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return fault.Invalidf("name", "tool_invalid", "is not 1 to %d lower-case letters, digits and underscores", maxName)
	case t.Description == "":
		return fault.Invalidf("description", "tool_invalid", "is empty")
	case json.Unmarshal(t.Schema, &schema) != nil || schema.Type != "object":
		return fault.Invalidf("schema", "tool_invalid", "is no JSON Schema of an object")
	case t.Run == nil:
		return fault.Invalidf("run", "tool_invalid", "does nothing")
	}
	return nil
}

// Find is a tool by its name; fault.NotFound, code tool_not_found, when there is none.
func (r *Registry) Find(name string) (Tool, error) {
	i, found := slices.BinarySearchFunc(r.tools, name, func(t Tool, name string) int { return strings.Compare(t.Name, name) })
	if !found {
		return Tool{}, fault.Missing("tool_not_found", "there is no tool %.64q", name)
	}
	return r.tools[i], nil
}

// List is every tool, by name.
func (r *Registry) List() []Tool { return slices.Clone(r.tools) }
