package tally

import (
	"bytes"
	"strconv"
	"strings"

	"levada.dev/events/fault"
)

// MaxValues is how many values a JSON text from outside may hold: a body, a line of a batch, an event's data. Each element and each member is one, and so is
// what holds them.
const MaxValues = 50_000

// The codes of what is refused.
const (
	CodeComplex = "json_too_complex"
	CodeDeep    = "json_too_deep"
)

// maxDepth is how deep a text may be nested: as deep as any of our readers takes it.
const maxDepth = 128

// Check refuses a text that holds more values than the most, or is nested too deep: fault.Invalid, with the place of the first value that is too many,
// below at. It builds nothing and reads no further than that. Whether the text is JSON is for whoever reads it: what is none passes.
func Check(text []byte, at string, most int) error {
	c := counter{text: text, most: most}
	return c.count(at)
}

// TooComplex is the error about a text of more values than the most.
func TooComplex(at string, most int) *fault.Error {
	return fault.Invalidf(at, CodeComplex, "the JSON holds more than %d values", most).
		WithHint("send it in parts; each element and each member counts, and so does what holds them")
}

type counter struct {
	text  []byte
	pos   int
	most  int
	seen  int
	stack []level
}

// level is an array or object that has begun, and where in it the counter is.
type level struct {
	object bool
	index  int    // of the element
	name   []byte // of the member, as it is written; nil before it
	valued bool   // the name is passed
}

func (c *counter) count(at string) error {
	for c.pos < len(c.text) {
		b := c.text[c.pos]
		c.pos++
		switch b {
		case ' ', '\t', '\n', '\r':
			continue
		case ',':
			if top := c.top(); top != nil {
				top.index, top.name, top.valued = top.index+1, nil, false
			}
			continue
		case ':':
			if top := c.top(); top != nil {
				top.valued = true
			}
			continue
		case '}', ']':
			c.stack = c.stack[:max(0, len(c.stack)-1)]
			continue
		case '"':
			start := c.pos
			c.skipText()
			if top := c.top(); top != nil && top.object && !top.valued {
				top.name = c.text[start:max(start, c.pos-1)]
				continue
			}
		}
		if c.seen++; c.seen > c.most {
			return TooComplex(c.place(at), c.most)
		}
		switch b {
		case '"':
		case '{', '[':
			if len(c.stack) == maxDepth {
				return fault.Invalidf(c.place(at), CodeDeep, "the JSON is nested deeper than %d", maxDepth)
			}
			c.stack = append(c.stack, level{object: b == '{'})
		default:
			c.skipWord()
		}
	}
	return nil
}

func (c *counter) top() *level {
	if len(c.stack) == 0 {
		return nil
	}
	return &c.stack[len(c.stack)-1]
}

// skipText passes over the rest of a string.
func (c *counter) skipText() {
	for {
		n := bytes.IndexByte(c.text[c.pos:], '"')
		if n < 0 {
			c.pos = len(c.text)
			return
		}
		end := c.pos + n
		escapes := 0
		for escapes < n && c.text[end-1-escapes] == '\\' {
			escapes++
		}
		c.pos = end + 1
		if escapes%2 == 0 {
			return
		}
	}
}

// skipWord passes over the rest of a number or a literal.
func (c *counter) skipWord() {
	for c.pos < len(c.text) && !strings.ContainsRune(" \t\n\r,:{}[]\"", rune(c.text[c.pos])) {
		c.pos++
	}
}

// place is where the counter is, as a path.
func (c *counter) place(at string) string {
	var b strings.Builder
	b.WriteString(at)
	for _, l := range c.stack {
		if !l.object {
			b.WriteString("[" + strconv.Itoa(l.index) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.Write(l.name[:min(len(l.name), 64)])
	}
	return strings.ToValidUTF8(b.String(), "")
}
