package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is what something was, as it stands in the text instead of it, in square brackets.
type Kind string

// The kinds.
const (
	Email       Kind = "EMAIL"
	Phone       Kind = "PHONE"
	Card        Kind = "CARD"
	IBAN        Kind = "IBAN"
	IP          Kind = "IP"
	MAC         Kind = "MAC"
	NationalID  Kind = "NATIONAL_ID" // SSN, NINO, CPF, and others: national.go lists them
	BirthDate   Kind = "BIRTH_DATE"
	Credentials Kind = "CREDENTIALS" // user and password of a URL
	Secret      Kind = "SECRET"      // a key, by its prefix
)

// Text is the text without what was found, and the kinds of that, sorted, each once.
func Text(text string) (string, []Kind) {
	if harmless(text) {
		return text, nil
	}
	found := find(text)
	if len(found) == 0 {
		return text, nil
	}
	var b strings.Builder
	var kinds []Kind
	at := 0
	for _, f := range found {
		b.WriteString(text[at:f.start])
		b.WriteByte('[')
		b.WriteString(string(f.kind))
		b.WriteByte(']')
		kinds = append(kinds, f.kind)
		at = f.end
	}
	b.WriteString(text[at:])
	slices.Sort(kinds)
	return b.String(), slices.Compact(kinds)
}

// shortest is how long a key is at least.
const shortest = 15

// harmless reports a text that can have nothing, at a glance: an id of ours, or a short one without a digit and an @. Most values that are logged are.
func harmless(text string) bool {
	if len(text) >= shortest {
		return (len(text) == 36 || len(text) == 32) && uuid(text, 0) == len(text)
	}
	for i := range len(text) {
		if classes[text[i]]&(digit|atSign) != 0 {
			return false
		}
	}
	return true
}

// finding is bytes start to end of a text.
type finding struct {
	start, end int
	kind       Kind
}

// find is everything in a text, in order, none within another.
func find(text string) []finding {
	var found []finding
	done := 0 // what lies before is decided
	for i := 0; i < len(text); {
		c := text[i]
		switch k := classes[c]; {
		case k == atSign:
			if f, ok := email(text, i, done); ok {
				found, done, i = append(found, f), f.end, f.end
				continue
			}
		case k != 0 && starts(text, i):
			if k&hex != 0 {
				if end := uuid(text, i); end > 0 {
					i = end
					continue
				}
			}
			if f, ok := match(text, i, k); ok {
				found, done, i = append(found, f), f.end, f.end
				continue
			}
			if k&digit != 0 { // the rest of a number that is nothing is nothing
				for i++; i < len(text) && classes[text[i]]&digit != 0; i++ {
				}
				continue
			}
		}
		i++
	}
	return found
}

// starts reports whether something may begin at i: no word is before it, of a script that has spaces between words.
func starts(text string, i int) bool {
	if i == 0 || !word(text[i-1]) {
		return true
	}
	if text[i-1] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return r >= spaceless
}

// spaceless is the first sign of the scripts which are not Latin, Greek, Cyrillic, Hebrew, Arabic: those have no mail addresses of their own,
// and many no spaces.
const spaceless = 0x800

// match finds what begins at i.
func match(text string, i int, k class) (finding, bool) {
	if k&letter != 0 {
		if end, kind := secret(text, i); end > 0 {
			return finding{i, end, kind}, true
		}
		if f, ok := credentials(text, i); ok {
			return f, true
		}
		if f, ok := birth(text, i); ok {
			return f, true
		}
		if end := iban(text, i); end > 0 {
			return finding{i, end, IBAN}, true
		}
		if end := lettered(text, i); end > 0 {
			return finding{i, end, NationalID}, true
		}
	}
	if k&(digit|hex|colon) != 0 {
		if end, kind := network(text, i); end > 0 {
			return finding{i, end, kind}, true
		}
	}
	if k&dash != 0 {
		if end := privateKey(text, i); end > 0 {
			return finding{i, end, Secret}, true
		}
	}
	if k&(digit|number) != 0 {
		if f, ok := numbers(text, i); ok {
			return f, true
		}
	}
	return finding{}, false
}

// class is what a byte may begin or belong to.
type class uint8

const (
	digit  class = 1 << iota
	letter       // A-Z, a-z
	hex          // of those, a-f
	number       // + and (, with which telephone numbers begin
	colon
	dash
	atSign
)

var classes = [256]class{
	'0': digit | hex, '1': digit | hex, '2': digit | hex, '3': digit | hex, '4': digit | hex,
	'5': digit | hex, '6': digit | hex, '7': digit | hex, '8': digit | hex, '9': digit | hex,
	'a': letter | hex, 'b': letter | hex, 'c': letter | hex, 'd': letter | hex, 'e': letter | hex, 'f': letter | hex,
	'A': letter | hex, 'B': letter | hex, 'C': letter | hex, 'D': letter | hex, 'E': letter | hex, 'F': letter | hex,
	'g': letter, 'h': letter, 'i': letter, 'j': letter, 'k': letter, 'l': letter, 'm': letter, 'n': letter, 'o': letter, 'p': letter,
	'q': letter, 'r': letter, 's': letter, 't': letter, 'u': letter, 'v': letter, 'w': letter, 'x': letter, 'y': letter, 'z': letter,
	'G': letter, 'H': letter, 'I': letter, 'J': letter, 'K': letter, 'L': letter, 'M': letter, 'N': letter, 'O': letter, 'P': letter,
	'Q': letter, 'R': letter, 'S': letter, 'T': letter, 'U': letter, 'V': letter, 'W': letter, 'X': letter, 'Y': letter, 'Z': letter,
	'+': number, '(': number, ':': colon, '-': dash, '@': atSign,
}

// word reports whether a byte may belong to a word.
func word(c byte) bool { return classes[c]&(digit|letter) != 0 || c == '_' || c >= utf8.RuneSelf }

// ends reports whether something may end at i, as starts does.
func ends(text string, i int) bool {
	if i >= len(text) || !word(text[i]) {
		return true
	}
	if text[i] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return r >= spaceless
}

func isDigit(c byte) bool { return classes[c]&digit != 0 }
func isHex(c byte) bool   { return classes[c]&hex != 0 }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlnum(c byte) bool { return classes[c]&(digit|letter) != 0 }

// fold is an ASCII letter in lower case.
func fold(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

// hasFold reports whether the text goes on at i with a word, which is in lower case, whatever the case.
func hasFold(text string, i int, want string) bool {
	if len(text)-i < len(want) {
		return false
	}
	for k := range len(want) {
		if fold(text[i+k]) != want[k] {
			return false
		}
	}
	return true
}
