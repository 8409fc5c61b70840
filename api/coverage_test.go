package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/trail"
)

// decision is how what a route does comes on record.
type decision struct {
	act  string // as an act: that it is tried, and how it ended
	fact string // by the fact that follows, which is told with the effect and recorded as every event is
	tool bool   // as a call of a tool, which records itself
	none string // not at all, and why
	does string // a request by which an act is done, with words in it that must not be on record: "?query" or a body
}

// Why nothing is on record.
const (
	reads   = "it reads, and changes nothing"
	counts  = "it reads, and changes nothing; what its models cost is told by usage.recorded"
	anybody = "anybody may ask, and nothing of a tenant is told"
)

// decisions has a row for each of the routes, so that nobody adds one without saying how it comes on record.
var decisions = map[string]decision{
	"GET /health":                         {none: anybody},
	"GET /ready":                          {none: anybody},
	"GET /openapi.json":                   {none: anybody},
	"GET /whoami":                         {none: reads},
	"OPTIONS /ingest/webhooks/{sourceId}": {none: anybody},

	"POST /ingest":                     {fact: events.TypeDocumentSubmitted},
	"POST /ingest/webhooks/{sourceId}": {fact: events.TypeDocumentSubmitted},
	"POST /ingest/batch":               {fact: events.TypeImportStarted},
	"POST /imports":                    {fact: events.TypeImportStarted},
	"GET /documents":                   {none: reads},
	"GET /documents/{id}":              {none: reads},
	"PUT /documents/{id}":              {fact: events.TypeDocumentSubmitted},
	"DELETE /documents/{id}":           {act: "documents.delete"},
	"GET /documents/{id}/content":      {none: reads},
	"GET /jobs":                        {none: reads},
	"GET /jobs/{id}":                   {none: reads},
	"DELETE /jobs/{id}":                {act: "jobs.cancel"},
	"GET /jobs/{id}/events":            {none: reads},
	"GET /jobs/{id}/problems":          {none: reads},

	"POST /chat":                   {fact: events.TypeChatCompleted},
	"GET /chat/streams/{streamId}": {none: reads},
	"GET /chat/{id}/history":       {none: reads},
	"DELETE /chat/{id}":            {act: "sessions.delete"},
	"GET /sessions":                {none: reads},
	"GET /sessions/{id}":           {none: reads},
	"DELETE /sessions/{id}":        {act: "sessions.delete"},
	"GET /sessions/{id}/history":   {none: reads},
	"GET /sessions/{id}/export":    {none: reads},

	"DELETE /tenant":                {act: "tenant.erase", does: "?confirm=" + canary},
	"GET /tenant/embedding":         {none: reads},
	"POST /tenant/embedding":        {act: "tenant.embedding.set", does: `{"model":"@cf/baai/bge-m3","dryRun":true,"cursor":"` + canary + `"}`},
	"DELETE /tenant/embedding":      {act: "tenant.embedding.drop", does: "?model=" + canary},
	"GET /tenant/export/documents":  {none: reads},
	"POST /tenant/export/documents": {none: reads},
	"GET /tenant/export/sessions":   {none: reads},
	"POST /tenant/export/sessions":  {none: reads},
	"GET /tenant/transfer":          {none: reads},
	"POST /tenant/transfer":         {act: "tenant.transfer.set", does: `{ "state" : "` + canary + `" }`},
	"POST /tenant/transfer/runs":    {act: "tenant.transfer.begin", does: `{"from":"https://` + canary + `.example.com","key":"{key}","usage":true}`},
	"GET /usage":                    {none: reads},
	"GET /metrics":                  {none: reads},
	"GET /metrics/overview":         {none: reads},
	"GET /metrics/slis":             {none: reads},
	"GET /metrics/cost":             {none: reads},
	"GET /metrics/search-cache":     {none: reads},
	"GET /metrics/tools/execution":  {none: reads},
	"GET /metrics/anomalies":        {none: reads},
	"GET /metrics/alerts":           {none: reads},
	"POST /metrics/alerts":          {act: "alerts.set", does: `{"name":"` + canary + `","metric":"requests","comparator":">","threshold":1,"period":"5m"}`},
	"DELETE /metrics/alerts/{id}":   {act: "alerts.delete"},
	"POST /usage/estimate":          {none: reads},
	"GET /traces":                   {none: reads},
	"GET /traces/{id}":              {none: reads},
	"GET /audit":                    {none: reads},
	"GET /events":                   {none: reads},
	"GET /events/{id}":              {none: reads},
	"POST /events/replay":           {act: "events.replay", does: `{"docId":"` + canary + `","codes":["` + canary + `"],"limit":10}`},
	"POST /search":                  {none: counts},
	"GET /schema/prompts":           {none: reads},
	"GET /schema/prompts/{name}":    {none: reads},
	"GET /schema/tools":             {none: reads},
	"POST /tools/execute":           {tool: true},
	"POST /tts":                     {fact: events.TypeSpeechRequested},
	"GET /tts/voices":               {none: reads},
	"GET /tts/jobs":                 {none: reads},
	"GET /tts/jobs/{id}":            {none: reads},
	"DELETE /tts/jobs/{id}":         {act: "speech.cancel"},
	"GET /tts/jobs/{id}/audio":      {none: reads},
	"POST /mcp":                     {tool: true},
	"POST /v1/chat/completions":     {none: counts},
	"POST /v1/embeddings":           {none: counts},
	"POST /v1/audio/speech":         {fact: events.TypeSpeechSynthesized},
	"GET /v1/models":                {none: reads},
	"GET /v1/models/{id}":           {none: reads},
}

