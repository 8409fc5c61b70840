package rag

import (
	"strconv"
	"time"
)

// Result is what a search found, best first.
type Result struct {
	Sources []Source
	Timings Timings
}

// Source is one chunk that answers the question, and where it stands in its document.
type Source struct {
	DocID   string  `json:"docId"`
	ChunkID string  `json:"chunkId"` // "<docId>#<chunk>"
	Title   string  `json:"title"`
	Source  string  `json:"source"`
	URL     string  `json:"url,omitempty"`
	Text    string  `json:"text"`
	Start   int     `json:"start"` // byte offsets into the document's stored text
	End     int     `json:"end"`
	Score   float64 `json:"score"`
	Scores  Scores  `json:"scores"`

	chunk int
}

// Scores are the parts a source's score is made of.
type Scores struct {
	Vector float64 `json:"vector"` // cosine similarity
}

// Timings is how long each stage of a search took.
type Timings struct {
	Embed   time.Duration
	Vectors time.Duration
	Ledger  time.Duration
	Total   time.Duration
}

// MarshalJSON writes the timings as milliseconds.
func (t Timings) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 96)
	for i, stage := range []struct {
		name string
		d    time.Duration
	}{{`{"embedMs":`, t.Embed}, {`"vectorsMs":`, t.Vectors}, {`"ledgerMs":`, t.Ledger}, {`"totalMs":`, t.Total}} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, stage.name...)
		b = strconv.AppendFloat(b, float64(stage.d.Microseconds())/1000, 'f', -1, 64)
	}
	return append(b, '}'), nil
}

// ChunkID is the name by which clients know a chunk. It stays the same as long as the document's text does.
func ChunkID(docID string, chunk int) string { return docID + "#" + strconv.Itoa(chunk) }
