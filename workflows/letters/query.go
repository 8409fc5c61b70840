package letters

import (
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
)

// Query says which letters are meant. Zero values mean any.
type Query struct {
	Types    []string  `json:"types,omitempty"`
	Codes    []string  `json:"codes,omitempty"`
	Stages   []string  `json:"stages,omitempty"`
	IDs      []string  `json:"ids,omitempty"`
	DocID    string    `json:"docId,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"` // not included
	Replayed *bool     `json:"replayed,omitempty"`
}

const (
	// MaxIDs is how many letters a query names at most.
	MaxIDs = 500
	// maxNamed is how many types, codes or stages it names at most, and maxName how long each is.
	maxNamed, maxName = 50, 256
)

// Check reports the first thing that is wrong with the query, by the name of its field.
func (q *Query) Check() error {
	for _, l := range []struct {
		field string
		names []string
		max   int
	}{{"types", q.Types, maxNamed}, {"codes", q.Codes, maxNamed}, {"stages", q.Stages, maxNamed}, {"ids", q.IDs, MaxIDs}} {
		if len(l.names) > l.max {
			return fault.Invalidf(l.field, "value_out_of_range", "names more than %d", l.max)
		}
		if slices.ContainsFunc(l.names, func(s string) bool { return s == "" || len(s) > maxName }) {
			return fault.Invalidf(l.field, "value_out_of_range", "each is 1 to %d bytes long", maxName)
		}
	}
	for _, stage := range q.Stages {
		if !slices.Contains(Stages, stage) {
			return fault.Invalidf("stages", "invalid_value", "%.40q is none of %s", stage, strings.Join(Stages, ", "))
		}
	}
	if len(q.DocID) > maxName {
		return fault.Invalidf("docId", "value_out_of_range", "is longer than %d bytes", maxName)
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return fault.Invalidf("to", "value_out_of_range", "is not after from")
	}
	return nil
}

// Matches reports whether the letter is meant, its time and id aside.
func (q *Query) Matches(l *Letter) bool {
	return oneOf(q.Types, l.Type) && oneOf(q.Codes, l.Code) && oneOf(q.Stages, l.Stage) &&
		(q.DocID == "" || q.DocID == l.DocID) && (q.Replayed == nil || *q.Replayed == !l.Replayed.IsZero())
}

func oneOf(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }
