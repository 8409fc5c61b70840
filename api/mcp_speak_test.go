package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/mcp/mcptest"
)

// speaker is a client that speaks one revision.
type speaker struct {
	*world
	as, revision, session string
}

func (w *world) speaks(as, revision string) speaker {
	s := speaker{world: w, as: as, revision: revision}
	if revision < mcptest.Stateless {
		s.session = w.session(as)
	}
	return s
}

// message is a request for a method.
func (s speaker) message(method string, params map[string]any) *http.Request {
	s.t.Helper()
	body, header := mcptest.Message(s.revision, method, params)
	r := s.request(s.as, "POST", "/mcp", string(body))
	for name, values := range header {
		r.Header[name] = values
	}
	if s.session != "" {
		r.Header.Set("Mcp-Session-Id", s.session)
	}
	return r
}

func (s speaker) asks(method string, params map[string]any) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.send(s.message(method, params))
}

// calls has a tool called.
func (s speaker) calls(tool, arguments string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.asks("tools/call", map[string]any{"name": tool, "arguments": json.RawMessage(arguments)})
}

// spoken is what a call said: its structured content, or the text of its failure and what is told of it.
type spoken struct {
	Result struct {
		ResultType        string
		IsError           bool
		Content           []struct{ Type, Text string }
		StructuredContent map[string]any
		Meta              map[string]json.RawMessage `json:"_meta"`
	}
	Error *struct {
		Code    int
		Message string
		Data    struct{ Code, Field, RequestID string }
	}
}

func spokenBy(t *testing.T, rec *httptest.ResponseRecorder) (o spoken) {
	t.Helper()
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &o), "%s", rec.Body)
	return o
}

// told is the code and the place of a failure that a model is shown.
func (o spoken) told(t *testing.T) (told struct{ Code, Field, ToolCode, AuditID string }) {
	t.Helper()
	require.True(t, o.Result.IsError)
	require.NoError(t, json.Unmarshal(o.Result.Meta["levada.dev/error"], &told))
	return told
}

func (s speaker) listed() (names []string) {
	s.t.Helper()
	var list struct {
		Result struct{ Tools []struct{ Name string } }
	}
	rec := s.asks("tools/list", nil)
	require.NoError(s.t, json.Unmarshal(rec.Body.Bytes(), &list), "%s", rec.Body)
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// eachRevision runs a test in either revision.
func eachRevision(t *testing.T, test func(t *testing.T, revision string)) {
	for _, revision := range mcptest.Revisions {
		t.Run(revision, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, revision) }) })
	}
}
