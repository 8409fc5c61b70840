package tools_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
)

type greeting struct {
	Name string `json:"name"`
}

const schema = `{"type":"object","properties":{"name":{"type":"string"}}}`

func greet(name string) tools.Tool {
	return tools.Typed(name, "Greets somebody.", schema, func(_ context.Context, s tenants.Scope, in greeting) (map[string]string, error) {
		if in.Name == "" {
			return nil, fault.Invalidf("name", "tool_input", "is empty")
		}
		return map[string]string{"text": in.Name + " of " + string(s.Tenant())}, nil
	})
}

func TestAToolActsForItsTenant(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	r, err := tools.New(greet("wave"), greet("greet"))
	require.NoError(t, err)
	assert.Equal(t, []string{"greet", "wave"}, []string{r.List()[0].Name, r.List()[1].Name})
	tool, err := r.Find("greet")
	require.NoError(t, err)
	for s, want := range map[tenants.Scope]string{acme: `{"text":"Ada of acme"}`, globex: `{"text":"Ada of globex"}`} {
		got, err := tool.Run(t.Context(), s, json.RawMessage(`{"name":"Ada"}`))
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	_, err = tool.Run(t.Context(), tenants.Scope{}, json.RawMessage(`{"name":"Ada"}`))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	for _, bad := range []string{``, `[]`, `{"name":7}`, `{"nmae":"Ada"}`, `{}`} {
		_, err := tool.Run(t.Context(), acme, json.RawMessage(bad))
		assert.Equal(t, "tool_input", fault.As(err).Code, bad)
	}
	_, err = r.Find("gree")
	assert.Equal(t, "tool_not_found", fault.As(err).Code)
}

func TestToolsThatNobodyCouldCall(t *testing.T) {
	change := func(f func(*tools.Tool)) tools.Tool {
		tool := greet("greet")
		f(&tool)
		return tool
	}
	for why, bad := range map[string][]tools.Tool{
		"name: is not":               {greet("Greet")},
		"name: is not 1 to 64":       {greet(strings.Repeat("a", 65))},
		"name: is not 1":             {greet("")},
		`there are two tools "twin"`: {greet("twin"), greet("a"), greet("twin")},
		"description: is empty":      {change(func(t *tools.Tool) { t.Description = "" })},
		"schema: is no JSON Schema":  {change(func(t *tools.Tool) { t.Schema = json.RawMessage(`{"type":"string"}`) })},
		"run: does nothing":          {change(func(t *tools.Tool) { t.Run = nil })},
	} {
		_, err := tools.New(bad...)
		assert.ErrorContains(t, err, why)
		assert.Equal(t, "tool_invalid", fault.As(err).Code)
	}
}
