package corpus

import (
	"mime"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// Format is how a text is structured, as far as cutting it goes.
type Format string

// The formats.
const (
	Plain    Format = "plain"
	Markdown Format = "markdown"
	HTML     Format = "html"
	Code     Format = "code"
)

// SupportedTypes is what FormatOf accepts, for messages.
const SupportedTypes = "text/plain, text/markdown, text/html, application/xhtml+xml, application/json, text/x-*"

// FormatOf is the format of a content type, whose parameters may say charset=utf-8 and nothing else of a charset. Any
// other is fault.Invalid, code content_type_unsupported.
func FormatOf(contentType string) (Format, error) {
	media, params, err := mime.ParseMediaType(contentType)
	unsupported := fault.Invalidf("contentType", "content_type_unsupported", "%.80q is not supported", contentType).
		WithHint("use one of " + SupportedTypes)
	if err != nil {
		return "", unsupported
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return "", fault.Invalidf("contentType", "content_type_unsupported", "charset %.40q is not supported", charset).
			WithHint("convert the text to UTF-8")
	}
	switch {
	case media == "text/plain":
		return Plain, nil
	case media == "text/markdown" || media == "text/x-markdown":
		return Markdown, nil
	case media == "text/html" || media == "application/xhtml+xml":
		return HTML, nil
	case media == "application/json" || strings.HasPrefix(media, "text/x-") && len(media) > len("text/x-"):
		return Code, nil
	}
	return "", unsupported
}

// CheckText refuses a text that is not UTF-8, with the offset of the first wrong byte: fault.Invalid, code
// text_not_utf8.
func CheckText(text []byte) error {
	if utf8.Valid(text) {
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return fault.Invalidf("text", "text_not_utf8", "byte %d is not UTF-8", i).WithHint("convert the text to UTF-8")
		}
		i += n
	}
	return nil
}
