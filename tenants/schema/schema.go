// Package schema compiles the JSON Schemas of what tools take and return, those of the platform and those that tenants write.
//
// It is apart from package tenants because of the library behind it, which only those who run tools or check configurations link.
package schema

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"levada.dev/events/fault"
)

// Compile compiles a schema (2020-12 when it does not say) of an object, which may refer to its own parts alone. The error is fault.Invalid, code
// schema_invalid.
func Compile(text string) (*jsonschema.Schema, error) {
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
