package corpus

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// ReadMetadata reads the JSON of a Metadata. It is json.Unmarshal, a multiple as fast on what indexes give back: a search reads a hundred of them.
func ReadMetadata(b []byte) (m Metadata, err error) {
	p := plain{b: b}
	if p.object(&m) {
		return m, nil
	}
	m = Metadata{}
	err = json.Unmarshal(b, &m)
	return m, err
}

// plain reads JSON as it is written as a rule, and gives up on anything else: its methods report whether it went well.
type plain struct {
	b  []byte
	at int
}

// object reads the whole of it.
func (p *plain) object(m *Metadata) bool {
	if !p.skip('{') {
		return false
	}
	for first := true; ; first = false {
		if p.skip('}') {
			return p.at == len(p.b)
		}
		if !first && !p.skip(',') {
			return false
		}
		name, ok := p.bare()
		if !ok || !p.skip(':') || !p.field(name, m) {
			return false
		}
	}
}

func (p *plain) field(name []byte, m *Metadata) bool {
	switch string(name) {
	case "docId":
		return p.text(&m.DocID)
	case "generation":
		return p.number(&m.Generation)
	case "chunk":
		return p.number(&m.Chunk)
	case "start":
		return p.number(&m.Start)
	case "end":
		return p.number(&m.End)
	case "text":
		return p.text(&m.Text)
	case "heading":
		return p.text(&m.Heading)
	case "source":
		return p.text(&m.Source)
	case "cut":
		return p.truth(&m.Cut)
	case "meta":
		return p.any(&m.Meta)
	}
	return false
}

func (p *plain) skip(c byte) bool {
	if p.at < len(p.b) && p.b[p.at] == c {
		p.at++
		return true
	}
	return false
}

// bare reads a string that has nothing in it but what it stands for.
func (p *plain) bare() ([]byte, bool) {
	if !p.skip('"') {
		return nil, false
	}
	n := bytes.IndexByte(p.b[p.at:], '"')
	if n < 0 {
		return nil, false
	}
	s := p.b[p.at : p.at+n]
	p.at += n + 1
	for _, c := range s {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return s, true
}

// text reads a string.
func (p *plain) text(to *string) bool {
	if !p.skip('"') {
		return false
	}
	start, escapes := p.at, false
	for ; p.at < len(p.b); p.at++ {
		switch c := p.b[p.at]; {
		case c == '"':
			s := p.b[start:p.at]
			p.at++
			if !utf8.Valid(s) {
				return false
			}
			if !escapes {
				*to = string(s)
				return true
			}
			return unescape(s, to)
		case c == '\\':
			escapes = true
			p.at++
		case c < ' ':
			return false
		}
	}
	return false
}

// unescape takes escapes for what they stand for. Halves of characters are left to others.
func unescape(s []byte, to *string) bool {
	out := make([]byte, 0, len(s))
	for {
		n := bytes.IndexByte(s, '\\')
		if n < 0 {
			*to = string(append(out, s...))
			return true
		}
		out = append(out, s[:n]...)
		s = s[n+1:]
		switch c := s[0]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'u':
			r, ok := hexadecimal(s[1:])
			if !ok {
				return false
			}
			out = utf8.AppendRune(out, r)
			s = s[4:]
		default:
			return false
		}
		s = s[1:]
	}
}

// hexadecimal reads the four digits of a character that is no half of one.
func hexadecimal(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[:4]), 16, 32)
	return rune(n), err == nil && utf8.ValidRune(rune(n))
}

// number reads a whole number that is not negative.
func (p *plain) number(to *int) bool {
	start, n := p.at, 0
	for ; p.at < len(p.b) && p.at-start < 10 && p.b[p.at] >= '0' && p.b[p.at] <= '9'; p.at++ {
		n = 10*n + int(p.b[p.at]-'0')
	}
	*to = n
	length := p.at - start
	return length > 0 && length < 10 && (length == 1 || p.b[start] != '0')
}

func (p *plain) truth(to *bool) bool {
	for _, word := range []string{"true", "false"} {
		if bytes.HasPrefix(p.b[p.at:], []byte(word)) {
			p.at += len(word)
			*to = word == "true"
			return true
		}
	}
	return false
}

// any reads an object of any kind.
func (p *plain) any(to *map[string]any) bool {
	start, depth, quoted := p.at, 0, false
	for ; p.at < len(p.b); p.at++ {
		switch c := p.b[p.at]; {
		case quoted && c == '\\':
			p.at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if depth == 0 { // also where it is no object
			p.at++
			return p.b[start] == '{' && json.Unmarshal(p.b[start:p.at], to) == nil
		}
	}
	return false
}
