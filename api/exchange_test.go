package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"levada.dev/api"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// TestExchanges plays the files of testdata: each is a conversation with a fresh world, pairs of a request and the
// answer to it. "as:" names a key; "{acme}" in a header, and "\"{acme}\"" in a body, stands for the key of that name. A line "sign: acme cms-1" signs the
// body with a secret of the tenant's. A line "finish: acme job-1 succeeded" before a request lets the job end first, "finish in
// 2s:" while the request is being answered. "feed: acme import-1" lets the ledger take what a batch brought. "letter: acme embed
// guide model_refused" lets a message of embed's about guide die of that first, or about no document when its name is "-".
// "count: acme" counts some things of the tenant, and keeps two traces. "speak: acme" has what waits for the tenant spoken. "move: acme job-1" lets the flow of a move run to its end.
func TestExchanges(t *testing.T) {
	for _, file := range exchangeFiles(t) {
		inBubbleOf(t, strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			w := newWorld(t, func(w *world) {
				w.opts.Now = clock()
				switch filepath.Base(file) {
				case "chat_tools.txtar":
					w.deps.Directory = chatty{w.deps.Directory}
				case "tools_own.txtar":
					w.deps.Directory = equipped{w.deps.Directory}
				}
			})
			var out txtar.Archive
			out.Comment = archive.Comment
			for _, section := range archive.Files {
				if strings.HasSuffix(section.Name, ": answer") {
					continue
				}
				answer := w.play(string(section.Data))
				synctest.Wait() // what a turn does after its answer
				out.Files = append(out.Files, section, txtar.File{Name: section.Name + ": answer", Data: []byte(answer)})
			}
			if *api.Update {
				require.NoError(t, os.WriteFile(file, txtar.Format(&out), 0o644))
			}
			require.Equal(t, string(txtar.Format(archive)), string(txtar.Format(&out)), "go test ./api -update writes it; read what changed")
		})
	}
}

// inBubbleOf runs a part of a test in a bubble of time.
func inBubbleOf(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// clock tells the time from when these tests are written to play.
func clock() func() time.Time {
	began := time.Now()
	return func() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC).Add(time.Since(began)) }
}

func exchangeFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// play sends one written request and writes the answer down.
func (w *world) play(text string) string {
	w.t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	as, headers := "", []string{}
	var method, target string
	for _, line := range lines {
		name, value, isHeader := strings.Cut(line, ": ")
		switch {
		case name == "finish":
			f := strings.Fields(value)
			w.finish(f[0], f[1], job.State(f[2]))
		case name == "feed":
			f := strings.Fields(value)
			w.feed(f[0], f[1])
		case name == "move":
			f := strings.Fields(value)
			w.move(f[0], f[1])
		case name == "count":
			w.count(value)
		case name == "speak":
			w.speak(value)
		case name == "letter":
			f := strings.Fields(value)
			w.letter(f[0], f[1], f[2], f[3])
		case strings.HasPrefix(name, "finish in "):
			f := strings.Fields(value)
			d, err := time.ParseDuration(strings.TrimPrefix(name, "finish in "))
			require.NoError(w.t, err)
			time.AfterFunc(d, func() { w.finish(f[0], f[1], job.State(f[2])) })
		case name == "as":
			as = value
		case name == "sign": // the tenant and the name of its secret
			f := strings.Fields(value)
			headers = append(headers, w.signature(tenants.ID(f[0]), f[1], strings.TrimSpace(body))...)
		case isHeader:
			for key, v := range w.keys {
				value = strings.ReplaceAll(value, "{"+key+"}", v)
			}
			headers = append(headers, name, value)
		default:
			var ok bool
			method, target, ok = strings.Cut(line, " ")
			require.True(w.t, ok, line)
		}
	}
	for key, v := range w.keys {
		body = strings.ReplaceAll(body, `"{`+key+`}"`, `"`+v+`"`)
	}
	return written(w.t, w.do(as, method, target, strings.TrimSpace(body), headers...))
}

// written is an answer as the files have it: without the headers that every answer has (they have tests of their own),
// and with the ids of request and trace taken out.
func written(t testing.TB, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, rec.Code)
	h := rec.Result().Header
	names := make([]string, 0, len(h))
	for name := range h {
		switch name {
		case "X-Request-Id", "Traceparent", "Server-Timing", "Content-Length", "X-Content-Type-Options", "Vary":
		case "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset":
			if rec.Code == http.StatusTooManyRequests {
				names = append(names, name)
			}
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(h[name], ", "))
	}
	b.WriteByte('\n')
	body := rec.Body.Bytes()
	if id := h.Get("X-Session-Id"); uuid.Validate(id) == nil {
		head := strings.ReplaceAll(b.String(), id, "{session}")
		b.Reset()
		b.WriteString(head)
		body = bytes.ReplaceAll(body, []byte(id), []byte("{session}"))
	}
	var v map[string]any
	if json.Unmarshal(body, &v) == nil {
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, body, "", "  "))
		text := pretty.String()
		if id := h.Get("X-Request-Id"); id != "" {
			text = strings.ReplaceAll(text, id, "{request}")
		}
		if parent := h.Get("Traceparent"); parent != "" {
			text = strings.ReplaceAll(text, parent[3:35], "{trace}")
		}
		b.WriteString(text)
	} else {
		b.Write(body)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
