package tools_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

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

func greet(name string) tools.Tool {
	return tools.Typed(tools.Tool{
		Name: name, Description: "Greets somebody.", Cost: tools.Free, Effects: tools.NoEffects,
		Input:  tools.NewSchema(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"type":"string","minLength":1}}}`),
		Output: tools.NewSchema(`{"type":"object"}`),
	}, func(_ context.Context, c *tools.Call, in greeting) (map[string]string, error) {
		return map[string]string{"text": in.Name + " of " + string(c.Scope.Tenant())}, nil
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
		got, err := tool.Run(t.Context(), &tools.Call{Scope: s, Input: json.RawMessage(`{"name":"Ada"}`)})
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
	_, err = tool.Run(t.Context(), &tools.Call{Input: json.RawMessage(`{"name":"Ada"}`)})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	for _, bad := range []string{``, `[]`, `{"name":7}`, `{"nmae":"Ada"}`} {
		_, err := tool.Run(t.Context(), &tools.Call{Scope: acme, Input: json.RawMessage(bad)})
		assert.Equal(t, tools.CodeInvalid, fault.As(err).Code, bad)
	}
	_, err = r.Find("gree")
	assert.Equal(t, tools.CodeNotFound, fault.As(err).Code)
}

func TestToolsThatNobodyCouldCall(t *testing.T) {
	change := func(f func(*tools.Tool)) tools.Tool {
		tool := greet("greet")
		f(&tool)
		return tool
	}
	for why, bad := range map[string][]tools.Tool{
		"name: is not":                 {greet("Greet")},
		"name: is not 1 to 64":         {greet(strings.Repeat("a", 65))},
		"name: is not 1":               {greet("")},
		`there are two tools "twin"`:   {greet("twin"), greet("a"), greet("twin")},
		"description: is empty":        {change(func(t *tools.Tool) { t.Description = "" })},
		"input: input and output":      {change(func(t *tools.Tool) { t.Output = nil })},
		"timeout: is not between":      {change(func(t *tools.Tool) { t.Timeout = time.Hour })},
		`cost: "" is no class of cost`: {change(func(t *tools.Tool) { t.Cost = "" })},
		`effects: "" is no kind`:       {change(func(t *tools.Tool) { t.Effects = "" })},
		"run: does nothing":            {change(func(t *tools.Tool) { t.Run = nil })},
	} {
		_, err := tools.New(bad...)
		assert.ErrorContains(t, err, why)
		assert.Equal(t, "tool_invalid", fault.As(err).Code)
	}
}
