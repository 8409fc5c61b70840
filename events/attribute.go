package events

import (
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// maxAttribute bounds one attribute's text and maxAttributes their number, so that an envelope stays small beside
// its data. The specification sets no bound, but asks that events of 64 KB in all be forwarded.
const (
	maxAttribute  = 8 << 10
	maxAttributes = 64
)

// invalid is the error about one attribute of an event.
func invalid(field, format string, args ...any) error {
	return fault.Invalidf(field, "event_invalid", format, args...)
}

// checkText applies the type system's rules for String: no control character, no code point that is no character.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
func checkText(field, s string) error {
	if len(s) > maxAttribute {
		return invalid(field, "is longer than %d bytes", maxAttribute)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf {
			return checkRunes(field, s)
		} else if c < 0x20 || c == 0x7f {
			return invalid(field, "contains the control character U+%04X", c)
		}
	}
	return nil
}

func checkRunes(field, s string) error {
	if !utf8.ValidString(s) {
		return invalid(field, "is not UTF-8")
	}
	for _, r := range s {
		switch {
		case r < 0x20, r >= 0x7f && r <= 0x9f:
			return invalid(field, "contains the control character U+%04X", r)
		case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
			return invalid(field, "contains U+%04X, which is no character", r)
		}
	}
	return nil
}

// checkFilled is checkText for the attributes that must not be empty.
func checkFilled(field, s string) error {
	if strings.TrimSpace(s) == "" {
		return invalid(field, "must not be empty")
	}
	return checkText(field, s)
}

// checkName applies the naming rule of attributes.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#naming-conventions
func checkName(name string) error {
	if name == "" {
		return invalid("", "an attribute has no name")
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return invalid(name, "attribute names consist of lower-case letters and digits")
		}
	}
	return nil
}

// parseReference parses a URI-reference (RFC 3986, section 4.1). net/url alone takes spaces, quotes and raw
// Unicode, which are not of a URI.
func parseReference(field, s string) (*url.URL, error) {
	if err := checkFilled(field, s); err != nil {
		return nil, err
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf || strings.IndexByte(" \"<>\\^`{|}", c) >= 0:
			return nil, invalid(field, "is not a URI-reference: %q must be percent-encoded", firstRune(s[i:]))
		case c == '%' && (len(s)-i < 3 || !isHex(s[i+1]) || !isHex(s[i+2])):
			return nil, invalid(field, "is not a URI-reference: malformed percent-encoding")
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, invalid(field, "is not a URI-reference")
	}
	_, rest, _ := strings.Cut(s, "//")
	authority := len(s) - len(rest)
	if n := strings.IndexAny(rest, "/?#"); n >= 0 {
		authority += n
	} else {
		authority = len(s)
	}
	if u.Host == "" {
		authority = 0
	}
	if strings.ContainsAny(s[authority:], "[]") || strings.Count(s, "#") > 1 {
		return nil, invalid(field, "is not a URI-reference: brackets and a second # must be percent-encoded")
	}
	return u, nil
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// parseTime parses a timestamp of RFC 3339 by its grammar: also the small letters and the leap second, which
// time.Parse does not take, but no comma, single digit or offset of a day, which it does.
func parseTime(field, s string) (time.Time, error) {
	text := strings.ToUpper(s)
	if !isTimestamp(text) {
		return time.Time{}, invalid(field, "is not a time of RFC 3339")
	}
	leap := text[14:19] == "59:60"
	if leap {
		text = text[:17] + "59" + text[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, invalid(field, "is not a time of RFC 3339")
	}
	if leap {
		t = t.Add(time.Second)
	}
	return t.UTC(), nil
}

// isTimestamp checks the form of a timestamp in capitals; that its numbers are a time is time.Parse's to say.
func isTimestamp(s string) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) || !hasForm(s[:len(form)], form) {
		return false
	}
	rest := s[len(form):]
	if rest[0] == '.' {
		digits := len(rest[1:]) - len(strings.TrimLeft(rest[1:], "0123456789"))
		if digits == 0 {
			return false
		}
		rest = rest[1+digits:]
	}
	if rest == "Z" {
		return true
	}
	return (hasForm(rest, "+00:00") || hasForm(rest, "-00:00")) && rest[1:3] < "24" && rest[4:] < "60"
}

// hasForm compares s with a form in which 0 stands for any digit.
func hasForm(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' && (s[i] < '0' || s[i] > '9') || form[i] != '0' && s[i] != form[i] {
			return false
		}
	}
	return true
}

// checkMediaType applies RFC 2046: a type, a subtype, well-formed parameters.
func checkMediaType(field, s string) error {
	if err := checkFilled(field, s); err != nil {
		return err
	}
	mediaType, _, err := mime.ParseMediaType(s)
	if main, sub, ok := strings.Cut(mediaType, "/"); err != nil || !ok || main == "" || sub == "" {
		return invalid(field, "is not a media type")
	}
	return nil
}

// isJSON reports whether data of the media type is a JSON value; without one it is.
func isJSON(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	return mediaType == "" || strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
}

// parseInteger reads the JSON form of the type system's Integer: a whole number of 32 bits, without fraction or
// exponent.
func parseInteger(raw []byte) (int32, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 32)
	return int32(n), err == nil
}
