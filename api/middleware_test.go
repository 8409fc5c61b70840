package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
)

func TestEveryAnswerHasItsIds(t *testing.T) {
	const id, parent = "0f8fad5b-d9cb-469f-a165-70867728950e", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	w := newWorld(t)
	for _, target := range []string{"/health", "/jobs/x", "/nothing", "/search"} {
		rec := w.do("acme", "GET", target, "", "x-request-id", strings.ToUpper(id), "traceparent", parent)
		h := rec.Header()
		assert.Equal(t, id, h.Get("X-Request-Id"), target)
		assert.Regexp(t, `^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$`, h.Get("Traceparent"), target)
		assert.NotEqual(t, parent, h.Get("Traceparent"), "a span of our own")
		assert.Contains(t, h.Get("Server-Timing"), "total;dur=", target)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), target)
		assert.Contains(t, rec.Body.String(), id)
	}
	first := w.do("", "GET", "/health", "", "x-request-id", "mine", "traceparent", "00-0-0-0").Header()
	second := w.do("", "GET", "/health", "").Header()
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, first.Get("X-Request-Id"))
	assert.NotEqual(t, first.Get("X-Request-Id"), second.Get("X-Request-Id"))
	assert.NotEqual(t, first.Get("Traceparent"), second.Get("Traceparent"))
}

func TestTheTraceReachesTheIntake(t *testing.T) {
	w := newWorld(t)
	rec := w.do("acme", "POST", "/ingest", `{"text":"a"}`, "idempotency-key", "k")
	require.Len(t, w.store.drafts, 1)
	cause := w.store.drafts[0].Cause
	assert.Equal(t, rec.Header().Get("X-Request-Id"), cause.ID)
	assert.Equal(t, rec.Header().Get("Traceparent"), cause.TraceParent)
	assert.Equal(t, "k", cause.IdempotencyKey)
}

func TestProblemsAreRFC9457(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/problem.schema.json")
	require.NoError(t, err)
	w := newWorld(t)
	for _, tc := range []struct{ as, method, target, body, code string }{
		{"acme", "GET", "/nothing", "", "route_not_found"},
		{"acme", "DELETE", "/health", "", "method_not_allowed"},
		{"", "GET", "/jobs/x", "", "tenant_required"},
		{"acme", "GET", "/jobs/x", "", "job_not_found"},
		{"acme", "POST", "/search", `{"query":5}`, "invalid_type"},
		{"acme", "POST", "/search", `{"query":"panic"}`, "internal"},
	} {
		for _, accept := range []string{"application/problem+json", "text/html, application/json;q=0.9, application/problem+json;q=0.5"} {
			rec := w.do(tc.as, tc.method, tc.target, tc.body, "accept", accept)
			require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"))
			doc, err := jsonschema.UnmarshalJSON(rec.Body)
			require.NoError(t, err)
			require.NoError(t, schema.Validate(doc))
			p := doc.(map[string]any)
			assert.Equal(t, tc.code, p["code"])
			assert.Equal(t, "tag:levada.dev,2026:error/"+tc.code, p["type"])
			assert.Equal(t, json.Number(strconv.Itoa(rec.Code)), p["status"])
		}
	}
	for _, accept := range []string{"", "*/*", "application/json", "application/problem+json;q=0", "application/problem+jsonp"} {
		rec := w.do("acme", "GET", "/nothing", "", "accept", accept)
		assert.Equal(t, "application/json", rec.Header().Get("Content-Type"), accept)
	}
	ok := w.do("acme", "GET", "/health", "", "accept", "application/problem+json")
	assert.Equal(t, "application/json", ok.Header().Get("Content-Type"), "success is no problem")
}

func TestAPanicIsAnAnswerAndSaysNothing(t *testing.T) {
	w := newWorld(t)
	rec := w.do("acme", "POST", "/search", `{"query":"panic"}`)
	assert.Equal(t, 500, rec.Code)
	f := failed(t, rec)
	assert.Equal(t, "internal", f.Code)
	assert.Len(t, f.TraceID, 32)
	assert.NotContains(t, rec.Body.String(), "secret")
	assert.Contains(t, w.log.String(), "a secret of the embedder", "operators see it")
	assert.Equal(t, 200, w.do("acme", "GET", "/health", "").Code)
}

