package extract

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

const utf8Name = "utf-8"

// decode makes UTF-8 of a text. Its charset is what its byte order mark says, else what is declared, else what a page
// says in its head, else UTF-8 if it is that, else what its bytes look like. A text that is declared to be UTF-8 and is
// not counts as undeclared: servers say so of everything.
func decode(data []byte, declared string, page bool) (text []byte, name string, err error) {
	e, name := marked(data)
	if e == nil && declared != "" {
		if e, name = charset.Lookup(declared); e == nil {
			return nil, "", fault.Invalidf("contentType", "content_type_unsupported", "charset %.40q is not supported", declared).
				WithHint("use a name of the WHATWG encoding standard, or leave it out to have the charset found out")
		}
	}
	if e == nil && page {
		e, name = inHead(data)
	}
	if e == nil || name == utf8Name && !utf8.Valid(data) {
		e, name = detect(data)
	}
	text, err = e.NewDecoder().Bytes(data)
	if err != nil {
		return nil, name, broken(corpus.Plain, fmt.Errorf("decode %s: %w", name, err))
	}
	if name == utf8Name {
		text = data
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.IndexByte(text, 0) >= 0 {
		text = bytes.ReplaceAll(text, []byte{0}, []byte("\ufffd"))
	}
	return text, name, nil
}

var (
	littleEndian = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	bigEndian    = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
)

// marked is the encoding that a byte order mark names, or nil.
func marked(data []byte) (encoding.Encoding, string) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) && utf8.Valid(data):
		return encoding.Nop, utf8Name
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return littleEndian, "utf-16le"
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return bigEndian, "utf-16be"
	}
	return nil, ""
}

// inHead is the encoding that a page names in its first kilobyte.
func inHead(data []byte) (encoding.Encoding, string) {
	if bytes.IndexByte(data[:min(len(data), sniffed)], 0) >= 0 {
		return nil, "" // UTF-16, whatever the head says
	}
	e, name, certain := charset.DetermineEncoding(data[:min(len(data), sniffed)], "")
	if !certain {
		return nil, ""
	}
	return e, name
}

// detect is the encoding that a text's bytes look like; Latin if nothing else.
func detect(data []byte) (encoding.Encoding, string) {
	switch wide(data) {
	case "utf-16le":
		return littleEndian, "utf-16le"
	case "utf-16be":
		return bigEndian, "utf-16be"
	}
	escapes := bytes.IndexByte(data, 0x1b) >= 0 // ISO-2022 is ASCII with escape sequences
	if utf8.Valid(data) && !escapes {
		return encoding.Nop, utf8Name
	}
	results, err := chardet.NewTextDetector().DetectAll(telling(data))
	if err == nil {
		slices.SortFunc(results, func(a, b chardet.Result) int { // the detector's own order depends on the scheduler
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Charset, b.Charset), strings.Compare(a.Language, b.Language))
		})
		for _, r := range results {
			if escapes && utf8.Valid(data) && !strings.HasPrefix(r.Charset, "ISO-2022") {
				break
			}
			if e, name := charset.Lookup(r.Charset); e != nil && name != utf8Name && name != "replacement" {
				return e, name
			}
		}
	}
	if utf8.Valid(data) {
		return encoding.Nop, utf8Name
	}
	return charset.Lookup("windows-1252")
}

// telling is the part of a text that says most about its encoding: from the first byte that is not ASCII.
func telling(data []byte) []byte {
	const enough = 64 << 10
	i := bytes.IndexFunc(data, func(r rune) bool { return r >= utf8.RuneSelf || r == 0x1b })
	data = data[max(i-enough/4, 0):]
	return data[:min(len(data), enough)]
}

// wide is the byte order of UTF-16 without a mark: every other byte is zero in most scripts' spaces, digits and letters.
func wide(data []byte) string {
	sample := data[:min(len(data), 4096)]
	if len(data)%2 != 0 || len(sample) < 4 {
		return ""
	}
	var even, odd int
	for i := 0; i+1 < len(sample); i += 2 {
		if sample[i] == 0 {
			even++
		}
		if sample[i+1] == 0 {
			odd++
		}
	}
	pairs := len(sample) / 2
	switch {
	case odd > 0 && even == 0 && odd*10 >= pairs:
		return "utf-16le"
	case even > 0 && odd == 0 && even*10 >= pairs:
		return "utf-16be"
	}
	return ""
}
