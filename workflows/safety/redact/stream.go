package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// What a Stream holds back and remembers, in bytes.
const (
	maxHold    = 4 << 10 // of something that has no end: then what is there is decided
	maxNumber  = 160     // of a number in groups
	maxBirth   = 64      // from a word that announces a date of birth to its end
	maxContext = 64      // of what was said, which tells what a number is
)

// Stream is Text for a text that comes in pieces: what it returns, put together, is what Text returns of the whole. It holds back the last
// word, or number in groups, and what a date of birth may be, because that may go on in the next piece. The zero value is ready; it belongs to one
// goroutine.
type Stream struct {
	context string // the last of what was decided, as it came
	held    string
	inside  bool // a key that is longer than maxHold: its rest is dropped
	pem     bool // that is a private key, with lines
	kinds   []Kind
}

// Take adds a piece, and returns what is decided.
func (s *Stream) Take(piece string) string {
	if s.inside {
		if piece = s.outside(piece); piece == "" {
			return ""
		}
	}
	s.held += piece
	if len(s.held) > maxHold {
		return s.decide(len(s.held), true)
	}
	return s.decide(s.settled(), false)
}

// End returns the rest, of a text that is whole.
func (s *Stream) End() string { return s.decide(len(s.held), false) }

// Kinds is what was found so far, sorted, each once.
func (s *Stream) Kinds() []Kind {
	slices.Sort(s.kinds)
	s.kinds = slices.Compact(s.kinds)
	return s.kinds
}

// outside is what of a piece comes after the key that goes on in it.
func (s *Stream) outside(piece string) string {
	if s.pem {
		s.held += piece
		k := strings.Index(s.held, keyEnd)
		if k < 0 {
			s.held = s.held[max(0, len(s.held)-len(keyEnd)):]
			return ""
		}
		stop := strings.Index(s.held[k+len(keyEnd):], "-----")
		if stop < 0 {
			s.held = s.held[k:]
			return ""
		}
		piece = s.held[k+len(keyEnd)+stop+5:]
		s.held, s.pem, s.inside = "", false, false
		return piece
	}
	k := run(piece, 0)
	if k == len(piece) {
		return ""
	}
	s.inside = false
	return piece[k:]
}

// decide tells as much of what is held. By force something that reaches its end is taken for what it seems to be.
func (s *Stream) decide(n int, force bool) string {
	if n == 0 {
		return ""
	}
	text, from := s.context+s.held, len(s.context)
	to := from + n
	var b strings.Builder
	at := from
	for _, f := range find(text) {
		if f.end <= from {
			continue
		}
		if f.start >= to {
			break
		}
		if f.end > to {
			to = max(f.start, from)
			break
		}
		b.WriteString(text[at:max(at, f.start)])
		b.WriteString("[" + string(f.kind) + "]")
		s.kinds = append(s.kinds, f.kind)
		at = f.end
		if force && f.end == len(text) && f.kind == Secret {
			s.inside, s.pem = true, strings.HasPrefix(text[f.start:], keyBegin)
		}
	}
	b.WriteString(text[at:max(at, to)])
	s.held = text[to:]
	s.context = tail(text[:to])
	return b.String()
}

// tail is the last words of a text, as far as they are remembered.
func tail(text string) string {
	if len(text) <= maxContext {
		return text
	}
	text = text[len(text)-maxContext:]
	if k := strings.IndexAny(text, " \n\t"); k >= 0 {
		return text[k:]
	}
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return text
}

// settled is how much of what is held can be decided, whatever comes next.
func (s *Stream) settled() int {
	held := s.held
	k := word0(held, len(held))
	last := held[k:]
	switch {
	case last == "", grouped(last[:1]), fold(last[0]) == 'e', fold(last[0]) == 'x':
		k = s.number(k)
	}
	if at := s.bearer(k); at >= 0 {
		k = at
	}
	if at := strings.LastIndex(held, keyBegin); at >= 0 && !strings.Contains(held[at:], keyEnd) {
		k = min(k, at)
	} else if at >= 0 && !strings.Contains(held[at+strings.Index(held[at:], keyEnd)+len(keyEnd):], "-----") {
		k = min(k, at)
	}
	return min(k, s.announced())
}

// word0 is where the word begins that ends at k: after a space, or after a sign of a script without spaces.
func word0(text string, k int) int {
	for k > 0 {
		c := text[k-1]
		if c <= ' ' {
			return k
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeLastRuneInString(text[:k])
			if r >= spaceless && (r != utf8.RuneError || size > 1) {
				return k
			}
			k -= size
			continue
		}
		k--
	}
	return 0
}

// grouped reports whether a word may be a group of a number: 3704, DE89, (0)71, +41.
func grouped(w string) bool {
	for i := range len(w) {
		c := w[i]
		if !isDigit(c) && !isUpper(c) && strings.IndexByte("+()-./:,", c) < 0 {
			return false
		}
	}
	return true
}

// number goes back over the groups that stand before k.
func (s *Stream) number(k int) int {
	from := k
	for k > 0 && from-k < maxNumber {
		end := k
		for end > 0 && s.held[end-1] == ' ' && k-end < 3 {
			end--
		}
		start := word0(s.held, end)
		switch {
		case end == k || start == end || !grouped(s.held[end-1:end]):
			return k
		case !grouped(s.held[start:end]): // the number may begin within it
			return start
		}
		k = start
	}
	return k
}

// bearer is where the word begins that announces the key at k, or -1.
func (s *Stream) bearer(k int) int {
	const announce = "bearer "
	if at := k - len(announce); at >= 0 && hasFold(s.held, at, announce) {
		return at
	}
	return -1
}

// announced is where what may be a date of birth begins.
func (s *Stream) announced() int {
	text, from := s.context+s.held, len(s.context)
	for i := max(0, len(text)-maxBirth); i < len(text); i++ {
		if !starts(text, i) {
			continue
		}
		switch fold(text[i]) {
		case 'b', 'd', 'g', 'n', 'f':
			for _, w := range births {
				if hasFold(text, i, w) && ends(text, i+len(w)) {
					return max(0, i-from)
				}
			}
		}
	}
	return len(s.held)
}
