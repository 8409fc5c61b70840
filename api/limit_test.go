package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/transfer"
)

// permits are the requests that passed the gate, without the calls of models.
func (w *world) permits(tenant string) (users []string) {
	for _, a := range w.gate.Asked(w.scope(tenant)) {
		if a.Requests > 0 {
			users = append(users, a.User)
		}
	}
	return users
}

func TestEveryRequestTakesOnePermit(t *testing.T) {
	w := newWorld(t)
	taken := 0
	for _, tc := range []struct{ method, target, body string }{
		{"GET", "/jobs/none", ""},
		{"GET", "/sessions", ""},
		{"HEAD", "/sessions", ""},
		{"GET", "/sessions/none", ""},
		{"GET", "/sessions?limit=x", ""},
		{"DELETE", "/sessions/none", ""},
		{"GET", "/chat/streams/none.1", ""},
		{"GET", "/usage", ""},
		{"POST", "/search", `{"query":"x"}`},
		{"POST", "/search", `{"query":`},
		{"POST", "/ingest", `{"text":"a"}`},
		{"POST", "/ingest", `{"text":"` + strings.Repeat("a", 3000) + `"}`},
		{"POST", "/chat", `{"message":"Hello"}`},
		{"POST", "/chat", `{"message":"Hello","stream":false}`},
		{"POST", "/chat", `{"message":`},
		{"POST", "/chat", `{"message":""}`},
		{"POST", "/chat", `{"message":"` + strings.Repeat("a", 3000) + `"}`},
		{"POST", "/chat", ""},
		{"POST", "/search", `{"query":"panic"}`},
	} {
		rec := w.do("acme", tc.method, tc.target, tc.body)
		taken++
		assert.Len(t, w.permits("acme"), taken, "%+v", tc)
		for name, want := range map[string]string{"X-Ratelimit-Limit": "1000", "X-Ratelimit-Remaining": "999", "X-Ratelimit-Reset": "1"} {
			assert.Equal(t, []string{want}, rec.Header()[name], "%+v", tc)
		}
	}
	assert.Empty(t, w.permits("globex"))
	for _, rec := range []*httptest.ResponseRecorder{
		w.do("acme", "GET", "/health", ""), w.do("acme", "GET", "/ready", ""), w.do("acme", "GET", "/openapi.json", ""), w.do("acme", "GET", "/nothing", ""),
		w.do("acme", "PUT", "/chat", ""), w.do("acme", "OPTIONS", "/chat", ""), w.do("", "GET", "/sessions", "", "x-tenant-id", "acme"),
		w.do("globex", "GET", "/sessions", "", "x-tenant-id", "acme"), w.do("acme-search", "GET", "/sessions", ""), w.do("nobody", "GET", "/sessions", ""),
	} {
		assert.Empty(t, rec.Header().Get("X-Ratelimit-Limit"))
	}
	assert.Len(t, w.permits("acme"), taken, "what is not let in takes nothing")
}

func TestWhoseRateCounts(t *testing.T) {
	for _, tc := range []struct{ remote, header, body, want string }{
		{"203.0.113.7", "", "", "\n203.0.113.7"},
		{"203.0.113.7:4711", "", "", "\n203.0.113.7"},
		{"::ffff:203.0.113.7", "", "", "\n203.0.113.7"},
		{"2001:db8:1:2:3:4:5:6", "", "", "\n2001:db8:1:2::"},
		{"2001:db8:1:2:ffff::1", "", "", "\n2001:db8:1:2::"},
		{"[2001:db8:1:3::1]:80", "", "", "\n2001:db8:1:3::"},
		{"fe80::1%eth0", "", "", "\nfe80::"},
		{"", "", "", ""},
		{"a unix socket", "", "", ""},
		{"", "ana", "", "ana"},
		{"203.0.113.7", "ana", "", "ana\n203.0.113.7"},
		{"203.0.113.7", "ana", "rui", "rui\n203.0.113.7"},
		{"203.0.113.7", "", "rui", "rui\n203.0.113.7"},
	} {
		w := newWorld(t)
		r := w.request("acme", "GET", "/sessions", "")
		if tc.body != "" {
			r = w.request("acme", "POST", "/chat", `{"message":"Hello","stream":false,"userId":"`+tc.body+`"}`)
		}
		r.RemoteAddr = tc.remote
		if tc.header != "" {
			r.Header.Set("X-User-Id", tc.header)
		}
		assert.Equal(t, 200, w.send(r).Code)
		assert.Equal(t, []string{tc.want}, w.permits("acme"), "%+v", tc)
	}
	w := newWorld(t)
	rec := w.do("acme", "GET", "/sessions", "", "x-user-id", strings.Repeat("u", 129))
	assert.Equal(t, 400, rec.Code)
	assert.Equal(t, "x-user-id", failed(t, rec).Details.Field)
	assert.Equal(t, []string{"\n192.0.2.1"}, w.permits("acme"), "it was a request all the same")
}

