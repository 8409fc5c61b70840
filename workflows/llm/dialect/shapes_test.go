package dialect

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// readAll is all pieces of a stream and the code of its end. With slow, no shape is learnt.
func readAll(body string, slow bool) (pieces []llm.Delta, code string) {
	s := NewStream(strings.NewReader(body), Answer{Model: "m", ID: "a"})
	if slow {
		s.fast.learnt = maxLearnt
	}
	for {
		d, err := s.Next()
		if err == io.EOF {
			return pieces, ""
		}
		if err != nil {
			return pieces, fault.As(err).Code
		}
		pieces = append(pieces, d)
	}
}

func stream(chunks ...string) string {
	return "data: " + strings.Join(chunks, "\n\ndata: ") + "\n\ndata: [DONE]\n\n"
}

// tempting is chunks whose shape is easily taken for another.
var tempting = [][]string{
	{`{"response":"a"}`, `{"response":"b\u003c\"\\\n","p":"abc"}`, `{"response":"","p":"abc"}`, `{"response":"c","p":"a-c"}`},
	{`{"response":"a","p":"xyz"}`, `{"response":"b"}`, `{"response":"c","q":"abc"}`, `{"response":"d"} `},
	{`{"response":"a"} `, `{"response":"b"},"p":"abc"}`},
	{`{"response":5,"x":{"content":"5"}}`, `{"response":5,"x":{"content":"6"}}`},
	{`{"response":"x","choices":[{"delta":{"content":"y"}}]}`, `{"response":"","choices":[{"delta":{"content":"y"}}]}`},
	{`{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}`, `{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}`},
	{`{"choices":[{"delta":{"reasoning_content":"a"}}]}`, `{"choices":[{"delta":{"reasoning_content":"b","content":"c"}}]}`},
	{`{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}`, `{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"c"}}]}`},
	{`{"choices":[{"index":1,"delta":{"content":"a"}},{"index":0,"delta":{"content":"a"}}]}`, `{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}`},
	{`{"response":"a","RESPONSE":"a"}`, `{"response":"b","RESPONSE":"a"}`},
	{`{"response":"a","usage":{"prompt_tokens":1}}`, `{"response":"b","usage":{"prompt_tokens":1}}`},
	{`{"response":"a","error":null}`, `{"response":"b","error":"c"}`},
	{`{"response":"a"}`, "{\"response\":\"\xff\"}", `{"response":"\ud83c\udf0a"}`, `{"response":"\ud83c"}`, "{\"response\":\"\x01\"}"},
	{`{"response":"a"}`, `{"response":"b","response":"c"}`, `{"response":"\"},\"p\":\"abc"}`},
	{`{"response": "a"}`, `{"response": "b"}`, `{"tool_calls":[{"name":"f","arguments":{}}],"response":"c"}`},
}

func TestShapesChangeNothing(t *testing.T) {
	for _, chunks := range tempting {
		for i := range chunks {
			body := stream(append(append([]string{}, chunks[i:]...), chunks...)...)
			fast, fastEnd := readAll(body, false)
			slow, slowEnd := readAll(body, true)
			assert.Equal(t, slow, fast, body)
			assert.Equal(t, slowEnd, fastEnd, body)
		}
	}
}

func FuzzShapesChangeNothing(f *testing.F) {
	for _, chunks := range tempting {
		f.Add(stream(chunks...), "text")
	}
	f.Fuzz(func(t *testing.T, body, text string) {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		// A stream as it may be, and the one in which every empty text is replaced.
		for _, body := range []string{body, strings.ReplaceAll(body, `""`, string(quoted)), stream(body, body) + stream(`{"response":`+string(quoted)+`}`)} {
			fast, fastEnd := readAll(body, false)
			slow, slowEnd := readAll(body, true)
			require.Equal(t, slow, fast, body)
			require.Equal(t, slowEnd, fastEnd, body)
		}
	})
}

// The fast way is taken, for all but a few chunks of each common form.
func TestShapesAreUsed(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			var s shapes
			fast := 0
			for i := range 100 {
				data := fmt.Appendf(nil, form, fmt.Sprintf("\\\"é%d\\n", i))
				want := fmt.Sprintf("\"é%d\n", i)
				if d, ok := s.read(data); ok {
					fast++
					require.Equal(t, want, d.Text+d.Reasoning)
					continue
				}
				said, failed, err := read(data)
				require.NoError(t, err)
				require.False(t, failed)
				s.learn(data, llm.Delta{Text: said.text, Reasoning: said.reasoning})
			}
			learnt := 1
			if strings.Contains(form, `"role":`) { // in each chunk: then the first is not learnt from
				learnt = 2
			}
			assert.Equal(t, 100-learnt, fast)
		})
	}
}

// forms are what providers send for a token.
var forms = map[string]string{
	"classic":        `{"response":"%s"}`,
	"classic padded": `{"response":"%s","p":"abdefghijklmnop"}`,
	"openai":         `{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1764000000,"model":"@cf/zai-org/glm-4.7-flash","choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}],"usage":null}`,
	"reasoning":      `{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1764000000,"model":"@cf/zai-org/glm-4.7-flash","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"%s"},"finish_reason":null}]}`,
	"spaced":         `{"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "%s"}, "finish_reason": null}]}`,
}

// BenchmarkStream reads streams of 1,000 tokens; the figures are for one token.
func BenchmarkStream(b *testing.B) {
	for _, name := range []string{"classic padded", "openai"} {
		var body strings.Builder
		for range 1000 {
			fmt.Fprintf(&body, "data: "+forms[name]+"\n\n", " valley")
		}
		body.WriteString("data: [DONE]\n\n")
		for _, way := range []string{"shapes", "scan"} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if pieces, code := readAll(body.String(), way != "shapes"); code != "" || len(pieces) != 1001 {
						b.Fatal(code, len(pieces))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/token")
			})
		}
	}
}
