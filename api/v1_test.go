package api_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api/openai/openaitest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
)

const completions = "/v1/chat/completions"

// asks is a request that scripts its answer; more are further parameters.
func asks(script, more string) string {
	content, _ := json.Marshal(`{"script":` + script + `}`)
	return `{"model":"default","messages":[{"role":"user","content":` + string(content) + `}]` + more + `}`
}

// complaint is an error in OpenAI's form.
type complaint struct {
	Message, Type, Code string
	Param               *string
}

func complained(t *testing.T, rec *httptest.ResponseRecorder) complaint {
	t.Helper()
	openaitest.Valid(t, openaitest.Error, rec.Body.Bytes())
	var e struct{ Error complaint }
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e))
	return e.Error
}

func TestCompletionsOfTwoTenants(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "globex"} {
		rec := w.do(tenant, "POST", completions, asks(`{"tokens":["a","b"],"usage":{"prompt":7,"completion":2}}`, ``))
		require.Equal(t, 200, rec.Code, rec.Body)
		openaitest.Valid(t, openaitest.Completion, rec.Body.Bytes())
		assert.Contains(t, rec.Body.String(), `"content":"ab"`)
		assert.Equal(t, []string{"1000", "999", "1s"}, []string{rec.Header().Get("X-Ratelimit-Limit-Requests"),
			rec.Header().Get("X-Ratelimit-Remaining-Requests"), rec.Header().Get("X-Ratelimit-Reset-Requests")})
		assert.Empty(t, rec.Header().Get("X-Levada-Cache"), "the tenant has no cache")

		s := w.scope(tenant)
		used := w.gate.Used(s)
		require.Len(t, used, 1)
		assert.Equal(t, quota.Use{Capability: "chat", Purpose: "chat", Model: "@local/script", Prompt: 7, Completion: 2, Neurons: 7*9_091 + 2*90_909, Nanos: 2700}, used[0])
		asked := w.gate.Asked(s)
		require.Len(t, asked, 2)
		assert.Equal(t, asked[1].Amount, asked[0].Ahead, "what is reserved was announced with the permit")
	}
	w.gate.Check(t)
	calls := w.talk.model.Calls()
	assert.Equal(t, []llm.Message{{Role: llm.System, Content: "You are Acme."}}, calls[0].Prompt.Messages[:1], "the tenant's own words come first")
	assert.Len(t, calls[1].Prompt.Messages, 1)
	assert.Equal(t, 100, calls[0].Prompt.MaxTokens)
}

func TestTheTenantsWordsStandBeforeTheRequests(t *testing.T) {
	w := newWorld(t)
	rec := w.do("acme", "POST", completions, `{"model":"@local/script-openai","max_tokens":7,"messages":[{"role":"developer","content":"Rhyme."},{"role":"user","content":"hi"}]}`)
	require.Equal(t, 200, rec.Code, rec.Body)
	call := w.talk.model.Calls()[0]
	assert.Equal(t, "@local/script-openai", call.Model)
	assert.Equal(t, 7, call.Prompt.MaxTokens)
	assert.Equal(t, "You are Acme.\n\nRhyme.", call.Prompt.Messages[0].Content)
	assert.Len(t, call.Prompt.Messages, 2)
}

func TestStreamsAreOpenAIs(t *testing.T) {
	w := newWorld(t)
	for _, model := range []string{"@local/script", "@local/script-openai"} {
		body := strings.Replace(asks(`{"tokens":["Wa","ter"],"toolCalls":[{"id":"c1","name":"f","arguments":{"a":1}},{"id":"c2","name":"g","arguments":{}}]}`,
			`,"stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]`),
			"default", model, 1)
		rec := w.do("acme", "POST", completions, body)
		require.Equal(t, 200, rec.Code, rec.Body)
		assert.Equal(t, "text/event-stream; charset=utf-8", rec.Header().Get("Content-Type"))
		assert.False(t, rec.Flushed, "what is there at once goes out in one piece")
		chunks, end := openaitest.Events(t, rec.Body.String())
		assert.Equal(t, "[DONE]", end)
		assert.Contains(t, chunks[0], `"role":"assistant"`)
		assert.Contains(t, chunks[len(chunks)-2], `"finish_reason":"tool_calls"`)
		assert.Contains(t, chunks[len(chunks)-1], `"choices":[],"usage":{"prompt_tokens":`)
	}
	w.gate.Check(t)
	assert.Zero(t, w.talk.model.Open())
}

