package llmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Whole is an answer put together.
type Whole struct {
	Text, Reasoning string
	Tools           []llm.ToolCall
	Finish          llm.Finish
	Usage           *llm.Usage
	Pieces          []string // of the text
}

// Collect reads an answer to its end, checking the rules of its pieces, and returns what there was and how it ended: nil is
// io.EOF.
func Collect(t testing.TB, s llm.Stream) (w Whole, err error) {
	t.Helper()
	for {
		d, err := s.Next()
		if err != nil {
			_, again := s.Next()
			require.Equal(t, err, again, "the end is the end")
			if err == io.EOF {
				err = nil
			}
			return w, err
		}
		if d.Text != "" {
			require.Empty(t, w.Finish, "text after the end")
			w.Pieces = append(w.Pieces, d.Text)
		}
		w.Text += d.Text
		w.Reasoning += d.Reasoning
		if tool := d.Tool; tool != nil {
			require.LessOrEqual(t, tool.Index, len(w.Tools))
			if tool.Index == len(w.Tools) {
				require.NotEmpty(t, tool.ID)
				require.NotEmpty(t, tool.Name)
				w.Tools = append(w.Tools, llm.ToolCall{ID: tool.ID, Name: tool.Name})
			}
			w.Tools[tool.Index].Arguments += tool.Arguments
		}
		if d.Finish != "" {
			require.Empty(t, w.Finish, "there is one reason")
			w.Finish = d.Finish
		}
		if d.Usage != nil {
			require.Nil(t, w.Usage, "usage is told once")
			w.Usage = d.Usage
		}
	}
}

// Script is a prompt whose answer the scripted models give.
func Script(script string) llm.Prompt {
	return llm.Prompt{
		Messages: []llm.Message{{Role: llm.System, Content: "You are a test."}, {Role: llm.User, Content: `go: {"script":` + script + `}`}},
		Stream:   true, MaxTokens: 100,
	}
}