func TestTooManyRequests(t *testing.T) {
	refuse := func(w *world) {
		w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
			if s.Tenant() == "acme" && a.Requests > 0 {
				return fault.New(fault.Limited, "rate_limited", "too many requests", nil).WithRetryAfter(1200 * time.Millisecond)
			}
			return nil
		}
	}
	w := newWorld(t)
	refuse(w)
	for _, tc := range []struct{ method, target, body string }{
		{"GET", "/sessions", ""}, {"POST", "/ingest", `{"text":"a"}`}, {"POST", "/chat", `{"message":"Hello"}`}, {"POST", "/chat", `{"message":`},
	} {
		rec := w.do("acme", tc.method, tc.target, tc.body)
		assert.Equal(t, 429, rec.Code)
		f := failed(t, rec)
		assert.Equal(t, "rate_limited", f.Code)
		assert.Equal(t, rec.Header().Get("Traceparent")[3:35], f.TraceID)
		assert.Equal(t, "2", rec.Header().Get("Retry-After"))
		assert.Equal(t, "5", rec.Header().Get("X-Ratelimit-Limit"), "of the narrower rate, the user's")
		assert.Equal(t, "0", rec.Header().Get("X-Ratelimit-Remaining"))
		assert.Equal(t, "5", rec.Header().Get("X-Ratelimit-Reset"), "one a second")
	}
	assert.Empty(t, w.talk.requests, "nothing was done")
	assert.Empty(t, w.store.drafts)
	assert.Equal(t, 200, w.do("globex", "GET", "/sessions", "").Code, "another tenant's requests are not counted")
	problem := w.do("acme", "GET", "/sessions", "", "accept", "application/problem+json")
	assert.Equal(t, "application/problem+json", problem.Header().Get("Content-Type"))
}

// TestRatesAndBudgetsAreKept runs on the real gate, whose ledger is in memory.
func TestRatesAndBudgetsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		w := newWorld(t, func(w *world) {
			w.opts.Now = clock()
			limits := func(ctx context.Context, s tenants.Scope) (quota.Limits, error) {
				config, err := w.deps.Directory.Config(ctx, s.Tenant())
				if err != nil {
					return quota.Limits{}, err
				}
				limits := quota.LimitsOf(config)
				limits.Day.Tokens = 500
				return limits, nil
			}
			w.deps.Gate = quota.NewGate(memory.NewQuota(w.opts.Now), limits, &quota.Options{
				Now:        w.opts.Now,
				Background: func(_ context.Context, f func(context.Context)) error { go f(ctx); return nil },
			})
		})
		ask := func(as, user string) *httptest.ResponseRecorder {
			return w.do(as, "GET", "/sessions", "", "x-user-id", user)
		}
		for range 5 {
			require.Equal(t, 200, ask("acme", "ana").Code)
		}
		rec := ask("acme", "ana")
		require.Equal(t, 429, rec.Code)
		assert.Equal(t, "rate_limited", failed(t, rec).Code)
		assert.Equal(t, []string{"1", "5", "0"}, []string{rec.Header().Get("Retry-After"), rec.Header().Get("X-Ratelimit-Limit"), rec.Header().Get("X-Ratelimit-Remaining")})
		assert.Equal(t, 200, ask("acme", "rui").Code, "another user")
		assert.Equal(t, 200, ask("globex", "ana").Code, "another tenant")
		time.Sleep(time.Second)
		assert.Equal(t, 200, ask("acme", "ana").Code, "one a second")
		assert.Equal(t, 429, ask("acme", "ana").Code)

		time.Sleep(time.Minute)
		const hello = `{"message":"Hello","stream":false,"maxTokens":100}`
		require.Equal(t, 200, w.do("globex", "POST", "/chat", hello).Code)
		large := w.do("globex", "POST", "/chat", `{"message":"Hello","stream":false,"maxTokens":400}`)
		assert.Equal(t, 429, large.Code)
		assert.Equal(t, "budget_exhausted", failed(t, large).Code)
		assert.NotEmpty(t, large.Header().Get("Retry-After"))
		assert.Equal(t, 200, w.do("acme", "POST", "/chat", hello).Code, "another tenant's money")

		account := data[struct {
			Budgets []quota.Budget
			Totals  struct{ Calls, PromptTokens, CompletionTokens int }
		}](t, w.do("globex", "GET", "/usage", ""))
		assert.Equal(t, 1, account.Totals.Calls)
		require.NotEmpty(t, account.Budgets)
		assert.Equal(t, int64(account.Totals.PromptTokens+account.Totals.CompletionTokens), account.Budgets[0].Spent)
	})
}

