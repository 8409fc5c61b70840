package eventstest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// Sender is queues in memory. It refuses what a queue refuses and what is no event, and keeps the rest in order.
type Sender struct {
	Hooks
	mu     sync.Mutex
	queues map[events.Stage][][]byte
}

var _ events.Sender = (*Sender)(nil)

// Send implements events.Sender.
func (q *Sender) Send(ctx context.Context, to events.Stage, messages [][]byte) error {
	return q.do(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkBatch(to, messages); err != nil {
			return fault.New(fault.Internal, "queue_rule", "the queue refuses the batch", err)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.queues == nil {
			q.queues = map[events.Stage][][]byte{}
		}
		for _, m := range messages {
			q.queues[to] = append(q.queues[to], bytes.Clone(m))
		}
		return nil
	})
}

func checkBatch(to events.Stage, messages [][]byte) error {
	if !slices.Contains(events.Stages(), to) {
		return fmt.Errorf("no queue %q", to)
	}
	if len(messages) < 1 || len(messages) > events.MaxBatchMessages {
		return fmt.Errorf("%d messages in one batch", len(messages))
	}
	size := 0
	for _, m := range messages {
		size += len(m)
		if len(m) > events.MaxMessageBytes {
			return fmt.Errorf("a message of %d bytes", len(m))
		}
		e, err := events.Decode(m)
		if err != nil {
			return err
		}
		if spec, ok := events.SpecOf(e.Type); !ok || spec.Stage != to {
			return fmt.Errorf("%s in the queue %s", e.Type, to)
		}
	}
	if size > events.MaxBatchBytes {
		return fmt.Errorf("%d bytes in one batch", size)
	}
	return nil
}

// Messages is what the queue of a stage has taken, oldest first.
func (q *Sender) Messages(stage events.Stage) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([][]byte(nil), q.queues[stage]...)
}

// Events is Messages decoded.
func (q *Sender) Events(stage events.Stage) []events.Event {
	return decodeAll(q.Messages(stage))
}

// decodeAll decodes messages that were checked when they came in.
func decodeAll(messages [][]byte) []events.Event {
	var evs []events.Event
	for _, m := range messages {
		e, err := events.Decode(m)
		if err != nil {
			panic(err)
		}
		evs = append(evs, e)
	}
	return evs
}
