package chunk

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/chunk"
	"levada.dev/workflows/llm"
)

const (
	// maxParts is how many chunks travel in one event at most.
	maxParts = 16
	// maxSliceBytes bounds the event that carries the slice with its vectors, which is the largest on the way. The queue
	// takes 128,000 bytes; the rest is for the envelope.
	maxSliceBytes = 120_000
	// maxChunks is how many a document may have. Its erasure asks the index twice for 20 of them at a time and removes 100 at a time, all in one
	// delivery, which may make 10,000 calls: enough for three generations of the most.
	maxChunks = 30_000
	// publishAt is how many events are gathered before they are published, so that small documents share a call and a
	// large one is not held in memory whole.
	publishAt = 64
)

// Consumer cuts documents.
type Consumer struct {
	texts   corpus.Texts
	ledger  corpus.Ledger
	out     events.Publisher
	now     func() time.Time
	room    *consumers.Room
	reserve []byte // of whoever has all of the room
}

// New makes the consumer. now tells the time of its events.
func New(texts corpus.Texts, ledger corpus.Ledger, out events.Publisher, now func() time.Time) *Consumer {
	return &Consumer{texts: texts, ledger: ledger, out: out, now: now}
}

// Within makes the consumer keep to a room that it shares with others, and returns it.
func (c *Consumer) Within(r *consumers.Room) *Consumer {
	c.room = r
	return c
}

// Route takes document.submitted.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{
		Type: events.TypeDocumentSubmitted, Name: "chunk", Stage: corpus.StageChunk, Handle: consumers.Facts(c.Handle),
	}
}

type delivery = consumers.Of[events.DocumentSubmitted]

// Handle takes the text out of the documents that are not text, cuts each, publishes its
// slices and, once all of them are in the queue, tells the ledger of all documents in one call. A document that cannot be
// cut fails alone.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	b := &batch{Consumer: c, scope: s, errs: make([]error, len(ds))}
	progress := make([]corpus.Progress, len(ds))
	skip := make([]bool, len(ds))
	for i, d := range ds {
		var err error
		if progress[i], err = b.cutOne(ctx, i, d); err != nil {
			skip[i], b.errs[i] = true, b.excuse(ctx, d, err)
		}
	}
	b.flush(ctx)
	b.advance(ctx, progress, skip)
	return b.errs
}

// cutOne cuts a document and has its slices published, or waiting to be. One that takes much memory waits for room, and has it until
// nothing of it waits any more.
func (b *batch) cutOne(ctx context.Context, i int, d delivery) (corpus.Progress, error) {
	if bytes := b.weight(d.Fact); bytes > 0 {
		b.flush(ctx) // what waits would wait with it
		leave, err := b.room.Enter(ctx, bytes)
		if err != nil {
			return corpus.Progress{}, err
		}
		defer leave()
		defer b.flush(ctx)
	}
	parts, derived, err := b.cut(ctx, b.scope, &d.Fact)
	if err != nil {
		return corpus.Progress{}, err
	}
	all := events.Slice{Slices: len(parts)}
	for _, p := range parts {
		all.Chunks += len(p)
	}
	b.tell(ctx, i, d, all, parts)
	return corpus.Progress{
		DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageChunk, Slice: all, Attempts: d.Attempt, Cause: d.Event.Cause(),
		Derived: derived,
	}, nil
}

// batch is one call of Handle.
type batch struct {
	*Consumer
	scope   tenants.Scope
	errs    []error        // of each delivery
	waiting []events.Event // not published yet
	of      []int          // the delivery that each of them comes from
}

// tell makes the events that carry a document's chunks, and publishes when enough are waiting.
func (b *batch) tell(ctx context.Context, i int, d delivery, all events.Slice, parts [][]events.Chunk) {
	for k, p := range parts {
		all.Slice = k
		ev, err := events.New(b.scope, "consumers", d.Event.Cause(), b.now(), events.DocumentChunked{
			DocumentRef: d.Fact.DocumentRef, About: d.Fact.About, Slice: all, Model: d.Fact.Model, Parts: p,
		})
		if err != nil {
			b.errs[i] = fmt.Errorf("slice %d: %w", k, err)
			return
		}
		b.waiting, b.of = append(b.waiting, ev), append(b.of, i)
		if len(b.waiting) >= publishAt {
			b.flush(ctx)
		}
		if b.errs[i] != nil {
			return
		}
	}
}

