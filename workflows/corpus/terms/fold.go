package terms

import (
	"unicode"
	"unicode/utf8"
)

// What a Latin letter with a mark is without it, from U+00C0, U+1E00. A dash is a letter that foldRare knows, or that stays.
const (
	latin1 = "aaaaaa-ceeeeiiii-nooooo--uuuuy--aaaaaa-ceeeeiiii-nooooo--uuuuy-yaaaaaaccccccccdd--eeeeeeeeeegggggggghh--iiiiiiiii-iijjkk-llllllll--nnnnnn---oooooo--rrrrrrsssssssstttt--uuuuuuuuuuuuwwyyyzzzzzzs--------------------------------oo-------------uu-------------------dddlllnnnaaiioouuuuuuuuuu-aaaa----ggkkoooo--jdddgg--nnaa----aaaaeeeeiiiioooorrrruuuusstt--hh------aaeeooooooooyy----------------------------"
	latin2 = "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyas----aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy------"
)

// appendFolded appends a rune of a word without what is only spelling: in lower case, Latin and Greek letters without their
// marks, wide and presentation forms as ordinary ones. A combining mark of those scripts adds nothing.
func appendFolded(b []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(b, byte(r))
	case r >= 0xC0 && r < 0x250:
		if c := latin1[r-0xC0]; c != '-' {
			return append(b, c)
		}
	case r >= 0x1E00 && r < 0x1F00:
		if c := latin2[r-0x1E00]; c != '-' {
			return append(b, c)
		}
	case r >= 0x300 && r < 0x370: // combining marks
		return b
	}
	if s := foldRare(r); s != "" {
		return append(b, s...)
	}
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // full width
		return appendFolded(b, r-0xFEE0)
	case r >= 0xFF66 && r <= 0xFF9D: // half width
		return utf8.AppendRune(b, halfWidth[r-0xFF66])
	case r >= 0x1F00 && r < 0x2000: // Greek with its old marks
		r = greekBase(r)
	case r >= 0x622 && r <= 0x6F9 || r >= 0x64B && r <= 0x65F:
		return appendArabic(b, r)
	case r >= 0x591 && r <= 0x5EA:
		return appendHebrew(b, r)
	case r >= 0x900 && r < 0x980:
		return appendDevanagari(b, r)
	}
	return utf8.AppendRune(b, unicode.ToLower(r))
}

// halfWidth is the katakana from U+FF66 on.
var halfWidth = []rune("ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン")

// foldRare is what letters become that no mark was put on, or "".
func foldRare(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'æ', 'Æ', 'ǽ', 'Ǽ', 'ǣ', 'Ǣ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'ø', 'Ø', 'ǿ', 'Ǿ':
		return "o"
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d"
	case 'þ', 'Þ':
		return "th"
	case 'ł', 'Ł':
		return "l"
	case 'ı', 'ĳ', 'Ĳ':
		return "i"
	case 'ħ', 'Ħ':
		return "h"
	case 'ŋ', 'Ŋ':
		return "n"
	case 'ǯ', 'Ǯ':
		return "ʒ"
	case 'ª':
		return "a"
	case 'º':
		return "o"
	case 'ﬁ':
		return "fi"
	case 'ﬂ':
		return "fl"
	case 'ﬀ':
		return "ff"
	case 'ﬃ':
		return "ffi"
	case 'ﬄ':
		return "ffl"
	case 'µ':
		return "μ"
	case 'ё', 'Ё':
		return "е"
	case 'ς':
		return "σ"
	case 'ά', 'Ά':
		return "α"
	case 'έ', 'Έ':
		return "ε"
	case 'ή', 'Ή':
		return "η"
	case 'ί', 'Ί', 'ϊ', 'ΐ', 'Ϊ':
		return "ι"
	case 'ό', 'Ό':
		return "ο"
	case 'ύ', 'Ύ', 'ϋ', 'ΰ', 'Ϋ':
		return "υ"
	case 'ώ', 'Ώ':
		return "ω"
	}
	return ""
}

// greekBase is the letter below the marks of polytonic Greek.
func greekBase(r rune) rune {
	switch {
	case r <= 0x1F0F, r >= 0x1F80 && r <= 0x1F8F, r >= 0x1FB0 && r <= 0x1FBC, r == 0x1F70, r == 0x1F71:
		return 'α'
	case r <= 0x1F1F, r == 0x1F72, r == 0x1F73, r == 0x1FC8, r == 0x1FC9:
		return 'ε'
	case r <= 0x1F2F, r == 0x1F74, r == 0x1F75, r >= 0x1F90 && r <= 0x1F9F, r >= 0x1FC2 && r <= 0x1FCC:
		return 'η'
	case r <= 0x1F3F, r == 0x1F76, r == 0x1F77, r >= 0x1FD0 && r <= 0x1FDB:
		return 'ι'
	case r <= 0x1F4F, r == 0x1F78, r == 0x1F79, r == 0x1FF8, r == 0x1FF9:
		return 'ο'
	case r <= 0x1F5F, r == 0x1F7A, r == 0x1F7B, r >= 0x1FE0 && r <= 0x1FEB && r != 0x1FE4 && r != 0x1FE5:
		return 'υ'
	case r <= 0x1F6F, r == 0x1F7C, r == 0x1F7D, r >= 0x1FA0 && r <= 0x1FAF, r >= 0x1FF2 && r <= 0x1FFC:
		return 'ω'
	case r == 0x1FE4, r == 0x1FE5, r == 0x1FEC:
		return 'ρ'
	}
	return r
}

// appendArabic writes the letters that are typed for one another as one, and no vowel signs.
func appendArabic(b []byte, r rune) []byte {
	switch {
	case r == 'آ' || r == 'أ' || r == 'إ' || r == 'ٱ':
		r = 'ا'
	case r == 'ى' || r == 'ی' || r == 'ئ':
		r = 'ي'
	case r == 'ؤ':
		r = 'و'
	case r == 'ة':
		r = 'ه'
	case r == 'ک':
		r = 'ك'
	case r == 'ـ' || r >= 0x64B && r <= 0x65F || r == 0x670: // a stretched line, vowel signs
		return b
	case r >= 0x660 && r <= 0x669:
		return append(b, byte('0'+r-0x660))
	case r >= 0x6F0 && r <= 0x6F9:
		return append(b, byte('0'+r-0x6F0))
	}
	return utf8.AppendRune(b, r)
}

// appendHebrew writes final letters as ordinary ones, and no points.
func appendHebrew(b []byte, r rune) []byte {
	switch r {
	case 'ך':
		r = 'כ'
	case 'ם':
		r = 'מ'
	case 'ן':
		r = 'נ'
	case 'ף':
		r = 'פ'
	case 'ץ':
		r = 'צ'
	}
	if r < 'א' {
		return b
	}
	return utf8.AppendRune(b, r)
}

// appendDevanagari writes no nukta, one sign for the nasals, and European digits.
func appendDevanagari(b []byte, r rune) []byte {
	switch {
	case r == 0x93C:
		return b
	case r == 0x901:
		r = 0x902
	case r >= 0x958 && r <= 0x95F: // letters with a nukta in them
		r = []rune("कखगजडढफय")[r-0x958]
	case r == 0x929:
		r = 'न'
	case r == 0x931:
		r = 'र'
	case r == 0x934:
		r = 'ळ'
	case r >= 0x966 && r <= 0x96F:
		return append(b, byte('0'+r-0x966))
	}
	return utf8.AppendRune(b, r)
}
