package toolstest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
)

// World is what a Runner stands in.
type World struct {
	Calls      tools.Calls
	Background func(ctx context.Context, f func(context.Context)) error // nil: a goroutine
	Event      func(ctx context.Context) context.Context                // gives a context its event; nil: it needs none
}

// TestRunner checks the promises of tools.Box and tools.Runner.
func TestRunner(t *testing.T, open func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, *bench){
		"a call has a result, and is on record":                  called,
		"a tool acts for its tenant":                             ownTenant,
		"what is not enabled does not exist":                     notEnabled,
		"what is not granted is not listed, and refused":         notGranted,
		"who may call nothing is told nothing":                   noTools,
		"tenants have tools of their own":                        ownTools,
		"bad input is refused with its path":                     badInput,
		"policies bound arguments":                               policies,
		"a dry run does nothing":                                 dryRun,
		"a tool over its time is cancelled":                      overTime,
		"a tool that does not listen is left behind":             leftBehind,
		"a caller that leaves cancels":                           callerLeaves,
		"with a key the call goes on":                            goesOn,
		"with a key it goes on for a while":                      goesOnForAWhile,
		"a call with a key is made once":                         madeOnce,
		"a call that failed is made again under its id":          againUnderID,
		"a call with a key happens once, also in another pool":   onceInEveryPool,
		"an argument that the tool refuses frees the key":        freed,
		"tools fail in their own ways":                           failures,
		"progress is told while somebody listens":                progress,
		"what cannot be recorded is not done":                    unrecordedBefore,
		"what was done and not recorded is not answered":         unrecordedAfter,
		"the same words in another order have the same digest":   digests,
		"calls that cannot be kept are made, or refused":         callsFail,
		"a caller of another tenant is refused":                  otherTenant,
		"a tool that writes is on record before it is run":       startedFirst,
		"a replay is for who may call the tool":                  replayGranted,
		"many calls at once with one key are one":                manyAtOnce,
		"turns and requests do not share keys":                   waysApart,
		"a name that no tool can have is not put on record":      strangeName,
		"a result that is only just small enough is not refused": largest,
	} {
		t.Run(name, func(t *testing.T) { test(t, newBench(t, open(t))) })
	}
}

// bench is a Runner over the tools of Set, for two tenants that have all of them.
type bench struct {
	World
	*Set
	records      *Records
	runner       *tools.Runner
	own          map[tenants.ID][]tools.Tool
	acme, globex tenants.Scope
	configs      map[tenants.Scope]*tenants.Config
	key          string
}

func newBench(t *testing.T, w World) *bench {
	b := &bench{World: w, Set: NewSet(50 * time.Millisecond), records: &Records{}, own: map[tenants.ID][]tools.Tool{}, key: tenantstest.Fresh(t, "key-")}
	t.Cleanup(b.Set.Close)
	if b.Event == nil {
		b.Event = func(ctx context.Context) context.Context { return ctx }
	}
	b.acme, b.globex = tenantstest.Two(t)
	b.configs = map[tenants.Scope]*tenants.Config{}
	for _, s := range []tenants.Scope{b.acme, b.globex} {
		c := tenantstest.Config(t, string(s.Tenant()), nil)
		c.Tools.Enabled = append(b.Names(), "guest")
		b.configs[s] = &c
	}
	b.runner = b.with(t, w.Calls, 0)
	return b
}