func TestCausesStayInside(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.1: secret")
	for _, tc := range []struct {
		err        error
		status     int
		code       string
		retryAfter string
	}{
		{cause, 500, "internal", ""},
		{fault.New(fault.Internal, "row_missing", "row 5 of table secret", cause), 500, "internal", ""},
		{fault.Unavailablef(cause, "ledger_unavailable", "the ledger does not answer"), 503, "ledger_unavailable", "1"},
		{fault.New(fault.Limited, "backlog_full", "too much work", cause).WithRetryAfter(2500e6), 429, "backlog_full", "3"},
		{fault.New(fault.Denied, "something_denied", "no", cause), 403, "something_denied", ""},
	} {
		w := newWorld(t)
		w.store.failing(func(string) error { return tc.err })
		rec := w.do("acme", "POST", "/ingest", `{"text":"a"}`)
		assert.Equal(t, tc.status, rec.Code)
		assert.Equal(t, tc.code, failed(t, rec).Code)
		assert.Equal(t, tc.retryAfter, rec.Header().Get("Retry-After"))
		assert.NotContains(t, rec.Body.String(), "secret")
	}
}

func TestOneLineForEachRequest(t *testing.T) {
	w := newWorld(t)
	w.do("acme", "POST", "/search", `{"query":"whisper","filter":{"nope":1}}`)
	w.do("", "GET", "/nothing?q=whisper", "")
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	require.Len(t, lines, 2)
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
	assert.Equal(t, "acme", line["tenantId"])
	assert.Equal(t, "/search", line["route"])
	assert.Equal(t, "POST", line["method"])
	assert.Equal(t, 400.0, line["status"])
	assert.Equal(t, "filter_unknown_field", line["code"])
	assert.Contains(t, line, "latencyMs")
	assert.Len(t, line["requestId"], 36)
	assert.Len(t, line["traceId"], 32)
	assert.NotContains(t, w.log.String(), "whisper", "never a query")
	assert.NotContains(t, w.log.String(), w.keys["acme"], "never a key")
}

func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	big := `{"text":"` + strings.Repeat("a", 3000) + `"}`
	rec := w.do("acme", "POST", "/ingest", big)
	assert.Equal(t, 413, rec.Code)
	assert.Equal(t, "body_too_large", failed(t, rec).Code)
	assert.Equal(t, int64(2000), failed(t, rec).Details.Limit)

	r := w.request("acme", "POST", "/ingest", big)
	r.ContentLength = -1 // chunked: nobody announces anything
	rec = w.send(r)
	assert.Equal(t, 413, rec.Code)

	rec = w.do("acme", "POST", "/ingest", `{"text":"`+strings.Repeat("a", 501)+`"}`)
	assert.Equal(t, 413, rec.Code)
	assert.Equal(t, "document_too_large", failed(t, rec).Code)
	assert.Contains(t, failed(t, rec).Message, "500")

	assert.Equal(t, 202, w.do("globex", "POST", "/ingest", big).Code, "the limit is the tenant's")

	r = w.request("acme", "POST", "/ingest", "")
	r.Header.Set("Content-Type", "application/json")
	r.Body, r.ContentLength = io.NopCloser(&broken{}), 10
	rec = w.send(r)
	assert.Equal(t, "body_incomplete", failed(t, rec).Code)
	assert.Zero(t, w.store.texts.Len(w.scope("acme")), "nothing half-done stays behind")
}

// A body that does not say how long it is arrives as one that does, whatever pieces it comes in.
func TestABodyOfUnknownLengthIsTheSame(t *testing.T) {
	w := newWorld(t)
	var text strings.Builder
	for i := range 300_000 {
		fmt.Fprint(&text, i, " ")
	}
	body := `{"docId":"a","text":"` + text.String() + `"}`
	for i, reader := range []io.Reader{strings.NewReader(body), strings.NewReader(body), iotest.HalfReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
		r := w.request("globex", "POST", "/ingest", body)
		r.Header.Set("Idempotency-Key", "once")
		if i > 0 {
			r.Body, r.ContentLength = io.NopCloser(reader), -1
		}
		rec := w.send(r)
		assert.Equal(t, 202, rec.Code, "%s", rec.Body)
		assert.Equal(t, i > 0, rec.Header().Get("Idempotent-Replayed") == "true", "another text would be a conflict")
	}

	r := w.request("globex", "POST", "/ingest", "")
	r.Header.Set("Content-Type", "application/json")
	r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(body), broken{})), -1
	assert.Equal(t, "body_incomplete", failed(t, w.send(r)).Code)
}

