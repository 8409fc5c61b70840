package prose

import "unicode/utf8"

// Ruler tells at which character of a text a byte is. It goes forward cheaply, and back from the beginning.
type Ruler struct {
	text       string
	byte, char int
}

// NewRuler makes a ruler of a text.
func NewRuler(text string) *Ruler { return &Ruler{text: text} }

// At is how many characters (code points) are before a byte.
func (r *Ruler) At(at int) int {
	if at < r.byte {
		r.byte, r.char = 0, 0
	}
	r.char += utf8.RuneCountInString(r.text[r.byte:at])
	r.byte = at
	return r.char
}
