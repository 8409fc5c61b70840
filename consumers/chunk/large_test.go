package chunk_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/chunk"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// counted counts how often a text was read.
type counted struct {
	*store
	reads atomic.Int32
}

func (x *counted) Get(ctx context.Context, s tenants.Scope, key string) ([]byte, error) {
	x.reads.Add(1)
	return x.store.Get(ctx, s, key)
}

// slow is a publisher that takes nothing until it may.
type slow struct {
	eventstest.Publisher
	may chan struct{}
}

func (p *slow) Publish(ctx context.Context, s tenants.Scope, evs ...events.Event) error {
	<-p.may
	return p.Publisher.Publish(ctx, s, evs...)
}

// Large documents of different batches are in memory one after the other, beside nothing else that needs room; small ones are not held up,
// and who is told to stop stops.
func TestLargeDocumentsAreNotInMemoryTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, out := &counted{store: &store{}}, &slow{may: make(chan struct{})}
		ds := deliveries(t, x.store, "one large document.", "another large document.", "a small one.")
		for i := range 2 {
			ds[i].Fact.Bytes = 2 << 20
		}
		room := consumers.NewRoom(40 << 20)
		c := chunk.New(x, x, out, time.Now).Within(room)
		handle := func(ctx context.Context, i int) <-chan error {
			done := make(chan error, 1)
			go func() { done <- c.Handle(ctx, scope(t), ds[i:i+1])[0] }()
			synctest.Wait()
			return done
		}
		first := handle(t.Context(), 0)
		require.EqualValues(t, 1, x.reads.Load())
		second := handle(t.Context(), 1)
		assert.EqualValues(t, 1, x.reads.Load(), "it waits until the first is in the queue")
		small := handle(t.Context(), 2)
		assert.EqualValues(t, 2, x.reads.Load())
		full, stop := context.WithCancel(t.Context())
		stop()
		_, err := room.Enter(full, 1)
		assert.Equal(t, "memory_busy", fault.As(err).Code, "the stages behind wait, too")

		ctx, cancel := context.WithCancel(t.Context())
		third := handle(ctx, 1)
		cancel()
		assert.True(t, fault.Is(<-third, fault.Unavailable), "the message comes again")

		close(out.may)
		for _, done := range []<-chan error{first, second, small} {
			require.NoError(t, <-done)
		}
		assert.EqualValues(t, 3, x.reads.Load())
		assert.Len(t, out.Events(), 3)
		leave, err := room.Enter(t.Context(), room.Bytes())
		require.NoError(t, err, "all of it is given back")
		leave()
	})
}

// What may become long although it is short has half of the room, so that two of them, or one and another stage, go on together.
func TestWhatMayBecomeLargeHasRoom(t *testing.T) {
	const half = 20 << 20
	for contentType, want := range map[string]int64{
		"text/plain": 0, "text/html": 0, "application/json": 32 * 1000, "text/csv": 32 * 1000, "application/pdf": half, "application/octet-stream": half,
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": half,
	} {
		for free, fits := range map[int64]bool{want: true, want - 1: false} {
			synctest.Test(t, func(t *testing.T) {
				x, room := &counted{store: &store{}}, consumers.NewRoom(2*half)
				ds := deliveries(t, x.store, "{}")
				ds[0].Fact.Bytes, ds[0].Fact.ContentType = 1000, contentType
				c := chunk.New(x, x, &eventstest.Publisher{}, time.Now).Within(room)
				leave, err := room.Enter(t.Context(), room.Bytes()-max(free, 0))
				require.NoError(t, err)
				done := make(chan []error)
				go func() { done <- c.Handle(t.Context(), scope(t), ds) }()
				synctest.Wait()
				assert.Equal(t, fits || want == 0, x.reads.Load() > 0, "%s in %d", contentType, free)
				leave()
				<-done
			})
		}
	}
}

// What a document becomes is bounded: its erasure must fit into a delivery.
func TestADocumentHasNotTooManyChunks(t *testing.T) {
	x, out := &store{}, &eventstest.Publisher{}
	errs := chunk.New(x, x, out, time.Now).Handle(t.Context(), scope(t), deliveries(t, x, sentences(31_000), sentences(1)))
	assert.Equal(t, "document_too_many_chunks", fault.As(errs[0]).Code)
	assert.NotEmpty(t, fault.As(errs[0]).Hint)
	assert.NoError(t, errs[1])
}
