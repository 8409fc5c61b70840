package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/events/tally"
)

// maxDepth is how deep a body may be nested.
const maxDepth = 32

// form decodes bodies into a T, strictly: one JSON object and nothing after it, fields of exactly the names of T's
// json tags, each once, each of its type. Mistakes are told with the path of the field ("chunking.maxTokens",
// "filter.year.$in[2]"), or with the byte offset where the body stops being JSON. null stands for an absent field.
type form[T any] struct{ shape *shape }

func formOf[T any]() form[T] { return form[T]{shapeOf[T]()} }

func (f form[T]) decode(body []byte) (T, error) {
	var v T
	s := scanner{data: body}
	if err := s.document(f.shape); err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fault.New(fault.Invalid, "invalid_json", "the body is not as it should be", err)
	}
	return v, nil
}

// scanner walks over JSON next to the shape it should have. It knows the grammar whole (RFC 8259), so that what it
// passes is what encoding/json reads, minus what encoding/json is lenient about: case, duplicates, broken
// UTF-8 and lone surrogates. What holds more than tally.MaxValues is refused before anything is made of it.
type scanner struct {
	data   []byte
	pos    int
	depth  int
	values int
	path   []segment
}

// segment is a step into an object or, when name is nil, into an array.
type segment struct {
	name  []byte
	index int
}

func (s *scanner) document(sh *shape) error {
	if at := invalidUTF8(s.data); at >= 0 {
		return s.syntax(at, "the body is not UTF-8")
	}
	s.space()
	if s.pos == len(s.data) {
		return fault.New(fault.Invalid, "body_empty", "a JSON object is required", nil)
	}
	if err := s.value(sh); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.data) {
		return s.syntax(s.pos, "something follows after the end of the JSON")
	}
	return nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// value passes over one value. A value of another type than the shape's is refused before it is looked into.
func (s *scanner) value(sh *shape) error {
	s.space()
	if s.pos == len(s.data) {
		return s.syntax(s.pos, "the JSON ends in the middle")
	}
	if s.values++; s.values > tally.MaxValues {
		return tally.TooComplex(s.at(), tally.MaxValues)
	}
	switch c := s.data[s.pos]; {
	case c == '{':
		return s.nested(sh, isObject, s.object)
	case c == '[':
		return s.nested(sh, isArray, s.array)
	case c == '"':
		if err := s.accepts(sh, isString); err != nil {
			return err
		}
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number(sh)
	case c == 't':
		return s.literal("true", sh, isBoolean)
	case c == 'f':
		return s.literal("false", sh, isBoolean)
	case c == 'n':
		return s.literal("null", sh, isNull)
	}
	return s.syntax(s.pos, "expected a value")
}

func (s *scanner) nested(sh *shape, k kind, walk func(*shape) error) error {
	if err := s.accepts(sh, k); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return fault.Invalidf(s.at(), tally.CodeDeep, "the JSON is nested deeper than %d", maxDepth)
	}
	s.pos++
	err := walk(sh)
	s.depth--
	return err
}

func (s *scanner) accepts(sh *shape, k kind) error {
	if sh.takes(k) {
		return nil
	}
	return fault.Invalidf(s.at(), "invalid_type", "expected %s, got %s", sh.kind, k)
}

func (s *scanner) object(sh *shape) error {
	var had names
	if s.space(); s.next('}') {
		return nil
	}
	for {
		s.space()
		name, err := s.name()
		if err != nil {
			return err
		}
		s.path = append(s.path, segment{name: name})
		member, err := s.member(sh, &had, name)
		if err != nil {
			return err
		}
		if err := s.value(member); err != nil {
			return err
		}
		s.path = s.path[:len(s.path)-1]
		if s.space(); s.next('}') {
			return nil
		}
		if !s.next(',') {
			return s.syntax(s.pos, "expected , or }")
		}
	}
}

// member is the shape of a field, when the object may have it and has not had it yet.
func (s *scanner) member(sh *shape, had *names, name []byte) (*shape, error) {
	member := sh.member(name)
	if member == nil {
		return nil, fault.Invalidf(s.at(), "unknown_field", "there is no field %.64q", name).WithHint(sh.hint)
	}
	if !had.add(name) {
		return nil, fault.Invalidf(s.at(), "duplicate_field", "the field %.64q occurs twice", name)
	}
	s.space()
	if !s.next(':') {
		return nil, s.syntax(s.pos, "expected :")
	}
	return member, nil
}

