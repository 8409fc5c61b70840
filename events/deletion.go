package events

import (
	"fmt"
	"slices"
	"time"

	"levada.dev/events/fault"
)

// DocumentRetired says that a generation of the document is one that nobody will ask for again, and that nobody has said yet
// that what was written for it is gone. Its generation is the newest there was.
type DocumentRetired struct{ DocumentRef }

// Type implements Fact.
func (DocumentRetired) Type() string { return TypeDocumentRetired }

// Identity implements Fact.
func (f DocumentRetired) Identity() string { return f.identity(0) + "." + f.JobID }

// Check implements Fact.
func (f DocumentRetired) Check() error { return f.DocumentRef.check() }

// DocumentDeleted says that no search shows the document any more, and what is to be erased of it: the vectors of these
// generations, and every text below the prefix that no later submission uses. Its generation is the newest there was.
type DocumentDeleted struct {
	DocumentRef
	Generations []Written `json:"generations"`
	TextPrefix  string    `json:"textPrefix"`
}

// Written is a generation that may have vectors.
type Written struct {
	Generation int      `json:"generation"`
	Chunks     int      `json:"chunks"`
	Model      string   `json:"model"`
	Also       []string `json:"also,omitempty"` // other models in whose spaces it may have them
}

// Models are all in whose spaces it may have vectors.
func (w Written) Models() []string { return append([]string{w.Model}, w.Also...) }

// Type implements Fact.
func (DocumentDeleted) Type() string { return TypeDocumentDeleted }

// Identity implements Fact.
func (f DocumentDeleted) Identity() string { return f.identity(0) + "." + f.JobID }

// Act implements Audited: whoever had it deleted, a request, a source or an import, is the cause.
func (f DocumentDeleted) Act() Act {
	return Act{Kind: ActDeletion, Name: "document.deleted", Target: f.Subject(), Outcome: OutcomeSucceeded}
}

// Check implements Fact.
func (f DocumentDeleted) Check() error {
	if f.TextPrefix == "" {
		return fault.Invalidf("textPrefix", "fact_invalid", "is required")
	}
	for i, g := range f.Generations {
		if g.Generation < 1 || g.Generation > f.Generation || g.Chunks < 1 || slices.Contains(g.Models(), "") {
			return fault.Invalidf(fmt.Sprintf("generations[%d]", i), "fact_invalid", "generation %d of %d with %d chunks", g.Generation, f.Generation, g.Chunks)
		}
	}
	return f.DocumentRef.check()
}

// DocumentErased is the receipt of an erasure: what was removed, and when nothing was left.
type DocumentErased struct {
	DocumentRef
	Generations int       `json:"generations"`
	Vectors     int       `json:"vectors"`
	Passages    int       `json:"passages,omitempty"` // of the lexical index
	Texts       int       `json:"texts"`
	CheckedAt   time.Time `json:"checkedAt"`
}

// Type implements Fact.
func (DocumentErased) Type() string { return TypeDocumentErased }

// Identity implements Fact.
func (f DocumentErased) Identity() string { return f.identity(0) + "." + f.JobID }

// Check implements Fact.
func (f DocumentErased) Check() error {
	if f.Generations < 0 || f.Vectors < 0 || f.Passages < 0 || f.Texts < 0 {
		return fault.Invalidf("vectors", "fact_invalid", "a count is below 0")
	}
	if f.CheckedAt.IsZero() {
		return fault.Invalidf("checkedAt", "fact_invalid", "is required")
	}
	return f.DocumentRef.check()
}
