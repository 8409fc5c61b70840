package transfer

import (
	"bytes"
	"encoding/json"
	"time"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
)

// Card is what another pool has to know of a document, beside its text. It is of the generation that searches show, or of the newest if that is on its
// way or there is no other; a document that was deleted or cancelled has none.
type Card struct {
	DocID string `json:"docId"`
	events.About
	ContentType string          `json:"contentType"`
	Chunking    events.Chunking `json:"chunking,omitzero"`
	Bytes       int             `json:"bytes"`
	SHA256      string          `json:"sha256"` // of what was submitted or fetched; "" of what was not to be had at its address
	Fetched     *corpus.Visit   `json:"fetched,omitempty"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`

	Searchable bool   `json:"searchable"`
	OnItsWay   bool   `json:"onItsWay,omitempty"` // a newer generation, or this one
	Failed     string `json:"failed,omitempty"`   // the code, of one that is not searchable
	Moved      bool   `json:"moved,omitempty"`    // it came from another pool, and was not submitted since
	Tokens     int64  `json:"tokens,omitempty"`   // that were embedded

	TextKey string `json:"textKey,omitempty"` // inside of a pool
}

// Same reports whether two cards are of the same document: content and description, and how it is cut.
func (c Card) Same(other Card) bool {
	if c.DocID != other.DocID || c.Chunking != other.Chunking {
		return false
	}
	fetched := c.SHA256 != "" && other.SHA256 != "" // else it is fetched where it goes to, and may be there by now
	if fetched && (c.SHA256 != other.SHA256 || c.ContentType != other.ContentType) {
		return false
	}
	is, err := json.Marshal(c.About)
	want, err2 := json.Marshal(other.About)
	return err == nil && err2 == nil && bytes.Equal(is, want)
}
