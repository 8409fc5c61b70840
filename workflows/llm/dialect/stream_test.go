package dialect_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

var to = dialect.Answer{Model: "@test/model", ID: "a1", MaxTokens: 64}

// answered is an answer put together.
type answered struct {
	Text, Reasoning string
	Tools           []llm.ToolCall
	Finish          llm.Finish
	Usage           *llm.Usage
	Pieces          int
}

type source interface{ Next() (llm.Delta, error) }

// collect reads an answer to its end and checks the rules of its pieces.
func collect(t testing.TB, s source) (a answered, err error) {
	t.Helper()
	for {
		d, err := s.Next()
		if err != nil {
			_, again := s.Next()
			require.Equal(t, err, again, "the end is the end")
			if err == io.EOF {
				err = nil
			}
			return a, err
		}
		require.NotEqual(t, llm.Delta{}, d)
		a.Pieces++
		a.Text += d.Text
		a.Reasoning += d.Reasoning
		if tool := d.Tool; tool != nil {
			if tool.Index == len(a.Tools) {
				require.NotEmpty(t, tool.ID)
				a.Tools = append(a.Tools, llm.ToolCall{ID: tool.ID, Name: tool.Name})
			} else {
				require.Less(t, tool.Index, len(a.Tools))
				require.Empty(t, tool.ID)
			}
			a.Tools[tool.Index].Arguments += tool.Arguments
		}
		if d.Finish != "" {
			require.Empty(t, a.Finish, "there is one reason")
			a.Finish = d.Finish
		}
		if d.Usage != nil {
			require.Nil(t, a.Usage, "usage is told once")
			a.Usage = d.Usage
		}
	}
}

const classic = `data: {"response":"The "}

data: {"response":"fields ","p":"abcdefghij"}

data: {"response":5,"p":"ab"}

data: {"response":" \"terraced\"\n\u00e9\ud83c\udf0a é水"}

data: {"response":"","usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}

data: [DONE]

`

const openai = `: a comment
data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Hmm"},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning_content":", so."},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"The "},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"fields"},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"look","arguments":""}}]},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"at\":"}}]},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}},{"index":1,"id":"t2","function":{"name":"leave"}}]},"finish_reason":null}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":16}}}

data: [DONE]

`

var streams = []struct {
	name, body string
	want       answered
}{
	{"classic", classic, answered{
		Text: "The fields 5 \"terraced\"\né🌊 é水", Finish: llm.FinishStop, Usage: &llm.Usage{Prompt: 11, Completion: 7}, Pieces: 5,
	}},
	{"openai", openai, answered{
		Text: "The fields", Reasoning: "Hmm, so.", Finish: llm.FinishTools, Usage: &llm.Usage{Prompt: 20, Completion: 9, Cached: 16}, Pieces: 10,
		Tools: []llm.ToolCall{{ID: "t1", Name: "look", Arguments: `{"at":1}`}, {ID: "t2", Name: "leave", Arguments: "{}"}},
	}},
}

func TestStream(t *testing.T) {
	for _, tt := range streams {
		for name, body := range map[string]string{
			"LF":                tt.body,
			"CRLF":              strings.ReplaceAll(tt.body, "\n", "\r\n"),
			"no space":          strings.ReplaceAll(tt.body, "data: ", "data:"),
			"no last line ends": strings.TrimSpace(tt.body),
			"other fields":      strings.ReplaceAll(tt.body, "data: ", "id: 7\nretry: 10\nevent: message\ndata: "),
			"lines of data":     strings.ReplaceAll(tt.body, "data: {", "data: {\ndata:\ndata: "),
			"after the end":     tt.body + "data: {\"response\":\"no\"}\n\n",
		} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				s := dialect.NewStream(strings.NewReader(body), to)
				got, err := collect(t, s)
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
				assert.True(t, s.Complete())
				got, err = collect(t, dialect.NewStream(iotest.OneByteReader(strings.NewReader(body)), to))
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
				got, err = collect(t, dialect.NewStream(iotest.DataErrReader(strings.NewReader(body)), to))
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
			})
		}
	}
}

