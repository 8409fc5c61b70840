package entity

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	word   kind = iota
	digits      // ASCII digits, and nothing but them
	sign
)

// token is a word, a number without its points, or a sign.
type token struct {
	from, to int
	kind     kind
	spaced   bool // white space is before it
	broken   bool // a line break is
	said     string
	lower    string // a word in lower case
}

// tokensOf divides a text. Marks belong to what is before them, so that no token begins with one unless a text does.
func tokensOf(text string) []token {
	tokens := make([]token, 0, len(text)/5+8)
	spaced, broken := true, true
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if unicode.IsSpace(r) {
			spaced, broken = true, broken || r == '\n'
			i += n
			continue
		}
		t := token{from: i, kind: sign, spaced: spaced, broken: broken}
		i += n
		switch {
		case r >= '0' && r <= '9':
			t.kind = digits
			for i < len(text) && text[i] >= '0' && text[i] <= '9' {
				i++
			}
		case unicode.IsLetter(r):
			t.kind = word
			i += wordLen(text[i:], r)
		case !spaced && tokens[len(tokens)-1].kind == word && possessive(text[t.from:]) > 0:
			t.kind = word
			i = t.from + possessive(text[t.from:])
		}
		i += len(text[i:]) - len(strings.TrimLeftFunc(text[i:], unicode.IsMark))
		t.to, t.said = i, text[t.from:i]
		if t.kind == word {
			t.lower = strings.ToLower(t.said)
		}
		tokens = append(tokens, t)
		spaced, broken = false, false
	}
	return tokens
}

// possessive is how long an English ending is that a text begins with, as in "Smith's"; 0 when it begins with none.
func possessive(text string) int {
	for _, ending := range []string{"'s", "’s", "'S", "’S"} {
		if rest, ok := strings.CutPrefix(text, ending); ok {
			if r, _ := utf8.DecodeRuneInString(rest); !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) {
				return len(ending)
			}
		}
	}
	return 0
}

// wordLen is how far a word goes on behind a letter: letters, marks and digits, and an apostrophe between two letters, but for the one before an
// ending that is a token by itself. Signs of Chinese, Japanese and Korean have no digits in their words.
func wordLen(text string, last rune) int {
	n := 0
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		if r == '\'' || r == '’' {
			next, _ := utf8.DecodeRuneInString(text[n+size:])
			if !unicode.IsLetter(next) || possessive(text[n:]) > 0 {
				return n
			}
		} else if !unicode.IsLetter(r) && !unicode.IsMark(r) && !(r >= '0' && r <= '9' && last < 0x2E80) {
			return n
		}
		n, last = n+size, r
	}
	return n
}

// at is a token, or one that is nothing where there is none.
func (f *finder) at(i int) token {
	if i < 0 || i >= len(f.tokens) {
		return token{kind: sign, spaced: true, broken: true}
	}
	return f.tokens[i]
}

// is reports whether a token stands right behind the one before it, and is what is said.
func (f *finder) is(i int, said string) bool {
	t := f.at(i)
	return t.said == said && !t.spaced
}

// number is a whole number of few digits; -1 when the token is none.
func (t token) number() int {
	if t.kind != digits || len(t.said) > 4 {
		return -1
	}
	n := 0
	for i := 0; i < len(t.said); i++ {
		n = n*10 + int(t.said[i]-'0')
	}
	return n
}

// capital reports whether a word begins with a capital letter.
func (t token) capital() bool {
	if t.kind != word {
		return false
	}
	r, _ := utf8.DecodeRuneInString(t.said)
	return unicode.IsUpper(r) || unicode.IsTitle(r)
}

// capitals reports whether a word of two letters and more has nothing else.
func (t token) capitals() bool {
	return t.kind == word && len(t.said) > 1 && t.said == strings.ToUpper(t.said) && t.said != t.lower
}
