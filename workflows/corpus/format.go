package corpus

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// Format is what a document's bytes are.
type Format string

// The formats. The first three are cut as they are; of the others the text is taken out first (package extract).
const (
	Plain    Format = "plain"
	Markdown Format = "markdown"
	Code     Format = "code"
	HTML     Format = "html"
	JSON     Format = "json"
	CSV      Format = "csv"
	PDF      Format = "pdf"
	DOCX     Format = "docx"
	PPTX     Format = "pptx"
	Unknown  Format = "unknown" // to be found out from the bytes
)

// Text reports whether a document of the format is cut as it is.
func (f Format) Text() bool { return f == Plain || f == Markdown || f == Code }

// Binary reports whether a document of the format is no text in any encoding.
func (f Format) Binary() bool { return f == PDF || f == DOCX || f == PPTX }

// SupportedTypes is what FormatOf accepts, for messages.
const SupportedTypes = "text/plain, text/markdown, text/html, application/json, text/csv, application/pdf, " +
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document (docx), " +
	"application/vnd.openxmlformats-officedocument.presentationml.presentation (pptx), text/x-*, " +
	"or application/octet-stream to have it found out"

// OctetStream is the content type of a document that does not say what it is.
const OctetStream = "application/octet-stream"

var formats = map[string]Format{
	"text/plain": Plain, "text/markdown": Markdown, "text/x-markdown": Markdown,
	"text/html": HTML, "application/xhtml+xml": HTML,
	"application/json": JSON, "application/x-ndjson": JSON, "application/jsonl": JSON, "text/json": JSON,
	"text/csv": CSV, "application/csv": CSV, "text/tab-separated-values": CSV,
	"application/pdf": PDF, "application/x-pdf": PDF,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   DOCX,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": PPTX,
	"text/xml": Code, "application/xml": Code, "text/yaml": Code, "application/yaml": Code, "text/css": Code,
	"text/javascript": Code, "application/javascript": Code,
	OctetStream: Unknown, "binary/octet-stream": Unknown,
}

// FormatOf is the format of a content type. Any other is fault.Invalid, code content_type_unsupported.
func FormatOf(contentType string) (Format, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil {
		if f, ok := formats[media]; ok {
			return f, nil
		}
		switch {
		case strings.HasPrefix(media, "text/x-") && len(media) > len("text/x-"):
			return Code, nil
		case strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"):
			return JSON, nil
		}
	}
	return "", fault.Invalidf("contentType", "content_type_unsupported", "%.80q is not supported", contentType).
		WithHint("use one of " + SupportedTypes)
}

// Charset is the charset that a content type declares, in lower case, or empty.
func Charset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(params["charset"]))
}

// Ready reports whether a document is cut as it is: text in UTF-8 that nothing has to be taken out of.
func Ready(contentType string, data []byte) bool {
	format, err := FormatOf(contentType)
	if err != nil || !format.Text() {
		return false
	}
	switch Charset(contentType) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return false
	}
	return !bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) && bytes.IndexByte(data, 0) < 0 && utf8.Valid(data)
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