// name reads the name of a member.
func (s *scanner) name() ([]byte, error) {
	start := s.pos
	if s.pos == len(s.data) || s.data[s.pos] != '"' {
		return nil, s.syntax(s.pos, "expected the name of a field")
	}
	if err := s.text(); err != nil {
		return nil, err
	}
	quoted := s.data[start:s.pos]
	for _, c := range quoted {
		if c == '\\' {
			var name string
			if err := json.Unmarshal(quoted, &name); err != nil {
				return nil, s.syntax(start, "expected the name of a field")
			}
			return []byte(name), nil
		}
	}
	return quoted[1 : len(quoted)-1], nil
}

func (s *scanner) array(sh *shape) error {
	if s.space(); s.next(']') {
		return nil
	}
	for i := 0; ; i++ {
		s.path = append(s.path, segment{index: i})
		if err := s.value(sh.element()); err != nil {
			return err
		}
		s.path = s.path[:len(s.path)-1]
		if s.space(); s.next(']') {
			return nil
		}
		if !s.next(',') {
			return s.syntax(s.pos, "expected , or ]")
		}
	}
}

// text passes over a string.
func (s *scanner) text() error {
	s.pos++
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return s.syntax(s.pos, "a control character in a string must be escaped")
		default:
			s.pos++
		}
	}
	return s.syntax(s.pos, "the JSON ends in a string")
}

func (s *scanner) escape() error {
	start := s.pos
	if s.pos += 2; s.pos > len(s.data) {
		return s.syntax(len(s.data), "the JSON ends in a string")
	}
	c := s.data[s.pos-1]
	if strings.IndexByte(`"\/bfnrt`, c) >= 0 {
		return nil
	}
	if c != 'u' {
		return s.syntax(start, "there is no such escape")
	}
	unit, ok := s.hex4()
	if ok && unit >= 0xD800 && unit < 0xDC00 { // a high surrogate: its low one must follow
		if ok = s.pos+2 <= len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u'; ok {
			s.pos += 2
			unit, ok = s.hex4()
			ok = ok && unit >= 0xDC00 && unit < 0xE000
		}
	} else if ok && unit >= 0xDC00 && unit < 0xE000 {
		ok = false
	}
	if !ok {
		return s.syntax(start, "the escape is no Unicode character")
	}
	return nil
}

func (s *scanner) hex4() (uint64, bool) {
	if s.pos+4 > len(s.data) {
		return 0, false
	}
	for _, c := range s.data[s.pos : s.pos+4] {
		if c == '_' || c == '+' || c == '-' {
			return 0, false
		}
	}
	unit, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 32)
	s.pos += 4
	return unit, err == nil
}

// number passes over a number that a float64, and where the shape says so an int, can hold.
func (s *scanner) number(sh *shape) error {
	if sh.kind != isWhole && !sh.takes(isNumber) {
		return s.accepts(sh, isNumber)
	}
	start := s.pos
	s.next('-')
	if !s.next('0') && s.digits() == 0 {
		return s.syntax(s.pos, "expected a digit")
	}
	whole := true
	if s.next('.') {
		whole = false
		if s.digits() == 0 {
			return s.syntax(s.pos, "expected a digit")
		}
	}
	if s.next('e') || s.next('E') {
		whole = false
		if !s.next('+') {
			s.next('-')
		}
		if s.digits() == 0 {
			return s.syntax(s.pos, "expected a digit")
		}
	}
	literal := string(s.data[start:s.pos])
	if sh.kind == isWhole {
		if _, err := strconv.ParseInt(literal, 10, strconv.IntSize); !whole || err != nil {
			return fault.Invalidf(s.at(), "invalid_type", "expected %s, got %.40s", isWhole, literal)
		}
		return nil
	}
	if _, err := strconv.ParseFloat(literal, 64); err != nil {
		return fault.Invalidf(s.at(), "invalid_type", "%.40s is too large a number", literal)
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

func (s *scanner) literal(word string, sh *shape, k kind) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return s.syntax(s.pos, "expected a value")
	}
	if err := s.accepts(sh, k); err != nil {
		return err
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) next(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// at is the path of the value the scanner is at.
func (s *scanner) at() string {
	var b strings.Builder
	for _, seg := range s.path {
		if seg.name == nil {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(seg.index))
			b.WriteByte(']')
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.Write(seg.name[:min(len(seg.name), 64)])
	}
	return strings.ToValidUTF8(b.String(), "")
}

func (s *scanner) syntax(offset int, message string) error {
	return withDetails(fault.New(fault.Invalid, "invalid_json", message, nil), details{Offset: &offset})
}
