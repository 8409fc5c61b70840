//go:build unix

package isolate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

type counterState struct {
	Name                                                     string
	Boots, Calls, Inc, Sleep, IO, Block, Txn, Alarms, SSE, B int64
	W1, W2                                                   int64
}

func state(t *testing.T, s *workerdtest.Server, name string) counterState {
	t.Helper()
	return decode[counterState](t, s.Post("/object/"+name+"/state", ""))
}

// All objects of the isolate share the Go instance, and none sees another's turn.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	const objects = 100
	name := func(i int) string { return fmt.Sprintf("o%d", i%objects) }
	for _, c := range []struct {
		method  string
		perEach int
	}{{"inc", 5}, {"sleepinc", 5}, {"ioinc", 5}, {"txninc", 5}, {"blockinc", 3}} {
		allOK(t, many(objects*c.perEach, 200, func(i int) workerdtest.Reply {
			return s.Post("/object/"+name(i)+"/"+c.method, "")
		}), nil)
	}
	allOK(t, many(objects, objects, func(i int) workerdtest.Reply { return s.Get("/objectsse/" + name(i) + "?n=5&ms=10") }), func(i int) string {
		var b strings.Builder
		for k := range 5 {
			fmt.Fprintf(&b, "data: %s %d %d\n\n", name(i), k, k+1)
		}
		return b.String()
	})
	allOK(t, many(objects, 50, func(i int) workerdtest.Reply { return s.Post("/object/"+name(i)+"/alarm", fmt.Sprint(50+i)) }), nil)
	for i := range objects {
		var st counterState
		eventually(t, "the alarm", func() bool { st = state(t, s, name(i)); return st.Alarms == 1 })
		assert.Positive(t, st.Boots)
		st.Calls, st.Boots = 0, 0 // on a busy machine it may have been idle for so long that it was evicted
		assert.Equal(t, counterState{Name: name(i), Inc: 5, Sleep: 5, IO: 5, Txn: 5, Block: 3, Alarms: 1, SSE: 5}, st)
	}
	// The instance dies: the objects come back from storage.
	allOK(t, many(objects, 20, func(i int) workerdtest.Reply {
		if i == 50 {
			assert.Equal(t, http.StatusInternalServerError, s.Get("/die?how=exit").Status)
		}
		var r workerdtest.Reply
		eventually(t, "an answer", func() bool { r = s.Post("/object/"+name(i)+"/echo", ""); return r.Status == http.StatusOK })
		return r
	}), nil)
	for i := range objects {
		st := state(t, s, name(i))
		assert.EqualValues(t, 5, st.Inc)
		assert.GreaterOrEqual(t, st.Boots, int64(2))
	}
}

// A wake-up from another I/O context may never arrive. Then the heartbeat does what there is to do.
func TestNoWakeUpArrives(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]string{"DEAF": "1"})
	const objects, calls = 10, 40
	for _, method := range []string{"sleepinc", "ioinc", "txninc"} {
		allOK(t, many(calls, calls, func(i int) workerdtest.Reply { return s.Post(fmt.Sprintf("/object/d%d/%s", i%objects, method), "") }), nil)
	}
	for i := range objects {
		st := state(t, s, fmt.Sprint("d", i))
		assert.Equal(t, []int64{4, 4, 4}, []int64{st.Sleep, st.IO, st.Txn})
	}
	assert.Positive(t, quiet(t, s).Stats.Hops, "or nothing was tested")
}

