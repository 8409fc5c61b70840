package corpus

import "levada.dev/events"

// Draft is a document as a producer hands it in: checked in form, its text in memory, nothing stored yet.
type Draft struct {
	DocID       string // empty: the intake names the document
	Text        []byte // UTF-8
	ContentType string // media type without parameters: "text/markdown"
	About       events.About
	Chunking    events.Chunking
	Model       string // the embedding model of the tenant
	Cause       events.Cause
	RequestHash string // of the request, when it came with an idempotency key
}