func TestAStreamThatBreaksOffIsPaidAndSaysSo(t *testing.T) {
	w := newWorld(t)
	rec := w.do("globex", "POST", completions, asks(`{"tokens":["a","b","c"],"cutAfter":2}`, `,"stream":true`))
	require.Equal(t, 200, rec.Code)
	chunks, end := openaitest.Events(t, rec.Body.String())
	assert.Len(t, chunks, 3)
	assert.Contains(t, end, `"type":"server_error","param":null,"code":"model_broke_off"`)
	assert.NotContains(t, rec.Body.String(), "[DONE]")
	used := w.gate.Used(w.scope("globex"))
	require.Len(t, used, 1)
	assert.True(t, used[0].Estimated)
	assert.GreaterOrEqual(t, used[0].Completion, int64(2))
	w.gate.Check(t)
	assert.Contains(t, w.log.String(), "model_broke_off")

	whole := w.do("globex", "POST", completions, asks(`{"tokens":["a"],"cutAfter":1}`, ``))
	assert.Equal(t, 503, whole.Code)
	assert.Equal(t, "server_error", complained(t, whole).Type)
	assert.NotEmpty(t, whole.Header().Get("Retry-After"))
	w.gate.Check(t)
}

// TestAClientThatLeaves reads one chunk and goes: the model is stopped, and what it said is paid.
func TestAClientThatLeaves(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w)
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	tokens := strings.TrimSuffix(strings.Repeat(`"x",`, 1000), ",")
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL+completions,
		strings.NewReader(asks(`{"tokens":[`+tokens+`],"delayMs":50}`, `,"stream":true`)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.keys["globex"])
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, `"role":"assistant"`)
	leave()
	_ = resp.Body.Close()
	require.Eventually(t, func() bool { return len(w.gate.Used(w.scope("globex"))) == 1 }, 10*time.Second, 5*time.Millisecond)
	used := w.gate.Used(w.scope("globex"))[0]
	assert.True(t, used.Estimated)
	assert.Less(t, used.Completion, int64(1000), "only what it said until then")
	w.gate.Check(t)
	require.Eventually(t, func() bool { return w.talk.model.Open() == 0 }, 10*time.Second, 5*time.Millisecond)
	server.Close() // waits for the handler
	assert.Contains(t, w.log.String(), `"code":"client_closed_request"`)
}

func TestEqualRequestsMayHaveTheSameAnswer(t *testing.T) {
	cached := tenantstest.Config(t, "globex", func(c *tenants.Config) { c.Models.Chat, c.Chat.CacheTTLSeconds = "@local/script", 600 })
	directory, keys := tenantstest.Directory(t, cached, tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Models.Chat, c.Chat.CacheTTLSeconds = "@local/script", 600
	}))
	w := newWorld(t, func(w *world) { w.deps.Directory = directory })
	w.keys["globex"], w.keys["acme"] = keys["globex"], keys["acme"]
	body := asks(`{"tokens":["a"]}`, ``)
	ask := func(as string, headers ...string) string {
		rec := w.do(as, "POST", completions, body, headers...)
		require.Equal(t, 200, rec.Code, rec.Body)
		openaitest.Valid(t, openaitest.Completion, rec.Body.Bytes())
		return rec.Header().Get("X-Levada-Cache")
	}
	assert.Equal(t, "MISS", ask("globex"))
	assert.Equal(t, "HIT", ask("globex"))
	assert.Equal(t, "MISS", ask("acme"), "another tenant's answers are its own")
	assert.Empty(t, ask("globex", "cache-control", "max-age=0, No-Cache"))
	assert.Len(t, w.talk.model.Calls(), 3)
	w.gate.Check(t)
}

func TestJSONModeReachesTheModel(t *testing.T) {
	w := newWorld(t)
	for _, format := range []string{`{"type":"json_object"}`, `{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}`} {
		rec := w.do("globex", "POST", completions, asks(`{"tokens":["{}"]}`, `,"response_format":`+format))
		require.Equal(t, 200, rec.Code, rec.Body)
		calls := w.talk.model.Calls()
		assert.JSONEq(t, format, string(calls[len(calls)-1].Prompt.Format))
	}
}