// gated has the world's requests permitted by the real gate, whose ledger is in memory, and whose limits are those of the tenants.
func gated(w *world) {
	limits := func(ctx context.Context, s tenants.Scope) (quota.Limits, error) {
		config, err := w.deps.Directory.Config(ctx, s.Tenant())
		if err != nil {
			return quota.Limits{}, err
		}
		return quota.LimitsOf(config), nil
	}
	w.deps.Gate = quota.NewGate(memory.NewQuota(w.opts.Now), limits, &quota.Options{
		Now: w.opts.Now, Background: func(context.Context, func(context.Context)) error { return nil },
	})
}

// What was spoken is on the account by its characters, and stands in the budgets of its own tenant.
func TestTheAccountHasCharacters(t *testing.T) {
	w := newWorld(t, gated)
	speaks := func(tenant string, chars int64) error {
		hold, err := w.deps.Gate.Acquire(t.Context(), tenantstest.Scope(t, tenant), quota.Ask{Amount: quota.Amount{Chars: chars}})
		if err == nil {
			hold.Settle(t.Context(), quota.Use{Capability: "speech", Model: "v", Chars: chars, Nanos: 15 * chars})
		}
		return err
	}
	require.NoError(t, speaks("acme", 300))
	require.NoError(t, speaks("acme", 200))
	f := fault.As(speaks("acme", 1_000_000))
	assert.Equal(t, []any{fault.Limited, "budget_exhausted"}, []any{f.Kind, f.Code})
	assert.Contains(t, f.Message, "the budget of 1000000 characters a day")
	require.NoError(t, speaks("globex", 1_000_000))
	for tenant, want := range map[string]int64{"acme": 500, "globex": 1_000_000} {
		account := data[struct {
			Lines   []quota.Line
			Budgets []quota.Budget
			Totals  struct{ Calls, PromptTokens, CompletionTokens, Characters, NanoUSD int64 }
		}](t, w.do(tenant, "GET", "/usage", ""))
		require.Len(t, account.Lines, 1, tenant)
		assert.Equal(t, []int64{want, want, 15 * want, 0}, []int64{account.Lines[0].Chars, account.Totals.Characters, account.Totals.NanoUSD, account.Totals.PromptTokens}, tenant)
		spent := map[string][2]int64{}
		for _, b := range account.Budgets {
			spent[b.Period+" "+b.Unit] = [2]int64{b.Limit, b.Spent}
		}
		assert.Equal(t, [2]int64{1_000_000, want}, spent["day characters"], tenant)
		assert.Equal(t, [2]int64{10_000_000, want}, spent["month characters"], tenant)
		assert.Equal(t, [2]int64{2_000_000, 0}, spent["day tokens"], tenant)
	}
}