// Bodies have to share a room: one that never fits is refused, one that does not fit now waits, but not for ever.
func TestBodiesShareARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 100_000
		w := newWorld(t, func(w *world) {
			w.opts.MaxBodyBytes = room
			w.opts.Random = nil // requests at the same time
		})
		send := func(r *http.Request) <-chan *httptest.ResponseRecorder {
			answer := make(chan *httptest.ResponseRecorder, 1)
			go func() {
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, r)
				answer <- rec
			}()
			synctest.Wait()
			return answer
		}
		body := func(n int) string { return `{"text":"` + strings.Repeat("a", n) + `"}` }
		rec := w.do("globex", "POST", "/ingest", body(room))
		assert.Equal(t, 413, rec.Code)
		assert.Equal(t, int64(room), failed(t, rec).Details.Limit)

		slow := w.request("globex", "POST", "/ingest", "")
		slow.Header.Set("Content-Type", "application/json")
		reader, writer := io.Pipe() // its length is unknown, so it takes the whole room once it is not small any more
		slow.Body, slow.ContentLength = reader, -1
		first := send(slow)
		assert.Equal(t, 202, (<-send(w.request("globex", "POST", "/ingest", body(room-100)))).Code, "so far it has taken none")
		long := body(70_000)
		_, err := writer.Write([]byte(long[:68_000]))
		require.NoError(t, err)
		synctest.Wait()
		large := func() *http.Request { return w.request("globex", "POST", "/ingest", body(room-100)) }

		assert.Equal(t, 202, w.do("globex", "POST", "/ingest", body(10)).Code, "a small body needs no room")
		busy := <-send(large())
		assert.Equal(t, 503, busy.Code)
		assert.Equal(t, "bodies_busy", failed(t, busy).Code)
		assert.Equal(t, "10", busy.Header().Get("Retry-After"))

		second := send(large())
		_, err = writer.Write([]byte(long[68_000:]))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		assert.Equal(t, 202, (<-first).Code)
		assert.Equal(t, 202, (<-second).Code, "it waited")
		assert.Equal(t, 202, (<-send(large())).Code, "the room is free again")
	})
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodiesAreJSON(t *testing.T) {
	w := newWorld(t)
	for contentType, status := range map[string]int{
		"application/json":                  202,
		"application/json; charset=utf-8":   202,
		"Application/JSON;charset=UTF-8":    202,
		"application/json; charset=latin1":  415,
		"application/x-www-form-urlencoded": 415,
		"text/plain":                        415,
		"application/jsonl":                 415,
		"json":                              415,
		"":                                  415,
	} {
		r := w.request("globex", "POST", "/ingest", `{"text":"a"}`)
		r.Header.Set("Content-Type", contentType)
		rec := w.send(r)
		assert.Equal(t, status, rec.Code, contentType)
	}
	rec := w.do("acme", "POST", "/ingest", `{"text":"a"}`, "content-encoding", "gzip")
	assert.Equal(t, "unsupported_encoding", failed(t, rec).Code)
}

func TestNoTenantIsOpenInProduction(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opts.Environment = api.Production })
	assert.Equal(t, 401, w.do("", "GET", "/jobs/x", "", "x-tenant-id", "demo").Code)
	assert.Equal(t, 404, w.do("demo", "GET", "/jobs/x", "").Code)
}

