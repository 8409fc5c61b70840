package book_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/book"
)

var epoch = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// desk is a book with its rows and a clock that only the test moves.
type desk struct {
	*testing.T
	book *book.Book
	rows *rows.Memory
	now  time.Time
	acme tenants.Scope
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, rows: rows.NewMemory(), now: epoch, acme: tenantstest.Scope(t, "acme")}
	d.book = book.New(func() time.Time { return d.now })
	return d
}

// message is an event that no document depends on, as it was delivered.
func (d *desk) message(n int) []byte {
	d.Helper()
	ev, err := events.New(d.acme, "test", events.Cause{ID: fmt.Sprint(n)}, epoch, events.DocumentIndexed{
		DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"}, Chunks: 1, Model: "m",
	})
	require.NoError(d, err)
	b, err := ev.MarshalJSON()
	require.NoError(d, err)
	return b
}

// letter is the nth, a minute after the one before; odd ones are about documents.
func (d *desk) letter(n int) letters.Letter {
	l := letters.Letter{
		ID: fmt.Sprintf("l%05d", n), Queue: "embed", Tenant: "acme", Code: "broken", Attempts: 4, At: epoch.Add(time.Duration(n) * time.Minute),
		Type: "t", Body: d.message(n),
	}
	if n%2 == 1 {
		l.Stage, l.DocID, l.Generation = "embed", fmt.Sprint("doc", n), 1
	}
	return l
}

func (d *desk) keep(ls ...letters.Letter) { require.NoError(d, d.book.Keep(d.rows, d.acme, ls)) }

func (d *desk) fill(n int) {
	for i := range n {
		d.keep(d.letter(i))
	}
	d.now = epoch.Add(time.Duration(n) * time.Minute)
}

func (d *desk) mark(ids ...string) letters.Marked {
	d.Helper()
	m, err := d.book.Mark(d.rows, d.acme, letters.Marking{
		IDs: ids, Query: letters.Query{Codes: []string{"broken"}, From: epoch}, By: "operations", Cause: events.Cause{ID: "request"},
	})
	require.NoError(d, err)
	return m
}

func (d *desk) left() []string {
	d.Helper()
	all, err := d.rows.Range("", "\xff", 1<<20)
	require.NoError(d, err)
	keys := []string{}
	for _, r := range all {
		keys = append(keys, r.Key)
	}
	return keys
}

func TestWhatALetterCosts(t *testing.T) {
	d := newDesk(t)
	d.keep(d.letter(0))
	assert.Equal(t, 4, d.rows.Written, "the letter, its body, its place, and that it waits")
	d.keep(d.letter(0))
	assert.Equal(t, 12, d.rows.Written)
	assert.Len(t, d.left(), 4)
	before := d.rows.Written
	d.mark("l00000")
	assert.Equal(t, 4, d.rows.Written-before, "the letter, that it waits no longer, the message, and what is told")
	d.mark("l00000")
	assert.Equal(t, 4, d.rows.Written-before)
	before = d.rows.Written
	d.keep(d.letter(1))
	assert.Equal(t, 5, d.rows.Written-before, "and that it is about the document")
}

// TestADocumentIsForgotten keeps letters about documents whose names begin alike, and of two generations.
func TestADocumentIsForgotten(t *testing.T) {
	d := newDesk(t)
	for i, doc := range []string{"a", "a", "a/b", "ab", ""} {
		l := d.letter(1)
		l.ID, l.DocID, l.Generation = fmt.Sprint("l", i), doc, i
		d.keep(l)
	}
	for range 2 {
		next, err := d.book.Forget(d.rows, "a", 0, "", 100)
		require.NoError(t, err)
		assert.Empty(t, next)
		assert.Equal(t, []string{"l4", "l3", "l2", "l1"}, all(t, d), "letters of a later generation stay, and of others")
	}
	_, err := d.book.Forget(d.rows, "a", 7, "", 100)
	require.NoError(t, err)
	assert.Equal(t, []string{"l4", "l3", "l2"}, all(t, d))
	for _, key := range d.left() {
		assert.NotContains(t, key, "l1")
		assert.NotContains(t, key, "l0")
	}
	for i := range 5 {
		l := d.letter(1)
		l.ID, l.DocID = fmt.Sprint("many", i), "many"
		d.keep(l)
	}
	from, calls := "", 0
	for {
		if from, err = d.book.Forget(d.rows, "many", 9, from, 2); err != nil || from == "" {
			break
		}
		calls++
	}
	require.NoError(t, err)
	assert.Equal(t, 2, calls)
	assert.Equal(t, []string{"l4", "l3", "l2"}, all(t, d))
}

