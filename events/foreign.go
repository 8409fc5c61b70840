package events

import (
	"encoding/base64"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"

	"levada.dev/tenants"
)

// MaxBytes is the largest event that DecodeForeign looks at: the largest body that a request may have.
const MaxBytes = tenants.MaxBodyBytes

// DecodeForeign reads a CloudEvent 1.0 of anybody in the JSON format and validates it against the specification.
// Errors are fault.Invalid, code event_invalid, with the attribute in Field. The event's data may alias b. To pass
// such an event on, do not encode it with the SDK, which writes data of types such as application/x+json as text.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
func DecodeForeign(b []byte) (*cloudevents.Event, error) {
	if len(b) > MaxBytes {
		return nil, invalid("", "%d bytes are more than the %d of an event", len(b), MaxBytes)
	}
	env, err := parseEnvelope(b)
	if err != nil {
		return nil, err
	}
	return env.sdk()
}

// envelope is a CloudEvent 1.0 taken apart: everything that is in the JSON text, each attribute of its type, and
// nothing that the specification forbids.
type envelope struct {
	names           []string // of all members, to find duplicates
	id, typ         string
	subject         string
	source          string
	sourceURL       *url.URL
	dataContentType string
	dataSchema      *url.URL
	time            time.Time
	extensions      []extension

	version    bool
	data       []byte // the JSON value as it stands
	binary     []byte // what data_base64 encodes
	hasData    bool
	hasBinary  bool
	binarySeen bool
}

// extension is an attribute that the specification does not name; value is a bool, an int32 or a string.
type extension struct {
	name  string
	value any
}

// parseEnvelope is the one validator of events, ours and foreign ones. The SDK accepts about ten kinds of invalid
// event, and panics on some, so it never sees the text.
func parseEnvelope(b []byte) (*envelope, error) {
	if !utf8.Valid(b) {
		return nil, invalid("", "is not UTF-8")
	}
	s := &scanner{b: b}
	if c := s.next(); c != '{' {
		return nil, invalid("", "%s, and is no JSON object", s.begins(c))
	}
	env := &envelope{names: make([]string, 0, 16)}
	if err := env.members(s); err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, invalid("", "%v", err)
	}
	return env, env.check()
}

// members reads the object whose opening brace is next.
func (env *envelope) members(s *scanner) error {
	s.i++
	if s.next() == '}' {
		s.i++
		return nil
	}
	for {
		if s.next() != '"' {
			return invalid("", "%v", s.errorf("expected a member name"))
		}
		name, err := env.name(s)
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return invalid(name, "%v", err)
		}
		raw, err := s.value(1)
		if err != nil {
			return invalid(name, "%v", err)
		}
		if err := env.member(name, raw); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return invalid("", "%v", s.errorf("expected ',' or '}'"))
		}
	}
}

func (env *envelope) name(s *scanner) (string, error) {
	raw, err := s.text()
	if err != nil {
		return "", invalid("", "%v", err)
	}
	name, err := unescape(raw)
	if err != nil {
		return "", invalid("", "member name: %v", err)
	}
	if slices.Contains(env.names, name) {
		return "", invalid(name, "appears twice")
	}
	if len(env.names) == maxAttributes {
		return "", invalid(name, "more than %d attributes", maxAttributes)
	}
	env.names = append(env.names, name)
	return name, nil
}

// member takes one member of the object. Null means that the attribute is not set.
func (env *envelope) member(name string, raw []byte) error {
	switch name {
	case "data":
		env.data, env.hasData = raw, true
		return nil
	case "data_base64":
		env.binarySeen = true
		return env.base64(raw)
	}
	if err := checkName(name); err != nil {
		return err
	}
	if string(raw) == "null" {
		return nil
	}
	switch name {
	case "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema":
		text, err := attributeText(name, raw)
		if err != nil {
			return err
		}
		return env.attribute(name, text)
	}
	value, err := extensionValue(name, raw)
	env.extensions = append(env.extensions, extension{name, value})
	return err
}

func attributeText(name string, raw []byte) (string, error) {
	if raw[0] != '"' {
		return "", invalid(name, "must be a string")
	}
	text, err := unescape(raw[1 : len(raw)-1])
	if err != nil {
		return "", invalid(name, "%v", err)
	}
	return text, nil
}

