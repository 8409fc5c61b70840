package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
)

// Queues is the queues of all stages. They deliver at least once. The zero value delivers once and in order.
type Queues struct {
	Hooks
	// Rand makes batches of messages from anywhere in a queue, and of any size. Nil keeps the order and fills them.
	Rand *rand.Rand
	// Duplicate is the share of messages, of 1, that come again although they were acknowledged. It needs Rand.
	Duplicate float64
	// MaxAttempts is after how many deliveries a message goes to the dead-letter queue, where Attempts, by queue, does not say; 0 means 4.
	MaxAttempts int
	Attempts    map[string]int

	mu     sync.Mutex
	next   int
	queues map[string][]consumers.Message
}

var _ events.Sender = (*Queues)(nil)

// deadLetters is the suffix of the name of a dead-letter queue. What comes out of one is tried as often as a queue
// can: there is no place behind it.
const (
	deadLetters     = "-dlq"
	deadMaxAttempts = 101
)

// Send implements events.Sender.
func (q *Queues) Send(_ context.Context, to events.Stage, messages [][]byte) error {
	return q.run("send", func() error {
		size := 0
		for _, m := range messages {
			size += len(m)
			if len(m) > events.MaxMessageBytes {
				return fault.New(fault.Internal, "queue_rule", fmt.Sprintf("a message of %d bytes", len(m)), nil)
			}
		}
		if to == events.StageNone || len(messages) == 0 || len(messages) > events.MaxBatchMessages || size > events.MaxBatchBytes {
			return fault.New(fault.Internal, "queue_rule", fmt.Sprintf("%d messages of %d bytes for %q", len(messages), size, to), nil)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, m := range messages {
			q.put(string(to), consumers.Message{ID: q.id(), Body: bytes.Clone(m)})
		}
		return nil
	})
}

func (q *Queues) id() string {
	q.next++
	return fmt.Sprintf("m%06d", q.next)
}

func (q *Queues) put(queue string, m consumers.Message) {
	if q.queues == nil {
		q.queues = map[string][]consumers.Message{}
	}
	q.queues[queue] = append(q.queues[queue], m)
}

// Len is how many messages wait in a queue.
func (q *Queues) Len(queue string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queues[queue])
}

// Take takes a batch of at most n messages out of a queue.
func (q *Queues) Take(queue string, n int) []consumers.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.queues[queue]
	if n = min(n, len(waiting)); n == 0 {
		return nil
	}
	if q.Rand != nil {
		q.Rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		n = 1 + q.Rand.IntN(n)
	}
	batch := append([]consumers.Message(nil), waiting[:n]...)
	q.queues[queue] = waiting[n:]
	for i := range batch {
		batch[i].Attempts++
	}
	return batch
}

// Settle does what the verdicts on a batch say. Fewer verdicts than messages mean that the consumer died: the rest is
// delivered again.
func (q *Queues) Settle(queue string, batch []consumers.Message, vs []consumers.Verdict) {
	q.mu.Lock()
	defer q.mu.Unlock()
	limit := cmp.Or(q.Attempts[queue], q.MaxAttempts, 4)
	if strings.HasSuffix(queue, deadLetters) {
		limit = deadMaxAttempts
	}
	for i, m := range batch {
		switch {
		case i < len(vs) && vs[i].Outcome != consumers.Retry:
			if q.Rand != nil && q.Rand.Float64() < q.Duplicate {
				m.Attempts--
				q.put(queue, m)
			}
		case m.Attempts < limit:
			q.put(queue, m)
		default:
			m.Attempts = 0
			q.put(queue+deadLetters, m)
		}
	}
}

// Pump delivers until every queue is empty, dead-letter queues included, and says how many messages it delivered.
func (q *Queues) Pump(ctx context.Context, r *consumers.Router) int {
	delivered := 0
	for busy := true; busy; {
		busy = false
		for _, stage := range events.Stages() {
			queue := string(stage)
			if batch := q.Take(queue, 100); len(batch) > 0 {
				q.Settle(queue, batch, r.Handle(ctx, queue, batch))
				delivered, busy = delivered+len(batch), true
			}
			if batch := q.Take(queue+deadLetters, 100); len(batch) > 0 {
				q.Settle(queue+deadLetters, batch, r.HandleDead(ctx, queue+deadLetters, batch))
				delivered, busy = delivered+len(batch), true
			}
		}
	}
	return delivered
}
