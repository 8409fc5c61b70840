package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/mcp/mcptest"
	"levada.dev/workflows/tools"
)

// What a tool says is a result, and so is what went wrong with it; what kept it from running is an error. Each is so for the same message again.
func TestToolsAreCalledByTheProtocol(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		complete := map[bool]string{true: "complete"}[revision >= mcptest.Stateless]
		for _, as := range []string{"acme", "globex"} {
			s := w.speaks(as, revision)
			for range 2 {
				o := spokenBy(t, s.calls("echo", `{"text":"é😀","size":3}`))
				assert.Equal(t, map[string]any{"text": "é😀", "tenant": as, "size": 3.0}, o.Result.StructuredContent)
				assert.Equal(t, complete, o.Result.ResultType)
				assert.False(t, o.Result.IsError)
				assert.Contains(t, o.Result.Content[0].Text, `"é😀"`)

				o = spokenBy(t, s.calls("echo", `{"text":"a","size":"3"}`))
				assert.Equal(t, []any{"VALIDATION_FAILED", "params.size"}, []any{o.told(t).Code, o.told(t).Field})
				assert.Contains(t, o.Result.Content[0].Text, "params.size")
				assert.Equal(t, complete, o.Result.ResultType)
				assert.Nil(t, o.Result.StructuredContent)
				o = spokenBy(t, s.calls("echo", `null`))
				assert.Equal(t, "params.text", o.told(t).Field)
			}
		}
		acme, globex := w.speaks("acme", revision), w.speaks("globex", revision)
		o := spokenBy(t, acme.calls("echo", `{"text":"a","size":61}`))
		assert.Equal(t, []any{"PERMISSION_DENIED", "params.size"}, []any{o.told(t).Code, o.told(t).Field}, "its policy")
		o = spokenBy(t, globex.calls("echo", `{"text":"a","size":61}`))
		assert.False(t, o.Result.IsError, "which has none")
		o = spokenBy(t, acme.calls("failing", `{"text":"a"}`))
		assert.Equal(t, []any{"EXECUTION_ERROR", "shelf_not_found"}, []any{o.told(t).Code, o.told(t).ToolCode})
		assert.Contains(t, o.Result.Content[0].Text, "there is no such shelf (make one)")
		assert.NotEmpty(t, o.told(t).AuditID)
		for _, name := range []string{"strange", "panicking"} {
			rec := acme.calls(name, `{"text":"a"}`)
			assert.Equal(t, "EXECUTION_ERROR", spokenBy(t, rec).told(t).Code)
			assert.NotContains(t, rec.Body.String(), "secret of")
		}
		o = spokenBy(t, acme.calls("slow", `{"text":"a"}`))
		assert.Equal(t, "EXECUTION_TIMEOUT", o.told(t).Code)
		for range 2 {
			assert.False(t, spokenBy(t, acme.calls("writer", `{"text":"a"}`)).Result.IsError)
		}
		assert.Equal(t, 2, w.bench.Writes(w.scope("acme")), "a message is a call, the same message again another")

		for _, name := range []string{"writer", "no_such_tool"} {
			o := spokenBy(t, globex.calls(name, `{"text":"a"}`))
			require.NotNil(t, o.Error)
			assert.Equal(t, []any{-32602, "Unknown tool: " + name}, []any{o.Error.Code, o.Error.Message})
		}
		assert.Zero(t, w.bench.Writes(w.scope("globex")))
		assert.Equal(t, []string{"echo", "finder"}, globex.listed())
		assert.Contains(t, acme.listed(), "writer")
		o = spokenBy(t, acme.calls("limited", `{"text":"a"}`))
		require.NotNil(t, o.Error)
		assert.Equal(t, []any{-32000, "budget_exhausted"}, []any{o.Error.Code, o.Error.Data.Code})
		assert.NotEmpty(t, o.Error.Data.RequestID)
		for _, params := range []map[string]any{{"arguments": map[string]any{}}, {"name": "echo", "arguments": []any{}}, {"name": "echo", "arguments": "text"}, {"name": 7}} {
			o := spokenBy(t, acme.asks("tools/call", params))
			require.NotNil(t, o.Error, "%v", params)
			assert.Contains(t, []int{-32602, -32020}, o.Error.Code, "%v", params)
		}
	})
}

// Arguments that have no one meaning are a result with the place, as those that do not fit, for the model to do better.
func TestArgumentsWithoutMeaningAreForTheModel(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		for _, tenant := range []string{"acme", "globex"} {
			s := w.speaks(tenant, revision)
			for arguments, field := range map[string]string{
				`{"text":"a","text":"b"}`: "params.text", `{"text":"a","size":1e400}`: "params.size", `{"text":"a","size":9007199254740993}`: "params.size", `{"text":7}`: "params.text",
			} {
				o := spokenBy(t, s.calls("echo", arguments))
				if strings.Contains(arguments, "1e400") && revision >= "2026-07-28" { // which the protocol's library does not read
					require.NotNil(t, o.Error)
					assert.Equal(t, -32020, o.Error.Code)
					continue
				}
				require.Nil(t, o.Error, arguments)
				assert.True(t, o.Result.IsError, arguments)
				assert.Contains(t, fmt.Sprint(o.Result), field, arguments)
			}
		}
		assert.Zero(t, w.bench.Runs("echo"))
	})
}

