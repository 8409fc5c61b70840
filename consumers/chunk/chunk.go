package chunk

import (
	"context"
	"encoding/json"
	"fmt"
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
	// publishAt is how many events are gathered before they are published, so that small documents share a call and a
	// large one is not held in memory whole.
	publishAt = 64
)

// Consumer cuts documents.
type Consumer struct {
	texts  corpus.Texts
	ledger corpus.Ledger
	out    events.Publisher
	now    func() time.Time
}

// New makes the consumer. now tells the time of its events.
func New(texts corpus.Texts, ledger corpus.Ledger, out events.Publisher, now func() time.Time) *Consumer {
	return &Consumer{texts: texts, ledger: ledger, out: out, now: now}
}

// Route takes document.submitted.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{
		Type: events.TypeDocumentSubmitted, Name: "chunk", Stage: corpus.StageChunk, Handle: consumers.Facts(c.Handle),
	}
}

type delivery = consumers.Of[events.DocumentSubmitted]

// Handle cuts each document, publishes its slices and, once all of them are in the queue, tells the ledger of all
// documents in one call. A document that cannot be cut fails alone.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	errs := make([]error, len(ds))
	progress := make([]corpus.Progress, 0, len(ds))
	where := make([]int, 0, len(ds))
	var waiting []events.Event
	published := 0 // of progress, those whose events are all in the queue
	flush := func() {
		if len(waiting) > 0 {
			if err := c.out.Publish(ctx, s, waiting...); err != nil {
				for _, i := range where[published:] {
					errs[i] = err
				}
			}
		}
		waiting, published = nil, len(progress)
	}
	for i, d := range ds {
		slices, evs, err := c.cut(ctx, s, d)
		if err != nil {
			errs[i] = err
			continue
		}
		progress = append(progress, corpus.Progress{
			DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageChunk, Slice: slices, Attempts: d.Attempt, Cause: d.Event.Cause(),
		})
		where = append(where, i)
		if waiting = append(waiting, evs...); len(waiting) >= publishAt {
			flush()
		}
	}
	flush()
	c.advance(ctx, s, progress, where, errs)
	return errs
}

// advance reports the documents whose slices are in the queue.
func (c *Consumer) advance(ctx context.Context, s tenants.Scope, ps []corpus.Progress, where []int, errs []error) {
	done := ps[:0]
	var of []int
	for k, p := range ps {
		if errs[where[k]] == nil {
			done, of = append(done, p), append(of, where[k])
		}
	}
	if len(done) == 0 {
		return
	}
	if _, err := c.ledger.Advance(ctx, s, done); err != nil {
		for _, i := range of {
			errs[i] = err
		}
	}
}

// cut makes the events that carry a document's chunks.
func (c *Consumer) cut(ctx context.Context, s tenants.Scope, d delivery) (events.Slice, []events.Event, error) {
	f := d.Fact
	model, err := llm.FindEmbedding(f.Model)
	if err != nil {
		return events.Slice{}, nil, err
	}
	text, err := c.texts.Get(ctx, s, f.TextKey)
	if err != nil {
		return events.Slice{}, nil, err
	}
	chunks, err := chunk.Split(text, f.ContentType, options(f.Chunking, model))
	if err != nil {
		return events.Slice{}, nil, err
	}
	if len(chunks) == 0 {
		return events.Slice{}, nil, fault.Invalidf("text", "document_empty", "there is no text to search in")
	}
	parts, err := slice(chunks, f.About, model)
	if err != nil {
		return events.Slice{}, nil, err
	}
	evs := make([]events.Event, len(parts))
	all := events.Slice{Slices: len(parts), Chunks: len(chunks)}
	for k, p := range parts {
		fact := events.DocumentChunked{DocumentRef: f.DocumentRef, About: f.About, Slice: all, Model: f.Model, Parts: p}
		fact.Slice.Slice = k
		if evs[k], err = events.New(s, "consumers", d.Event.Cause(), c.now(), fact); err != nil {
			return events.Slice{}, nil, fmt.Errorf("slice %d: %w", k, err)
		}
	}
	return all, evs, nil
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
