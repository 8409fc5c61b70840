package load

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxDocID is how long a document's id may be.
const maxDocID = 200

// DocID makes a document's id of a path: the path itself where it can be one. Another one has what an id cannot hold
// replaced and ends in a digest of the path, so that no two paths have one id and a path always has the same.
func DocID(path string) string {
	var b strings.Builder
	for _, r := range path {
		switch {
		case letterOrDigit(r):
			b.WriteRune(r)
		case b.Len() == 0: // an id does not begin with it
		case r < 0x80 && strings.ContainsRune("._~:/@+=,-", r):
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	id := b.String()
	if id == path && id != "" && len(id) <= maxDocID {
		return id
	}
	sum := sha256.Sum256([]byte(path))
	digest := "~" + hex.EncodeToString(sum[:5])
	if over := len(id) + len(digest) - maxDocID; over > 0 {
		id = id[over:] // the end of a path says more than its beginning
	}
	id = strings.TrimLeft(id, "._~:/@+=,-")
	if id == "" {
		id = "file"
	}
	return id + digest
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
