package localai

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	llama = "@cf/meta/llama-3.3-70b-instruct-fp8-fast" // classic dialect
	gemma = "@cf/google/gemma-4-26b-a4b-it"            // OpenAI's
)

var tides = object{"messages": []object{
	{"role": "system", "content": "Answer from the context.\n\nThe tide at Funchal is highest at noon. Bread is baked at four in the morning. The harbour closes for ships when the wind is strong."},
	{"role": "user", "content": "When is the tide highest in Funchal?"},
}}

func TestExtractiveAnswer(t *testing.T) {
	c := start(t, Options{})
	r := c.run(llama, tides, acme(nil)).json(t)
	assert.Contains(t, r["response"], "The tide at Funchal is highest at noon.")
	used := r["usage"].(object)
	assert.Positive(t, used["prompt_tokens"])
	assert.Positive(t, used["completion_tokens"])

	log := c.last()
	assert.Equal(t, used["prompt_tokens"], float64(log.TokensIn))
	assert.Equal(t, used["completion_tokens"], float64(log.TokensOut))
	assert.InDelta(t, (float64(log.TokensIn)*.293+float64(log.TokensOut)*2.253)/1e6, log.Cost, 1e-12)

	choice := c.run(gemma, tides, acme(nil)).json(t)["choices"].([]any)[0].(object)
	assert.Equal(t, "stop", choice["finish_reason"])
	assert.Contains(t, choice["message"].(object)["content"], "highest at noon")

	inside := object{"prompt": "The tide is highest at noon. Bread is baked at four.\nQuestion: When is bread baked?"}
	assert.Contains(t, c.run(llama, inside, acme(nil)).json(t)["response"], "Bread is baked at four.")

	grounded := object{"messages": []object{
		{"role": "system", "content": "Answer when bread is baked from the numbered sources alone."},
		{"role": "user", "content": "<source-1a2b number=\"1\">\nTitle: When bread is baked\nThe tide is highest at noon.\n</source-1a2b>\n" +
			"<source-1a2b number=\"2\">\nBread is baked at four in the morning.\n</source-1a2b>\n\nQuestion: When is bread baked?"},
	}}
	assert.Equal(t, "Bread is baked at four in the morning. [2]", strings.TrimPrefix(c.run(llama, grounded, acme(nil)).json(t)["response"].(string), "The tide is highest at noon. [1] "))

	ran := func(result, question string) string {
		in := object{"messages": []object{
			{"role": "user", "content": "What is two and two?"}, {"role": "assistant", "content": "<result-1a2b>\n{\"result\":4}\n</result-1a2b>"},
			{"role": "user", "content": "<result-1a2b>\n" + result + "\n</result-1a2b>\nQuestion: " + question},
		}}
		return c.run(llama, in, acme(nil)).json(t)["response"].(string)
	}
	said := ran(`{"sources":[{"doc_id":"bread","text":"Bread is baked at four in the morning.","score":0.4}]}`, "When is bread baked?")
	assert.True(t, strings.HasSuffix(said, "Bread is baked at four in the morning.") && !strings.Contains(said, "{"), "%s: what a tool returned is quoted as text, not as JSON", said)
	assert.Equal(t, "result: 495.", ran(`{"result":495}`, "How much is 12.5 percent of 3,960?"))
	assert.Equal(t, notFound, ran("nothing", "How much is 12.5 percent of 3,960?"), "what an earlier question was told is no answer to this one")

	unknown := object{"messages": []object{{"role": "system", "content": "The tide is highest at noon."}, {"role": "user", "content": "Who invented the telephone?"}}}
	assert.Equal(t, notFound, c.run(llama, unknown, acme(nil)).json(t)["response"])
}

// events reads a stream's data, and whether [DONE] closed it.
func readEvents(t *testing.T, body string) (data []object, done bool) {
	for block := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		text, found := strings.CutPrefix(block, "data: ")
		require.True(t, found, block)
		if text == "[DONE]" {
			return data, true
		}
		var v object
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		data = append(data, v)
	}
	return data, false
}

