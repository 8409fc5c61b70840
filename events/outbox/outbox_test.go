package outbox_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// event is the fact that a tenant's document can be found, in its nth generation.
func event(t testing.TB, tenant string, n int) events.Event {
	t.Helper()
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "guide", Generation: n, JobID: "job"}, Chunks: 1, Model: "m"}
	ev, err := events.New(s, "objects", events.Cause{ID: fmt.Sprint("cause", n)}, start, fact)
	require.NoError(t, err)
	return ev
}

func put(t testing.TB, tx rows.Tx, name string, ev events.Event) {
	t.Helper()
	require.NoError(t, outbox.Put(tx, name, ev))
}

// pending is the ids of the outbox and of the events in it.
func pending(t testing.TB, tx rows.Tx, limit int) (ids []string, evs []events.Event) {
	t.Helper()
	out, err := outbox.Pending(tx, limit)
	require.NoError(t, err)
	for _, o := range out {
		require.NoError(t, o.Err)
		ids, evs = append(ids, o.ID), append(evs, o.Event)
	}
	return ids, evs
}

func Example() {
	acme, _ := tenants.Resume("acme")
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "guide", Generation: 1, JobID: "job"}, Chunks: 3, Model: "@cf/baai/bge-m3"}
	ev, _ := events.New(acme, "objects", events.Cause{ID: "request"}, start, fact)
	store := rows.NewMemory()

	// What is true and that it is told are written together, or not at all.
	tx := store.Begin()
	if err := errors.Join(tx.Put("document", []byte("guide")), outbox.Put(tx, "0001", ev)); err != nil {
		panic(err)
	}
	tx.Commit()

	// Whoever sends may die before it has noted so: then it is sent again, with the same id.
	for range 2 {
		waiting, _ := outbox.Pending(store, 10)
		fmt.Println("send", waiting[0].Event.Type, waiting[0].Event.ID == ev.ID)
	}
	_ = outbox.Sent(store, []string{"0001"})
	waiting, _ := outbox.Pending(store, 10)
	fmt.Println(len(waiting), "left")
	// Output:
	// send dev.levada.document.indexed.v1 true
	// send dev.levada.document.indexed.v1 true
	// 0 left
}

func TestTheSmallestNameGoesFirst(t *testing.T) {
	m := rows.NewMemory()
	for _, n := range []int{3, 1, 2} {
		put(t, m, fmt.Sprintf("%04d", n), event(t, "acme", n))
	}
	ids, evs := pending(t, m, 10)
	assert.Equal(t, []string{"0001", "0002", "0003"}, ids)
	for i, ev := range evs {
		assert.Equal(t, event(t, "acme", i+1), ev, "as it was put")
	}
	ids, _ = pending(t, m, 2)
	assert.Equal(t, []string{"0001", "0002"}, ids)
}

func TestAnEventIsPendingUntilItIsSent(t *testing.T) {
	m := rows.NewMemory()
	put(t, m, "1", event(t, "acme", 1))
	put(t, m, "2", event(t, "acme", 2))
	ids, first := pending(t, m, 10)
	again, second := pending(t, m, 10)
	assert.Equal(t, ids, again)
	assert.Equal(t, first, second, "with the same id")
	for range 2 {
		require.NoError(t, outbox.Sent(m, []string{"1"}), "also when it was noted before")
		ids, _ = pending(t, m, 10)
		assert.Equal(t, []string{"2"}, ids)
	}
	require.NoError(t, outbox.Sent(m, []string{"2", "never"}))
	require.NoError(t, outbox.Sent(m, nil))
	ids, _ = pending(t, m, 10)
	assert.Empty(t, ids)
}

func TestWhatIsRolledBackIsNotTold(t *testing.T) {
	m := rows.NewMemory()
	put(t, m.Begin(), "1", event(t, "acme", 1))
	ids, _ := pending(t, m, 10)
	assert.Empty(t, ids)
	put(t, m, "1", event(t, "acme", 1))
	require.NoError(t, outbox.Sent(m.Begin(), []string{"1"}))
	ids, _ = pending(t, m, 10)
	assert.Equal(t, []string{"1"}, ids, "nor is it forgotten")
}

