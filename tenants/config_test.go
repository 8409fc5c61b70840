package tenants_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

func TestParseSetsDefaults(t *testing.T) {
	c, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme"}`))
	require.NoError(t, err)
	assert.Equal(t, &tenants.Config{
		ID: "acme", Name: "Acme", Pool: "acme",
		Auth:     tenants.Auth{Mode: tenants.AuthKeys},
		Models:   tenants.Models{Embedding: tenants.DefaultEmbedding, Chat: tenants.DefaultChat},
		Limits:   tenants.Limits{BodyBytes: 10_000_000, DocumentBytes: 5_000_000, QueryChars: 2_000, MessageChars: 64_000},
		Search:   tenants.Search{TopK: 5, MaxTopK: 20, Shards: 1, CacheTTLSeconds: tenants.DefaultSearchCacheTTL},
		Chat:     tenants.Chat{MaxTokens: 1_024, MaxTokensLimit: 4_096}, // and no cache
		Sessions: tenants.Sessions{Days: 30, Turns: 200, WindowTokens: 4_000},
		Rates: tenants.Rates{
			Tenant: tenants.Rate{PerMinute: 1_200, Burst: 120}, User: tenants.Rate{PerMinute: 300, Burst: 30},
		},
		Budgets: tenants.Budgets{TokensPerDay: 2_000_000, TokensPerMonth: 20_000_000, CharactersPerDay: 1_000_000, CharactersPerMonth: 10_000_000, USDPerDay: 10, USDPerMonth: 100},
		Ingest:  tenants.Ingest{Weight: 10, MaxWaiting: 100_000, DeadlineMinutes: 15},
		Answers: tenants.Answers{Prompt: "grounded@1", Threshold: 40, Unsupported: tenants.UnsupportedMark},
		Tools:   tenants.Tools{MaxSteps: 5, MaxSeconds: 60}, // and none is enabled
		Safety:  tenants.Safety{Input: tenants.ScreenFlag, Retrieved: tenants.ScreenFlag, Answers: tenants.RedactOff},
		Speech:  tenants.Speech{KeepDays: 7}, // and it is off
	}, c)
	again := *c
	again.Defaults()
	assert.Equal(t, *c, again)
}

func TestDefaultsFitWhatIsSet(t *testing.T) {
	for text, want := range map[string][4]int64{
		`"limits":{"bodyBytes":1000}`: {1000, 1000, 5, 20},
		`"search":{"topK":50}`:        {10_000_000, 5_000_000, 50, 50},
		`"search":{"maxTopK":3}`:      {10_000_000, 5_000_000, 3, 3},
	} {
		c, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme",` + text + `}`))
		require.NoError(t, err, text)
		assert.Equal(t, want, [4]int64{c.Limits.BodyBytes, c.Limits.DocumentBytes, int64(c.Search.TopK), int64(c.Search.MaxTopK)})
	}
}

func TestChatDefaultsFitWhatIsSet(t *testing.T) {
	for text, want := range map[string][7]int64{
		`"chat":{"maxTokens":8000}`:                                   {8000, 8000, 120, 30, 20_000_000, 10_000_000, 100},
		`"chat":{"maxTokensLimit":100}`:                               {100, 100, 120, 30, 20_000_000, 10_000_000, 100},
		`"rates":{"tenant":{"perMinute":5},"user":{"perMinute":600}}`: {1024, 4096, 1, 60, 20_000_000, 10_000_000, 100},
		`"budgets":{"charactersPerDay":30000000}`:                     {1024, 4096, 120, 30, 20_000_000, 30_000_000, 100},
		`"budgets":{"tokensPerDay":50000000,"usdPerDay":200}`:         {1024, 4096, 120, 30, 50_000_000, 10_000_000, 200},
	} {
		c, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme",` + text + `}`))
		require.NoError(t, err, text)
		assert.Equal(t, want, [7]int64{
			int64(c.Chat.MaxTokens), int64(c.Chat.MaxTokensLimit), int64(c.Rates.Tenant.Burst), int64(c.Rates.User.Burst),
			c.Budgets.TokensPerMonth, c.Budgets.CharactersPerMonth, c.Budgets.USDPerMonth,
		}, text)
	}
}

