package dev_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
)

// Each dependency of a Worker can fail before and after it has done what it was asked, or hang; the Worker sees what Cloudflare's binding
// throws, what is not disturbed goes on, and so does everything when it is over.
func TestDisturb(t *testing.T) {
	t.Parallel()
	p := start(t, options(t, newState(t)))
	ctx := t.Context()
	disturb := func(role stack.Role, ds ...dev.Disturbance) { require.NoError(t, p.Disturb(ctx, role, ds...)) }
	asked := func(method, path, body string) (int, string) {
		status, answer, err := try(ctx, p, method, path, body)
		require.NoError(t, err)
		return status, answer
	}
	fails := func(method, path, body, why string) {
		t.Helper()
		status, answer := asked(method, path, body)
		assert.Equal(t, http.StatusInternalServerError, status, "%s", answer)
		assert.Contains(t, answer, why)
	}
	lines := func(text string) (n int) {
		for _, line := range notes(t, p) {
			if line == text {
				n++
			}
		}
		return n
	}
	value := func(key string) string {
		v, _, err := p.KV(front, "CONFIG").Get(ctx, key)
		require.NoError(t, err)
		return string(v)
	}
	file := func(key string) string {
		v, _, err := p.R2(front, "FILES").Get(ctx, key)
		require.NoError(t, err)
		return string(v)
	}
	call(t, p, http.MethodPut, "/config/a", "before")

	for what, d := range map[string]struct {
		calls, binding, path string
		thrown               dev.Thrown
		done                 func(text string) bool
	}{
		"kv":     {"kv.put", "CONFIG", "/config/b", dev.KVBusy, func(text string) bool { return value("b") == text }},
		"r2":     {"r2", "FILES", "/files/f", dev.R2Failed, func(text string) bool { return file("f") == text }},
		"object": {"object", "NOTES", "/notes", dev.ConnectionLost, func(text string) bool { return lines(text) == 1 }},
	} {
		t.Run(what, func(t *testing.T) {
			method := http.MethodPut
			if what == "object" {
				method = http.MethodPost
			}
			disturb(front, dev.Disturbance{Calls: d.calls, Binding: d.binding, Mood: dev.Fails, Error: d.thrown, Times: 1})
			fails(method, d.path, what+" fails", d.thrown.Message)
			assert.False(t, d.done(what+" fails"), "nothing is done")

			disturb(front, dev.Disturbance{Calls: d.calls, Mood: dev.Loses, Error: d.thrown, Times: 1})
			fails(method, d.path, what+" loses", d.thrown.Message)
			assert.True(t, d.done(what+" loses"), "it is done")
			call(t, p, method, d.path, what+" again")

			disturb(front, dev.Disturbance{Calls: d.calls, Mood: dev.Hangs, Times: 1})
			answered := make(chan int, 1)
			go func() {
				status, _, err := try(ctx, p, method, d.path, what+" hangs")
				assert.NoError(t, err)
				answered <- status
			}()
			require.Eventually(t, func() bool {
				n, err := p.Struck(ctx, front)
				return assert.NoError(t, err) && n[0] == 1
			}, 30*time.Second, 10*time.Millisecond)
			assert.False(t, d.done(what+" hangs"))
			assert.Empty(t, answered)
			disturb(front)
			assert.Equal(t, http.StatusOK, <-answered)
			assert.True(t, d.done(what+" hangs"), "it is done when the disturbance ends")
		})
	}

	t.Run("a queue", func(t *testing.T) {
		disturb(front, dev.Disturbance{Calls: "queue", Binding: "JOBS", Mood: dev.Fails, Error: dev.QueueFailed})
		fails(http.MethodPost, "/jobs", "lost", dev.QueueFailed.Message)
		disturb(front, dev.Disturbance{Calls: "queue.send", Mood: dev.Loses, Error: dev.QueueOverloaded})
		fails(http.MethodPost, "/jobs", "sent", dev.QueueOverloaded.Message)
		disturb(front)
		hasNote(t, p, "jobs: sent")
		assert.Zero(t, lines("jobs: lost"))
	})
	t.Run("the database of an object", func(t *testing.T) {
		disturb(back, dev.Disturbance{Calls: "sql", Binding: "Notes", On: "all", Mood: dev.Fails, Error: dev.StorageFailed, Times: 1})
		fails(http.MethodPost, "/notes", "unwritten", dev.StorageFailed.Message)
		disturb(back, dev.Disturbance{Calls: "sql", Binding: "Others", Mood: dev.Fails, Error: dev.StorageFailed})
		call(t, p, http.MethodPost, "/notes", "written")
		assert.Equal(t, []int{0, 1}, []int{lines("unwritten"), lines("written")})
	})
	t.Run("a tenant's", func(t *testing.T) {
		d := dev.Disturbance{Calls: "queue.send", Tenant: "acme", Mood: dev.Fails, Error: dev.QueueFailed}
		disturb(front, d)
		fails(http.MethodPost, "/jobs", `{"tenantid":"acme"}`, dev.QueueFailed.Message)
		call(t, p, http.MethodPost, "/jobs", `{"tenantid":"acme2","text":"of acme"}`)
		d.Calls, d.Error = "r2", dev.R2Failed
		disturb(front, d)
		fails(http.MethodPut, "/files/t%2Facme%2Ff", "lost", dev.R2Failed.Message)
		call(t, p, http.MethodPut, "/files/t%2Facme2%2Ff", "of acme")
		assert.Equal(t, "of acme", file("t/acme2/f"))
		assert.Empty(t, file("t/acme/f"))
		d.Calls = "kv"
		disturb(front, d)
		fails(http.MethodPut, "/config/t%2Facme", "lost", dev.R2Failed.Message)
		call(t, p, http.MethodPut, "/config/t%2Facme2", "another's")
		disturb(front)
	})
	t.Run("one of several", func(t *testing.T) {
		disturb(front, dev.Disturbance{Calls: "kv.get", On: "a", Mood: dev.Fails, Error: dev.KVFailed})
		fails(http.MethodGet, "/config/a", "", dev.KVFailed.Message)
		assert.Equal(t, `""`, call(t, p, http.MethodGet, "/config/b2", ""), "another key")
		assert.Equal(t, "before", value("a"), "another Worker")
		disturb(front)
		assert.Equal(t, `"before"`, call(t, p, http.MethodGet, "/config/a", ""))
	})
}
