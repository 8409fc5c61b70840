package redact

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What an address may be long: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.
const (
	maxLocal  = 64
	maxDomain = 255
)

// email finds the address around an @; what lies before floor belongs to something else.
func email(text string, at, floor int) (finding, bool) {
	start := at
	for start > floor && at-start < maxLocal {
		r, size := utf8.DecodeLastRuneInString(text[floor:start])
		if !local(r) {
			break
		}
		start -= size
	}
	for start < at && (text[start] == '.' || text[start] == '-') {
		start++
	}
	end := domain(text, at+1)
	if start == at || end == 0 {
		return finding{}, false
	}
	return finding{start, end, Email}, true
}

// local reports whether a sign may stand before the @. Letters of other alphabets may.
func local(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(byte(r)) || r == '.' || r == '_' || r == '%' || r == '+' || r == '-'
	}
	return r < spaceless && unicode.IsLetter(r)
}

// domain is where the domain ends that begins at i, or 0: labels with dots between them, the last one of letters.
func domain(text string, i int) int {
	end, dots, label, letters := 0, 0, i, 0
	for k := i; ; k++ {
		if k < len(text) && k-i < maxDomain && (isAlnum(text[k]) || text[k] == '-' || text[k] >= 0xC3 && text[k] < 0xE0 || text[k] >= 0x80 && text[k] < 0xC0 && k > i) {
			if !isDigit(text[k]) && text[k] != '-' {
				letters++
			}
			continue
		}
		if k > label && dots > 0 && letters == k-label && letters >= 2 {
			end = k
		}
		if k == label || k >= len(text) || text[k] != '.' {
			return end
		}
		dots, label, letters = dots+1, k+1, 0
	}
}

// maxURL is how far user and password of a URL are looked for.
const maxURL = 256

// credentials finds user and password of a URL whose scheme begins at i.
func credentials(text string, i int) (finding, bool) {
	k := i
	for k < len(text) && k-i < 16 && (isAlnum(text[k]) || text[k] == '+') {
		k++
	}
	if !strings.HasPrefix(text[k:], "://") {
		return finding{}, false
	}
	from := k + 3
	mark := false
	for k = from; k < len(text) && k-from < maxURL; k++ {
		switch c := text[k]; {
		case c == '@':
			return finding{from, k, Credentials}, mark && k > from
		case c == ':':
			mark = true
		case c <= ' ' || c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' || c >= 0x80:
			return finding{}, false
		}
	}
	return finding{}, false
}

// network finds an address of IP version 4 or 6, or of a device, that begins at i.
func network(text string, i int) (int, Kind) {
	end, dots, colons, dashes := i, 0, 0, 0
	for ; end < len(text) && end-i <= 45; end++ {
		switch c := text[end]; {
		case isHex(c):
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '-':
			dashes++
		default:
			goto over
		}
	}
over:
	if dots < 3 && colons < 2 && dashes < 5 || !ends(text, end) {
		return 0, ""
	}
	if stop := device(text[i:end]); stop > 0 {
		return i + stop, MAC
	}
	token := text[i:end]
	if k := strings.IndexByte(token, '-'); k >= 0 {
		token = token[:k]
	}
	if colons < 2 {
		token, _, _ = strings.Cut(token, ":") // its port
	}
	token = strings.TrimRight(token, ".")
	if len(token) > 2 && !strings.HasSuffix(token, "::") {
		token = strings.TrimRight(token, ":")
	}
	a, err := netip.ParseAddr(token)
	switch {
	case err != nil, a.IsLoopback(), a.IsUnspecified():
		return 0, ""
	case a.Is4() && (before(text, i, versions) || i > 0 && text[i-1] == '.'):
		return 0, ""
	case a.Is6() && !a.Is4In6() && (len(token) < 7 || strings.Count(token, ":") < 3 || !strings.ContainsAny(token, "0123456789")):
		return 0, "" // a name of a program's, like a::b
	}
	return i + len(token), IP
}

// device is the length of a device's address at the beginning of a text: six pairs with the same sign between them.
func device(s string) int {
	if len(s) < 17 || s[2] != ':' && s[2] != '-' {
		return 0
	}
	for k := range 17 {
		if k%3 == 2 && s[k] != s[2] || k%3 != 2 && !isHex(s[k]) {
			return 0
		}
	}
	if len(s) > 17 && s[17] == s[2] {
		return 0
	}
	return 17
}

const versions = " version v release build section chapter "

// before reports whether the word that stands right before i, perhaps with a sign after it, is one of the words, which have spaces around them.
func before(text string, i int, words string) bool {
	for i > 0 && (text[i-1] == ' ' || text[i-1] == ':' || text[i-1] == '#' || text[i-1] == '=' || text[i-1] == '.') {
		i--
	}
	end := i
	for i > 0 && end-i < 16 && classes[text[i-1]]&letter != 0 {
		i--
	}
	return i < end && strings.Contains(words, " "+strings.ToLower(text[i:end])+" ")
}
