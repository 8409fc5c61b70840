package localai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxNodes is how many values an instance has at most: references can multiply without end.
const maxNodes = 10_000

// instance makes a small value that fits a JSON Schema. The first free string, in the schema's order, is text; the rest is
// as little as the schema allows: what it requires, the first of its alternatives, empty and zero.
func instance(schema json.RawMessage, text string) (json.RawMessage, error) {
	m := &maker{root: schema, text: text, left: maxNodes}
	return m.value(schema)
}

type maker struct {
	root json.RawMessage
	text string   // not yet placed
	open []string // the references that are being followed
	left int
}

func (m *maker) value(raw json.RawMessage) (json.RawMessage, error) {
	s, err := m.shape(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Ref != "":
		return m.follow(s.Ref)
	case s.Const != nil:
		return s.Const, nil
	case len(s.Enum) > 0:
		return s.Enum[0], nil
	case len(s.AnyOf)+len(s.OneOf) > 0 && s.Type == nil && s.Properties == nil:
		return m.first(append(s.AnyOf, s.OneOf...))
	}
	switch s.kind() {
	case "object":
		return m.object(s)
	case "array":
		return m.array(s)
	case "integer", "number":
		return s.number(), nil
	case "boolean":
		return json.RawMessage("false"), nil
	case "null":
		return json.RawMessage("null"), nil
	default:
		return m.string(s), nil
	}
}

// shape reads a schema, with what its allOf adds.
func (m *maker) shape(raw json.RawMessage) (s shape, err error) {
	if m.left--; m.left < 0 {
		return shape{}, errors.New("the schema is too large")
	}
	switch string(bytes.TrimSpace(raw)) {
	case "true":
		return shape{}, nil
	case "false":
		return shape{}, errors.New("a part of the schema fits nothing")
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return shape{}, err
	}
	if json.Unmarshal(s.Items, &s.PrefixItems) == nil {
		s.Items = nil // drafts before 2020-12 have a tuple's items there
	}
	for _, part := range s.AllOf {
		p, err := m.part(part)
		if err != nil {
			return shape{}, err
		}
		s = s.with(p)
	}
	return s, nil
}

// part is shape of what a schema refers to.
func (m *maker) part(raw json.RawMessage) (shape, error) {
	s, err := m.shape(raw)
	if err != nil || s.Ref == "" {
		return s, err
	}
	if raw, err = m.find(s.Ref); err != nil {
		return shape{}, err
	}
	return m.part(raw)
}

// follow makes a value of the schema that a reference names. One that is being followed already has no end.
func (m *maker) follow(ref string) (json.RawMessage, error) {
	if slices.Contains(m.open, ref) {
		return nil, fmt.Errorf("%s contains itself", ref)
	}
	target, err := m.find(ref)
	if err != nil {
		return nil, err
	}
	m.open = append(m.open, ref)
	defer func() { m.open = m.open[:len(m.open)-1] }()
	return m.value(target)
}

// find resolves a reference into the schema itself, #/$defs/name.
func (m *maker) find(ref string) (json.RawMessage, error) {
	path, local := strings.CutPrefix(ref, "#")
	path, err := url.PathUnescape(path)
	if !local || err != nil {
		return nil, fmt.Errorf("the reference %q leads out of the schema", ref)
	}
	at := m.root
	for _, name := range strings.Split(path, "/")[1:] {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(at, &members); err != nil {
			return nil, fmt.Errorf("the reference %q: %w", ref, err)
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		if at = members[name]; at == nil {
			return nil, fmt.Errorf("the reference %q leads nowhere", ref)
		}
	}
	return at, nil
}

// first makes a value of the first alternative that has one.
func (m *maker) first(alternatives []json.RawMessage) (json.RawMessage, error) {
	var failed error
	for _, raw := range alternatives {
		before := m.text
		made, err := m.value(raw)
		if err == nil {
			return made, nil
		}
		m.text, failed = before, err
	}
	return nil, failed
}

// object has the properties that are required, and before it has placed the text, the first that can hold it.
func (m *maker) object(s shape) (json.RawMessage, error) {
	b, made := []byte{'{'}, map[string]bool{}
	for _, p := range append(s.Properties, undeclared(s)...) {
		if made[p.name] || !slices.Contains(s.Required, p.name) && !m.holdsText(p.schema) {
			continue
		}
		value, err := m.value(p.schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		if made[p.name] = true; len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, asJSON(p.name)...), ':'), value...)
	}
	return append(b, '}'), nil
}

// undeclared are the properties that are required and described nowhere.
func undeclared(s shape) (ps properties) {
	for _, name := range s.Required {
		if !slices.ContainsFunc(s.Properties, func(p property) bool { return p.name == name }) {
			ps = append(ps, property{name, json.RawMessage("true")})
		}
	}
	return ps
}

func (m *maker) holdsText(raw json.RawMessage) bool {
	s, err := m.shape(raw)
	return err == nil && m.text != "" && slices.Contains(s.Type, "string") && s.free()
}

func (m *maker) array(s shape) (json.RawMessage, error) {
	items := s.PrefixItems
	for range min(s.MinItems, maxNodes) - len(items) {
		items = append(items, s.Items)
	}
	values := make([]json.RawMessage, len(items))
	for i, raw := range items {
		if raw == nil {
			raw = json.RawMessage("true")
		}
		var err error
		if values[i], err = m.value(raw); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return slices.Concat([]byte{'['}, bytes.Join(toBytes(values), []byte{','}), []byte{']'}), nil
}

func toBytes(values []json.RawMessage) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// formats are examples of the formats that clients check.
var formats = map[string]string{
	"date": "1970-01-01", "time": "00:00:00Z", "date-time": "1970-01-01T00:00:00Z", "duration": "PT0S",
	"email": "nobody@example.com", "hostname": "example.com", "ipv4": "127.0.0.1", "ipv6": "::1",
	"uri": "https://example.com", "url": "https://example.com", "uuid": "00000000-0000-4000-8000-000000000000",
}

func (m *maker) string(s shape) json.RawMessage {
	if example, known := formats[s.Format]; known {
		return asJSON(example)
	}
	text := ""
	if s.free() {
		text, m.text = m.text, ""
	}
	runes := []rune(text)
	if s.MaxLength != nil && len(runes) > *s.MaxLength {
		runes = runes[:max(*s.MaxLength, 0)]
	}
	if missing := min(s.MinLength, maxNodes) - len(runes); missing > 0 {
		runes = append(runes, []rune(strings.Repeat(".", missing))...)
	}
	return asJSON(string(runes))
}
