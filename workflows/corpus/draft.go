package corpus

import "levada.dev/events"

// Draft is a document as a producer hands it to the intake: nothing is stored yet, and what it says has not been
// checked.
type Draft struct {
	DocID       string // empty: the intake names the document
	JobID       string // empty: the intake names the job
	Text        []byte
	ContentType string // "text/markdown"
	About       events.About
	Chunking    events.Chunking
	Model       string       // the embedding model of the tenant
	Cause       events.Cause // the request, with its idempotency key if it has one
	MaxBytes    int64        // the tenant's limit for a text; 0 for none
	Pace        Pace
}
