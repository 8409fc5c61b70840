package corpus

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// MaxMetadata is how long the JSON of a vector's metadata may be:
// https://developers.cloudflare.com/vectorize/platform/limits/.
const MaxMetadata = 10 << 10

// FitMetadata cuts the text of m so that the index takes it, between words where it can, and marks that in Cut. When
// the rest leaves no room at all the headings go, too. It fails with fault.Invalid, code metadata_too_large, when
// the document's own fields alone are too large; intake keeps them below that.
func FitMetadata(m Metadata) (Metadata, error) {
	size, err := metadataSize(m)
	if err != nil || size <= MaxMetadata {
		return m, err
	}
	text := m.Text
	m.Text, m.Cut = "", true
	if size, err = metadataSize(m); err == nil && size > MaxMetadata/2 {
		m.Heading = ""
		size, err = metadataSize(m)
	}
	if err != nil {
		return m, err
	}
	if size > MaxMetadata {
		return m, fault.Invalidf("metadata", "metadata_too_large", "%d bytes with a document's own fields, of %d", size, MaxMetadata)
	}
	m.Text = firstWords(text, MaxMetadata-size)
	return m, nil
}

func metadataSize(m Metadata) (int, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return 0, fault.New(fault.Invalid, "metadata_invalid", "the metadata is not JSON", err)
	}
	return len(b), nil
}

// firstWords is the beginning of s whose JSON fits into n bytes.
func firstWords(s string, n int) string {
	end := 0
	for i, r := range s {
		if n -= EncodedLen(s[i : i+utf8.RuneLen(r)]); n < 0 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	if space := strings.LastIndexAny(s[:end], " \n\t"); space > end*3/4 {
		end = space
	}
	return s[:end]
}

// EncodedLen is how many bytes valid UTF-8 takes inside a JSON string as encoding/json writes it.
func EncodedLen(s string) int {
	n := len(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f':
			n++
		case c < 0x20 || c == '<' || c == '>' || c == '&':
			n += 5
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&0xFE == 0xA8: // U+2028 and U+2029
			n += 3
		}
	}
	return n
}
