package estimate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/estimate"
	"levada.dev/workflows/speech"
)

// acme asks a cheap model and one that is dear, and globex other ones.
func two(t *testing.T) (acme, globex tenants.Config) {
	acme = tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Models.Chat, c.Models.ChatFallback = "@cf/zai-org/glm-4.7-flash", []string{"@cf/moonshotai/kimi-k2.6"}
		c.Models.Embedding = "@cf/baai/bge-m3"
		c.Chat.MaxTokens = 400
		c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1", Fallback: "@cf/deepgram/aura-2-en"}
	})
	globex = tenantstest.Config(t, "globex", func(c *tenants.Config) {
		c.Models.Chat, c.Models.Embedding = "@cf/meta/llama-3.2-1b-instruct", "@cf/baai/bge-base-en-v1.5"
		c.Speech = tenants.Speech{Enabled: true, Model: "@cf/myshell-ai/melotts"}
	})
	return acme, globex
}

func work(t *testing.T, text string) (w estimate.Work) {
	require.NoError(t, json.Unmarshal([]byte(text), &w))
	return w
}

func of(t *testing.T, c tenants.Config, text string) estimate.Estimate {
	t.Helper()
	e, err := estimate.Of(&c, speech.Terms{Speech: c.Speech}, work(t, text))
	require.NoError(t, err, text)
	return e
}

func TestWhatWorkTakes(t *testing.T) {
	acme, globex := two(t)
	for _, tt := range []struct {
		c              tenants.Config
		work, model    string
		expected, most estimate.Sum
	}{
		// 4,000 bytes are 1,000 tokens, in 2 + 1000/384 chunks; at most 4,000 tokens in 2 + 4000/128 calls, and everything twice.
		{acme, `{"capability":"ingest","documents":2,"bytes":4000}`, "@cf/baai/bge-m3",
			estimate.Sum{Calls: 1, Tokens: 1_008, Neurons: 1_008 * 1_075, Nanos: 1_008 * 12},
			estimate.Sum{Calls: 33, Tokens: 2 * (4_000 + 33*3), Neurons: 2 * 4_099 * 1_075, Nanos: 2 * 4_099 * 12}},
		{globex, `{"capability":"ingest","documents":1000,"tokens":384000}`, "@cf/baai/bge-base-en-v1.5",
			estimate.Sum{Calls: 20, Tokens: 388_000, Neurons: 388_000 * 6_058, Nanos: 388_000 * 67},
			estimate.Sum{Calls: 7_000, Tokens: 2 * (768_000 + 7_000*3), Neurons: 1_578_000 * 6_058, Nanos: 1_578_000 * 67}},
		{acme, `{"capability":"embeddings","model":"@cf/baai/bge-small-en-v1.5","texts":101,"bytes":401}`, "@cf/baai/bge-small-en-v1.5",
			estimate.Sum{Calls: 2, Tokens: 101 + 202, Neurons: 303 * 1_841, Nanos: 303 * 20},
			estimate.Sum{Calls: 101, Tokens: 401 + 303, Neurons: 704 * 1_841, Nanos: 704 * 20}},
		{acme, `{"capability":"chat","turns":10,"promptTokens":1000,"maxTokens":200}`, "@cf/zai-org/glm-4.7-flash",
			estimate.Sum{Calls: 10, Tokens: 10_500, Neurons: 10_000*5_500 + 500*36_400, Nanos: 10_000*60 + 500*400},
			estimate.Sum{Calls: 10, Tokens: 12_000, Neurons: 10_000*86_364 + 2_000*363_636, Nanos: 10_000*950 + 2_000*4_000}},
		{globex, `{"capability":"chat","turns":1,"promptTokens":0}`, "@cf/meta/llama-3.2-1b-instruct",
			estimate.Sum{Calls: 1, Tokens: 256, Neurons: 256 * 18_252, Nanos: 256 * 201}, estimate.Sum{Calls: 1, Tokens: 1_024, Neurons: 1_024 * 18_252, Nanos: 1_024 * 201}},
		{acme, `{"capability":"speech","characters":4500}`, "@cf/deepgram/aura-1",
			estimate.Sum{Calls: 4, Chars: 4_500, Neurons: 4_500 * 1_363_640, Nanos: 4_500 * 15_000},
			estimate.Sum{Calls: 31, Chars: 4_500, Neurons: 4_500 * 2_727_270, Nanos: 4_500 * 30_000}},
		{acme, `{"capability":"speech","characters":0}`, "@cf/deepgram/aura-1", estimate.Sum{}, estimate.Sum{}},
		{globex, `{"capability":"speech","characters":900}`, "@cf/myshell-ai/melotts", // a minute
			estimate.Sum{Calls: 3, Chars: 900, Neurons: 18_630_000, Nanos: 200_000},
			estimate.Sum{Calls: 7, Chars: 900, Neurons: (225+7*5)*18_630_000/60 + 7, Nanos: (225+7*5)*200_000/60 + 1 + 7}},
	} {
		e := of(t, tt.c, tt.work)
		assert.Equal(t, tt.model, e.Model, tt.work)
		assert.Equal(t, tt.expected, e.Expected, tt.work)
		assert.Equal(t, tt.most, e.Most, tt.work)
		assert.NotEmpty(t, e.Basis, tt.work)
	}
}