// An estimate is held against what is left of the tenant's budgets, and takes nothing of them.
func TestEstimatesKnowWhatIsLeft(t *testing.T) {
	w := newWorld(t, gated)
	hold, err := w.deps.Gate.Acquire(t.Context(), tenantstest.Scope(t, "acme"), quota.Ask{Amount: quota.Amount{Tokens: 1_500_000}})
	require.NoError(t, err)
	hold.Settle(t.Context(), quota.Use{Capability: "ingest", Purpose: "document", Model: "m", Prompt: 1_500_000})

	type room struct {
		Left, Expected, Most int64
		Fits                 string
	}
	ask := func(tenant string, bytes int) map[string]room {
		e := data[struct {
			Tokens  int64
			Most    struct{ Tokens int64 }
			Budgets []struct {
				Period, Unit string
				room
			}
		}](t, w.do(tenant, "POST", "/usage/estimate", fmt.Sprintf(`{"capability":"ingest","documents":1,"bytes":%d}`, bytes)))
		rooms := map[string]room{}
		for _, b := range e.Budgets {
			rooms[b.Period+" "+b.Unit] = b.room
		}
		assert.Len(t, rooms, 4, "no characters are spoken")
		assert.Equal(t, []int64{e.Tokens, e.Most.Tokens}, []int64{rooms["day tokens"].Expected, rooms["day tokens"].Most})
		return rooms
	}
	for _, tt := range []struct {
		bytes int
		fits  string
	}{{100, "yes"}, {400_000, "perhaps"}, {4_000_000, "no"}, {100, "yes"}} { // nothing is reserved
		rooms := ask("acme", tt.bytes)
		assert.Equal(t, []any{int64(500_000), tt.fits}, []any{rooms["day tokens"].Left, rooms["day tokens"].Fits}, tt.bytes)
		assert.Equal(t, "yes", rooms["day nanoUSD"].Fits)
	}
	assert.Equal(t, room{2_000_000, 100_522, 818_756, "yes"}, ask("globex", 400_000)["day tokens"], "who has used nothing")
}

// A user's name has characters, not bytes.
func TestAUserIsNamedInAnyScript(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{strings.Repeat("u", 128), strings.Repeat("水", 128), strings.Repeat("🌊", 128)} {
		rec := w.do("acme", "POST", "/chat", `{"message":"Hello","stream":false,"userId":"`+name+`"}`)
		require.Equal(t, 200, rec.Code, "%s", rec.Body)
		list := data[chat.Listing](t, w.do("acme", "GET", "/sessions?userId="+url.QueryEscape(name), ""))
		require.Len(t, list.Sessions, 1)
		assert.Equal(t, name, list.Sessions[0].UserID)
	}
}

// While everything of the tenant is being erased only those routes let nobody in that store something or call a model.
func TestWhatWritesIsRefusedDuringAnErasure(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
		if a.Writes && s.Tenant() == "acme" {
			return fault.New(fault.Conflict, "tenant_erasing", "everything of the tenant is being erased", nil)
		}
		return nil
	}
	for _, route := range api.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if method == "OPTIONS" || pattern == "/ingest/webhooks/{sourceId}" { // which nobody's key opens; the gate is asked as elsewhere
			continue
		}
		target := strings.NewReplacer("{id}", "x", "{streamId}", "s.1", "{last}", "history").Replace(pattern)
		if pattern == "/tenant" {
			target += "?confirm=acme"
		}
		body := map[string]string{"/chat": `{"message":"Hello"}`, "/v1/chat/completions": `{"model":"default","messages":[{"role":"user","content":"a"}]}`,
			"/v1/embeddings": `{"model":"bge-m3","input":"a"}`}[pattern]
		if body == "" && method != "GET" && method != "DELETE" {
			body = "{}"
		}
		rec := w.do("acme", method, target, body)
		want := method == "GET" || method == "DELETE" || strings.HasPrefix(pattern, "/tenant/export/") || pattern == "/usage/estimate" // they read, by what is too long for a query
		assert.Equal(t, want, rec.Code != 409 || !strings.Contains(rec.Body.String(), "tenant_erasing"), "%s: %d %s", route, rec.Code, rec.Body)
	}
	assert.NotEqual(t, 409, w.do("globex", "POST", "/chat", `{"message":"Hello"}`).Code)
}