// canary is what nobody may find on record.
const canary = "canary-7c1f"

// outside are the refusals that are no refused access of the trail, and why.
var outside = map[string]string{
	"webhook_origin_denied": "a handshake, which anybody may ask for and by which nothing is done",
	"model_not_allowed":     "the caller is let in, and asks for what the tenant does not have",
	"tts_not_enabled":       "the caller is let in, and asks for what the tenant does not have",
	tools.CodeDenied:        "the call of the tool is on record, with its code",
}

func TestEachRouteHasADecision(t *testing.T) {
	var decided []string
	for row, d := range decisions {
		decided = append(decided, row)
		method, pattern, _ := strings.Cut(row, " ")
		_, act := api.ActOf(method, pattern)
		assert.Equal(t, act, d.act, "what %s puts on record", row)
		if d.fact != "" {
			_, known := events.SpecOf(d.fact)
			assert.True(t, known, "%s tells %s", row, d.fact)
		}
		ways := 0
		for _, is := range []bool{d.act != "", d.fact != "", d.tool, d.none != ""} {
			if is {
				ways++
			}
		}
		assert.Equal(t, 1, ways, "%s: it is on record in one way, or it says why not", row)
	}
	assert.ElementsMatch(t, api.Routes(), decided, "each route says how it comes on record")
	for _, c := range api.Codes() {
		if c.Status == 401 || c.Status == 403 {
			assert.NotEqual(t, api.OnRecord(c.Name), outside[c.Name] != "", "%s is refused access on record, or says why not", c.Name)
		}
	}
}

// target is where a row's request goes: what the path names has the canary in it.
func target(pattern string) string {
	for _, name := range []string{"{id}", "{streamId}", "{sourceId}", "{name}"} {
		pattern = strings.ReplaceAll(pattern, name, canary+"-path")
	}
	return pattern
}

// loud are headers with the canary in each that a client chooses freely.
func loud(more ...string) []string {
	headers := []string{
		"idempotency-key", canary + "-key", "user-agent", canary, "cookie", "session=" + canary, "referer", "https://" + canary + ".example.com", "accept-language", canary,
		"x-forwarded-for", canary, "cf-connecting-ip", canary, "tracestate", "vendor=" + canary, "baggage", "k=" + canary,
	}
	return append(headers, more...)
}

// since is what a tenant's trail has that it had not before.
func (w *world) since(tenant string, n int) []trail.Entry { return w.entries(tenant)[n:] }

