package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// checkPolicies holds arguments to the tenant's policies for the tool. The error has the place of the argument, and nothing of its value.
func checkPolicies(policies []tenants.Policy, t Tool, input json.RawMessage, at string) error {
	var arguments any
	for _, p := range policies {
		if p.Tool != t.Name {
			continue
		}
		if arguments == nil {
			dec := json.NewDecoder(bytes.NewReader(input))
			dec.UseNumber()
			if err := dec.Decode(&arguments); err != nil {
				return fault.Invalidf(at, CodeInvalid, "is not JSON")
			}
		}
		if err := checkArgument(p, t, arguments, at); err != nil {
			return err
		}
	}
	return nil
}

// checkArgument holds an argument to a policy. One that is left out is held to its default in the schema. Without a default nobody knows here
// what the tool would take, so it has to be given; a text that is not there has no characters.
func checkArgument(p tenants.Policy, t Tool, arguments any, at string) error {
	place := within(at, p.Argument)
	value, given := member(arguments, strings.Split(p.Argument, "."))
	if !given {
		value, given = defaultOf(t.Input, p.Argument)
	}
	if given {
		return checkValue(p, value, place)
	}
	if len(p.Allowed) == 0 && p.Min == nil && p.Max == nil {
		return nil
	}
	return refused(place, "has to be given, as the tenant's policy bounds it")
}

// checkValue holds a value to a policy, a list item by item.
func checkValue(p tenants.Policy, value any, at string) error {
	if items, ok := value.([]any); ok {
		for i, item := range items {
			if err := checkValue(p, item, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		return nil
	}
	if len(p.Allowed) > 0 && !slices.ContainsFunc(p.Allowed, func(allowed string) bool { return equals(value, allowed) }) {
		return refused(at, "is none of what the tenant's policy allows: "+strings.Join(p.Allowed, ", "))
	}
	if p.Min != nil || p.Max != nil {
		n, ok := numberOf(value)
		switch {
		case !ok:
			return refused(at, "is no number, and the tenant's policy bounds it as one")
		case p.Min != nil && n < float64(*p.Min):
			return refused(at, fmt.Sprintf("is below %d, the least that the tenant's policy allows", *p.Min))
		case p.Max != nil && n > float64(*p.Max):
			return refused(at, fmt.Sprintf("is above %d, the most that the tenant's policy allows", *p.Max))
		}
	}
	if p.MaxChars > 0 {
		if n := chars(value); n > p.MaxChars {
			return refused(at, fmt.Sprintf("has %d characters, above the %d that the tenant's policy allows", n, p.MaxChars))
		}
	}
	return nil
}

func refused(at, message string) error {
	err := fault.New(fault.Denied, CodeDenied, message, nil)
	err.Field = at
	return err
}

// member is what a value has at a path; null is nothing.
func member(value any, path []string) (any, bool) {
	for _, name := range path {
		object, _ := value.(map[string]any)
		if value = object[name]; value == nil {
			return nil, false
		}
	}
	return value, true
}

// defaultOf is what the schema says that an argument is when it is left out.
func defaultOf(s *Schema, argument string) (any, bool) {
	var schema any
	dec := json.NewDecoder(bytes.NewReader(s.Text()))
	dec.UseNumber()
	if dec.Decode(&schema) != nil {
		return nil, false
	}
	var path []string
	for name := range strings.SplitSeq(argument, ".") {
		path = append(path, "properties", name)
	}
	return member(schema, append(path, "default"))
}

// equals compares a value with how it is written.
func equals(value any, written string) bool {
	switch v := value.(type) {
	case string:
		return v == written
	case bool:
		return strconv.FormatBool(v) == written
	case json.Number:
		a, _ := numberOf(v)
		b, err := strconv.ParseFloat(written, 64)
		return err == nil && a == b
	}
	return false
}

// numberOf is a number as a double; one that is too large for it is infinite, which is above and below everything.
func numberOf(value any) (float64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, _ := strconv.ParseFloat(string(n), 64)
	return f, true
}

// chars is how many characters a text has, or the JSON of anything else.
func chars(value any) int {
	if text, ok := value.(string); ok {
		return utf8.RuneCountInString(text)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return 0 // of what was JSON
	}
	return utf8.RuneCount(b)
}