func TestObjectCalls(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	call := func(method, body string) workerdtest.Reply { return s.Post("/object/a/"+method, body) }
	t.Run("bytes stay bytes", func(t *testing.T) {
		assert.Equal(t, string(all), call("echo", string(all)).Body)
		assert.Empty(t, call("echo", "").Body)
		large := strings.Repeat(string(all), 4000) // beyond every buffer
		assert.Equal(t, large, call("echo", large).Body)
	})
	t.Run("errors are data", func(t *testing.T) {
		for method, want := range map[string]string{
			"fail": "|business error", "coded": `{"code":7}|wrapped: coded error`, "nosuch": "|no method nosuch",
			"panic": "|panic: in a call", "blockfail": "|block failed",
		} {
			r := call(method, "")
			assert.Equal(t, http.StatusConflict, r.Status, method)
			assert.Equal(t, want, r.Body)
		}
		assert.EqualValues(t, 1, state(t, s, "a").Boots, "none of them resets the object")
	})
	t.Run("an abort fails what is in progress", func(t *testing.T) {
		hanging := make(chan workerdtest.Reply)
		go func() { hanging <- s.Post("/object/b/hang", "") }()
		eventually(t, "the call to hang", func() bool { return stats(t, s).Stats.Tasks >= 3 })
		assert.Equal(t, http.StatusServiceUnavailable, s.Post("/object/b/abort", "").Status)
		assert.Equal(t, http.StatusServiceUnavailable, (<-hanging).Status)
		logged(t, s, "hangb", "isolate: the I/O context of the event is lost")
		assert.EqualValues(t, 2, state(t, s, "b").Boots)
	})
	t.Run("alarms", func(t *testing.T) {
		require.Equal(t, http.StatusOK, s.Post("/object/c/failalarm", "").Status)
		require.Equal(t, http.StatusOK, s.Post("/object/c/alarm", "1").Status)
		eventually(t, "the second attempt", func() bool { return state(t, s, "c").Alarms == 1 })
		require.Equal(t, http.StatusOK, s.Post("/object/c/alarm", "3600000").Status)
		assert.Equal(t, "true", s.Post("/object/c/alarmat", "").Body)
		require.Equal(t, http.StatusOK, s.Post("/object/c/alarmdelete", "").Status)
		assert.Equal(t, "false", s.Post("/object/c/alarmat", "").Body)
	})
	quiet(t, s)
}

func TestSQL(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	call := func(method string) workerdtest.Reply { return s.Post("/object/a/"+method, "") }
	t.Run("cells", func(t *testing.T) { assert.Equal(t, "[]", call("sql").Body) })
	t.Run("transactions", func(t *testing.T) {
		assert.Equal(t, http.StatusOK, call("txninc").Status)
		assert.Equal(t, "|changed my mind", call("txnfail").Body)
		assert.Contains(t, call("txnwait").Body, "the transaction is over")
		assert.Equal(t, "|panic: in a transaction", call("txnpanic").Body)
		assert.Contains(t, call("batch").Body, "no such table")
		st := state(t, s, "a")
		assert.EqualValues(t, 1, st.Txn, "only the first one counts")
		assert.Zero(t, st.B)
	})
	t.Run("transactions do not mix", func(t *testing.T) {
		allOK(t, many(300, 100, func(i int) workerdtest.Reply {
			if i%3 == 0 {
				return s.Post("/object/m/inc", "")
			}
			return s.Post("/object/m/txninc", "")
		}), nil)
		st := state(t, s, "m")
		assert.EqualValues(t, 200, st.Txn)
		assert.EqualValues(t, 100, st.Inc)
	})
	t.Run("everything deleted", func(t *testing.T) {
		assert.Equal(t, http.StatusOK, call("deleteall").Status)
		assert.Contains(t, call("inc").Body, "no such table")
	})
}

// Objects that are evicted leave nothing behind in Go.
func TestObjectsAreCollected(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	allOK(t, many(30, 30, func(i int) workerdtest.Reply { return s.Post(fmt.Sprintf("/object/e%d/inc", i), "") }), nil)
	require.Equal(t, 30, stats(t, s).Objects)
	for i := range 30 {
		s.Post(fmt.Sprintf("/object/e%d/abort", i), "") // stands for an eviction
	}
	left := 0
	defer func() { t.Logf("%d objects left", left) }()
	eventually(t, "the collector", func() bool {
		s.Get("/js/gc")
		left = stats(t, s).Objects
		return left == 0
	})
}
