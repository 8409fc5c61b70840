package index

import (
	"context"
	"fmt"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// Consumer indexes slices.
type Consumer struct {
	corpus.Stores
	ledger corpus.Ledger
	out    events.Publisher
	now    func() time.Time
}

// New makes the consumer. now tells the time of its events.
func New(stores corpus.Stores, ledger corpus.Ledger, out events.Publisher, now func() time.Time) *Consumer {
	return &Consumer{Stores: stores, ledger: ledger, out: out, now: now}
}

// memory is how many bytes a byte of an event takes: vectors and texts are in a fact, a batch and a call.
const memory = 3

// Route takes chunks.embedded.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{
		Type: events.TypeChunksEmbedded, Name: "index", Stage: corpus.StageIndex, Memory: memory, Handle: consumers.Facts(c.Handle),
	}
}

type delivery = consumers.Of[events.ChunksEmbedded]

// Handle writes the vectors of all slices, then their passages, tells the ledger in one call, and does what the verdicts say. The order is
// what makes it safe: written first and then reported, so whatever the ledger retires later is known to it, and a slice
// that came too late is removed by its own writer.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	errs := make([]error, len(ds))
	c.upsert(ctx, s, ds, errs)
	c.put(ctx, s, ds, errs)

	var ps []corpus.Progress
	var where []int
	for i, d := range ds {
		if errs[i] == nil {
			ps, where = append(ps, progress(d)), append(where, i)
		}
	}
	if len(ps) == 0 {
		return errs
	}
	verdicts, err := c.ledger.Advance(ctx, s, ps)
	if err != nil {
		consumers.FailAt(errs, where, err)
		return errs
	}
	c.remove(ctx, s, ds, where, verdicts, errs)
	c.tell(ctx, s, ds, where, verdicts, errs)
	return errs
}

func progress(d delivery) corpus.Progress {
	return corpus.Progress{
		DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageIndex, Slice: d.Fact.Slice, Attempts: d.Attempt,
		Embedded: d.Event.Time, Cost: cost(d.Fact), Cause: d.Event.Cause(),
	}
}

// cost is what the slice took, at the model's price of today.
func cost(f events.ChunksEmbedded) job.Cost {
	c := job.Cost{Tokens: f.Tokens}
	if model, err := llm.FindEmbedding(f.Model); err == nil {
		c.Nanos = f.Tokens * model.Price
	}
	return c
}

// upsert writes the vectors, gathered up to what one call takes. A slice is never divided.
func (c *Consumer) upsert(ctx context.Context, s tenants.Scope, ds []delivery, errs []error) {
	byModel := map[string][]int{}
	vectors := make([][]corpus.Vector, len(ds))
	for i, d := range ds {
		if vectors[i], errs[i] = unpack(s, d.Fact); errs[i] == nil {
			byModel[d.Fact.Model] = append(byModel[d.Fact.Model], i)
		}
	}
	for model, where := range byModel {
		for _, call := range gather(where, vectors) {
			for k, err := range fault.Isolate(len(call), func(from, to int) error {
				var vs []corpus.Vector
				for _, i := range call[from:to] {
					vs = append(vs, vectors[i]...)
				}
				return c.Vectors.Upsert(ctx, s, model, vs)
			}) {
				errs[call[k]] = err
			}
		}
	}
}

// gather divides slices into calls of at most corpus.MaxWrite vectors.
func gather(where []int, vectors [][]corpus.Vector) [][]int {
	var calls [][]int
	size := corpus.MaxWrite
	for _, i := range where {
		if size += len(vectors[i]); size > corpus.MaxWrite {
			calls, size = append(calls, nil), len(vectors[i])
		}
		last := &calls[len(calls)-1]
		*last = append(*last, i)
	}
	return calls
}

