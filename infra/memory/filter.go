package memory

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// maxFilter is how long the JSON of a filter may be:
// https://developers.cloudflare.com/vectorize/reference/metadata-filtering/.
const maxFilter = 2048

// filter is conditions that all have to hold.
type filter []condition

type condition struct {
	path     []string
	operator string
	value    any
	values   []any // of $in and $nin
}

// parseFilter reads Vectorize's filter language.
func parseFilter(raw json.RawMessage) (filter, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	bad := func(field, format string, args ...any) error {
		return fault.Invalidf("filter"+field, "filter_invalid", format, args...)
	}
	if len(raw) >= maxFilter {
		return nil, bad("", "%d bytes; it must be shorter than %d", len(raw), maxFilter)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, bad("", "is not an object")
	}
	var f filter
	for name, value := range fields {
		if name == "" || strings.HasPrefix(name, "$") || strings.ContainsAny(name, `"`) || len(name) > 512 {
			return nil, bad("", "%.40q is not a name", name)
		}
		operators := map[string]json.RawMessage{"$eq": value}
		if bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) {
			operators = nil
			if err := json.Unmarshal(value, &operators); err != nil || len(operators) == 0 {
				return nil, bad("."+name, "has no operator")
			}
		}
		for operator, operand := range operators {
			c := condition{path: strings.Split(name, "."), operator: operator}
			if err := c.read(operand); err != "" {
				return nil, bad("."+name, "%s", err)
			}
			f = append(f, c)
		}
	}
	return f, nil
}

func (c *condition) read(operand json.RawMessage) (problem string) {
	switch c.operator {
	case "$eq", "$ne":
		if json.Unmarshal(operand, &c.value) != nil || !scalar(c.value) {
			return c.operator + " takes a string, a number, a boolean or null"
		}
	case "$lt", "$lte", "$gt", "$gte":
		_ = json.Unmarshal(operand, &c.value)
		switch c.value.(type) {
		case string, float64:
		default:
			return c.operator + " takes a string or a number"
		}
	case "$in", "$nin":
		if json.Unmarshal(operand, &c.values) != nil || len(c.values) == 0 || slices.ContainsFunc(c.values, func(v any) bool { return !scalar(v) }) {
			return c.operator + " takes a list of strings, numbers, booleans or nulls"
		}
	default:
		return "there is no operator " + c.operator
	}
	return ""
}

func scalar(v any) bool {
	switch v.(type) {
	case nil, string, float64, bool:
		return true
	}
	return false
}

// matches reports whether metadata, as decoded JSON, meets every condition.
func (f filter) matches(metadata map[string]any) bool {
	for _, c := range f {
		if !c.holds(metadata) {
			return false
		}
	}
	return true
}

func (c condition) holds(metadata map[string]any) bool {
	var v any = metadata
	for _, name := range c.path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch c.operator {
	case "$eq":
		return equal(v, c.value)
	case "$ne":
		return !equal(v, c.value)
	case "$in":
		return slices.ContainsFunc(c.values, func(x any) bool { return equal(v, x) })
	case "$nin":
		return !slices.ContainsFunc(c.values, func(x any) bool { return equal(v, x) })
	}
	order, comparable := compare(v, c.value)
	switch c.operator {
	case "$lt":
		return comparable && order < 0
	case "$lte":
		return comparable && order <= 0
	case "$gt":
		return comparable && order > 0
	}
	return comparable && order >= 0
}

// maxIndexed is how many bytes of a string the index keeps to compare:
// https://developers.cloudflare.com/vectorize/reference/metadata-filtering/.
const maxIndexed = 64

// indexed is a value as the index keeps it: a string up to the last whole character of its first bytes.
func indexed(v any) any {
	s, ok := v.(string)
	if !ok || len(s) <= maxIndexed {
		return v
	}
	end := maxIndexed
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func equal(a, b any) bool { return scalar(a) && indexed(a) == indexed(b) }

func compare(a, b any) (order int, comparable bool) {
	a, b = indexed(a), indexed(b)
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case float64:
		b, ok := b.(float64)
		switch {
		case a < b:
			return -1, ok
		case a > b:
			return 1, ok
		}
		return 0, ok
	}
	return 0, false
}
