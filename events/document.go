package events

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"levada.dev/events/fault"
)

// Types of the facts about documents.
const (
	TypeDocumentRequested = "dev.levada.document.requested.v1"
	TypeDocumentSubmitted = "dev.levada.document.submitted.v1"
	TypeDocumentChunked   = "dev.levada.document.chunked.v1"
	TypeChunksEmbedded    = "dev.levada.chunks.embedded.v1"
	TypeDocumentIndexed   = "dev.levada.document.indexed.v1"
	TypeDocumentFailed    = "dev.levada.document.failed.v1"
	TypeDocumentRetired   = "dev.levada.document.retired.v1"
	TypeDocumentDeleted   = "dev.levada.document.deleted.v1"
	TypeDocumentErased    = "dev.levada.document.erased.v1"
)

// DocumentRef names one generation of one document. Each submission of a document is a new generation, and
// work that arrives late for an old one is fenced out by this number.
type DocumentRef struct {
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
	JobID      string `json:"jobId"`
}

// Subject is the CloudEvents subject of every fact about the document.
func (r DocumentRef) Subject() string { return "documents/" + r.DocID }

func (r DocumentRef) identity(part int) string {
	return strconv.Itoa(r.Generation) + "." + strconv.Itoa(part)
}

func (r DocumentRef) check() error {
	switch {
	case r.DocID == "":
		return fault.Invalidf("docId", "fact_invalid", "is required")
	case r.Generation < 1:
		return fault.Invalidf("generation", "fact_invalid", "%d is below 1", r.Generation)
	case r.JobID == "":
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	}
	return nil
}

// About is what a document says of itself; it travels to the vector index, where searches filter on Metadata.
type About struct {
	Title    string         `json:"title,omitempty"`
	Source   string         `json:"source,omitempty"`
	URL      string         `json:"url,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Chunking is how a document is to be cut; zero values mean the embedder's own size.
type Chunking struct {
	MaxTokens     int `json:"maxTokens,omitempty"`
	OverlapTokens int `json:"overlapTokens,omitempty"`
}

func (c Chunking) check() error {
	if c.MaxTokens < 0 || c.OverlapTokens < 0 {
		return fault.Invalidf("chunking", "fact_invalid", "has a negative number of tokens")
	}
	return nil
}

// Fetch says where a document is to be had, and what the searchable generation of it was when it was fetched there.
type Fetch struct {
	URL      string    `json:"url"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	SHA256   string    `json:"sha256,omitempty"`
}

// DocumentRequested says that a document was accepted that is given by its address: it is to be fetched there, and a job follows it.
// Once it is stored, DocumentSubmitted says so.
type DocumentRequested struct {
	DocumentRef
	About
	ContentType string   `json:"contentType"`
	Model       string   `json:"model"` // the embedding model whose index takes the document
	Chunking    Chunking `json:"chunking,omitzero"`
	Fetch       Fetch    `json:"fetch"`
}

// Type implements Fact.
func (DocumentRequested) Type() string { return TypeDocumentRequested }

// Identity implements Fact.
func (f DocumentRequested) Identity() string { return f.identity(0) }

// Check implements Fact.
func (f DocumentRequested) Check() error {
	switch {
	case f.Fetch.URL == "":
		return fault.Invalidf("fetch.url", "fact_invalid", "is required")
	case f.ContentType == "":
		return fault.Invalidf("contentType", "fact_invalid", "is required")
	case f.Model == "":
		return fault.Invalidf("model", "fact_invalid", "is required")
	}
	if err := f.Chunking.check(); err != nil {
		return err
	}
	return f.DocumentRef.check()
}

// DocumentSubmitted says that a document is here: it is stored under TextKey, and a job follows it.
type DocumentSubmitted struct {
	DocumentRef
	About
	ContentType string   `json:"contentType"`
	TextKey     string   `json:"textKey"`
	Text        string   `json:"text,omitempty"` // a copy, when it is small enough to travel: it saves the handler a read
	Bytes       int      `json:"bytes"`
	SHA256      string   `json:"sha256"`
	Model       string   `json:"model"` // the embedding model whose index takes the document
	Chunking    Chunking `json:"chunking,omitzero"`
}

// Type implements Fact.
func (DocumentSubmitted) Type() string { return TypeDocumentSubmitted }

// Identity implements Fact.
func (f DocumentSubmitted) Identity() string { return f.identity(0) }

// Check implements Fact.
func (f DocumentSubmitted) Check() error {
	switch {
	case f.TextKey == "":
		return fault.Invalidf("textKey", "fact_invalid", "is required")
	case f.ContentType == "":
		return fault.Invalidf("contentType", "fact_invalid", "is required")
	case f.Model == "":
		return fault.Invalidf("model", "fact_invalid", "is required")
	case f.Bytes < 0:
		return fault.Invalidf("bytes", "fact_invalid", "%d is below 0", f.Bytes)
	}
	if err := f.Chunking.check(); err != nil {
		return err
	}
	return f.DocumentRef.check()
}

