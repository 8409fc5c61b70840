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

// parseTime parses a timestamp of RFC 3339. Unlike time.Parse it takes what the grammar has, the small letters
// and the leap second, and nothing else.
func parseTime(field, s string) (time.Time, error) {
	if len(s) < len("2006-01-02T15:04:05Z") || len(s) > 64 {
		return time.Time{}, invalid(field, "is not a time of RFC 3339")
	}
	text := []byte(s)
	if text[10] == 't' {
		text[10] = 'T'
	}
	if last := len(text) - 1; text[last] == 'z' {
		text[last] = 'Z'
	}
	leap := string(text[14:19]) == "59:60"
	if leap {
		copy(text[17:], "59")
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return time.Time{}, invalid(field, "is not a time of RFC 3339")
	}
	if leap {
		t = t.Add(time.Second)
	}
	return t.UTC(), nil
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
