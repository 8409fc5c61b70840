package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// maxDepth is how deep a body may be nested: a JSON schema of a tool may need a lot.
const maxDepth = 128

// reader reads JSON (RFC 8259) once, front to back. Who reads says what must come next; what does not fit is a mistake with
// the path of the value, what is not JSON one with its position. A name that occurs twice counts as its last occurrence.
type reader struct {
	data  []byte
	pos   int
	depth int
	path  []step
}

// step leads into an object or, when name is nil, into an array.
type step struct {
	name  []byte
	index int
}

// document reads the whole body: one object, and nothing after it.
func document(body []byte, member func(r *reader, name []byte) error) error {
	r := &reader{data: body, path: make([]step, 0, 8)}
	if at := invalidUTF8(body); at >= 0 {
		return r.syntax(at, "the body is not UTF-8")
	}
	switch r.peek() {
	case 0:
		return r.syntax(r.pos, "the body is empty")
	case '{':
	default:
		return r.syntax(r.pos, "the body is not an object")
	}
	if err := r.object(func(name []byte) error { return member(r, name) }); err != nil {
		return err
	}
	if r.peek(); r.pos < len(r.data) {
		return r.syntax(r.pos, "something follows after the end of the JSON")
	}
	return nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// peek passes over white space and returns the byte that comes next, 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// next passes over c, if that is what comes next.
func (r *reader) next(c byte) bool {
	if r.peek() != c || r.pos == len(r.data) {
		return false
	}
	r.pos++
	return true
}

// object reads an object; member reads the value of each name, or passes over it.
func (r *reader) object(member func(name []byte) error) error {
	if err := r.open('{', "an object"); err != nil {
		return err
	}
	if r.next('}') {
		r.depth--
		return nil
	}
	for {
		if r.peek() != '"' {
			return r.syntax(r.pos, "expected the name of a parameter")
		}
		name, err := r.quoted()
		if err != nil {
			return err
		}
		if !r.next(':') {
			return r.syntax(r.pos, "expected :")
		}
		r.path = append(r.path, step{name: name})
		if err := member(name); err != nil {
			return err
		}
		r.path = r.path[:len(r.path)-1]
		if r.next('}') {
			r.depth--
			return nil
		}
		if !r.next(',') {
			return r.syntax(r.pos, "expected , or }")
		}
	}
}

// array reads an array; element reads each of its elements.
func (r *reader) array(element func(i int) error) error {
	if err := r.open('[', "an array"); err != nil {
		return err
	}
	if r.next(']') {
		r.depth--
		return nil
	}
	for i := 0; ; i++ {
		r.path = append(r.path, step{index: i})
		if err := element(i); err != nil {
			return err
		}
		r.path = r.path[:len(r.path)-1]
		if r.next(']') {
			r.depth--
			return nil
		}
		if !r.next(',') {
			return r.syntax(r.pos, "expected , or ]")
		}
	}
}

func (r *reader) open(c byte, what string) error {
	if !r.next(c) {
		return r.mistyped(what)
	}
	if r.depth++; r.depth > maxDepth {
		return r.refuse("invalid_value", "is nested deeper than %d", maxDepth)
	}
	return nil
}

// null passes over null, which stands for absence.
func (r *reader) null() bool {
	if r.peek() != 'n' || !r.at("null") {
		return false
	}
	r.pos += len("null")
	return true
}

func (r *reader) at(word string) bool {
	return len(r.data)-r.pos >= len(word) && string(r.data[r.pos:r.pos+len(word)]) == word
}

func (r *reader) boolean() (bool, error) {
	r.peek()
	for _, word := range [...]string{"true", "false"} {
		if r.at(word) {
			r.pos += len(word)
			return word == "true", nil
		}
	}
	return false, r.mistyped("a boolean")
}

func (r *reader) text() (string, error) {
	if r.peek() != '"' {
		return "", r.mistyped("a string")
	}
	s, err := r.quoted()
	return string(s), err
}

// quoted reads a string. Without escapes, it is a part of the body.
func (r *reader) quoted() ([]byte, error) {
	r.pos++
	start := r.pos
	var out []byte // nil while nothing was escaped
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; {
		case c == '"':
			part := r.data[start:r.pos]
			r.pos++
			if out == nil {
				return part, nil
			}
			return append(out, part...), nil
		case c == '\\':
			if out == nil {
				out = make([]byte, 0, r.pos-start+r.quote()) // an escape is never shorter than what it stands for
			}
			out = append(out, r.data[start:r.pos]...)
			char, err := r.escape()
			if err != nil {
				return nil, err
			}
			out, start = utf8.AppendRune(out, char), r.pos
		case c < 0x20:
			return nil, r.syntax(r.pos, "a control character in a string must be escaped")
		default:
			r.pos++
		}
	}
	return nil, r.syntax(r.pos, "the JSON ends in a string")
}

// quote is how far the end of the string is at least; further only if quotes are escaped.
func (r *reader) quote() int { return max(0, bytes.IndexByte(r.data[r.pos:], '"')) }

