package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/workflows/job"
)

// refuse answers with a failure as the API does.
func refuse(w http.ResponseWriter, status int, code, hint string, retryAfter string) {
	w.Header().Set("Content-Type", "application/json")
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"ok":false,"error":{"code":%q,"message":"no","details":{"hint":%q,"field":"a.b"},"traceId":"t1"},"requestId":"r1"}`, code, hint)
}

func accept(w http.ResponseWriter) {
	fmt.Fprint(w, `{"ok":true,"data":{"jobId":"j1","docId":"a"},"requestId":"r"}`)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for status, kind := range map[int]fault.Kind{
		400: fault.Invalid, 401: fault.Denied, 403: fault.Denied, 404: fault.NotFound, 409: fault.Conflict, 413: fault.Invalid,
		429: fault.Limited, 500: fault.Internal, 503: fault.Unavailable, 504: fault.Unavailable,
	} {
		c := client.New("http://levada.test/", "", &client.Options{Patience: 1, HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "/jobs/a%2Fb", r.URL.EscapedPath())
			refuse(w, status, "some_code", "do this", "7")
		})}})
		_, err := c.Job(t.Context(), "a/b")
		assert.EqualError(t, err, "no (some_code, request r1); do this")
		var e *client.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, []any{status, "t1", "a.b", 7 * time.Second}, []any{e.Status, e.TraceID, e.Fault.Field, e.Fault.RetryAfter})
		assert.True(t, fault.Is(err, kind), "%d is %s", status, fault.KindOf(err))
	}
}

func TestABusyPlatformIsAskedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		status, times int    // so many refusals
		after         string // Retry-After
		patience      time.Duration
		attempts      int
		took          time.Duration
		fails         bool
	}{
		"busy once":             {503, 1, "3", 0, 2, 3*time.Second + 200*time.Millisecond, false},
		"limited twice":         {429, 2, "1", 0, 3, 2*time.Second + 600*time.Millisecond, false},
		"without a time":        {503, 2, "", 0, 3, 600 * time.Millisecond, false},
		"for longer than we do": {429, 99, "3600", 0, 1, 0, true},
		"for ever":              {503, 99, "1", 10 * time.Second, 5, 4*time.Second + (200+400+800+1600)*time.Millisecond, true},
		"for good":              {400, 99, "1", 0, 1, 0, true},
		"by our mistake":        {500, 99, "", 0, 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts, bodies := 0, map[string]bool{}
				c := client.New("http://levada.test", "k", &client.Options{
					Tenant: "acme", Patience: test.patience, Jitter: func(d time.Duration) time.Duration { return d },
					HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						b, err := io.ReadAll(r.Body)
						assert.NoError(t, err)
						bodies[string(b)] = true
						if attempts++; attempts <= test.times {
							refuse(w, test.status, "later", "", test.after)
							return
						}
						accept(w)
					})},
				})
				began := time.Now()
				a, err := c.Ingest(t.Context(), client.Document{DocID: "a", Text: "x"})
				assert.Equal(t, test.took, time.Since(began))
				assert.Equal(t, test.attempts, attempts)
				assert.Equal(t, map[string]bool{`{"docId":"a","text":"x"}`: true}, bodies, "each attempt is whole")
				if test.fails {
					assert.Error(t, err)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, "j1", a.JobID)
			})
		})
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, gone)
		defer cancel()
		c := client.New("http://levada.test", "", &client.Options{HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refuse(w, 503, "later", "", "30")
		})}})
		_, err := c.Job(ctx, "j1")
		assert.ErrorIs(t, err, gone)
	})
}

func TestWhatIsNoPlatform(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	c := client.New(server.URL, "", nil)
	_, err := c.Job(t.Context(), "j1")
	assert.ErrorContains(t, err, "404 Not Found, and no answer of Levada's")

	server.Close()
	err = c.Health(t.Context())
	var gone *client.Unreachable
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, server.URL, gone.URL)
	assert.Regexp(t, "^no platform answers on http://127.0.0.1:[0-9]+: dial tcp .*refused$", err.Error())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, c.Health(ctx), context.Canceled)
}

func TestWhoIsAsking(t *testing.T) {
	for _, test := range []struct{ key, tenant string }{{"", "acme"}, {"k", ""}, {"k", "acme"}} {
		c := client.New("http://levada.test", test.key, &client.Options{Tenant: test.tenant, HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, test.tenant, r.Header.Get("x-tenant-id"))
			assert.Equal(t, test.key, strings.TrimPrefix(r.Header.Get("authorization"), "Bearer "))
			accept(w)
		})}})
		require.NoError(t, c.Health(t.Context()))
	}
}

// event is one of a job's, as the API writes it.
func event(id int, kind string, state job.State) string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: {\"jobId\":\"j1\",\"state\":%q,\"percent\":%d}\n\n", id, kind, state, id)
}

func TestAFollowedJobSurvivesItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connections := []func(w http.ResponseWriter, r *http.Request){
			func(w http.ResponseWriter, r *http.Request) { // is cut in the middle of an event
				assert.Empty(t, r.Header.Get("Last-Event-ID"))
				fmt.Fprint(w, "retry: 1000\n\n"+event(1, "progress", job.Queued)+event(2, "progress", job.Running)+"id: 3\nevent: prog")
				panic(http.ErrAbortHandler)
			},
			func(w http.ResponseWriter, r *http.Request) { // falls silent
				assert.Equal(t, "2", r.Header.Get("Last-Event-ID"))
				fmt.Fprint(w, event(3, "progress", job.Running))
				time.Sleep(15 * time.Second)
				fmt.Fprint(w, ":\n\n")
				<-r.Context().Done()
			},
			func(w http.ResponseWriter, r *http.Request) { // comes to its time limit, with an event of a later version
				assert.Equal(t, "3", r.Header.Get("Last-Event-ID"))
				fmt.Fprint(w, "id: 4\nevent: news\ndata: x\n\n")
			},
			func(w http.ResponseWriter, r *http.Request) { refuse(w, 503, "object_unavailable", "", "2") },
			func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, event(5, "done", job.Succeeded)) },
		}
		n := 0
		c := client.New("http://levada.test", "", &client.Options{HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "/jobs/j1/events", r.URL.Path)
			n++
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			connections[n-1](w, r)
		})}})
		var seen []int
		j, err := c.Follow(t.Context(), "j1", func(j job.Job) { seen = append(seen, j.Percent) })
		require.NoError(t, err)
		assert.Equal(t, job.Succeeded, j.State)
		assert.Equal(t, []int{1, 2, 3, 5}, seen)
		assert.Equal(t, len(connections), n)
	})
}

func TestFollowingFails(t *testing.T) {
	follow := func(t *testing.T, h http.HandlerFunc) (time.Duration, error) {
		c := client.New("http://levada.test", "", &client.Options{HTTP: clienttest.Inside{Handler: h}})
		began := time.Now()
		_, err := c.Follow(t.Context(), "j1", func(job.Job) {})
		return time.Since(began), err
	}
	synctest.Test(t, func(t *testing.T) {
		took, err := follow(t, func(w http.ResponseWriter, r *http.Request) { refuse(w, 404, "job_not_found", "", "") })
		assert.True(t, fault.Is(err, fault.NotFound), "%v", err)
		assert.Zero(t, took)

		n := 0
		took, err = follow(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n > 1 {
				panic(http.ErrAbortHandler) // never again
			}
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, event(1, "progress", job.Running))
		})
		assert.ErrorContains(t, err, "job j1: ")
		assert.Greater(t, took, time.Minute-10*time.Second)
		assert.Less(t, took, 2*time.Minute)

		_, err = follow(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "event: progress\ndata: {\n\n")
		})
		assert.Error(t, err)
	})
}
