package book_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
)

// shelves is a shelf with a clock that only the test moves.
type shelves struct {
	*testing.T
	shelf *book.Shelf
	rows  *rows.Memory
	time  time.Time
}

func newShelves(t *testing.T) *shelves {
	w := &shelves{T: t, rows: rows.NewMemory(), time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	w.shelf = book.NewShelf(func() time.Time { return w.time })
	return w
}

func (w *shelves) put(n book.Note) (written int) {
	w.Helper()
	before := w.rows.Written
	tx := w.rows.Begin()
	require.NoError(w, w.shelf.Put(tx, n))
	tx.Commit()
	return w.rows.Written - before
}

func (w *shelves) list(user string) (ids []string) {
	w.Helper()
	l, err := w.shelf.List(w.rows, user, "", 100)
	require.NoError(w, err)
	for _, s := range l.Sessions {
		ids = append(ids, s.SessionID)
	}
	return ids
}

func TestWhatTheShelfCosts(t *testing.T) {
	w := newShelves(t)
	n := book.Note{SessionID: "a", Version: 1, Updated: 1}
	assert.Equal(t, 2, w.put(n), "its place, and the list")
	n.Version, n.Updated = 2, 2
	assert.Equal(t, 3, w.put(n), "and out of where it was")
	assert.Zero(t, w.put(n), "a repetition")
	n.UserID, n.Version, n.Updated = "ada", 3, 3
	assert.Equal(t, 4, w.put(n), "a user's list is one more")
	n.Version, n.Updated = 4, 4
	assert.Equal(t, 5, w.put(n))
	n.Version, n.Gone = 5, true
	assert.Equal(t, 4, w.put(n))
	assert.Zero(t, w.put(n))
}

func TestALateNoteBringsNothingBack(t *testing.T) {
	w := newShelves(t)
	w.put(book.Note{SessionID: "a", UserID: "ada", Version: 1, Updated: 1})
	w.put(book.Note{SessionID: "a", Version: 5, Gone: true})
	for v := range int64(5) {
		assert.Zero(t, w.put(book.Note{SessionID: "a", UserID: "ada", Version: v + 1, Updated: 9}))
	}
	assert.Empty(t, w.list(""))
	assert.Empty(t, w.list("ada"))
	w.put(book.Note{SessionID: "a", Version: 6, Updated: 6})
	assert.Equal(t, []string{"a"}, w.list(""), "but a session may begin anew")
	w.put(book.Note{SessionID: "b", Version: 1, Gone: true})
	assert.Equal(t, []string{"a"}, w.list(""))
}

func TestGravesAreCleared(t *testing.T) {
	w := newShelves(t)
	w.put(book.Note{SessionID: "back", Version: 1, Updated: 1})
	w.put(book.Note{SessionID: "back", Version: 2, Gone: true})
	w.put(book.Note{SessionID: "back", Version: 3, Updated: 3})
	for i := range 50 {
		w.time = w.time.Add(time.Hour)
		w.put(book.Note{SessionID: fmt.Sprint("s", i), Version: 1, Updated: 1})
		w.put(book.Note{SessionID: fmt.Sprint("s", i), Version: 2, Gone: true})
	}
	left, err := w.rows.Range("", "\xff", 1000)
	require.NoError(t, err)
	assert.Less(t, len(left), 8, "%v", left)
	assert.Equal(t, []string{"back"}, w.list(""))
}

// TestNotesInAnyOrder has many sessions' notes come late, again and in any order: the shelf shows what the newest ones say.
func TestNotesInAnyOrder(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := newShelves(t)
		newest := map[string]book.Note{}
		var notes []book.Note
		for i := range 60 {
			name := fmt.Sprint("s", random.IntN(8))
			n := book.Note{SessionID: name, Version: newest[name].Version + 1, Updated: int64(1000 + i), Turns: i, Gone: random.IntN(5) == 0}
			if random.IntN(2) == 0 {
				n.UserID = fmt.Sprint("u", random.IntN(2))
			}
			newest[name] = n
			notes = append(notes, n, n)
		}
		random.Shuffle(len(notes), func(i, j int) { notes[i], notes[j] = notes[j], notes[i] })
		for _, n := range notes {
			w.put(n)
		}
		for _, user := range []string{"", "u0", "u1"} {
			var want []book.Note
			for _, n := range newest {
				if !n.Gone && (user == "" || n.UserID == user) {
					want = append(want, n)
				}
			}
			slices.SortFunc(want, func(a, b book.Note) int { return int(b.Updated - a.Updated) })
			var ids []string
			for _, n := range want {
				ids = append(ids, n.SessionID)
			}
			require.Equal(t, ids, w.list(user), "seed %d, user %q", seed, user)
		}
	}
}

func TestThePageOfAListIsOneRange(t *testing.T) {
	w := newShelves(t)
	for i := range 300 {
		w.put(book.Note{SessionID: fmt.Sprintf("s%03d", i), UserID: fmt.Sprint("u", i%2), Version: 1, Updated: int64(i / 10), Title: "t"})
	}
	for _, user := range []string{"", "u1"} {
		counting := &flaky{Tx: w.rows}
		var all []chat.Listed
		cursor, pages := "", 0
		for {
			l, err := w.shelf.List(counting, user, cursor, 40)
			require.NoError(t, err)
			all = append(all, l.Sessions...)
			pages++
			if cursor = l.Cursor; cursor == "" {
				break
			}
		}
		assert.Equal(t, map[string]int{"": 300, "u1": 150}[user], len(all))
		assert.True(t, slices.IsSortedFunc(all, func(a, b chat.Listed) int { return b.UpdatedAt.Compare(a.UpdatedAt) }))
		assert.Equal(t, (len(all)+39)/40, pages)
		assert.Equal(t, pages, counting.ranges)
	}
}
