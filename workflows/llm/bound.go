package llm

import "encoding/json"

// What the templates of the models add to a prompt, generously: the longest fixed beginning, the frame of a message, of a
// call of a tool and of a tool, and the text that explains to a model how tools are called.
const (
	boundPrompt   = 256
	boundMessage  = 16
	boundToolCall = 32
	boundTool     = 64
	boundTools    = 512
)

// Bound is more tokens than any model makes of a prompt, so what may be reserved for it. A tokenizer makes at
// most one token of a byte; and the templates write the JSON of tools again, indented and escaped.
func Bound(p Prompt) int64 {
	n := int64(boundPrompt) + jsonBound(p.Format) + jsonBound(p.ToolChoice)
	for _, m := range p.Messages {
		n += boundMessage + int64(len(m.Content)+len(m.Name)+len(m.ToolCallID))
		for _, c := range m.ToolCalls {
			n += boundToolCall + int64(len(c.ID)+len(c.Name)) + jsonBound(c.Arguments)
		}
	}
	if len(p.Tools) > 0 {
		n += boundTools
	}
	for _, t := range p.Tools {
		n += boundTool + int64(len(t.Name)) + jsonBound(t.Description) + jsonBound(t.Parameters)
	}
	return n
}

// jsonBound is the most tokens that JSON can become when a template writes it anew: a byte that JSON or HTML escapes
// becomes up to six, and what ends or begins a line gets a line break and its indentation.
func jsonBound[T string | json.RawMessage](text T) int64 {
	n := int64(0)
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 0x80 || c == '<' || c == '>' || c == '&' || c == '\'':
			n += 6
		case c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':':
			n += 4
		default:
			n++
		}
	}
	return n
}

// What templates usually add.
const (
	usualMessage = 4
	usualTool    = 8
)

// Estimate is about how many tokens a prompt has. It is never more than Bound.
func Estimate(p Prompt) int {
	var w weight
	n := usualMessage
	w.add(string(p.Format))
	for _, m := range p.Messages {
		n += usualMessage
		w.add(m.Content)
		w.add(m.Name)
		for _, c := range m.ToolCalls {
			n += usualTool
			w.add(c.Name)
			w.add(c.Arguments)
		}
	}
	for _, t := range p.Tools {
		n += usualTool
		w.add(t.Name)
		w.add(t.Description)
		w.add(string(t.Parameters))
	}
	return n + w.tokens()
}

// EstimateText is about how many tokens a text has: four letters a token, two digits, three outside of ASCII, which makes
// one of an ideograph; two thirds of a token for a sign; and two letters a token where a word is longer than words are.
func EstimateText(text string) int {
	var w weight
	w.add(text)
	return w.tokens()
}

// weight is how many twelfths of a token there were.
type weight int

// weights of a byte, and of a letter in what is no word.
const (
	ofLetter = 3
	ofOther  = 4
	ofDigit  = 6
	ofSign   = 8
	ofNoWord = 6
	longWord = 16
)

var byteWeights = func() (of [256]uint8) {
	for b := range of {
		switch {
		case b >= 0x80:
			of[b] = ofOther
		case b >= '0' && b <= '9':
			of[b] = ofDigit
		case b > ' ' && b < 'A' || b > 'Z' && b < 'a' || b > 'z':
			of[b] = ofSign
		default:
			of[b] = ofLetter
		}
	}
	return of
}()

func (w *weight) add(text string) {
	sum, word := 0, 0
	for i := range len(text) {
		b := text[i]
		n := int(byteWeights[b])
		if n == ofLetter && b > ' ' {
			if word++; word > longWord {
				n = ofNoWord
			}
		} else {
			word = 0
		}
		sum += n
	}
	*w += weight(sum)
}

func (w weight) tokens() int { return (int(w) + 11) / 12 }