func TestLimitsInOpenAIsForm(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = func(_ tenants.Scope, a quota.Ask) error {
		if a.Requests > 0 {
			return nil
		}
		return fault.New(fault.Limited, "budget_exhausted", "the budget of the day is used up", nil).WithRetryAfter(time.Hour)
	}
	rec := w.do("acme", "POST", completions, asks(`{"tokens":["a"]}`, ``))
	assert.Equal(t, 429, rec.Code)
	e := complained(t, rec)
	assert.Equal(t, []string{"insufficient_quota", "insufficient_quota"}, []string{e.Type, e.Code})
	assert.Equal(t, "false", rec.Header().Get("X-Should-Retry"), "or SDKs would come again at once")
	assert.Equal(t, "3600", rec.Header().Get("Retry-After"))

	w.gate.Refuse = func(_ tenants.Scope, a quota.Ask) error {
		if a.Requests > 0 {
			return nil
		}
		return fault.New(fault.Limited, "budget_exhausted", "calls in flight have reserved the rest", nil).WithRetryAfter(2 * time.Second)
	}
	rec = w.do("acme", "POST", completions, asks(`{"tokens":["a"]}`, ``))
	assert.Equal(t, 429, rec.Code)
	e = complained(t, rec)
	assert.Equal(t, []string{"requests", "rate_limit_exceeded"}, []string{e.Type, e.Code}, "it passes")
	assert.Empty(t, rec.Header().Get("X-Should-Retry"))
	assert.Equal(t, "2", rec.Header().Get("Retry-After"))

	w.gate.Refuse = func(tenants.Scope, quota.Ask) error {
		return fault.New(fault.Limited, "rate_limited", "too many requests", nil).WithRetryAfter(2 * time.Second)
	}
	for _, r := range []struct{ method, target, body string }{
		{"POST", completions, asks(`{"tokens":["a"]}`, ``)},
		{"POST", "/v1/embeddings", `{"model":"default","input":"a"}`},
		{"GET", "/v1/models", ""},
	} {
		rec := w.do("acme", r.method, r.target, r.body)
		assert.Equal(t, 429, rec.Code)
		e := complained(t, rec)
		assert.Equal(t, []string{"requests", "rate_limit_exceeded"}, []string{e.Type, e.Code})
		assert.Equal(t, "2", rec.Header().Get("Retry-After"))
		assert.Empty(t, rec.Header().Get("X-Should-Retry"))
	}
	assert.Empty(t, w.talk.model.Calls(), "nobody was asked")
}

func TestTheUserHasARateOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.do("globex", "POST", completions, asks(`{"tokens":["a"]}`, `,"user":"ann"`))
	w.do("globex", "POST", "/v1/embeddings", `{"model":"default","input":"a","user":"bob"}`)
	asked := w.gate.Asked(w.scope("globex"))
	assert.True(t, strings.HasPrefix(asked[0].User, "ann\n"), asked[0].User)
	assert.True(t, strings.HasPrefix(asked[2].User, "bob\n"), asked[2].User)
	rec := w.do("globex", "POST", completions, asks(`{"tokens":["a"]}`, `,"user":"`+strings.Repeat("x", 200)+`"`))
	assert.Equal(t, "user", *complained(t, rec).Param)
}

func TestMessagesMayBeTooLong(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		`{"model":"default","messages":[{"role":"user","content":"` + strings.Repeat("x", 401) + `"}]}`,
		`{"model":"default","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","description":"` + strings.Repeat("x", 401) + `"}}]}`,
	} {
		rec := w.do("acme", "POST", completions, body)
		assert.Equal(t, 400, rec.Code)
		assert.Equal(t, "context_length_exceeded", complained(t, rec).Code)
	}
	rec := w.do("acme", "POST", completions, `{"model":"default","messages":[{"role":"user","content":"`+strings.Repeat("ü", 400)+`"}]}`)
	assert.Equal(t, 200, rec.Code, "characters count, not bytes")
	rec = w.do("acme", "POST", completions, `{"model":"default","messages":[{"role":"user","content":"`+strings.Repeat("x", 2000)+`"}]}`)
	assert.Equal(t, 413, rec.Code)
	assert.Equal(t, "body_too_large", complained(t, rec).Code)
}

