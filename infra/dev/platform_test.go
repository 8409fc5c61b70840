package dev_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
)

// A Worker in Go goes through the whole build and finds everything that the table gives it.
func TestEverythingOfTheTable(t *testing.T) {
	o := options(t, newState(t))
	o.Vars = map[string]string{"SHARED": "by all"}
	p := start(t, o)

	t.Run("vars", func(t *testing.T) {
		assert.Equal(t, `"front"`, call(t, p, http.MethodGet, "/var/NAME", ""))
		assert.Equal(t, `"by all"`, call(t, p, http.MethodGet, "/var/SHARED", ""))
	})
	t.Run("an object of another Worker", func(t *testing.T) {
		call(t, p, http.MethodPost, "/notes", "hello")
		hasNote(t, p, "hello")
	})
	t.Run("a queue and its consumer", func(t *testing.T) {
		call(t, p, http.MethodPost, "/jobs", "work")
		hasNote(t, p, "jobs: work")
	})
	t.Run("a dead letter", func(t *testing.T) {
		call(t, p, http.MethodPost, "/jobs", "refuse")
		dead := p.Queue("jobs-dlq")
		require.Eventually(t, func() bool {
			n, err := dead.Backlog(t.Context())
			return assert.NoError(t, err) && n == 1
		}, 30*time.Second, 20*time.Millisecond)
		letters, err := dead.Peek(t.Context(), 10)
		require.NoError(t, err)
		assert.JSONEq(t, `"refuse"`, string(letters[0].Body))
	})
	t.Run("a workflow of another Worker", func(t *testing.T) {
		call(t, p, http.MethodPost, "/runs/short", "1s")
		hasNote(t, p, "run short after")
		require.Eventually(t, func() bool { return status(t, p, "short") == "complete" }, 30*time.Second, 50*time.Millisecond)
	})
	t.Run("a schedule", func(t *testing.T) {
		require.NoError(t, p.Cron(t.Context(), back, "0 4 * * *", time.Now()))
		hasNote(t, p, "cron 0 4 * * *")
	})
	t.Run("a namespace from outside", func(t *testing.T) {
		kv := p.KV(front, "CONFIG")
		require.NoError(t, kv.Put(t.Context(), "k/1", []byte("one")))
		require.NoError(t, kv.Put(t.Context(), "k/2", []byte("two")))
		value, found, err := kv.Get(t.Context(), "k/1")
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, "one", string(value))
		keys, err := kv.Keys(t.Context(), "k/")
		require.NoError(t, err)
		assert.Equal(t, []string{"k/1", "k/2"}, keys)
		require.NoError(t, kv.Delete(t.Context(), "k/1"))
		_, found, err = kv.Get(t.Context(), "k/1")
		require.NoError(t, err)
		assert.False(t, found)
	})
	t.Run("a dataset", func(t *testing.T) {
		points := func(role stack.Role) []dev.Point {
			all, err := p.Points(t.Context(), role)
			require.NoError(t, err)
			return all
		}
		assert.Empty(t, points(front))
		var want []dev.Point
		for _, index := range []string{"one", "two"} {
			call(t, p, http.MethodPost, "/points/COUNTS", index)
			want = append(want, dev.Point{Dataset: "COUNTS", Indexes: []string{index}, Blobs: []string{"word", ""}, Doubles: []float64{1, 0.5}})
		}
		status, answer, err := try(t.Context(), p, http.MethodPost, "/points/NOWHERE", "three")
		require.NoError(t, err)
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Contains(t, answer, "no binding NOWHERE")
		assert.Equal(t, want, points(front))
		assert.Empty(t, points(back), "which has none")
	})
	t.Run("what was counted", func(t *testing.T) {
		meter := func(role stack.Role) dev.Meter {
			m, err := p.Meter(t.Context(), role)
			require.NoError(t, err)
			return m
		}
		traffic := func() dev.Traffic {
			n, err := p.Queue("jobs").Traffic(t.Context())
			require.NoError(t, err)
			return n
		}
		calls, rows, before := meter(front).Operations["object.call"], meter(back).RowsWritten, traffic()
		call(t, p, http.MethodPost, "/notes", "counted")
		assert.Equal(t, calls+1, meter(front).Operations["object.call"])
		assert.Equal(t, rows+1, meter(back).RowsWritten)
		call(t, p, http.MethodPost, "/jobs", "counted too")
		hasNote(t, p, "jobs: counted too")
		after := traffic()
		assert.Equal(t, []int{before.Sent + 1, before.Sends + 1, before.Taken + 1, before.Batches + 1}, []int{after.Sent, after.Sends, after.Taken, after.Batches})
		for _, role := range []stack.Role{front, back} {
			m := meter(role)
			assert.Equal(t, 1, m.Instances)
			assert.Empty(t, m.Deaths)
			assert.Greater(t, m.Memory, int64(1<<20))
			assert.LessOrEqual(t, m.Memory, int64(96<<20))
		}
	})
}

