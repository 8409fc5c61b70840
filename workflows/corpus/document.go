package corpus

import (
	"time"

	"levada.dev/events"
	"levada.dev/workflows/job"
)

// Stage is one step on a document's way.
type Stage string

// The stages, in order. Retire comes after the last: what was written for a generation that lost its place is gone. Erase is
// what follows a deletion.
const (
	StageSubmit Stage = "submit"
	StageFetch  Stage = "fetch" // of documents that are given by their address
	StageChunk  Stage = "chunk"
	StageEmbed  Stage = "embed"
	StageIndex  Stage = "index"
	StageRetire Stage = "retire"
	StageErase  Stage = "erase"
)

// State is where a generation of a document stands, and the document with its newest.
type State string

// The states. From indexed on they are final for a generation, but that another may replace one that was indexed. Deleted is
// the state of a document that has no generation any more.
const (
	Submitted State = "submitted"
	Chunked   State = "chunked"
	Indexed   State = "indexed"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Replaced  State = "replaced"
	Deleted   State = "deleted"
)

// States are all of them.
var States = []State{Submitted, Chunked, Indexed, Failed, Cancelled, Replaced, Deleted}

// OnItsWay reports whether work for a generation in this state goes on.
func (s State) OnItsWay() bool { return s == Submitted || s == Chunked }

// Document is what the ledger knows of one document. Unless it says otherwise it is the newest generation's.
type Document struct {
	ID string `json:"docId"`
	events.About
	ContentType string         `json:"contentType"`
	State       State          `json:"state"`
	Generation  int            `json:"generation"`    // the newest submitted
	Searchable  int            `json:"searchable"`    // the generation that searches show; 0 when none
	Why         *NotSearchable `json:"notSearchable"` // nil when the newest generation is what searches show
	Model       string         `json:"model"`
	Bytes       int            `json:"bytes"`
	SHA256      string         `json:"sha256"`
	TextKey     string         `json:"-"`
	Derived     *Derived       `json:"-"` // where the chunks are, when the document is not text itself
	Chunks      int            `json:"chunks"`
	Cost        job.Cost       `json:"cost"` // of what is in the index
	Stages      []StageTimes   `json:"stages"`
	Versions    []Version      `json:"versions"` // newest first, at most MaxVersions
	JobID       string         `json:"jobId"`
	ImportID    string         `json:"importId,omitempty"` // of the import that it came with
	CreatedAt   time.Time      `json:"createdAt"`
	UpdatedAt   time.Time      `json:"updatedAt"`
}

// MaxVersions is how many versions of a document are remembered.
const MaxVersions = 10

// StageTimes is when a stage of the newest generation ended and what it took.
type StageTimes struct {
	Stage    Stage     `json:"stage"`
	At       time.Time `json:"at"`
	Done     int       `json:"done"`  // slices
	Total    int       `json:"total"` // slices
	Attempts int       `json:"attempts,omitempty"`
	Error    string    `json:"error,omitempty"`
}
