package dialect

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"levada.dev/workflows/llm"
)

// shapes is the fast way through a stream, in which one chunk is like the other but for a few letters of text.
//
// When encoding/json has read a chunk that carries nothing but text, what stands before and after the text is
// remembered. A chunk with the same beginning and end, and in between what can stand in a JSON string, then says that string:
// whatever the chunk's form, the order of its fields or the dialect. All others are read by encoding/json.
type shapes struct {
	known  [2]shape // of text and of reasoning
	learnt int      // how many have been
}

type shape struct {
	before, after []byte
	reasoning     bool
}

// maxLearnt bounds what learning may cost in a stream whose chunks always differ.
const maxLearnt = 16

// markers are what the text of a chunk stands after.
var markers = [][]byte{
	[]byte(`"content":"`), []byte(`"response":"`), []byte(`"reasoning_content":"`), []byte(`"reasoning":"`),
	[]byte(`"content": "`), []byte(`"response": "`), []byte(`"reasoning_content": "`), []byte(`"reasoning": "`),
}

// probe is a text to try a shape with.
const probe = "probe"

// read reads a chunk of a known shape. The last field of a chunk may be the padding with which Workers AI hides the length of
// tokens, "p", which is no part of the shape.
func (s *shapes) read(data []byte) (llm.Delta, bool) {
	for i := range s.known {
		k := &s.known[i]
		if len(k.before) == 0 || !bytes.HasPrefix(data, k.before) {
			continue
		}
		rest := data[len(k.before):]
		text, ok := "", false
		if unpadded, padded := unpad(rest); padded { // what it leaves of the end is without the brace
			text, ok = between(unpadded, k.after[:len(k.after)-1])
		} else {
			text, ok = between(rest, k.after)
		}
		switch {
		case !ok:
		case k.reasoning:
			return llm.Delta{Reasoning: text}, true
		default:
			return llm.Delta{Text: text}, true
		}
	}
	return llm.Delta{}, false
}

// between is the text before a chunk's end. Where there is none, another field may have some.
func between(data, after []byte) (string, bool) {
	middle, ok := bytes.CutSuffix(data, after)
	if !ok || len(middle) == 0 {
		return "", false
	}
	return unquote(middle)
}

// unpad removes ,"p":"abc"} from the end.
func unpad(data []byte) ([]byte, bool) {
	rest, ok := bytes.CutSuffix(data, []byte(`"}`))
	if !ok {
		return nil, false
	}
	n := len(rest)
	for n > 0 && (rest[n-1] >= 'a' && rest[n-1] <= 'z' || rest[n-1] >= 'A' && rest[n-1] <= 'Z' || rest[n-1] >= '0' && rest[n-1] <= '9') {
		n--
	}
	return bytes.CutSuffix(rest[:n], []byte(`,"p":"`))
}

// learn remembers the shape of a chunk that was read as d and carried nothing else. Whether the text really comes from where it
// seems to come from, it tries with another text.
func (s *shapes) learn(data []byte, d llm.Delta) {
	text := d.Text + d.Reasoning
	if s.learnt >= maxLearnt || text == "" || d.Text != "" && d.Reasoning != "" {
		return
	}
	if unpadded, ok := unpad(data); ok {
		data = append(unpadded[:len(unpadded):len(unpadded)], '}')
	}
	for _, marker := range markers {
		i := bytes.Index(data, marker)
		if i < 0 {
			continue
		}
		before, rest := data[:i+len(marker)], data[i+len(marker):]
		end := closing(rest)
		if end < 0 {
			continue
		}
		k := shape{bytes.Clone(before), bytes.Clone(rest[end:]), d.Reasoning != ""}
		if data[len(data)-1] == '}' && k.holds() {
			s.learnt++
			at := 0
			if k.reasoning {
				at = 1
			}
			s.known[at] = k
			return
		}
	}
}

// holds reports whether encoding/json reads another text where the shape has it, and nothing besides.
func (k *shape) holds() bool {
	var c chunk
	if json.Unmarshal(append(append(bytes.Clone(k.before), probe...), k.after...), &c) != nil || c.failed() || c.Usage != nil {
		return false
	}
	text, reasoning, calls, finish := c.content()
	if k.reasoning {
		text, reasoning = reasoning, text
	}
	return text == probe && reasoning == "" && len(calls) == 0 && finish == ""
}

// closing is where the quote is that ends a JSON string, or -1.
func closing(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote is what a JSON string says. It reports false for what is none, and for what is rare: surrogates and bytes that are not
// UTF-8.
func unquote(b []byte) (string, bool) {
	plain := true
	for _, c := range b {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return string(b), true
	}
	if !utf8.Valid(b) {
		return "", false
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c < ' ' || c == '"' {
			return "", false
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if i++; i == len(b) {
			return "", false
		}
		if b[i] == 'u' {
			r, ok := escaped(b[i+1:])
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, r)
			i += 4
			continue
		}
		if c = escapes[b[i]]; c == 0 {
			return "", false
		}
		out = append(out, c)
	}
	return string(out), true
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped is the rune of four hexadecimal digits, unless it is half of one.
func escaped(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	r := rune(0)
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, r < 0xD800 || r >= 0xE000
}
