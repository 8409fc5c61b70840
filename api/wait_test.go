package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/workflows/job"
)

// inBubble runs a world whose clock is the bubble's.
func inBubble(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, newWorld(t, func(w *world) { w.opts.Now = time.Now }))
	})
}

// after lets the first job end after a time.
func (w *world) after(d time.Duration, state job.State) {
	time.AfterFunc(d, func() { w.finish("acme", "id-1", state) })
}

type outcome struct {
	JobID, DocID, StatusURL string
	State                   job.State
	Generation              int
}

func TestWaitAnswersWhenTheDocumentIsVisible(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.store.vectors.Lag = 7 * time.Second
		w.after(3*time.Second, job.Succeeded)
		began := time.Now()
		rec := w.do("acme", "POST", "/ingest?wait=30s", `{"docId":"a","text":"a"}`)
		assert.Equal(t, 200, rec.Code)
		assert.Equal(t, outcome{"id-1", "a", "/jobs/id-1", job.Succeeded, 1}, data[outcome](t, rec))
		assert.Equal(t, "/jobs/id-1", rec.Header().Get("Location"))
		took := time.Since(began)
		assert.GreaterOrEqual(t, took, 10*time.Second, "not before searches show it")
		assert.LessOrEqual(t, took, 11*time.Second, "and not long after")
		assert.Less(t, w.store.looks, 20, "the pauses grow")
	})
}

func TestWaitAnswersAFailureAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.store.vectors.Lag = time.Hour
		w.after(2*time.Second, job.Failed)
		rec := w.do("acme", "POST", "/ingest?wait=1m", `{"docId":"a","text":"a"}`)
		assert.Equal(t, 200, rec.Code)
		assert.Equal(t, job.Failed, data[outcome](t, rec).State)
	})
}

func TestWaitGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		rec := w.do("acme", "POST", "/ingest?wait=5s", `{"docId":"a","text":"a"}`)
		assert.Equal(t, 202, rec.Code)
		assert.Equal(t, outcome{JobID: "id-1", DocID: "a", StatusURL: "/jobs/id-1", Generation: 1}, data[outcome](t, rec))
		assert.Equal(t, 5*time.Second, time.Since(began))

		w.store.vectors.Lag = time.Hour
		w.after(time.Second, job.Succeeded)
		assert.Equal(t, 202, w.do("acme", "POST", "/ingest?wait=5s", `{"docId":"a","text":"a"}`).Code, "indexed and not visible")
	})
}

func TestWaitOutlastsAFailingLedger(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		time.AfterFunc(time.Millisecond, func() {
			w.store.failing(func(op string) error {
				if time.Since(began) > 4*time.Second {
					return nil
				}
				return errors.New("restarting")
			})
		})
		w.after(4500*time.Millisecond, job.Succeeded)
		assert.Equal(t, 200, w.do("acme", "POST", "/ingest?wait=30s", `{"docId":"a","text":"a"}`).Code)
	})
}

func TestWaitEndsWhenTheClientLeaves(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, leave)
		began := time.Now()
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, w.request("acme", "POST", "/ingest?wait=60s", `{"text":"a"}`).WithContext(ctx))
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.Equal(t, 499, rec.Code)
		assert.NotContains(t, w.log.String(), `"ERROR"`, "nobody's mistake")
	})
}

func TestWaitIsASoundTime(t *testing.T) {
	w := newWorld(t)
	for _, wait := range []string{"", "0s", "999ms", "61s", "30", "-5s", "1h", "5s&wait=6s"} {
		rec := w.do("acme", "POST", "/ingest?wait="+wait, `{"text":"a"}`)
		assert.Equal(t, 400, rec.Code, wait)
		assert.Equal(t, "invalid_query", failed(t, rec).Code, wait)
		assert.Equal(t, "wait", failed(t, rec).Details.Field, wait)
	}
	assert.Empty(t, w.store.drafts, "nothing was taken in")
}

func TestReadyNamesWhatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fine := api.Probe{Name: "ledger", Check: func(context.Context) error { return nil }}
		broken := api.Probe{Name: "vectors", Check: func(context.Context) error { return errors.New("secret") }}
		wild := api.Probe{Name: "texts", Check: func(context.Context) error { panic("secret") }}
		slow := api.Probe{Name: "model", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		ask := func(probes ...api.Probe) (*httptest.ResponseRecorder, time.Duration) {
			w := newWorld(t, func(w *world) { w.deps.Probes = probes; w.opts.Now = time.Now })
			began := time.Now()
			return w.do("", "GET", "/ready", ""), time.Since(began)
		}
		rec, took := ask(fine)
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Zero(t, took)
		assert.Contains(t, rec.Body.String(), `"checks":[{"name":"ledger","durationMs":0}]`)

		rec, took = ask(slow, fine, broken, wild)
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
		assert.Equal(t, 2*time.Second, took, "as long as the slowest may take")
		f := failed(t, rec)
		assert.Equal(t, "not_ready", f.Code)
		assert.Equal(t, []string{"model", "vectors", "texts"}, f.Details.Failing)
		assert.NotContains(t, rec.Body.String(), "secret")
		require.NotEmpty(t, rec.Header().Get("Retry-After"))
	})
}
