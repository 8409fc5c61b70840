//go:build unix

package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/mcp/mcptest"
)

const execute = "POST /tools/execute"

var adds = map[string]any{"name": "adder", "arguments": map[string]any{"a": 1}}

func TestToolsAreListed(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		c.api.on("GET /schema/tools", says(`{"tools":[
			{"name":"`+c.api.tenant+`_reader","description":"Reads.","inputSchema":{"type":"object"},"outputSchema":{"type":"object"},"effects":"reads","cost":"model"},
			{"name":"writer","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}},"outputSchema":{"type":"string"},"effects":"writes","cost":"outside"}]}`))
		for range 2 {
			listed := c.asks("tools/list", nil).Result["tools"].([]any)
			require.Len(t, listed, 2)
			reader, writer := listed[0].(map[string]any), listed[1].(map[string]any)
			assert.Equal(t, []any{c.api.tenant + "_reader", "Reads."}, []any{reader["name"], reader["description"]})
			assert.Equal(t, map[string]any{"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false}, reader["annotations"])
			assert.Equal(t, map[string]any{"readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true}, withFalse(writer["annotations"]))
			assert.Equal(t, map[string]any{"type": "object"}, reader["outputSchema"])
			assert.Nil(t, writer["outputSchema"], "older revisions know no other content than objects")
			assert.Contains(t, writer["inputSchema"], "properties")
			assert.Equal(t, []string{"GET /schema/tools"}, c.api.questions(), "a list is one question")
		}
		c.api.on("GET /schema/tools", refuses(http.StatusForbidden, "scope_denied", ""))
		assert.Equal(t, []any{}, c.asks("tools/list", nil).Result["tools"])
		c.api.on("GET /schema/tools", refuses(http.StatusTooManyRequests, "rate_limited", ""))
		code, _, _ := c.fails("tools/list", nil)
		assert.Equal(t, -32000, code)
	})
}

// withFalse has what is not said, for it is false then.
func withFalse(annotations any) map[string]any {
	all := map[string]any{"readOnlyHint": false, "idempotentHint": false}
	for name, value := range annotations.(map[string]any) {
		all[name] = value
	}
	return all
}

// What a tool answers is a result, and so is what went wrong with it. What kept it from running is an error.
func TestWhatCameOfACall(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		var asked string
		answers := func(h http.HandlerFunc) {
			c.api.on(execute, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				asked = r.Header.Get("Accept") + " " + string(b)
				h(w, r)
			})
		}
		for data, structured := range map[string]any{
			`{"sum":1,"of":"` + c.api.tenant + `"}`: map[string]any{"sum": 1.0, "of": c.api.tenant}, `"é😀"`: nil, `[1,2]`: nil, `null`: nil, `7`: nil,
		} {
			answers(says(`{"success":true,"data":` + data + `}`))
			a := c.asks("tools/call", adds)
			require.Nil(t, a.Error)
			assert.Equal(t, structured, a.Result["structuredContent"])
			text := data
			if data == `"é😀"` {
				text = "é😀"
			}
			assert.Equal(t, text, a.Result["content"].([]any)[0].(map[string]any)["text"])
			assert.Equal(t, c.revision >= mcptest.Stateless, a.Result["resultType"] == "complete")
			assert.Equal(t, `application/json {"tool_name":"adder","params":{"a":1}}`, asked)
		}
		for code, told := range map[string]bool{
			"EXECUTION_ERROR": true, "EXECUTION_TIMEOUT": true, "VALIDATION_FAILED": true, "PERMISSION_DENIED": false, "TOOL_NOT_FOUND": false, "budget_exhausted": false, "audit_unavailable": false,
		} {
			answers(refuses(http.StatusConflict, code, "do else"))
			a := c.asks("tools/call", adds)
			if !told {
				require.NotNil(t, a.Error, code)
				continue
			}
			require.Nil(t, a.Error, code)
			assert.Equal(t, true, a.Result["isError"])
			assert.Equal(t, "it says "+code+" (do else)", a.Result["content"].([]any)[0].(map[string]any)["text"])
			assert.Equal(t, map[string]any{"code": code}, a.Result["_meta"].(map[string]any)["levada.dev/error"])
			assert.Equal(t, c.revision >= mcptest.Stateless, a.Result["resultType"] == "complete")
		}
		answers(raw(http.StatusForbidden, "application/json", `{"ok":false,"error":{"code":"PERMISSION_DENIED","message":"params.a: is above","details":{"field":"params.a","auditId":"c1"}}}`))
		a := c.asks("tools/call", adds)
		assert.Equal(t, map[string]any{"code": "PERMISSION_DENIED", "field": "params.a", "auditId": "c1"}, a.Result["_meta"].(map[string]any)["levada.dev/error"])
		for field, told := range map[string]bool{"params.a": true, "params[0]": true, "params": true, "paramsx": false, "tool_name": false} {
			answers(raw(http.StatusBadRequest, "application/json", `{"ok":false,"error":{"code":"duplicate_field","message":"occurs twice","details":{"field":"`+field+`"}}}`))
			a := c.asks("tools/call", adds)
			require.Equal(t, told, a.Error == nil, field)
			if told {
				assert.Equal(t, true, a.Result["isError"])
				assert.Equal(t, map[string]any{"code": "duplicate_field", "field": field}, a.Result["_meta"].(map[string]any)["levada.dev/error"])
			}
		}
		asked = ""
		for _, arguments := range []any{[]any{}, "text", 7} {
			code, _, _ := c.fails("tools/call", map[string]any{"name": "adder", "arguments": arguments})
			assert.Equal(t, -32602, code)
		}
		assert.Empty(t, asked)
	})
}

