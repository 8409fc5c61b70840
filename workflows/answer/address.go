package answer

import (
	"strings"
	"unicode/utf8"
)

// addresses are those on the web that a claim names, or has a reader load: what has "//" in it, and where a Markdown link or image points. The
// one that a document has can be loaded without telling anybody anything; any other may carry what the model was shown.
func addresses(claim string) (all []string) {
	for rest := claim; ; {
		i := strings.Index(rest, "//")
		if i < 0 {
			break
		}
		from := strings.LastIndexFunc(rest[:i], delimits) + 1
		to := i + len("//")
		if n := strings.IndexFunc(rest[to:], delimits); n >= 0 {
			to += n
		} else {
			to = len(rest)
		}
		if a := strings.TrimRight(rest[from:to], ".,;:!?"); len(a) > len("//") {
			all = append(all, a)
		}
		rest = rest[to:]
	}
	for rest := claim; ; {
		_, after, found := strings.Cut(rest, "](")
		if !found {
			return all
		}
		target := after
		if n := strings.IndexFunc(after, delimits); n >= 0 {
			target = after[:n]
		}
		if target != "" {
			all = append(all, target)
		}
		rest = after
	}
}

// longestAddress is how far back the beginning of one is looked for.
const longestAddress = 2 << 10

// withinAddress reports whether a place of a text is in an address, or in the sign that a Markdown image begins with: no sentence ends there.
func withinAddress(text string, at int) bool {
	if strings.HasSuffix(text[:at], "![") {
		return true
	}
	next, _ := utf8.DecodeRuneInString(text[at:])
	near := text[max(0, at-longestAddress):at]
	if !strings.Contains(near, "//") && !strings.Contains(near, "](") { // nearly always, and cheaper than what follows
		return false
	}
	from := strings.LastIndexFunc(near, delimits) + 1
	return at < len(text) && !delimits(next) && (strings.Contains(near[from:], "//") || strings.HasSuffix(near[:from], "]("))
}

// delimits reports whether no address goes beyond a character.
func delimits(c rune) bool { return c <= ' ' || strings.ContainsRune("\"'`<>()[]{}|\\^", c) }
