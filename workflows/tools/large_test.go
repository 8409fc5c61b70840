package tools_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/toolstest"
)

// loose takes whatever comes, and answers what it is told to. A list whose items are all wrong has a mistake for each.
func loose(result string) tools.Tool {
	return tools.Tool{
		Name: "loose", Description: "Takes anything.", Cost: tools.Free, Effects: tools.NoEffects,
		Input: tools.NewSchema(`{"type":"object","$defs":{"few":{"type":"array","maxItems":3,"items":{"type":"string"}}},"properties":{
			"kinds":{"type":"array","items":{"enum":["A","B"]}},"few":{"$ref":"#/$defs/few"},
			"nested":{"type":"array","items":{"type":"object","maxProperties":2,"properties":{"few":{"$ref":"#/$defs/few"}}}}}}`),
		Output: tools.NewSchema(`{"type":"object"}`),
		Run:    func(context.Context, *tools.Call) (json.RawMessage, error) { return json.RawMessage(result), nil },
	}
}

// listOf is a JSON list of the same value, so often.
func listOf(n int, value string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
}

// objectOf is a JSON object of so many members.
func objectOf(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = `"k` + strconv.Itoa(i) + `":1`
	}
	return "{" + strings.Join(all, ",") + "}"
}

// allocated is how many bytes f takes in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Arguments of 400 KB would be more than a hundred megabytes as a tree with a mistake for each value. They are refused before they are one, also those of a tool
// that is not there.
func TestManyValuesTakeLittleMemory(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	registry, err := tools.New(loose(`{}`))
	require.NoError(t, err)
	for _, s := range []tenants.Scope{acme, globex} {
		records := &toolstest.Records{}
		runner := tools.NewRunner(tools.Ports{Tools: registry, Records: records}, nil)
		c := tenantstest.Config(t, string(s.Tenant()), nil)
		c.Tools.Enabled = []string{"loose"}
		caller := tools.Caller{Config: &c, Allows: func(tenants.APIScope) bool { return true }, Via: tools.ViaHTTP, RequestID: "r"}
		for name, tc := range map[string]struct {
			tool, input, code, field, message string
			most                              uint64
		}{
			"items that are all wrong": {"loose", `{"kinds":` + listOf(200_000, "1") + `}`, tools.CodeInvalid, "params.kinds[9998]", "the JSON holds more than 10000 values", 1 << 20},
			"members":                  {"loose", `{"x":` + objectOf(400_000) + `}`, tools.CodeInvalid, "params.x.k9998", "the JSON holds more than 10000 values", 1 << 20},
			"lists in lists":           {"loose", `{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, tools.CodeInvalid, "params.x" + strings.Repeat("[0]", 127), "the JSON is nested deeper than 128", 1 << 20},
			"a tool that is not there": {"nope", objectOf(400_000), tools.CodeNotFound, "", `there is no tool "nope"`, 1 << 20},
			"as many wrong as may be":  {"loose", `{"kinds":` + listOf(9_990, "1") + `}`, tools.CodeInvalid, "params.kinds[0]", `is none of "A", "B"`, 16 << 20},
			"more than the schema has": {"loose", `{"few":` + listOf(9_990, "1") + `}`, tools.CodeInvalid, "params.few", "has 9990 items, above 3", 4 << 20},
			"more of them further in":  {"loose", `{"nested":[{},{"few":` + listOf(5_000, "1") + `}]}`, tools.CodeInvalid, "params.nested[1].few", "has 5000 items, above 3", 4 << 20},
			"more members":             {"loose", `{"nested":[{"a":1,"b":2,"c":3}]}`, tools.CodeInvalid, "params.nested[0]", "has 3 members, above 2", 1 << 20},
		} {
			t.Run(name, func(t *testing.T) {
				var err error
				order := tools.Order{Tool: tc.tool, Input: json.RawMessage(tc.input)}
				taken := allocated(func() { _, err = runner.Execute(t.Context(), s, caller, order) })
				t.Logf("%d bytes of arguments: %d bytes", len(tc.input), taken)
				f := fault.As(err)
				assert.Equal(t, []string{tc.code, tc.field, tc.message}, []string{f.Code, f.Field, f.Message})
				assert.Less(t, taken, tc.most, "bytes")
				acts := records.Acts(t, s)
				require.NotEmpty(t, acts)
				last := acts[len(acts)-1]
				assert.Equal(t, events.OutcomeRefused, last.Outcome)
				assert.Equal(t, tc.code, last.Code)
			})
		}
		_, err := runner.Execute(t.Context(), s, caller, tools.Order{Tool: "loose", Input: json.RawMessage(`{"x":` + listOf(9_998, "1") + `}`)})
		assert.NoError(t, err)
	}
}

// A result is held to its schema as a tree, too, whoever made it.
func TestAResultHoldsSoManyValues(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	for _, s := range []tenants.Scope{acme, globex} {
		for _, tc := range []struct {
			cost   tools.Cost
			values int
			want   string
		}{
			{tools.Free, tools.MaxResultValues - 2, ""}, {tools.Free, tools.MaxResultValues - 1, "result_too_large"},
			{tools.Outside, tools.MaxValues - 2, ""}, {tools.Outside, tools.MaxValues - 1, "result_too_large"},
		} {
			tool := loose(`{"x":` + listOf(tc.values, "1") + `}`)
			tool.Cost = tc.cost
			registry, err := tools.New(tool)
			require.NoError(t, err)
			runner := tools.NewRunner(tools.Ports{Tools: registry, Records: &toolstest.Records{}}, nil)
			c := tenantstest.Config(t, string(s.Tenant()), nil)
			c.Tools.Enabled = []string{"loose"}
			caller := tools.Caller{Config: &c, Allows: func(tenants.APIScope) bool { return true }, Via: tools.ViaHTTP, RequestID: "r"}
			_, err = runner.Execute(t.Context(), s, caller, tools.Order{Tool: "loose"})
			if tc.want == "" {
				assert.NoError(t, err)
				continue
			}
			assert.Equal(t, tc.want, tools.OwnCode(err))
			assert.Equal(t, tools.CodeFailed, fault.As(err).Code)
		}
	}
}

// null for an argument that may be left out is as if it was, also for the digest; where the schema takes null it stays.
func TestNullStandsForAbsence(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	tool := loose(`{}`)
	tool.Input = tools.NewSchema(`{"type":"object","required":["a"],"additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"number"},"c":{"type":["number","null"]}}}`)
	var given []string
	tool.Run = func(_ context.Context, c *tools.Call) (json.RawMessage, error) {
		given = append(given, string(c.Input))
		return json.RawMessage(`{}`), nil
	}
	registry, err := tools.New(tool)
	require.NoError(t, err)
	for _, s := range []tenants.Scope{acme, globex} {
		records := &toolstest.Records{}
		runner := tools.NewRunner(tools.Ports{Tools: registry, Records: records}, nil)
		given = nil
		for _, input := range []string{`{"a":"<:null>","b":null,"c":null}`, `{"a":"<:null>","c":null}`, `{"a":null}`, `{"a":"x","d":null}`, `null`} {
			_, err := runner.Execute(t.Context(), s, callerOf(t, s), tools.Order{Tool: "loose", Input: json.RawMessage(input)})
			if len(given) < 2 {
				require.NoError(t, err)
			}
		}
		assert.Equal(t, []string{`{"a":"<:null>","c":null}`, `{"a":"<:null>","c":null}`}, given)
		acts := records.Acts(t, s)
		require.Len(t, acts, 5)
		assert.Equal(t, acts[0].Arguments, acts[1].Arguments)
		for _, act := range acts[2:] {
			assert.Equal(t, tools.CodeInvalid, act.Code)
		}
	}
}
