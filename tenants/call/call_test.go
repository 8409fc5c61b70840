package call_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
)

// counter is an object as the real ones are: it serves a method in a transaction, and commits when it is told to.
type counter struct {
	rows   *rows.Memory
	served []tenants.Scope
	broken func(rows.Tx) rows.Tx // what is between the object and its rows
}

func newCounter() *counter { return &counter{rows: rows.NewMemory()} }

type step struct {
	By   int
	Fail string
}

type count struct {
	Count int      `json:"count"`
	Names []string `json:"names"`
}

func (c *counter) call(method string, body []byte) []byte {
	tx := c.rows.Begin()
	var store rows.Tx = tx
	if c.broken != nil {
		store = c.broken(tx)
	}
	var reply []byte
	commit := false
	switch method {
	case "add":
		reply, commit = call.Serve(store, body, func(s tenants.Scope, a step) (count, error) { return c.add(store, s, a) })
	case "forget":
		reply, commit = call.Serve(store, body, func(tenants.Scope, struct{}) (struct{}, error) { return struct{}{}, store.Delete("count") })
	case "unsayable":
		reply, commit = call.Serve(store, body, func(tenants.Scope, struct{}) (func(), error) { return func() {}, store.Put("count", []byte("9")) })
	case "raw":
		reply, commit = call.ServeBytes(store, body, func(s tenants.Scope, a step) ([]byte, error) {
			n, err := c.add(store, s, a)
			return []byte{byte(n.Count), 0, '{'}, err
		})
	default:
		reply, commit = call.Unknown(method)
	}
	if commit {
		tx.Commit()
	}
	return reply
}

var faults = map[string]error{
	"limited": fmt.Errorf("add: %w", fault.New(fault.Limited, "too_many", "not so many", errors.New("secret")).
		WithHint("take fewer").WithRetryAfter(3*time.Second)),
	"invalid": fault.Invalidf("by", "negative", "%d is negative", -1),
	"unknown": errors.New("disk I/O error at sector 7"),
}

// add counts first and refuses then, so that a rollback shows.
func (c *counter) add(tx rows.Tx, s tenants.Scope, a step) (count, error) {
	c.served = append(c.served, s)
	var n count
	if _, err := rows.Read(tx, "count", &n); err != nil {
		return n, err
	}
	n.Count += a.By
	n.Names = []string{}
	if err := rows.Write(tx, "count", n); err != nil {
		return n, err
	}
	return n, faults[a.Fail]
}

// carrier reaches the tenant's counter, in the same process.
func (c *counter) carrier(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
	return c.call(method, body), nil
}

func (c *counter) ask(t *testing.T, s tenants.Scope, a step) (count, error) {
	return call.Ask[count](t.Context(), c.carrier, s, nil, "add", a)
}

func Example() {
	object := newCounter()
	ctx := context.Background()
	acme, _ := tenants.Resume("acme")
	globex, _ := tenants.Resume("globex")

	n, _ := call.Ask[count](ctx, object.carrier, acme, nil, "add", step{By: 2})
	fmt.Println("acme:", n.Count)
	_, err := call.Ask[count](ctx, object.carrier, acme, nil, "add", step{By: 40, Fail: "limited"})
	fmt.Println("acme:", err)
	_, err = call.Ask[count](ctx, object.carrier, globex, nil, "add", step{By: 1})
	fmt.Println("globex:", err)
	n, _ = call.Ask[count](ctx, object.carrier, acme, nil, "add", step{By: 1})
	fmt.Println("acme:", n.Count)
	// Output:
	// acme: 2
	// acme: too_many: not so many
	// globex: tenant_mismatch: the object belongs to another tenant
	// acme: 3
}

func scope(t *testing.T, tenant string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	return s
}

func TestAValueComesBackAsItWas(t *testing.T) {
	c, acme := newCounter(), scope(t, "acme")
	n, err := c.ask(t, acme, step{By: 2})
	require.NoError(t, err)
	assert.Equal(t, count{Count: 2, Names: []string{}}, n, "an empty list is no missing one")
	assert.Equal(t, []tenants.Scope{acme}, c.served)
	_, err = call.Ask[struct{}](t.Context(), c.carrier, acme, nil, "forget", struct{}{})
	require.NoError(t, err)
}