func TestParseReportsTheFirstProblem(t *testing.T) {
	_, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme","search":{"filterable":{"year":"nmber"}},"x":1}`))
	f := fault.As(err)
	assert.Equal(t, fault.Invalid, f.Kind)
	assert.Equal(t, "config_invalid", f.Code)
	assert.Equal(t, "search.filterable.year", f.Field)
	assert.Equal(t, `did you mean "number"?`, f.Hint)
}

// What the schema cannot say; the rest is compared with it in tenants/validate.
func TestInspectFindsWhatASchemaCannot(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"acme","name":"A","name":"B"}`:                                                                                                              "name: appears twice",
		`{"id":"acme","name":"A","search":{},"search":{}}`:                                                                                                 "search: appears twice",
		`{"id":"acme","name":"A","search":{"filterable":{"a":"string","a":"number"}}}`:                                                                     "search.filterable.a: appears twice",
		`{"id":"acme","name":"A","limits":{"bodyBytes":5,"documentBytes":6}}`:                                                                              "limits.documentBytes: is more than limits.bodyBytes (5): no request could bring it (raise limits.bodyBytes)",
		`{"id":"acme","name":"A","search":{"shards":17}}`:                                                                                                  "search.shards: 17 is not between 1 and 16",
		`{"id":"acme","name":"A","search":{"topK":6,"maxTopK":5}}`:                                                                                         "search.topK: is more than search.maxTopK (5)",
		`{"id":"acme","name":"A","chat":{"maxTokens":6,"maxTokensLimit":5}}`:                                                                               "chat.maxTokens: is more than chat.maxTokensLimit (5)",
		`{"id":"acme","name":"A","sources":[{"id":"cms","sync":{"prefix":"a"}},{"id":"cms","sync":{"prefix":"b"}}]}`:                                       `sources[1].id: "cms" appears twice`,
		`{"id":"acme","name":"A","sources":[{"id":"cms","webhook":{"secrets":["s1"]}},{"id":"blog","webhook":{"secrets":["s2","s1"]}}]}`:                   `sources[1].webhook.secrets[1]: "s1" is a secret of the source "cms" also (give each source secrets of its own)`,
		`{"id":"acme","name":"A","sources":[{"id":"cms","sync":{"sitemap":"https://[::1"}}]}`:                                                              `sources[0].sync.sitemap: "https://[::1" is not an address of the web, http or https`,
		`{"id":"acme","name":"A","tools":{"enabled":["calculater"]}}`:                                                                                      `tools.enabled[0]: "calculater" is not a tool (did you mean "calculator"?)`,
		`{"id":"acme","name":"A","tools":{"inChat":["calculator"]}}`:                                                                                       `tools.inChat[0]: "calculator" is not enabled (enable it in tools.enabled)`,
		`{"id":"acme","name":"A","tools":{"enabled":["calculator"],"policies":[{"tool":"summarize","argument":"text","maxChars":5}]}}`:                     `tools.policies[0].tool: "summarize" is not in tools.enabled (one of calculator)`,
		`{"id":"acme","name":"A","tools":{"enabled":["calculator"],"policies":[{"tool":"calculator","argument":"a","min":0,"max":-1}]}}`:                   `tools.policies[0].min: is more than max (-1): nothing would be allowed`,
		`{"id":"acme","name":"A","speech":{"model":"@cf/a/b","fallback":"@cf/a/b"}}`:                                                                       `speech.fallback: is speech.model itself (name another, or leave it out)`,
		`{"id":"acme","name":"A","speech":{"model":"none","fallback":"@cf/a/b"}}`:                                                                          `speech.fallback: stands in for none (name the model that it stands in for in speech.model)`,
		`{"id":"acme","name":"A","speech":{"fallback":"@cf/a/b"}}`:                                                                                         `speech.fallback: stands in for none (name the model that it stands in for in speech.model)`,
		`{"id":"acme","name":"A","speech":{"webhook":{"url":"http://a.b/","secrets":["s1"]}}}`:                                                             `speech.webhook.url: is not https ("private": true opens http on the local platform)`,
		`{"id":"acme","name":"A","webhook":{"url":"http://a.b/","secrets":["s1"]}}`:                                                                        `webhook.url: is not https ("private": true opens http on the local platform)`,
		`{"id":"acme","name":"A","webhook":{"url":"https://a.b/","secrets":[]}}`:                                                                           `webhook.secrets: is required (name at least one, such as "told-1")`,
		`{"id":"acme","name":"A","sources":[{"id":"cms","webhook":{"secrets":["s1"]}}],"webhook":{"url":"https://a.b/","secrets":["s1"]}}`:                 `webhook.secrets[0]: "s1" is a secret of the source "cms" (give what is sent a secret of its own)`,
		`{"id":"acme","name":"A","speech":{"webhook":{"url":"https://a.b/#c","secrets":["s1"]}}}`:                                                          `speech.webhook.url: "https://a.b/#c" is not an address that can be called (such as https://app.example.com/hooks/levada)`,
		`{"id":"acme","name":"A","sources":[{"id":"cms","webhook":{"secrets":["s1"]}}],"speech":{"webhook":{"url":"https://a.b/","secrets":["s2","s1"]}}}`: `speech.webhook.secrets[1]: "s1" is a secret of the source "cms" (give what is sent a secret of its own)`,
		`{"id":"acme","name":"A","tools":{"http":[{"name":"t","description":"d","url":"https://a.b/","input":{"type":"object"},"auth":{"secret":"s1"}}]},"speech":{"webhook":{"url":"https://a.b/","secrets":["s1"]}}}`: `speech.webhook.secrets[0]: "s1" is the secret of the tool "t" (give what is sent a secret of its own)`,
		`{"id":"acme","name":"A","limits":{"bodyBytes":5.0}}`: "limits.bodyBytes: must be a whole number",
		`{"id":"acme","name":"A"} {}`:                         "is not JSON: invalid character '{' after top-level value",
		"\ufeff{}":                                            "is not JSON: invalid character 'ï' looking for beginning of value",
		``:                                                    "is not JSON: unexpected end of JSON input",
	} {
		_, problems := tenants.Inspect([]byte(text))
		require.Len(t, problems, 1, text)
		assert.Equal(t, want, problems[0].String())
	}
}

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	for text, place := range map[string][2]int{
		"{":                        {1, 1},
		"{\n  \"id\": acme\n}":     {2, 9},
		"{\r\n\"id\": \"a\",\r\n}": {3, 1},
		"{\"ä\": x}":               {1, 8},
	} {
		_, problems := tenants.Inspect([]byte(text))
		require.Len(t, problems, 1)
		assert.Equal(t, place, [2]int{problems[0].Line, problems[0].Column}, text)
		assert.Contains(t, problems.Err().Error(), "line")
	}
}

func TestDepthDoesNotHurt(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 100_000), `{"x":` + strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_001)} {
		_, problems := tenants.Inspect([]byte(text))
		assert.NotEmpty(t, problems)
	}
}

func TestClosest(t *testing.T) {
	names := []string{"bodyBytes", "documentBytes", "queryChars"}
	for got, want := range map[string]string{"bodybytes": "bodyBytes", "bodyByte": "bodyBytes", "documentBytse": "documentBytes", "chars": ""} {
		best, ok := tenants.Closest(got, names)
		assert.Equal(t, want, best)
		assert.Equal(t, want != "", ok)
	}
	_, ok := tenants.Closest("x", []string{})
	assert.False(t, ok)
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(`{"id":"acme","name":"Acme","search":{"filterable":{"year":"number"}}}`))
	f.Add([]byte(`{"id":5,"limits":{"bodyBytes":1e400},"cors":{"origins":[{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, problems := tenants.Inspect(b)
		if len(problems) == 0 && c.Check() != nil {
			t.Fatalf("%s passes and does not hold", b)
		}
	})
}
