package lexicon

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

const (
	maxFilter     = 2048 // bytes of JSON, exclusive: as the index of the vectors has it
	maxConditions = 40   // SQLite takes 100 values for a statement
	maxText       = 64   // bytes of a string that are compared: as the index of the vectors has it
)

// Condition is one comparison of a filter; all of them have to hold.
type Condition struct {
	Field    string // "meta.year"
	Operator string // "$gte"
	Values   []any  // as Fields has them: text that begins with its kind, numbers, nil; one of them unless for $in and $nin
}

// The kinds that values begin with which are no numbers, so that a comparison never takes one kind for another.
const (
	text    = "s"
	boolean = "b"
)

// Fields are the values of a passage that filters compare, by the names that these have for them: strings ("s" and the beginning),
// numbers, booleans ("b0", "b1"). What is no value of these kinds is not there.
func Fields(m corpus.Metadata) map[string]any {
	fields := map[string]any{
		"docId": value(m.DocID), "generation": float64(m.Generation), "chunk": float64(m.Chunk),
		"start": float64(m.Start), "end": float64(m.End),
	}
	if m.Source != "" {
		fields["source"] = value(m.Source)
	}
	if m.Heading != "" {
		fields["heading"] = value(m.Heading)
	}
	flatten(fields, "meta", m.Meta)
	return fields
}

// flatten adds what is in an object under names with dots. A name that has a dot itself is out of every filter's reach.
func flatten(fields map[string]any, name string, object map[string]any) {
	for key, v := range object {
		if strings.Contains(key, ".") {
			continue
		}
		if inner, ok := v.(map[string]any); ok {
			flatten(fields, name+"."+key, inner)
		} else if v = value(v); v != nil {
			fields[name+"."+key] = v
		}
	}
}

// value is a value as it is compared; nil for what cannot be.
func value(v any) any {
	switch v := v.(type) {
	case string:
		end := min(len(v), maxText)
		for end < len(v) && end > 0 && !utf8.RuneStart(v[end]) {
			end--
		}
		return text + v[:end]
	case bool:
		if v {
			return boolean + "1"
		}
		return boolean + "0"
	case float64:
		return v
	case int:
		return float64(v)
	}
	return nil
}

// Whole are the strings that values stand for, nil when one of them is no string or may be the beginning of others.
func Whole(values []any) []string {
	var all []string
	for _, v := range values {
		s, is := v.(string)
		s, cut := strings.CutPrefix(s, text)
		if !is || !cut || len(s) >= maxText-utf8.UTFMax {
			return nil
		}
		all = append(all, s)
	}
	return all
}

// ReadFilter reads the language of a query's filter, which is that of the vectors' index, and refuses what that does. No filter is none.
func ReadFilter(raw json.RawMessage) ([]Condition, error) {
	bad := func(name, why string) error { return fault.Invalidf("filter"+name, "filter_invalid", "%s", why) }
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if len(raw) >= maxFilter {
		return nil, bad("", "is too long")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, bad("", "is not an object")
	}
	var all []Condition
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == "" || strings.HasPrefix(name, "$") || strings.Contains(name, `"`) || len(name) > 512 {
			return nil, bad("", "has a field that is no name")
		}
		operators := map[string]json.RawMessage{"$eq": fields[name]}
		if bytes.HasPrefix(bytes.TrimSpace(fields[name]), []byte("{")) {
			operators = nil
			if err := json.Unmarshal(fields[name], &operators); err != nil || len(operators) == 0 {
				return nil, bad("."+name, "has no operator")
			}
		}
		for _, op := range slices.Sorted(maps.Keys(operators)) {
			c := Condition{Field: name, Operator: op}
			if why := c.read(operators[op]); why != "" {
				return nil, bad("."+name, why)
			}
			all = append(all, c)
		}
	}
	if len(all) > maxConditions {
		return nil, bad("", "has too many conditions")
	}
	return all, nil
}

// read reads what a field is compared with.
func (c *Condition) read(raw json.RawMessage) (problem string) {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return "is not JSON"
	}
	switch c.Operator {
	case "$eq", "$ne":
		if value(v) == nil && v != nil {
			return c.Operator + " takes a string, a number, a boolean or null"
		}
		c.Values = []any{value(v)}
	case "$lt", "$lte", "$gt", "$gte":
		if _, is := v.(bool); is || value(v) == nil {
			return c.Operator + " takes a string or a number"
		}
		c.Values = []any{value(v)}
	case "$in", "$nin":
		list, _ := v.([]any)
		if len(list) == 0 {
			return c.Operator + " takes a list"
		}
		for _, v := range list {
			if value(v) == nil {
				return c.Operator + " takes a list of strings, numbers or booleans"
			}
			c.Values = append(c.Values, value(v))
		}
	default:
		return "there is no operator " + c.Operator
	}
	return ""
}
