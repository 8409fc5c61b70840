package corpus

import (
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/address"
)

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
	Moved       *Moved `json:",omitempty"` // of a document that is brought from another pool

	// Rules say where documents of the tenant may be fetched from, for a door that tells at once what is not allowed; nil: it is
	// told when the document is fetched.
	Rules *address.Rules `json:"-"`

	// KeyAlone says that the idempotency key alone tells which requests are the same, whatever else they say.
	KeyAlone bool
}

// RulesOf are the rules of fetching that a tenant's configuration sets.
func RulesOf(c *tenants.Config) *address.Rules {
	return &address.Rules{Hosts: c.Ingest.Fetch.Hosts, Private: c.Ingest.Fetch.Private}
}
