package consumers

import (
	"context"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Message is what a queue delivers.
type Message struct {
	ID       string
	Body     []byte
	Attempts int // this delivery included: 1 the first time
}

// Outcome is what is to be done with a message.
type Outcome string

// The outcomes. Done and Dead are both acknowledged: a dead message has been buried already.
const (
	Done  Outcome = "done"
	Retry Outcome = "retry"
	Dead  Outcome = "dead"
)

// Verdict is the outcome of one message. Delay is when a retry is due.
type Verdict struct {
	Outcome Outcome
	Delay   time.Duration
	Err     error // why it is not done
}

// Delivery is one event handed to a handler, with its data.
type Delivery struct {
	Event   events.Event
	Attempt int
}

// Handler reacts to events of one type and one tenant. It answers an error for each, in order; nil is done. It is
// called again with an event that it did before, after a failure elsewhere or for no reason at all.
type Handler func(ctx context.Context, s tenants.Scope, ds []Delivery) []error

// Route says which handler an event of a type goes to.
type Route struct {
	Type   string
	Name   string       // the handler's, in logs and letters
	Stage  corpus.Stage // the stage that fails when the event is dead; empty when no document depends on it
	Memory int          // how many bytes the handler takes for each byte of data; 0: so few that it needs no room, or it sees to it itself
	Handle Handler
}

// Of is a delivery with its fact decoded.
type Of[F any] struct {
	Delivery
	Fact F
}

// Facts makes a Handler of a function that wants the facts. An event whose data is not the fact fails alone.
func Facts[F any](handle func(ctx context.Context, s tenants.Scope, ds []Of[F]) []error) Handler {
	return func(ctx context.Context, s tenants.Scope, ds []Delivery) []error {
		errs := make([]error, len(ds))
		good := make([]Of[F], 0, len(ds))
		where := make([]int, 0, len(ds))
		for i, d := range ds {
			of := Of[F]{Delivery: d}
			if errs[i] = d.Event.As(&of.Fact); errs[i] == nil {
				good, where = append(good, of), append(where, i)
			}
		}
		if len(good) == 0 {
			return errs
		}
		for i, err := range handle(ctx, s, good) {
			errs[where[i]] = err
		}
		return errs
	}
}
