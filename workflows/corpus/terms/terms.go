package terms

import (
	"math/bits"
	"unicode/utf8"
)

// maxWords is how many words of a passage are read: more than a chunk can have.
const maxWords = 1 << 14

// Passage is the terms of a chunk, in the order of its words: of what stands above it, the document's title and the chunk's
// headings, and of its text.
func Passage(title, heading, text string) (head, body []string) {
	r := reader{buf: make([]byte, 0, len(text)+len(title)+len(heading)), words: make([]word, 0, len(text)/5+8)}
	r.read(title, maxWords)
	r.read(heading, maxWords)
	above := len(r.words)
	r.read(text, maxWords)
	w := writer{buf: make([]byte, 0, len(r.buf)*5/4), cuts: make([]int, 0, len(r.words)*5/4)}
	language := r.language()
	for i := range r.words[:above] {
		w.passage(&r, &r.words[i], language)
	}
	heads := len(w.cuts)
	for i := range r.words[above:] {
		w.passage(&r, &r.words[above+i], language)
	}
	all := w.terms()
	return all[:heads:heads], all[heads:]
}

// language is the one that the words are in.
func (r *reader) language() language {
	_, which := r.best()
	if which == 0 {
		return unknown
	}
	return language(bits.TrailingZeros32(which))
}

// writer gathers terms in one piece of memory.
type writer struct {
	buf  []byte
	cuts []int // of each term in buf
}

// terms are those gathered.
func (w *writer) terms() []string {
	all := string(w.buf)
	out := make([]string, len(w.cuts))
	from := 0
	for i, end := range w.cuts {
		out[i], from = all[from:end], end
	}
	return out
}

// take answers the terms gathered, and begins anew.
func (w *writer) take() []string {
	out := w.terms()
	w.buf, w.cuts = w.buf[:0], w.cuts[:0]
	return out
}

// add adds a term.
func (w *writer) add(b []byte) {
	w.buf = append(w.buf, cut(b)...)
	w.cuts = append(w.cuts, len(w.buf))
}

// cut is the beginning of a word that is too long.
func cut(b []byte) []byte {
	if len(b) <= maxTerm {
		return b
	}
	n := maxTerm
	for !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}

// passage adds the terms of a passage's word.
func (w *writer) passage(r *reader, x *word, l language) {
	b := r.buf[x.from:x.to]
	switch x.script {
	case ideograph:
		w.signs(b)
		w.grams(b, 2)
	case kana, hangul:
		w.grams(b, 2)
	case unspaced:
		w.grams(b, 3)
	case hebrew:
		w.add(b)
		if rest := afterPrefix(b); rest != nil {
			w.add(rest)
		}
	default:
		w.stem(b, x, l)
		if x.plain && l.joins() {
			if stem := w.last(); len(stem) >= longWord {
				w.ends(stem)
			}
		}
	}
}

// last is the term that was added last.
func (w *writer) last() []byte {
	from := 0
	if n := len(w.cuts); n > 1 {
		from = w.cuts[n-2]
	}
	return w.buf[from:]
}

// stem adds a word without its ending.
func (w *writer) stem(b []byte, x *word, l language) {
	w.add(b)
	n := len(w.cuts) - 1
	word := w.last()
	stemmed := stem(word, x, l)
	// A stemmer works in place, and a prefix that it took away leaves room at the beginning.
	w.buf = append(w.buf[:len(w.buf)-len(word)], stemmed...)
	w.cuts[n] = len(w.buf)
}

// stem is a word without its ending, in the memory of the word.
func stem(b []byte, x *word, l language) []byte {
	switch x.script {
	case cyrillic:
		if l == inRussian || l == unknown {
			return russian(b)
		}
	case arabic:
		return arabicStem(b)
	case devanagari:
		return strip(b, hindiSuffixes)
	case latin:
		if x.plain {
			return stemLatin(b, l)
		}
	}
	return b
}

func stemLatin(b []byte, l language) []byte {
	switch l {
	case inEnglish:
		return english(b)
	case inGerman:
		return german(b)
	case inFrench:
		return french(b)
	case inSpanish:
		return spanish(b)
	case inItalian:
		return italian(b)
	case inPortuguese:
		return portuguese(b)
	case inDutch:
		return dutch(b)
	case inNorthern:
		return northern(b)
	}
	return b
}
