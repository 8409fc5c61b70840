package toolstest

import (
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

// TestCalls checks the promises of tools.Calls. Each open returns the calls of tenants acme and globex, which may hold some of earlier runs.
func TestCalls(t *testing.T, open func(t *testing.T) tools.Calls) {
	for name, test := range map[string]func(*testing.T, desk){
		"a call is made once":                               once,
		"one that runs is not begun":                        running,
		"a key belongs to one call":                         others,
		"who died is followed under the first id":           died,
		"who was followed ends nothing":                     followed,
		"one that failed begins again at once":              lapsed,
		"one that did nothing is forgotten":                 dropped,
		"a large result is kept whole":                      large,
		"what is too large is refused, and the call is not": tooLarge,
		"keys are the tenant's":                             ownKeys,
		"what is no call is refused":                        noCall,
		"nobody's call is refused":                          nobody,
	} {
		t.Run(name, func(t *testing.T) {
			x := desk{T: t, calls: open(t), key: tenantstest.Fresh(t, "http/")}
			x.acme, x.globex = tenantstest.Two(t)
			test(t, x)
		})
	}
}

type desk struct {
	*testing.T
	calls        tools.Calls
	key          string
	acme, globex tenants.Scope
}

// over is a lease that is over at once.
const over = time.Nanosecond

func (x desk) begin(s tenants.Scope, id string, lease time.Duration) (tools.Begun, error) {
	return x.calls.Begin(x.Context(), s, tools.Opening{Key: x.key, Hash: "h1", ID: id, Lease: lease})
}

func (x desk) must(s tenants.Scope, id string, lease time.Duration) tools.Begun {
	x.Helper()
	b, err := x.begin(s, id, lease)
	require.NoError(x, err)
	return b
}

var result = tools.Result{ID: "first", Data: json.RawMessage(`{"text":"água ≠ \u003cb>"}`), Duration: 1500 * time.Millisecond, Tokens: 7, Nanos: 900}

func once(t *testing.T, x desk) {
	assert.Equal(t, tools.Begun{ID: "first", Lease: 1}, x.must(x.acme, "first", time.Minute))
	for range 2 { // to end twice is to end
		require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result))
	}
	other := result
	other.Data = json.RawMessage(`{}`)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, other), "what has ended stays")
	for range 2 {
		b := x.must(x.acme, "second", time.Minute)
		require.NotNil(t, b.Kept)
		assert.JSONEq(t, string(result.Data), string(b.Kept.Data))
		b.Kept.Data = result.Data
		assert.Equal(t, tools.Begun{ID: "first", Lease: 1, Kept: &result}, b)
	}
	require.NoError(t, x.calls.Lapse(t.Context(), x.acme, x.key, "first", 1))
	require.NoError(t, x.calls.Drop(t.Context(), x.acme, x.key, "first", 1))
	assert.NotNil(t, x.must(x.acme, "second", time.Minute).Kept)
}

func running(t *testing.T, x desk) {
	x.must(x.acme, "first", time.Minute)
	_, err := x.begin(x.acme, "second", time.Minute)
	f := fault.As(err)
	assert.Equal(t, []any{fault.Conflict, tools.CodeRunning}, []any{f.Kind, f.Code})
	assert.Positive(t, f.RetryAfter)
}

func others(t *testing.T, x desk) {
	again := func() error {
		_, err := x.calls.Begin(t.Context(), x.acme, tools.Opening{Key: x.key, Hash: "h2", ID: "second", Lease: time.Minute})
		return err
	}
	x.must(x.acme, "first", over)
	assert.Equal(t, "idempotency_conflict", fault.As(again()).Code)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result))
	assert.Equal(t, "idempotency_conflict", fault.As(again()).Code)
	assert.Equal(t, fault.Conflict, fault.KindOf(again()))
}

func died(t *testing.T, x desk) {
	x.must(x.acme, "first", over)
	assert.Equal(t, tools.Begun{ID: "first", Lease: 2}, x.must(x.acme, "second", over))
	assert.Equal(t, tools.Begun{ID: "first", Lease: 3}, x.must(x.acme, "third", time.Minute))
}

