package terms

import (
	"math/bits"
	"unicode/utf8"
)

// word is a run of letters and digits that belong together, folded.
type word struct {
	from, to int // in the reader's buffer
	at, end  int // in the text that was read
	script   script
	plain    bool   // a to z and nothing else
	stop     uint32 // the languages in which it is a function word
}

// reader finds the words of a text.
type reader struct {
	buf   []byte
	words []word
	votes [languages]int
	open  bool // the last word goes on
	pos   int  // in the text that is read
	stops map[string]uint32
}

// maxTerm is how long a term may be, in bytes. What is longer is not a word, and is known by its beginning.
const maxTerm = 64

var ascii = func() (t [utf8.RuneSelf]script) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			t[c] = latin
		case c >= '0' && c <= '9':
			t[c] = number
		}
	}
	return t
}()

// read adds the words of a text, up to most of them in all.
func (r *reader) read(text string, most int) {
	r.stops = stops()
	for i := 0; i < len(text) && len(r.words) < most; {
		r.pos = i
		if c := text[i]; c < utf8.RuneSelf {
			switch k := ascii[c]; k {
			case none:
				i += r.punctuation(text, i, 1, rune(c))
			default:
				r.grow(k)
				if k == latin {
					c |= 0x20
				} else {
					r.words[len(r.words)-1].plain = false
				}
				r.buf = append(r.buf, c)
				i++
			}
			continue
		}
		c, n := utf8.DecodeRuneInString(text[i:])
		switch k := scriptOf(c); k {
		case none:
			n = r.punctuation(text, i, n, c)
		case extender:
			if r.open {
				r.extend(c)
			}
		default:
			r.grow(k)
			r.extend(c)
		}
		i += n
	}
	r.pos = len(text)
	r.end()
}

// extend adds a rune to the open word.
func (r *reader) extend(c rune) {
	if l := tells(c); l != unknown {
		r.votes[l] += letterVotes
	}
	from := len(r.buf)
	r.buf = appendFolded(r.buf, c)
	for _, b := range r.buf[from:] {
		if b < 'a' || b > 'z' {
			r.words[len(r.words)-1].plain = false
		}
	}
}

// letterVotes is what a letter counts that few languages have; a word that one language has counts 12.
const letterVotes = 3

// tells is the language that a letter speaks for.
func tells(c rune) language {
	switch c {
	case 'ß', 'ä', 'ö', 'ü', 'Ä', 'Ö', 'Ü':
		return inGerman
	case 'ê', 'è', 'œ', 'Ê', 'È', 'Œ', 'î', 'û':
		return inFrench
	case 'ñ', 'Ñ':
		return inSpanish
	case 'ò', 'ì', 'ù':
		return inItalian
	case 'ã', 'õ', 'Ã', 'Õ':
		return inPortuguese
	case 'å', 'Å', 'ø', 'Ø':
		return inNorthern
	case 'ł', 'ś', 'ź', 'ż', 'ą', 'ę', 'Ł', 'Ś', 'Ż':
		return inPolish
	case 'ř', 'ě', 'ů', 'Ř':
		return inCzech
	case 'ă', 'ș', 'ț', 'Ș', 'Ț':
		return inRomanian
	case 'ı', 'ş', 'ğ', 'İ', 'Ş':
		return inTurkish
	case 'ő', 'ű':
		return inHungarian
	}
	return unknown
}

// grow makes the open word one that a letter of the script can be added to.
func (r *reader) grow(k script) {
	if r.open {
		switch w := &r.words[len(r.words)-1]; {
		case w.script == k, k == number && w.script <= alphabet, w.script == ideograph && k == kana:
			return
		case w.script == number && k <= alphabet, w.script == kana && k == ideograph:
			w.script = k
			return
		}
		r.end()
	}
	r.words = append(r.words, word{from: len(r.buf), at: r.pos, script: k, plain: k == latin})
	r.open = true
}

// end closes the open word.
func (r *reader) end() {
	if !r.open {
		return
	}
	r.open = false
	w := &r.words[len(r.words)-1]
	w.to, w.end = len(r.buf), r.pos
	if w.to == w.from {
		r.words = r.words[:len(r.words)-1]
		return
	}
	if w.script != latin && w.script != cyrillic || w.to-w.from > 24 {
		return
	}
	if w.stop = r.stops[string(r.buf[w.from:w.to])]; w.stop != 0 {
		share := 12 / bits.OnesCount32(w.stop)
		for l := range r.votes {
			if w.stop&(1<<l) != 0 {
				r.votes[l] += share
			}
		}
	}
}

// punctuation ends a word, or does not: a number goes on after a point, and a word after the apostrophe of "don't". It answers
// how many bytes of the text are read.
func (r *reader) punctuation(text string, at, n int, c rune) int {
	if !r.open {
		return n
	}
	w := &r.words[len(r.words)-1]
	rest := text[at+n:]
	switch c {
	case '.', ',':
		if w.script != number || digits(rest) == 0 {
			break
		}
		if digits(rest) != 3 { // three digits are thousands, whichever the mark
			r.buf = append(r.buf, "·"...)
		}
		return n
	case '\'', '’', 'ʼ', '＇':
		if w.script != latin || len(rest) == 0 || len(rest) > 1 && letterAt(rest[1:]) {
			break
		}
		switch rest[0] | 0x20 {
		case 's': // the owner is what is looked for
			r.end()
			return n + 1
		case 't':
			if r.buf[len(r.buf)-1] == 'n' {
				return n
			}
		}
	}
	r.end()
	return n
}

// digits counts those that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func letterAt(s string) bool {
	if s[0] < utf8.RuneSelf {
		return ascii[s[0]] != none
	}
	c, _ := utf8.DecodeRuneInString(s)
	return scriptOf(c) != none
}

// best is the languages that have the most votes, as bits, and how many those are.
func (r *reader) best() (most int, which uint32) {
	for l, n := range r.votes {
		switch {
		case n > most:
			most, which = n, 1<<l
		case n == most && n > 0:
			which |= 1 << l
		}
	}
	return most, which
}
