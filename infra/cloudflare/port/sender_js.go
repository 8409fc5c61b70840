package port

import (
	"context"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/queue"
)

// Sender sends to the queues of the stages.
type Sender struct {
	queues map[events.Stage]queue.Producer
}

var _ events.Sender = Sender{}

// NewSender sends to each stage's queue.
func NewSender(queues map[events.Stage]queue.Producer) Sender { return Sender{queues} }

// Send implements events.Sender.
func (q Sender) Send(ctx context.Context, to events.Stage, messages [][]byte) error {
	p, ok := q.queues[to]
	if !ok {
		return fault.New(fault.Internal, "queue_unknown", "this worker has no queue for stage "+string(to), nil)
	}
	var err error
	if len(messages) == 1 {
		_, err = p.Send(ctx, messages[0], nil)
	} else {
		batch := make([]queue.Message, len(messages))
		for i, m := range messages {
			batch[i] = queue.Message{Body: m}
		}
		_, err = p.SendBatch(ctx, batch)
	}
	if err != nil {
		return fault.Unavailablef(err, "queue_unavailable", "queue %s did not take the events", to)
	}
	return nil
}

// Backlog measures how many messages wait in a queue.
func Backlog(q queue.Producer) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		m, err := q.Metrics(ctx)
		return m.BacklogCount, err
	}
}
