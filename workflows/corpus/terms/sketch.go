package terms

import "unicode/utf8"

// stub is how many letters of a word a sketch keeps: enough to tell words apart, too few for most endings.
const stub = 6

// Sketch is the words of a text, as hashes of their beginnings, in order. It takes a fraction of the time of Passage, and serves to
// compare texts with one another, in memory: it is not made to be kept.
func Sketch(text string) []uint32 {
	out := make([]uint32, 0, len(text)/6+4)
	s := sketch{}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if ascii[c] == none {
				out = s.end(out)
				i++
			} else {
				out, i = s.plain(out, text, i)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch k := scriptOf(r); k {
		case none:
			out = s.end(out)
		case extender:
		default:
			var folded [12]byte
			b := appendFolded(folded[:0], r)
			for len(b) > 0 {
				r, n := utf8.DecodeRune(b)
				out, b = s.letter(out, k, uint32(r)), b[n:]
			}
		}
	}
	return s.end(out)
}

// sketch is the word that is being read.
type sketch struct {
	hash    uint32
	letters int
	script  script
	last    uint32 // letter, where there are no spaces
}

// plain takes letters as long as they are ASCII, as letter does one by one.
func (s *sketch) plain(out []uint32, text string, i int) ([]uint32, int) {
	if s.letters > 0 && s.script >= ideograph {
		out = s.end(out)
	}
	hash, letters := s.hash, s.letters
	for ; i < len(text); i++ {
		c := text[i]
		if c >= utf8.RuneSelf {
			break
		}
		k := ascii[c]
		if k == none {
			break
		}
		if letters++; letters <= stub {
			if k == latin {
				c |= 0x20
			}
			if letters == 1 {
				hash = 2166136261
			}
			hash = mix(hash, uint32(c))
		}
		s.script = k
	}
	s.hash, s.letters = hash, letters
	return out, i
}

func (s *sketch) letter(out []uint32, k script, c uint32) []uint32 {
	if s.letters > 0 && (k >= ideograph) != (s.script >= ideograph) {
		out = s.end(out)
	}
	s.script = k
	s.letters++
	switch {
	case k >= ideograph:
		if s.letters > 1 {
			out = append(out, mix(mix(2166136261, s.last), c))
		}
		s.last, s.hash = c, mix(2166136261, c)
	case s.letters == 1:
		s.hash = mix(2166136261, c)
	case s.letters <= stub:
		s.hash = mix(s.hash, c)
	}
	return out
}

// end adds the word that was read, if there is one that no pair has told of.
func (s *sketch) end(out []uint32) []uint32 {
	if s.letters == 1 || s.letters > 1 && s.script < ideograph {
		out = append(out, s.hash)
	}
	s.letters = 0
	return out
}

// mix is FNV-1a over letters, with its high bits spread.
func mix(h, c uint32) uint32 {
	h = (h ^ c) * 16777619
	return h ^ h>>15
}
