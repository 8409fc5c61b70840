package entity

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// urls finds addresses of the web, with their scheme or with www.
func (f *finder) urls() {
	for at := 0; ; {
		i := strings.Index(f.text[at:], "://")
		if i < 0 {
			break
		}
		at += i
		from := at - len(schemeBefore(f.text[max(0, at-maxScheme):at]))
		to := addressEnd(f.text, at+len("://"))
		if from < at && to > at+len("://") {
			f.take(URL, from, to)
		}
		at = max(to, at+len("://"))
	}
	for i, t := range f.tokens {
		if t.lower == "www" && f.is(i+1, ".") && f.free(i) {
			if to := addressEnd(f.text, t.from); strings.Count(f.text[t.from:to], ".") >= 2 {
				f.take(URL, t.from, to)
			}
		}
	}
}

const maxScheme = 12

// schemeBefore is the name of a scheme that a text ends with.
func schemeBefore(text string) string {
	i := len(text)
	for i > 0 && (text[i-1]|0x20 >= 'a' && text[i-1]|0x20 <= 'z' || text[i-1] == '+') {
		i--
	}
	switch strings.ToLower(text[i:]) {
	case "http", "https", "ftp", "ftps", "sftp", "ssh", "git", "ws", "wss", "s3", "git+ssh", "git+https":
		return text[i:]
	}
	return ""
}

// addressEnd is where an address ends: before white space and signs that have to be escaped in one, and without the sentence's signs behind it.
func addressEnd(text string, from int) int {
	to := from
	for to < len(text) {
		r, n := utf8.DecodeRuneInString(text[to:])
		if r <= ' ' || unicode.IsSpace(r) || strings.ContainsRune("<>\"`{}|\\^「」『』（）、。，；：！？", r) || unicode.Is(unicode.C, r) {
			break
		}
		to += n
	}
	open := strings.Count(text[from:to], "(") - strings.Count(text[from:to], ")")
	for to > from {
		c := text[to-1]
		switch {
		case strings.IndexByte(".,;:!?'*_]", c) >= 0:
		case c == ')' && open < 0:
			open++
		default:
			return to
		}
		to--
	}
	return to
}

// emails finds addresses of mail.
func (f *finder) emails() {
	for at := 0; ; at++ {
		i := strings.IndexByte(f.text[at:], '@')
		if i < 0 {
			return
		}
		at += i
		from, to := at, at+1
		for from > 0 && at-from < 64 && mailSign(f.text[from-1]) {
			from--
		}
		for from < at && strings.IndexByte(".-+", f.text[from]) >= 0 {
			from++
		}
		for to < len(f.text) && to-at < 250 && (hostSign(f.text[to])) {
			to++
		}
		for to > at+1 && strings.IndexByte(".-", f.text[to-1]) >= 0 {
			to--
		}
		if from < at && f.text[at-1] != '.' && isHost(f.text[at+1:to]) {
			f.take(Email, from, to)
		}
	}
}

func mailSign(c byte) bool { return hostSign(c) || strings.IndexByte("_%+'", c) >= 0 }

func hostSign(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

// isHost reports whether a name has two labels or more, and the last is of letters.
func isHost(name string) bool {
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(last) > 1 && strings.Trim(strings.ToLower(last), "abcdefghijklmnopqrstuvwxyz") == ""
}

// ips finds addresses of the internet protocol, of version 4 and of version 6.
func (f *finder) ips() {
	for i := 0; i < len(f.tokens); i++ {
		t := f.tokens[i]
		if !f.free(i) || !t.spaced && f.at(i-1).kind != sign || !hexadecimal(t) {
			continue
		}
		from, to := t.from, t.from
		for to < len(f.text) && to-from < 40 && (isHex(f.text[to]) || f.text[to] == ':' || f.text[to] == '.') {
			to++
		}
		for to > from && (f.text[to-1] == '.' || f.text[to-1] == ':' && !strings.HasSuffix(f.text[from:to], "::")) {
			to--
		}
		text := f.text[from:to]
		dots, colons := strings.Count(text, "."), strings.Count(text, ":")
		if dots != 3 && colons < 2 || f.versioned(i) || colons == 2 && !strings.Contains(text, "::") {
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil && (a.Is4() || colons > 2 || strings.Contains(text, "::")) {
			f.take(IPAddress, from, to)
		}
	}
}

// versionWords say that a number with points is a version.
var versionWords = words(`v ver vers version versions versionen versión versiones versão versões versione versioni versie versies`)

// versioned reports whether the word before a token says that a version follows.
func (f *finder) versioned(i int) bool {
	if f.at(i-1).said == "." && f.at(i).spaced { // v. 1.2.3.4
		i--
	}
	return versionWords()[f.at(i-1).lower]
}

func hexadecimal(t token) bool {
	return t.kind != sign && isHex(t.said[0]) || t.said == ":"
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }
