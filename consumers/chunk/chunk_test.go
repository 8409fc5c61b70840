package chunk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/chunk"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// store is texts by key and a ledger that notes what it is told.
type store struct {
	corpus.Texts
	corpus.Ledger
	texts    map[string]string
	progress [][]corpus.Progress
	err      error
}

func (x *store) Get(_ context.Context, _ tenants.Scope, key string) ([]byte, error) {
	text, ok := x.texts[key]
	if !ok {
		return nil, fault.Missing("text_not_found", "no text")
	}
	return []byte(text), nil
}

func (x *store) Put(_ context.Context, _ tenants.Scope, key string, text []byte, _ string) error {
	x.texts[key] = string(text)
	return nil
}

func (x *store) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	x.progress = append(x.progress, ps)
	return make([]corpus.Verdict, len(ps)), x.err
}

func scope(t *testing.T) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	return s
}

func deliveries(t *testing.T, x *store, texts ...string) (ds []consumers.Of[events.DocumentSubmitted]) {
	t.Helper()
	x.texts = map[string]string{}
	for i, text := range texts {
		key := fmt.Sprint("key", i)
		if text != "missing" {
			x.texts[key] = text
		}
		f := events.DocumentSubmitted{
			DocumentRef: events.DocumentRef{DocID: fmt.Sprint("doc", i), Generation: 1, JobID: "j"}, About: events.About{Title: "T"},
			ContentType: "text/plain", TextKey: key, Model: "@cf/baai/bge-m3", Chunking: events.Chunking{MaxTokens: 16},
		}
		ev, err := events.New(scope(t), "ledger", events.Cause{ID: fmt.Sprint("request", i)}, time.Unix(0, 0), f)
		require.NoError(t, err)
		ds = append(ds, consumers.Of[events.DocumentSubmitted]{Delivery: consumers.Delivery{Event: ev, Attempt: 1}, Fact: f})
	}
	return ds
}

// sentences is a text of n chunks.
func sentences(n int) string {
	return strings.Repeat("The water runs down along the slope to the fields of the farm. ", n)
}

func TestDocumentsShareCalls(t *testing.T) {
	x, out := &store{}, &eventstest.Publisher{}
	ds := deliveries(t, x, sentences(40), " ", sentences(1), "missing", "caf\xe9")
	c := chunk.New(x, x, out, time.Now)
	errs := c.Handle(t.Context(), scope(t), ds)
	assert.NoError(t, errs[0])
	assert.Equal(t, "document_empty", fault.As(errs[1]).Code)
	assert.NoError(t, errs[2])
	assert.Equal(t, "text_not_found", fault.As(errs[3]).Code)
	assert.NoError(t, errs[4], "its encoding is found out")
	assert.Equal(t, 1, out.Calls())
	evs := out.Events(events.TypeDocumentChunked)
	require.Len(t, evs, 5)
	n := 0
	for i, ev := range evs[:3] {
		var f events.DocumentChunked
		require.NoError(t, ev.As(&f))
		assert.Equal(t, events.Slice{Slice: i, Slices: 3, Chunks: 40}, f.Slice)
		for _, p := range f.Parts {
			assert.Equal(t, n, p.Index)
			n++
		}
	}
	require.Len(t, x.progress, 2, "a question about the one whose text is gone, and one call for all")
	require.Len(t, x.progress[1], 3)
	assert.Equal(t, events.Slice{Slices: 3, Chunks: 40}, x.progress[1][0].Slice)

	require.Equal(t, errs[0], c.Handle(t.Context(), scope(t), ds[:1])[0])
	assert.Equal(t, evs[0].ID, out.Events()[5].ID, "run twice, told once")
}

func TestALargeDocumentIsNotHeldWhole(t *testing.T) {
	x, out := &store{}, &eventstest.Publisher{}
	errs := chunk.New(x, x, out, time.Now).Handle(t.Context(), scope(t), deliveries(t, x, sentences(16*150)))
	require.NoError(t, errs[0])
	assert.Equal(t, 3, out.Calls())
	assert.Len(t, out.Events(), 150)
}

func TestTheLedgerHearsOfWhatIsInTheQueueOnly(t *testing.T) {
	// 64 events a call. The first has the first document and most of the second, the next the rest of it and most of
	// the third; when the first fails, the second document is given up and the third is all there is for the next.
	for nth, want := range map[int][]string{1: {"doc2"}, 2: {"doc0"}, 3: {"doc0", "doc1"}, 4: {"doc0", "doc1", "doc2"}} {
		x, out := &store{}, &eventstest.Publisher{}
		out.FailAfter(nth, errors.New("down"))
		errs := chunk.New(x, x, out, time.Now).Handle(t.Context(), scope(t), deliveries(t, x, sentences(1), sentences(16*70), sentences(16*60)))
		var told, well []string
		for _, ps := range x.progress {
			for _, p := range ps {
				told = append(told, p.DocID)
			}
		}
		for i, err := range errs {
			if err == nil {
				well = append(well, fmt.Sprint("doc", i))
			}
		}
		assert.Equal(t, want, told, "call %d", nth)
		assert.Equal(t, want, well, "call %d", nth)
	}
	x := &store{err: errors.New("down")}
	errs := chunk.New(x, x, &eventstest.Publisher{}, time.Now).Handle(t.Context(), scope(t), deliveries(t, x, sentences(1)))
	assert.ErrorContains(t, errs[0], "down")
}
