package pdf

import (
	"bytes"
	"math"
	"strconv"
)

// The objects of a file: nil, bool, float64, text, name, array, dict, ref, *stream; keyword is an operator.
type (
	text    string // a string, as its bytes
	name    string
	keyword string
	array   []any
	dict    map[name]any
	ref     struct{ number int }
	stream  struct {
		dict dict
		raw  []byte
		key  int // the object's number, for decryption
	}
)

// maxNesting is how deep arrays and dictionaries may be nested; what lies deeper is taken apart.
const maxNesting = 48

// maxHeld is how many objects are kept of arrays and dictionaries; what comes after them is passed over.
const maxHeld = 250_000

// lexer reads objects from a part of a file, or from a page's content.
type lexer struct {
	b    []byte
	pos  int
	held int // objects in arrays and dictionaries that it has handed out; the caller may let go of them
}

// holds reports whether an object within another may be kept, and counts it.
func (l *lexer) holds(depth int) bool {
	l.held++
	return depth < maxNesting && l.held <= maxHeld
}

func space(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func delimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func (l *lexer) skip() {
	for l.pos < len(l.b) {
		switch c := l.b[l.pos]; {
		case space(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.b) && l.b[l.pos] != '\n' && l.b[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

// end is what next returns at the end.
const end keyword = ""

// next is the next object or operator; what closes an array or a dictionary comes as a keyword.
func (l *lexer) next() any { return l.object(0) }

func (l *lexer) object(depth int) any {
	l.skip()
	if l.pos >= len(l.b) {
		return end
	}
	c := l.b[l.pos]
	switch {
	case c == '/':
		return l.name()
	case c == '(':
		return l.literal()
	case c == '<' && l.at(1) == '<':
		l.pos += 2
		if depth == maxNesting {
			return keyword("<<")
		}
		return l.dict(depth + 1)
	case c == '<':
		return l.hex()
	case c == '>' && l.at(1) == '>':
		l.pos += 2
		return keyword(">>")
	case c == '[':
		l.pos++
		if depth == maxNesting {
			return keyword("[")
		}
		return l.array(depth + 1)
	case delimiter(c):
		l.pos++
		return keyword(l.b[l.pos-1 : l.pos])
	}
	start := l.pos
	for l.pos < len(l.b) && !space(l.b[l.pos]) && !delimiter(l.b[l.pos]) {
		l.pos++
	}
	word := l.b[start:l.pos]
	if n, ok := number(word); ok {
		return n
	}
	switch string(word) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return keyword(word)
}

func (l *lexer) at(i int) byte {
	if l.pos+i < len(l.b) {
		return l.b[l.pos+i]
	}
	return 0
}

// number reads what may be a number, as other programs do that see "--5" or "4.-3".
func number(word []byte) (float64, bool) {
	if c := word[0]; c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
		return 0, false
	}
	if n, err := strconv.ParseFloat(string(word), 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		return n, true
	}
	word = bytes.TrimLeft(word, "+-")
	if i := bytes.IndexByte(word, '-'); i > 0 {
		word = word[:i]
	}
	n, err := strconv.ParseFloat(string(word), 64)
	return n, err == nil && !math.IsInf(n, 0)
}

func (l *lexer) name() name {
	l.pos++
	var out []byte
	for l.pos < len(l.b) && !space(l.b[l.pos]) && !delimiter(l.b[l.pos]) {
		c := l.b[l.pos]
		if c == '#' {
			if n, err := strconv.ParseUint(string(l.b[l.pos+1:min(l.pos+3, len(l.b))]), 16, 8); err == nil {
				out = append(out, byte(n))
				l.pos += 3
				continue
			}
		}
		out = append(out, c)
		l.pos++
	}
	l.pos = min(l.pos, len(l.b))
	return name(out)
}

func (l *lexer) literal() text {
	l.pos++
	var out []byte
	for depth := 1; l.pos < len(l.b); l.pos++ {
		c := l.b[l.pos]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.pos++
				return text(out)
			}
		case '\\':
			l.pos++
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	return text(out)
}

func (l *lexer) escape(out []byte) []byte {
	c := l.at(0)
	switch c {
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case '\r':
		if l.at(1) == '\n' {
			l.pos++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	n := 0
	for i := 0; i < 3 && l.at(0) >= '0' && l.at(0) <= '7'; i++ {
		n = n*8 + int(l.at(0)-'0')
		l.pos++
	}
	l.pos--
	return append(out, byte(n))
}

func (l *lexer) hex() text {
	l.pos++
	var out []byte
	high, half := byte(0), false
	for ; l.pos < len(l.b); l.pos++ {
		c := l.b[l.pos]
		if c == '>' {
			l.pos++
			break
		}
		d, ok := hexDigit(c)
		if !ok {
			continue
		}
		if half {
			out = append(out, high<<4|d)
		}
		high, half = d, !half
	}
	if half {
		out = append(out, high<<4)
	}
	return text(out)
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (l *lexer) array(depth int) array {
	out := array{}
	for {
		o := l.object(depth)
		switch o {
		case keyword("]"), end, keyword("endobj"), keyword("endstream"):
			return out
		case keyword("R"):
			if r, ok := reference(out); ok {
				out = append(out[:len(out)-2], r)
			}
			continue
		}
		if _, ok := o.(keyword); ok {
			continue
		}
		if l.holds(depth) {
			out = append(out, o)
		}
	}
}

// reference makes "12 0 R" of the last two objects.
func reference(objects array) (ref, bool) {
	if len(objects) < 2 {
		return ref{}, false
	}
	n, ok := objects[len(objects)-2].(float64)
	_, ok2 := objects[len(objects)-1].(float64)
	return ref{int(n)}, ok && ok2
}

func (l *lexer) dict(depth int) dict {
	out := dict{}
	var key name
	var values array
	store := func() {
		if key != "" && len(values) > 0 && l.holds(depth) {
			out[key] = values[0]
		}
	}
	for {
		o := l.object(depth)
		switch o := o.(type) {
		case keyword:
			switch o {
			case ">>", end, "endobj", "stream":
				if o == "stream" || o == "endobj" {
					l.pos -= len(o)
				}
				store()
				return out
			case "R":
				if r, ok := reference(values); ok {
					values = append(values[:len(values)-2], r)
				}
			}
		case name:
			if key == "" || len(values) > 0 {
				store()
				key, values = o, nil
				continue
			}
			values = append(values, o)
		default:
			if len(values) < 3 {
				values = append(values, o)
			}
		}
	}
}