// digestOf is the SHA-256 of JSON in canonical form, by the library and not by what has written it.
func digestOf(t *testing.T, text []byte) string {
	t.Helper()
	form, err := jcs.Transform(text)
	require.NoError(t, err)
	sum := sha256.Sum256(form)
	return hex.EncodeToString(sum[:])
}

// Each act leaves exactly two entries, that it is tried and how it ended, each time it is asked for: with who, which request, the digest of what it was
// done with; and nothing else of the request but what it was done to.
func TestEachActLeavesItsBeginningAndItsEnd(t *testing.T) {
	for row, d := range decisions {
		if d.act == "" {
			continue
		}
		inBubbleOf(t, row, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.opts.Now = clock() })
			method, pattern, _ := strings.Cut(row, " ")
			for _, tenant := range []string{"acme", "globex", "acme"} { // the third time the same again
				request := fmt.Sprintf("6f1d3c1e-2f0b-4c63-9a53-%012d", len(w.entries(tenant)))
				body, query, _ := strings.Cut(strings.ReplaceAll(d.does, "{key}", w.keys[tenant]), "?")
				if query != "" {
					query = "?" + query
				}
				before, other := len(w.entries(tenant)), len(w.entries("acme"))+len(w.entries("globex"))
				w.do(tenant, method, target(pattern)+query, body, loud("x-request-id", request, "x-user-id", "ada")...)
				synctest.Wait() // how it ended is told beside the answer

				got := w.since(tenant, before)
				require.Len(t, got, 2)
				assert.Len(t, append(w.entries("acme"), w.entries("globex")...), other+2, "the other tenant's trail has nothing of it")
				begun, ended := got[0].Act, got[1].Act
				assert.Equal(t, events.OutcomeBegun, begun.Outcome)
				assert.NotEqual(t, events.OutcomeBegun, ended.Outcome)
				assert.Equal(t, ended.Outcome == events.OutcomeSucceeded, ended.Code == "")
				for _, a := range []*events.Act{begun, ended} {
					assert.Equal(t, []string{d.act, tenant, "ada", request}, []string{a.Name, a.Actor, a.UserID, a.RequestID})
					switch {
					case body != "":
						assert.Equal(t, digestOf(t, []byte(body)), a.Arguments, "as whoever has the arguments computes it")
					case query != "":
						values, err := url.ParseQuery(query[1:])
						require.NoError(t, err)
						text, err := json.Marshal(values)
						require.NoError(t, err)
						assert.Equal(t, digestOf(t, text), a.Arguments)
					default:
						assert.Empty(t, a.Arguments)
					}
				}
				w.silent(tenant, strings.Contains(pattern, "{"))
			}
		})
	}
}

// silent checks that nothing that a client wrote is on record but what an act was done to, when named says that the path named that.
func (w *world) silent(tenant string, named bool) {
	w.t.Helper()
	for _, e := range w.entries(tenant) {
		if named && e.Act != nil {
			assert.Equal(w.t, canary+"-path", e.Act.Target[strings.IndexByte(e.Act.Target, '/')+1:])
			act := *e.Act
			act.Target = ""
			e.Act = &act
		}
		line, err := json.Marshal(e)
		require.NoError(w.t, err)
		assert.NotContains(w.t, string(line), canary)
		for _, key := range w.keys {
			assert.NotContains(w.t, string(line), key)
		}
	}
}