func TestStreamsInBothDialects(t *testing.T) {
	c := start(t, Options{})
	turn := object{"tokens": []string{"a", " b"}, "usage": object{"prompt": 7, "completion": 2},
		"toolCalls": []object{{"id": "c1", "name": "add", "arguments": object{"x": 1}}, {"id": "c2", "name": "add", "arguments": object{"x": 2}}}}

	r := c.run("@local/script", streaming(scriptOf(turn)), acme(nil))
	assert.Equal(t, "text/event-stream", r.header.Get("Content-Type"))
	data, done := readEvents(t, r.body)
	assert.True(t, done)
	assert.Equal(t, []any{"a", " b"}, []any{data[0]["response"], data[1]["response"]})
	assert.Equal(t, []any{object{"name": "add", "arguments": object{"x": 1.0}}}, data[2]["tool_calls"])
	assert.Equal(t, 9.0, data[4]["usage"].(object)["total_tokens"])

	data, done = readEvents(t, c.run("@local/script-openai", streaming(scriptOf(turn)), acme(nil)).body)
	assert.True(t, done)
	choice := func(i int) object { return data[i]["choices"].([]any)[0].(object) }
	assert.Equal(t, "a", choice(0)["delta"].(object)["content"])
	second := choice(3)["delta"].(object)["tool_calls"].([]any)[0].(object)
	assert.Equal(t, 1.0, second["index"])
	assert.Equal(t, object{"name": "add", "arguments": `{"x":2}`}, second["function"])
	assert.Equal(t, "tool_calls", choice(4)["finish_reason"])
	assert.Empty(t, data[5]["choices"])
	assert.Equal(t, 7.0, data[5]["usage"].(object)["prompt_tokens"])
	assert.Equal(t, 2, c.last().TokensOut)

	body := c.run(llama, streaming(object{"messages": tides["messages"]}), acme(nil)).body
	data, _ = readEvents(t, body)
	var whole strings.Builder
	for _, d := range data {
		whole.WriteString(d["response"].(string))
	}
	assert.Equal(t, c.run(llama, object{"messages": tides["messages"]}, acme(nil)).json(t)["response"], whole.String())
}

func TestScripts(t *testing.T) {
	c := start(t, Options{})
	t.Run("turns follow the assistant's messages", func(t *testing.T) {
		inputs := scriptOf([]object{{"toolCalls": []object{{"id": "c1", "name": "time", "arguments": object{}}}}, {"tokens": []string{"noon"}}})
		first := c.run("@local/script", inputs, acme(nil)).json(t)
		assert.Equal(t, []any{object{"name": "time", "arguments": object{}}}, first["tool_calls"])
		inputs["messages"] = append(inputs["messages"].([]object), object{"role": "assistant", "content": nil}, object{"role": "tool", "content": "12:00"})
		assert.Equal(t, "noon", c.run("@local/script", inputs, acme(nil)).json(t)["response"])
	})
	t.Run("errors", func(t *testing.T) {
		r := c.run("@local/script", scriptOf(object{"error": object{"code": 3036, "status": 429, "text": "you have used up your daily free allocation"}}), acme(nil))
		assert.Equal(t, http.StatusTooManyRequests, r.status)
		assert.Equal(t, 3036.0, r.json(t)["internalCode"])
		assert.Equal(t, 429, c.last().StatusCode)
	})
	t.Run("an error before the first token of a stream is an error", func(t *testing.T) {
		r := c.run("@local/script", streaming(scriptOf(object{"error": object{"code": 3040, "status": 429, "text": "busy"}})), acme(nil))
		assert.Equal(t, http.StatusTooManyRequests, r.status)
	})
	t.Run("failures that end", func(t *testing.T) {
		inputs := scriptOf(object{"error": object{"code": 3040, "status": 429, "text": "busy"}, "times": 2, "tokens": []string{"ok"}})
		for _, status := range []int{429, 429, 200, 200} {
			assert.Equal(t, status, c.run("@local/script", inputs, acme(nil)).status)
		}
	})
	t.Run("a cut stream", func(t *testing.T) {
		r := c.run("@local/script", streaming(scriptOf(object{"tokens": []string{"a", "b", "c"}, "cutAfter": 2})), acme(nil))
		assert.True(t, r.broken)
		data, done := readEvents(t, r.body)
		assert.False(t, done)
		assert.Len(t, data, 2)
		log := c.last()
		assert.Equal(t, r.header.Get("cf-aig-log-id"), log.ID)
		assert.False(t, log.Success)
		assert.Equal(t, 502, log.StatusCode)
		assert.Positive(t, log.TokensOut, "what was streamed is counted")
	})
	t.Run("echo", func(t *testing.T) {
		inputs := scriptOf(object{"echo": true})
		inputs["temperature"] = 0.5
		var seen object
		require.NoError(t, json.Unmarshal([]byte(c.run("@local/script", inputs, acme(nil)).json(t)["response"].(string)), &seen))
		assert.Equal(t, 0.5, seen["temperature"])
	})
	t.Run("finish", func(t *testing.T) {
		r := c.run("@local/script-openai", scriptOf(object{"tokens": []string{"a"}, "finish": "length"}), acme(nil)).json(t)
		assert.Equal(t, "length", r["choices"].([]any)[0].(object)["finish_reason"])
	})
}
