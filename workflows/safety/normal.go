package safety

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a text is screened at a time; a longer one is screened in pieces that overlap.
const (
	maxText = 16 << 10
	overlap = 512
)

// normal is a text as the rules read it: lower case, no marks on Latin letters, one space between words, what looks like a Latin letter
// written as one, and hidden signs gone.
type normal struct {
	text   []byte
	hidden int // signs that nobody sees, between others
	tagged []byte
}

// normalise reads a text.
func normalise(text string) normal {
	n := normal{text: make([]byte, 0, len(text)+1)}
	word, latin, foreign := 0, false, false
	flush := func() {
		if latin && foreign {
			n.text = append(n.text[:word], latinise(n.text[word:])...)
		}
		latin, foreign = false, false
	}
	space := true
	for _, r := range text {
		if r < utf8.RuneSelf {
			c := byte(r)
			switch {
			case c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
				latin = true
			case c >= 'a' && c <= 'z':
				latin = true
			case c >= '0' && c <= '9':
			default:
				if c <= ' ' {
					c = ' '
				}
				flush()
				if c == ' ' && space {
					continue
				}
				n.text = append(n.text, c)
				word = len(n.text)
				space = c == ' '
				continue
			}
			n.text = append(n.text, c)
			space = false
			continue
		}
		switch {
		case invisible(r):
			n.hidden++
			if r >= 0xE0020 && r <= 0xE007E { // letters for machines alone
				n.tagged = append(n.tagged, byte(r-0xE0000))
			}
			continue
		case r >= 0x300 && r <= 0x36F: // marks that stand after their letter
			continue
		case r == 0xA0 || r >= 0x2000 && r <= 0x200A || r == 0x3000 || r == 0x2028 || r == 0x2029:
			flush()
			if !space {
				n.text = append(n.text, ' ')
			}
			word, space = len(n.text), true
			continue
		}
		if c := mark(r); c != 0 {
			flush()
			if c != ' ' || !space {
				n.text = append(n.text, c)
			}
			word, space = len(n.text), c == ' '
			continue
		}
		space = false
		if s := plainOf(r); s != "" {
			latin = true
			n.text = append(n.text, s...)
			continue
		}
		r = foldForeign(r)
		if r == 0 {
			continue
		}
		if looksLatin(r) != 0 {
			foreign = true
		}
		n.text = utf8.AppendRune(n.text, r)
	}
	flush()
	return n
}

// invisible reports signs of no width.
func invisible(r rune) bool {
	return r >= 0x200B && r <= 0x200F || r >= 0x2060 && r <= 0x2064 || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 ||
		r == 0xFEFF || r == 0xAD || r == 0x180E || r == 0x34F || r >= 0xE0000 && r <= 0xE007F || r >= 0xFE00 && r <= 0xFE0F
}

// mark is the sign of ASCII for a sign of punctuation, or 0.
func mark(r rune) byte {
	switch r {
	case '\u2018', '\u2019', '\u02BC':
		return '\''
	case '\u201C', '\u201D', '\u201E', '\u00AB', '\u00BB', '\u300C', '\u300D', '\u300E', '\u300F':
		return '"'
	case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014':
		return '-'
	}
	if unicode.IsPunct(r) {
		return ' '
	}
	return 0
}

// Letters with marks, by their letters.
const (
	latin1  = "aaaaaaaceeeeiiiidnooooo ouuuuyts" // U+00C0 to U+00DF; the small ones follow 32 later
	latinA  = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
	vietnam = "aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy" // U+1EA0 to U+1EF7
)

// plainOf is what a sign is for a reader of Latin, "" where it is nothing.
func plainOf(r rune) string {
	switch {
	case r == 0xDF:
		return "ss"
	case r == 0xC6 || r == 0xE6:
		return "ae"
	case r == 0xD7 || r == 0xF7:
		return ""
	case r >= 0xC0 && r <= 0xFF:
		i := int(r-0xC0) % 32
		return latin1[i : i+1]
	case r >= 0x100 && r <= 0x17F:
		return latinA[r-0x100 : r-0xFF]
	case r == 0x1A0 || r == 0x1A1:
		return "o"
	case r == 0x1AF || r == 0x1B0:
		return "u"
	case r >= 0x1EA0 && r < 0x1EA0+rune(len(vietnam)):
		return vietnam[r-0x1EA0 : r-0x1E9F]
	case r >= 0xFF01 && r <= 0xFF5E: // full width
		return ascii(byte(r - 0xFEE0))
	case r >= 0x1D400 && r <= 0x1D6A3: // mathematical letters
		return ascii(byte('a' + (r-0x1D400)%26))
	case r >= 0x1D7CE && r <= 0x1D7FF:
		return ascii(byte('0' + (r-0x1D7CE)%10))
	case r >= 0x24B6 && r <= 0x24E9: // in circles
		return ascii(byte('a' + (r-0x24B6)%26))
	case r >= 0x1F130 && r <= 0x1F149 || r >= 0x1F150 && r <= 0x1F169 || r >= 0x1F170 && r <= 0x1F189:
		return ascii(byte('a' + (r-0x1F130)%32%26))
	case r >= 0x1D00 && r <= 0x1D7F || r >= 0x250 && r <= 0x2AF || r >= 0xA730 && r <= 0xA731: // small capitals
		return smallCapital(r)
	case r >= 0x1F1E6 && r <= 0x1F1FF:
		return ascii(byte('a' + r - 0x1F1E6))
	}
	return ""
}

