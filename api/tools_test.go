package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/tools"
)

var errFull = fault.Unavailablef(nil, "queue_unavailable", "queue audit did not take the events")

const execute = "/tools/execute"

func TestCallsAreOnRecord(t *testing.T) { synctest.Test(t, callsAreOnRecord) }

func callsAreOnRecord(t *testing.T) {
	w := newWorld(t)
	acme, globex := w.scope("acme"), w.scope("globex")
	w.do("acme-tools", "POST", execute, `{"tool_name":"echo","params":{"size":3,"text":"hello"},"user_id":"ada"}`, "X-User-Id", "grace")
	w.do("acme", "POST", execute, `{"tool_name":"echo","params":{"text":"hello","size":3.0}}`, "X-User-Id", "grace")
	w.do("acme", "POST", execute, `{"tool_name":"echo","params":{"text":""}}`)
	w.do("globex", "POST", execute, `{"tool_name":"writer","params":{"text":"hello"}}`)
	acts := w.bench.records.Acts(t, acme)
	require.Len(t, acts, 3)
	for i, want := range []events.Act{
		{Name: "echo", Actor: "acme-tools", UserID: "ada", Outcome: events.OutcomeSucceeded},
		{Name: "echo", Actor: "acme", UserID: "grace", Outcome: events.OutcomeSucceeded},
		{Name: "echo", Actor: "acme", Outcome: events.OutcomeRefused, Code: tools.CodeInvalid},
	} {
		got := acts[i]
		assert.Equal(t, []any{want.Name, want.Actor, want.UserID, want.Outcome, want.Code}, []any{got.Name, got.Actor, got.UserID, got.Outcome, got.Code})
		assert.NotEmpty(t, got.RequestID)
		assert.Len(t, got.Arguments, 64)
	}
	assert.Equal(t, acts[0].Arguments, acts[1].Arguments)
	assert.NotContains(t, w.log.String(), "hello")
	acts = w.bench.records.Acts(t, globex)
	require.Len(t, acts, 1)
	assert.Equal(t, []any{"writer", tools.CodeNotFound}, []any{acts[0].Name, acts[0].Code})
}

// What cannot be put on record is not done, and says so.
func TestACallThatCannotBeRecorded(t *testing.T) { synctest.Test(t, callThatCannotBeRecorded) }

