package tools

import (
	"bytes"
	"context"
	"encoding/json"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Tool is something that can be done.
type Tool struct {
	Name        string          // as models call it: lower-case letters, digits and underscores, at most 64
	Description string          // what it is for, to whoever chooses among tools
	Schema      json.RawMessage // JSON Schema of the input, an object

	// Run does it, for a tenant. The input is JSON that fits the schema, and so is what comes back. A fault of kind Invalid says what the
	// caller has to put right. It returns soon after ctx has ended.
	Run func(ctx context.Context, s tenants.Scope, input json.RawMessage) (json.RawMessage, error)
}

// Typed makes a tool of a function over types. Members of the input that In does not have are refused.
func Typed[In, Out any](name, description, schema string, run func(ctx context.Context, s tenants.Scope, in In) (Out, error)) Tool {
	return Tool{Name: name, Description: description, Schema: json.RawMessage(schema), Run: func(ctx context.Context, s tenants.Scope, input json.RawMessage) (json.RawMessage, error) {
		if err := s.Check(); err != nil {
			return nil, err
		}
		var in In
		dec := json.NewDecoder(bytes.NewReader(input))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, fault.Invalidf("", "tool_input", "the input of %s cannot be read: %v", name, err)
		}
		out, err := run(ctx, s, in)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(out)
		if err != nil {
			return nil, fault.New(fault.Internal, "tool_output", name, err)
		}
		return b, nil
	}}
}