func TestWhatGoesOutIsWhatCameIn(t *testing.T) {
	d := newDesk(t)
	d.fill(4)
	assert.Equal(t, letters.Marked{Replayed: 3}, d.mark("l00002", "l00001", "l00000"))
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	require.Len(t, out, 3, "two messages and one fact; a document is submitted by who asks")
	for i, n := range []int{0, 2} {
		require.NoError(t, out[i].Err)
		b, err := out[i].Event.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(d.message(n)), string(b), "oldest first, byte for byte")
	}
	var fact events.LettersReplayed
	require.NoError(t, out[2].Event.As(&fact))
	assert.Equal(t, events.LettersReplayed{
		Query:   events.LetterQuery{Codes: []string{"broken"}, From: epoch},
		Letters: []string{"l00002", "l00001", "l00000"}, Count: 3, By: "operations",
	}, fact)
	assert.Equal(t, "request", out[2].Event.CausationID)
	d.mark("l00002", "l00001", "l00000")
	again, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	assert.Equal(t, out, again, "nothing more")
}

func TestWhatNobodyKnowsIsNotSent(t *testing.T) {
	d := newDesk(t)
	l := d.letter(0)
	l.Body = []byte(strings.Replace(string(l.Body), "document.indexed.v1", "document.forgotten.v1", 1))
	d.keep(l)
	m := d.mark(l.ID)
	require.Len(t, m.Skipped, 1)
	assert.Equal(t, "event_unrouted", m.Skipped[0].Code)
	out, err := outbox.Pending(d.rows, 10)
	require.NoError(t, err)
	assert.Empty(t, out)
}

func TestLettersGrowOld(t *testing.T) {
	d := newDesk(t)
	d.fill(300)
	_, err := d.book.Open(d.rows, "key", "hash")
	require.NoError(t, err)
	d.mark("l00000", "l00001")
	sent := 0
	for _, key := range d.left() {
		if strings.HasPrefix(key, "o/") {
			require.NoError(t, d.rows.Delete(key))
			sent++
		}
	}
	require.Equal(t, 2, sent)

	d.now = epoch.Add(letters.Life + 2*time.Minute)
	assert.NotContains(t, all(t, d), "l00001", "nobody sees what is too old, forgotten or not")
	assert.Contains(t, all(t, d), "l00002", "kept to the end")
	swept, err := d.book.Sweep(d.rows, 100)
	require.NoError(t, err)
	assert.Equal(t, rows.Swept{Left: true}, swept)
	assert.Equal(t, 298*4+149, len(d.left()), "the key is gone, too")

	d.now = epoch.Add(letters.Life + 300*time.Minute)
	rounds := 0
	for {
		swept, err := d.book.Sweep(d.rows, 100)
		require.NoError(t, err)
		if rounds++; !swept.More {
			assert.Equal(t, rows.Swept{}, swept)
			break
		}
	}
	assert.Equal(t, 3, rounds)
	assert.Empty(t, d.left())
}

