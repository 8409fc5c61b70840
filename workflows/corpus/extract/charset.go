package extract

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
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
		if noText(data) {
			return nil, "", broken(corpus.Plain, errors.New("its bytes are not those of a text"))
		}
		e, name = detect(data)
	}
	if text = data; name != utf8Name {
		if text, err = e.NewDecoder().Bytes(data); err != nil {
			return nil, name, broken(corpus.Plain, fmt.Errorf("decode %s: %w", name, err))
		}
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

// named is how a page, or XML, says which encoding it is in.
var named = regexp.MustCompile(`(?i)<(?:meta\b[^>]*?charset|\?xml\b[^>]*?encoding)\s*=\s*["']?\s*([a-z0-9_:.-]+)`)

// inHead is the encoding that a page names in its first kilobyte. One that could be read so far is no UTF-16, whatever it says.
func inHead(data []byte) (encoding.Encoding, string) {
	head := data[:min(len(data), sniffed)]
	found := named.FindSubmatch(head)
	if found == nil || bytes.IndexByte(head, 0) >= 0 {
		return nil, ""
	}
	e, name := charset.Lookup(string(found[1]))
	if strings.HasPrefix(name, "utf-16") {
		return encoding.Nop, utf8Name
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

// noText reports whether bytes are no text in any encoding: too many of them are control characters. A few are in many a text, zeros between
// records and shifts among letters of another script in more.
func noText(data []byte) bool {
	if utf8.Valid(data) || wide(data) != "" {
		return false
	}
	sample, n := data[:min(len(data), 64<<10)], 0
	for _, c := range sample {
		if control(c) && c != 0 && c != 0x0e && c != 0x0f && c != 0x1b {
			n++
		}
	}
	return n >= 8 && n*32 > len(sample)
}

// telling is the part of a text that says most about its encoding: what stands around the bytes that are not ASCII, and, where
// that is written in escape sequences, all behind the first of them.
func telling(data []byte) []byte {
	const before, after, enough = 12, 48, 64 << 10
	if i := bytes.IndexByte(data, 0x1b); i >= 0 && utf8.Valid(data) {
		return data[i:min(len(data), i+enough)]
	}
	var out []byte
	from, to := 0, 0 // the part that is being gathered
	for i, c := range data {
		if c < utf8.RuneSelf {
			continue
		}
		if i-before > to {
			if out = append(out, data[from:to]...); len(out) > enough {
				break
			}
			from = i - before
		}
		to = min(i+after, len(data))
		if to-from > enough {
			break
		}
	}
	return append(out, data[from:to]...)
}

// wide is the byte order of UTF-16 without a mark: every other byte is zero in most scripts' spaces, digits and letters. No
// text has control characters.
func wide(data []byte) string {
	sample := data[:min(len(data), 4096)]
	if len(data)%2 != 0 || len(sample) < 4 {
		return ""
	}
	var even, odd int
	for i := 0; i+1 < len(sample); i += 2 {
		a, b := sample[i], sample[i+1]
		if a == 0 {
			even++
		}
		if b == 0 {
			odd++
		}
		if (a == 0 || b == 0) && control(a|b) {
			return ""
		}
	}
	pairs := len(sample) / 2
	if zeros := even + odd; zeros*5 < pairs*2 && !slices.ContainsFunc(sample, func(c byte) bool { return c >= utf8.RuneSelf || c != 0 && control(c) }) {
		return "" // ASCII with zeros in it: what has other letters than ASCII's in UTF-16 has other bytes, too
	}
	switch {
	case odd > 0 && even == 0 && odd*10 >= pairs:
		return "utf-16le"
	case even > 0 && odd == 0 && even*10 >= pairs:
		return "utf-16be"
	}
	return ""
}