// While the tenant is being moved to another pool only those routes let nobody in that change a conversation.
func TestWhatTalksIsRefusedDuringAMove(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, 200, w.do("acme", "POST", "/chat", `{"sessionId":"s","message":"Hello","stream":false}`).Code)
	require.Equal(t, 200, w.do("acme", "POST", "/tenant/transfer", `{"state":"readonly"}`).Code)
	refused := func(rec *httptest.ResponseRecorder) bool {
		return rec.Code == 503 && strings.Contains(rec.Body.String(), "tenant_readonly") && rec.Header().Get("Retry-After") == "60"
	}
	talks := map[string]bool{}
	for _, route := range []string{
		"POST /chat", "DELETE /chat/s", "DELETE /sessions/s", "GET /sessions", "GET /sessions/s", "GET /chat/s/history", "GET /sessions/s/export", "GET /chat/streams/s.1",
		"GET /tenant/export/sessions", "POST /tenant/export/sessions", "POST /search", "POST /v1/chat/completions",
	} {
		method, target, _ := strings.Cut(route, " ")
		body := map[string]string{"/chat": `{"sessionId":"s","message":"Hello"}`, "/search": `{"query":"a"}`,
			"/v1/chat/completions": `{"model":"default","messages":[{"role":"user","content":"a"}]}`}[target]
		if refused(w.do("acme", method, target, body)) {
			talks[route] = true
		}
	}
	assert.Equal(t, map[string]bool{"POST /chat": true, "DELETE /chat/s": true, "DELETE /sessions/s": true}, talks)
	assert.Equal(t, 200, w.do("globex", "POST", "/chat", `{"message":"Hello","stream":false}`).Code)
	require.Equal(t, 200, w.do("acme", "POST", "/tenant/transfer", `{"state":"live"}`).Code)
	assert.Equal(t, 200, w.do("acme", "POST", "/chat", `{"sessionId":"s","message":"Hello","stream":false}`).Code)
}

// lostTurns is a ledger of money whose answer, or the question, is lost.
type lostTurns struct {
	*quotatest.Gate
	after bool
}

func (l lostTurns) Still(ctx context.Context, s tenants.Scope, still bool) error {
	if l.after {
		_ = l.Gate.Still(ctx, s, still)
	}
	return fault.Unavailablef(nil, "object_unreachable", "lost")
}

// A tenant that says that it is read-only lets no turn in, whatever is lost on the way; and the same request again goes on.
func TestATenantIsReadonlyAfterItStandsStill(t *testing.T) {
	for _, after := range []bool{false, true} {
		w := newWorld(t)
		turns := w.deps.Turns
		with := func(turns transfer.Turns) {
			w.deps.Turns = turns
			w.Handler = api.New(w.deps, &w.opts)
		}
		state := func() string {
			return data[struct{ State string }](t, w.do("acme", "GET", "/tenant/transfer", "")).State
		}
		still := func(tenant string) bool {
			return data[struct{ Still bool }](t, w.do(tenant, "GET", "/tenant/transfer", "")).Still
		}
		talks := func() int { return w.do("acme", "POST", "/chat", `{"message":"Hello","stream":false}`).Code }
		with(lostTurns{w.gate, after})
		require.Equal(t, 503, w.do("acme", "POST", "/tenant/transfer", `{"state":"readonly"}`).Code)
		assert.Equal(t, "live", state())
		assert.Equal(t, []bool{after, false}, []bool{still("acme"), still("globex")}, "conversations that stand still are shown while the tenant is live")
		with(turns)
		require.Equal(t, 200, w.do("acme", "POST", "/tenant/transfer", `{"state":"readonly"}`).Code)
		assert.True(t, still("acme"))
		assert.Equal(t, []any{"readonly", 503}, []any{state(), talks()})
		with(lostTurns{w.gate, after})
		require.Equal(t, 503, w.do("acme", "POST", "/tenant/transfer", `{"state":"live"}`).Code)
		assert.Equal(t, "live", state())
		assert.Equal(t, !after, still("acme"), "it is shown that the bar was not lifted")
		with(turns)
		require.Equal(t, 200, w.do("acme", "POST", "/tenant/transfer", `{"state":"live"}`).Code)
		assert.False(t, still("acme"))
		assert.Equal(t, []any{"live", 200}, []any{state(), talks()})
	}
}

