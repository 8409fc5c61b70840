package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Fact is the data of one kind of event. Its JSON is described by a schema and pinned by a golden file.
type Fact interface {
	// Type is the CloudEvents type, "dev.levada.<noun>.<past verb>.v1".
	Type() string
	// Subject names the thing the fact is about, "documents/<id>".
	Subject() string
	// Identity distinguishes this fact from every other of the same type, subject and cause.
	Identity() string
	// Check reports the first thing that is wrong with the fact, with its path.
	Check() error
}

// Event is one fact in its envelope.
type Event struct {
	ID             string
	Type           string
	Source         string // "/tenants/<tenant>/<worker>"
	Subject        string
	Time           time.Time
	Tenant         tenants.ID
	TraceParent    string          // W3C trace context of what caused it
	CausationID    string          // id of the event or request that caused it
	IdempotencyKey string          // the client's, when it sent one
	DataRef        string          // where the data is when it is too big to travel: see Claims
	Data           json.RawMessage // the fact's JSON; empty when DataRef is set
}

// Cause is what an event follows from: the request or the event that is being handled.
type Cause struct {
	ID             string // event id or request id
	TraceParent    string
	IdempotencyKey string
}

// New puts a fact in an envelope. The id is derived from the cause and the fact's identity, so a handler
// that runs twice tells the same facts twice, and nobody downstream takes them for new ones.
func New(s tenants.Scope, worker string, cause Cause, at time.Time, f Fact) (Event, error) {
	if err := s.Check(); err != nil {
		return Event{}, err
	}
	if err := f.Check(); err != nil {
		return Event{}, fmt.Errorf("%s: %w", f.Type(), err)
	}
	data, err := json.Marshal(f)
	if err != nil {
		return Event{}, fault.New(fault.Internal, "event_encoding", f.Type(), err)
	}
	name := string(s.Tenant()) + "\x00" + cause.ID + "\x00" + f.Type() + "\x00" + f.Subject() + "\x00" + f.Identity()
	return Event{
		ID:             uuid.NewSHA1(space, []byte(name)).String(),
		Type:           f.Type(),
		Source:         s.Source(worker),
		Subject:        f.Subject(),
		Time:           at.UTC(),
		Tenant:         s.Tenant(),
		TraceParent:    cause.TraceParent,
		CausationID:    cause.ID,
		IdempotencyKey: cause.IdempotencyKey,
		Data:           data,
	}, nil
}

// space is the name space of event ids; it never changes.
var space = uuid.MustParse("6f1d3c1e-2f0b-5c63-9a53-0d8e1c7ab001")

// Cause is the cause of whatever handling e brings about.
func (e Event) Cause() Cause {
	return Cause{ID: e.ID, TraceParent: e.TraceParent, IdempotencyKey: e.IdempotencyKey}
}

// Scope resumes the tenant's scope from a trusted envelope.
func (e Event) Scope() (tenants.Scope, error) { return tenants.Resume(string(e.Tenant)) }
