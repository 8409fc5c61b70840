package job

import "time"

// State is where a job stands. The last three are final.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// States are all of them.
var States = []State{Queued, Running, Succeeded, Failed, Cancelled}

// Final reports whether the job will not change again.
func (s State) Final() bool { return s == Succeeded || s == Failed || s == Cancelled }

// Job is one piece of long work.
type Job struct {
	ID        string    `json:"jobId"`
	Kind      Kind      `json:"kind"`
	State     State     `json:"state"`
	Stage     string    `json:"stage,omitempty"`     // what it is at: "chunk", "embed", "index"
	DocID     string    `json:"docId,omitempty"`     // of a job about one document
	ImportID  string    `json:"importId,omitempty"`  // the job of the import that the document came with
	Source    string    `json:"source,omitempty"`    // the source that an import belongs to
	Of        *Origin   `json:"of,omitempty"`        // what an import is of
	Model     string    `json:"model,omitempty"`     // the embedding model whose space a job fills, or empties
	Unchanged bool      `json:"unchanged,omitempty"` // there was nothing to do: the same document is searchable
	Counts    Counts    `json:"counts"`
	Percent   int       `json:"percent"`
	Cost      *Cost     `json:"cost,omitempty"`
	Errors    []Problem `json:"errors,omitempty"` // of an import: the first ones
	Note      *Problem  `json:"note,omitempty"`   // what is odd about a job that has not failed
	Erasure   *Erasure  `json:"receipt,omitempty"`
	Transfer  *Transfer `json:"transfer,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Origin is what an import is of.
type Origin struct {
	Kind   string `json:"kind"`             // batch, urls, sitemap, prefix
	URL    string `json:"url,omitempty"`    // the sitemap's, or the first of the addresses
	Prefix string `json:"prefix,omitempty"` // of the tenant's files
}

// FoundNothing is the code of the note on an import that has ended well with no document at all.
const FoundNothing = "import_found_nothing"

// Kind is what a job is about.
type Kind string

// The kinds.
const (
	Ingest Kind = "ingest" // a document; its unit is the slice
	Import Kind = "import" // many documents; its unit is the document
	Erase  Kind = "erase"  // the removal of a document, or of everything; its unit is what is removed
	// Reembed is the move to another embedding model, or the removal of what is in a model's space; its unit is the document.
	Reembed Kind = "reembed"
	// Move brings a tenant here from another pool; its unit is the document.
	Move Kind = "move"
)

// Kinds are all of them.
var Kinds = []Kind{Ingest, Import, Erase, Reembed, Move}

// Counts says how much there is to do and how much is done, in the job's own unit.
type Counts struct {
	Total     int `json:"total"` // of an import: as far as is known
	Done      int `json:"done"`
	Failed    int `json:"failed"`
	Unchanged int `json:"unchanged,omitempty"` // of Done: there was nothing to do
	Refused   int `json:"refused,omitempty"`   // of Failed: entries that are no document
	Cancelled int `json:"cancelled,omitempty"`
}

// Cost is what the models took for it.
type Cost struct {
	Tokens int64 `json:"tokens"`
	Chars  int64 `json:"characters,omitempty"` // of texts that were spoken
	Nanos  int64 `json:"nanoUSD"`
}

// Erasure is the receipt of an erasure: what was found, what was removed, and that it was looked for afterwards.
type Erasure struct {
	DocID       string    `json:"docId,omitempty"`
	Generations int       `json:"generations"`
	Vectors     int       `json:"vectors"`  // removed
	Passages    int       `json:"passages"` // removed from the lexical index
	Texts       int       `json:"texts"`    // removed from the store
	Remaining   int       `json:"remaining"`
	CheckedAt   time.Time `json:"checkedAt,omitzero"` // none before the stores were asked
	Stores      []Store   `json:"stores,omitempty"`   // of the erasure of everything: store by store
}

// Store is what an erasure has removed of one store. What a step removed that died before it could say so is not counted, and
// what a store still showed after it was removed is counted again.
type Store struct {
	Name      string `json:"name"`
	Removed   int    `json:"removed"`
	Remaining int    `json:"remaining"` // when it was asked for the last time
}

// Transfer is what a run that brings a tenant here has found and done.
type Transfer struct {
	From     string `json:"from"`
	Last     bool   `json:"last,omitempty"`     // the source took no changes any more
	Found    int    `json:"documents"`          // at the source
	Bytes    int64  `json:"bytes"`              // of them
	Same     int    `json:"same"`               // were here already
	Brought  int    `json:"brought"`            // were fetched
	Deleted  int    `json:"deleted"`            // are not at the source any more
	ImportID string `json:"importId,omitempty"` // of the import that takes in what was fetched
	Used     *Cost  `json:"used,omitempty"`     // of this month's budgets, at the source: it counts here
	// Digest is over ids and contents of all documents of the source, in their order; verified says that those here have the same.
	Digest   string `json:"digest,omitempty"`
	Verified bool   `json:"verified,omitempty"`
	Talks    *Talks `json:"sessions,omitempty"` // once conversations have been looked at
}

// Talks is what such a run has found and done of conversations.
type Talks struct {
	Found   int    `json:"found"`             // at the source
	Same    int    `json:"same"`              // are here as they are there
	Brought int    `json:"brought"`           // were fetched, or what is new of them
	Deleted int    `json:"deleted"`           // are not at the source any more
	Talking int    `json:"talking,omitempty"` // a turn was running, or had just ended: they come with the next run
	Digest  string `json:"digest,omitempty"`  // over ids and versions of all sessions of the source, in their order
}

// Problem is something that went wrong on the way.
type Problem struct {
	Stage   string    `json:"stage,omitempty"`
	Line    int       `json:"line,omitempty"`  // of an import's entry: where it stood, from 1
	DocID   string    `json:"docId,omitempty"` // of an import's document
	Field   string    `json:"field,omitempty"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"` // the next step; only in answers
	At      time.Time `json:"at,omitzero"`
}
