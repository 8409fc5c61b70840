package localai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// shape is a schema as far as it shapes an instance; the validator checks the rest.
type shape struct {
	Ref        string     `json:"$ref"`
	Type       names      `json:"type"`
	Properties properties `json:"properties"`
	Required   []string   `json:"required"`

	Const               json.RawMessage
	Enum                []json.RawMessage
	AnyOf, OneOf, AllOf []json.RawMessage

	Items       json.RawMessage
	PrefixItems []json.RawMessage
	MinItems    int

	MinLength int
	MaxLength *int
	Format    string

	Minimum, ExclusiveMinimum, Maximum, ExclusiveMaximum *float64
	MultipleOf                                           float64
}

// with adds what another schema of the same value says.
func (s shape) with(p shape) shape {
	p.Properties = append(s.Properties, p.Properties...)
	p.Required = append(s.Required, p.Required...)
	if p.Type == nil {
		p.Type = s.Type
	}
	p.AnyOf, p.OneOf = append(s.AnyOf, p.AnyOf...), append(s.OneOf, p.OneOf...)
	p.Enum = append(s.Enum, p.Enum...)
	return p
}

// free reports whether a string may be any text.
func (s shape) free() bool { return s.Const == nil && s.Enum == nil && s.Format == "" }

// number is the one nearest to zero on the side of the lower bound.
func (s shape) number() json.RawMessage {
	step := cmp.Or(s.MultipleOf, 1)
	n := 0.0
	switch {
	case s.Minimum != nil && *s.Minimum > 0:
		n = math.Ceil(*s.Minimum/step) * step
	case s.ExclusiveMinimum != nil && *s.ExclusiveMinimum >= 0:
		n = (math.Floor(*s.ExclusiveMinimum/step) + 1) * step
	case s.Maximum != nil && *s.Maximum < 0:
		n = math.Floor(*s.Maximum/step) * step
	case s.ExclusiveMaximum != nil && *s.ExclusiveMaximum <= 0:
		n = (math.Ceil(*s.ExclusiveMaximum/step) - 1) * step
	}
	if s.kind() == "number" && s.MultipleOf == 0 && s.Minimum != nil && *s.Minimum > 0 {
		n = *s.Minimum
	}
	return json.RawMessage(strconv.FormatFloat(n, 'f', -1, 64))
}

// kind is the type of the value to make, text if the schema leaves it open.
func (s shape) kind() string {
	switch {
	case len(s.Type) > 0:
		return s.Type[0]
	case s.Properties != nil || s.Required != nil:
		return "object"
	case s.Items != nil || s.PrefixItems != nil:
		return "array"
	}
	return "string"
}

// names is a name or a list of names.
type names []string

func (n *names) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(n))
	}
	*n = make([]string, 1)
	return json.Unmarshal(b, &(*n)[0])
}

// properties are an object's members in the order they are written in.
type properties []property

type property struct {
	name   string
	schema json.RawMessage
}

func (ps *properties) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.New("properties is no object")
	}
	*ps = properties{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		p := property{name: name.(string)} // the key of an object
		if err := d.Decode(&p.schema); err != nil {
			return err
		}
		*ps = append(*ps, p)
	}
	return nil
}
