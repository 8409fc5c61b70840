package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/book"
)

// watch checks that a method that takes events into an outbox is one of those that say so, and says which did.
func (w *world) watch() (told map[string]bool) {
	told = map[string]bool{}
	waits := func() (n int) {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			w.desks.Rows(s, func(tx rows.Tx) {
				found, err := tx.Scan("o/", 10_000)
				require.NoError(w, err)
				n += len(found)
			})
		}
		return n
	}
	before := 0
	w.desks.Before = func(string) error {
		before = waits()
		return nil
	}
	w.desks.After = func(method string) error {
		if method != "tend" && method != "sent" && waits() > before {
			told[method] = true
			require.True(w, book.Sends(method), "whoever keeps the book is not told that %s sends", method)
		}
		return nil
	}
	return told
}

// Who takes a take over makes it instead of the queue, so whoever waits longest has its turn at once; and so it is with all that ends, is cancelled or given back.
func TestTurnsThatAreGivenUp(t *testing.T) {
	w := newWorld(t)
	sends := w.watch()
	var all []speech.Opening
	for n := range speech.MaxMaking + 4 {
		all = append(all, w.order(n, 2))
		w.open(w.acme, all[n])
		w.open(w.globex, w.order(n, 2))
	}
	w.facts(w.globex)
	w.facts(w.acme)
	told := func(want ...any) {
		t.Helper()
		assert.Equal(t, want, w.facts(w.acme))
	}
	requested := func(n, try int) any {
		return events.SpeechRequested{SpeechRef: ref(all[n], 1), Parts: 2, Try: try}
	}
	w.now = w.now.Add(speech.DirectLease)
	c, err := w.desks.TakeOver(t.Context(), w.acme, id(all[0]), "listener")
	require.NoError(t, err)
	told(requested(4, 0))
	_, err = w.desks.TakeOver(t.Context(), w.acme, id(all[0]), "listener")
	require.NoError(t, err, "once more, as the answer was lost")
	assert.Empty(t, w.facts(w.acme), "there was one turn")
	c.Claim++
	shares := w.order(0, 2)
	w.open(w.acme, shares)
	require.NoError(t, w.desks.Release(t.Context(), w.acme, c.Ticket, &job.Problem{Code: "model_busy"}))
	told(requested(0, 1))
	w.cancel(w.acme, all[1].ID)
	assert.Empty(t, w.facts(w.acme), "five were let in")
	w.cancel(w.acme, all[2].ID)
	told(requested(5, 0))
	w.make(w.acme, id(all[3]))
	assert.Len(t, w.facts(w.acme), 2, "that it was made, and whose turn it is now")

	alone := w.claim(w.globex, id(all[0]))
	w.now = w.now.Add(speech.DirectLease)
	alone, err = w.desks.TakeOver(t.Context(), w.globex, alone.Take, "listener")
	require.NoError(t, err)
	assert.Len(t, w.facts(w.globex), 1)
	require.NoError(t, w.desks.Release(t.Context(), w.globex, alone.Ticket, &job.Problem{Code: "model_busy"}))
	assert.Equal(t, []any{events.SpeechFailed{SpeechRef: ref(all[0], 1), Jobs: []string{"job-000002"}, Code: "model_busy"}}, w.facts(w.globex), "it took nobody's turn")
	assert.Equal(t, map[string]bool{"open": true, "takeover": true, "release": true, "cancel": true, "end": true}, sends)
}

// A take that is claimed after it was looked at is looked at again by when its maker is late, not by when the queue is.
func TestAClaimIsLookedAfterFromThen(t *testing.T) {
	w := newWorld(t)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		o := w.order(1, 2)
		w.open(s, o)
		looked, err := w.desks.Alarm(t.Context(), s, w.sounds)
		require.NoError(t, err)
		assert.Equal(t, w.now.Add(speech.QueuedLate), looked)

		w.desks.After = func(method string) error {
			assert.True(t, book.Sends(method), "whoever keeps the book looks at it after %s", method)
			return nil
		}
		w.claim(s, id(o))
		w.desks.After = nil
		looked, err = w.desks.Alarm(t.Context(), s, w.sounds)
		require.NoError(t, err)
		assert.Equal(t, w.now.Add(speech.Late), looked)
	}
}