// TestModel checks the promises of llm.Model with a model whose answers are scripted.
func TestModel(t *testing.T, model llm.GenerationModel, make func(t *testing.T) llm.Model) {
	acme := scope(t, "acme")
	call := llm.Call{Model: model.Name, Purpose: llm.ForChat, RequestID: "r1", Session: "s1"}
	ask := func(t *testing.T, p llm.Prompt) (Whole, error) {
		t.Helper()
		s, err := make(t).Generate(t.Context(), acme, call, p)
		if err != nil {
			return Whole{}, err
		}
		defer func() {
			assert.NoError(t, s.Close())
			assert.NoError(t, s.Close(), "an answer may be closed again")
		}()
		assert.Equal(t, model.Name, s.Source().Model)
		assert.NotEmpty(t, s.Source().LogID)
		return Collect(t, s)
	}
	both := func(t *testing.T, name, script string, check func(t *testing.T, w Whole, err error)) {
		for _, stream := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, stream %v", name, stream), func(t *testing.T) {
				p := Script(script)
				p.Stream = stream
				w, err := ask(t, p)
				check(t, w, err)
				if !stream {
					assert.LessOrEqual(t, len(w.Pieces), 1, "what does not come as a stream is one piece")
				}
			})
		}
	}

	both(t, "text", `{"tokens":["The ","\"fields\"\n","of é🌊 ","水"],"usage":{"prompt":11,"completion":4}}`,
		func(t *testing.T, w Whole, err error) {
			require.NoError(t, err)
			assert.Equal(t, "The \"fields\"\nof é🌊 水", w.Text)
			assert.Equal(t, llm.FinishStop, w.Finish)
			assert.Equal(t, &llm.Usage{Prompt: 11, Completion: 4}, w.Usage)
			assert.Empty(t, w.Tools)
		})
	both(t, "calls of tools", `{"tokens":["wait"],"toolCalls":[{"id":"c1","name":"look","arguments":{"at":"sea","n":1}},{"id":"c2","name":"leave","arguments":{}}]}`,
		func(t *testing.T, w Whole, err error) {
			require.NoError(t, err)
			assert.Equal(t, "wait", w.Text)
			assert.Equal(t, llm.FinishTools, w.Finish)
			require.Len(t, w.Tools, 2)
			assert.Equal(t, "look", w.Tools[0].Name)
			assert.JSONEq(t, `{"at":"sea","n":1}`, w.Tools[0].Arguments)
			assert.Equal(t, "leave", w.Tools[1].Name)
			assert.JSONEq(t, `{}`, w.Tools[1].Arguments)
			assert.NotEqual(t, w.Tools[0].ID, w.Tools[1].ID)
			if model.Dialect == llm.OpenAI {
				assert.Equal(t, "c1", w.Tools[0].ID)
			}
		})
	both(t, "an answer without a word", `{"tokens":[]}`, func(t *testing.T, w Whole, err error) {
		require.NoError(t, err)
		assert.Equal(t, Whole{Finish: llm.FinishStop, Usage: w.Usage}, w)
	})
	for _, refused := range []struct {
		name, script string
		kind         fault.Kind
		code         string
	}{
		{"busy", `{"error":{"code":3040,"status":429,"text":"Capacity temporarily exceeded"}}`, fault.Unavailable, "model_busy"},
		{"the quota is used up", `{"error":{"code":3036,"status":429,"text":"daily free allocation"}}`, fault.Limited, "model_quota"},
		{"it fails", `{"error":{"code":3043,"status":500,"text":"boom"}}`, fault.Unavailable, "model_unavailable"},
		{"it gives up", `{"error":{"code":3007,"status":408,"text":"timeout"}}`, fault.Unavailable, "model_unavailable"},
		{"too long", `{"error":{"code":5021,"status":413,"text":"too long"}}`, fault.Invalid, "prompt_too_long"},
		{"it refuses", `{"error":{"code":5006,"status":400,"text":"not so"}}`, fault.Invalid, "model_refused"},
	} {
		both(t, refused.name, refused.script, func(t *testing.T, _ Whole, err error) {
			assert.Equal(t, refused.kind, fault.KindOf(err), "%v", err)
			assert.Equal(t, refused.code, fault.As(err).Code)
		})
	}
	t.Run("a failure is not repeated here", func(t *testing.T) {
		m, p := make(t), Script(fmt.Sprintf(`{"tokens":["ok"],"times":1,"error":{"code":3040,"status":429,"text":"once, %s"}}`, model.Name))
		_, err := m.Generate(t.Context(), acme, call, p)
		assert.Equal(t, "model_busy", fault.As(err).Code)
		s, err := m.Generate(t.Context(), acme, call, p)
		require.NoError(t, err)
		defer s.Close()
		w, err := Collect(t, s)
		require.NoError(t, err)
		assert.Equal(t, "ok", w.Text)
	})
	t.Run("an answer that breaks off", func(t *testing.T) {
		w, err := ask(t, Script(`{"tokens":["a","b","c"],"cutAfter":2}`))
		assert.Equal(t, llm.CodeBrokeOff, fault.As(err).Code, "%v", err)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err))
		assert.Equal(t, "ab", w.Text)
		assert.Empty(t, w.Finish)
	})
	t.Run("an answer that breaks off before its first word", func(t *testing.T) {
		_, err := ask(t, Script(`{"tokens":["a"],"cutAfter":0}`))
		assert.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	})
	t.Run("an answer that breaks off at once", func(t *testing.T) {
		p := Script(`{"tokens":["a","b"],"cutAfter":1}`)
		p.Stream = false
		_, err := ask(t, p)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	})
	t.Run("a word comes before the next is said", func(t *testing.T) {
		s, err := make(t).Generate(t.Context(), acme, call, Script(`{"tokens":["now","never"],"delayMs":600000}`))
		require.NoError(t, err)
		d, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, "now", d.Text)
		require.NoError(t, s.Close())
		_, err = s.Next()
		assert.Error(t, err, "a closed answer says nothing")
		assert.NotEqual(t, io.EOF, err)
	})
	t.Run("a caller who leaves while a word is awaited", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := make(t).Generate(ctx, acme, call, Script(`{"tokens":["now","never"],"delayMs":600000}`))
		require.NoError(t, err)
		_, err = s.Next()
		require.NoError(t, err)
		go cancel()
		_, err = s.Next()
		require.Error(t, err)
		assert.NotEqual(t, io.EOF, err)
		assert.NoError(t, s.Close())
	})
	t.Run("a caller who leaves before the first word", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := make(t).Generate(ctx, acme, call, Script(`{"tokens":["never"],"firstDelayMs":600000}`))
		assert.Error(t, err)
	})
	t.Run("what the model is asked", func(t *testing.T) { testAsked(t, model, ask) })
	t.Run("a conversation with tools", func(t *testing.T) {
		p := Script(`[{"toolCalls":[{"id":"c1","name":"look","arguments":{}}]},{"tokens":["seen"]}]`)
		first, err := ask(t, p)
		require.NoError(t, err)
		require.Len(t, first.Tools, 1)
		p.Messages = append(p.Messages, llm.Message{Role: llm.Assistant, ToolCalls: first.Tools},
			llm.Message{Role: llm.ToolRole, ToolCallID: first.Tools[0].ID, Content: "the sea"})
		second, err := ask(t, p)
		require.NoError(t, err)
		assert.Equal(t, "seen", second.Text)
	})
	t.Run("nobody's call and an unknown model are refused", func(t *testing.T) {
		_, err := make(t).Generate(t.Context(), tenants.Scope{}, call, Script(`{}`))
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = make(t).Generate(t.Context(), acme, llm.Call{Model: "no/such", Purpose: llm.ForChat}, Script(`{}`))
		assert.Equal(t, "model_unknown", fault.As(err).Code)
	})
	t.Run("calls of two tenants at once do not mix", func(t *testing.T) {
		m := make(t)
		var wg sync.WaitGroup
		for i := range 12 {
			tenant := []string{"acme", "globex"}[i%2]
			s := scope(t, tenant)
			wg.Go(func() {
				word := fmt.Sprintf("%s-%d ", tenant, i)
				a, err := m.Generate(t.Context(), s, llm.Call{Model: model.Name, Purpose: llm.ForSummary, RequestID: word},
					Script(`{"delayMs":1,"tokens":["`+strings.Repeat(word+`","`, 20)+`end"]}`))
				if !assert.NoError(t, err) {
					return
				}
				defer a.Close()
				w, err := Collect(t, a)
				assert.NoError(t, err)
				assert.Equal(t, strings.Repeat(word, 20)+"end", w.Text)
			})
		}
		wg.Wait()
	})
}

