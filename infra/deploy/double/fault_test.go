package double_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// send makes a queue and reports the answer's status, 0 when there was none.
func (w *world) send(name string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/accounts/"+acme+"/queues", strings.NewReader(`{"queue_name": "`+name+`"}`))
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	require.NoError(w.t, response.Body.Close())
	return response.StatusCode
}

func (w *world) queues() (names []string) {
	w.api.Edit(acme, func(a *double.Account) { names = a.Queues() })
	return names
}

func TestFaults(t *testing.T) {
	queues := regexp.MustCompile(`/queues$`)
	for name, c := range map[string]struct {
		fault    double.Fault
		statuses [3]int // of three queues
		made     string
	}{
		"an answer instead":            {double.Fault{Path: queues, Status: 502}, [3]int{502, 200, 200}, "b c"},
		"two":                          {double.Fault{Path: queues, Status: 429, RetryAfter: "3", Times: 2}, [3]int{429, 429, 200}, "c"},
		"for ever":                     {double.Fault{Times: -1}, [3]int{500, 500, 500}, ""},
		"not the first":                {double.Fault{Method: "POST", Status: 503, Skip: 1}, [3]int{200, 503, 200}, "a c"},
		"another method":               {double.Fault{Method: "PUT", Times: -1}, [3]int{200, 200, 200}, "a b c"},
		"another path":                 {double.Fault{Path: regexp.MustCompile("/r2/"), Times: -1}, [3]int{200, 200, 200}, "a b c"},
		"cut before":                   {double.Fault{Path: queues, Before: true}, [3]int{0, 200, 200}, "b c"},
		"cut after":                    {double.Fault{Path: queues, Lost: true}, [3]int{0, 200, 200}, "a b c"},
		"done, and told that it isn't": {double.Fault{Path: queues, Lost: true, Status: 504}, [3]int{504, 200, 200}, "a b c"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.api.Fail(c.fault)
			var statuses [3]int
			for i, q := range []string{"a", "b", "c"} {
				statuses[i] = w.send(q)
			}
			assert.Equal(t, c.statuses, statuses)
			assert.Equal(t, c.made, strings.Join(w.queues(), " "))
			for i, r := range w.api.Requests() {
				assert.Equal(t, c.statuses[i], r.Status)
			}
		})
	}
	w := newWorld(t)
	w.api.Fail(double.Fault{Status: 429, Code: 10013, Message: "slow down", RetryAfter: "7"})
	got := w.acme("GET", "/queues", nil)
	got.refused(429, "slow down")
	assert.Equal(t, "7", got.header.Get("Retry-After"))
	w.api.Fail(double.Fault{Times: -1})
	w.api.Heal()
	w.acme("GET", "/queues", nil).ok()
}

// A deployer is stopped where a test wants it, with the effect done.
func TestWatching(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.api.Watch(func(r double.Request) {
		if r.Write() {
			cancel()
		}
	})
	w.acme("GET", "/queues", nil).ok()
	require.NoError(t, ctx.Err())
	w.send("a")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	assert.Equal(t, []string{"a"}, w.queues())
	assert.Equal(t, []string{"POST /accounts/" + acme + "/queues"}, w.api.Writes())
	assert.Equal(t, object{"queue_name": "a"}, w.api.Requests()[1].Body)
	w.api.Forget()
	assert.Empty(t, w.api.Requests())
}
