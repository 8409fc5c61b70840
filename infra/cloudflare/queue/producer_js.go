package queue

import (
	"context"
	"fmt"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Metrics is the backlog of a queue. Counts are -1 where the platform does not tell.
type Metrics struct {
	BacklogCount int64
	BacklogBytes int64
	Oldest       time.Time // when the oldest message was sent; zero if there is none
}

// Producer is a queue binding. It may be shared by all goroutines.
type Producer struct{ binding string }

// Open returns the producer bound under the name. A missing binding shows at the first call.
func Open(binding string) Producer { return Producer{binding} }

// The kinds of content a message can declare. All arrive as the same bytes at a
// consumer of this package, except that a JSON body is written anew.
const (
	Text  = ""      // UTF-8 text, JSON documents included; the default, and the cheapest
	Bytes = "bytes" // any bytes
	JSON  = "json"  // parsed by the platform: for consumers that expect an object
)

// SendOptions are the options of a message.
type SendOptions struct {
	Delay       time.Duration // whole seconds, at most 24 h
	ContentType string        // Text, Bytes or JSON
}

// patience is how long a call may take. A queue that is overloaded has been seen to keep its senders for a minute before it refuses
// (https://github.com/cloudflare/workerd/issues/6053), and to take the same messages at once a moment later.
const patience = 15 * time.Second

// Send sends one message and returns the backlog after it.
func (p Producer) Send(ctx context.Context, body []byte, o *SendOptions) (Metrics, error) {
	if o == nil {
		o = &SendOptions{}
	}
	r, err := isolate.CallWithin(ctx, patience, "queue.send", p.binding, body, seconds(o.Delay), o.ContentType)
	return metrics(r, "send", err)
}

// SendBatch sends the Body, Delay and ContentType of up to 100 messages or 256 KB, all or nothing, and returns the backlog after them.
func (p Producer) SendBatch(ctx context.Context, messages []Message) (Metrics, error) {
	list := make(wire.List, len(messages))
	for i, m := range messages {
		list[i] = wire.List{m.Body, seconds(m.Delay), m.ContentType}
	}
	r, err := isolate.CallWithin(ctx, patience, "queue.batch", p.binding, list)
	return metrics(r, "send batch", err)
}

// Metrics returns the present backlog.
func (p Producer) Metrics(ctx context.Context) (Metrics, error) {
	r, err := isolate.CallWithin(ctx, patience, "queue.metrics", p.binding)
	return metrics(r, "metrics", err)
}

// seconds rounds up: a message must not come before its time.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func metrics(r *wire.Reader, what string, err error) (Metrics, error) {
	if err != nil {
		return Metrics{}, fmt.Errorf("queue: %s: %w", what, err)
	}
	return readMetrics(r), r.Err()
}

func readMetrics(r *wire.Reader) Metrics {
	m := Metrics{BacklogCount: r.Int(), BacklogBytes: r.Int()}
	if at := r.Int(); at != 0 {
		m.Oldest = time.UnixMilli(at)
	}
	return m
}
