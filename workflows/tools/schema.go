package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"levada.dev/events/fault"
	"levada.dev/tenants/schema"
)

// Schema is a JSON Schema (2020-12) of an object. It is compiled when it is needed first. Safe for concurrent use.
type Schema struct {
	text     json.RawMessage
	compiled func() (*jsonschema.Schema, error)
}

// NewSchema makes a schema of its text, which may refer to its own parts alone. Whether it is one, Err says.
func NewSchema(text string) *Schema {
	return &Schema{json.RawMessage(text), sync.OnceValues(func() (*jsonschema.Schema, error) { return schema.Compile(text) })}
}

// Text is the schema.
func (s *Schema) Text() json.RawMessage { return s.text }

// Err is why the text is no schema, code schema_invalid.
func (s *Schema) Err() error {
	_, err := s.compiled()
	return err
}

// Check holds a value against the schema. The error is fault.Invalid of the first mistake, with its path below at; it quotes nothing of the
// value.
func (s *Schema) Check(value json.RawMessage, at, code string) error {
	path, message, err := s.first(value)
	if err != nil || message == "" {
		return err
	}
	return fault.Invalidf(fault.Path(at, path...), code, "%s", message)
}

// checkResult is Check of what a tool returns, which goes into the log: a stranger may have chosen its names, so the path ends before the first that is not in
// the schema.
func (s *Schema) checkResult(value json.RawMessage, at, code string) error {
	path, message, err := s.first(value)
	if err != nil || message == "" {
		return err
	}
	known, all := s.known(value, path)
	if !all {
		message = "has a member that " + message
	}
	return fault.Invalidf(fault.Path(at, known...), code, "%s", message)
}

// first is the first mistake of a value, and its path; no message when there is none.
func (s *Schema) first(value json.RawMessage) (path []string, message string, err error) {
	compiled, err := s.compiled()
	if err != nil {
		return nil, "", err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return nil, "is not JSON", nil
	}
	if path, message := oversize(compiled, doc); message != "" {
		return path, message, nil
	}
	var failed *jsonschema.ValidationError
	if err := compiled.Validate(doc); err == nil {
		return nil, "", nil
	} else if !errors.As(err, &failed) {
		return nil, "", fault.New(fault.Internal, "schema_failed", "", err)
	}
	path, message = mistake(failed)
	return path, message, nil
}

// known is what of a path may be told: places in lists, and names that the schema's text has in it, too. all says whether that is the path.
func (s *Schema) known(value json.RawMessage, path []string) (told []string, all bool) {
	var doc, text any
	if json.Unmarshal(value, &doc) != nil || json.Unmarshal(s.text, &text) != nil {
		return nil, len(path) == 0
	}
	words := map[string]bool{}
	gather(text, words)
	for i, step := range path {
		switch v := doc.(type) {
		case []any:
			at, err := strconv.Atoi(step)
			if err != nil || at < 0 || at >= len(v) {
				return path[:i], false
			}
			doc = v[at]
		case map[string]any:
			if !words[step] {
				return path[:i], false
			}
			doc = v[step]
		default:
			return path[:i], false
		}
	}
	return path, true
}

// gather is all names and strings of a JSON text.
func gather(v any, into map[string]bool) {
	switch v := v.(type) {
	case string:
		into[v] = true
	case []any:
		for _, item := range v {
			gather(item, into)
		}
	case map[string]any:
		for name, member := range v {
			into[name] = true
			gather(member, into)
		}
	}
}

// present is an object, in canonical form, without the members that are null where the schema wants another value, or none: as in bodies of requests, null stands for absence.
func (s *Schema) present(object json.RawMessage) json.RawMessage {
	compiled, err := s.compiled()
	if err != nil || !bytes.Contains(object, []byte(":null")) {
		return object
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return object // no object, which is refused presently
	}
	for name, p := range compiled.Properties {
		if string(members[name]) == "null" && p.Validate(nil) != nil && !slices.Contains(compiled.Required, name) {
			delete(members, name)
		}
	}
	b, err := json.Marshal(members)
	if err != nil {
		return object
	}
	return canonical(b)
}

// oversize is a list or object that is larger than the schema allows, and what is to be said of it; "" when there is none. It is looked for
// before anything else, as the validator gathers a mistake for each item of a list, however long that may be.
func oversize(s *jsonschema.Schema, value any) (path []string, message string) {
	for range maxRefs {
		if s == nil || s.Ref == nil {
			break
		}
		s = s.Ref
	}
	if s == nil {
		return nil, ""
	}
	switch v := value.(type) {
	case []any:
		if s.MaxItems != nil && len(v) > *s.MaxItems {
			return nil, words(&kind.MaxItems{Got: len(v), Want: *s.MaxItems})
		}
		for i, item := range v {
			if s.Items2020 == nil {
				break
			}
			if path, message := oversize(s.Items2020, item); message != "" {
				return append([]string{strconv.Itoa(i)}, path...), message
			}
		}
	case map[string]any:
		if s.MaxProperties != nil && len(v) > *s.MaxProperties {
			return nil, words(&kind.MaxProperties{Got: len(v), Want: *s.MaxProperties})
		}
		for name, member := range s.Properties {
			if path, message := oversize(member, v[name]); message != "" {
				return append([]string{name}, path...), message
			}
		}
	}
	return nil, ""
}

// maxRefs is how many references to other parts are followed; what refers to itself the validator refuses.
const maxRefs = 16

// mistake is the first of the errors that have no cause of their own.
func mistake(e *jsonschema.ValidationError) (path []string, message string) {
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
		return e.InstanceLocation, "is none of what the schema allows"
	case *kind.Required:
		return append(e.InstanceLocation, k.Missing[0]), "is required"
	case *kind.AdditionalProperties:
		return append(e.InstanceLocation, k.Properties[0]), "is not known"
	}
	if len(e.Causes) > 0 {
		return mistake(e.Causes[0])
	}
	return e.InstanceLocation, words(e.ErrorKind)
}

// words is what is wrong with a value.
func words(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "is " + k.Got + ", not " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "is none of " + list(k.Want)
	case *kind.Const:
		return "is not " + list([]any{k.Want})
	case *kind.Minimum:
		return "is below " + number(k.Want)
	case *kind.Maximum:
		return "is above " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "is not above " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "is not below " + number(k.Want)
	case *kind.MultipleOf:
		return "is no multiple of " + number(k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("has %d characters, below %d", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("has %d characters, above %d", k.Got, k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("has %d items, below %d", k.Got, k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("has %d items, above %d", k.Got, k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("has %d members, below %d", k.Got, k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has %d members, above %d", k.Got, k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("has the same item twice, at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.Pattern:
		return fmt.Sprintf("does not match %q", k.Want)
	}
	return "does not fit the schema: " + strings.Join(k.KeywordPath(), ".")
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		b, _ := json.Marshal(v) // of what was JSON
		texts[i] = string(b)
	}
	return strings.Join(texts, ", ")
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// decode reads JSON that fits a schema into what the tool takes. What does not fit then is a mistake of the schema.
func decode(input json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(input))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fault.Invalidf("", CodeInvalid, "cannot be read: %v", err)
	}
	return nil
}
