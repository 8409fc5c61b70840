package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/toolstest"
)

// busy is a Runner over a tool that takes so long, and how many of its large calls ran at a time at most.
func busy(t *testing.T, takes time.Duration, o tools.Options) (r *tools.Runner, records *toolstest.Records, most *atomic.Int32) {
	var now atomic.Int32
	most = &atomic.Int32{}
	tool := loose("")
	tool.Timeout = 20 * time.Second
	tool.Run = func(ctx context.Context, c *tools.Call) (json.RawMessage, error) {
		if len(c.Input) > 100 {
			n := now.Add(1)
			defer now.Add(-1)
			for had := most.Load(); n > had && !most.CompareAndSwap(had, n); had = most.Load() {
			}
		}
		select {
		case <-time.After(takes):
			return json.RawMessage(`{}`), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	registry, err := tools.New(tool)
	require.NoError(t, err)
	records = &toolstest.Records{}
	return tools.NewRunner(tools.Ports{Tools: registry, Calls: memory.NewCalls(time.Now), Records: records}, &o), records, most
}

func callerOf(t *testing.T, s tenants.Scope) tools.Caller {
	c := tenantstest.Config(t, string(s.Tenant()), nil)
	c.Tools.Enabled = []string{"loose"}
	return tools.Caller{Config: &c, Allows: func(tenants.APIScope) bool { return true }, Via: tools.ViaHTTP, RequestID: "r"}
}

func large(bytes int) json.RawMessage {
	return json.RawMessage(`{"text":"` + strings.Repeat("a", bytes) + `"}`)
}

// Eight large calls of two tenants run two at a time, and all of them are answered. Small ones need not wait for them.
func TestLargeCallsWaitForRoom(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	synctest.Test(t, func(t *testing.T) {
		r, _, most := busy(t, time.Second, tools.Options{})
		var all sync.WaitGroup
		for range 4 {
			for _, s := range []tenants.Scope{acme, globex} {
				caller := callerOf(t, s)
				all.Go(func() {
					_, err := r.Execute(t.Context(), s, caller, tools.Order{Tool: "loose", Input: large(500_000)})
					assert.NoError(t, err)
				})
			}
		}
		synctest.Wait()
		began := time.Now()
		_, err := r.Execute(t.Context(), acme, callerOf(t, acme), tools.Order{Tool: "loose", Input: large(10)})
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(began), "of the bubble's clock: it did not wait")
		all.Wait()
		assert.EqualValues(t, 2, most.Load())
	})
}

// Who cannot have room in time is told when to come again, and nothing of the call is left over. What is longer than the room is alone in it.
func TestNoRoomInTime(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	synctest.Test(t, func(t *testing.T) {
		r, records, most := busy(t, 12*time.Second, tools.Options{})
		var first sync.WaitGroup
		first.Go(func() {
			_, err := r.Execute(t.Context(), acme, callerOf(t, acme), tools.Order{Tool: "loose", Input: large(3 << 20)})
			assert.NoError(t, err)
		})
		synctest.Wait()
		order := tools.Order{Tool: "loose", Input: large(20_000), Key: "k"}
		for range 2 {
			if _, err := r.Execute(t.Context(), globex, callerOf(t, globex), order); err == nil {
				continue // there is room by now
			} else {
				f := fault.As(err)
				assert.Equal(t, []any{fault.Unavailable, tools.CodeBusy, 10 * time.Second}, []any{f.Kind, f.Code, f.RetryAfter})
			}
			acts := records.Acts(t, globex)
			require.Len(t, acts, 1)
			assert.Equal(t, []any{events.OutcomeRefused, tools.CodeBusy}, []any{acts[0].Outcome, acts[0].Code})
		}
		first.Wait()
		assert.EqualValues(t, 1, most.Load())
		left, leave := context.WithCancel(t.Context())
		leave()
		_, err := r.Execute(left, acme, callerOf(t, acme), order)
		assert.Error(t, err)
		for range 3 { // whoever left, or was refused, holds no room
			_, err := r.Execute(t.Context(), globex, callerOf(t, globex), tools.Order{Tool: "loose", Input: large(1 << 20)})
			assert.NoError(t, err)
			_, err = r.Execute(t.Context(), globex, callerOf(t, globex), tools.Order{Tool: "loose", Input: json.RawMessage(`{"kinds":["` + strings.Repeat("x", 1<<20) + `"]}`)})
			assert.Equal(t, tools.CodeInvalid, fault.As(err).Code)
		}
	})
}

// A tool that waits for somebody else's server has no room meanwhile, and none for the answer is its failure, once. A tool that was left behind gets none.
func TestWhoWaitsForOthersHasNoRoom(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan error, 2)
		asks := loose("")
		asks.Name, asks.Cost, asks.Timeout = "asks", tools.Outside, 20*time.Second
		asks.Run = func(ctx context.Context, c *tools.Call) (json.RawMessage, error) {
			c.Leave()
			time.Sleep(5 * time.Second)
			err := c.Enter(ctx, 1<<20)
			answered <- err
			return json.RawMessage(`{}`), err
		}
		hasty := asks
		hasty.Name, hasty.Timeout = "hasty", time.Second
		works := loose("")
		works.Timeout = 30 * time.Second
		works.Run = func(context.Context, *tools.Call) (json.RawMessage, error) {
			time.Sleep(16 * time.Second)
			return json.RawMessage(`{}`), nil
		}
		registry, err := tools.New(asks, hasty, works)
		require.NoError(t, err)
		records := &toolstest.Records{}
		r := tools.NewRunner(tools.Ports{Tools: registry, Calls: memory.NewCalls(time.Now), Records: records}, nil)
		call := func(s tenants.Scope, tool string) error {
			caller := callerOf(t, s)
			caller.Config.Tools.Enabled = []string{"asks", "hasty", "loose"}
			_, err := r.Execute(t.Context(), s, caller, tools.Order{Tool: tool, Input: large(1 << 20)})
			return err
		}
		for _, two := range [][2]tenants.Scope{{acme, globex}, {globex, acme}} {
			var all sync.WaitGroup
			all.Go(func() {
				err := call(two[0], "asks")
				assert.Equal(t, []string{tools.CodeFailed, tools.CodeBusy}, []string{fault.As(err).Code, tools.OwnCode(err)}, "%v", err)
				assert.Equal(t, 10*time.Second, fault.As(err).RetryAfter)
			})
			synctest.Wait()
			began := time.Now()
			assert.NoError(t, call(two[1], "loose"))
			assert.Equal(t, 16*time.Second, time.Since(began), "of the bubble's clock: it did not wait")
			all.Wait()
			assert.Error(t, <-answered)
			assert.NoError(t, call(two[0], "asks"), "there is room for the answer again")
			assert.NoError(t, <-answered)
			assert.Equal(t, tools.CodeTimeout, fault.As(call(two[0], "hasty")).Code)
			assert.Error(t, <-answered)
			assert.NoError(t, call(two[1], "loose"), "nobody holds what is left behind")
		}
	})
}

// A call that could not be begun is on record as refused, and its key is free: nothing runs under it.
func TestACallThatIsNotBegun(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		r, records, _ := busy(t, 0, tools.Options{Background: func(ctx context.Context, f func(context.Context)) error {
			if refuse {
				return errors.New("the event has ended")
			}
			go f(context.WithoutCancel(ctx))
			return nil
		}})
		for i, s := range []tenants.Scope{acme, globex} {
			for _, key := range []string{"", "k"} {
				order := tools.Order{Tool: "loose", Input: large(20_000), Key: key}
				for range 2 {
					refuse = true
					_, err := r.Execute(t.Context(), s, callerOf(t, s), order)
					assert.Equal(t, "call_cut_off", fault.As(err).Code, "%v", err)
					acts := records.Acts(t, s)
					require.NotEmpty(t, acts, i)
					last := acts[len(acts)-1]
					assert.Equal(t, []any{events.OutcomeRefused, "call_cut_off"}, []any{last.Outcome, last.Code})
				}
				refuse = false
				_, err := r.Execute(t.Context(), s, callerOf(t, s), order)
				assert.NoError(t, err)
			}
			assert.Len(t, records.Acts(t, s), 6)
		}
	})
}