func TestALedgerThatDoesNotAnswerLetsNothingPass(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = func(tenants.Scope, quota.Ask) error {
		return fault.Unavailablef(nil, "quota_unavailable", "the ledger does not answer")
	}
	rec := w.do("acme", "POST", "/chat", `{"message":"Hello"}`)
	assert.Equal(t, 503, rec.Code)
	assert.Equal(t, "quota_unavailable", failed(t, rec).Code)
	assert.Empty(t, w.talk.requests)
}

func TestABudgetThatIsUsedUp(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = func(_ tenants.Scope, a quota.Ask) error {
		if a.Amount.Tokens > 0 {
			return fault.New(fault.Limited, "budget_exhausted", "the day's tokens are used up", nil).WithRetryAfter(time.Hour)
		}
		return nil
	}
	for _, body := range []string{`{"message":"Hello","sessionId":"s"}`, `{"message":"Hello","sessionId":"s","stream":false}`} {
		rec := w.do("acme", "POST", "/chat", body)
		assert.Equal(t, 429, rec.Code)
		assert.Equal(t, "budget_exhausted", failed(t, rec).Code)
		assert.Equal(t, "3600", rec.Header().Get("Retry-After"))
		assert.Equal(t, "999", rec.Header().Get("X-Ratelimit-Remaining"), "the rate has room")
	}
	assert.Empty(t, w.talk.model.Calls(), "no model was asked")
}

// What is asked for with the permit is what the call of the model will reserve.
func TestThePermitBringsWhatTheModelNeeds(t *testing.T) {
	w := newWorld(t)
	tool := `{"type":"function","function":{"name":"clock","parameters":{"type":"object"}}}`
	for _, body := range []string{
		`{"message":"Hello","stream":false}`,
		`{"message":"Hello","stream":false,"sessionId":"s1"}`,
		`{"message":"Hello","stream":false,"sessionId":"s1"}`,
		`{"message":"Hello","stream":false,"maxTokens":200,"system":"Be brief.","tools":[` + tool + `]}`,
		`{"message":"Hello","stream":false,"modelId":"@local/script-openai"}`,
		`{"message":"Hello","stream":false,"rag":{"topK":2}}`,
	} {
		before := len(w.gate.Asked(w.scope("acme")))
		require.Equal(t, 200, w.do("acme", "POST", "/chat", body).Code)
		asks := w.gate.Asked(w.scope("acme"))[before:]
		require.Len(t, asks, 2)
		assert.Equal(t, 1, asks[0].Requests)
		assert.Zero(t, asks[0].Amount)
		assert.Zero(t, asks[1].Requests, "the call belongs to the request")
		assert.GreaterOrEqual(t, asks[0].Ahead.Tokens, asks[1].Amount.Tokens, body)
		assert.GreaterOrEqual(t, asks[0].Ahead.Nanos, asks[1].Amount.Nanos, body)
		assert.Less(t, asks[0].Ahead.Tokens, asks[1].Amount.Tokens+4*4000+1, "and not much more")
	}
	w.gate.Check(t)
}

func TestAPromptThatDoesNotFitTheModel(t *testing.T) {
	w := newWorld(t, func(w *world) {
		d, keys := tenantstest.Directory(t, tenantstest.Config(t, "globex", func(c *tenants.Config) {
			c.Models.Chat = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
			c.Limits.MessageChars = 200_000
		}))
		w.deps.Directory, w.keys["globex"] = d, keys["globex"]
	})
	rec := w.do("globex", "POST", "/chat", `{"message":"`+strings.Repeat("a ", 60_000)+`"}`)
	assert.Equal(t, 400, rec.Code)
	assert.Equal(t, "prompt_too_long", failed(t, rec).Code)
	assert.Equal(t, "message", failed(t, rec).Details.Field)
	assert.Empty(t, w.talk.model.Calls())
	w.gate.Check(t)
}

