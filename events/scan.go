package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deeply data may be nested. RFC 8259 leaves the bound to the parser; ours keeps the stack small.
const maxDepth = 128

// scanner walks one JSON text (RFC 8259) that is known to be UTF-8. It validates everything it passes and
// builds nothing, so that the data of an event is looked at once, however large it is.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("%s at byte %d", fmt.Sprintf(format, args...), s.i)
}

// begins says how a text begins, for people; c is what next has found.
func (s *scanner) begins(c byte) string {
	if s.i >= len(s.b) {
		return "is empty"
	}
	return fmt.Sprintf("begins with %q at byte %d", rune(c), s.i)
}

// cut is the error about a text that ends too early.
func (s *scanner) cut() error { return fmt.Errorf("the JSON ends in the middle, at byte %d", len(s.b)) }

// next skips white space and returns the byte that follows, 0 at the end.
func (s *scanner) next() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// expect passes one structural byte.
func (s *scanner) expect(c byte) error {
	switch got := s.next(); {
	case got == c:
		s.i++
		return nil
	case s.i >= len(s.b):
		return s.cut()
	default:
		return s.errorf("unexpected %q instead of %q", got, c)
	}
}

// end fails unless nothing but white space is left.
func (s *scanner) end() error {
	if s.next() != 0 || s.i < len(s.b) {
		return s.errorf("text after the JSON value")
	}
	return nil
}

// value passes one JSON value of any kind and returns it as it stands.
func (s *scanner) value(depth int) ([]byte, error) {
	c := s.next()
	start := s.i
	var err error
	switch {
	case s.i >= len(s.b):
		err = s.cut()
	case c == '{' || c == '[':
		err = s.nested(c, depth)
	case c == '"':
		_, err = s.text()
	case c == '-' || c >= '0' && c <= '9':
		err = s.number()
	case c == 't':
		err = s.literal("true")
	case c == 'f':
		err = s.literal("false")
	case c == 'n':
		err = s.literal("null")
	default:
		err = s.errorf("unexpected %q", c)
	}
	if err != nil {
		return nil, err
	}
	return s.b[start:s.i], nil
}

func (s *scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.errorf("unexpected word")
	}
	s.i += len(word)
	return nil
}

// nested passes an object or an array, whose opening bracket is next.
func (s *scanner) nested(opening byte, depth int) error {
	if depth >= maxDepth {
		return s.errorf("nested deeper than %d", maxDepth)
	}
	closing := opening + 2 // in ASCII both closing brackets stand two behind their opening ones
	s.i++
	if s.next() == closing {
		s.i++
		return nil
	}
	for {
		if opening == '{' {
			if s.next() != '"' {
				return s.errorf("expected a member name")
			}
			if _, err := s.text(); err != nil {
				return err
			}
			if err := s.expect(':'); err != nil {
				return err
			}
		}
		if _, err := s.value(depth + 1); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case closing:
			s.i++
			return nil
		default:
			return s.errorf("expected ',' or %q", closing)
		}
	}
}

func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return s.errorf("malformed number")
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return s.errorf("malformed number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if !s.digits() {
			return s.errorf("malformed number")
		}
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) digits() bool {
	start := s.i
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.i++
	}
	return s.i > start
}

// text passes a string, whose opening quote is next, and returns what stands between the quotes.
func (s *scanner) text() ([]byte, error) {
	b, start := s.b, s.i+1
	for i := start; i < len(b); i++ {
		for len(b)-i >= 8 && plain(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
		}
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case c == '"':
			s.i = i + 1
			return b[start:i], nil
		case c < 0x20:
			s.i = i
			return nil, s.errorf("control character in a string")
		case c == '\\':
			n := escapeLength(b[i:])
			if n == 0 {
				s.i = i
				return nil, s.errorf("malformed escape")
			}
			i += n - 1
		}
	}
	return nil, s.cut()
}

// plain reports whether none of eight bytes is a control character, a quote or a backslash. Base64 and prose, which
// make events big, are passed eight bytes at a time.
func plain(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := x^(ones*'"'), x^(ones*'\\')
	return ((x-ones*0x20)&^x|(quote-ones)&^quote|(backslash-ones)&^backslash)&highs == 0
}

// escapeLength is the length of the escape sequence that b starts with, 0 when it is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16) // takes no sign, prefix or underscore with this base
	return rune(n), err == nil
}

// unescape decodes what text returned. Surrogates that are no pair name no character and are refused.
func unescape(raw []byte) (string, error) {
	for i, c := range raw {
		if c == '\\' {
			return unescapeFrom(raw, i)
		}
	}
	return string(raw), nil
}

func unescapeFrom(raw []byte, i int) (string, error) {
	out := append(make([]byte, 0, len(raw)), raw[:i]...)
	for i < len(raw) {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, n, err := unescapeRune(raw[i:])
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			i += n
			continue
		default: // quote, backslash, slash
			out = append(out, c)
		}
		i += 2
	}
	return string(out), nil
}

// unescapeRune decodes the \u escape that b starts with, or the pair of them, and returns its length.
func unescapeRune(b []byte) (rune, int, error) {
	r, _ := hex4(b[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6, nil
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		low, _ := hex4(b[8:])
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			return r, 12, nil
		}
	}
	return 0, 0, errors.New("a surrogate without its other half")
}
