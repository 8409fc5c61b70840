package trail

import (
	"context"
	"slices"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Reader reads the trails of tenants. What it tells is the lines as they are chained. Safe for concurrent use.
type Reader interface {
	// List is the entries that match, newest first. A page may be empty although there are more: Next says so.
	List(ctx context.Context, s tenants.Scope, q Query, cursor string, limit int) (Page, error)
	// Chain is the lines that follow a place, oldest first, so many at most. None is the end.
	Chain(ctx context.Context, s tenants.Scope, after int64, limit int) (Lines, error)
}

// The most that one call tells.
const (
	MaxPage  = 200
	MaxLines = 1_000
)

// Page is a page of a list. What it has are lines: canonical JSON, byte for byte as it was chained.
type Page struct {
	Entries []string `json:"entries"`
	Next    string   `json:"next,omitempty"` // cursor of the next page; empty at the end
	Head    Head     `json:"head"`           // of the chain
}

// Lines is a piece of the chain.
type Lines struct {
	Lines []string `json:"lines"`
	Last  int64    `json:"last"` // the place that the last of them is kept at; where the piece began, when there is none
	Head  Head     `json:"head"`
}

// Query says which entries are meant. What is not there means any.
type Query struct {
	Kinds     []string  `json:"kinds,omitempty"`
	Names     []string  `json:"names,omitempty"`
	Actors    []string  `json:"actors,omitempty"`
	Outcomes  []string  `json:"outcomes,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	From      time.Time `json:"from,omitzero"`
	To        time.Time `json:"to,omitzero"` // not included
}

// Kinds lists the kinds of entries.
func Kinds() []string {
	kinds := []string{KindEvent}
	for _, k := range events.ActKinds() {
		kinds = append(kinds, string(k))
	}
	return kinds
}

// Outcomes lists how acts end.
func Outcomes() (all []string) {
	for _, o := range events.Outcomes() {
		all = append(all, string(o))
	}
	return all
}

const (
	maxValues = 20
	maxValue  = 200
)

// Check reports what is wrong with the query: fault.Invalid with the field's name.
func (q *Query) Check() error {
	for _, list := range []struct {
		field  string
		values []string
		among  []string
	}{{"kinds", q.Kinds, Kinds()}, {"names", q.Names, nil}, {"actors", q.Actors, nil}, {"outcomes", q.Outcomes, Outcomes()}} {
		if len(list.values) > maxValues {
			return fault.Invalidf(list.field, "value_out_of_range", "has more than %d values", maxValues)
		}
		for _, v := range list.values {
			if len(v) > maxValue || v == "" {
				return fault.Invalidf(list.field, "value_out_of_range", "is not 1 to %d bytes long", maxValue)
			}
			if list.among != nil && !slices.Contains(list.among, v) {
				return fault.Invalidf(list.field, "invalid_value", "%.40q is none of %q", v, list.among)
			}
		}
	}
	switch {
	case len(q.RequestID) > maxValue:
		return fault.Invalidf("requestId", "value_out_of_range", "is longer than %d bytes", maxValue)
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return fault.Invalidf("to", "value_out_of_range", "is not after from")
	}
	return nil
}

// ActsOnly reports whether nothing matches that tells no act.
func (q *Query) ActsOnly() bool {
	return len(q.Actors)+len(q.Outcomes) > 0 || len(q.Kinds) > 0 && !slices.Contains(q.Kinds, KindEvent)
}

// Matches reports whether the entry is meant.
func (q *Query) Matches(e *Entry) bool {
	var act events.Act
	if e.Act != nil {
		act = *e.Act
	}
	return among(q.Kinds, e.Kind()) && among(q.Names, e.Name()) && among(q.Actors, act.Actor) && among(q.Outcomes, string(act.Outcome)) &&
		(q.RequestID == "" || q.RequestID == act.RequestID || q.RequestID == e.CausationID) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || e.Time.Before(q.To))
}

func among(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
