package toolstest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

func goesOn(t *testing.T, b *bench) {
	ctx, leave := context.WithCancel(b.Event(t.Context()))
	go func() { <-b.Entered(); leave() }()
	_, err := b.runner.Execute(ctx, b.acme, b.caller(b.acme), b.keyed("held", hello))
	assert.ErrorIs(t, err, context.Canceled)
	_, err = b.do(t, b.acme, b.keyed("held", hello))
	assert.Equal(t, tools.CodeRunning, fault.As(err).Code)
	b.Let()
	var r tools.Result
	for { // until it has ended
		if r, err = b.do(t, b.acme, b.keyed("held", hello)); err == nil || fault.As(err).Code != tools.CodeRunning {
			break
		}
		require.NoError(t, t.Context().Err())
	}
	require.NoError(t, err)
	assert.True(t, r.Replayed)
	assert.JSONEq(t, `{"text":"hello","tenant":"acme"}`, string(r.Data))
	assert.Equal(t, 1, b.Runs("held"))
}

func goesOnForAWhile(t *testing.T, b *bench) {
	b.runner = b.with(t, b.Calls, 20*time.Millisecond)
	ctx, leave := context.WithCancel(b.Event(t.Context()))
	go func() { <-b.Entered(); leave() }()
	_, err := b.runner.Execute(ctx, b.acme, b.caller(b.acme), b.keyed("patient", hello))
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, <-b.Ended(), "time of the call is over")
}

func madeOnce(t *testing.T, b *bench) {
	first, err := b.do(t, b.acme, b.keyed("writer", hello))
	require.NoError(t, err)
	for range 2 {
		again, err := b.do(t, b.acme, b.keyed("writer", ` { "size" : 3e0, "text":"hel\u006co"}`)) // the same words
		require.NoError(t, err)
		assert.True(t, again.Replayed)
		again.Replayed = false
		assert.JSONEq(t, string(first.Data), string(again.Data))
		again.Data = first.Data
		assert.Equal(t, first, again)
	}
	assert.Equal(t, 1, b.Writes(b.acme))
	_, n := b.last(t, b.acme)
	assert.Equal(t, 2, n, "its beginning and its end; a replay is no other call")
	for _, o := range []tools.Order{b.keyed("writer", `{"text":"other"}`), b.keyed("echo", hello)} {
		_, err = b.do(t, b.acme, o)
		b.refused(t, b.acme, err, "idempotency_conflict", "")
	}
	c := b.caller(b.acme)
	c.User = "grace"
	_, err = b.runner.Execute(b.Event(t.Context()), b.acme, c, b.keyed("writer", hello))
	b.refused(t, b.acme, err, "idempotency_conflict", "")
	_, err = b.do(t, b.globex, b.keyed("writer", hello))
	require.NoError(t, err)
	assert.Equal(t, 1, b.Writes(b.globex), "another tenant's key is another key")
}

// elsewhere is the calls of another pool, which knows of none that were made here.
type elsewhere struct{ tools.Calls }

func (e elsewhere) Begin(ctx context.Context, s tenants.Scope, o tools.Opening) (tools.Begun, error) {
	o.Key = "elsewhere/" + o.Key
	return e.Calls.Begin(ctx, s, o)
}

func (e elsewhere) End(ctx context.Context, s tenants.Scope, key, id string, lease int, r tools.Result) error {
	return e.Calls.End(ctx, s, "elsewhere/"+key, id, lease, r)
}

func onceInEveryPool(t *testing.T, b *bench) {
	for _, s := range []tenants.Scope{b.acme, b.globex} {
		here, err := b.do(t, s, b.keyed("writer", hello))
		require.NoError(t, err)
		old := b.runner
		b.runner = b.with(t, elsewhere{b.Calls}, 0)
		there, err := b.do(t, s, b.keyed("writer", ` {"text":"hello", "size":3.0} `))
		require.NoError(t, err)
		assert.False(t, there.Replayed, "nobody knows of it there")
		assert.NotEqual(t, here.ID, there.ID, "it is another call")
		assert.JSONEq(t, string(here.Data), string(there.Data))
		assert.Equal(t, 1, b.Writes(s), "which does nothing again")
		other := b.keyed("writer", hello)
		other.Key += "-other"
		_, err = b.do(t, s, other)
		require.NoError(t, err)
		assert.Equal(t, 2, b.Writes(s))
		_, err = b.do(t, s, tools.Order{Tool: "writer", Input: json.RawMessage(hello)})
		require.NoError(t, err)
		assert.Equal(t, 3, b.Writes(s), "without a key each is another")
		b.runner = old
	}
}

