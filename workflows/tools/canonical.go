package tools

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gowebpki/jcs"

	"levada.dev/events/fault"
)

// canonical is a JSON text in the form of RFC 8785, nil when it has none. Whole numbers that a double cannot hold have none: another number
// would stand for them, in what a tool is given and in the digest by which calls are told apart. It makes a tree of the text, so what the text holds is
// bounded before.
func canonical(text json.RawMessage) json.RawMessage {
	if !json.Valid(text) || !exact(text) { // the first also bounds how deep it is
		return nil
	}
	form, err := jcs.Transform(text)
	if err != nil {
		return nil
	}
	return form
}

// Digest is the SHA-256 of a JSON text in the form of RFC 8785, empty when it has no such form: all that is kept of arguments.
func Digest(text json.RawMessage) string { return digest(canonical(text)) }

func digest(canonical []byte) string {
	if canonical == nil {
		return ""
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// exactDigits is how many digits every whole number may have that a double holds.
const exactDigits = 15

// exact reports whether a double holds each whole number of a JSON text.
func exact(text []byte) bool {
	if !hasRun(text, exactDigits+1) {
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil { // its end: it is valid
			return true
		}
		if n, ok := token.(json.Number); ok && !held(string(n)) {
			return false
		}
	}
}

// held reports whether a double holds a number, of a whole one each digit.
func held(n string) bool {
	if len(n) <= exactDigits && !strings.ContainsAny(n, "eE") {
		return true
	}
	f, err := strconv.ParseFloat(n, 64)
	return err == nil && (strings.ContainsAny(n, ".eE") || strconv.FormatFloat(f, 'f', -1, 64) == n)
}

// formless is why a JSON text has no canonical form, with the place of the number if it is one.
func formless(text json.RawMessage, at string) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if json.Valid(text) && dec.Decode(&v) == nil {
		if steps, found := unheld(v); found {
			return fault.Invalidf(fault.Path(at, steps...), CodeInvalid, "is a number that a double cannot hold").WithHint("round it, or send it as a text where one is taken")
		}
	}
	return fault.Invalidf(at, CodeInvalid, "is not JSON that has one meaning").WithHint("each name once in an object, no number that a double cannot hold, UTF-8")
}

// unheld is the way to the first number that a double does not hold, by the order of names.
func unheld(v any) (steps []string, found bool) {
	switch v := v.(type) {
	case json.Number:
		return nil, !held(string(v))
	case []any:
		for i, item := range v {
			if rest, found := unheld(item); found {
				return append([]string{strconv.Itoa(i)}, rest...), true
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if rest, found := unheld(v[name]); found {
				return append([]string{name}, rest...), true
			}
		}
	}
	return nil, false
}

// hasRun reports whether a text has so many digits one after the other.
func hasRun(text []byte, digits int) bool {
	n := 0
	for _, c := range text {
		if n++; c < '0' || c > '9' {
			n = 0
		}
		if n == digits {
			return true
		}
	}
	return false
}
