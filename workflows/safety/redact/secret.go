package redact

import "strings"

// form is a kind of key: what it begins with, and how many characters of a key follow at least.
type form struct {
	prefix string
	least  int
}

// forms are keys by their first letter. They are as their makers write them, so case counts.
var forms = [128][]form{
	'l': {{"lv_", 20}}, // our own: tenants.NewKey
	's': {{"sk-", 16}, {"sk_live_", 10}, {"sk_test_", 10}},
	'r': {{"rk_live_", 10}, {"rk_test_", 10}},
	'w': {{"whsec_", 16}}, // of webhooks: tenants.NewSecret
	'g': {{"ghp_", 20}, {"gho_", 20}, {"ghu_", 20}, {"ghs_", 20}, {"ghr_", 20}, {"github_pat_", 20}, {"glpat-", 16}},
	'x': {{"xoxb-", 10}, {"xoxp-", 10}, {"xoxa-", 10}, {"xoxr-", 10}, {"xoxs-", 10}, {"xapp-", 10}},
	'h': {{"hf_", 24}},
	'n': {{"npm_", 30}},
	'p': {{"pypi-", 30}},
	'd': {{"dop_v1_", 40}},
	'A': {{"AKIA", 16}, {"ASIA", 16}, {"AIza", 30}},
	'S': {{"SG.", 30}},
}

// secret finds a key that begins at i.
func secret(text string, i int) (int, Kind) {
	for _, f := range forms[text[i]&127] {
		if strings.HasPrefix(text[i:], f.prefix) {
			if end := run(text, i+len(f.prefix)); end-i-len(f.prefix) >= f.least && varied(text[i+len(f.prefix):end]) {
				return end, Secret
			}
		}
	}
	switch c := fold(text[i]); {
	case text[i] == 'e' && strings.HasPrefix(text[i:], "eyJ"):
		if end := run(text, i); strings.Count(text[i:end], ".") == 2 && end-i >= 40 {
			return end, Secret // https://www.rfc-editor.org/rfc/rfc7519
		}
	case c == 'b' && hasFold(text, i, "bearer "):
		if end := run(text, i+7); end-i-7 >= 16 && varied(text[i+7:end]) {
			return end, Secret
		}
	}
	return 0, ""
}

// run is where the characters of a key end that begin at i. A dot at the end is the sentence's.
func run(text string, i int) int {
	k := i
	for k < len(text) && (isAlnum(text[k]) || text[k] == '_' || text[k] == '-' || text[k] == '.' || text[k] == '+' || text[k] == '/' || text[k] == '=') {
		k++
	}
	for k > i && (text[k-1] == '.' || text[k-1] == '-') {
		k--
	}
	return k
}

// varied reports whether there are digits among a key's characters, or both cases: words that are joined have neither.
func varied(s string) bool {
	upper, lower := false, false
	for k := range len(s) {
		switch {
		case isDigit(s[k]):
			return true
		case isUpper(s[k]):
			upper = true
		case classes[s[k]]&letter != 0:
			lower = true
		}
	}
	return upper && lower
}

const (
	keyBegin = "-----BEGIN "
	keyEnd   = "-----END "
)

// privateKey finds a private key in PEM that begins at i; one that has not ended goes to the end of the text.
func privateKey(text string, i int) int {
	rest := text[i:]
	if !strings.HasPrefix(rest, keyBegin) {
		return 0
	}
	head, _, _ := strings.Cut(rest[len(keyBegin):], "\n")
	if !strings.Contains(head, "PRIVATE KEY-----") {
		return 0
	}
	k := strings.Index(rest, keyEnd)
	if k < 0 {
		return len(text)
	}
	if stop := strings.Index(rest[k+len(keyEnd):], "-----"); stop >= 0 && stop < 64 {
		return i + k + len(keyEnd) + stop + 5
	}
	return i + k + len(keyEnd)
}
