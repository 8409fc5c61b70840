package validate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"levada.dev/tenants"
)

// argument is what a tool's schema says of an argument, as far as a policy can be held against it.
type argument struct {
	Type      any       `json:"type"`
	Enum      []any     `json:"enum"`
	Minimum   *float64  `json:"minimum"`
	Maximum   *float64  `json:"maximum"`
	MinLength int       `json:"minLength"`
	MaxLength *int      `json:"maxLength"`
	Items     *argument `json:"items"`

	Properties map[string]*argument `json:"properties"`
	Additional any                  `json:"additionalProperties"`
}

// checkPolicies refuses a policy that bounds nothing, or that lets no call pass. Tools whose schema is not known have every policy.
func (s *set) checkPolicies(m member, inputs map[string]json.RawMessage) {
	for i, p := range m.config.Tools.Policies {
		at := fmt.Sprintf("tools.policies[%d]", i)
		known := slices.ContainsFunc(s.problems, func(q tenants.Problem) bool { return q.File == m.file && inside(q.Path, at) })
		var input argument
		if known || json.Unmarshal(schemaOf(m.config, p.Tool, inputs), &input) != nil {
			continue
		}
		a, names := input.find(strings.Split(p.Argument, "."))
		if names != nil {
			hint := "one of " + strings.Join(names, ", ")
			if best, ok := tenants.Closest(p.Argument, names); ok {
				hint = fmt.Sprintf("did you mean %q?", best)
			} else if len(names) == 0 {
				hint = "name the argument itself"
			}
			s.add(m.file, at+".argument", hint, "%.64q is not an argument of %s", p.Argument, p.Tool)
			continue
		}
		if a != nil {
			s.checkPolicy(m.file, at, p, a)
		}
	}
}

// schemaOf is the schema of what a tool takes: the tenant's own, or the platform's.
func schemaOf(c *tenants.Config, tool string, inputs map[string]json.RawMessage) json.RawMessage {
	for _, t := range c.Tools.HTTP {
		if t.Name == tool {
			return t.Input
		}
	}
	return inputs[tool]
}

// find is the argument at a path: nil where the schema leaves open what is there. names are those that it could have been where there is none.
func (a *argument) find(path []string) (found *argument, names []string) {
	for _, name := range path {
		for a.Items != nil {
			a = a.Items
		}
		next := a.Properties[name]
		switch {
		case next != nil:
			a = next
		case a.Additional == false || a.kind() != "" && a.kind() != "object":
			return nil, append([]string{}, slices.Sorted(maps.Keys(a.Properties))...)
		default:
			return nil, nil
		}
	}
	for a.Items != nil { // a list is bounded item by item
		a = a.Items
	}
	return a, nil
}

// kind is the one type that values have; "" when the schema leaves it open.
func (a *argument) kind() string {
	kind, _ := a.Type.(string)
	return kind
}

func (a *argument) number() bool { return a.kind() == "number" || a.kind() == "integer" }

// checkPolicy holds a policy against what the tool takes.
func (s *set) checkPolicy(file, at string, p tenants.Policy, a *argument) {
	numbers := a.number() || a.kind() == ""
	for name, bound := range map[string]*int64{".min": p.Min, ".max": p.Max} {
		switch {
		case bound == nil:
		case !numbers:
			s.add(file, at+name, "maxChars bounds how long it is, allowed what it may be", "bounds numbers, and %s.%s is of the type %s: no call would pass", p.Tool, p.Argument, a.kind())
		case name == ".max" && a.Minimum != nil && float64(*bound) < *a.Minimum:
			s.add(file, at+name, "", "is below %v, the least that %s takes: no call would pass", *a.Minimum, p.Tool)
		case name == ".min" && a.Maximum != nil && float64(*bound) > *a.Maximum:
			s.add(file, at+name, "", "is above %v, the most that %s takes: no call would pass", *a.Maximum, p.Tool)
		}
	}
	if p.MaxChars > 0 && (a.number() || a.kind() == "boolean") {
		s.add(file, at+".maxChars", "min, max and allowed bound it", "bounds texts, and %s.%s is of the type %s", p.Tool, p.Argument, a.kind())
	}
	for i, value := range p.Allowed {
		if why := a.refuses(value); why != "" {
			s.add(file, fmt.Sprintf("%s.allowed[%d]", at, i), "", "%.64q %s, and %s does not take it", value, why, p.Tool)
		}
	}
}

// refuses says why an argument cannot have a value, as a policy writes it; "" when it can.
func (a *argument) refuses(value string) string {
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case a.Enum != nil:
		for _, e := range a.Enum {
			if fmt.Sprint(e) == value {
				return ""
			}
		}
		return "is none of its values"
	case a.number() && err != nil:
		return "is no number"
	case a.Minimum != nil && n < *a.Minimum || a.Maximum != nil && n > *a.Maximum:
		return "is out of its bounds"
	case a.kind() == "boolean" && value != "true" && value != "false":
		return "is neither true nor false"
	case a.kind() == "object":
		return "is no object"
	case a.MaxLength != nil && utf8.RuneCountInString(value) > *a.MaxLength || utf8.RuneCountInString(value) < a.MinLength:
		return "is not as long as it has to be"
	}
	return ""
}
