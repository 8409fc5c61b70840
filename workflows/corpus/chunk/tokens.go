package chunk

import (
	"unicode"
	"unicode/utf8"
)

// Tokens estimates how many tokens a model makes of text, from above where it can:
//
//   - a Latin word is one token up to six letters, and one more for each four beyond; camelCase is several words; more
//     than twenty letters are no word, and each two of them are a token;
//   - two digits are a token, and so is each punctuation mark;
//   - each Chinese, Japanese or Korean character is a token; two letters of any other script are one;
//   - a symbol or emoji is two tokens;
//   - eight characters of white space in a row are one, so that a piece stays small in bytes, too.
func Tokens(text []byte) int {
	var m meter
	for i := 0; i < len(text); {
		i += m.next(text[i:])
	}
	return m.tokens
}

type class uint8

const (
	space class = iota
	lower
	upper
	digitClass
	letter // of another script
	ideograph
	mark
	symbol
)

var asciiClass = func() (t [utf8.RuneSelf]class) {
	for c := range t {
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			t[c] = space
		case c >= 'a' && c <= 'z':
			t[c] = lower
		case c >= 'A' && c <= 'Z':
			t[c] = upper
		case c >= '0' && c <= '9':
			t[c] = digitClass
		default:
			t[c] = mark
		}
	}
	return t
}()

// meter counts tokens rune by rune.
type meter struct {
	tokens int
	run    int // runes of the present class in a row
	class  class
}

// next counts the first rune of b and returns its length.
func (m *meter) next(b []byte) int {
	if c := b[0]; c < utf8.RuneSelf {
		m.count(asciiClass[c])
		return 1
	}
	r, n := utf8.DecodeRune(b)
	m.count(classOf(r))
	return n
}

func (m *meter) count(c class) {
	switch {
	case c == m.class:
		m.run++
	case c == lower && m.class == upper && m.run == 1: // "Word" is one run
		m.run, m.class = 2, lower
	default:
		m.run, m.class = 1, c
	}
	switch c {
	case space:
		if m.run%8 == 0 {
			m.tokens++
		}
	case lower, upper:
		if m.run == 1 || m.run > 6 && m.run <= 20 && (m.run-7)%4 == 0 || m.run > 20 && m.run%2 == 1 {
			m.tokens++
		}
	case digitClass, letter:
		m.tokens += m.run % 2
	case symbol:
		m.tokens += 2
	default:
		m.tokens++
	}
}

func classOf(r rune) class {
	switch {
	case unicode.IsSpace(r):
		return space
	case r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFAFF || r >= 0x1100 && r <= 0x11FF ||
		r >= 0xFF00 && r <= 0xFFEF || r >= 0x20000 && r <= 0x3FFFF:
		return ideograph
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letter
	case unicode.IsDigit(r):
		return digitClass
	case r >= 0x1F000 || unicode.Is(unicode.So, r):
		return symbol
	}
	return mark
}
