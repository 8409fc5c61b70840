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

// Final reports whether the job will not change again.
func (s State) Final() bool { return s == Succeeded || s == Failed || s == Cancelled }

// Job is one piece of long work.
type Job struct {
	ID        string    `json:"jobId"`
	Kind      string    `json:"kind"` // "ingest"
	State     State     `json:"state"`
	Stage     string    `json:"stage,omitempty"` // what it is at: "chunk", "embed", "index"
	DocID     string    `json:"docId,omitempty"` // of an ingest job
	Counts    Counts    `json:"counts"`
	Percent   int       `json:"percent"`
	Errors    []Problem `json:"errors,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Counts says how much there is to do and how much is done, in the job's own unit (slices of a document).
type Counts struct {
	Total  int `json:"total"`
	Done   int `json:"done"`
	Failed int `json:"failed"`
}

// Problem is something that went wrong on the way.
type Problem struct {
	Stage   string    `json:"stage"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
	At      time.Time `json:"at"`
}