// all is the ids of a box, newest first.
func all(t *testing.T, d *desk) (ids []string) {
	t.Helper()
	cursor := ""
	for {
		page, err := d.book.List(d.rows, letters.Query{}, cursor, letters.MaxPage, false)
		require.NoError(t, err)
		for _, l := range page.Letters {
			ids = append(ids, l.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

func TestAKeyIsRememberedForADay(t *testing.T) {
	d := newDesk(t)
	d.now = epoch.Add(15 * time.Hour) // so that the day ends in between
	_, err := d.book.Open(d.rows, "key", "hash")
	require.NoError(t, err)
	d.now = d.now.Add(23 * time.Hour)
	require.NoError(t, d.book.Close(d.rows, "key", []byte("answer")))
	answer, err := d.book.Open(d.rows, "key", "hash")
	require.NoError(t, err)
	assert.Equal(t, "answer", string(answer))
	d.now = d.now.Add(2 * time.Hour)
	answer, err = d.book.Open(d.rows, "key", "another")
	require.NoError(t, err)
	assert.Nil(t, answer)
}

func TestAnErasureLeavesNothing(t *testing.T) {
	d := newDesk(t)
	d.fill(25)
	calls := 0
	for {
		n, err := d.book.Clear(d.rows, 10)
		require.NoError(t, err)
		if calls++; n == 0 {
			break
		}
	}
	assert.Equal(t, 4, calls)
	assert.Empty(t, d.left())
}

// reads is rows in the order of their keys, which counts those that are read.
type reads struct {
	rows.Tx
	sorted []rows.Row
	n      int
}

func (r *reads) Range(from, to string, limit int) (found []rows.Row, err error) {
	at, _ := slices.BinarySearchFunc(r.sorted, from, func(row rows.Row, key string) int { return strings.Compare(row.Key, key) })
	for ; at < len(r.sorted) && r.sorted[at].Key < to && len(found) < limit; at++ {
		found = append(found, r.sorted[at])
	}
	r.n += len(found)
	return found, nil
}

func TestACallLooksAtSoManyAtMost(t *testing.T) {
	d := newDesk(t)
	l := d.letter(0)
	l.Body = nil
	for i := range 21_000 {
		l.ID, l.At = fmt.Sprintf("l%05d", i), epoch.Add(time.Duration(i)*time.Second)
		d.keep(l)
	}
	l.ID, l.At, l.Code = "rare", epoch.Add(-time.Minute), "rare"
	d.keep(l)
	d.now = epoch.Add(21_000 * time.Second)
	sorted, err := d.rows.Range("", "\xff", 1<<20)
	require.NoError(t, err)
	no := false
	for _, replayed := range []*bool{nil, &no} {
		tx := &reads{Tx: d.rows, sorted: sorted}
		n, err := d.book.Count(tx, letters.Query{Replayed: replayed})
		require.NoError(t, err)
		assert.Equal(t, []any{20_000, true}, []any{n.Total, n.Capped})
		assert.LessOrEqual(t, tx.n, 20_200)
	}
	calls, cursor := 0, ""
	var found []letters.Letter
	for {
		tx := &reads{Tx: d.rows, sorted: sorted}
		page, err := d.book.List(tx, letters.Query{Codes: []string{"rare"}}, cursor, 10, false)
		require.NoError(t, err)
		assert.LessOrEqual(t, tx.n, 2_200)
		calls++
		found = append(found, page.Letters...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	assert.Equal(t, 11, calls, "pages may be empty")
	require.Len(t, found, 1)
	assert.Equal(t, "rare", found[0].ID)
	tx := &reads{Tx: d.rows, sorted: sorted}
	page, err := d.book.Waiting(tx, letters.Query{}, "", 10)
	require.NoError(t, err)
	assert.Equal(t, "rare", page.Letters[0].ID)
	assert.LessOrEqual(t, tx.n, 300)
}

func (r *reads) Reverse(from, to string, limit int) (found []rows.Row, err error) {
	at, _ := slices.BinarySearchFunc(r.sorted, to, func(row rows.Row, key string) int { return strings.Compare(row.Key, key) })
	for at--; at >= 0 && r.sorted[at].Key >= from && len(found) < limit; at-- {
		found = append(found, r.sorted[at])
	}
	r.n += len(found)
	return found, nil
}

var errBroken = errors.New("broken")

// broken is rows of which the nth call fails.
type broken struct {
	rows.Tx
	after int
}

func (b *broken) fails() error {
	if b.after--; b.after < 0 {
		return errBroken
	}
	return nil
}

func (b *broken) Get(key string) ([]byte, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	return b.Tx.Get(key)
}

func (b *broken) Put(key string, value []byte) error {
	return errors.Join(b.fails(), b.Tx.Put(key, value))
}

func (b *broken) Delete(key string) error { return errors.Join(b.fails(), b.Tx.Delete(key)) }

func (b *broken) Scan(prefix string, limit int) ([]rows.Row, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	return b.Tx.Scan(prefix, limit)
}

func (b *broken) Range(from, to string, limit int) ([]rows.Row, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	return b.Tx.Range(from, to, limit)
}

func (b *broken) Reverse(from, to string, limit int) ([]rows.Row, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	return b.Tx.Reverse(from, to, limit)
}

// TestRowsThatFail has each read and each write of each method fail: the method says so, and is not answered.
func TestRowsThatFail(t *testing.T) {
	no := false
	for name, call := range map[string]func(d *desk, tx rows.Tx) error{
		"keep": func(d *desk, tx rows.Tx) error {
			return d.book.Keep(tx, d.acme, []letters.Letter{d.letter(0), d.letter(9)})
		},
		"list": func(d *desk, tx rows.Tx) error {
			_, err := d.book.List(tx, letters.Query{}, "", 10, true)
			return err
		},
		"by id": func(d *desk, tx rows.Tx) error {
			_, err := d.book.List(tx, letters.Query{IDs: []string{"l00001"}}, "", 10, false)
			return err
		},
		"waiting": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Waiting(tx, letters.Query{}, "", 10)
			return err
		},
		"count": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Count(tx, letters.Query{Replayed: &no})
			return err
		},
		"mark": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Mark(tx, d.acme, letters.Marking{IDs: []string{"l00000", "l00001"}})
			return err
		},
		"open": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Open(tx, "other", "hash")
			return err
		},
		"close": func(d *desk, tx rows.Tx) error { return d.book.Close(tx, "key", []byte("a")) },
		"sweep": func(d *desk, tx rows.Tx) error {
			d.now = epoch.Add(2 * letters.Life)
			_, err := d.book.Sweep(tx, 10)
			return err
		},
		"forget": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Forget(tx, "doc1", 9, "", 10)
			return err
		},
		"clear": func(d *desk, tx rows.Tx) error {
			_, err := d.book.Clear(tx, 10)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			steps := 0
			for ; ; steps++ {
				d := newDesk(t)
				d.fill(3)
				_, err := d.book.Open(d.rows, "key", "hash")
				require.NoError(t, err)
				if err := call(d, &broken{d.rows.Begin(), steps}); err == nil {
					break
				} else {
					require.ErrorIs(t, err, errBroken, "call %d of the rows", steps)
				}
			}
			assert.Positive(t, steps)
		})
	}
}

func TestQueriesThatAreNone(t *testing.T) {
	for field, q := range map[string]letters.Query{
		"types":  {Types: make([]string, 51)},
		"codes":  {Codes: []string{""}},
		"stages": {Stages: []string{strings.Repeat("a", 300)}},
		"ids":    {IDs: make([]string, letters.MaxIDs+1)},
		"docId":  {DocID: strings.Repeat("a", 300)},
		"to":     {From: epoch, To: epoch},
	} {
		assert.ErrorContains(t, q.Check(), "value_out_of_range", field)
	}
	assert.NoError(t, (&letters.Query{}).Check())
	assert.NoError(t, (&letters.Query{From: epoch, To: epoch.Add(1), Types: []string{"t"}}).Check())
}
