package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"levada.dev/events/fault"
)

// mistake is a mistake in one parameter.
func mistake(param, code, format string, args ...any) error {
	return fault.Invalidf(param, code, "'%s' %s.", param, fmt.Sprintf(format, args...))
}

func missing(param string) error {
	return fault.Invalidf(param, "missing_required_parameter", "Missing required parameter: '%s'.", param)
}

func (r *reader) unknown() error {
	return fault.Invalidf(r.where(), "unknown_parameter", "Unknown parameter: '%s'.", r.where())
}

func indexed(list string, i int, member string) string {
	return fmt.Sprintf("%s[%d].%s", list, i, member)
}

// list writes words for people: 'a', 'b', 'c'.
func list(words []string) string { return "'" + strings.Join(words, "', '") + "'" }

// compact is a value without white space.
func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		return string(value)
	}
	return b.String()
}

// where is the path of the value the reader is at: "messages[0].content".
func (r *reader) where() string {
	var b strings.Builder
	for _, s := range r.path {
		if s.name == nil {
			fmt.Fprintf(&b, "[%d]", s.index)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if len(s.name) == 0 {
			b.WriteString(`""`)
		}
		b.Write(s.name[:min(len(s.name), 64)])
	}
	return strings.ToValidUTF8(b.String(), "")
}

// refuse is a mistake in the value the reader is at.
func (r *reader) refuse(code, format string, args ...any) error {
	return mistake(r.where(), code, format, args...)
}

// mistyped is a value of another type than what must come next, or none at all.
func (r *reader) mistyped(want string) error {
	got := ""
	switch c := r.peek(); {
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == '"':
		got = "a string"
	case c == '-' || c >= '0' && c <= '9':
		got = "a number"
	case r.at("true") || r.at("false"):
		got = "a boolean"
	case r.at("null"):
		got = "null"
	case r.pos == len(r.data):
		return r.syntax(r.pos, "the JSON ends in the middle")
	default:
		return r.syntax(r.pos, "expected a value")
	}
	return r.refuse("invalid_type", "must be %s, not %s", want, got)
}

// syntax says where the body stops being JSON.
func (r *reader) syntax(at int, what string) error {
	before := r.data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := at - bytes.LastIndexByte(before, '\n')
	return fault.Invalidf("", "invalid_json", "The body is not the JSON it should be: %s at byte %d (line %d, column %d).", what, at, line, column)
}
