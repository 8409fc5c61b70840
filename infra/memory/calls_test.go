package memory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/toolstest"
)

func TestCalls(t *testing.T) {
	calls := memory.NewCalls(time.Now)
	toolstest.TestCalls(t, func(*testing.T) tools.Calls { return calls })
}

// A call is forgotten a day after its lease, for its own tenant, and not before.
func TestCallsAreForgotten(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	calls := memory.NewCalls(func() time.Time { return now })
	acme, globex := tenantstest.Two(t)
	opening := func(key string) tools.Opening { return tools.Opening{Key: key, Hash: "h", ID: key, Lease: time.Minute} }
	for _, s := range []tenants.Scope{acme, globex} {
		for _, key := range []string{"a", "b/c"} {
			b, err := calls.Begin(t.Context(), s, opening(key))
			require.NoError(t, err)
			require.NoError(t, calls.End(t.Context(), s, key, key, b.Lease, tools.Result{ID: key, Data: []byte(`{}`)}))
		}
	}
	count := func(s tenants.Scope) int {
		n, err := calls.Count(t.Context(), s, 10)
		require.NoError(t, err)
		return n
	}
	now = now.Add(time.Minute + tools.ResultLife - time.Millisecond)
	swept, err := calls.Alarm(acme)
	require.NoError(t, err)
	assert.True(t, swept.Left)
	assert.Equal(t, 2, count(acme))
	now = now.Add(time.Millisecond)
	b, err := calls.Begin(t.Context(), acme, tools.Opening{Key: "a", Hash: "other", ID: "new", Lease: time.Minute})
	require.NoError(t, err, "what has expired is free, also before the alarm")
	assert.Equal(t, tools.Begun{ID: "new", Lease: 1}, b)
	swept, err = calls.Alarm(acme)
	require.NoError(t, err)
	assert.True(t, swept.Left, "the new one")
	assert.Equal(t, 1, count(acme))
	assert.Equal(t, 2, count(globex), "which has its own alarm")

	for _, want := range []int{1, 1, 0} {
		n, err := calls.Clear(t.Context(), globex, 1)
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	assert.Zero(t, count(globex))
	b, err = calls.Begin(t.Context(), globex, opening("a"))
	require.NoError(t, err)
	assert.Nil(t, b.Kept, "nothing of it is left")
	assert.Equal(t, 1, count(acme))
}

// What a call costs in rows.
func TestACallWritesFiveRows(t *testing.T) {
	calls := memory.NewCalls(time.Now)
	acme, _ := tenantstest.Two(t)
	for i, key := range []string{"a", "b"} {
		_, err := calls.Begin(t.Context(), acme, tools.Opening{Key: key, Hash: "h", ID: key, Lease: time.Minute})
		require.NoError(t, err)
		require.NoError(t, calls.End(t.Context(), acme, key, key, 1, tools.Result{ID: key, Data: []byte(`{}`)}))
		assert.Equal(t, 5*(i+1)+1, calls.Written(acme), "and one for the object")
	}
}

func TestRunner(t *testing.T) {
	calls := memory.NewCalls(time.Now)
	toolstest.TestRunner(t, func(*testing.T) toolstest.World { return toolstest.World{Calls: calls} })
}
