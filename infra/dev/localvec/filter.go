package localvec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// value is an indexed property: its kind is empty where the vector has none.
type value struct {
	kind   Kind
	text   string
	number float64 // also a boolean's 0 or 1
}

func valueOf(v any) value {
	switch v := v.(type) {
	case string:
		return value{kind: String, text: truncate(v)}
	case float64:
		return value{kind: Number, number: v}
	case bool:
		if v {
			return value{kind: Boolean, number: 1}
		}
		return value{kind: Boolean}
	}
	return value{}
}

func (v value) compare(w value) int {
	if v.kind == String {
		return strings.Compare(v.text, w.text)
	}
	return cmp.Compare(v.number, w.number)
}

// at reads a property, nested ones with dots.
func at(object map[string]any, path string) any {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		return object[name]
	}
	inner, _ := object[name].(map[string]any)
	return at(inner, rest)
}

// test is one condition of a filter. All must hold.
type test struct {
	property int // in index.properties
	operator string
	values   []value
}

func (t test) passes(indexed []value) bool {
	var have value
	if indexed != nil {
		have = indexed[t.property]
	}
	switch t.operator {
	case "$eq", "$in":
		return slices.Contains(t.values, have)
	case "$ne", "$nin":
		return !slices.Contains(t.values, have)
	}
	want := t.values[0]
	if have.kind == "" || have.kind != want.kind {
		return false
	}
	order := have.compare(want)
	switch t.operator {
	case "$lt":
		return order < 0
	case "$lte":
		return order <= 0
	case "$gt":
		return order > 0
	default:
		return order >= 0
	}
}

// readFilter reads a filter and refuses what the platform does:
// https://developers.cloudflare.com/vectorize/reference/metadata-filtering/
// A property without a metadata index is refused too, where the platform would
// find nothing.
func (ix *index) readFilter(raw json.RawMessage) ([]test, error) {
	var compact bytes.Buffer
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	if err := json.Compact(&compact, raw); err != nil {
		return nil, refuse(codeFilter, "filter: %v", err)
	}
	if compact.Len() >= maxFilterBytes {
		return nil, refuse(codeFilter, "filter: the compact JSON must be less than %d bytes, got %d", maxFilterBytes, compact.Len())
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil || len(fields) == 0 {
		return nil, refuse(codeFilter, "filter must be a non-empty object")
	}
	var tests []test
	for _, property := range slices.Sorted(maps.Keys(fields)) {
		n, err := ix.property(property)
		if err != nil {
			return nil, err
		}
		operators, isObject := fields[property].(map[string]any)
		if !isObject {
			operators = map[string]any{"$eq": fields[property]}
		}
		if len(operators) == 0 {
			return nil, refuse(codeFilter, "filter.%s has no operator", property)
		}
		for _, operator := range slices.Sorted(maps.Keys(operators)) {
			t, err := readTest(property, operator, operators[operator])
			if err != nil {
				return nil, err
			}
			t.property = n
			tests = append(tests, t)
		}
	}
	return tests, nil
}

func (ix *index) property(name string) (int, error) {
	if strings.HasPrefix(name, "$") {
		return 0, refuse(codeFilter, "filter key %q must not start with $: conditions are joined by AND only", name)
	}
	n, indexed := slices.BinarySearch(ix.properties, name)
	if !indexed {
		return 0, refuse(codeFilter, "filter.%s has no metadata index", name)
	}
	return n, nil
}

func readTest(property, operator string, raw any) (test, error) {
	t := test{operator: operator}
	list, isList := raw.([]any)
	switch operator {
	case "$in", "$nin":
		if !isList || len(list) == 0 {
			return t, refuse(codeFilter, "filter.%s.%s takes a list of values", property, operator)
		}
	case "$eq", "$ne", "$lt", "$lte", "$gt", "$gte":
		list = []any{raw}
	default:
		return t, refuse(codeFilter, "filter.%s has the unknown operator %s; known are $eq $ne $in $nin $lt $lte $gt $gte", property, operator)
	}
	for _, item := range list {
		v := valueOf(item)
		orders := strings.HasPrefix(operator, "$l") || strings.HasPrefix(operator, "$g")
		switch {
		case v.kind == "" && (item != nil || orders || operator == "$in" || operator == "$nin"):
			return t, refuse(codeFilter, "filter.%s.%s takes strings, numbers and booleans", property, operator)
		case orders && v.kind == Boolean:
			return t, refuse(codeFilter, "filter.%s.%s takes a string or a number", property, operator)
		}
		t.values = append(t.values, v)
	}
	return t, nil
}

func passes(tests []test, indexed []value) bool {
	for _, t := range tests {
		if !t.passes(indexed) {
			return false
		}
	}
	return true
}