// Chunk is a piece of a document's text. Start and End are byte offsets into the stored UTF-8 text, so
// that the piece can be shown where it stands.
type Chunk struct {
	Index   int    `json:"index"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Text    string `json:"text"`
	Heading string `json:"heading,omitempty"` // the headings above it, outermost first: "Guide > Install"
}

// checkParts checks the chunks of a slice.
func checkParts(parts []Chunk) error {
	if len(parts) == 0 {
		return fault.Invalidf("parts", "fact_invalid", "is empty")
	}
	for i, c := range parts {
		if c.Index < 0 || c.Start < 0 || c.End < c.Start {
			return fault.Invalidf(fmt.Sprintf("parts[%d]", i), "fact_invalid", "chunk %d from byte %d to %d", c.Index, c.Start, c.End)
		}
	}
	return nil
}

// Slice says which part of a document's chunks a fact carries. A document is cut into slices so that one
// event stays small; the document is done when all of its slices are.
type Slice struct {
	Slice  int `json:"slice"`  // 0-based
	Slices int `json:"slices"` // how many there are
	Chunks int `json:"chunks"` // chunks in the whole document
}

func (s Slice) checkSlice() error {
	if s.Slices < 1 || s.Slice < 0 || s.Slice >= s.Slices || s.Chunks < s.Slices {
		return fault.Invalidf("slice", "fact_invalid", "slice %d of %d with %d chunks", s.Slice, s.Slices, s.Chunks)
	}
	return nil
}

// DocumentChunked carries one slice of a document's chunks, ready to be embedded.
type DocumentChunked struct {
	DocumentRef
	About
	Slice
	Model string  `json:"model"`
	Parts []Chunk `json:"parts"`
}

// Type implements Fact.
func (DocumentChunked) Type() string { return TypeDocumentChunked }

// Identity implements Fact.
func (f DocumentChunked) Identity() string { return f.identity(f.Slice.Slice) }

// Check implements Fact.
func (f DocumentChunked) Check() error {
	if err := checkParts(f.Parts); err != nil {
		return err
	}
	if f.Model == "" {
		return fault.Invalidf("model", "fact_invalid", "is required")
	}
	if err := f.checkSlice(); err != nil {
		return err
	}
	return f.DocumentRef.check()
}

// ChunksEmbedded carries the same slice with its vectors.
type ChunksEmbedded struct {
	DocumentRef
	About
	Slice
	Model      string  `json:"model"`
	Dimensions int     `json:"dimensions"`
	Tokens     int64   `json:"tokens,omitempty"` // what the model took for the slice: its share of the calls it was in
	Parts      []Chunk `json:"parts"`
	Vectors    []byte  `json:"vectors"` // little-endian float32, Dimensions of them for each part, base64 in JSON
}

// PackVectors writes vectors as ChunksEmbedded carries them.
func PackVectors(vectors [][]float32) []byte {
	var b []byte
	for i, v := range vectors {
		b = slices.Grow(b, 4*len(v)*(len(vectors)-i))
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	}
	return b
}

// Vector is that of a part of a fact that passed its Check.
func (f ChunksEmbedded) Vector(part int) []float32 {
	v := make([]float32, f.Dimensions)
	packed := f.Vectors[4*f.Dimensions*part:]
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
	}
	return v
}

// Type implements Fact.
func (ChunksEmbedded) Type() string { return TypeChunksEmbedded }

// Identity implements Fact.
func (f ChunksEmbedded) Identity() string { return f.identity(f.Slice.Slice) }

// Check implements Fact.
func (f ChunksEmbedded) Check() error {
	if err := checkParts(f.Parts); err != nil {
		return err
	}
	if f.Dimensions < 1 || len(f.Vectors) != 4*f.Dimensions*len(f.Parts) {
		return fault.Invalidf("vectors", "fact_invalid", "%d bytes for %d parts of %d dimensions", len(f.Vectors), len(f.Parts), f.Dimensions)
	}
	if f.Model == "" {
		return fault.Invalidf("model", "fact_invalid", "is required")
	}
	if f.Tokens < 0 {
		return fault.Invalidf("tokens", "fact_invalid", "%d is below 0", f.Tokens)
	}
	if err := f.checkSlice(); err != nil {
		return err
	}
	return f.DocumentRef.check()
}

// DocumentIndexed says that every chunk of the generation is in the index and that searches now find it.
type DocumentIndexed struct {
	DocumentRef
	Chunks int    `json:"chunks"`
	Model  string `json:"model"`
}

// Type implements Fact.
func (DocumentIndexed) Type() string { return TypeDocumentIndexed }

// Identity implements Fact.
func (f DocumentIndexed) Identity() string { return f.identity(0) }

// Check implements Fact.
func (f DocumentIndexed) Check() error {
	if f.Model == "" {
		return fault.Invalidf("model", "fact_invalid", "is required")
	}
	if f.Chunks < 0 {
		return fault.Invalidf("chunks", "fact_invalid", "%d is below 0", f.Chunks)
	}
	return f.DocumentRef.check()
}

// DocumentFailed says that the generation will not become searchable, and why.
type DocumentFailed struct {
	DocumentRef
	Stage    string `json:"stage"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Attempts int    `json:"attempts"`
}

// Type implements Fact.
func (DocumentFailed) Type() string { return TypeDocumentFailed }

// Identity implements Fact.
func (f DocumentFailed) Identity() string { return fmt.Sprintf("%s.%s", f.identity(0), f.Stage) }

// Check implements Fact.
func (f DocumentFailed) Check() error {
	if f.Stage == "" || f.Code == "" {
		return fault.Invalidf("stage", "fact_invalid", "stage and code are required")
	}
	if f.Attempts < 0 {
		return fault.Invalidf("attempts", "fact_invalid", "%d is below 0", f.Attempts)
	}
	return f.DocumentRef.check()
}