func callThatCannotBeRecorded(t *testing.T) {
	w := newWorld(t)
	const order = `{"tool_name":"writer","params":{"text":"hello"}}`
	w.bench.records.Before = func(string) error { return errFull }
	rec := w.do("acme", "POST", execute, order, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	assert.Contains(t, rec.Body.String(), tools.CodeUnrecorded)
	assert.NotEmpty(t, rec.Header().Get("Retry-After"))
	assert.Zero(t, w.bench.Runs("writer"))

	w.bench.records.Before = func(typ string) error {
		if typ == events.TypeToolExecuted {
			return errFull
		}
		return nil
	}
	rec = w.do("acme", "POST", execute, order, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	w.bench.records.Before = nil
	rec = w.do("acme", "POST", execute, order, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusOK, rec.Code, "the result is not lost")
	assert.Equal(t, "true", rec.Header().Get("Idempotent-Replayed"))
	assert.Equal(t, 1, w.bench.Writes(w.scope("acme")))
	assert.Zero(t, w.bench.Writes(w.scope("globex")))
}

// leave begins a request and lets its client leave when a tool waits.
func (w *world) leave(body string, headers ...string) *httptest.ResponseRecorder {
	r := w.request("acme", "POST", execute, body, headers...)
	ctx, leave := context.WithCancel(r.Context())
	go func() {
		<-w.bench.Entered()
		<-time.After(2 * time.Second) // the head of a stream is out then
		leave()
	}()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r.WithContext(ctx))
	return rec
}

func TestAClientThatLeavesCancels(t *testing.T) { synctest.Test(t, clientThatLeavesCancels) }

func clientThatLeavesCancels(t *testing.T) {
	w := newWorld(t)
	for _, headers := range [][]string{nil, {"Accept", "text/event-stream"}} {
		w.leave(`{"tool_name":"patient","params":{"text":"a"}}`, headers...)
		assert.ErrorContains(t, <-w.bench.Ended(), "the caller left")
		acts := w.bench.records.Acts(t, w.scope("acme"))
		assert.Equal(t, events.OutcomeCancelled, acts[len(acts)-1].Outcome)
	}
	assert.Contains(t, w.log.String(), "client_closed_request")
}

func TestWithAKeyTheCallGoesOn(t *testing.T) { synctest.Test(t, withAKeyTheCallGoesOn) }

func withAKeyTheCallGoesOn(t *testing.T) {
	w := newWorld(t)
	for i, headers := range [][]string{nil, {"Accept", "text/event-stream"}} {
		headers = append(headers, "Idempotency-Key", "k"+string(rune('0'+i)))
		const body = `{"tool_name":"held","params":{"text":"a"}}`
		w.leave(body, headers...)
		rec := w.do("acme", "POST", execute, body, headers...)
		assert.Equal(t, http.StatusConflict, rec.Code, rec.Body.String())
		assert.Contains(t, rec.Body.String(), tools.CodeRunning)
		w.bench.Let()
		synctest.Wait()
		rec = w.do("acme", "POST", execute, body, headers...)
		assert.Equal(t, http.StatusOK, rec.Code)
		assert.Equal(t, "true", rec.Header().Get("Idempotent-Replayed"))
		assert.Contains(t, rec.Body.String(), `"tenant":"acme"`)
	}
	assert.Equal(t, 2, w.bench.Runs("held"))
}

// A stream in which nothing happens has heartbeats, and then one end.
func TestASilentToolBeats(t *testing.T) { synctest.Test(t, silentToolBeats) }

func silentToolBeats(t *testing.T) {
	w := newWorld(t)
	go func() {
		<-w.bench.Entered()
		<-time.After(25 * time.Second)
		w.bench.Let()
	}()
	rec := w.do("acme", "POST", execute, `{"tool_name":"held","params":{"text":"a"}}`, "Accept", "application/json, text/event-stream;q=0.5")
	body := rec.Body.String()
	assert.Equal(t, 1, strings.Count(body, "event: "), body)
	assert.Equal(t, 1, strings.Count(body, ":\n\n"), body)
	assert.True(t, strings.HasSuffix(body, "\n\n") && strings.Contains(body, "event: result"))
}

// A request for a tool is one of its user's, as any other.
func TestToolsTakeAPermit(t *testing.T) { synctest.Test(t, toolsTakeAPermit) }

func toolsTakeAPermit(t *testing.T) {
	w := newWorld(t)
	var asked []quota.Ask
	refuse := false
	w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
		if asked = append(asked, a); refuse && s.Tenant() == "acme" {
			return fault.New(fault.Limited, "rate_limited", "too many requests", nil)
		}
		return nil
	}
	w.do("acme", "POST", execute, `{"tool_name":"echo","params":{"text":"a"},"user_id":"ada"}`)
	w.do("acme", "GET", "/schema/tools", "")
	require.Len(t, asked, 2)
	assert.Equal(t, []any{true, 1, false}, []any{asked[0].Writes, asked[0].Requests, asked[1].Writes})
	assert.Contains(t, asked[0].User, "ada")
	refuse = true
	rec := w.do("acme", "POST", execute, `{"tool_name":"echo","params":{"text":"a"}}`)
	assert.Equal(t, http.StatusTooManyRequests, rec.Code)
	assert.Equal(t, 1, w.bench.Runs("echo"))
	rec = w.do("globex", "POST", execute, `{"tool_name":"echo","params":{"text":"a"}}`)
	assert.Equal(t, http.StatusOK, rec.Code)
}
