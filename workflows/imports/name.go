package imports

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// maxName is how long a document's id may be.
const maxName = 200

// DocID is the id of the document that comes from an address or a file. It is the same each time, so the document that is there already
// is replaced, and it is the name itself as far as an id may hold it: what may not stand in one is left out, and then a hash of the
// whole makes it unique again.
func DocID(name string) string {
	var b strings.Builder
	changed := false
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9', b.Len() > 0 && strings.IndexByte("._~:/@+=,-", c) >= 0:
			b.WriteByte(c)
		case b.Len() > 0 && c < 0x80:
			b.WriteByte('-')
			changed = true
		default:
			changed = true
		}
	}
	if !changed && b.Len() > 0 && b.Len() <= maxName {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	tail := "~" + base64.RawURLEncoding.EncodeToString(sum[:12])
	tail = strings.ReplaceAll(tail, "_", "=")
	head := b.String()
	if head == "" {
		head = "x"
	}
	return head[:min(len(head), maxName-len(tail))] + tail
}

// Named is the id that a document of a tenant's source has: below the source's prefix, if it has one. An id that is another source's is
// fault.Conflict, code doc_id_taken. A source that the tenant's config does not know takes the ids as they are.
func Named(c *tenants.Config, source, id string) (string, error) {
	s, known := c.Source(source)
	if !known {
		return id, nil
	}
	if s.IDPrefix != "" {
		return DocID(s.IDPrefix + id), nil
	}
	if other, taken := c.SourceOf(id); taken {
		return "", fault.New(fault.Conflict, "doc_id_taken", fmt.Sprintf("ids that begin with %q are those of the source %q", other.IDPrefix, other.ID), nil).
			WithHint("give the source an idPrefix of its own")
	}
	return id, nil
}

// contentTypes are those of files by the ends of their names, where the store does not say.
var contentTypes = map[string]string{
	".txt": "text/plain", ".text": "text/plain", ".log": "text/plain", ".rst": "text/plain",
	".md": "text/markdown", ".markdown": "text/markdown", ".mdx": "text/markdown",
	".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml",
	".json": "application/json", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".csv": "text/csv", ".tsv": "text/tab-separated-values",
	".pdf": "application/pdf", ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

// contentType is what a file holds: what the store says, unless that is nothing in particular.
func contentType(f File) string {
	switch f.ContentType {
	case "", corpus.OctetStream, "binary/octet-stream":
		if byName, ok := contentTypes[strings.ToLower(path.Ext(f.Name))]; ok {
			return byName
		}
		return corpus.OctetStream // it is looked at
	}
	return f.ContentType
}