func TestAnEventIsOneRowThatTheOthersDoNotTouch(t *testing.T) {
	m := rows.NewMemory()
	for _, k := range []string{"o", "o.", "o0", "document"} {
		require.NoError(t, m.Put(k, []byte("not an event")))
	}
	before := m.Written
	put(t, m, "1", event(t, "acme", 1))
	put(t, m, "1", event(t, "acme", 1))
	ids, _ := pending(t, m, 10)
	assert.Equal(t, []string{"1"}, ids, "the same event under the same name is one")
	require.NoError(t, outbox.Sent(m, ids))
	assert.Equal(t, 3, m.Written-before)
	all, err := m.Scan("", 10)
	require.NoError(t, err)
	assert.Len(t, all, 4)
}

func TestTwoTenantsOutboxesAreApart(t *testing.T) {
	acme, globex := rows.NewMemory(), rows.NewMemory()
	put(t, acme, "1", event(t, "acme", 1))
	put(t, globex, "1", event(t, "globex", 1))
	require.NoError(t, outbox.Sent(acme, []string{"1"}))
	ids, _ := pending(t, acme, 10)
	assert.Empty(t, ids)
	_, evs := pending(t, globex, 10)
	require.Len(t, evs, 1)
	assert.Equal(t, tenants.ID("globex"), evs[0].Tenant)
	assert.NotEqual(t, event(t, "acme", 1).ID, evs[0].ID, "the same fact of another tenant is another event")
}

func TestWhatCanNeverBeSentIsSetAside(t *testing.T) {
	m := rows.NewMemory()
	put(t, m, "1", event(t, "acme", 1))
	require.NoError(t, m.Put("o/0", []byte("damaged")))
	out, err := outbox.Pending(m, 10)
	require.NoError(t, err)
	require.Len(t, out, 2)
	assert.Equal(t, "0", out[0].ID)
	assert.Error(t, out[0].Err)
	assert.NoError(t, out[1].Err, "it spoils no other")

	was, err := outbox.SetAside(m, "0")
	require.NoError(t, err)
	assert.True(t, was)
	ids, _ := pending(t, m, 10)
	assert.Equal(t, []string{"1"}, ids)
	kept, err := m.Get("x/0")
	require.NoError(t, err)
	assert.Equal(t, "damaged", string(kept), "for operators")

	for _, id := range []string{"0", "never"} {
		was, err = outbox.SetAside(m, id)
		require.NoError(t, err)
		assert.False(t, was, "%s is not there", id)
	}
	require.NoError(t, outbox.Sent(m, []string{"0"}))
	kept, err = m.Get("x/0")
	require.NoError(t, err)
	assert.NotNil(t, kept)
}

func TestWhatIsNoEventIsNotPut(t *testing.T) {
	m := rows.NewMemory()
	assert.Error(t, outbox.Put(m, "1", events.Event{}))
	assert.Zero(t, m.Written)
}

var errDisk = errors.New("disk")

// failing is rows of which one kind of call fails.
type failing struct {
	rows.Tx
	op string
}

func (f failing) do(op string) error {
	if op == f.op {
		return errDisk
	}
	return nil
}

func (f failing) Get(key string) ([]byte, error) {
	if err := f.do("get"); err != nil {
		return nil, err
	}
	return f.Tx.Get(key)
}

func (f failing) Put(key string, value []byte) error {
	return errors.Join(f.Tx.Put(key, value), f.do("put"))
}

func (f failing) Delete(key string) error { return errors.Join(f.Tx.Delete(key), f.do("delete")) }

func (f failing) Scan(prefix string, limit int) ([]rows.Row, error) {
	if err := f.do("scan"); err != nil {
		return nil, err
	}
	return f.Tx.Scan(prefix, limit)
}

// TestRowsThatFail: the caller learns of it, and rolls back.
func TestRowsThatFail(t *testing.T) {
	m := rows.NewMemory()
	put(t, m, "1", event(t, "acme", 1))
	for op, do := range map[string]func(tx rows.Tx) error{
		"put":    func(tx rows.Tx) error { return outbox.Put(tx, "2", event(t, "acme", 2)) },
		"delete": func(tx rows.Tx) error { return outbox.Sent(tx, []string{"1"}) },
		"scan": func(tx rows.Tx) error {
			_, err := outbox.Pending(tx, 10)
			return err
		},
	} {
		assert.ErrorIs(t, do(failing{m.Begin(), op}), errDisk, op)
	}
	for _, op := range []string{"get", "put", "delete"} {
		_, err := outbox.SetAside(failing{m.Begin(), op}, "1")
		assert.ErrorIs(t, err, errDisk, op)
	}
	ids, _ := pending(t, m, 10)
	assert.Equal(t, []string{"1"}, ids)
}