// with is a Runner over calls, whose calls go on for so long without their callers.
func (b *bench) with(t *testing.T, calls tools.Calls, linger time.Duration) *tools.Runner {
	registry, err := tools.New(b.Tools()...)
	require.NoError(t, err)
	return tools.NewRunner(tools.Ports{Tools: registry, Calls: calls, Records: b.records}, &tools.Options{
		Own:        func(c *tenants.Config) []tools.Tool { return b.own[c.ID] },
		Background: b.Background, Linger: linger, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

func all(tenants.APIScope) bool { return true }

// but is a key that holds all scopes but some.
func but(not ...tenants.APIScope) func(tenants.APIScope) bool {
	return func(s tenants.APIScope) bool { return !slices.Contains(not, s) }
}

func (b *bench) caller(s tenants.Scope) tools.Caller {
	return tools.Caller{
		Config: b.configs[s], Actor: "website", Allows: all, User: "ada", Via: tools.ViaHTTP, RequestID: "r-1", Cause: events.Cause{ID: "r-1"},
	}
}

func order(tool, input string) tools.Order {
	return tools.Order{Tool: tool, Input: json.RawMessage(input)}
}

func (b *bench) keyed(tool, input string) tools.Order {
	o := order(tool, input)
	o.Key = b.key
	return o
}

func (b *bench) do(t *testing.T, s tenants.Scope, o tools.Order) (tools.Result, error) {
	return b.runner.Execute(b.Event(t.Context()), s, b.caller(s), o)
}

// last is the newest act on record, and how many there are.
func (b *bench) last(t *testing.T, s tenants.Scope) (events.Act, int) {
	acts := b.records.Acts(t, s)
	if len(acts) == 0 {
		return events.Act{}, 0
	}
	return acts[len(acts)-1], len(acts)
}

// refused requires an error of a code and a place, which is on record as refused.
func (b *bench) refused(t *testing.T, s tenants.Scope, err error, code, field string) {
	t.Helper()
	f := fault.As(err)
	assert.Equal(t, code, f.Code, "%v", err)
	assert.Equal(t, field, f.Field, "%v", err)
	act, _ := b.last(t, s)
	assert.Equal(t, events.OutcomeRefused, act.Outcome)
	assert.Equal(t, code, act.Code)
}

const hello = `{"text":"hello","size":3}`

func called(t *testing.T, b *bench) {
	r, err := b.do(t, b.acme, order("echo", hello))
	require.NoError(t, err)
	assert.JSONEq(t, `{"text":"hello","tenant":"acme","size":3}`, string(r.Data))
	assert.NotEmpty(t, r.ID)
	assert.Equal(t, []int64{7, 900}, []int64{r.Tokens, r.Nanos})
	act, n := b.last(t, b.acme)
	assert.Equal(t, 1, n)
	act.DurationMS = 0
	assert.Equal(t, events.Act{
		Kind: events.ActTool, Name: "echo", Actor: "website", UserID: "ada", RequestID: "r-1", Target: "calls/" + r.ID,
		Arguments: "dee5c023a807c20b66c5b830821fc9c23cd1e19666162a1b92b479a0fcde0f2d", Outcome: events.OutcomeSucceeded, Tokens: 7, CostNanos: 900,
	}, act)
}

func ownTenant(t *testing.T, b *bench) {
	for _, s := range []tenants.Scope{b.acme, b.globex} {
		r, err := b.do(t, s, order("echo", hello))
		require.NoError(t, err)
		assert.Contains(t, string(r.Data), fmt.Sprintf("%q", s.Tenant()))
		_, n := b.last(t, s)
		assert.Equal(t, 1, n)
	}
}

// names are those of the tools that a caller is shown.
func (b *bench) names(c tools.Caller) (names []string) {
	for _, t := range b.runner.List(c) {
		names = append(names, t.Name)
	}
	return names
}

func notEnabled(t *testing.T, b *bench) {
	b.configs[b.globex].Tools.Enabled = []string{"slow"}
	assert.Contains(t, b.names(b.caller(b.acme)), "echo")
	assert.Equal(t, []string{"slow"}, b.names(b.caller(b.globex)))
	_, disabled := b.do(t, b.globex, order("echo", `{"bad":1}`))
	b.refused(t, b.globex, disabled, tools.CodeNotFound, "")
	_, unknown := b.do(t, b.globex, order("ekko", `{"bad":1}`))
	b.refused(t, b.globex, unknown, tools.CodeNotFound, "")
	assert.Equal(t, fault.As(unknown).Hint, fault.As(disabled).Hint)
	assert.Equal(t, `there is no tool "echo"`, fault.As(disabled).Message, "as of one that nobody has")
	assert.Zero(t, b.Runs("echo"))
	b.configs[b.globex].Tools.Enabled = nil
	assert.Empty(t, b.names(b.caller(b.globex)))
}

func notGranted(t *testing.T, b *bench) {
	c := b.caller(b.acme)
	c.Allows = but(tenants.ScopeSearch)
	assert.NotContains(t, b.names(c), "finder")
	assert.Contains(t, b.names(c), "echo")
	assert.Contains(t, b.names(b.caller(b.acme)), "finder")
	_, err := b.runner.Execute(b.Event(t.Context()), b.acme, c, order("finder", `{"bad":1}`))
	b.refused(t, b.acme, err, tools.CodeDenied, "")
	assert.Contains(t, fault.As(err).Message, "scope search")
	_, err = b.do(t, b.acme, order("finder", hello))
	assert.NoError(t, err)
}

func noTools(t *testing.T, b *bench) {
	c := b.caller(b.acme)
	for _, c.Allows = range []func(tenants.APIScope) bool{but(tenants.ScopeTools), nil} {
		assert.Empty(t, b.runner.List(c))
		var said []string
		for _, name := range []string{"echo", "ekko", "finder"} {
			_, err := b.runner.Execute(b.Event(t.Context()), b.acme, c, order(name, hello))
			b.refused(t, b.acme, err, tools.CodeDenied, "")
			said = append(said, err.Error())
		}
		assert.Equal(t, []string{said[0], said[0], said[0]}, said)
	}
}

func ownTools(t *testing.T, b *bench) {
	guest := b.Tools()[0]
	guest.Name = "guest"
	bad, hidden := guest, guest
	bad.Name, hidden.Name = "Bad Name", "hidden"
	taken := guest
	taken.Name, taken.Description = "echo", "Not the platform's."
	b.own["acme"] = []tools.Tool{guest, bad, hidden, taken}
	listed := b.runner.List(b.caller(b.acme))
	assert.True(t, slices.IsSortedFunc(listed, func(x, y tools.Tool) int { return map[bool]int{true: -1, false: 1}[x.Name < y.Name] }))
	assert.Contains(t, b.names(b.caller(b.acme)), "guest")
	assert.NotContains(t, b.names(b.caller(b.acme)), "Bad Name")
	assert.NotContains(t, b.names(b.caller(b.acme)), "hidden", "it is not enabled")
	for _, l := range listed {
		assert.NotEqual(t, "Not the platform's.", l.Description)
	}
	r, err := b.do(t, b.acme, order("guest", hello))
	require.NoError(t, err)
	assert.Contains(t, string(r.Data), "acme")
	_, err = b.do(t, b.globex, order("guest", hello))
	b.refused(t, b.globex, err, tools.CodeNotFound, "")
}

func badInput(t *testing.T, b *bench) {
	for input, field := range map[string]string{
		`{}`: "params.text", `{"text":""}`: "params.text", `{"text":7}`: "params.text", `{"text":"a","size":0}`: "params.size",
		`{"text":"a","tags":["b",5]}`: "params.tags[1]", `{"text":"a","where":{"knid":"x"}}`: "params.where.knid", `{"text":"a","txet":1}`: "params.txet",
		`[]`: "params", `null`: "params", `"x"`: "params", `{"text":"a"`: "params", `{"text":"a"}{}`: "params", `{"text":"a","text":"b"}`: "params",
		`{"text":"a","size":1e999}`: "params.size", `{"text":"a","tags":[1,9007199254740993]}`: "params.tags[1]", `{"text":"1234567890123456789","size":9007199254740992}`: "params.size", "{\"text\":\"\xff\"}": "params",
	} {
		for _, s := range []tenants.Scope{b.acme, b.globex} {
			_, err := b.do(t, s, order("echo", input))
			b.refused(t, s, err, tools.CodeInvalid, field)
		}
	}
	for _, s := range []tenants.Scope{b.acme, b.globex} {
		_, err := b.do(t, s, tools.Order{Tool: "echo"})
		b.refused(t, s, err, tools.CodeInvalid, "params.text")
	}
	assert.Zero(t, b.Runs("echo"))
}

func policies(t *testing.T, b *bench) {
	number := func(n int64) *int64 { return &n }
	c := b.configs[b.acme]
	for _, test := range []struct {
		policy      tenants.Policy
		input, path string
	}{
		{tenants.Policy{Argument: "text", Allowed: []string{"hello", "bye"}}, `{"text":"bye"}`, ""},
		{tenants.Policy{Argument: "text", Allowed: []string{"hello", "bye"}}, `{"text":"Bye"}`, "params.text"},
		{tenants.Policy{Argument: "text", MaxChars: 2}, `{"text":"日本"}`, ""},
		{tenants.Policy{Argument: "text", MaxChars: 2}, `{"text":"日本語"}`, "params.text"},
		{tenants.Policy{Argument: "text", Min: number(1)}, `{"text":"5"}`, "params.text"},
		{tenants.Policy{Argument: "size", Min: number(2), Max: number(3)}, `{"text":"a","size":3}`, ""},
		{tenants.Policy{Argument: "size", Min: number(2), Max: number(3)}, `{"text":"a","size":4}`, "params.size"},
		{tenants.Policy{Argument: "size", Min: number(2), Max: number(3)}, `{"text":"a","size":1}`, "params.size"},
		{tenants.Policy{Argument: "size", Max: number(49)}, `{"text":"a"}`, "params.size"}, // its default is 50
		{tenants.Policy{Argument: "size", Max: number(50)}, `{"text":"a"}`, ""},
		{tenants.Policy{Argument: "size", Allowed: []string{"3"}}, `{"text":"a","size":3.0}`, ""},
		{tenants.Policy{Argument: "tags", Allowed: []string{"b"}}, `{"text":"a","tags":["b","c"]}`, "params.tags[1]"},
		{tenants.Policy{Argument: "tags", Allowed: []string{"b"}}, `{"text":"a","tags":[]}`, ""},
		{tenants.Policy{Argument: "tags", Allowed: []string{"b"}}, `{"text":"a"}`, "params.tags"},
		{tenants.Policy{Argument: "tags", MaxChars: 1}, `{"text":"a"}`, ""},
		{tenants.Policy{Argument: "tags", MaxChars: 1}, `{"text":"a","tags":["bc"]}`, "params.tags[0]"},
		{tenants.Policy{Argument: "where.kind", Allowed: []string{"wiki"}}, `{"text":"a","where":{"kind":"wiki"}}`, ""},
		{tenants.Policy{Argument: "where.kind", Allowed: []string{"wiki"}}, `{"text":"a","where":{"kind":"mail"}}`, "params.where.kind"},
		{tenants.Policy{Argument: "where", MaxChars: 5}, `{"text":"a","where":{"kind":"mail"}}`, "params.where"},
		{tenants.Policy{Tool: "finder", Argument: "text", MaxChars: 1}, `{"text":"abc"}`, ""},
	} {
		if test.policy.Tool == "" {
			test.policy.Tool = "echo"
		}
		c.Tools.Policies = []tenants.Policy{{Tool: "echo", Argument: "text", MaxChars: 500}, test.policy}
		_, err := b.do(t, b.acme, order("echo", test.input))
		if test.path == "" {
			assert.NoError(t, err, "%+v", test)
			continue
		}
		b.refused(t, b.acme, err, tools.CodeDenied, test.path)
		assert.Equal(t, fault.Denied, fault.KindOf(err))
		_, err = b.do(t, b.globex, order("echo", test.input))
		assert.NoError(t, err, "another tenant's policy")
	}
}

func dryRun(t *testing.T, b *bench) {
	o := b.keyed("writer", hello)
	o.DryRun = true
	r, err := b.do(t, b.acme, o)
	require.NoError(t, err)
	assert.True(t, r.DryRun)
	assert.JSONEq(t, `{"tool":"writer","effects":"writes","cost":"compute","timeoutMs":10000}`, string(r.Data))
	assert.Zero(t, b.Runs("writer"))
	assert.Zero(t, b.records.Sent())
	o.Input = json.RawMessage(`{}`)
	_, err = b.do(t, b.acme, o)
	b.refused(t, b.acme, err, tools.CodeInvalid, "params.text")
	r, err = b.do(t, b.acme, b.keyed("writer", hello))
	require.NoError(t, err, "the key is still free")
	assert.False(t, r.Replayed || r.DryRun)
}

func overTime(t *testing.T, b *bench) {
	for _, s := range []tenants.Scope{b.acme, b.globex} {
		_, err := b.do(t, s, order("slow", hello))
		assert.Equal(t, tools.CodeTimeout, fault.As(err).Code)
		assert.ErrorContains(t, <-b.Ended(), "time of the call is over")
		act, n := b.last(t, s)
		assert.Equal(t, []any{1, events.OutcomeTimeout, tools.CodeTimeout}, []any{n, act.Outcome, act.Code})
	}
}

func leftBehind(t *testing.T, b *bench) {
	o := order("deaf", hello)
	var told atomic.Int32
	o.Progress = func(tools.Progress) { told.Add(1) }
	r, err := b.do(t, b.acme, o)
	assert.Equal(t, tools.CodeTimeout, fault.As(err).Code, "and it has not ended yet")
	assert.Empty(t, r.Data)
	act, _ := b.last(t, b.acme)
	assert.Equal(t, events.OutcomeTimeout, act.Outcome)
	assert.Zero(t, told.Load())
	_, err = b.do(t, b.globex, order("echo", hello))
	assert.NoError(t, err, "nobody else waits for it")
}

func callerLeaves(t *testing.T, b *bench) {
	ctx, leave := context.WithCancel(b.Event(t.Context()))
	go func() { <-b.Entered(); leave() }()
	_, err := b.runner.Execute(ctx, b.acme, b.caller(b.acme), order("patient", hello))
	assert.Error(t, err)
	assert.ErrorContains(t, <-b.Ended(), "the caller left")
	act, _ := b.last(t, b.acme)
	assert.Equal(t, events.OutcomeCancelled, act.Outcome, "it is on record when Execute returns")
}