func TestWhatAConversationIsTold(t *testing.T) {
	w := newWorld(t)
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	rec := w.do("acme", "POST", "/chat", `{"message":"Hello","sessionId":"s1","userId":"ana","system":"Be brief.","temperature":0.5,"maxTokens":7,"modelId":"@local/script-openai",
		"tools":[{"type":"function","function":{"name":"clock","description":"The time.","parameters":{"type":"object"},"strict":true}}],
		"rag":{"topK":3,"filter":{"lang":"en"}}}`, "idempotency-key", "a:b", "x-request-id", id)
	require.Equal(t, 200, rec.Code)
	require.Len(t, w.talk.requests, 1)
	r := w.talk.requests[0]
	assert.Equal(t, "s1", r.Session)
	assert.Equal(t, "ana", r.User)
	assert.Equal(t, []llm.Message{{Role: llm.User, Content: "Hello"}}, r.Messages)
	assert.Equal(t, "You are Acme.\n\nBe brief.", r.System)
	require.Len(t, r.Models, 1)
	assert.Equal(t, "@local/script-openai", r.Models[0].Name)
	strict := true
	assert.Equal(t, []llm.Tool{{Name: "clock", Description: "The time.", Parameters: json.RawMessage(`{"type":"object"}`), Strict: &strict}}, r.Tools)
	assert.Equal(t, 7, r.MaxTokens)
	assert.InDelta(t, 0.5, *r.Temperature, 0)
	assert.Equal(t, 3, r.Grounding.TopK)
	assert.JSONEq(t, `{"lang":"en"}`, string(r.Grounding.Filter), "in the public language")
	assert.Equal(t, "@cf/baai/bge-m3", r.Grounding.Model)
	assert.Equal(t, 200, r.Keep.Turns)
	assert.Equal(t, id, r.RequestID)
	assert.Equal(t, rec.Header().Get("Traceparent"), r.Cause.TraceParent)
	assert.Regexp(t, `^a:b:[A-Za-z0-9_-]{43}$`, r.Key)

	w.do("acme", "POST", "/chat", `{"message":"Hello"}`)
	r = w.talk.requests[1]
	assert.Equal(t, "You are Acme.", r.System)
	assert.Equal(t, 100, r.MaxTokens, "the tenant's")
	assert.Len(t, r.Models, 2, "with the tenant's fallback")
	assert.Nil(t, r.Grounding)
	assert.Empty(t, r.Key)

	w.do("acme", "POST", "/chat", `{"sessionId":"s9","message":"Hello","toolResults":[{"toolCallId":"c1","content":"4:00"}]}`)
	assert.Equal(t, []llm.Message{{Role: llm.ToolRole, Content: "4:00", ToolCallID: "c1"}, {Role: llm.User, Content: "Hello"}}, w.talk.requests[2].Messages)
}

func TestADocumentThatNoBudgetHasRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) {
			w.opts.Now = time.Now
			w.deps.Gate = quota.NewGate(memory.NewQuota(time.Now), func(_ context.Context, s tenants.Scope) (quota.Limits, error) {
				c := tenantstest.Config(t, string(s.Tenant()), func(c *tenants.Config) {
					if c.ID == "acme" {
						c.Budgets.TokensPerDay = 100
					}
				})
				return quota.LimitsOf(&c), nil
			}, nil)
		})
		long := `{"text":"` + strings.Repeat("water ", 100) + `"}`
		rec := w.do("acme", "POST", "/ingest", long)
		assert.Equal(t, 429, rec.Code)
		assert.Contains(t, rec.Body.String(), `"code":"budget_exhausted"`)
		assert.NotEmpty(t, rec.Header().Get("Retry-After"))
		assert.Equal(t, 202, w.do("acme", "POST", "/ingest", `{"text":"water"}`).Code, "nothing was held")
		assert.Equal(t, 202, w.do("globex", "POST", "/ingest", long).Code)
		time.Sleep(time.Minute) // the purses give back what they hold
	})
}
