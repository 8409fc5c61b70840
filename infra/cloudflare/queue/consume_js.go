package queue

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Batch is what the platform delivers at a time.
type Batch struct {
	Queue    string
	Messages []*Message
	Metrics  Metrics // of the queue, when the batch was made
}

// Message is a message to send, or one that was delivered. The verdict of a delivered
// one is Ack or Retry: the first call counts, and it takes effect when the handler of
// the batch returns. A message without a verdict is retried.
type Message struct {
	Body []byte

	Delay       time.Duration // to send: not to be delivered before, at most 24 h
	ContentType string        // to send: Text, Bytes or JSON

	ID        string    // delivered
	Timestamp time.Time // delivered: when it was sent
	Attempts  int       // delivered: from 1

	verdict, delay int64
}

// The verdicts; the glue has the same numbers.
const (
	open  = 0
	ack   = 1
	retry = 2
)

// Ack says that the message is done.
func (m *Message) Ack() {
	if m.verdict == open {
		m.verdict = ack
	}
}

// Retry asks for the message again, after the delay (rounded up to a second; 0 is the
// queue's own retry delay). After its last attempt it goes to the dead-letter queue.
func (m *Message) Retry(delay time.Duration) {
	if m.verdict == open {
		m.verdict, m.delay = retry, seconds(delay)
	}
}

// Consume registers the handler of every queue the Worker consumes. A panic of h
// retries the messages that have no verdict yet, and no other. Messages may be judged from
// several goroutines only if the caller orders the calls; none may be judged after h returned.
func Consume(h func(ctx context.Context, b *Batch)) {
	isolate.Handle("queue", func(ctx context.Context, event *wire.Reader) ([]any, error) {
		b := read(event)
		if err := event.Err(); err != nil {
			return nil, err
		}
		guarded(ctx, h, b)
		verdicts := make(wire.List, len(b.Messages))
		for i, m := range b.Messages {
			verdicts[i] = wire.List{m.verdict, m.delay}
		}
		return []any{verdicts}, nil
	})
}

func guarded(ctx context.Context, h func(ctx context.Context, b *Batch), b *Batch) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "panic in the consumer of %s: %v\n%s", b.Queue, p, debug.Stack())
		}
	}()
	h(ctx, b)
}

func read(r *wire.Reader) *Batch {
	b := &Batch{Queue: r.String(), Metrics: readMetrics(r)}
	n := r.List()
	b.Messages = make([]*Message, n)
	for i := range b.Messages {
		r.List()
		b.Messages[i] = &Message{ID: r.String(), Timestamp: time.UnixMilli(r.Int()), Attempts: int(r.Int()), Body: r.Bytes()}
	}
	return b
}