// stream is events of a call, as the API writes them.
const stream = `id: 1
event: progress
data: {"done":1,"total":3,"message":"pages"}

: heartbeat

id: 2
event: progress
data: {"done":1}

event: later
data: {"kind":"unknown"}

event: progress
data: {"done":2.5}

event: result
data: {"success":true,"data":{"sum":1}}

`

// heard is the messages of a stream of the protocol: how far it is, and the last one.
func heard(t *testing.T, body string) (done []float64, last answer) {
	t.Helper()
	for text := range strings.Lines(body) {
		data, is := strings.CutPrefix(text, "data: ")
		if !is {
			continue
		}
		var m struct {
			Method string
			Params struct {
				Progress      float64
				ProgressToken any
			}
			answer
		}
		require.NoError(t, json.Unmarshal([]byte(data), &m), data)
		if m.Method == "notifications/progress" {
			assert.Equal(t, "t1", m.Params.ProgressToken)
			done = append(done, m.Params.Progress)
		} else {
			last = m.answer
		}
	}
	return done, last
}

func TestProgressIsTold(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		call := map[string]any{"name": "adder", "arguments": map[string]any{}, "progressToken": "t1"}
		for range 2 {
			c.api.on(execute, func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
				raw(http.StatusOK, "text/event-stream", stream)(w, r)
			})
			rec := httptest.NewRecorder()
			require.NoError(t, c.serves(t.Context(), rec, c.message("tools/call", call)))
			assert.Equal(t, "text/event-stream", rec.Header().Get("Content-Type"))
			done, last := heard(t, rec.Body.String())
			assert.Equal(t, []float64{1, 2.5}, done, "it grows")
			assert.Equal(t, map[string]any{"sum": 1.0}, last.Result["structuredContent"])
		}
		for body, code := range map[string]int{
			"event: error\ndata: {\"code\":\"EXECUTION_TIMEOUT\",\"message\":\"too long\"}\n\n": 0,
			"event: error\ndata: {\"code\":\"audit_unavailable\",\"message\":\"no\"}\n\n":       -32603,
			"event: progress\ndata: {\n\n": -32603, "event: result\ndata: 7\n\n": -32603, "": -32603,
		} {
			c.api.on(execute, raw(http.StatusOK, "text/event-stream", body))
			rec := httptest.NewRecorder()
			require.NoError(t, c.serves(t.Context(), rec, c.message("tools/call", call)))
			_, last := heard(t, rec.Body.String())
			if code == 0 {
				assert.Equal(t, true, last.Result["isError"], body)
				continue
			}
			require.NotNil(t, last.Error, body)
			assert.Equal(t, code, last.Error.Code, body)
		}
	})
}