func againUnderID(t *testing.T, b *bench) {
	first, err := b.do(t, b.acme, b.keyed("breaking", hello))
	assert.Equal(t, tools.CodeFailed, fault.As(err).Code)
	second, err := b.do(t, b.acme, b.keyed("breaking", hello))
	assert.Equal(t, tools.CodeFailed, fault.As(err).Code)
	assert.Equal(t, 2, b.Runs("breaking"))
	assert.Equal(t, first.ID, second.ID)
	assert.Equal(t, 1, b.Writes(b.acme), "what it does under one id it does once")
	var outcomes []events.Outcome
	for _, a := range b.records.Acts(t, b.acme) {
		outcomes = append(outcomes, a.Outcome)
	}
	assert.Equal(t, []events.Outcome{events.OutcomeBegun, events.OutcomeFailed, events.OutcomeBegun, events.OutcomeFailed}, outcomes)
	_, err = b.do(t, b.acme, b.keyed("breaking", `{"text":"other"}`))
	b.refused(t, b.acme, err, "idempotency_conflict", "")
}

func freed(t *testing.T, b *bench) {
	_, err := b.do(t, b.acme, b.keyed("picky", hello))
	assert.Equal(t, tools.CodeInvalid, fault.As(err).Code)
	_, err = b.do(t, b.acme, b.keyed("echo", hello))
	assert.NoError(t, err)
}

func replayGranted(t *testing.T, b *bench) {
	_, err := b.do(t, b.acme, b.keyed("finder", hello))
	require.NoError(t, err)
	c := b.caller(b.acme)
	c.Allows = but(tenants.ScopeSearch)
	_, err = b.runner.Execute(b.Event(t.Context()), b.acme, c, b.keyed("finder", hello))
	b.refused(t, b.acme, err, tools.CodeDenied, "")
	b.configs[b.acme].Tools.Enabled = nil
	_, err = b.do(t, b.acme, b.keyed("finder", hello))
	b.refused(t, b.acme, err, tools.CodeNotFound, "")
}

func waysApart(t *testing.T, b *bench) {
	_, err := b.do(t, b.acme, b.keyed("echo", hello))
	require.NoError(t, err)
	c := b.caller(b.acme)
	c.Via = tools.ViaChat
	r, err := b.runner.Execute(b.Event(t.Context()), b.acme, c, b.keyed("echo", `{"text":"other"}`))
	require.NoError(t, err)
	assert.False(t, r.Replayed)
}

func manyAtOnce(t *testing.T, b *bench) {
	const n = 8
	var wg sync.WaitGroup
	codes := make(chan string, n)
	ctx := b.Event(t.Context())
	for range n {
		wg.Go(func() {
			_, err := b.runner.Execute(ctx, b.acme, b.caller(b.acme), b.keyed("writer", hello))
			if err != nil {
				codes <- fault.As(err).Code
			}
		})
	}
	wg.Wait()
	close(codes)
	for code := range codes {
		assert.Equal(t, tools.CodeRunning, code)
	}
	assert.Equal(t, 1, b.Runs("writer"))
	r, err := b.do(t, b.acme, b.keyed("writer", hello))
	require.NoError(t, err)
	assert.True(t, r.Replayed)
}

var errDown = errors.New("down")

func down(only string) func(string) error {
	return func(what string) error {
		if what == only {
			return fault.Unavailablef(errDown, "queue_unavailable", "queue audit did not take the events")
		}
		return nil
	}
}

func unrecordedBefore(t *testing.T, b *bench) {
	for _, fail := range []func(){
		func() { b.records.Before = down(events.TypeToolStarted) },
		func() { b.records.Before, b.records.After = nil, down(events.TypeToolStarted) },
	} {
		fail()
		for _, o := range []tools.Order{order("writer", hello), b.keyed("writer", hello)} {
			_, err := b.do(t, b.acme, o)
			f := fault.As(err)
			assert.Equal(t, []any{fault.Unavailable, tools.CodeUnrecorded}, []any{f.Kind, f.Code})
			assert.NotContains(t, f.Message, "queue")
		}
		_, err := b.do(t, b.acme, order("echo", hello))
		assert.NoError(t, err, "which writes nothing, so it has no such record")
	}
	assert.Zero(t, b.Runs("writer"))
	b.records.Before, b.records.After = nil, nil
	r, err := b.do(t, b.acme, b.keyed("writer", hello))
	require.NoError(t, err)
	assert.False(t, r.Replayed)
}

