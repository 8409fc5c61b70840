package book

import (
	"math/bits"
	"time"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
)

// generation is one submission of a document, as its row keeps it. A generation that is retired, and nobody will ask
// for again, keeps only its number, model and chunk count, and what is to be removed with it.
type generation struct {
	Number      int             `json:"n"`
	State       corpus.State    `json:"st,omitempty"`
	JobID       string          `json:"job,omitempty"`
	Model       string          `json:"model"`        // of the space that it is made in
	Epoch       int             `json:"ep,omitempty"` // of that space then
	Others      []space         `json:"o,omitempty"`  // other spaces that it is in, or was taken for; see spaces
	About       *events.About   `json:"about,omitempty"`
	ContentType string          `json:"ct,omitempty"`
	Chunking    events.Chunking `json:"ck,omitzero"`
	ImportID    string          `json:"im,omitempty"`
	Line        int             `json:"ln,omitempty"` // of the import's entry
	Moved       bool            `json:"mv,omitempty"` // it came from another pool, with the document's times
	TextKey     string          `json:"key,omitempty"`
	SHA256      string          `json:"sha,omitempty"`
	Bytes       int             `json:"b,omitempty"`
	Chunks      int             `json:"c,omitempty"`
	Slices      int             `json:"sl,omitempty"`
	Done        bitmap          `json:"done,omitempty"`
	Fetch       *fetch          `json:"fe,omitempty"`
	Derived     *corpus.Derived `json:"dv,omitempty"`
	Submitted   int64           `json:"ts,omitempty"` // Unix milliseconds, like all times here
	Chunked     int64           `json:"tc,omitempty"`
	Embedded    int64           `json:"te,omitempty"`
	Indexed     int64           `json:"ti,omitempty"`
	Attempts    map[string]int  `json:"at,omitempty"` // by stage, where more than one was needed
	Tokens      int64           `json:"tk,omitempty"` // of the slices that are in
	Nanos       int64           `json:"na,omitempty"` // what those cost
	Units       int             `json:"un,omitempty"` // of the window, until they are given back; see turns
	Place       *place          `json:"pl,omitempty"` // where it waits, or waited
	Resent      int             `json:"rs,omitempty"` // how often it was sent again
	Trace       string          `json:"tp,omitempty"` // traceparent of its submission
	Failure     *failure        `json:"f,omitempty"`  // why it has ended without being searchable
	Note        *failure        `json:"w,omitempty"`  // what failed last and is tried again
	Retired     bool            `json:"r,omitempty"`  // what was written for it is to be removed
	Texts       []string        `json:"tx,omitempty"` // of one that is not whole: its texts, which are to be removed
	Stray       bool            `json:"sy,omitempty"` // there may be others
}

type failure struct {
	Stage    corpus.Stage `json:"s"`
	Code     string       `json:"c"`
	Message  string       `json:"m,omitempty"`
	Attempts int          `json:"n,omitempty"`
	At       int64        `json:"t"`
	Next     int64        `json:"nx,omitempty"` // of a note: when it is tried again
}

// live reports whether work for the generation still counts.
func (g *generation) live() bool {
	return !g.Retired && (g.State.OnItsWay() || g.State == corpus.Indexed)
}

// cause is that of what follows from nothing but its submission.
func (g *generation) cause() events.Cause {
	return events.Cause{ID: g.JobID, TraceParent: g.Trace}
}

// whole reports whether all is kept that was known of the generation.
func (g *generation) whole() bool { return g.JobID != "" }

// stage is what a generation on its way is at, and since when.
func (g *generation) stage() (corpus.Stage, time.Time) {
	switch {
	case len(g.Done) > 0:
		return corpus.StageIndex, at(max(g.Submitted, g.Chunked, g.Indexed))
	case g.Slices > 0:
		return corpus.StageEmbed, at(max(g.Submitted, g.Chunked))
	case g.toFetch():
		return corpus.StageFetch, at(g.Submitted)
	case g.Fetch != nil:
		return corpus.StageChunk, at(g.Fetch.At)
	}
	return corpus.StageChunk, at(g.Submitted)
}

// full reports whether every slice is in.
func (g *generation) full() bool { return g.Slices > 0 && g.Done.count() == g.Slices }

// percent is how far it got: the slices that are in, 99 at most until it is searchable.
func (g *generation) percent() int {
	switch {
	case g.State == corpus.Indexed:
		return 100
	case g.Slices == 0:
		return 0
	}
	return min(99, 100*g.Done.count()/g.Slices)
}

func (g *generation) attempts(stage corpus.Stage, n int) (changed bool) {
	if n <= max(1, g.Attempts[string(stage)]) {
		return false
	}
	if g.Attempts == nil {
		g.Attempts = map[string]int{}
	}
	g.Attempts[string(stage)] = n
	return true
}

// stages tells when the stages ended and what they took, in order, as far as it got.
func (g *generation) stages() []corpus.StageTimes {
	done := g.Done.count()
	ts := []corpus.StageTimes{{Stage: corpus.StageSubmit, At: at(g.Submitted), Done: 1, Total: 1}}
	ts = append(ts, g.fetchTimes()...)
	if g.Chunked > 0 {
		ts = append(ts, corpus.StageTimes{Stage: corpus.StageChunk, At: at(g.Chunked), Done: 1, Total: 1})
	}
	if g.Embedded > 0 {
		ts = append(ts, corpus.StageTimes{Stage: corpus.StageEmbed, At: at(g.Embedded), Done: done, Total: g.Slices})
	}
	if g.Indexed > 0 {
		ts = append(ts, corpus.StageTimes{Stage: corpus.StageIndex, At: at(g.Indexed), Done: done, Total: g.Slices})
	}
	for i := range ts {
		ts[i].Attempts = max(1, g.Attempts[string(ts[i].Stage)])
	}
	if f := g.Failure; f != nil {
		failed := corpus.StageTimes{Stage: f.Stage, At: at(f.At), Attempts: f.Attempts, Error: f.Code}
		if last := &ts[len(ts)-1]; last.Stage == f.Stage {
			failed.Done, failed.Total = last.Done, last.Total
			*last = failed
		} else {
			ts = append(ts, failed)
		}
	}
	return ts
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// bitmap is a set of small numbers, eight a byte.
type bitmap []byte

func (b bitmap) has(i int) bool { return i/8 < len(b) && b[i/8]&(1<<(i%8)) != 0 }

func (b *bitmap) add(i int) {
	for i/8 >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[i/8] |= 1 << (i % 8)
}

func (b bitmap) count() int {
	n := 0
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}