// A key sees what it may call, and is refused the rest by what it does not hold.
func TestAKeySeesTheToolsThatItMayCall(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		for _, tenant := range []string{"acme", "globex"} {
			all, tool, none := w.speaks(tenant, revision), w.speaks(tenant+"-tools", revision), w.speaks(tenant+"-search", revision)
			assert.Contains(t, all.listed(), "finder")
			assert.NotContains(t, tool.listed(), "finder", "it needs the scope search")
			assert.Contains(t, tool.listed(), "echo")
			assert.Empty(t, none.listed())
			runs := w.bench.Runs("finder")
			for _, c := range []struct {
				s    speaker
				name string
			}{{tool, "finder"}, {none, "finder"}, {none, "echo"}, {none, "no_such_tool"}} {
				o := spokenBy(t, c.s.calls(c.name, `{"text":"a"}`))
				require.NotNil(t, o.Error, "%s %s", c.s.as, c.name)
				assert.Equal(t, -32000, o.Error.Code, "%s %s", c.s.as, c.name)
				assert.Contains(t, []string{"PERMISSION_DENIED", "scope_denied"}, o.Error.Data.Code)
			}
			assert.Equal(t, runs, w.bench.Runs("finder"))
			assert.False(t, spokenBy(t, all.calls("finder", `{"text":"a"}`)).Result.IsError)
		}
	})
}

// A call that wants to be told how far it is, is: by a stream of events that ends with the answer.
func TestProgressIsNotified(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		s := w.speaks("acme", revision)
		params := map[string]any{
			"name": "counting", "arguments": map[string]any{"text": "pages", "size": 3}, "_meta": map[string]any{"progressToken": "p1"},
		}
		for range 2 {
			rec := httptest.NewRecorder() // of the protocol's own stream the contract says no more than that it is one
			w.ServeHTTP(rec, s.message("tools/call", params))
			require.True(t, strings.HasPrefix(rec.Header().Get("Content-Type"), "text/event-stream"), "%s", rec.Body)
			var done []float64
			var last string
			for line := range strings.Lines(rec.Body.String()) {
				message, is := strings.CutPrefix(line, "data: ")
				if !is {
					continue
				}
				var m struct {
					Method string
					Params struct {
						ProgressToken, Message string
						Progress, Total        float64
					}
				}
				require.NoError(t, json.Unmarshal([]byte(message), &m))
				if m.Method == "notifications/progress" {
					assert.Equal(t, []any{"p1", "pages", 3.0}, []any{m.Params.ProgressToken, m.Params.Message, m.Params.Total})
					done = append(done, m.Params.Progress)
				}
				last = message
			}
			assert.Equal(t, []float64{1, 2, 3}, done)
			assert.Contains(t, last, `"structuredContent":{"text":"pages","tenant":"acme"}`)
		}
	})
}

// A client that leaves cancels its call, and that is on record.
func TestAClientOfTheProtocolThatLeavesCancels(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		s := w.speaks("acme", revision)
		for i, meta := range []map[string]any{{}, {"progressToken": 1}} {
			r := s.message("tools/call", map[string]any{"name": "patient", "arguments": map[string]any{"text": "a"}, "_meta": meta})
			ctx, leave := context.WithCancel(r.Context())
			go func() {
				<-w.bench.Entered()
				<-time.After(2 * time.Second) // the head of a stream is out then
				leave()
			}()
			w.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
			assert.ErrorContains(t, <-w.bench.Ended(), "the caller left")
			acts := w.bench.records.Acts(t, w.scope("acme"))
			require.Len(t, acts, i+1)
			assert.Equal(t, []any{events.ActTool, "patient", events.OutcomeCancelled}, []any{acts[i].Kind, acts[i].Name, acts[i].Outcome})
			assert.Empty(t, w.bench.records.Acts(t, w.scope("globex")))
		}
	})
}

// What cannot be put on record is no result.
func TestACallOfTheProtocolThatCannotBeRecorded(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		s := w.speaks("acme", revision)
		down := func(typ string) func(string) error {
			return func(t string) error {
				if t == typ {
					return errFull
				}
				return nil
			}
		}
		for i, c := range []struct {
			before, after func(string) error
			writes        int
		}{
			{down(events.TypeToolStarted), nil, 0}, {nil, down(events.TypeToolStarted), 0}, {down(events.TypeToolExecuted), nil, 1}, {nil, down(events.TypeToolExecuted), 2},
		} {
			w.bench.records.Before, w.bench.records.After = c.before, c.after
			o := spokenBy(t, s.calls("writer", `{"text":"a"}`))
			require.NotNil(t, o.Error, "%d", i)
			assert.Equal(t, []any{-32603, tools.CodeUnrecorded}, []any{o.Error.Code, o.Error.Data.Code}, "%d", i)
			assert.Equal(t, c.writes, w.bench.Writes(w.scope("acme")), "%d", i)
		}
		w.bench.records.Before, w.bench.records.After = nil, nil
		assert.False(t, spokenBy(t, s.calls("writer", `{"text":"a"}`)).Result.IsError)
	})
}

// A list that a key may not see is empty, and no refusal on record: clients ask for all of them.
func TestAListThatAKeyMayNotSeeIsNoRefusal(t *testing.T) {
	eachRevision(t, func(t *testing.T, revision string) {
		w := newWorld(t)
		for _, tenant := range []string{"acme", "globex"} {
			s := w.speaks(tenant+"-chat", revision)
			require.Empty(t, s.listed())
			time.Sleep(time.Minute) // of the bubble: they are gathered
			synctest.Wait()
			assert.Empty(t, w.acts(tenant))
		}
	})
}