func unrecordedAfter(t *testing.T, b *bench) {
	b.records.Before = down(events.TypeToolExecuted)
	for _, o := range []tools.Order{order("echo", hello), b.keyed("writer", hello), order("failing", hello), order("ekko", hello)} {
		r, err := b.do(t, b.acme, o)
		assert.Equal(t, tools.CodeUnrecorded, fault.As(err).Code)
		assert.Empty(t, r.Data)
	}
	_, err := b.do(t, b.acme, b.keyed("writer", hello))
	assert.Equal(t, tools.CodeUnrecorded, fault.As(err).Code, "nor is what was kept answered before it is on record")
	b.records.Before = nil
	for range 2 {
		r, err := b.do(t, b.acme, b.keyed("writer", hello))
		require.NoError(t, err, "the result is not lost")
		assert.True(t, r.Replayed)
		act, n := b.last(t, b.acme)
		assert.Equal(t, 2, n)
		assert.Equal(t, []any{"calls/" + r.ID, events.OutcomeSucceeded}, []any{act.Target, act.Outcome})
	}
	assert.Equal(t, 1, b.Runs("writer"))
}

// broken is calls of which one kind fails, before or after its effect.
type broken struct {
	tools.Calls
	op    string
	after bool
}

func (c broken) do(op string, effect func() error) error {
	if op != c.op {
		return effect()
	}
	if c.after {
		_ = effect()
	}
	return fault.Unavailablef(errDown, "object_unavailable", "the object did not answer")
}

func (c broken) Begin(ctx context.Context, s tenants.Scope, o tools.Opening) (b tools.Begun, err error) {
	err = c.do("begin", func() (err error) {
		b, err = c.Calls.Begin(ctx, s, o)
		return err
	})
	return b, err
}

func (c broken) End(ctx context.Context, s tenants.Scope, key, id string, lease int, r tools.Result) error {
	return c.do("end", func() error { return c.Calls.End(ctx, s, key, id, lease, r) })
}

func callsFail(t *testing.T, b *bench) {
	for _, after := range []bool{false, true} {
		b.key += "-x"
		b.runner = b.with(t, broken{b.Calls, "begin", after}, 0)
		before := b.Runs("writer")
		_, err := b.do(t, b.acme, b.keyed("writer", hello))
		b.refused(t, b.acme, err, "object_unavailable", "")
		assert.Equal(t, before, b.Runs("writer"))
		_, err = b.do(t, b.acme, order("writer", hello))
		assert.NoError(t, err, "a call without a key needs none")

		b.key += "-y"
		b.runner = b.with(t, broken{b.Calls, "end", after}, 0)
		r, err := b.do(t, b.acme, b.keyed("writer", hello))
		require.NoError(t, err, "it was made")
		assert.NotEmpty(t, r.Data)
		again, err := b.do(t, b.acme, b.keyed("writer", hello))
		if after {
			require.NoError(t, err)
			assert.Equal(t, r.ID, again.ID)
		} else {
			assert.Equal(t, tools.CodeRunning, fault.As(err).Code, "until its lease is over")
		}
	}
}

func failures(t *testing.T, b *bench) {
	for tool, want := range map[string]struct {
		kind             fault.Kind
		code, own, field string
	}{
		"failing":   {fault.Unavailable, tools.CodeFailed, "shelf_not_found", ""},
		"breaking":  {fault.Unavailable, tools.CodeFailed, "shelf_busy", ""},
		"strange":   {fault.Unavailable, tools.CodeFailed, "internal", ""},
		"panicking": {fault.Unavailable, tools.CodeFailed, "tool_panicked", ""},
		"lying":     {fault.Unavailable, tools.CodeFailed, "result_invalid", ""},
		"huge":      {fault.Unavailable, tools.CodeFailed, "result_too_large", ""},
		"limited":   {fault.Limited, "budget_exhausted", "budget_exhausted", ""},
		"picky":     {fault.Invalid, tools.CodeInvalid, tools.CodeInvalid, "params.tags[0]"},
	} {
		r, err := b.do(t, b.acme, order(tool, hello))
		f := fault.As(err)
		assert.Equal(t, []any{want.kind, want.code, want.field}, []any{f.Kind, f.Code, f.Field}, tool)
		assert.Equal(t, want.own, tools.OwnCode(err), tool)
		assert.NotContains(t, f.Message, "secret", tool)
		assert.Empty(t, r.Data, tool)
		assert.NotEmpty(t, r.ID, tool)
		act, _ := b.last(t, b.acme)
		assert.Equal(t, []any{tool, events.OutcomeFailed, want.own, "calls/" + r.ID}, []any{act.Name, act.Outcome, act.Code, act.Target}, tool)
	}
	_, err := b.do(t, b.acme, order("failing", hello))
	assert.Equal(t, "make one", fault.As(err).Hint)
	_, err = b.do(t, b.acme, order("limited", hello))
	assert.Equal(t, time.Minute, fault.As(err).RetryAfter)
}

