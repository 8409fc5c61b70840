package tools

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gowebpki/jcs"
)

// canonical is a JSON text in the form of RFC 8785, nil when it has none. Whole numbers that a double cannot hold have none: another number
// would stand for them, in what a tool is given and in the digest by which calls are told apart.
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
		n, ok := token.(json.Number)
		if !ok || len(n) <= exactDigits || strings.ContainsAny(string(n), ".eE") {
			continue
		}
		f, err := strconv.ParseFloat(string(n), 64)
		if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != string(n) {
			return false
		}
	}
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
