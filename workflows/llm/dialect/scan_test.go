package dialect

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/llm"
)

// byJSON reads a chunk without the scanner.
func byJSON(data []byte) (said, bool) {
	var c chunk
	if json.Unmarshal(data, &c) != nil || c.failed() || c.Result != nil {
		return said{}, false
	}
	s := c.said()
	if len(s.calls) == 0 {
		s.calls = nil
	}
	return s, true
}

// What the scanner reads is what nearly all chunks of a stream are.
func TestScan(t *testing.T) {
	tests := []struct {
		chunk string
		want  said
	}{
		{`{"response":"a\n\u00e9"}`, said{text: "a\né"}},
		{`{"response":"a","p":"abc"}`, said{text: "a"}},
		{`{"response":null,"tool_calls":[],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}}`, said{usage: &llm.Usage{Prompt: 11, Completion: 2}}},
		{`{"id":"c","object":"chat.completion.chunk","created":1764000000,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":null},"logprobs":null,"finish_reason":null}],"usage":null}`, said{}},
		{`{"choices": [ {"delta": {"content": "x", "reasoning_content": "y"}, "index": 0} ] }`, said{text: "x", reasoning: "y"}},
		{`{"choices":[{"index":0,"delta":{"reasoning":"y"},"finish_reason":"stop"}]}`, said{reasoning: "y", finish: "stop"}},
		{`{"choices":[{"index":0,"delta":{"content":"b"}}],"response":"a","finish_reason":"length"}`, said{text: "a", finish: "length"}},
		{`{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":16},"extra":[{"a":true},[false,1]]}}`, said{usage: &llm.Usage{Prompt: 20, Completion: 9, Cached: 16}}},
		{`{"choices":[{"index":0,"message":{"role":"assistant","content":"x","refusal":null,"tool_calls":[]},"finish_reason":"stop"}]}`, said{text: "x", finish: "stop"}},
		{`{"choices":[{"message":null}]}`, said{}},
		{`{}`, said{}},
	}
	for _, tt := range tests {
		got, ok := scan([]byte(tt.chunk))
		require.True(t, ok, tt.chunk)
		assert.Equal(t, tt.want, got)
		slow, ok := byJSON([]byte(tt.chunk))
		require.True(t, ok, tt.chunk)
		assert.Equal(t, slow, got)
	}
}

// What it does not know, or would have to judge, it leaves to encoding/json.
func TestScanGivesUp(t *testing.T) {
	for _, chunk := range []string{
		``, `{`, `[]`, `null`, `{"response":"a"`, `{"response":"a"}}`, `{"response":"a",}`, `{,"response":"a"}`, `{"response" "a"}`, `{"response":}`,
		`{"response":5}`, `{"response":{"a":1}}`, `{"response":"\ud83c"}`, "{\"response\":\"\xff\"}", "{\"response\":\"\n\"}", `{"response":"a`, `{"response":"a\`,
		`{"response":"a","response":"b"}`, `{"Response":"a"}`, `{"\u0072esponse":"a"}`, `{"reſponse":"a"}`,
		`{"error":null}`, `{"errors":[]}`, `{"result":null}`, `{"tool_calls":[{"name":"f"}]}`,
		`{"choices":[{"index":1}]}`, `{"choices":[{"index":00}]}`, `{"choices":[{"index":0},{"index":1}]}`, `{"choices":[null]}`, `{"choices":[{"delta":null,"message":{"content":"a"}}]}`,
		`{"choices":[{"message":{"content":"a"},"delta":{"content":"b"}}]}`, `{"choices":[{"message":{"tool_calls":[{"id":"t1"}]}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, `{"choices":[{"delta":{"content":["a"]}}]}`, `{"choices":[{"delta":{"content":"a","content":"b"}}]}`,
		`{"usage":{"prompt_tokens":1.5}}`, `{"usage":{"prompt_tokens":-1}}`, `{"usage":{"prompt_tokens":01}}`, `{"usage":{"prompt_tokens":9999999999999999}}`, `{"usage":{"prompt_tokens":"1"}}`,
		`{"x":[[[[[[[[[[[[1]]]]]]]]]]]]}`, `{"x":nul}`, `{"x":tru}`, `{"x":falsy}`, `{"x":1e5}`, `{"x":"\x"}`, `{"x":[1,]}`, `{"x":[,1]}`, `{"x":[1 2]}`, `nul`, `n`,
	} {
		_, ok := scan([]byte(chunk))
		assert.False(t, ok, chunk)
	}
}

func FuzzScanAgreesWithJSON(f *testing.F) {
	for _, chunks := range tempting {
		for _, chunk := range chunks {
			f.Add([]byte(chunk))
		}
	}
	for _, form := range forms {
		f.Add([]byte(form))
	}
	f.Add([]byte(`{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":16}},"x":[{"a":true},[false,1],null,""]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := scan(data)
		if !ok {
			return
		}
		want, ok := byJSON(data)
		require.True(t, ok, "the scanner takes what is none")
		require.Equal(t, want, got)
	})
}

// BenchmarkChunk reads chunks of each form in both ways.
func BenchmarkChunk(b *testing.B) {
	for name, form := range forms {
		data := []byte(form)
		b.Run(name+"/scan", func(b *testing.B) {
			for b.Loop() {
				if _, ok := scan(data); !ok {
					b.Fatal(name)
				}
			}
		})
		b.Run(name+"/encoding json", func(b *testing.B) {
			for b.Loop() {
				if _, ok := byJSON(data); !ok {
					b.Fatal(name)
				}
			}
		})
	}
}

// FuzzWholeAgreesWithJSON holds what the scanner makes of a whole answer against what encoding/json does.
func FuzzWholeAgreesWithJSON(f *testing.F) {
	for _, body := range []string{
		wholeText, `{"response":"The sea.","tool_calls":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}`, `{"response":"","choices":[]}`,
		`{"result":{"response":"x"},"errors":[]}`, `{"choices":[{"message":{"content":"\u00e9","reasoning_content":"r"}}]}`, `{"choices":[{"index":0,"message":{"content":""}}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, ok := scan(body)
		if !ok || s.text == "" {
			return
		}
		want, err := readWhole(body, Answer{Model: "m"})
		require.NoError(t, err)
		if len(want.calls) == 0 {
			want.calls = nil
		}
		require.Equal(t, want, s)
	})
}

const wholeText = `{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant",` +
	`"content":"A levada is an irrigation channel.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":20,"total_tokens":44}}`

// BenchmarkWhole reads an answer that came at once.
func BenchmarkWhole(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewWhole([]byte(wholeText), Answer{Model: "m"}); err != nil {
			b.Fatal(err)
		}
	}
}
