package dialect

import (
	"bytes"

	"levada.dev/workflows/llm"
)

// shapes is the fast way through a stream, in which one chunk is like the other but for a few letters of text.
//
// When a chunk was read that carries nothing but text, what stands before and after the text is remembered. A chunk with the
// same beginning and end, and in between what can stand in a JSON string, then says that string: whatever the chunk's
// form, the order of its fields or the dialect. All others are read as the first one was.
type shapes struct {
	known  [2]shape // of text and of reasoning
	learnt int      // how many have been
	begun  bool     // the first chunk was read
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
	text, first := d.Text+d.Reasoning, !s.begun
	s.begun = true
	if first && bytes.Contains(data, []byte(`"role":`)) {
		return // who speaks is mostly said once: no other chunk will be like this one
	}
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

// holds reports whether another text is read where the shape has it, and nothing besides.
func (k *shape) holds() bool {
	s, failed, err := read(append(append(bytes.Clone(k.before), probe...), k.after...))
	if k.reasoning {
		s.text, s.reasoning = s.reasoning, s.text
	}
	return err == nil && !failed && s.text == probe && s.reasoning == "" && len(s.calls) == 0 && s.finish == "" && s.usage == nil
}
