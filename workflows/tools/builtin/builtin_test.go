package builtin

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
)

// two are the configurations of two tenants.
func two(t testing.TB) (acme, globex *tenants.Config) {
	a := tenantstest.Config(t, "acme", nil)
	g := tenantstest.Config(t, "globex", nil)
	return &a, &g
}

// call runs a tool as the runner does: the input fits its schema, and so does what comes of it.
func call[Out any](t testing.TB, d Deps, c *tenants.Config, name string, input any) (out Out, err error) {
	t.Helper()
	registry, err := tools.New(All(d)...)
	require.NoError(t, err)
	tool, err := registry.Find(name)
	require.NoError(t, err)
	in, err := json.Marshal(input)
	require.NoError(t, err)
	if err := tool.Input.Check(in, "params", tools.CodeInvalid); err != nil {
		return out, err
	}
	got, err := tool.Run(context.Background(), &tools.Call{
		ID: "call-0", Once: "call-1", Scope: tenantstest.Scope(t, string(c.ID)), Config: c, Input: in, RequestID: "r-1",
	})
	if err != nil {
		return out, err
	}
	require.NoError(t, tool.Output.Check(got, "result", tools.CodeFailed))
	require.LessOrEqual(t, len(got), tools.MaxResultBytes)
	require.NoError(t, json.Unmarshal(got, &out))
	return out, nil
}

type in map[string]any

// refused requires that a call is refused at a place.
func refused(t *testing.T, d Deps, name string, input any, field, message string) {
	t.Helper()
	acme, globex := two(t)
	for _, c := range []*tenants.Config{acme, globex} {
		_, err := call[any](t, d, c, name, input)
		f := fault.As(err)
		assert.Equal(t, fault.Invalid, f.Kind, "%v", err)
		assert.Equal(t, field, f.Field, "%v", err)
		assert.Contains(t, f.Message, message)
	}
}
