package credential

import (
	"regexp"
	"strings"
)

// known are what secrets of this platform and of its provider begin with: API keys, secrets of webhooks, tokens and keys of the API.
var known = []string{"lv_", "whsec_", "cfut_", "cfat_", "cfk_", "Bearer ", "bearer "}

// word is the form of a token: long, of the characters that tokens have.
var word = regexp.MustCompile(`^[A-Za-z0-9_+/=-]{36,512}$`)

// hash is the form of the SHA-256 of something, which is no secret.
var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// LooksSecret reports whether a text may be a secret itself, by its form: it is one word, long and mixed. It is for refusing what was
// written where a reference belongs, so it errs on the safe side. An id of an account (32 hexadecimal digits) and a SHA-256 are none.
func LooksSecret(text string) bool {
	text = strings.TrimSpace(text)
	for _, prefix := range known {
		if rest, ok := strings.CutPrefix(text, prefix); ok && len(rest) >= 20 {
			return true
		}
	}
	return word.MatchString(text) && !hash.MatchString(text) && strings.ContainsAny(text, "0123456789") && strings.ContainsAny(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz")
}

// argumentLooksSecret looks at an argument of a command, which may be name=value. A path is none, and neither is an id.
func argumentLooksSecret(arg string) bool {
	if _, value, ok := strings.Cut(arg, "="); ok {
		arg = value
	}
	return LooksSecret(arg) && !strings.Contains(arg, "/") && !uuid.MatchString(arg)
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