func (env *envelope) attribute(name, text string) (err error) {
	switch name {
	case "specversion":
		if text != cloudevents.CloudEventsVersionV1 {
			return invalid(name, "%.20q is not supported, 1.0 is", text)
		}
		env.version = true
	case "id":
		env.id, err = text, checkFilled(name, text)
	case "type":
		env.typ, err = text, checkFilled(name, text)
	case "subject":
		env.subject, err = text, checkFilled(name, text)
	case "source":
		env.source = text
		env.sourceURL, err = parseReference(name, text)
	case "time":
		env.time, err = parseTime(name, text)
	case "datacontenttype":
		env.dataContentType, err = text, checkMediaType(name, text)
	case "dataschema":
		env.dataSchema, err = parseReference(name, text)
		if err == nil && !env.dataSchema.IsAbs() {
			err = invalid(name, "must be an absolute URI")
		}
	}
	return err
}

func extensionValue(name string, raw []byte) (any, error) {
	switch raw[0] {
	case '"':
		text, err := attributeText(name, raw)
		if err != nil {
			return nil, err
		}
		return text, checkText(name, text)
	case 't', 'f':
		return raw[0] == 't', nil
	case '{', '[':
		return nil, invalid(name, "an attribute is a string, a boolean or an integer")
	}
	n, ok := parseInteger(raw)
	if !ok {
		return nil, invalid(name, "is not an integer of 32 bits")
	}
	return n, nil
}

func (env *envelope) base64(raw []byte) error {
	const field = "data_base64"
	if string(raw) == "null" {
		return nil
	}
	text, err := attributeText(field, raw)
	if err != nil {
		return err
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' { // which the decoder skips and RFC 4648 does not have
			return invalid(field, "is not base64")
		}
	}
	env.binary, err = base64.StdEncoding.DecodeString(text)
	if err != nil {
		return invalid(field, "is not base64")
	}
	env.hasBinary = true
	return nil
}

// check applies the rules that need the whole event.
func (env *envelope) check() error {
	switch {
	case !env.version:
		return invalid("specversion", "is required")
	case env.id == "":
		return invalid("id", "is required")
	case env.source == "":
		return invalid("source", "is required")
	case env.typ == "":
		return invalid("type", "is required")
	case env.hasData && env.hasBinary:
		return invalid("data_base64", "data and data_base64 exclude each other")
	case env.hasData && !isJSON(env.dataContentType) && env.data[0] != '"':
		return invalid("data", "must be a string, as the content type is %.60s", env.dataContentType)
	}
	return nil
}

// sdk builds the event with the SDK, which has the last word.
func (env *envelope) sdk() (ev *cloudevents.Event, err error) {
	defer catch(&err)
	c := &cloudevents.EventContextV1{ID: env.id, Type: env.typ, Source: types.URIRef{URL: *env.sourceURL}}
	if env.subject != "" {
		c.Subject = &env.subject
	}
	if env.dataContentType != "" {
		c.DataContentType = &env.dataContentType
	}
	if env.dataSchema != nil {
		c.DataSchema = &types.URI{URL: *env.dataSchema}
	}
	if !env.time.IsZero() {
		c.Time = &types.Timestamp{Time: env.time}
	}
	for _, x := range env.extensions {
		if x.value == nil {
			continue
		}
		if err := c.SetExtension(x.name, x.value); err != nil {
			return nil, invalid(x.name, "%v", err)
		}
	}
	if err := validate(c); err != nil {
		return nil, err
	}
	ev = &cloudevents.Event{Context: c}
	switch {
	case env.hasBinary:
		ev.DataEncoded, ev.DataBase64 = env.binary, true
	case env.hasData && isJSON(env.dataContentType):
		ev.DataEncoded = env.data
	case env.hasData:
		text, err := attributeText("data", env.data)
		if err != nil {
			return nil, err
		}
		ev.DataEncoded = []byte(text)
	}
	return ev, nil
}

// validate asks the SDK about the attributes.
func validate(c *cloudevents.EventContextV1) (err error) {
	defer catch(&err)
	errs := c.Validate()
	if len(errs) == 0 {
		return nil
	}
	var first string
	for name := range errs {
		if first == "" || name < first {
			first = name
		}
	}
	return invalid(first, "%v", errs[first])
}

// catch, deferred, makes a panic of the SDK an invalid event: it must not take more than this one with it.
func catch(err *error) {
	if p := recover(); p != nil {
		*err = invalid("", "the CloudEvents SDK failed: %v", p)
	}
}