func TestCrossOrigin(t *testing.T) {
	const ours, theirs = "https://app.acme.example", "https://evil.example"
	w := newWorld(t)
	preflight := func(host, origin string) http.Header {
		rec := w.do("", "OPTIONS", "/ingest", "", "host", host, "origin", origin, "access-control-request-method", "POST")
		assert.Equal(t, 204, rec.Code)
		return rec.Header()
	}
	h := preflight("acme.localhost", ours)
	assert.Equal(t, ours, h.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, h.Get("Access-Control-Allow-Methods"), "POST")
	assert.Contains(t, h.Get("Access-Control-Allow-Headers"), "idempotency-key")
	assert.Contains(t, h.Get("Access-Control-Allow-Headers"), "last-event-id")
	assert.Contains(t, h.Get("Vary"), "Origin")
	assert.Empty(t, preflight("acme.localhost", theirs).Get("Access-Control-Allow-Origin"))
	assert.Empty(t, preflight("globex.localhost", ours).Get("Access-Control-Allow-Origin"), "origins are the tenant's")
	assert.Equal(t, theirs, preflight("levada.test", theirs).Get("Access-Control-Allow-Origin"), "no tenant yet: the request decides")

	for _, tc := range []struct{ as, origin, allowed string }{
		{"acme", ours, ours}, {"acme", theirs, ""}, {"globex", ours, ""}, {"acme-search", ours, ours},
	} {
		rec := w.do(tc.as, "GET", "/jobs/x", "", "origin", tc.origin)
		if tc.allowed != "" {
			assert.Contains(t, rec.Header().Get("Access-Control-Expose-Headers"), "x-stream-id")
			assert.Contains(t, rec.Header().Get("Access-Control-Expose-Headers"), "x-ratelimit-reset")
		}
		assert.Equal(t, tc.allowed, rec.Header().Get("Access-Control-Allow-Origin"), "%+v", tc)
		assert.Contains(t, rec.Header().Get("Vary"), "Origin")
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	w := newWorld(t)
	w.do("acme", "POST", "/ingest", `{"docId":"a","text":"hello"}`)
	w.do("acme", "POST", "/chat", `{"sessionId":"s1","message":"Hello","stream":false}`)
	for _, target := range []string{"/health", "/documents/a", "/documents/a/content", "/jobs/id-1", "/jobs/none", "/openapi.json",
		"/sessions", "/sessions/s1", "/sessions/s1/history", "/chat/s1/history", "/usage", "/sessions/none/export"} {
		get, head := w.do("acme", "GET", target, ""), w.do("acme", "HEAD", target, "")
		assert.Equal(t, get.Code, head.Code, target)
		assert.Empty(t, head.Body.String(), target)
		assert.Equal(t, get.Header().Get("Content-Length"), head.Header().Get("Content-Length"), target)
		assert.Equal(t, get.Header().Get("Content-Type"), head.Header().Get("Content-Type"), target)
	}
}

// A key that also opens another tenant acts for the one that the request names, and for its own where it names none.
func TestAnOperatorsKeyActsForWhomTheRequestNames(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "globex"} {
		require.Equal(t, 202, w.do(tenant, "POST", "/ingest", `{"docId":"of-`+tenant+`","text":"hello"}`).Code)
	}
	list := func(headers ...string) string {
		return w.do("operator", "GET", "/documents", "", headers...).Body.String()
	}
	for _, own := range []string{list(), list("x-tenant-id", "acme")} {
		assert.Contains(t, own, "of-acme")
		assert.NotContains(t, own, "of-globex")
	}
	other := list("x-tenant-id", "globex")
	assert.Contains(t, other, "of-globex")
	assert.NotContains(t, other, "of-acme")
	assert.Equal(t, "tenant_mismatch", failed(t, w.do("operator", "GET", "/documents", "", "x-tenant-id", "demo")).Code)
	assert.Equal(t, "scope_denied", failed(t, w.do("operator", "POST", "/search", `{"query":"hello"}`, "x-tenant-id", "globex")).Code, "it has its own rights there, no more")
	assert.Equal(t, "tenant_mismatch", failed(t, w.do("acme", "GET", "/documents", "", "x-tenant-id", "globex")).Code, "acme's own key opens acme")
}

// TestWhatIsAnothersIsNotThere asks for acme's things as globex and for things that do not exist: same bytes.
func TestWhatIsAnothersIsNotThere(t *testing.T) {
	w := newWorld(t)
	w.do("acme", "POST", "/ingest", `{"docId":"secret","text":"hello"}`)
	w.finish("acme", "id-1", "succeeded")
	require.Equal(t, 200, w.do("acme", "POST", "/chat", `{"sessionId":"secret","message":"Hello","stream":false}`).Code)
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for real, none := range map[string]string{
		"/documents/secret": "/documents/nosuch", "/documents/secret/content": "/documents/nosuch/content", "/jobs/id-1": "/jobs/id-9",
		"/sessions/secret": "/sessions/nosuch", "/sessions/secret/history": "/sessions/nosuch/history", "/sessions/secret/export": "/sessions/nosuch/export",
		"/chat/secret/history": "/chat/nosuch/history", "/chat/streams/secret.1": "/chat/streams/nosuch.1",
	} {
		require.Equal(t, 200, w.do("acme", "GET", real, "").Code, real)
		theirs := w.do("globex", "GET", real, "", "x-request-id", id, "traceparent", parent)
		nothing := w.do("globex", "GET", none, "", "x-request-id", id, "traceparent", parent)
		assert.Equal(t, 404, theirs.Code, real)
		assert.Equal(t, strings.ReplaceAll(nothing.Body.String(), "id-9", "id-1"), theirs.Body.String(), real)
	}
	theirs := w.do("globex", "POST", "/search", `{"query":"hello"}`)
	assert.Contains(t, theirs.Body.String(), `"sources":[]`)
}
