package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/app"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/letters"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// strandedOf is a letter of a tenant whose box and ledger were silent: it knows the message, and not yet the document.
func strandedOf(t *testing.T, s tenants.Scope, docID string, generation int) letters.Letter {
	ev, err := events.New(s, "test", events.Cause{ID: "c"}, noon, events.DocumentSubmitted{
		DocumentRef: events.DocumentRef{DocID: docID, Generation: generation, JobID: "j"}, ContentType: "text/plain", TextKey: "k", SHA256: "s", Model: "m",
	})
	require.NoError(t, err)
	body, err := ev.MarshalJSON()
	require.NoError(t, err)
	return letters.Letter{
		ID: letters.NewID("ingest-dlq", docID), Queue: "ingest-dlq", Tenant: s.Tenant(), Handler: "chunk", Stage: "chunk", Type: ev.Type, Subject: ev.Subject,
		Code: "attempts_exhausted", Attempts: 4, At: noon, Body: body,
	}
}

// TestStrandedLettersComeHome: whoever looks into the box, or forgets what is said of a document, finds also what was kept beside it while it was silent.
func TestStrandedLettersComeHome(t *testing.T) {
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
	list := func(box app.Letters, s tenants.Scope) (ids []string) {
		page, err := box.List(t.Context(), s, letters.Query{}, "", 100, false)
		require.NoError(t, err)
		for _, l := range page.Letters {
			ids = append(ids, fmt.Sprint(l.DocID, "/", l.Generation))
		}
		return ids
	}
	for name, look := range map[string]func(app.Letters){
		"List": func(app.Letters) {},
		"Waiting": func(box app.Letters) {
			page, err := box.Waiting(t.Context(), acme, letters.Query{DocID: "a"}, "", 10)
			require.NoError(t, err)
			assert.Len(t, page.Letters, 1)
		},
		"Count": func(box app.Letters) {
			n, err := box.Count(t.Context(), acme, letters.Query{Codes: []string{"attempts_exhausted"}})
			require.NoError(t, err)
			assert.Equal(t, 50, n.Total)
		},
	} {
		t.Run(name, func(t *testing.T) {
			unread, own := &memory.Unread{}, memory.NewLetters(func() time.Time { return noon })
			box := app.Home(app.Ports{Letters: own, Unread: unread})
			all := []letters.Letter{strandedOf(t, acme, "a", 3), strandedOf(t, globex, "a", 1)}
			for i := range 49 {
				all = append(all, strandedOf(t, acme, fmt.Sprint("b", i), 1))
			}
			all = append(all, letters.Letter{ID: "nobody", Queue: "ingest", Code: "event_invalid", At: noon})
			require.NoError(t, unread.Keep(t.Context(), all))
			look(box)
			ids := list(box, acme)
			assert.Len(t, ids, 50)
			assert.Contains(t, ids, "a/3")
			assert.Len(t, unread.All(), 2, "the other tenant's, and nobody's")
			assert.Equal(t, []string{"a/1"}, list(box, globex))
			assert.Len(t, list(box, acme), 50, "once")
		})
	}
	t.Run("Forget", func(t *testing.T) {
		unread, own := &memory.Unread{}, memory.NewLetters(func() time.Time { return noon })
		box := app.Home(app.Ports{Letters: own, Unread: unread})
		require.NoError(t, unread.Keep(t.Context(), []letters.Letter{strandedOf(t, acme, "a", 3), strandedOf(t, acme, "b", 1), strandedOf(t, globex, "a", 3)}))
		unread.Before = func(string) error { return fault.Unavailablef(nil, "store_unavailable", "no") }
		assert.True(t, fault.Retryable(box.Forget(t.Context(), acme, "a", 3)), "a receipt is not given for what could not be looked at")
		assert.Empty(t, list(box, acme), "the box shows what it has")
		unread.Before = nil
		for range 2 {
			require.NoError(t, box.Forget(t.Context(), acme, "a", 3))
		}
		assert.Equal(t, []string{"b/1"}, list(box, acme))
		assert.Equal(t, []string{"a/3"}, list(box, globex))
	})
	t.Run("a box that is silent still", func(t *testing.T) {
		unread, own := &memory.Unread{}, memory.NewLetters(func() time.Time { return noon })
		box := app.Home(app.Ports{Letters: own, Unread: unread})
		require.NoError(t, unread.Keep(t.Context(), []letters.Letter{strandedOf(t, acme, "a", 3)}))
		failing := true
		own.After = func(op string) error {
			if op == "keep" && failing {
				return fault.Unavailablef(nil, "letters_unreachable", "no answer")
			}
			return nil
		}
		_, err := box.Count(t.Context(), acme, letters.Query{})
		require.NoError(t, err)
		assert.Len(t, unread.All(), 1, "it is not dropped before it is known to be home")
		failing = false
		assert.Equal(t, []string{"a/3"}, list(box, acme), "twice is once")
		assert.Empty(t, unread.All())
	})
}
