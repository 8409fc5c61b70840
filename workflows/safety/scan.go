package safety

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"
)

// stem is an entry of the lexicon.
type stem struct {
	text  string
	open  bool // any ending
	means concept
}

// dictionary is the lexicon by the first three bytes of its stems.
type dictionary struct {
	stems   []stem
	buckets [4096][]uint16
}

var loaded struct {
	sync.Once
	dictionary
}

// words is the lexicon, made when it is first asked.
func words() *dictionary {
	loaded.Do(func() { loaded.dictionary.load() })
	return &loaded.dictionary
}

func (d *dictionary) load() {
	for c := range concepts {
		for _, entry := range strings.Fields(lexicon[c]) {
			s := stem{means: c}
			entry, s.open = strings.CutSuffix(entry, "*")
			s.text = string(normalise(strings.ReplaceAll(entry, "_", " ")).text)
			d.stems = append(d.stems, s)
			b := bucket([]byte(s.text))
			d.buckets[b] = append(d.buckets[b], uint16(len(d.stems)-1))
		}
	}
}

func bucket(text []byte) int {
	h := uint32(text[0])
	if len(text) > 1 && text[1] != ' ' {
		h = h*31 + uint32(text[1])
		if len(text) > 2 && text[2] != ' ' {
			h = h*31 + uint32(text[2])
		}
	}
	return int(h*2654435761>>20) & 4095
}

// hit is a concept in a text.
type hit struct {
	means concept
	at    int32 // half words from the beginning; a sign of a script without spaces is one
	pos   int32 // byte of the normalised text
}

// scan finds the concepts of a normalised text, in order.
func (d *dictionary) scan(text []byte, hits []hit) []hit {
	at := int32(0)
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' {
			i++
			continue
		}
		if c < utf8.RuneSelf && !isLower(c) && (c < '0' || c > '9') {
			if c == '<' || c == '[' || c == '#' || c == '{' || c == '-' {
				hits = d.look(text, i, at, hits)
			}
			if (c == '.' || c == '!' || c == '?' || c == '\n') && i+1 < len(text) && text[i+1] == ' ' {
				at++
			}
			i++
			continue
		}
		hits = d.look(text, i, at, hits)
		if c >= 0xE0 { // of three bytes and more
			r, size := utf8.DecodeRune(text[i:])
			if spaceless(r) {
				i += size
				at++
				continue
			}
		}
		at += 2
		for i < len(text) && part(text[i]) {
			if text[i] >= 0xE0 {
				if r, _ := utf8.DecodeRune(text[i:]); spaceless(r) {
					break
				}
			}
			i++
		}
	}
	return hits
}

// spaceless reports signs that need no space to begin a word: Thai, Chinese, Japanese.
func spaceless(r rune) bool {
	return r >= 0xE00 && r <= 0xEFF || r >= 0x3040 && r <= 0x30FF || r >= 0x3400 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF
}

// part reports bytes of words.
func part(c byte) bool { return isLower(c) || c >= '0' && c <= '9' || c >= utf8.RuneSelf || c == '\'' }

// look finds the concepts of what begins at i. The endings of closed entries end a word; in scripts without spaces everything does.
func (d *dictionary) look(text []byte, i int, at int32, hits []hit) []hit {
	rest := text[i:]
	for _, n := range d.buckets[bucket(rest)] {
		s := &d.stems[n]
		if len(s.text) > len(rest) || string(rest[:len(s.text)]) != s.text {
			continue
		}
		if !s.open && len(rest) > len(s.text) && joins(rest, len(s.text)) {
			continue
		}
		if s.means == cAbove && licensed(rest[len(s.text):]) {
			continue
		}
		hits = append(hits, hit{s.means, at, int32(i)})
	}
	if c := text[i]; (c == 0xD8 || c == 0xD9) && len(rest) > 6 { // و ب ل ف are written with the word that follows
		for _, prefix := range arabic {
			if bytes.HasPrefix(rest, prefix) {
				return d.look(text, i+len(prefix), at, hits)
			}
		}
	}
	return hits
}

// licensed reports whether what is above is what licences have there, whatever signs their lines begin with: "must reproduce the above copyright
// notice".
func licensed(follows []byte) bool {
	i := 0
	for i < len(follows) && !part(follows[i]) {
		i++
	}
	for _, word := range licences {
		if bytes.HasPrefix(follows[i:], word) {
			return true
		}
	}
	return false
}

var licences = [...][]byte{[]byte("copyright"), []byte("notice"), []byte("permission notice"), []byte("conditions are")}

// divide puts spaces around the words of the lexicon in letters without any.
func (d *dictionary) divide(letters []byte) []byte {
	out := make([]byte, 0, 2*len(letters))
	for i := 0; i < len(letters); {
		best := 0
		for _, n := range d.buckets[bucket(letters[i:])] {
			if s := d.stems[n].text; len(s) > max(best, 2) && bytes.HasPrefix(letters[i:], []byte(s)) {
				best = len(s)
			}
		}
		if best == 0 {
			out = append(out, letters[i])
			i++
			continue
		}
		out = append(append(append(out, ' '), letters[i:i+best]...), ' ')
		i += best
	}
	return out
}

var arabic = [...][]byte{[]byte("و"), []byte("ب"), []byte("ف"), []byte("ل")}

// joins reports whether the byte at k goes on with the word before it.
func joins(text []byte, k int) bool {
	if !part(text[k-1]) {
		return false // after a sign anything may come
	}
	if text[k] < utf8.RuneSelf {
		return isLower(text[k]) || text[k] >= '0' && text[k] <= '9'
	}
	r, _ := utf8.DecodeRune(text[k:])
	return !spaceless(r)
}