// Whoever is not let in leaves exactly one entry, on each of the routes, with the code and how often; and nothing else of what was sent.
func TestEachRouteRefusesOnRecord(t *testing.T) {
	for _, row := range api.Routes() {
		scope, needsKey := api.ScopeOf(row)
		if !needsKey {
			continue
		}
		method, pattern, _ := strings.Cut(row, " ")
		cases := []struct{ name, as, tenant, code, actor, origin string }{
			{name: "no key", tenant: "acme", code: "unauthorized"},
			{name: "a key that nobody knows", as: "nobody", tenant: "globex", code: "unauthorized"},
			{name: "another tenant's key", as: "globex", tenant: "acme", code: "tenant_mismatch"},
			{name: "a page of a foreign origin", tenant: "demo", code: "origin_denied", origin: "https://" + canary + ".example.com"},
		}
		if scope != api.AnyScope {
			other := "globex-search"
			if scope == tenants.ScopeSearch {
				other = "globex-tools"
			}
			cases = append(cases, struct{ name, as, tenant, code, actor, origin string }{
				name: "a key without the scope", as: other, tenant: "globex", code: "scope_denied", actor: other,
			})
		}
		inBubbleOf(t, row, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.opts.Now = clock() })
			for _, c := range cases {
				before := map[string]int{}
				for _, tenant := range []string{"acme", "globex", "demo"} {
					before[tenant] = len(w.entries(tenant))
				}
				headers := loud("last-event-id", canary, "x-tenant-id", c.tenant, "x-user-id", canary)
				if c.origin != "" {
					headers = append(headers, "origin", c.origin)
				}
				for range 2 { // the second is the same again, and counted
					w.do(c.as, method, strings.ReplaceAll(target(pattern), "...}", "}")+"?"+canary+"="+canary, `{"`+canary+`":"`+canary+`"}`, headers...)
				}
				time.Sleep(6 * time.Second)
				got := w.since(c.tenant, before[c.tenant])
				require.Len(t, got, 1, c.name)
				act := got[0].Act
				assert.Equal(t, []any{events.ActAccess, row, c.code, c.actor, events.OutcomeRefused, 2, "", ""},
					[]any{act.Kind, strings.Replace(act.Name, "...}", "}", 1), act.Code, act.Actor, act.Outcome, act.Count, act.UserID, act.Arguments}, c.name)
				for tenant, n := range before {
					if tenant != c.tenant {
						assert.Len(t, w.entries(tenant), n, "%s: %s has nothing of it", c.name, tenant)
					}
					w.silent(tenant, false)
				}
			}
		})
	}
}

// A call of a tool leaves one entry when it does not write and two when it does, whichever way it came; nothing of what it was called with is in it.
func TestEachCallOfAToolIsOnRecordOnce(t *testing.T) {
	const silent, noted = canary, "ada"
	arguments := map[string]string{"echo": `{"size":3,"text":"` + silent + `"}`, "writer": `{"text":"` + silent + `"}`, "none-" + silent: `{"a":"` + silent + `"}`}
	for _, tool := range []string{"echo", "writer", "none-" + silent} {
		for _, way := range []string{"execute", "mcp"} {
			inBubbleOf(t, tool+" by "+way, func(t *testing.T) {
				w := newWorld(t)
				send := func(tenant string) {
					if way == "execute" {
						w.do(tenant, "POST", execute, `{"tool_name":"`+tool+`","params":`+arguments[tool]+`}`, loud("x-user-id", noted, "idempotency-key", canary+tenant)...)
						return
					}
					message := `{"jsonrpc":"2.0","id":"` + silent + `","method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments[tool] + `}}`
					w.say(tenant, message, loud("x-user-id", noted, "mcp-session-id", w.session(tenant), "mcp-protocol-version", "2025-11-25")...)
				}
				for _, tenant := range []string{"acme", "globex"} {
					send(tenant)
					synctest.Wait()
					acts := w.bench.records.Acts(t, w.scope(tenant))
					want := []events.Outcome{events.OutcomeSucceeded}
					switch {
					case tool == "writer" && tenant == "acme":
						want = []events.Outcome{events.OutcomeBegun, events.OutcomeSucceeded}
					case tool != "echo": // globex has no writer, and nobody has the third
						want = []events.Outcome{events.OutcomeRefused}
					}
					var got []events.Outcome
					for _, a := range acts {
						got = append(got, a.Outcome)
						assert.NotContains(t, fmt.Sprintf("%+v", a), silent)
						assert.Equal(t, []string{tenant, noted, digestOf(t, []byte(arguments[tool]))}, []string{a.Actor, a.UserID, a.Arguments})
						assert.True(t, a.Name == tool || a.Name == "?")
					}
					assert.Equal(t, want, got, tenant)
					assert.Empty(t, w.entries(tenant), "and nothing else")
				}
			})
		}
	}
}