func followed(t *testing.T, x desk) {
	x.must(x.acme, "first", over)
	x.must(x.acme, "second", time.Minute)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result))
	require.NoError(t, x.calls.Lapse(t.Context(), x.acme, x.key, "first", 1))
	require.NoError(t, x.calls.Drop(t.Context(), x.acme, x.key, "first", 1))
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "second", 2, result), "nor who has another id")
	_, err := x.begin(x.acme, "third", time.Minute)
	assert.Equal(t, tools.CodeRunning, fault.As(err).Code)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 2, result))
	assert.NotNil(t, x.must(x.acme, "third", time.Minute).Kept)
}

func lapsed(t *testing.T, x desk) {
	x.must(x.acme, "first", time.Minute)
	for range 2 {
		require.NoError(t, x.calls.Lapse(t.Context(), x.acme, x.key, "first", 1))
	}
	assert.Equal(t, tools.Begun{ID: "first", Lease: 2}, x.must(x.acme, "second", time.Minute))
}

func dropped(t *testing.T, x desk) {
	x.must(x.acme, "first", time.Minute)
	for range 2 {
		require.NoError(t, x.calls.Drop(t.Context(), x.acme, x.key, "first", 1))
	}
	assert.Equal(t, tools.Begun{ID: "second", Lease: 1}, x.must(x.acme, "second", time.Minute))
}

func large(t *testing.T, x desk) {
	text, err := json.Marshal(strings.Repeat("日本≠a", (tools.MaxResultBytes-2)/10))
	require.NoError(t, err)
	require.Greater(t, len(text), 3_900_000)
	x.must(x.acme, "first", time.Minute)
	r := result
	r.Data = text
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, r))
	kept := x.must(x.acme, "second", time.Minute).Kept
	require.NotNil(t, kept)
	assert.Equal(t, len(text), len(kept.Data))
	assert.True(t, string(text) == string(kept.Data))
}

func tooLarge(t *testing.T, x desk) {
	x.must(x.acme, "first", time.Minute)
	r := result
	r.Data = json.RawMessage(`"` + strings.Repeat("a", tools.MaxResultBytes-1) + `"`)
	err := x.calls.End(t.Context(), x.acme, x.key, "first", 1, r)
	assert.Equal(t, "result_too_large", fault.As(err).Code)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result))
}

func ownKeys(t *testing.T, x desk) {
	x.must(x.acme, "first", time.Minute)
	assert.Equal(t, tools.Begun{ID: "other", Lease: 1}, x.must(x.globex, "other", time.Minute))
	require.NoError(t, x.calls.Drop(t.Context(), x.globex, x.key, "first", 1))
	require.NoError(t, x.calls.End(t.Context(), x.globex, x.key, "first", 1, result))
	_, err := x.begin(x.globex, "third", time.Minute)
	assert.Equal(t, tools.CodeRunning, fault.As(err).Code)
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result))
	_, err = x.begin(x.globex, "third", time.Minute)
	assert.Equal(t, tools.CodeRunning, fault.As(err).Code, "another tenant's result is not there")
}

func noCall(t *testing.T, x desk) {
	for _, o := range []tools.Opening{
		{Hash: "h", ID: "i", Lease: 1}, {Key: strings.Repeat("k", 1001), Hash: "h", ID: "i", Lease: 1}, {Key: x.key, ID: "i", Lease: 1},
		{Key: x.key, Hash: "h", Lease: 1}, {Key: x.key, Hash: "h", ID: "i"},
	} {
		_, err := x.calls.Begin(t.Context(), x.acme, o)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%+v", o)
	}
	require.NoError(t, x.calls.End(t.Context(), x.acme, x.key, "first", 1, result), "what nobody began")
	assert.Nil(t, x.must(x.acme, "first", time.Minute).Kept)
}

func nobody(t *testing.T, x desk) {
	_, err := x.begin(tenants.Scope{}, "first", time.Minute)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	assert.ErrorIs(t, x.calls.End(t.Context(), tenants.Scope{}, x.key, "first", 1, result), tenants.ErrNoScope)
	assert.ErrorIs(t, x.calls.Lapse(t.Context(), tenants.Scope{}, x.key, "first", 1), tenants.ErrNoScope)
	assert.ErrorIs(t, x.calls.Drop(t.Context(), tenants.Scope{}, x.key, "first", 1), tenants.ErrNoScope)
}
