package rag

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// What the index accepts: https://developers.cloudflare.com/vectorize/reference/metadata-filtering/.
const (
	maxFilterBytes = 2048 // exclusive
	maxFilterText  = 64   // the index keeps the first 64 bytes of a string, so a longer one never equals
)

// Fields are the metadata fields a tenant's searches may filter on, with their types. Besides them every filter may
// name docId and source.
type Fields map[string]tenants.FieldType

// ParseFilter checks a filter in the public language and translates it into the index's.
//
// A filter is an object of fields; all of them must hold. A field is compared to a value, or by one operator, or
// by a lower and an upper bound:
//
//	{"docId": "guide.md", "lang": {"$in": ["en", "de"]}, "year": {"$gte": 2020, "$lt": 2024}}
//
// No filter and an empty one are nil. Mistakes are fault.Invalid with their path: "filter.year.$gt".
func ParseFilter(raw json.RawMessage, fields Fields) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	conditions, err := object(raw, "filter", "an object of fields")
	if err != nil || len(conditions) == 0 {
		return nil, err
	}
	out := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		f, err := resolve(name, fields)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendString(out, f.key), ':')
		if out, err = f.condition(out, conditions[name]); err != nil {
			return nil, err
		}
	}
	out = append(out, '}')
	if len(out) >= maxFilterBytes {
		return nil, fault.Invalidf("filter", "filter_too_long", "is %d bytes long, the index takes less than %d", len(out), maxFilterBytes).
			WithHint("name fewer values in $in and $nin")
	}
	return out, nil
}

// field is one field of a filter: where the mistakes are, what the index calls it, and its type.
type field struct {
	path string
	key  string
	kind tenants.FieldType
}

func resolve(name string, fields Fields) (field, error) {
	path := "filter." + name
	if name == "docId" || name == "source" {
		return field{path, name, tenants.FieldString}, nil
	}
	if kind, ok := fields[name]; ok {
		return field{path, "meta." + name, kind}, nil
	}
	known := append([]string{"docId", "source"}, slices.Sorted(maps.Keys(fields))...)
	return field{}, fault.Invalidf(path, "filter_unknown_field", "searches cannot filter on %.64q", name).
		WithHint("filterable are " + strings.Join(known, ", "))
}

// condition appends the condition on the field: a value is an equality.
func (f field) condition(out []byte, raw json.RawMessage) ([]byte, error) {
	if kindOf(raw) != "an object" {
		out = append(out, `{"$eq":`...)
		out, err := f.value(out, raw, f.path)
		return append(out, '}'), err
	}
	operators, err := object(raw, f.path, "")
	if err != nil {
		return nil, err
	}
	if err := f.combination(operators); err != nil {
		return nil, err
	}
	out = append(out, '{')
	for i, op := range slices.Sorted(maps.Keys(operators)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, op), ':')
		path := f.path + "." + op
		if op == "$in" || op == "$nin" {
			out, err = f.list(out, operators[op], path)
		} else {
			out, err = f.value(out, operators[op], path)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// combination allows one operator, or one lower with one upper bound; nothing else has a meaning in the index.
func (f field) combination(operators map[string]json.RawMessage) error {
	var lower, upper, other int
	for _, op := range slices.Sorted(maps.Keys(operators)) {
		switch op {
		case "$gt", "$gte":
			lower++
		case "$lt", "$lte":
			upper++
		case "$eq", "$ne", "$in", "$nin":
			other++
			continue
		default:
			return fault.Invalidf(f.path+"."+op, "filter_unknown_operator", "%.64q is not an operator", op).
				WithHint("operators are $eq, $ne, $in, $nin, $lt, $lte, $gt, $gte")
		}
		if f.kind == tenants.FieldBoolean {
			return fault.Invalidf(f.path+"."+op, "filter_operator_type", "%s does not apply to a boolean", op)
		}
	}
	if other+lower+upper == 1 || (other == 0 && lower == 1 && upper == 1) {
		return nil
	}
	return fault.Invalidf(f.path, "filter_combination", "takes one operator, or one lower and one upper bound")
}

func (f field) list(out []byte, raw json.RawMessage, path string) ([]byte, error) {
	var items []json.RawMessage
	if kindOf(raw) != "an array" || json.Unmarshal(raw, &items) != nil {
		return nil, fault.Invalidf(path, "invalid_type", "expected an array, got %s", kindOf(raw))
	}
	if len(items) == 0 {
		return nil, fault.Invalidf(path, "value_out_of_range", "names no value")
	}
	out = append(out, '[')
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = f.value(out, item, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func (f field) value(out []byte, raw json.RawMessage, path string) ([]byte, error) {
	want := map[tenants.FieldType]string{
		tenants.FieldString: "a string", tenants.FieldNumber: "a number", tenants.FieldBoolean: "a boolean",
	}[f.kind]
	if got := kindOf(raw); got != want {
		return nil, fault.Invalidf(path, "invalid_type", "expected %s, got %s", want, got)
	}
	if f.kind != tenants.FieldString {
		return append(out, bytes.TrimSpace(raw)...), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fault.Invalidf(path, "invalid_type", "expected a string")
	}
	if len(s) > maxFilterText {
		return nil, fault.Invalidf(path, "filter_value_too_long", "is %d bytes long, the index compares the first %d", len(s), maxFilterText)
	}
	return appendString(out, s), nil
}

// appendString appends s as JSON.
func appendString(out []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return append(out, quoted...)
}

func object(raw json.RawMessage, path, want string) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	if kindOf(raw) != "an object" || json.Unmarshal(raw, &m) != nil {
		return nil, fault.Invalidf(path, "invalid_type", "expected %s, got %s", want, kindOf(raw))
	}
	return m, nil
}

// kindOf names the kind of a JSON value by its first byte.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
