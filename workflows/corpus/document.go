package corpus

import (
	"time"

	"levada.dev/events"
)

// Stage is one step on a document's way.
type Stage string

// The stages, in order. Retire comes after the last: the vectors of a generation that lost its place are gone.
const (
	StageSubmit Stage = "submit"
	StageChunk  Stage = "chunk"
	StageEmbed  Stage = "embed"
	StageIndex  Stage = "index"
	StageRetire Stage = "retire"
)

// State is where the newest generation of a document stands.
type State string

// The states. Indexed and failed are final for a generation.
const (
	Submitted State = "submitted"
	Chunked   State = "chunked"
	Indexed   State = "indexed"
	Failed    State = "failed"
)

// Document is what the ledger knows of one document.
type Document struct {
	ID string `json:"docId"`
	events.About
	ContentType string       `json:"contentType"`
	State       State        `json:"state"`
	Generation  int          `json:"generation"`       // the newest submitted
	Searchable  int          `json:"searchable"`       // the generation that searches show; 0 when none
	Reason      string       `json:"reason,omitempty"` // why the newest generation is not searchable
	Model       string       `json:"model"`
	Bytes       int          `json:"bytes"`
	SHA256      string       `json:"sha256"`
	TextKey     string       `json:"-"`
	Chunks      int          `json:"chunks"`
	Stages      []StageTimes `json:"stages"`
	JobID       string       `json:"jobId"`
	CreatedAt   time.Time    `json:"createdAt"`
	UpdatedAt   time.Time    `json:"updatedAt"`
}

// StageTimes is when a stage of the newest generation ended and what it took.
type StageTimes struct {
	Stage    Stage     `json:"stage"`
	At       time.Time `json:"at"`
	Done     int       `json:"done"`  // slices
	Total    int       `json:"total"` // slices
	Attempts int       `json:"attempts,omitempty"`
	Error    string    `json:"error,omitempty"`
}