// smallCapital is the letter that a small capital is.
func smallCapital(r rune) string {
	const capitals = "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"
	if i := strings.IndexRune(capitals, r); i >= 0 {
		return ascii(capitals[i+utf8.RuneLen(r)])
	}
	return ""
}

const lower = "abcdefghijklmnopqrstuvwxyz0123456789"

// ascii is a byte as a text, in lower case, without making one where it is a letter or a digit.
func ascii(c byte) string {
	switch {
	case c >= 'A' && c <= 'Z':
		c += 'a' - 'A'
		fallthrough
	case c >= 'a' && c <= 'z':
		return lower[c-'a' : c-'a'+1]
	case c >= '0' && c <= '9':
		return lower[26+c-'0' : 27+c-'0']
	}
	return string(rune(c))
}

// foldForeign is a letter of another alphabet as the lexicon has it; 0 drops it.
func foldForeign(r rune) rune {
	switch {
	case r == 'ё' || r == 'Ё':
		return 'е'
	case r >= 0x64B && r <= 0x652 || r == 0x640: // vowel signs of Arabic
		return 0
	case r == 'أ' || r == 'إ' || r == 'آ':
		return 'ا'
	case r == 'ة':
		return 'ه'
	case r == 'ى':
		return 'ي'
	case r == 0x93C || r == 0x9BC: // nukta
		return 0
	}
	return unicode.ToLower(r)
}

// looksLatin is the Latin letter that a Cyrillic or Greek one looks like, or 0.
func looksLatin(r rune) byte {
	if r < 0x370 || r > 0x4FF {
		return 0
	}
	switch r {
	case 'а', 'α':
		return 'a'
	case 'е', 'ε', 'є':
		return 'e'
	case 'о', 'ο', 'σ':
		return 'o'
	case 'р', 'ρ':
		return 'p'
	case 'с', 'ϲ':
		return 'c'
	case 'у', 'γ', 'υ':
		return 'y'
	case 'х', 'χ':
		return 'x'
	case 'і', 'ι', 'ї':
		return 'i'
	case 'ѕ':
		return 's'
	case 'ј':
		return 'j'
	case 'к', 'κ':
		return 'k'
	case 'м':
		return 'm'
	case 'т', 'τ':
		return 't'
	case 'н':
		return 'h'
	case 'в', 'β':
		return 'b'
	case 'г':
		return 'r'
	case 'п', 'η':
		return 'n'
	case 'ν':
		return 'v'
	case 'ω', 'ш':
		return 'w'
	case 'ԁ':
		return 'd'
	}
	return 0
}

// latinise writes a word that mixes Latin letters with others that look like them.
func latinise(word []byte) []byte {
	out := make([]byte, 0, len(word))
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRune(word[i:])
		if c := looksLatin(r); c != 0 {
			out = append(out, c)
		} else {
			out = append(out, word[i:i+size]...)
		}
		i += size
	}
	return out
}

// leet writes letters for the digits and signs within words that stand for them, and puts single letters together that stand apart:
// "1gn0re", "i g n o r e", "i.g.n.o.r.e". It changes what it is given, and reports whether it did.
func leet(text []byte) ([]byte, bool) {
	changed := false
	for i := 0; i < len(text); {
		if text[i] == ' ' {
			i++
			continue
		}
		end := i
		letters, signs := 0, 0
		for end < len(text) && text[end] != ' ' {
			if isLower(text[end]) {
				letters++
			} else if leetOf(text[end]) != 0 && end > i || leetOf(text[end]) != 0 && end+1 < len(text) && isLower(text[end+1]) {
				signs++
			}
			end++
		}
		if letters >= 2 && signs > 0 && signs <= letters {
			last := end
			for last > i && !isLower(text[last-1]) && !(text[last-1] >= '0' && text[last-1] <= '9') {
				last-- // signs at the end are the sentence's
			}
			for k := i; k < last; k++ {
				if c := leetOf(text[k]); c != 0 {
					text[k], changed = c, true
				}
			}
		}
		i = end
	}
	if joined, ok := together(text); ok {
		return joined, true
	}
	return text, changed
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func leetOf(c byte) byte {
	switch c {
	case '0':
		return 'o'
	case '1', '!', '|':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7', '+':
		return 't'
	case '8':
		return 'b'
	case '9':
		return 'g'
	}
	return 0
}

// together joins runs of five and more single letters with the same sign between them, and puts spaces around the words of the lexicon in them.
func together(text []byte) ([]byte, bool) {
	var out []byte
	from := 0
	for i := 0; i+8 < len(text); i++ {
		if !isLower(text[i]) || i > 0 && isLower(text[i-1]) || isLower(text[i+1]) {
			continue
		}
		sep := text[i+1]
		k := i
		for k+2 < len(text) && text[k+1] == sep && isLower(text[k+2]) && (k+3 >= len(text) || !isLower(text[k+3])) {
			k += 2
		}
		if k-i < 8 {
			continue
		}
		out = append(out, text[from:i]...)
		var run []byte
		for j := i; j <= k; j += 2 {
			run = append(run, text[j])
		}
		out = append(out, words().divide(run)...)
		from, i = k+1, k
	}
	if out == nil {
		return text, false
	}
	return append(out, text[from:]...), true
}
