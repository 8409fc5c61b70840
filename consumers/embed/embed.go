package embed

import (
	"context"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// Consumer embeds slices.
type Consumer struct {
	embedder llm.Embedder
	stores   corpus.Stores
	ledger   corpus.Ledger
	out      events.Publisher
	now      func() time.Time
}

// New makes the consumer. now tells the time of its events.
func New(embedder llm.Embedder, stores corpus.Stores, ledger corpus.Ledger, out events.Publisher, now func() time.Time) *Consumer {
	return &Consumer{embedder: embedder, stores: stores, ledger: ledger, out: out, now: now}
}

// memory is how many bytes a byte of text takes: its vectors are twice as long, and in an answer, an event, a message and a call by turns.
const memory = 16

// Route takes document.chunked.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{
		Type: events.TypeDocumentChunked, Name: "embed", Stage: corpus.StageEmbed, Memory: memory, Handle: consumers.Facts(c.Handle),
	}
}

type delivery = consumers.Of[events.DocumentChunked]

// Handle embeds the texts of all slices, in as few calls as the model allows, and publishes the slices that have all
// of their vectors.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	errs := make([]error, len(ds))
	for name, where := range byModel(ds, c.wanted(ctx, s, ds)) {
		c.embed(ctx, s, name, ds, where, errs)
	}
	return errs
}

// byModel are those that are wanted.
func byModel(ds []delivery, wanted []bool) map[string][]int {
	by := map[string][]int{}
	for i, d := range ds {
		if !wanted[i] {
			continue
		}
		by[d.Fact.Model] = append(by[d.Fact.Model], i)
	}
	return by
}

// embed does the slices of one model.
func (c *Consumer) embed(ctx context.Context, s tenants.Scope, name string, ds []delivery, where []int, errs []error) {
	model, err := llm.FindEmbedding(name)
	if err != nil {
		consumers.FailAt(errs, where, err)
		return
	}
	var texts []string
	var owner []int // the delivery of each text
	for _, i := range where {
		for _, p := range ds[i].Fact.Parts {
			texts, owner = append(texts, corpus.ToEmbed(ds[i].Fact.Title, p.Heading, p.Text)), append(owner, i)
		}
	}
	call := llm.Call{Model: name, Purpose: llm.ForDocument, RequestID: ds[where[0]].Event.ID}
	each, err := llm.EmbedEach(ctx, c.embedder, s, call, texts)
	if err != nil {
		consumers.FailAt(errs, where, err)
		return
	}
	for k, e := range each {
		if e.Err != nil {
			errs[owner[k]] = e.Err
		}
	}
	c.publish(ctx, s, model, ds, owner, each, errs)
}

// publish tells of the slices that are complete, in one call.
func (c *Consumer) publish(ctx context.Context, s tenants.Scope, m llm.EmbeddingModel, ds []delivery, owner []int, each []llm.Each, errs []error) {
	var evs []events.Event
	var of []int
	for first := 0; first < len(owner); {
		i := owner[first]
		f := ds[i].Fact
		vectors, took := make([][]float32, len(f.Parts)), int64(0)
		for k, e := range each[first : first+len(f.Parts)] {
			vectors[k], took = e.Vector, took+e.Tokens
		}
		first += len(f.Parts)
		if errs[i] != nil {
			continue
		}
		ev, err := events.New(s, "consumers", ds[i].Event.Cause(), c.now(), events.ChunksEmbedded{
			DocumentRef: f.DocumentRef, About: f.About, Slice: f.Slice, Model: f.Model, Dimensions: m.Dimensions, Tokens: took,
			Parts: f.Parts, Vectors: events.PackVectors(vectors),
		})
		if err != nil {
			errs[i] = err
			continue
		}
		evs, of = append(evs, ev), append(of, i)
	}
	if len(evs) == 0 {
		return
	}
	if err := c.out.Publish(ctx, s, evs...); err != nil {
		consumers.FailAt(errs, of, err)
	}
}