func TestBytesComeBackAsTheyWere(t *testing.T) {
	c, acme, globex := newCounter(), scope(t, "acme"), scope(t, "globex")
	ask := func(s tenants.Scope, method string, a step) ([]byte, error) {
		return call.AskBytes(t.Context(), c.carrier, s, nil, method, a)
	}
	b, err := ask(acme, "raw", step{By: 2})
	require.NoError(t, err)
	assert.Equal(t, []byte{2, 0, '{'}, b)
	_, err = ask(acme, "raw", step{By: 40, Fail: "limited"})
	assert.Equal(t, "too_many", fault.As(err).Code)
	_, err = ask(globex, "raw", step{By: 1})
	assert.Equal(t, "tenant_mismatch", fault.As(err).Code)
	b, err = ask(acme, "raw", step{By: 1})
	require.NoError(t, err)
	assert.Equal(t, byte(3), b[0], "a fault undid the call")
	_, err = ask(acme, "add", step{By: 1})
	assert.Equal(t, "object_answer", fault.As(err).Code, "no answer of bytes")
	_, err = ask(tenants.Scope{}, "raw", step{})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func TestAFaultComesBackAsItWas(t *testing.T) {
	c, acme := newCounter(), scope(t, "acme")
	_, err := c.ask(t, acme, step{Fail: "limited"})
	f := fault.As(err)
	assert.Equal(t, []any{fault.Limited, "too_many", "not so many", "take fewer", 3 * time.Second}, []any{f.Kind, f.Code, f.Message, f.Hint, f.RetryAfter})
	assert.NotContains(t, err.Error(), "secret", "a cause stays where it was")
	_, err = c.ask(t, acme, step{Fail: "invalid"})
	f = fault.As(err)
	assert.Equal(t, []any{fault.Invalid, "negative", "by"}, []any{f.Kind, f.Code, f.Field})
	_, err = c.ask(t, acme, step{Fail: "unknown"})
	f = fault.As(err)
	assert.Equal(t, []any{fault.Unavailable, "object_storage"}, []any{f.Kind, f.Code}, "what nobody has classified is worth another try")
	assert.NotContains(t, err.Error(), "sector")
}

func TestAFaultUndoesTheCall(t *testing.T) {
	c, acme := newCounter(), scope(t, "acme")
	_, err := c.ask(t, acme, step{By: 1})
	require.NoError(t, err)
	for fail := range faults {
		_, err := c.ask(t, acme, step{By: 100, Fail: fail})
		require.Error(t, err)
	}
	_, err = call.Ask[struct{}](t.Context(), c.carrier, acme, nil, "unsayable", struct{}{})
	require.Error(t, err, "an answer that cannot be sent was not given")
	n, err := c.ask(t, acme, step{By: 1})
	require.NoError(t, err)
	assert.Equal(t, 2, n.Count)
}

func TestAnObjectServesOneTenant(t *testing.T) {
	c, acme, globex := newCounter(), scope(t, "acme"), scope(t, "globex")
	_, err := c.ask(t, globex, step{By: 1, Fail: "limited"})
	require.Error(t, err)
	owner, err := call.Owner(c.rows)
	require.NoError(t, err)
	assert.Equal(t, tenants.Scope{}, owner, "who was refused did not take it")

	_, err = c.ask(t, acme, step{By: 1})
	require.NoError(t, err)
	owner, err = call.Owner(c.rows)
	require.NoError(t, err)
	assert.Equal(t, acme, owner)
	for range 2 {
		_, err = c.ask(t, globex, step{By: 1})
		assert.Equal(t, "tenant_mismatch", fault.As(err).Code, "%v", err)
		assert.Equal(t, fault.Denied, fault.KindOf(err))
	}
	assert.Len(t, c.served, 2, "the other's call was not run")
	n, err := c.ask(t, acme, step{By: 1})
	require.NoError(t, err)
	assert.Equal(t, 2, n.Count)
}

func TestWhatIsNoCall(t *testing.T) {
	c, acme := newCounter(), scope(t, "acme")
	_, err := call.Ask[count](t.Context(), c.carrier, acme, nil, "multiply", step{})
	assert.Equal(t, "method_unknown", fault.As(err).Code)
	for body, code := range map[string]string{
		"": "request_invalid", "{": "request_invalid", `{"tenant":"acme","args":7}`: "request_invalid", `{"args":{"By":1}}`: "tenant_invalid", `{"tenant":"a/b"}`: "tenant_invalid",
	} {
		carry := func(context.Context, tenants.Scope, []string, string, []byte) ([]byte, error) {
			return c.call("add", []byte(body)), nil
		}
		_, err := call.Ask[count](t.Context(), carry, acme, nil, "add", step{})
		f := fault.As(err)
		assert.Equal(t, fault.Invalid, f.Kind, "%s: %v", body, err)
		assert.Equal(t, code, f.Code, "%s", body)
	}
	assert.Empty(t, c.served)
	_, err = call.Ask[count](t.Context(), c.carrier, tenants.Scope{}, nil, "add", step{})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func TestTheCarrierIsToldWhoAndWhat(t *testing.T) {
	acme := scope(t, "acme")
	lost := fault.Unavailablef(nil, "object_unavailable", "gone")
	carry := func(_ context.Context, s tenants.Scope, name []string, method string, body []byte) ([]byte, error) {
		assert.Equal(t, acme, s)
		assert.Equal(t, []string{"session", "1"}, name)
		assert.Equal(t, "add", method)
		assert.JSONEq(t, `{"tenant":"acme","args":{"By":5,"Fail":""}}`, string(body))
		return nil, lost
	}
	_, err := call.Ask[count](t.Context(), carry, acme, []string{"session", "1"}, "add", step{By: 5})
	assert.ErrorIs(t, err, lost)
	assert.ErrorContains(t, err, "add", "it says what was called")

	broken := func(context.Context, tenants.Scope, []string, string, []byte) ([]byte, error) {
		return []byte("<html>"), nil
	}
	_, err = call.Ask[count](t.Context(), broken, acme, nil, "add", step{})
	assert.Equal(t, "object_answer", fault.As(err).Code)
	_, err = call.Ask[count](t.Context(), broken, acme, nil, "add", func() {})
	assert.Equal(t, "object_request", fault.As(err).Code)
}

var errDisk = errors.New("disk")

// failing is rows of which one kind of call fails, before or after its effect.
type failing struct {
	rows.Tx
	op    string
	after bool
}

func (f failing) do(op string, effect func() error) error {
	if op == f.op && !f.after {
		return errDisk
	}
	if err := effect(); err != nil || op != f.op {
		return err
	}
	return errDisk
}

func (f failing) Get(key string) (v []byte, err error) {
	err = f.do("get", func() error {
		v, err = f.Tx.Get(key)
		return err
	})
	return v, err
}

func (f failing) Put(key string, value []byte) error {
	return f.do("put", func() error { return f.Tx.Put(key, value) })
}

func TestRowsThatFail(t *testing.T) {
	acme := scope(t, "acme")
	for _, op := range []string{"get", "put"} {
		for _, after := range []bool{false, true} {
			c := newCounter()
			c.broken = func(tx rows.Tx) rows.Tx { return failing{tx, op, after} }
			_, err := c.ask(t, acme, step{By: 1})
			assert.Equal(t, "object_storage", fault.As(err).Code, "%s %v: %v", op, after, err)
			assert.True(t, fault.Retryable(err))
			owner, err := call.Owner(c.rows)
			require.NoError(t, err)
			assert.Equal(t, tenants.Scope{}, owner, "nothing of it stays")
			c.broken = nil
			n, err := c.ask(t, acme, step{By: 1})
			require.NoError(t, err)
			assert.Equal(t, 1, n.Count)
		}
	}
	_, err := call.Owner(failing{rows.NewMemory(), "get", false})
	assert.ErrorIs(t, err, errDisk)
}
