package dialect

import (
	"bytes"

	"levada.dev/workflows/llm"
)

// scanner walks over the chunks that make up nearly all of a stream: those with text, with the reason why it ended, and with
// usage; and over a whole answer of text. It takes a tenth of the time of encoding/json, and gives up (bad) on all that it does not know, and on all in which encoding/json
// might have another opinion: a field that comes twice or in other letters, a call of a tool, an error, a surrogate.
type scanner struct {
	b   []byte
	i   int
	bad bool

	response, content, reasoning, thoughts, finish, reason string
	usage                                                  *llm.Usage
}

// scan reads a chunk, if it is one of those.
func scan(data []byte) (said, bool) {
	p := scanner{b: data}
	p.chunk()
	if p.space(); p.bad || p.i != len(p.b) {
		return said{}, false
	}
	s := said{text: p.response, reasoning: p.reasoning, finish: p.reason, usage: p.usage}
	if s.text == "" {
		s.text = p.content
	}
	if s.reasoning == "" {
		s.reasoning = p.thoughts
	}
	if s.finish == "" {
		s.finish = p.finish
	}
	return s, true
}

func (p *scanner) chunk() {
	var seen [5]bool
	for key, more := p.field('{'); more; key, more = p.field(',') {
		switch string(key) {
		case "response":
			p.once(&seen[0])
			p.response = p.text()
		case "choices":
			p.once(&seen[1])
			p.choices()
		case "finish_reason":
			p.once(&seen[2])
			p.finish = p.text()
		case "usage":
			p.once(&seen[3])
			p.usage = p.counts()
		case "tool_calls":
			p.once(&seen[4])
			p.nothing()
		case "error", "errors", "result":
			p.bad = true
		default:
			p.skip(0)
		}
	}
}

// choices reads a list of one choice, or none.
func (p *scanner) choices() {
	if p.null() {
		return
	}
	p.want('[')
	if p.next() == ']' {
		p.i++
		return
	}
	var seen [3]bool
	for key, more := p.field('{'); more; key, more = p.field(',') {
		switch string(key) {
		case "index":
			p.once(&seen[0])
			p.want('0')
		case "finish_reason":
			p.once(&seen[1])
			p.reason = p.text()
		case "delta", "message": // of a stream, of a whole answer: never both
			p.once(&seen[2])
			p.reply()
		default:
			p.skip(0)
		}
	}
	p.want(']')
}

func (p *scanner) reply() {
	if p.null() {
		return
	}
	var seen [4]bool
	for key, more := p.field('{'); more; key, more = p.field(',') {
		switch string(key) {
		case "content":
			p.once(&seen[0])
			p.content = p.text()
		case "reasoning_content":
			p.once(&seen[1])
			p.reasoning = p.text()
		case "reasoning":
			p.once(&seen[2])
			p.thoughts = p.text()
		case "tool_calls":
			p.once(&seen[3])
			p.nothing()
		default:
			p.skip(0)
		}
	}
}

func (p *scanner) counts() *llm.Usage {
	if p.null() {
		return nil
	}
	var seen [3]bool
	u := &llm.Usage{}
	for key, more := p.field('{'); more; key, more = p.field(',') {
		switch string(key) {
		case "prompt_tokens":
			p.once(&seen[0])
			u.Prompt = p.count()
		case "completion_tokens":
			p.once(&seen[1])
			u.Completion = p.count()
		case "prompt_tokens_details":
			p.once(&seen[2])
			u.Cached = p.details()
		default:
			p.skip(0)
		}
	}
	return u
}

func (p *scanner) details() (cached int) {
	if p.null() {
		return 0
	}
	var seen bool
	for key, more := p.field('{'); more; key, more = p.field(',') {
		if string(key) == "cached_tokens" {
			p.once(&seen)
			cached = p.count()
			continue
		}
		p.skip(0)
	}
	return cached
}

// ---- values

// field passes what is before the next field of an object, '{' or ',', and its name. There is none when the object ends.
func (p *scanner) field(before byte) (key []byte, more bool) {
	c := p.next()
	if before == ',' && c == '}' {
		p.i++
		return nil, false
	}
	if p.want(before); before == '{' && p.next() == '}' {
		p.i++
		return nil, false
	}
	p.want('"')
	start := p.i
	for p.i < len(p.b) && p.b[p.i] != '"' {
		if c := p.b[p.i]; c < ' ' || c == '\\' || c >= 'A' && c <= 'Z' || c >= 0x80 {
			p.bad = true // encoding/json finds fields in capitals, too
		}
		p.i++
	}
	key = p.b[min(start, len(p.b)):min(p.i, len(p.b))]
	p.want('"')
	p.want(':')
	return key, !p.bad
}

func (p *scanner) once(seen *bool) {
	p.bad = p.bad || *seen
	*seen = true
}

// next is the next byte that is no white space, 0 at the end.
func (p *scanner) next() byte {
	p.space()
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *scanner) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\r' || p.b[p.i] == '\t') {
		p.i++
	}
}

func (p *scanner) want(c byte) {
	if p.next() != c {
		p.bad = true
	}
	p.i++
}

// literal passes a word that begins here.
func (p *scanner) literal(word string) {
	if !bytes.HasPrefix(p.b[min(p.i, len(p.b)):], []byte(word)) {
		p.bad = true
	}
	p.i += len(word)
}

func (p *scanner) null() bool {
	if p.next() != 'n' {
		return false
	}
	p.literal("null")
	return true
}

// nothing passes null and [].
func (p *scanner) nothing() {
	if !p.null() {
		p.want('[')
		p.want(']')
	}
}

// text is a string, or null.
func (p *scanner) text() string {
	if p.null() {
		return ""
	}
	text, ok := unquote(p.quoted())
	p.bad = p.bad || !ok
	return text
}

// quoted is what is between the quotes of a string.
func (p *scanner) quoted() []byte {
	p.want('"')
	if p.bad {
		return nil
	}
	n := closing(p.b[p.i:])
	if n < 0 {
		p.bad = true
		return nil
	}
	inside := p.b[p.i : p.i+n]
	p.i += n + 1
	return inside
}

// count is a whole number that a float64 holds, too.
func (p *scanner) count() (n int) {
	p.next()
	start := p.i
	for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
		n = n*10 + int(p.b[p.i]-'0')
		p.i++
	}
	digits := p.i - start
	if digits == 0 || digits > 15 || digits > 1 && p.b[start] == '0' {
		p.bad = true
	}
	return n
}

// maxDepth is how deep what is passed over may be.
const maxDepth = 8

// skip passes any value.
func (p *scanner) skip(depth int) {
	if depth > maxDepth {
		p.bad = true
	}
	if p.bad {
		return
	}
	switch c := p.next(); c {
	case '"':
		if inside := p.quoted(); !plain(inside) {
			_, ok := unquote(inside)
			p.bad = p.bad || !ok
		}
	case '{':
		for _, more := p.field('{'); more; _, more = p.field(',') {
			p.skip(depth + 1)
		}
	case '[':
		if p.i++; p.next() == ']' {
			p.i++
			return
		}
		for p.skip(depth + 1); !p.bad && p.next() == ','; p.skip(depth + 1) {
			p.i++
		}
		p.want(']')
	case 'n':
		p.literal("null")
	case 't':
		p.literal("true")
	case 'f':
		p.literal("false")
	default:
		p.count() // a number that is not whole is rare
	}
}