// Wherever a stream is cut, what was told is a beginning of the answer, and the end is a fault; and where it is cut in two
// that belong together, nothing is lost.
func TestStreamCutAtEveryByte(t *testing.T) {
	for _, tt := range streams {
		for i := range len(tt.body) {
			for cause, r := range map[error]io.Reader{
				io.ErrUnexpectedEOF:       strings.NewReader(tt.body[:i]),
				errors.New("reset"):       io.MultiReader(strings.NewReader(tt.body[:i]), iotest.ErrReader(errors.New("reset"))),
				fmt.Errorf("%d bytes", i): nil,
			} {
				if r == nil {
					got, err := collect(t, dialect.NewStream(io.MultiReader(strings.NewReader(tt.body[:i]), strings.NewReader(tt.body[i:])), to))
					require.NoError(t, err)
					require.Equal(t, tt.want, got, cause)
					continue
				}
				s := dialect.NewStream(r, to)
				got, err := collect(t, s)
				if strings.HasSuffix(strings.TrimSpace(tt.body[:i]), "[DONE]") {
					require.NoError(t, err)
					require.Equal(t, tt.want, got)
					continue
				}
				if err == nil { // it had said why it ended, and the connection ended in order between two events
					require.True(t, cause == io.ErrUnexpectedEOF && got.Finish != "" && strings.HasSuffix(tt.body[:i], "}\n\n"), "cut after %d", i)
					continue
				}
				require.Error(t, err, "cut after %d", i)
				require.Equal(t, fault.Unavailable, fault.KindOf(err))
				require.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
				require.ErrorContains(t, err, cause.Error())
				require.True(t, strings.HasPrefix(tt.want.Text, got.Text))
				require.True(t, strings.HasPrefix(tt.want.Reasoning, got.Reasoning))
				require.Empty(t, got.Finish)
				require.False(t, s.Complete())
			}
		}
	}
}

func TestStreamShapes(t *testing.T) {
	tests := []struct {
		name, body string
		want       answered
	}{
		{"no token at all", "data: [DONE]\n\n", answered{Finish: llm.FinishStop, Pieces: 1}},
		{"the tokens were used up, which the classic form does not say",
			`data: {"response":"x","usage":{"prompt_tokens":1,"completion_tokens":64}}` + "\n\ndata: [DONE]\n\n",
			answered{Text: "x", Finish: llm.FinishLength, Usage: &llm.Usage{Prompt: 1, Completion: 64}, Pieces: 2}},
		{"usage that grows is told once",
			`data: {"response":"x","usage":{"prompt_tokens":1,"completion_tokens":1}}` + "\n\n" +
				`data: {"response":"y","usage":{"prompt_tokens":1,"completion_tokens":2.0}}` + "\n\ndata: [DONE]\n\n",
			answered{Text: "xy", Finish: llm.FinishStop, Usage: &llm.Usage{Prompt: 1, Completion: 2}, Pieces: 3}},
		{"classic calls of tools, arguments as an object and as text",
			`data: {"response":null,"tool_calls":[{"name":"a","arguments":{"x": 1}},{"name":"b","arguments":"{\"y\":2}"}]}` + "\n\ndata: [DONE]\n\n",
			answered{Finish: llm.FinishTools, Pieces: 3, Tools: []llm.ToolCall{
				{ID: "call_a1_0", Name: "a", Arguments: `{"x":1}`}, {ID: "call_a1_1", Name: "b", Arguments: `{"y":2}`}}}},
		{"pieces of calls in the classic form",
			`data: {"tool_calls":[{"index":0,"id":"t","function":{"name":"a","arguments":""}}]}` + "\n\n" +
				`data: {"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}` + "\n\ndata: [DONE]\n\n",
			answered{Finish: llm.FinishTools, Pieces: 3, Tools: []llm.ToolCall{{ID: "t", Name: "a", Arguments: "{}"}}}},
		{"a server that numbers every call 0",
			`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"a","arguments":"{}"}}]}}]}` + "\n\n" +
				`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"u","function":{"name":"b","arguments":"{\"x\""}}]}}]}` + "\n\n" +
				`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
			answered{Finish: llm.FinishTools, Pieces: 4, Tools: []llm.ToolCall{{ID: "t", Name: "a", Arguments: "{}"}, {ID: "u", Name: "b", Arguments: `{"x":1}`}}}},
		{"a call that is said to be over, and one that goes on without an index",
			`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"a"}}]}}]}` + "\n\n" +
				`data: {"tool_calls":[{"function":{"arguments":"{}"}}]}` + "\n\n" +
				`data: {"tool_calls":[{"id":null,"type":null,"function":{"name":null}}]}` + "\n\n" +
				`data: {"tool_calls":[{"index":0,"id":null,"function":{"name":null,"arguments":""}},{"index":1,"id":"u","function":{"name":"b","arguments":{}}}]}` + "\n\ndata: [DONE]\n\n",
			answered{Finish: llm.FinishTools, Pieces: 4, Tools: []llm.ToolCall{{ID: "t", Name: "a", Arguments: "{}"}, {ID: "u", Name: "b", Arguments: "{}"}}}},
		{"a server that says why it ended and leaves without a word",
			`data: {"choices":[{"delta":{"content":"a"}}]}` + "\n\n" + `data: {"choices":[{"delta":{},"finish_reason":"length"}]}` + "\n\n",
			answered{Text: "a", Finish: llm.FinishLength, Pieces: 2}},
		{"both forms at once are told once",
			`data: {"response":"x","choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\n" +
				`data: {"response":"y","choices":[{"index":0,"delta":{"content":"y"}}]}` + "\n\ndata: [DONE]\n\n",
			answered{Text: "xy", Finish: llm.FinishStop, Pieces: 3}},
		{"other choices are not this answer",
			`data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"},"finish_reason":"content_filter"}]}` + "\n\ndata: [DONE]\n\n",
			answered{Text: "yes", Finish: llm.FinishFilter, Pieces: 2}},
		{"a reason that OpenAI does not have", `data: {"choices":[{"delta":{"content":"a"},"finish_reason":"eos"}]}` + "\n\ndata: [DONE]\n\n",
			answered{Text: "a", Finish: llm.FinishStop, Pieces: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := collect(t, dialect.NewStream(strings.NewReader(tt.body), to))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestErrorsInAStream(t *testing.T) {
	const busy = `{"errors":[{"code":3040,"message":"Capacity temporarily exceeded"}]}`
	tests := []struct{ name, body, text, code string }{
		{"before the first piece it is a refusal", "data: " + busy + "\n\n", "", "model_busy"},
		{"the quota", `data: {"error":{"code":3036,"message":"daily"}}` + "\n\n", "", "model_quota"},
		{"as a text", `data: {"error":"overloaded"}` + "\n\n", "", "model_unavailable"},
		{"a named event", "event: error\ndata: {\"message\":\"x\"}\n\n", "", "model_unavailable"},
		{"in the middle it broke off", "data: {\"response\":\"x\"}\n\ndata: " + busy + "\n\n", "x", llm.CodeBrokeOff},
		{"no JSON", "data: {\"response\":\"x\"}\n\ndata: {\"resp\n\ndata: [DONE]\n\n", "x", llm.CodeBrokeOff},
		{"nothing", "", "", llm.CodeBrokeOff},
		{"an event without end", "data: " + strings.Repeat("x", 5<<20), "", llm.CodeBrokeOff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := collect(t, dialect.NewStream(strings.NewReader(tt.body), to))
			assert.Equal(t, tt.code, fault.As(err).Code, "%v", err)
			assert.Equal(t, tt.text, got.Text)
		})
	}
}

// What was told of the usage is not lost when the answer breaks off.
func TestUsageOfABrokenStream(t *testing.T) {
	got, err := collect(t, dialect.NewStream(strings.NewReader(`data: {"response":"x","usage":{"prompt_tokens":3,"completion_tokens":1}}`+"\n\n"), to))
	assert.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
	assert.Equal(t, &llm.Usage{Prompt: 3, Completion: 1}, got.Usage)
}

// A piece that has arrived is handed out before more is read.
func TestStreamDoesNotReadAhead(t *testing.T) {
	r, w := io.Pipe()
	s := dialect.NewStream(r, to)
	for i := range 3 {
		go fmt.Fprintf(w, "data: {\"response\":\"%d\"}\n\n", i)
		d, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(i), d.Text)
	}
	require.NoError(t, w.Close())
}

