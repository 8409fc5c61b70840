package events

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"levada.dev/events/fault"
)

// binaryPrefix is what the header of an attribute begins with in the binary mode.
const binaryPrefix = "ce-"

// IsBinary reports whether the headers of a request carry attributes of an event, perhaps not all that it needs.
func IsBinary(header map[string][]string) bool {
	for name := range header {
		if _, ok := attributeOf(name); ok {
			return true
		}
	}
	return false
}

// attributeOf is the attribute that a header carries, in small letters.
func attributeOf(header string) (string, bool) {
	if len(header) < len(binaryPrefix) || !strings.EqualFold(header[:len(binaryPrefix)], binaryPrefix) {
		return "", false
	}
	return strings.ToLower(header[len(binaryPrefix):]), true
}

// DecodeBinary reads a CloudEvent 1.0 of anybody in the binary mode of the HTTP binding, attributes in the headers and data in the
// body, and validates it against the specification. Errors are those of DecodeForeign. The event's data may alias the body.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
func DecodeBinary(header map[string][]string, body []byte) (*cloudevents.Event, error) {
	if len(body) > MaxBytes {
		return nil, invalid("", "%d bytes are more than the %d of an event", len(body), MaxBytes)
	}
	env := &envelope{binary: body, hasBinary: len(body) > 0}
	for _, name := range slices.Sorted(maps.Keys(header)) { // so that the same request gives the same error
		var err error
		if attribute, ok := attributeOf(name); ok {
			err = env.header(attribute, header[name])
		} else if strings.EqualFold(name, "Content-Type") {
			err = env.contentType(header[name])
		}
		if err != nil {
			return nil, err
		}
	}
	if err := env.check(); err != nil {
		return nil, err
	}
	return env.sdk()
}

// header takes one attribute. Headers have no types: what the specification does not name is a string.
func (env *envelope) header(name string, values []string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(values) != 1 || slices.Contains(env.names, name) {
		return invalid(name, "appears twice")
	}
	if len(env.names) == maxAttributes {
		return invalid(name, "more than %d attributes", maxAttributes)
	}
	env.names = append(env.names, name)
	text, err := unquote(name, values[0])
	if err != nil {
		return err
	}
	switch name {
	case "datacontenttype":
		return invalid(name, "is what Content-Type says, and has no header of its own")
	case "data":
		return invalid(name, "is the body, and no attribute")
	case "specversion", "id", "source", "type", "subject", "time", "dataschema":
		return env.attribute(name, text)
	}
	env.extensions = append(env.extensions, extension{name, text})
	return checkText(name, text)
}

func (env *envelope) contentType(values []string) error {
	if len(values) != 1 {
		return invalid("datacontenttype", "Content-Type appears twice")
	}
	if values[0] == "" {
		return nil
	}
	return env.attribute("datacontenttype", values[0])
}

// unquote takes a header's value back to the attribute: first what stands in double quotes, which older senders write, then
// one round of percent-encoding.
func unquote(name, value string) (string, error) {
	if strings.IndexByte(value, '"') < 0 && strings.IndexByte(value, '%') < 0 && isVisible(value) {
		return value, nil
	}
	b := make([]byte, 0, len(value))
	quoted := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == '\\' && quoted:
			if i++; i == len(value) {
				return "", invalid(name, "its header ends inside of a quoted string")
			}
			c = value[i]
		}
		if c < ' ' && c != '\t' || c >= 0x7f {
			return "", invalid(name, "its header has characters that must be percent-encoded")
		}
		b = append(b, c)
	}
	if quoted {
		return "", invalid(name, "its header ends inside of a quoted string")
	}
	return percentDecode(name, b)
}

func isVisible(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// percentDecode decodes in place.
func percentDecode(name string, b []byte) (string, error) {
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' {
			if len(b)-i < 3 || !isHex(b[i+1]) || !isHex(b[i+2]) {
				return "", invalid(name, "its header has malformed percent-encoding")
			}
			c = unhex(b[i+1])<<4 | unhex(b[i+2])
			i += 2
		}
		b[n] = c
		n++
	}
	if !utf8.Valid(b[:n]) {
		return "", invalid(name, "its header is not the encoding of UTF-8")
	}
	return string(b[:n]), nil
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// SplitBatch takes a batch in the JSON format apart: each element as it stands, to be given to DecodeForeign. Only what is no JSON
// array fails, code event_invalid, and one of more than the most elements, code batch_too_large.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
func SplitBatch(b []byte, most int) ([][]byte, error) {
	s := &scanner{b: b}
	if c := s.next(); c != '[' {
		return nil, fault.Invalidf("", "event_invalid", "%s, and is no JSON array of events", s.begins(c)).
			WithHint("send a batch as a JSON array; the content type of an event alone is application/cloudevents+json")
	}
	s.i++
	var elements [][]byte
	if s.next() == ']' {
		s.i++
		return elements, s.rest()
	}
	for {
		raw, err := s.value(1)
		if err != nil {
			return nil, invalid("", "%v", err)
		}
		if len(elements) == most {
			return nil, fault.Invalidf("", "batch_too_large", "there are more than %d events", most).WithHint("send smaller batches")
		}
		elements = append(elements, raw)
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return elements, s.rest()
		default:
			return nil, invalid("", "%v", s.errorf("expected ',' or ']'"))
		}
	}
}

// rest fails unless nothing but white space is left.
func (s *scanner) rest() error {
	if err := s.end(); err != nil {
		return invalid("", "%v", err)
	}
	return nil
}