func progress(t *testing.T, b *bench) {
	o := order("counting", hello)
	var told []tools.Progress
	o.Progress = func(p tools.Progress) { told = append(told, p) }
	_, err := b.do(t, b.acme, o)
	require.NoError(t, err)
	assert.Equal(t, []tools.Progress{{Done: 1, Total: 3, Message: "hello"}, {Done: 2, Total: 3, Message: "hello"}, {Done: 3, Total: 3, Message: "hello"}}, told)
}

func digests(t *testing.T, b *bench) {
	digest := func(input string) string {
		_, err := b.do(t, b.acme, order("echo", input))
		require.NoError(t, err)
		act, _ := b.last(t, b.acme)
		assert.Len(t, act.Arguments, 64)
		return act.Arguments
	}
	first := digest(`{"text":"a","size":3}`)
	assert.Equal(t, first, digest(" {\"size\": 3.0,\n\"text\": \"\\u0061\"}"))
	assert.NotEqual(t, first, digest(`{"text":"b","size":3}`))
}

func otherTenant(t *testing.T, b *bench) {
	_, err := b.runner.Execute(b.Event(t.Context()), b.acme, b.caller(b.globex), order("echo", hello))
	assert.Equal(t, "tenant_mismatch", fault.As(err).Code)
	_, err = b.runner.Execute(b.Event(t.Context()), tenants.Scope{}, b.caller(b.acme), order("echo", hello))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	assert.Zero(t, b.Runs("echo"))
}

func startedFirst(t *testing.T, b *bench) {
	b.records.After = func(typ string) error {
		if typ == events.TypeToolStarted {
			assert.Zero(t, b.Runs("writer"))
		} else {
			assert.Equal(t, 1, b.Runs("writer"))
		}
		return nil
	}
	r, err := b.do(t, b.acme, order("writer", hello))
	require.NoError(t, err)
	acts := b.records.Acts(t, b.acme)
	require.Len(t, acts, 2)
	for i, want := range []events.Outcome{events.OutcomeBegun, events.OutcomeSucceeded} {
		assert.Equal(t, []any{want, "calls/" + r.ID}, []any{acts[i].Outcome, acts[i].Target})
	}
	assert.Empty(t, b.records.Acts(t, b.globex))
}

func strangeName(t *testing.T, b *bench) {
	for _, name := range []string{"", "Robert'); DROP", strings.Repeat("a", 65), "é"} {
		_, err := b.do(t, b.acme, order(name, hello))
		b.refused(t, b.acme, err, tools.CodeNotFound, "")
		act, _ := b.last(t, b.acme)
		assert.Equal(t, "?", act.Name)
	}
	c := b.caller(b.acme)
	c.Actor = strings.Repeat("ä", 200)
	_, err := b.runner.Execute(b.Event(t.Context()), b.acme, c, order("echo", hello))
	require.NoError(t, err)
	act, _ := b.last(t, b.acme)
	assert.Equal(t, strings.Repeat("ä", 128), act.Actor, "a long name is cut, and no obstacle")
}

func largest(t *testing.T, b *bench) {
	const around = len(`{"text":"","tenant":"acme"}`)
	text, err := json.Marshal(map[string]string{"text": strings.Repeat("a", tools.MaxResultBytes-around), "tenant": "acme"})
	require.NoError(t, err)
	guest := b.Tools()[0]
	guest.Name, guest.Run = "guest", func(context.Context, *tools.Call) (json.RawMessage, error) { return text, nil }
	b.own["acme"] = []tools.Tool{guest}
	for _, replayed := range []bool{false, true} {
		r, err := b.do(t, b.acme, b.keyed("guest", hello))
		require.NoError(t, err)
		assert.Equal(t, []any{tools.MaxResultBytes, replayed}, []any{len(r.Data), r.Replayed})
	}
}
