package openai

import (
	"encoding/json"
	"unicode/utf8"

	"levada.dev/events/tally"
)

// maxDepth is how deep a body may be nested: a JSON schema of a tool may need a lot.
const maxDepth = 128

// reader reads JSON (RFC 8259) once, front to back. Who reads says what must come next; what does not fit is a mistake with
// the path of the value, what is not JSON one with its position. A name that occurs twice counts as its last occurrence.
type reader struct {
	data  []byte
	pos   int
	depth int
	seen  int // values, of which tally.MaxValues may be
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
		if err := r.one(); err != nil {
			return err
		}
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
		if err := r.one(); err != nil {
			return err
		}
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

// one counts a value before it is read: a few bytes of a body become many as what they mean.
func (r *reader) one() error {
	if r.seen++; r.seen < tally.MaxValues { // the body itself is one, too
		return nil
	}
	return tally.TooComplex(r.where(), tally.MaxValues)
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
