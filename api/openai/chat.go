package openai

import (
	"bytes"
	"encoding/json"
	"math"

	"levada.dev/workflows/llm"
)

// ChatRequest is the body of POST /v1/chat/completions.
type ChatRequest struct {
	Model        string
	Prompt       llm.Prompt // MaxTokens is 0 when the request does not say; the tools are the client's
	Platform     []Offered  // the platform's
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

// member reads one parameter. null is the same as nothing.
func (q *ChatRequest) member(r *reader, name []byte) error {
	if read, honoured := parameters[string(name)]; honoured {
		if r.null() {
			return nil
		}
		return read(q, r)
	}
	nothing, refused := unsupported[string(name)]
	switch {
	case !refused && !ignored[string(name)]:
		return r.unknown()
	case r.null():
		return nil
	case refused:
		return r.only(nothing, instead[string(name)])
	}
	return r.skip()
}

// parameters are those that are honoured.
var parameters = map[string]func(q *ChatRequest, r *reader) error{
	"model":                 func(q *ChatRequest, r *reader) (err error) { q.Model, err = r.text(); return err },
	"messages":              func(q *ChatRequest, r *reader) (err error) { q.Prompt.Messages, err = r.messages(); return err },
	"stream":                func(q *ChatRequest, r *reader) (err error) { q.Prompt.Stream, err = r.boolean(); return err },
	"stream_options":        (*ChatRequest).streamOptions,
	"max_tokens":            func(q *ChatRequest, r *reader) error { return q.limit(r, "max_tokens") },
	"max_completion_tokens": func(q *ChatRequest, r *reader) error { return q.limit(r, "max_completion_tokens") },
	"temperature":           func(q *ChatRequest, r *reader) error { return setFloat(&q.Prompt.Temperature, r, 0, 2) },
	"top_p":                 func(q *ChatRequest, r *reader) error { return setFloat(&q.Prompt.TopP, r, 0, 1) },
	"frequency_penalty":     func(q *ChatRequest, r *reader) error { return setFloat(&q.Prompt.FrequencyPenalty, r, -2, 2) },
	"presence_penalty":      func(q *ChatRequest, r *reader) error { return setFloat(&q.Prompt.PresencePenalty, r, -2, 2) },
	"seed":                  (*ChatRequest).seed,
	"stop":                  func(q *ChatRequest, r *reader) (err error) { q.Prompt.Stop, err = r.stop(); return err },
	"reasoning_effort":      (*ChatRequest).effort,
	"tools":                 func(q *ChatRequest, r *reader) (err error) { q.Prompt.Tools, q.Platform, err = r.tools(); return err },
	"tool_choice":           func(q *ChatRequest, r *reader) (err error) { q.Prompt.ToolChoice, err = r.toolChoice(); return err },
	"parallel_tool_calls":   (*ChatRequest).parallel,
	"response_format":       func(q *ChatRequest, r *reader) (err error) { q.Prompt.Format, err = r.format(); return err },
	"user":                  func(q *ChatRequest, r *reader) (err error) { q.User, err = r.text(); return err },
	"safety_identifier":     func(q *ChatRequest, r *reader) (err error) { q.User, err = r.text(); return err },
	"prompt_cache_key":      func(q *ChatRequest, r *reader) (err error) { q.CacheKey, err = r.text(); return err },
}

// ignored are parameters without which the answer is the same: they ask for what is kept, billed or hurried elsewhere.
var ignored = set("store", "metadata", "service_tier", "prompt_cache_retention", "prompt_cache_options", "verbosity", "prediction")

// unsupported are parameters that cannot be honoured, with the value that asks for nothing.
var unsupported = map[string]string{
	"n": "1", "logprobs": "false", "top_logprobs": "0", "logit_bias": "{}", "modalities": `["text"]`,
	"audio": "", "moderation": "", "web_search_options": "", "functions": "", "function_call": "",
}

// instead says what to use for what is gone from OpenAI's own API as well.
var instead = map[string]string{"functions": "; use 'tools'", "function_call": "; use 'tool_choice'"}

// only passes over a value that asks for nothing, and refuses every other.
func (r *reader) only(nothing, instead string) error {
	value, err := r.raw()
	switch {
	case err != nil || nothing != "" && compact(value) == nothing:
		return err
	case nothing == "":
		return r.refuse("unsupported_parameter", "is not supported here%s", instead)
	}
	return r.refuse("unsupported_value", "can only be %s here", nothing)
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func (q *ChatRequest) streamOptions(r *reader) error {
	return r.object(func(option []byte) (err error) {
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
	})
}

func (q *ChatRequest) limit(r *reader, name string) error {
	v, err := r.integer(1, maxInt)
	q.Prompt.MaxTokens, q.Limit = int(v), name
	return err
}

func (q *ChatRequest) seed(r *reader) error {
	v, err := r.integer(math.MinInt64, math.MaxInt64)
	q.Prompt.Seed = &v
	return err
}

func (q *ChatRequest) parallel(r *reader) error {
	v, err := r.boolean()
	q.Prompt.Parallel = &v
	return err
}

func (q *ChatRequest) effort(r *reader) (err error) {
	q.Prompt.ReasoningEffort, err = r.oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")
	return err
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
	if len(q.Platform) > 0 { // which they are is not known here
		return nil
	}
	return CheckChoice(p.Tools, p.ToolChoice)
}

const (
	maxInt  = 1<<31 - 1
	maxStop = 4
)

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