// testAsked looks at the provider's input, which the model tells.
func testAsked(t *testing.T, model llm.GenerationModel, ask func(*testing.T, llm.Prompt) (Whole, error)) {
	warm, seed := 0.5, int64(7)
	p := Script(`{"echo":true}`)
	p.Tools = []llm.Tool{{Name: "look", Description: "Look.", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}}
	p.ToolChoice = json.RawMessage(`"required"`)
	p.Temperature, p.Seed, p.MaxTokens, p.Stop = &warm, &seed, 33, []string{"###"}
	w, err := ask(t, p)
	require.NoError(t, err)
	var in struct {
		Messages []struct {
			Role, Content string
		}
		Tools []struct {
			Type     string
			Function struct{ Name string }
		}
		ToolChoice          string `json:"tool_choice"`
		Temperature         float64
		Seed                int64
		Stream              bool
		MaxTokens           int           `json:"max_tokens"`
		MaxCompletionTokens int           `json:"max_completion_tokens"`
		StreamOptions       streamOptions `json:"stream_options"`
		Stop                []string
	}
	require.NoError(t, json.Unmarshal([]byte(w.Text), &in), w.Text)
	require.Len(t, in.Messages, 2)
	assert.Equal(t, p.Messages[1].Content, in.Messages[1].Content)
	assert.Equal(t, "system", in.Messages[0].Role)
	require.Len(t, in.Tools, 1)
	assert.Equal(t, "look", in.Tools[0].Function.Name)
	assert.Equal(t, 0.5, in.Temperature)
	assert.Equal(t, int64(7), in.Seed)
	assert.True(t, in.Stream)
	if model.Dialect == llm.Classic {
		assert.Equal(t, "any", in.ToolChoice)
		assert.Equal(t, 33, in.MaxTokens)
		return
	}
	assert.Equal(t, "required", in.ToolChoice)
	assert.Equal(t, 33, in.MaxCompletionTokens)
	assert.True(t, in.StreamOptions.IncludeUsage)
	assert.Equal(t, []string{"###"}, in.Stop)
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}
