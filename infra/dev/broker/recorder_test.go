package broker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// message is a message as the consumer got it.
type message struct {
	ID        string
	Timestamp time.Time
	Attempts  int
	Body      any
}

// batch is a MessageBatch as the consumer got it.
type batch struct {
	Queue    string
	Metrics  metrics
	Messages []message
	At       time.Time `json:"-"`
}

// verdict is what the consumer does with a message: nothing, ack() or retry(options).
type verdict struct {
	Ack   bool           `json:"ack,omitempty"`
	Retry map[string]int `json:"retry,omitzero"`
}

// answer is what the consumer does with a batch, in this order.
type answer struct {
	Verdicts map[string]verdict `json:"verdicts,omitempty"`
	Batch    verdict            `json:"batch,omitzero"` // ackAll() or retryAll(options)
	Fail     string             `json:"fail,omitempty"` // the message of the error it throws
}

// each decides about every message of a batch.
func each(b batch, decide func(message) verdict) answer {
	a := answer{Verdicts: map[string]verdict{}}
	for _, m := range b.Messages {
		a.Verdicts[m.ID] = decide(m)
	}
	return a
}

// recorder is where the consumer tells of its batches and asks what to do.
type recorder struct {
	address string

	mu       sync.Mutex
	changed  *sync.Cond
	batches  map[string][]batch
	handlers map[string]func(context.Context, batch) answer
	held     context.Context // done when handlers may no longer wait
	release  context.CancelFunc
}

func newRecorder(t testing.TB) *recorder {
	r := &recorder{batches: map[string][]batch{}, handlers: map[string]func(context.Context, batch) answer{}}
	r.changed = sync.NewCond(&r.mu)
	r.held, r.release = context.WithCancel(context.Background())
	server := httptest.NewServer(r)
	r.address = server.Listener.Addr().String()
	t.Cleanup(server.Close)
	return r
}

// handle sets what decides about a queue's batches. Without it all are fine. A
// handler that waits for its context never answers: it ends with the platform.
func (r *recorder) handle(queue string, decide func(context.Context, batch) answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handlers[queue] = decide
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	b := batch{At: time.Now()}
	if err := json.NewDecoder(request.Body).Decode(&b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.batches[b.Queue] = append(r.batches[b.Queue], b)
	decide, held := r.handlers[b.Queue], r.held
	r.changed.Broadcast()
	r.mu.Unlock()

	var a answer
	if decide != nil {
		a = decide(held, b)
	}
	json.NewEncoder(w).Encode(a)
}

// got returns the batches of a queue so far.
func (r *recorder) got(queue string) []batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]batch(nil), r.batches[queue]...)
}

// wait waits until the batches of a queue fulfil the condition, and returns them.
func (p *platform) wait(queue string, until func([]batch) bool) []batch {
	p.t.Helper()
	expired := time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})
	defer expired.Stop()
	deadline := time.Now().Add(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !until(p.batches[queue]) {
		require.True(p.t, time.Now().Before(deadline), "queue %s: waited in vain after %d batches", queue, len(p.batches[queue]))
		p.changed.Wait()
	}
	return append([]batch(nil), p.batches[queue]...)
}

// delivered waits until n messages of a queue were delivered, repetitions counted,
// and returns all that were.
func (p *platform) delivered(queue string, n int) []message {
	p.t.Helper()
	return messages(p.wait(queue, func(b []batch) bool { return len(messages(b)) >= n }))
}

func messages(batches []batch) []message {
	var all []message
	for _, b := range batches {
		all = append(all, b.Messages...)
	}
	return all
}
