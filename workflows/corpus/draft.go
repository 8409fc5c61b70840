package corpus

import "levada.dev/events"

// Draft is a document as a producer hands it to the intake: nothing is stored yet, and what it says has not been
// checked.
type Draft struct {
	DocID       string // empty: the intake names the document
	JobID       string // empty: the intake names the job
	Text        []byte // or any other format's bytes
	ContentType string // "text/markdown"; of a document that is fetched, what it is whatever the server says
	Fetch       string // where the document is to be had, instead of Text
	About       events.About
	Chunking    events.Chunking
	Model       string       // the embedding model of the tenant
	Cause       events.Cause // the request, with its idempotency key if it has one
	MaxBytes    int64        // the tenant's limit for a text; 0 for none
	Pace        Pace

	// KeyAlone says that the idempotency key alone tells which requests are the same, whatever else they say.
	KeyAlone bool
}
