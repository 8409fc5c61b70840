package broker_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProducer holds the rules of the binding's methods: what they take, what
// they refuse and how, and what they answer.
func TestProducer(t *testing.T) {
	p := newPlatform(t, map[string]settings{
		"kept":    {"consumer": nil},
		"other":   {"consumer": nil},
		"refused": {"consumer": nil},
		"content": {"maxWaitMs": 0},
		"nobody":  {"consumer": "NOBODY"},
		"letters": {"deadLetterQueue": "nowhere"},
	})
	t.Run("metrics", func(t *testing.T) { testMetrics(t, p.in(t)) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, p.in(t)) })
	t.Run("largest", func(t *testing.T) { testLargest(t, p.in(t)) })
	t.Run("content types", func(t *testing.T) { testContent(t, p.in(t)) })
}

func testMetrics(t *testing.T, p *platform) {
	assert.JSONEq(t, `{"backlogCount":0,"backlogBytes":0}`, string(p.call("kept", "metrics")))
	var sent struct{ Metadata struct{ Metrics metrics } }
	require.NoError(t, json.Unmarshal(p.call("kept", "send", "four", map[string]any{"contentType": "text"}), &sent))
	first := p.peek("kept")[0]
	assert.Equal(t, metrics{Count: 1, Bytes: 4, Oldest: &first.Timestamp}, sent.Metadata.Metrics)

	require.NoError(t, json.Unmarshal(p.call("kept", "sendBatch", []any{
		map[string]any{"body": map[string]int{"a": 1}, "delaySeconds": 60},
		map[string]any{"body": "x"},
	}, map[string]any{"delaySeconds": 5}), &sent))
	assert.Equal(t, metrics{Count: 3, Bytes: 4 + 7 + 3, Oldest: &first.Timestamp}, sent.Metadata.Metrics)
	assert.Equal(t, metrics{Count: 3, Bytes: 4 + 7 + 3, Oldest: &first.Timestamp}, p.metrics("kept"))
	assert.Zero(t, p.metrics("other"), "queues are apart")

	var delays []float64
	for _, m := range p.peek("kept") {
		delays = append(delays, m.Due.Sub(m.Timestamp).Seconds())
		assert.Len(t, m.ID, 32)
		assert.Zero(t, m.Attempts)
	}
	assert.Equal(t, []float64{0, 60, 5}, delays, "a message's own delay comes before the batch's")
	assert.JSONEq(t, `3`, string(p.call("kept", "purge")))
	assert.Zero(t, p.metrics("kept"))
}