// flush publishes what is waiting. If that fails, so does every document that has a part in it.
func (b *batch) flush(ctx context.Context) {
	if len(b.waiting) == 0 {
		return
	}
	if err := b.out.Publish(ctx, b.scope, b.waiting...); err != nil {
		for _, i := range b.of {
			b.errs[i] = err
		}
	}
	b.waiting, b.of = nil, nil
}

// advance reports the documents whose slices are all in the queue.
func (b *batch) advance(ctx context.Context, progress []corpus.Progress, skip []bool) {
	var done []corpus.Progress
	var of []int
	for i, err := range b.errs {
		if err == nil && !skip[i] {
			done, of = append(done, progress[i]), append(of, i)
		}
	}
	if len(done) == 0 {
		return
	}
	verdicts, err := b.ledger.Advance(ctx, b.scope, done)
	if err != nil {
		consumers.FailAt(b.errs, of, err)
		return
	}
	for k, i := range of {
		if d := done[k].Derived; d != nil && verdicts[k].Stale { // nobody may ask for it, and who removes such may have looked already
			b.errs[i] = corpus.Tidy(ctx, b.scope, b.texts, b.ledger, []string{done[k].DocID})
		}
	}
}

// cut is a document's chunks, slice by slice, and the text they were cut from if that is not the document itself. A document
// without a title takes the one that its text gives it.
func (c *Consumer) cut(ctx context.Context, s tenants.Scope, f *events.DocumentSubmitted) ([][]events.Chunk, *corpus.Derived, error) {
	model, err := llm.FindEmbedding(f.Model)
	if err != nil {
		return nil, nil, err
	}
	text, contentType, derived, err := c.text(ctx, s, *f)
	if err != nil {
		return nil, nil, err
	}
	if derived != nil && f.Title == "" {
		f.Title = derived.Title
	}
	if len(text) > largeDocument {
		runtime.GC() // what reading and storing it have left
	}
	chunks, err := chunk.Split(text, contentType, options(f.Chunking, model))
	if err != nil {
		return nil, nil, err
	}
	if len(chunks) == 0 {
		return nil, nil, fault.Invalidf("text", "document_empty", "there is no text to search in")
	}
	if len(chunks) > maxChunks {
		return nil, nil, fault.Invalidf("chunking.maxTokens", "document_too_many_chunks", "the document would become %d chunks; the limit is %d", len(chunks), maxChunks).
			WithHint("raise chunking.maxTokens, or divide it into several documents")
	}
	parts, err := slice(chunks, f.About, model)
	return parts, derived, err
}

func options(c events.Chunking, m llm.EmbeddingModel) chunk.Options {
	o := chunk.ForModel(m)
	o.OverlapTokens = c.OverlapTokens
	if c.MaxTokens > 0 {
		o.MaxTokens = min(o.MaxTokens, c.MaxTokens)
	}
	o.OverlapTokens = min(o.OverlapTokens, o.MaxTokens/2)
	return o
}

// slice divides chunks so that each slice fits into a message with its vectors.
func slice(chunks []events.Chunk, about events.About, m llm.EmbeddingModel) ([][]events.Chunk, error) {
	head, err := json.Marshal(about)
	if err != nil {
		return nil, fault.New(fault.Invalid, "metadata_invalid", "the metadata is not JSON", err)
	}
	vector := (4*m.Dimensions + 2) / 3 * 4
	var parts [][]events.Chunk
	from, size := 0, len(head)
	for i, c := range chunks {
		n := vector + corpus.EncodedLen(c.Text) + corpus.EncodedLen(c.Heading) + 100 // 100: names and numbers
		if i > from && (i-from == maxParts || size+n > maxSliceBytes) {
			parts = append(parts, chunks[from:i])
			from, size = i, len(head)
		}
		size += n
	}
	return append(parts, chunks[from:]), nil
}
