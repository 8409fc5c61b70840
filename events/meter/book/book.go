package book

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants/rows"
)

// Book decides. It is safe for concurrent use as far as the rows it is given are.
type Book struct{ now func() time.Time }

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// The rows of the book, by what their keys begin with.
const (
	minutePrefix = "m/" // <second>/<piece>: what was counted in the minute
	hourPrefix   = "h/" // <second>/<piece>: in the hour, when it is over
	everPrefix   = "e/" // 0/<piece>: in all hours that are over
	headPrefix   = "t/" // <µs of its beginning>/<trace>: what is known of a trace
	partPrefix   = "s/" // <trace>/<number>: spans of it, as they came
	stateKey     = "w"  // who wrote last, and how far the hours are
)

const (
	// silence is after how long a writer is forgotten. A batch that comes again later than that is counted twice.
	silence = time.Hour
	// maxWriters is how many are remembered at most; one has some 60 bytes of the state's row.
	maxWriters = 5_000
	// maxWriter is how long a writer's name is at most, in bytes.
	maxWriter = 64
)

// state is the row beside what is counted.
type state struct {
	Since   int64             `json:"since,omitempty"`  // the first minute ever, in seconds
	Rolled  int64             `json:"rolled,omitempty"` // the second up to which hours are made; nothing is counted before it any more
	Traces  int               `json:"traces,omitempty"` // how many are kept
	Writers map[string]writer `json:"writers,omitempty"`
	Mute    *mute             `json:"mute,omitempty"`
}

// writer is what is known of an isolate.
type writer struct {
	Number int64 `json:"n"` // of its last batch
	At     int64 `json:"t"` // when that came, in seconds
}

func (b *Book) state(tx rows.Tx) (st state, err error) {
	_, err = rows.Read(tx, stateKey, &st)
	return st, err
}

// Add implements meter.Sink. What a muted book is told is taken, and forgotten.
func (b *Book) Add(tx rows.Tx, in meter.Batch) error {
	if err := check(in); err != nil {
		return err
	}
	st, err := b.state(tx)
	if err != nil {
		return err
	}
	now := b.now()
	if st.muted(now) || st.Writers[in.Writer].Number >= in.Number {
		return nil
	}
	st.wrote(in.Writer, writer{in.Number, now.Unix()})
	if in.Set != nil && in.Set.Len() > 0 {
		minute := max(now.Truncate(meter.Minute).Unix(), st.Rolled)
		if err := grow(tx, minutePrefix, minute, in.Set); err != nil {
			return err
		}
		if st.Since == 0 {
			st.Since = minute
		}
	}
	if err := keepSpans(tx, &st, in.Spans, now); err != nil {
		return err
	}
	return rows.Write(tx, stateKey, st)
}

// check refuses what no isolate of ours sends.
func check(in meter.Batch) error {
	switch {
	case in.Writer == "" || len(in.Writer) > maxWriter:
		return fault.Invalidf("writer", "batch_invalid", "is not 1 to %d bytes long", maxWriter)
	case in.Number < 1:
		return fault.Invalidf("number", "batch_invalid", "is below 1")
	case len(in.Spans) > meter.MaxSpans:
		return fault.Invalidf("spans", "batch_invalid", "there are %d, above %d", len(in.Spans), meter.MaxSpans)
	}
	for i := range in.Spans {
		if s := &in.Spans[i]; !trace.IsID(s.Trace, 32) || !trace.IsID(s.ID, 16) {
			return fault.Invalidf(fmt.Sprintf("spans[%d]", i), "batch_invalid", "has no place in a trace")
		}
	}
	return nil
}

// wrote notes a batch, and forgets who has not told anything for long.
func (st *state) wrote(name string, w writer) {
	maps.DeleteFunc(st.Writers, func(_ string, old writer) bool { return old.At < w.At-int64(silence/time.Second) })
	if st.Writers == nil {
		st.Writers = map[string]writer{}
	}
	st.Writers[name] = w
	for len(st.Writers) > maxWriters {
		oldest := ""
		for other, x := range st.Writers {
			if last := st.Writers[oldest].At; other != name && (oldest == "" || x.At < last || x.At == last && other < oldest) {
				oldest = other
			}
		}
		delete(st.Writers, oldest)
	}
}

// grow adds to what a stretch of time has.
func grow(tx rows.Tx, prefix string, at int64, by *meter.Set) error {
	var sum meter.Set
	was := 0
	err := each(tx, prefix, at, at+1, func(_ int64, text []byte) (bool, error) {
		was = len(text)
		return true, gather(&sum, text)
	})
	if err != nil {
		return err
	}
	sum.Add(by)
	text, err := json.Marshal(&sum)
	if err != nil {
		return fmt.Errorf("meters: %w", err)
	}
	return put(tx, prefix, at, text, was)
}

// gather adds what a row has.
func gather(sum *meter.Set, text []byte) error {
	var s meter.Set
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("meters: %w", err)
	}
	sum.Add(&s)
	return nil
}
