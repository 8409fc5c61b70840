package demo

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

const (
	heard = "retry: 1000\n\nid: 1\nevent: sources\ndata: {\"sources\":[{\"docId\":\"go.context\",\"title\":\"package context\"}]}\n\n:\n\n" +
		"id: 2\nevent: token\ndata: {\"token\":\"Use \"}\n\nid: 3\nevent: token\ndata: {\"token\":\"água.\\n\"}\n\nid: 9\nevent: usage\ndata: {\"promptTokens\":5}\n\n"
	ended = "id: 10\nevent: done\ndata: {\"sessionId\":\"s1\",\"model\":\"m\",\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":5,\"completionTokens\":2}}\n\n"
)

// talk has a client hear what a server says.
func talk(t *testing.T, status int, contentType, body string) (sources []Source, said string, r Reply, err error) {
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
	r, err = NewClient(server.URL, "demo", "key").Talk(t.Context(), Turn{Message: "How?", RAG: &Grounding{TopK: 3}}, Listener{
		Sources: func(s []Source) { sources = s },
		Token:   func(token string) { said += token },
	})
	return sources, said, r, err
}

func TestATurnIsHeardAsItComes(t *testing.T) {
	sources, said, r, err := talk(t, 200, "text/event-stream; charset=utf-8", heard+ended)
	require.NoError(t, err)
	require.Len(t, sources, 1)
	assert.Equal(t, "package context", sources[0].Title)
	assert.Equal(t, "Use água.\n", said)
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
	assert.True(t, fault.Is(err, fault.Unavailable))
	_, _, _, err = talk(t, 200, "text/html", "<html>")
	assert.ErrorContains(t, err, "no stream")
}

func ExampleUsage() {
	Usage{
		Lines: []UsageLine{
			{Day: "2026-11-22", Capability: "chat", Model: "@cf/zai-org/glm-4.7-flash", Calls: 2, Prompt: 1840, Completion: 96, Nanos: 148_800},
			{Day: "2026-11-22", Capability: "document", Model: "@cf/baai/bge-m3", Calls: 31, Prompt: 412_345, Nanos: 4_948_140},
		},
		Budgets: []Budget{{Period: "day", Unit: "tokens", Limit: 100_000_000, Spent: 414_281}, {Period: "day", Unit: "nanoUSD", Limit: 50_000_000_000, Spent: 5_096_940}},
	}.print(os.Stdout)
	// Output:
	// ┌────────────┬──────────┬───────────────────────────┬───────┬───────────┬────────────┬───────────┐
	// │ DAY        │ FOR      │ MODEL                     │ CALLS │ TOKENS IN │ TOKENS OUT │      COST │
	// ├────────────┼──────────┼───────────────────────────┼───────┼───────────┼────────────┼───────────┤
	// │ 2026-11-22 │ chat     │ @cf/zai-org/glm-4.7-flash │     2 │      1840 │         96 │ $0.000149 │
	// │ 2026-11-22 │ document │ @cf/baai/bge-m3           │    31 │    412345 │          0 │ $0.004948 │
	// ├────────────┼──────────┼───────────────────────────┼───────┼───────────┼────────────┼───────────┤
	// │            │          │                           │    33 │    414185 │         96 │ $0.005097 │
	// └────────────┴──────────┴───────────────────────────┴───────┴───────────┴────────────┴───────────┘
	//   414281 of 100000000 tokens this day
	//   $0.005097 of $50.000000 spent this day
}

func TestDollars(t *testing.T) {
	for nanos, want := range map[int64]string{0: "$0.000000", 499: "$0.000000", 500: "$0.000001", 1_000: "$0.000001", 12_345_678_901: "$12.345679"} {
		assert.Equal(t, want, dollars(nanos))
	}
}