// Pieces that came together are ready together, and nothing else is: an event that says nothing is none.
func TestReady(t *testing.T) {
	r, w := io.Pipe()
	s := dialect.NewStream(r, to)
	assert.False(t, s.Ready(), "nothing was read")
	send := func(text string) { go func() { _, _ = io.WriteString(w, text) }() }
	send("data: {\"response\":\"a\"}\n\ndata: {\"response\":\"b\"}\r\n\r\ndata: {\"response\":\"c\"}\n")
	for i, want := range []string{"a", "b"} {
		assert.Equal(t, i > 0, s.Ready())
		d, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, want, d.Text)
	}
	assert.False(t, s.Ready(), "the third is not complete")
	send("\n: still there\n\ndata: {\"response\":\"\"}\n\n")
	d, err := s.Next()
	require.NoError(t, err)
	assert.Equal(t, "c", d.Text)
	assert.False(t, s.Ready(), "neither a comment nor an empty piece is one")
	send("data: {\"tool_calls\":[{\"name\":\"f\",\"arguments\":{}},{\"name\":\"g\",\"arguments\":{}}]}\n\ndata: [DONE]\n\n")
	for _, want := range []int{0, 1} {
		d, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, want, d.Tool.Index)
		assert.True(t, s.Ready())
	}
	d, err = s.Next()
	require.NoError(t, err)
	assert.Equal(t, llm.FinishTools, d.Finish)
	assert.True(t, s.Ready(), "the end is there")
	_, err = s.Next()
	assert.Equal(t, io.EOF, err)
}

// asking asks whether it is ready before each piece; that changes nothing.
type asking struct{ *dialect.Stream }

func (a asking) Next() (llm.Delta, error) {
	ready := a.Ready()
	d, err := a.Stream.Next()
	if ready && d == (llm.Delta{}) && err == nil {
		panic("it was not")
	}
	return d, err
}

func TestReadyChangesNothing(t *testing.T) {
	for _, tt := range streams {
		for i := range len(tt.body) + 1 {
			want, wantErr := collect(t, dialect.NewStream(strings.NewReader(tt.body[:i]), to))
			got, err := collect(t, asking{dialect.NewStream(strings.NewReader(tt.body[:i]), to)})
			require.Equal(t, want, got)
			require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err))
		}
	}
}
