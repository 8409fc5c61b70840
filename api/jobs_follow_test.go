package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/job"
)

// followed is a world with acme's job id-1 that is on its way.
func followed(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	inBubble(t, func(t *testing.T, w *world) {
		require.Equal(t, 202, w.do("acme", "POST", "/ingest", `{"docId":"a","text":"a"}`).Code)
		f(t, w)
	})
}

func TestAFollowedJobEndsOnce(t *testing.T) {
	for _, state := range []job.State{job.Succeeded, job.Failed} {
		followed(t, func(t *testing.T, w *world) {
			w.after(3*time.Second, state)
			began := time.Now()
			rec := w.do("acme", "GET", "/jobs/id-1/events", "")
			assert.Less(t, time.Since(began), 3*time.Second+2*time.Second, "and soon")
			events := parse(t, rec.Body.String())
			whole(t, events)
			require.Len(t, events, 2)
			assert.Equal(t, []string{"progress", "done"}, []string{events[0].Event, events[1].Event})
			assert.Contains(t, events[1].Data, `"state":"`+string(state)+`"`)

			// Who has seen the end is told not to come back; who has not, gets it again.
			last := strconv.Itoa(events[1].ID)
			assert.Equal(t, 204, w.do("acme", "GET", "/jobs/id-1/events", "", "last-event-id", last).Code)
			first := strconv.Itoa(events[0].ID)
			again := parse(t, w.do("acme", "GET", "/jobs/id-1/events?lastEventId="+first, "").Body.String())
			assert.Equal(t, events[1:], again)
			assert.Equal(t, 404, w.do("globex", "GET", "/jobs/id-1/events", "", "last-event-id", last).Code)
		})
	}
}

// The price of following: what one minute of it asks of the tenant's object, and what five do.
func TestFollowingIsCheapAndEnds(t *testing.T) {
	followed(t, func(t *testing.T, w *world) {
		ctx, leave := context.WithTimeout(t.Context(), time.Minute-time.Second)
		defer leave()
		c := &client{header: http.Header{}}
		w.ServeHTTP(c, w.request("acme", "GET", "/jobs/id-1/events", "").WithContext(ctx))
		assert.LessOrEqual(t, w.store.looks, 22, "of a job in which nothing happens")
		assert.Equal(t, 3, strings.Count(c.body(), ":\n\n"), "a comment every 15 s")
		assert.NotContains(t, w.log.String(), `"ERROR"`, "nobody's mistake")

		began := time.Now()
		w.store.looks = 0
		events := parse(t, w.do("acme", "GET", "/jobs/id-1/events", "").Body.String())
		assert.Equal(t, 5*time.Minute, time.Since(began))
		require.Len(t, events, 1)
		assert.Equal(t, "progress", events[0].Event, "there is no end, so the client comes back")
		assert.LessOrEqual(t, w.store.looks, 75)
	})
}

func TestFollowingEndsWhenTheClientLeaves(t *testing.T) {
	followed(t, func(t *testing.T, w *world) {
		c := &client{header: http.Header{}, leave: func(string) bool { return true }}
		began := time.Now()
		w.ServeHTTP(c, w.request("acme", "GET", "/jobs/id-1/events", ""))
		assert.LessOrEqual(t, time.Since(began), 15*time.Second, "the heartbeat finds out")
		assert.Contains(t, w.log.String(), `"code":"client_closed_request"`)
		assert.NotContains(t, w.log.String(), `"ERROR"`)
	})
}

func TestFollowingOutlastsALedgerThatFailsForAWhile(t *testing.T) {
	followed(t, func(t *testing.T, w *world) {
		broken := false
		time.AfterFunc(time.Second, func() { broken = true })
		time.AfterFunc(4*time.Second, func() { broken = false })
		w.store.failing(func(op string) error {
			if broken && op == "job" {
				return errors.New("restarting")
			}
			return nil
		})
		w.after(5*time.Second, job.Succeeded)
		whole(t, parse(t, w.do("acme", "GET", "/jobs/id-1/events", "").Body.String()))

		broken = true
		assert.Equal(t, 500, w.do("acme", "GET", "/jobs/id-1/events", "").Code, "what has not begun can still be an error")
	})
	followed(t, func(t *testing.T, w *world) {
		looks := 0
		w.store.failing(func(op string) error {
			if looks++; op == "job" && looks > 1 {
				return errors.New("a secret of the ledger")
			}
			return nil
		})
		c := &client{header: http.Header{}}
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(c, w.request("acme", "GET", "/jobs/id-1/events", "")) })
		assert.Len(t, parse(t, c.body()), 1, "no end, so the client comes back")
		assert.NotContains(t, c.body(), "secret")
		assert.Contains(t, w.log.String(), "a secret of the ledger")
	})
}

func TestHeadOfAFollowedJob(t *testing.T) {
	followed(t, func(t *testing.T, w *world) {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, w.request("acme", "HEAD", "/jobs/id-1/events", ""))
		assert.Equal(t, 200, rec.Code)
		assert.Empty(t, rec.Body.String())
	})
}
