package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"levada.dev/events/fault"
)

// Schema is a JSON Schema (2020-12) of an object. It is compiled when it is needed first. Safe for concurrent use.
type Schema struct {
	text     json.RawMessage
	compiled func() (*jsonschema.Schema, error)
}

// NewSchema makes a schema of its text, which may refer to its own parts alone. Whether it is one, Err says.
func NewSchema(text string) *Schema {
	return &Schema{json.RawMessage(text), sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(text) })}
}

func compile(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fault.Invalidf("", "schema_invalid", "is not JSON: %v", err)
	}
	if object, ok := doc.(map[string]any); !ok || object["type"] != "object" {
		return nil, fault.Invalidf("", "schema_invalid", `is no JSON Schema of an object: its type has to be "object"`)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	const name = "tool:schema"
	if err := c.AddResource(name, doc); err != nil {
		return nil, fault.Invalidf("", "schema_invalid", "is no JSON Schema: %v", err)
	}
	s, err := c.Compile(name)
	if err != nil {
		return nil, fault.Invalidf("", "schema_invalid", "is no JSON Schema: %v", err)
	}
	return s, nil
}

// nowhere loads nothing: a schema must not have files or addresses read.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%.80q is not a part of the schema itself", url)
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
	schema, err := s.compiled()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return fault.Invalidf(at, code, "is not JSON")
	}
	var failed *jsonschema.ValidationError
	if err := schema.Validate(doc); err == nil {
		return nil
	} else if !errors.As(err, &failed) {
		return fault.New(fault.Internal, "schema_failed", "", err)
	}
	path, message := mistake(failed)
	return fault.Invalidf(fault.Path(at, path...), code, "%s", message)
}

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
