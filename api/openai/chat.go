package openai

import (
	"bytes"
	"encoding/json"

	"levada.dev/workflows/llm"
)

// ChatRequest is the body of POST /v1/chat/completions.
type ChatRequest struct {
	Model        string
	Prompt       llm.Prompt // MaxTokens is 0 when the request does not say
	IncludeUsage bool       // a stream tells its usage at its end
	User         string     // the caller's name for who asks
	CacheKey     string     // calls of the same one begin alike
	Limit        string     // the parameter that set MaxTokens
}

// DecodeChat reads a request. Nothing of it points into the body.
//
// What the platform cannot do is refused (unsupported_parameter, unsupported_value) unless the answer is the same without
// it, and so is a parameter that OpenAI does not have (unknown_parameter): nothing is silently left out.
func DecodeChat(body []byte) (ChatRequest, error) {
	var q ChatRequest
	if err := document(body, q.member); err != nil {
		return q, err
	}
	return q, q.check()
}

// member reads one parameter.
func (q *ChatRequest) member(r *reader, name []byte) (err error) {
	if r.null() {
		return known(r, name)
	}
	p := &q.Prompt
	switch string(name) {
	case "model":
		q.Model, err = r.text()
	case "messages":
		p.Messages, err = r.messages()
	case "stream":
		p.Stream, err = r.boolean()
	case "stream_options":
		err = r.object(func(option []byte) error { return q.streamOption(r, option) })
	case "max_tokens", "max_completion_tokens":
		q.Limit = string(name)
		err = setInt(&p.MaxTokens, r, 1, maxInt)
	case "temperature":
		err = setFloat(&p.Temperature, r, 0, 2)
	case "top_p":
		err = setFloat(&p.TopP, r, 0, 1)
	case "frequency_penalty":
		err = setFloat(&p.FrequencyPenalty, r, -2, 2)
	case "presence_penalty":
		err = setFloat(&p.PresencePenalty, r, -2, 2)
	case "seed":
		var seed int64
		seed, err = r.integer(-1<<63, 1<<63-1)
		p.Seed = &seed
	case "stop":
		p.Stop, err = r.stop()
	case "reasoning_effort":
		p.ReasoningEffort, err = r.oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")
	case "tools":
		p.Tools, err = r.tools()
	case "tool_choice":
		p.ToolChoice, err = r.toolChoice()
	case "parallel_tool_calls":
		var parallel bool
		parallel, err = r.boolean()
		p.Parallel = &parallel
	case "response_format":
		p.Format, err = r.format()
	case "user", "safety_identifier":
		q.User, err = r.text()
	case "prompt_cache_key":
		q.CacheKey, err = r.text()
	default:
		return other(r, name)
	}
	return err
}

// ignored are parameters without which the answer is the same: they ask for what is kept, billed or hurried elsewhere.
var ignored = set("store", "metadata", "service_tier", "prompt_cache_retention", "prompt_cache_options", "verbosity", "prediction")

// unsupported are parameters that cannot be honoured, with the value that asks for nothing.
var unsupported = map[string]string{
	"n": "1", "logprobs": "false", "top_logprobs": "0", "logit_bias": "{}", "modalities": `["text"]`,
	"audio": "", "moderation": "", "web_search_options": "", "functions": "", "function_call": "",
}

// other reads a parameter that the prompt has no place for.
func other(r *reader, name []byte) error {
	if ignored[string(name)] {
		return r.skip()
	}
	nothing, refused := unsupported[string(name)]
	if !refused {
		return r.unknown()
	}
	value, err := r.raw()
	switch {
	case err != nil || nothing != "" && compact(value) == nothing:
		return err
	case nothing == "":
		return r.refuse("unsupported_parameter", "is not supported here%s", instead[string(name)])
	}
	return r.refuse("unsupported_value", "can only be %s here", nothing)
}

// instead says what to use for what is gone from OpenAI's own API as well.
var instead = map[string]string{"functions": "; use 'tools'", "function_call": "; use 'tool_choice'"}

// known passes over null, which any parameter may be that there is.
func known(r *reader, name []byte) error {
	if _, refused := unsupported[string(name)]; refused || ignored[string(name)] || taken[string(name)] {
		return nil
	}
	return r.unknown()
}

// taken are the parameters of member.
var taken = set("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
	"frequency_penalty", "presence_penalty", "seed", "stop", "reasoning_effort", "tools", "tool_choice", "parallel_tool_calls",
	"response_format", "user", "safety_identifier", "prompt_cache_key")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func (q *ChatRequest) streamOption(r *reader, option []byte) (err error) {
	switch string(option) {
	case "include_usage":
		if !r.null() {
			q.IncludeUsage, err = r.boolean()
		}
		return err
	case "include_obfuscation": // chunks of even length; nothing here is padded
		return r.skip()
	}
	return r.unknown()
}

// check holds the parameters against each other.
func (q *ChatRequest) check() error {
	p := &q.Prompt
	switch {
	case q.Model == "":
		return missing("model")
	case p.Messages == nil:
		return missing("messages")
	case len(p.Messages) == 0:
		return mistake("messages", "empty_array", "must have at least one message")
	}
	if err := checkCalls(p.Messages); err != nil {
		return err
	}
	return checkChoice(p.Tools, p.ToolChoice)
}

const (
	maxInt  = 1<<31 - 1
	maxStop = 4
)

func setInt(to *int, r *reader, low, high int64) error {
	v, err := r.integer(low, high)
	*to = int(v)
	return err
}

func setFloat(to **float64, r *reader, low, high float64) error {
	v, err := r.number(low, high)
	*to = &v
	return err
}

// stop reads what ends an answer: a string or a few.
func (r *reader) stop() (all []string, err error) {
	if r.peek() == '"' {
		s, err := r.text()
		return []string{s}, err
	}
	err = r.array(func(i int) error {
		if i == maxStop {
			return mistake("stop", "array_above_max_length", "has more than %d strings", maxStop)
		}
		s, err := r.text()
		all = append(all, s)
		return err
	})
	return all, err
}

// oneOf reads one of a few words.
func (r *reader) oneOf(words ...string) (string, error) {
	s, err := r.text()
	if err != nil {
		return "", err
	}
	for _, w := range words {
		if s == w {
			return w, nil
		}
	}
	return "", r.refuse("invalid_value", "is %.40q, which is none of %s", s, list(words))
}

// format reads response_format; text, which is what answers are anyway, is nil.
func (r *reader) format() (json.RawMessage, error) {
	var kind, name string
	var schema bool
	start := r.pos
	err := r.object(func(member []byte) (err error) {
		switch string(member) {
		case "type":
			kind, err = r.oneOf("text", "json_object", "json_schema")
			return err
		case "json_schema":
			schema = true
			return r.object(func(member []byte) error { return r.schemaMember(member, &name) })
		}
		return r.unknown()
	})
	written := bytes.Clone(r.data[start:r.pos])
	switch {
	case err != nil:
		return nil, err
	case kind == "":
		return nil, missing("response_format.type")
	case kind == "text":
		return nil, nil
	case kind == "json_schema" && !schema:
		return nil, missing("response_format.json_schema")
	case kind == "json_schema" && !isName(name):
		return nil, mistake("response_format.json_schema.name", "invalid_value", nameRule)
	}
	return written, nil
}

func (r *reader) schemaMember(member []byte, name *string) (err error) {
	switch string(member) {
	case "name":
		*name, err = r.text()
		return err
	case "schema":
		if r.peek() != '{' {
			return r.mistyped("an object")
		}
		return r.skip()
	case "description", "strict":
		return r.skip()
	}
	return r.unknown()
}