func TestWhatQuestionsTake(t *testing.T) {
	acme, globex := two(t)
	plain := of(t, acme, `{"capability":"search","queries":100,"answer":false}`)
	assert.Equal(t, estimate.Sum{Calls: 100, Tokens: 1_600, Neurons: 1_600 * 1_075, Nanos: 1_600 * 12}, plain.Expected)
	assert.Equal(t, "@cf/baai/bge-m3", plain.Model)
	answered := of(t, acme, `{"capability":"search","queries":100}`)
	assert.Equal(t, int64(200), answered.Expected.Calls)
	assert.Equal(t, "@cf/zai-org/glm-4.7-flash", answered.Model)
	reranked := of(t, acme, `{"capability":"search","queries":100,"rerank":true}`)
	assert.Equal(t, int64(300), reranked.Expected.Calls)
	assert.Equal(t, answered.Expected.Nanos+100*50*300*3, reranked.Expected.Nanos)
	for _, e := range []estimate.Estimate{plain, answered, reranked} {
		assert.Greater(t, e.Most.Tokens, e.Expected.Tokens)
		assert.Greater(t, e.Most.Nanos, e.Expected.Nanos)
	}
	assert.NotEqual(t, answered.Expected, of(t, globex, `{"capability":"search","queries":100}`).Expected, "each tenant has its own models")
}

// Nothing is more than its most, whatever is asked, up to the largest numbers that are taken.
func TestMostIsMost(t *testing.T) {
	acme, globex := two(t)
	for _, c := range []tenants.Config{acme, globex} {
		for _, n := range []int64{0, 1, 99, 100, 101, 12_345, 1_000_000, 100_000_000} {
			for _, text := range []string{
				`{"capability":"ingest","documents":N,"bytes":ALL}`, `{"capability":"ingest","documents":N,"tokens":ALL}`,
				`{"capability":"embeddings","texts":N,"bytes":ALL}`, `{"capability":"search","queries":N,"answer":false}`,
				`{"capability":"chat","turns":N,"promptTokens":50000}`, `{"capability":"speech","characters":CHARS}`,
			} {
				e := of(t, c, strings.NewReplacer("N", fmt.Sprint(n), "ALL", fmt.Sprint(n*10_000), "CHARS", fmt.Sprint(n*10)).Replace(text))
				for _, pair := range [][2]int64{
					{e.Expected.Calls, e.Most.Calls}, {e.Expected.Tokens, e.Most.Tokens}, {e.Expected.Chars, e.Most.Chars},
					{int64(e.Expected.Neurons), int64(e.Most.Neurons)}, {e.Expected.Nanos, e.Most.Nanos},
				} {
					assert.LessOrEqual(t, int64(0), pair[0], text)
					assert.LessOrEqual(t, pair[0], pair[1], "%s with %d: %+v", text, n, e)
				}
			}
		}
	}
}

func TestWhatCannotBeEstimated(t *testing.T) {
	acme, _ := two(t)
	silent := tenantstest.Config(t, "silent", func(*tenants.Config) {})
	for text, want := range map[string]string{
		`{}`: "capability invalid_value", `{"capability":"tools"}`: "capability invalid_value",
		`{"capability":"ingest"}`: "documents field_required", `{"capability":"ingest","documents":1}`: "bytes field_required",
		`{"capability":"ingest","documents":1,"bytes":1,"tokens":1}`:                          "tokens invalid_value",
		`{"capability":"ingest","documents":-1,"bytes":1}`:                                    "documents value_out_of_range",
		`{"capability":"ingest","documents":1,"bytes":1000000000001}`:                         "bytes value_out_of_range",
		`{"capability":"ingest","documents":1,"bytes":1,"characters":1}`:                      "characters invalid_value",
		`{"capability":"ingest","documents":1,"bytes":1,"rerank":true}`:                       "rerank invalid_value",
		`{"capability":"ingest","documents":1,"bytes":1,"model":"@cf/zai-org/glm-4.7-flash"}`: "model model_unknown",
		`{"capability":"chat","turns":1}`:                                                     "promptTokens field_required",
		`{"capability":"chat","turns":1,"promptTokens":1,"maxTokens":999999}`:                 "maxTokens value_out_of_range",
		`{"capability":"chat","turns":100000000,"promptTokens":10000000}`:                     "turns value_out_of_range",
		`{"capability":"chat","turns":1,"promptTokens":1,"model":"@cf/openai/gpt-oss-20b"}`:   "model model_not_allowed",
		`{"capability":"chat","turns":1,"promptTokens":1,"model":"x"}`:                        "model model_unknown",
		`{"capability":"search","queries":1,"model":"x"}`:                                     "model model_unknown",
		`{"capability":"search","queries":100000001}`:                                         "queries value_out_of_range",
		`{"capability":"speech","characters":1,"model":"@cf/myshell-ai/melotts"}`:             "model model_not_allowed",
		`{"capability":"speech","texts":1}`:                                                   "characters field_required",
	} {
		_, err := estimate.Of(&acme, speech.Terms{Speech: acme.Speech}, work(t, text))
		require.Error(t, err, text)
		f := fault.As(err)
		assert.Equal(t, want, strings.TrimSpace(f.Field+" "+f.Code), "%s: %v", text, err)
	}
	wordy := acme
	wordy.Limits.QueryChars = 100_000
	_, err := estimate.Of(&wordy, speech.Terms{}, work(t, `{"capability":"search","queries":100000000}`))
	assert.Equal(t, "queries", fault.As(err).Field, "nobody could count that")
	_, err = estimate.Of(&silent, speech.Terms{Speech: silent.Speech}, work(t, `{"capability":"speech","characters":1}`))
	assert.Equal(t, "tts_not_enabled", fault.As(err).Code)
}
