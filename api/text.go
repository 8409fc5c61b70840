package api

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// text is a long string of a body, decoded where it stands: it is a part of the body, which is not JSON any more then. encoding/json would make a
// string of it by way of a buffer, and bytes be made of that: three times a document's text, in an instance that has little room for the
// first. It is nil where the body has none.
type text []byte

var _ json.Unmarshaler = (*text)(nil)

// UnmarshalJSON implements json.Unmarshaler for a string of the grammar that form has checked: no escape is unknown, no
// surrogate alone. The decoder has gone past the literal, and does not come back to it.
func (t *text) UnmarshalJSON(literal []byte) error {
	if string(literal) == "null" {
		return nil
	}
	in := literal[1 : len(literal)-1]
	out := in[:0] // an escape is never shorter than what it stands for
	for {
		plain := bytes.IndexByte(in, '\\')
		if plain < 0 {
			break
		}
		r, n := escaped(in[plain:])
		out = utf8.AppendRune(append(out, in[:plain]...), r)
		in = in[plain+n:]
	}
	*t = append(out, in...)
	return nil
}

// escaped reads the escape at the beginning of s and returns how long it is.
func escaped(s []byte) (r rune, n int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if r = hex(s[2:6]); utf16.IsSurrogate(r) {
			return utf16.DecodeRune(r, hex(s[8:12])), 12
		}
		return r, 6
	}
	return rune(s[1]), 2 // itself: " \\ /
}

func hex(digits []byte) (r rune) {
	for _, c := range digits {
		r <<= 4
		switch {
		case c >= 'a':
			r |= rune(c-'a') + 10
		case c >= 'A':
			r |= rune(c-'A') + 10
		default:
			r |= rune(c - '0')
		}
	}
	return r
}
