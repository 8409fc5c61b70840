package api_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/workflows/trail"
)

// record is the audit queue with its consumer: what is sent is on record at once.
type record struct {
	trail memory.Trail
	fail  func(nth int) (before, after error) // of the nth message; may be nil
	mu    sync.Mutex
	sent  int
}

// Send implements events.Sender.
func (r *record) Send(ctx context.Context, to events.Stage, messages [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var before, after error
	if r.sent++; r.fail != nil {
		before, after = r.fail(r.sent)
	}
	if before != nil {
		return before
	}
	if err := r.trail.Send(ctx, to, messages); err != nil {
		return err
	}
	return after
}

// messages is how many were sent.
func (r *record) messages() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// acts is what the trail of a tenant has of acts, oldest first.
func (w *world) acts(tenant string) (all []events.Act) {
	w.t.Helper()
	for _, e := range w.entries(tenant) {
		if e.Act != nil {
			all = append(all, *e.Act)
		}
	}
	return all
}

// entries is the trail of a tenant, oldest first.
func (w *world) entries(tenant string) (all []trail.Entry) {
	w.t.Helper()
	piece, err := w.record.trail.Chain(context.Background(), w.scope(tenant), 0, trail.MaxLines)
	require.NoError(w.t, err)
	for _, line := range piece.Lines {
		e, err := trail.Read([]byte(line))
		require.NoError(w.t, err)
		all = append(all, e)
	}
	return all
}

// lockedBuffer is a log that requests and what goes on beside them write to.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// beside runs what goes on beside requests, no longer than the test.
func beside(t testing.TB) func(ctx context.Context, f func(context.Context)) error {
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	return func(_ context.Context, f func(context.Context)) error {
		running.Go(func() { f(t.Context()) })
		return nil
	}
}
