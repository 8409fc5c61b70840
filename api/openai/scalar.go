package openai

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
	for {
		plain := plainText(r.data[r.pos:])
		if r.pos += plain; r.pos == len(r.data) {
			return nil, r.syntax(r.pos, "the JSON ends in a string")
		}
		switch r.data[r.pos] {
		case '"':
			part := r.data[start:r.pos]
			r.pos++
			if out == nil {
				return part, nil
			}
			return append(out, part...), nil
		case '\\':
			if out == nil {
				out = make([]byte, 0, r.pos-start+r.quote()) // an escape is never shorter than what it stands for
			}
			out = append(out, r.data[start:r.pos]...)
			char, err := r.escape()
			if err != nil {
				return nil, err
			}
			out, start = utf8.AppendRune(out, char), r.pos
		default:
			return nil, r.syntax(r.pos, "a control character in a string must be escaped")
		}
	}
}

// plainText is how many bytes at the beginning of a string stand for themselves.
func plainText(s []byte) int {
	for i, c := range s {
		if c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
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
