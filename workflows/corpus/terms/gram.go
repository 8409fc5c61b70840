package terms

import (
	"unicode"
	"unicode/utf8"
)

// Where words are written without spaces between them, terms are what stands next to one another.

// grams adds each n letters in a row, or all of them where there are fewer. A mark belongs to the letter it stands on.
func (w *writer) grams(b []byte, n int) {
	for {
		end, letters := 0, 0
		for end < len(b) && letters < n {
			end += letter(b[end:])
			letters++
		}
		w.add(b[:end])
		if end == len(b) {
			return
		}
		b = b[letter(b):]
	}
}

// signs adds every Chinese sign of a word that has several: a question may be of one.
func (w *writer) signs(b []byte) {
	if letter(b) == len(b) {
		return
	}
	for len(b) > 0 {
		size := letter(b)
		if r, _ := utf8.DecodeRune(b); scriptOf(r) == ideograph {
			w.add(b[:size])
		}
		b = b[size:]
	}
}

// letter is how many bytes the first letter has, with its marks.
func letter(b []byte) int {
	_, n := utf8.DecodeRune(b)
	for n < len(b) {
		r, m := utf8.DecodeRune(b[n:])
		if !unicode.IsMark(r) {
			break
		}
		n += m
	}
	return n
}

const (
	end      = 5       // letters
	longWord = end + 2 // letters of a stem that may be of several words
)

// ends adds the beginning and the end of a stem, which of a compound are those of its first and its last word. They are marked,
// so that no word is taken for one; a word that may be in a compound is looked for in the same form, by its own ends.
func (w *writer) ends(stem []byte) {
	if len(stem) < end {
		return
	}
	w.piece(stem[:end])
	if len(stem) > end {
		w.piece(stem[len(stem)-end:])
	}
}

func (w *writer) piece(b []byte) {
	w.buf = append(w.buf, "·"...)
	w.buf = append(w.buf, b...)
	w.cuts = append(w.cuts, len(w.buf))
}

// afterPrefix is a Hebrew word without the letter that may be "the", "and", "in", "to", "from", "that" or "as", when enough is
// left to be a word; nil when not.
func afterPrefix(b []byte) []byte {
	if len(b) < 8 {
		return nil
	}
	switch r, n := utf8.DecodeRune(b); r {
	case 'ה', 'ו', 'ב', 'ל', 'מ', 'ש', 'כ':
		return b[n:]
	}
	return nil
}