func (r *reader) escape() (rune, error) {
	start := r.pos
	if r.pos += 2; r.pos > len(r.data) {
		return 0, r.syntax(len(r.data), "the JSON ends in a string")
	}
	switch c := r.data[r.pos-1]; c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		return 0, r.syntax(start, "there is no such escape")
	}
	char := r.hex4()
	if utf16.IsSurrogate(char) {
		low := rune(-1)
		if r.at(`\u`) {
			r.pos += 2
			low = r.hex4()
		}
		if char = utf16.DecodeRune(char, low); char == utf8.RuneError {
			char = -1
		}
	}
	if char < 0 {
		return 0, r.syntax(start, "the escape is no Unicode character")
	}
	return char, nil
}

// hex4 reads four hexadecimal digits; -1 when they are none.
func (r *reader) hex4() (char rune) {
	if len(r.data)-r.pos < 4 {
		return -1
	}
	for _, c := range r.data[r.pos : r.pos+4] {
		char <<= 4
		switch {
		case c >= '0' && c <= '9':
			char |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			char |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			char |= rune(c-'A') + 10
		default:
			return -1
		}
	}
	r.pos += 4
	return char
}

// number reads a number between two bounds.
func (r *reader) number(low, high float64) (float64, error) {
	literal, err := r.numeral("a number")
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(literal), 64)
	if err != nil || v < low || v > high {
		return 0, r.refuse("invalid_value", "is %.40s, which is not between %g and %g", literal, low, high)
	}
	return v, nil
}

// integer reads a whole number between two bounds.
func (r *reader) integer(low, high int64) (int64, error) {
	literal, err := r.numeral("an integer")
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseInt(string(literal), 10, 64)
	switch {
	case err != nil && strings.ContainsAny(string(literal), ".eE"):
		return 0, r.refuse("invalid_type", "is %.40s, which is not an integer", literal)
	case err != nil || v < low || v > high:
		return 0, r.refuse("invalid_value", "is %.40s, which is not between %d and %d", literal, low, high)
	}
	return v, nil
}

// numeral reads a number as it is written.
func (r *reader) numeral(what string) ([]byte, error) {
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		return nil, r.mistyped(what)
	}
	start := r.pos
	r.skipByte('-')
	if !r.skipByte('0') && !r.digits() {
		return nil, r.syntax(r.pos, "expected a digit")
	}
	if r.skipByte('.') && !r.digits() {
		return nil, r.syntax(r.pos, "expected a digit")
	}
	if r.skipByte('e') || r.skipByte('E') {
		if !r.skipByte('+') {
			r.skipByte('-')
		}
		if !r.digits() {
			return nil, r.syntax(r.pos, "expected a digit")
		}
	}
	return r.data[start:r.pos], nil
}

func (r *reader) skipByte(c byte) bool {
	if r.pos < len(r.data) && r.data[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *reader) digits() bool {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > start
}

// raw reads any value and returns it as it is written: a part of the body.
func (r *reader) raw() (json.RawMessage, error) {
	r.peek()
	start := r.pos
	err := r.skip()
	return r.data[start:r.pos], err
}

// skip passes over any value.
func (r *reader) skip() error {
	switch c := r.peek(); {
	case c == '{':
		return r.object(func([]byte) error { return r.skip() })
	case c == '[':
		return r.array(func(int) error { return r.skip() })
	case c == '"':
		_, err := r.quoted()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := r.numeral("a number")
		return err
	case c == 't' || c == 'f':
		_, err := r.boolean()
		return err
	case r.null():
		return nil
	}
	return r.mistyped("a value")
}

// where is the path of the value the reader is at: "messages[0].content".
func (r *reader) where() string {
	var b strings.Builder
	for _, s := range r.path {
		if s.name == nil {
			fmt.Fprintf(&b, "[%d]", s.index)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		if len(s.name) == 0 {
			b.WriteString(`""`)
		}
		b.Write(s.name[:min(len(s.name), 64)])
	}
	return strings.ToValidUTF8(b.String(), "")
}

// refuse is a mistake in the value the reader is at.
func (r *reader) refuse(code, format string, args ...any) error {
	return mistake(r.where(), code, format, args...)
}

// mistyped is a value of another type than what must come next, or none at all.
func (r *reader) mistyped(want string) error {
	got := ""
	switch c := r.peek(); {
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == '"':
		got = "a string"
	case c == '-' || c >= '0' && c <= '9':
		got = "a number"
	case r.at("true") || r.at("false"):
		got = "a boolean"
	case r.at("null"):
		got = "null"
	case r.pos == len(r.data):
		return r.syntax(r.pos, "the JSON ends in the middle")
	default:
		return r.syntax(r.pos, "expected a value")
	}
	return r.refuse("invalid_type", "must be %s, not %s", want, got)
}

// syntax says where the body stops being JSON.
func (r *reader) syntax(at int, what string) error {
	before := r.data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := at - bytes.LastIndexByte(before, '\n')
	return fault.Invalidf("", "invalid_json", "The body is not the JSON it should be: %s at byte %d (line %d, column %d).", what, at, line, column)
}
