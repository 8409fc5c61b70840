package corpus

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Derived is the text that was taken out of a document which is not text itself. Its chunks point into it.
type Derived struct {
	TextKey     string `json:"textKey"`
	ContentType string `json:"contentType"`
	SHA256      string `json:"sha256"`
	Bytes       int    `json:"bytes"`
	Title       string `json:"title,omitempty"` // that the document gives itself
}

// Original is a document that was fetched.
type Original struct {
	TextKey     string    `json:"textKey"`
	ContentType string    `json:"contentType"`
	SHA256      string    `json:"sha256"`
	Bytes       int       `json:"bytes"`
	ETag        string    `json:"etag,omitempty"`
	Modified    time.Time `json:"modified,omitzero"`
}

// DerivedKey is where a text that was taken out of a document is stored: below the document's own key. It derives from the
// text, so that storing it twice makes one object.
func DerivedKey(textKey, sum string) string { return textKey + "/" + sum }

// Sum is the SHA-256 of a text, in hexadecimal.
func Sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}
