package client_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
)

const (
	heard = "retry: 1000\n\nid: 1\nevent: sources\ndata: {\"sources\":[{\"docId\":\"go.context\",\"title\":\"package context\"}]}\n\n:\n\n" +
		"id: 2\nevent: token\ndata: {\"token\":\"Use \"}\n\nid: 3\nevent: token\ndata: {\"token\":\"água.\\n\"}\n\nid: 8\nevent: citations\ndata: {\"citations\":[{\"marker\":1,\"docId\":\"go.context\",\"quote\":\"água\",\"start\":3,\"end\":8,\"supported\":true,\"sentence\":\"Use água.\"}]}\n\n" +
		"id: 9\nevent: usage\ndata: {\"promptTokens\":5}\n\n"
	ended = "id: 10\nevent: done\ndata: {\"sessionId\":\"s1\",\"model\":\"m\",\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":5,\"completionTokens\":2}}\n\n"
)

// talk has a client hear what a server says.
func talk(t *testing.T, status int, contentType, body string, more ...func(*client.Listener)) (sources []client.Source, said string, r client.Reply, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"message":"How?","rag":{"topK":3}}`, string(asked))
		assert.Equal(t, []string{"POST", "/chat", "demo", "Bearer key"},
			[]string{r.Method, r.URL.Path, r.Header.Get("x-tenant-id"), r.Header.Get("authorization")})
		w.Header().Set("content-type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	listener := client.Listener{
		Sources: func(s []client.Source) { sources = s },
		Token:   func(token string) { said += token },
	}
	for _, f := range more {
		f(&listener)
	}
	r, err = client.New(server.URL, "key", &client.Options{Tenant: "demo", Patience: 1}).Talk(t.Context(), client.Turn{Message: "How?", RAG: &client.Grounding{TopK: 3}}, listener)
	return sources, said, r, err
}

func TestATurnIsHeardAsItComes(t *testing.T) {
	var cited []client.Citation
	sources, said, r, err := talk(t, 200, "text/event-stream; charset=utf-8", heard+ended, func(l *client.Listener) {
		l.Citations = func(c []client.Citation) { cited = append(cited, c...) }
	})
	require.NoError(t, err)
	require.Len(t, sources, 1)
	assert.Equal(t, "package context", sources[0].Title)
	assert.Equal(t, "Use água.\n", said)
	assert.Equal(t, []client.Citation{{Marker: 1, DocID: "go.context", Quote: "água", Start: 3, End: 8, Supported: true, Sentence: "Use água."}}, cited)
	assert.Equal(t, []any{"s1", "m", "stop", 5, 2}, []any{r.SessionID, r.Model, r.FinishReason, r.Usage.Prompt, r.Usage.Completion})
}

func TestATurnThatDoesNotEndWell(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"an error event":   {heard + "id: 4\nevent: error\ndata: {\"code\":\"model_broke_off\",\"message\":\"gone\"}\n\n", "model_broke_off"},
		"no last event":    {heard, "internal"},
		"not even a first": {"", "internal"},
		"no JSON":          {"event: token\ndata: {\n\n", "internal"},
	} {
		_, _, _, err := talk(t, 200, "text/event-stream", c.body)
		assert.Error(t, err, name)
		assert.Equal(t, c.code, fault.As(err).Code, name)
	}
	_, _, _, err := talk(t, 429, "application/json", `{"ok":false,"error":{"code":"budget_exhausted","message":"no"}}`)
	assert.Equal(t, "budget_exhausted", fault.As(err).Code)
	assert.True(t, fault.Is(err, fault.Limited))
	_, _, _, err = talk(t, 200, "text/html", "<html>")
	assert.ErrorContains(t, err, "no answer of Levada's")
}