// Wherever the stream of a call is cut, before its result has come there is none.
func TestAStreamOfACallThatIsCut(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		call := map[string]any{"name": "adder", "arguments": map[string]any{}, "progressToken": "t1"}
		for at := 0; at < len(stream); at += 7 {
			c.api.on(execute, breaks("text/event-stream", stream[:at]))
			rec := httptest.NewRecorder()
			require.NoError(t, c.serves(t.Context(), rec, c.message("tools/call", call)), at)
			_, last := heard(t, rec.Body.String())
			require.NotNil(t, last.Error, "%d: %s", at, rec.Body)
			assert.Equal(t, []any{-32603, "the platform did not answer"}, []any{last.Error.Code, last.Error.Message}, at)
		}
	})
}

// A client that leaves cancels what is asked for it, whether it waits for one answer or follows a stream.
func TestAClientThatLeavesCancels(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for _, token := range []any{nil, "t1"} {
			entered, ended := make(chan struct{}), make(chan error, 1)
			c.api.on(execute, func(w http.ResponseWriter, r *http.Request) {
				if token != nil {
					w.Header().Set("Content-Type", "text/event-stream")
					fmt.Fprint(w, "event: progress\ndata: {\"done\":1}\n\n")
				}
				close(entered)
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
			})
			ctx, leave := context.WithCancelCause(t.Context())
			go func() {
				<-entered
				leave(errors.New("the client left"))
			}()
			rec := httptest.NewRecorder()
			err := c.serves(ctx, rec, c.message("tools/call", map[string]any{"name": "adder", "arguments": map[string]any{}, "progressToken": token}))
			if err != nil { // else the Worker was the faster one, and said that it has no answer
				assert.ErrorContains(t, err, "the client left")
			}
			require.ErrorContains(t, <-ended, "the client left")
			assert.NotContains(t, rec.Body.String(), `"result"`)
		}
		c.api.on("GET /schema/tools", says(`{"tools":[]}`))
		assert.Equal(t, []any{}, c.asks("tools/list", nil).Result["tools"], "the Worker goes on")
	})
}

// What is told reaches the client as it is told, not with the answer.
func TestProgressComesWhenItIsTold(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		seen, out := make(chan struct{}), &watcher{ResponseRecorder: httptest.NewRecorder()}
		out.seen = func(b []byte) {
			if bytes.Contains(b, []byte("notifications/progress")) {
				close(seen)
			}
		}
		c.api.on(execute, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "event: progress\ndata: {\"done\":1}\n\n")
			<-seen
			fmt.Fprint(w, "event: result\ndata: {\"success\":true,\"data\":{\"sum\":2}}\n\n")
		})
		require.NoError(t, c.serves(t.Context(), out, c.message("tools/call", map[string]any{"name": "adder", "arguments": map[string]any{}, "progressToken": "t1"})))
		_, last := heard(t, out.Body.String())
		assert.Equal(t, map[string]any{"sum": 2.0}, last.Result["structuredContent"])
	})
}

// watcher shows what is written.
type watcher struct {
	*httptest.ResponseRecorder
	seen func(b []byte)
}

func (w *watcher) Write(b []byte) (int, error) {
	w.seen(b)
	return w.ResponseRecorder.Write(b)
}
