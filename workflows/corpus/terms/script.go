package terms

import "unicode"

// script is what decides how a run of letters becomes terms.
type script uint8

const (
	none     script = iota // not part of a word
	extender               // part of the word it stands in: marks, joiners
	number
	latin
	cyrillic
	greek
	arabic
	hebrew
	devanagari
	alphabet  // any other writing with spaces
	ideograph // Chinese, and what Japanese is written in
	kana
	hangul
	unspaced // Thai, Lao, Khmer, Burmese, Tibetan
)

// scriptOf tells what a rune above ASCII is.
func scriptOf(r rune) script {
	switch {
	case r < 0xC0:
		if r == 'ª' || r == 'º' || r == 'µ' {
			return latin
		}
		return none
	case r < 0x250:
		if r == '×' || r == '÷' {
			return none
		}
		return latin
	case r >= 0x300 && r < 0x370:
		return extender
	case r >= 0x370 && r < 0x400:
		if r == 0x37E || r == 0x387 {
			return none
		}
		return greek
	case r >= 0x400 && r < 0x530:
		return cyrillic
	case r >= 0x591 && r < 0x5F0:
		if r == 0x5BE || r == 0x5C0 || r == 0x5C3 || r == 0x5C6 || r == 0x5EF {
			return none
		}
		return hebrew
	case r >= 0x620 && r < 0x66A || r >= 0x66E && r < 0x6D4 || r >= 0x6EE && r < 0x700 || r >= 0x750 && r < 0x780:
		return arabic
	case r >= 0x900 && r < 0x980:
		if r == 0x964 || r == 0x965 || r == 0x970 {
			return none
		}
		return devanagari
	case r >= 0xE00 && r < 0x1100 || r >= 0x1780 && r < 0x1800 || r >= 0xA9E0 && r < 0xAA00 || r >= 0xAA60 && r < 0xAA80:
		if r >= 0x10A0 && r < 0x1100 { // Georgian
			return alphabetOf(r)
		}
		if alphabetOf(r) == none {
			return none
		}
		return unspaced
	case r >= 0x1E00 && r < 0x1F00:
		return latin
	case r >= 0x1F00 && r < 0x2000:
		return greek
	case r == 0x200C, r == 0x200D: // joiners
		return extender
	case r >= 0x3041 && r < 0x30FB || r >= 0x30FC && r < 0x3100 || r >= 0x31F0 && r < 0x3200 || r >= 0xFF66 && r < 0xFF9E:
		return kana
	case r >= 0x3400 && r < 0xA000 || r == '々' || r == '〇' || r >= 0xF900 && r < 0xFB00 || r >= 0x20000 && r < 0x32000:
		return ideograph
	case r >= 0xAC00 && r < 0xD7B0 || r >= 0x1100 && r < 0x1200 || r >= 0x3131 && r < 0x318F:
		return hangul
	case r >= 0xFB00 && r < 0xFB07, r >= 0xFF21 && r < 0xFF3B, r >= 0xFF41 && r < 0xFF5B:
		return latin
	case r >= 0xFF10 && r < 0xFF1A:
		return number
	}
	return alphabetOf(r)
}

func alphabetOf(r rune) script {
	switch {
	case unicode.IsLetter(r):
		return alphabet
	case unicode.IsMark(r):
		return extender
	case unicode.IsDigit(r):
		return number
	}
	return none
}