// The folder says who has it: the second platform gives up rather than share databases.
func TestOneStateOnePlatform(t *testing.T) {
	t.Parallel()
	state := newState(t)
	start(t, options(t, state))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // do not wait for the first one to end
	defer cancel()
	_, err := dev.Start(ctx, options(t, state))
	assert.ErrorContains(t, err, "another platform runs on "+state)
}

// A failed start leaves nothing behind: neither a process nor the lock.
func TestFailedStart(t *testing.T) {
	state := newState(t)
	o := options(t, state)
	o.Stack.Queues[0].DeadLetter = "nowhere"
	_, err := dev.Start(t.Context(), o)
	require.ErrorContains(t, err, `no dead-letter queue "nowhere"`)

	o = options(t, state)
	o.Stack.Workers[1].Package = "infra/dev/testdata/nothing"
	_, err = dev.Start(t.Context(), o)
	require.ErrorContains(t, err, "does not compile")

	o = options(t, state)
	o.Vars = map[string]string{"FILES": "a variable"}
	_, err = dev.Start(t.Context(), o)
	require.ErrorContains(t, err, "worker front: the variable FILES has the name of a binding")

	start(t, options(t, state))
}

func status(t *testing.T, p *dev.Platform, run string) string {
	t.Helper()
	var s struct{ Status string }
	decode(t, call(t, p, http.MethodGet, "/runs/"+run, ""), &s)
	return s.Status
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Build = "" // the test makes changes
	edited := newWorker(t, o.Root, "one")
	o.Stack.Workers[0].Package = edited.pkg
	p := start(t, o)
	call(t, p, http.MethodPost, "/notes", "before")
	require.Equal(t, `"one"`, call(t, p, http.MethodGet, "/word", ""))
	url := p.URL

	changed, err := p.Rebuild(t.Context(), nil)
	require.NoError(t, err)
	assert.False(t, changed, "nothing was edited")

	edited.write(t, "broken {")
	_, err = p.Rebuild(t.Context(), nil)
	require.ErrorContains(t, err, "does not compile")
	assert.Equal(t, `"one"`, call(t, p, http.MethodGet, "/word", ""), "the old version runs on")

	edited.write(t, "two")
	changed, err = p.Rebuild(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, url, p.URL)
	assert.Equal(t, `"two"`, call(t, p, http.MethodGet, "/word", ""))
	assert.Equal(t, []string{"before"}, notes(t, p), "state stays")
}

func TestWatch(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Build = ""
	edited := newWorker(t, o.Root, "one")
	o.Stack.Workers[0].Package = edited.pkg
	p := start(t, o)
	said := make(chan string, 100)
	w, err := dev.Watch(t.Context(), p, o.Root, func(line string) { said <- line })
	require.NoError(t, err)
	defer w.Close()

	edited.write(t, "broken {")
	waitFor(t, said, "not loaded; the platform runs on as it was:")
	edited.write(t, "two")
	waitFor(t, said, "loaded [front] in")
	assert.Equal(t, `"two"`, call(t, p, http.MethodGet, "/word", ""))
}

// waitFor waits until the watcher says something. An editor's save may be more than one edit to it.
func waitFor(t *testing.T, said <-chan string, what string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case line := <-said:
			t.Log(line)
			if strings.HasPrefix(line, what) {
				return
			}
		case <-late:
			t.Fatalf("the watcher does not say %q", what)
		}
	}
}

// editedWorker is a copy of the fixture's Worker whose word a test may edit. It has to be in
// the module to be built; the go command passes over testdata.
type editedWorker struct{ dir, pkg string }

func newWorker(t *testing.T, root, word string) editedWorker {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "worker", "main_js.go"))
	require.NoError(t, err)
	dir, err := os.MkdirTemp("testdata", "edited-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main_js.go"), source, 0o644))
	w := editedWorker{dir: dir, pkg: "infra/dev/" + filepath.ToSlash(dir)}
	w.write(t, word)
	return w
}

func (w editedWorker) write(t *testing.T, word string) {
	t.Helper()
	source := "package main\n\nconst word = " + quote(word) + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "word_js.go"), []byte(source), 0o644))
}

// quote makes a Go string of a word, and leaves what is no word as it is, to break the source.
func quote(word string) string {
	for _, r := range word {
		if r < 'a' || r > 'z' {
			return word
		}
	}
	return `"` + word + `"`
}
