package dialect

import (
	"math"
	"strconv"
	"unicode/utf8"

	"levada.dev/workflows/llm"
)

// append writes the input as encoding/json does, without escaping HTML. It reports false for what it leaves to encoding/json:
// tools and all else that holds JSON of the caller's, which has to be checked.
func (in *input) append(b []byte) ([]byte, bool) {
	if len(in.Tools) > 0 || len(in.ToolChoice) > 0 || len(in.ResponseFormat) > 0 {
		return b, false
	}
	b = append(b, `{"messages":[`...)
	for i := range in.Messages {
		if i > 0 {
			b = append(b, ',')
		}
		if len(in.Messages[i].ToolCalls) > 0 {
			return b, false
		}
		b = in.Messages[i].append(b)
	}
	b = append(b, ']')
	if in.Parallel != nil {
		b = strconv.AppendBool(append(b, `,"parallel_tool_calls":`...), *in.Parallel)
	}
	b = appendCount(b, `,"max_tokens":`, in.MaxTokens)
	b = appendCount(b, `,"max_completion_tokens":`, in.MaxCompletionTokens)
	for _, f := range [...]struct {
		name  string
		value *float64
	}{
		{`,"temperature":`, in.Temperature}, {`,"top_p":`, in.TopP},
		{`,"frequency_penalty":`, in.FrequencyPenalty}, {`,"presence_penalty":`, in.PresencePenalty},
	} {
		if f.value == nil {
			continue
		}
		if size := math.Abs(*f.value); size != 0 && !(size >= 1e-6 && size < 1e21) { // written with an exponent, or no number of JSON
			return b, false
		}
		b = strconv.AppendFloat(append(b, f.name...), *f.value, 'f', -1, 64)
	}
	if in.Seed != nil {
		b = strconv.AppendInt(append(b, `,"seed":`...), *in.Seed, 10)
	}
	for i, text := range in.Stop {
		if i == 0 {
			b = append(b, `,"stop":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendText(b, text)
		if i == len(in.Stop)-1 {
			b = append(b, ']')
		}
	}
	if in.ReasoningEffort != "" {
		b = appendText(append(b, `,"reasoning_effort":`...), in.ReasoningEffort)
	}
	if in.Stream {
		b = append(b, `,"stream":true`...)
	}
	if in.StreamOptions != nil {
		b = strconv.AppendBool(append(b, `,"stream_options":{"include_usage":`...), in.StreamOptions.IncludeUsage)
		b = append(b, '}')
	}
	return append(b, '}'), true
}

// append writes a message without calls of tools.
func (m *message) append(b []byte) []byte {
	b = appendText(append(b, `{"role":`...), string(m.Role))
	b = append(b, `,"content":`...)
	if m.Content == nil {
		b = append(b, "null"...)
	} else {
		b = appendText(b, *m.Content)
	}
	if m.Name != "" {
		b = appendText(append(b, `,"name":`...), m.Name)
	}
	if m.ToolCallID != "" {
		b = appendText(append(b, `,"tool_call_id":`...), m.ToolCallID)
	}
	return append(b, '}')
}

func appendCount(b []byte, name string, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), int64(n), 10)
}

const hexDigits = "0123456789abcdef"

// appendText writes a JSON string.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); !(r == utf8.RuneError && size == 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			if size == 1 {
				b = append(b, `\ufffd`...)
			} else {
				b = append(b, `\u202`...)
				b = append(b, hexDigits[r&15])
			}
		} else {
			b = appendEscaped(append(b, s[start:i]...), c)
		}
		i += size
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// room is about how long a prompt is.
func room(p *llm.Prompt) int {
	n := 256
	for i := range p.Messages {
		n += 64 + len(p.Messages[i].Content) + len(p.Messages[i].Content)/16
	}
	return n
}