func TestEmbeddings(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"globex", "demo"} {
		texts := make([]string, 205) // three calls of the model
		for i := range texts {
			texts[i] = fmt.Sprint("water ", i)
		}
		input, err := json.Marshal(texts)
		require.NoError(t, err)
		plain := w.do(tenant, "POST", "/v1/embeddings", `{"model":"default","input":`+string(input)+`}`)
		require.Equal(t, 200, plain.Code, plain.Body)
		openaitest.Valid(t, openaitest.Embeddings, plain.Body.Bytes())
		encoded := w.do(tenant, "POST", "/v1/embeddings", `{"model":"@cf/baai/bge-m3","input":`+string(input)+`,"encoding_format":"base64","dimensions":1024}`)
		require.Equal(t, 200, encoded.Code, encoded.Body)
		var a struct {
			Model string
			Data  []struct{ Embedding []float32 }
			Usage struct {
				TotalTokens int `json:"total_tokens"`
			}
		}
		var b struct{ Data []struct{ Embedding string } }
		require.NoError(t, json.Unmarshal(plain.Body.Bytes(), &a))
		require.NoError(t, json.Unmarshal(encoded.Body.Bytes(), &b))
		require.Len(t, a.Data, len(texts))
		assert.Equal(t, "@cf/baai/bge-m3", a.Model)
		assert.Equal(t, 2*len(texts), a.Usage.TotalTokens)
		for i := range texts {
			raw, err := base64.StdEncoding.DecodeString(b.Data[i].Embedding)
			require.NoError(t, err)
			got := make([]float32, 1024)
			_, err = binary.Decode(raw, binary.LittleEndian, got)
			require.NoError(t, err)
			require.Equal(t, a.Data[i].Embedding, got)
		}
		assert.Len(t, w.gate.Used(w.scope(tenant)), 6)
	}
	for _, call := range w.store.embedder.Calls() {
		assert.Equal(t, llm.ForEmbeddings, call.Purpose)
	}
	w.gate.Check(t)

	w.store.embedder.After = func(llm.Call, []string) error { return errors.New("the answer was lost") }
	rec := w.do("globex", "POST", "/v1/embeddings", `{"model":"default","input":"a"}`)
	assert.Equal(t, 500, rec.Code)
	assert.Equal(t, "server_error", complained(t, rec).Type)
	assert.NotContains(t, rec.Body.String(), "lost")
	w.gate.Check(t)
}

func TestEveryFailureBelowV1IsOpenAIs(t *testing.T) {
	w := newWorld(t)
	for _, r := range []struct {
		as, method, target, body string
		status                   int
		code                     string
	}{
		{"acme", "GET", "/v1/nothing", "", 404, "unknown_url"},
		{"acme", "GET", "/v1//models", "", 404, "unknown_url"},
		{"acme", "PUT", "/v1/models", "", 405, "method_not_supported"},
		{"", "GET", "/v1/models", "", 401, "invalid_api_key"},
		{"nobody", "POST", completions, "{}", 401, "invalid_api_key"},
		{"acme-search", "GET", "/v1/models", "", 403, "scope_denied"},
		{"acme", "GET", "/v1/models/gpt-4o", "", 404, "model_not_found"},
	} {
		rec := w.do(r.as, r.method, r.target, r.body, "accept", "application/problem+json")
		assert.Equal(t, r.status, rec.Code, r.target)
		assert.Equal(t, r.code, complained(t, rec).Code, r.target)
		assert.Equal(t, "application/json", rec.Header().Get("Content-Type"))
		assert.NotEmpty(t, rec.Header().Get("X-Request-Id"), "what SDKs tell the operators")
	}
}

// TestPagesMayUseTheSDK asks as a browser does before it lets the SDK send its own headers.
func TestPagesMayUseTheSDK(t *testing.T) {
	w := newWorld(t)
	preflight := []string{"origin", "https://app.acme.example", "access-control-request-method", "POST", "access-control-request-headers", "authorization,x-stainless-os"}
	h := w.do("", "OPTIONS", completions, "", preflight...).Header()
	assert.Equal(t, "authorization,x-stainless-os", h.Get("Access-Control-Allow-Headers"))
	h = w.do("", "OPTIONS", "/search", "", preflight...).Header()
	assert.NotContains(t, h.Get("Access-Control-Allow-Headers"), "x-stainless-os")
}

// BenchmarkCompletion is a short answer, as a stream.
func BenchmarkCompletion(b *testing.B) {
	w := newWorld(b, func(w *world) {
		w.deps.Directory, _ = tenantstest.Directory(b, tenantstest.Config(b, "globex", nil))
	})
	body := `{"model":"default","stream":true,"messages":[{"role":"user","content":"Water flows along the levada, and along the path."}]}`
	gate := &free{}
	w.deps.Generator, w.deps.Gate = llm.NewGenerator(&memory.Model{}, gate, nil), gate
	benchmark(b, "globex", "POST", completions, body)
}

// free lets everything through and remembers nothing.
type free struct{}

func (free) Acquire(context.Context, tenants.Scope, quota.Ask) (quota.Hold, error) {
	return freeHold{}, nil
}
func (free) Statement(context.Context, tenants.Scope, quota.Day, quota.Day) (quota.Statement, error) {
	return quota.Statement{}, nil
}

type freeHold struct{}

func (freeHold) Settle(context.Context, ...quota.Use) {}
func (freeHold) Standing() quota.Standing             { return quota.Standing{Limit: 10, Remaining: 9} }