func testRefusals(t *testing.T, p *platform) {
	text := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int, body string) (list []map[string]any) {
		for range n {
			list = append(list, map[string]any{"body": body})
		}
		return list
	}
	for _, test := range []struct {
		name, method string
		args         []any
		want         string
	}{
		{"message size", "send", []any{text(127_999)}, "Error: message length of 128001 bytes exceeds limit of 128000 (10204)"},
		{"message size in a batch", "sendBatch", []any{many(1, text(127_999))}, "Error: message in batch has length 128001 bytes which exceeds single message size limit of 128000 (10204)"},
		{"batch size", "sendBatch", []any{append(many(2, text(127_998)), many(1, "")...)}, "Error: batch size of 256002 bytes exceeds limit of 256000 bytes (10205)"},
		{"batch count", "sendBatch", []any{many(101, "")}, "Error: batch message count of 101 exceeds limit of 100 (10206)"},
		{"empty batch", "sendBatch", []any{[]any{}}, "TypeError: sendBatch() requires at least one message"},
		{"delay too long", "send", []any{1, settings{"delaySeconds": 86_401}}, "Error: Invalid message metadata (10203)"},
		{"negative delay", "send", []any{1, settings{"delaySeconds": -1}}, "Error: Invalid message metadata (10203)"},
		{"part of a second", "send", []any{1, settings{"delaySeconds": 0.5}}, "Error: Invalid message metadata (10203)"},
		{"delay in a batch", "sendBatch", []any{[]any{settings{"body": 1}, settings{"body": 1, "delaySeconds": -1}}}, "Error: Invalid message metadata (10203)"},
		{"batch delay", "sendBatch", []any{many(1, ""), settings{"delaySeconds": 86_401}}, "Error: Invalid batch delay (10202)"},
		{"content type", "send", []any{1, settings{"contentType": "xml"}}, "TypeError: Unsupported queue message content type: xml"},
		{"text that is none", "send", []any{1, settings{"contentType": "text"}}, `TypeError: Content Type "text" requires a value of type string, but received: number`},
		{"bytes that are none", "send", []any{"x", settings{"contentType": "bytes"}}, `TypeError: Content Type "bytes" requires a value of type ArrayBufferView, but received: string`},
		{"no body in a batch", "sendBatch", []any{[]any{settings{"body": 1}, settings{}}}, "TypeError: Message body cannot be undefined"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := p.try("refused", test.method, test.args...)
			assert.EqualError(t, err, test.want)
		})
	}
	for body, want := range map[string]string{
		"undefined": "TypeError: Message body cannot be undefined",
		"bigint":    "TypeError: Do not know how to serialize a BigInt",
		"function":  "DataCloneError: [object JsRpcStub] could not be cloned.",
		"regexp":    "DataCloneError: [object RegExp] could not be cloned.",
	} {
		_, err := p.ask(map[string]any{"queue": "refused", "call": "send", "body": body})
		assert.EqualError(t, err, want)
	}
	_, err := p.try("nowhere", "send", 1)
	assert.EqualError(t, err, "Error: Queue does not exist (10104)")
	_, err = p.try("nowhere", "metrics")
	assert.EqualError(t, err, "Error: Queue does not exist (10104)")
	_, err = p.try("nobody", "send", 1)
	assert.EqualError(t, err, "Error: queue nobody: there is no service binding NOBODY")
	_, err = p.try("letters", "send", 1)
	assert.EqualError(t, err, "Error: queue letters: there is no dead-letter queue nowhere")
	assert.Zero(t, p.metrics("refused"), "a refused batch leaves nothing behind")
}

func testLargest(t *testing.T, p *platform) {
	largest := strings.Repeat("x", 127_998) // and two quotes
	p.call("other", "send", largest, settings{"delaySeconds": 86_400})
	p.send("other", largest, largest)
	hundred := make([]any, 100)
	p.send("other", hundred...)
	m := p.metrics("other")
	assert.Equal(t, 103, m.Count)
	assert.Equal(t, 3*128_000+100*len("null"), m.Bytes)
}

func testContent(t *testing.T, p *platform) {
	for i, args := range [][]any{
		{map[string]any{"é": []int{1}}},
		{"\ufefftext \x00 日本", settings{"contentType": "text"}},
		{"JSON", settings{"contentType": "JSON"}},
	} {
		p.call("content", "send", args...)
		p.delivered("content", i+1)
	}
	for i, body := range []string{"date", "bytes", "v8"} {
		_, err := p.ask(map[string]any{"queue": "content", "call": "send", "body": body})
		require.NoError(t, err)
		p.delivered("content", i+4)
	}
	var got []any
	for _, m := range messages(p.got("content")) {
		got = append(got, m.Body)
	}
	data, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `[
		{"é": [1]},
		"\ufefftext \u0000 日本",
		"JSON",
		{"at": "1970-01-01T00:00:00.000Z"},
		"<buffer 255,7>",
		{
			"numbers": [0, -1, 1073741824, -1073741825, 0.5, "<-0>", "<NaN>", "<Infinity>"],
			"texts": ["", "é", "日本", "a日本", "`+strings.Repeat("x", 300)+`"],
			"sparse": [1, "<hole>", 3], "shared": {"again": true}, "again": {"again": true},
			"none": "<undefined>", "nil": null, "yes": true, "big": ["<0n>", "<-5n>", "<1180591620717411303424n>"],
			"at": "<date 2001-09-09T01:46:40.000Z>", "map": {"map": [["k", {"v": 1}]]}, "set": {"set": [1, "2"]},
			"buffer": "<buffer 1,2,3,4>", "view": "<Uint16Array 1027 at 2>", "7": "seven"
		}
	]`, string(data))
}