// unpack makes the vectors of a slice.
func unpack(s tenants.Scope, f events.ChunksEmbedded) ([]corpus.Vector, error) {
	if len(f.Parts) > corpus.MaxWrite {
		return nil, fault.Invalidf("parts", "fact_invalid", "%d parts in one slice", len(f.Parts))
	}
	vs := make([]corpus.Vector, len(f.Parts))
	for i, p := range f.Parts {
		m, err := metadata(f, p)
		if err != nil {
			return nil, err
		}
		vs[i] = corpus.VectorOf(s, m, f.Vector(i))
	}
	return vs, nil
}

// metadata is what both indexes show of a chunk.
func metadata(f events.ChunksEmbedded, p events.Chunk) (corpus.Metadata, error) {
	m, err := corpus.FitMetadata(corpus.Metadata{
		DocID: f.DocID, Generation: f.Generation, Chunk: p.Index, Start: p.Start, End: p.End,
		Text: p.Text, Heading: p.Heading, Source: f.Source, Meta: f.Metadata,
	})
	if err != nil {
		return m, fmt.Errorf("chunk %d: %w", p.Index, err)
	}
	return m, nil
}

// remove takes away what stale deliveries have just written and what generations that were replaced have left.
func (c *Consumer) remove(ctx context.Context, s tenants.Scope, ds []delivery, where []int, verdicts []corpus.Verdict, errs []error) {
	stale := map[string][]string{}
	var unread []corpus.Generation
	var staleOf, retiredOf []int
	var retired []corpus.Retirement
	seen := map[events.DocumentRef]bool{}
	for k, v := range verdicts {
		f := ds[where[k]].Fact
		if v.Stale {
			for _, p := range f.Parts {
				stale[f.Model] = append(stale[f.Model], corpus.VectorID(s, f.DocID, f.Generation, p.Index))
			}
			unread = append(unread, corpus.Generation{DocID: f.DocID, Generation: f.Generation})
			staleOf = append(staleOf, where[k])
		}
		for _, r := range v.Retired {
			if ref := (events.DocumentRef{DocID: f.DocID, Generation: r.Generation}); !seen[ref] {
				seen[ref] = true
				retired = append(retired, corpus.Retirement{DocID: f.DocID, Retired: r})
			}
		}
		if len(v.Retired) > 0 {
			retiredOf = append(retiredOf, where[k])
		}
	}
	if err := corpus.DeleteVectors(ctx, s, c.Vectors, stale); err != nil {
		consumers.FailAt(errs, staleOf, err)
	} else if err := corpus.RemovePassages(ctx, s, c.Lexicon, unread); err != nil {
		consumers.FailAt(errs, staleOf, err)
	}
	if err := corpus.Erase(ctx, s, c.Stores, c.ledger, retired); err != nil {
		consumers.FailAt(errs, retiredOf, err)
	}
}

// tell publishes document.indexed for every generation that is searchable, in one call. The fact follows from the job,
// not from the slice that happened to be last, so that telling it again, for another slice, is the same event.
func (c *Consumer) tell(ctx context.Context, s tenants.Scope, ds []delivery, where []int, verdicts []corpus.Verdict, errs []error) {
	var evs []events.Event
	var of []int
	told := map[events.DocumentRef]bool{}
	for k, v := range verdicts {
		i := where[k]
		f := ds[i].Fact
		if !v.Complete || errs[i] != nil {
			continue
		}
		of = append(of, i)
		if told[f.DocumentRef] {
			continue
		}
		told[f.DocumentRef] = true
		cause := ds[i].Event.Cause()
		cause.ID = f.JobID
		ev, err := events.New(s, "consumers", cause, c.now(), events.DocumentIndexed{
			DocumentRef: f.DocumentRef, Chunks: f.Chunks, Model: f.Model,
		})
		if err != nil {
			errs[i] = err
			continue
		}
		evs = append(evs, ev)
	}
	if len(evs) == 0 {
		return
	}
	if err := c.out.Publish(ctx, s, evs...); err != nil {
		consumers.FailAt(errs, of, err)
	}
}
