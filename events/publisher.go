package events

import (
	"context"

	"levada.dev/tenants"
)

// Publisher hands events to the queues.
//
// When Publish returns nil every event is stored durably, at least once; on an error any of them may or may
// not be, and the caller publishes all of them again (same ids, so nothing is taken twice). It refuses an
// event of another tenant than the scope's, and moves data above the queue's limit into Claims. Besides the
// queue of its stage each event reaches the audit queue. Order is not kept. Safe for concurrent use.
type Publisher interface {
	Publish(ctx context.Context, s tenants.Scope, evs ...Event) error
}

// Sender puts messages into the queue of a stage.
//
// Send stores all of them durably or fails; after an error any of them may be stored. It gets at most
// MaxBatchMessages messages, each of at most MaxMessageBytes, and does not keep the slices. It may deliver a message
// twice and in any order. A full or busy queue is fault.Limited or fault.Unavailable. Safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, to Stage, messages [][]byte) error
}

// Claims stores the data of events that are too big to travel (the claim check pattern).
//
// Put under the same name replaces (the data is the same: a name holds the digest of the data). Get of an unknown
// name, or of another tenant's, is fault.NotFound, code claim_not_found. What Put returned nil for, Get returns.
// Neither keeps or shares the slice. Safe for concurrent use.
type Claims interface {
	Put(ctx context.Context, s tenants.Scope, name string, data []byte) error
	Get(ctx context.Context, s tenants.Scope, name string) ([]byte, error)
}
