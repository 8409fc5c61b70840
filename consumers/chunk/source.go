package chunk

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/extract"
)

// fetchesAtOnce is how many documents of a batch are fetched at a time. Each is in memory whole until it is stored.
const fetchesAtOnce = 3

// largeDocument is from where on a document is a good part of a Worker's memory.
const largeDocument = 1 << 20

// fetch gets the documents of a batch that are not here yet and stores them, then tells the ledger, whose verdicts say what each
// is made of. It fills in the facts as if the documents had been brought. What is not to be cut is in skip.
func (b *batch) fetch(ctx context.Context, ds []delivery) (skip []bool) {
	skip = make([]bool, len(ds))
	var of []int
	for i, d := range ds {
		if d.Fact.Fetch != nil {
			of = append(of, i)
		}
	}
	of = b.fetchRound(ctx, ds, of, skip, true)
	b.fetchRound(ctx, ds, of, skip, false) // those that turned out to be needed whatever the server says
	return skip
}

// fetchRound fetches some documents and returns those that are unchanged and needed all the same.
func (b *batch) fetchRound(ctx context.Context, ds []delivery, of []int, skip []bool, conditions bool) (again []int) {
	if len(of) == 0 {
		return nil
	}
	progress := make([]corpus.Progress, len(ds))
	var eg errgroup.Group
	eg.SetLimit(fetchesAtOnce)
	var mu sync.Mutex
	for _, i := range of {
		eg.Go(func() error {
			p, err := b.fetchOne(ctx, b.scope, ds[i].Fact, conditions)
			mu.Lock()
			defer mu.Unlock()
			b.errs[i] = consumers.At(corpus.StageFetch, err)
			p.DocumentRef, p.Stage, p.Attempts, p.Cause = ds[i].Fact.DocumentRef, corpus.StageFetch, ds[i].Attempt, ds[i].Event.Cause()
			progress[i] = p
			return nil
		})
	}
	_ = eg.Wait()
	var told []int
	var ps []corpus.Progress
	for _, i := range of {
		if b.errs[i] == nil {
			told, ps = append(told, i), append(ps, progress[i])
		}
	}
	if len(ps) == 0 {
		return nil
	}
	verdicts, err := b.ledger.Advance(ctx, b.scope, ps)
	if err != nil {
		consumers.FailAt(b.errs, told, consumers.At(corpus.StageFetch, err))
		return nil
	}
	for k, i := range told {
		v := verdicts[k]
		if err := b.unneeded(ctx, progress[i], v); err != nil {
			b.errs[i] = consumers.At(corpus.StageFetch, err)
			continue
		}
		switch {
		case v.Stale:
			skip[i] = true
		case v.Fetched != nil:
			f := &ds[i].Fact
			f.TextKey, f.ContentType, f.SHA256, f.Bytes = v.Fetched.TextKey, v.Fetched.ContentType, v.Fetched.SHA256, v.Fetched.Bytes
		case conditions:
			again = append(again, i)
		default:
			b.errs[i] = consumers.At(corpus.StageFetch, fault.Unavailablef(nil, "fetch_failed", "the server says that the document is what it was, and nothing is known of it"))
		}
	}
	return again
}

// unneeded removes what was stored of a document that came another time, or too late.
func (b *batch) unneeded(ctx context.Context, p corpus.Progress, v corpus.Verdict) error {
	switch stored := p.Fetched; {
	case v.Stale: // also what an earlier delivery has stored, which may have been another page
		return corpus.Tidy(ctx, b.scope, b.texts, b.ledger, []string{p.DocID})
	case stored != nil && (v.Fetched == nil || v.Fetched.TextKey != stored.TextKey):
		return b.texts.Delete(ctx, b.scope, stored.TextKey)
	}
	return nil
}

// fetchOne gets one document. With conditions it is content to learn that the document is what it was.
func (c *Consumer) fetchOne(ctx context.Context, s tenants.Scope, f events.DocumentSubmitted, conditions bool) (corpus.Progress, error) {
	var o corpus.FetchOptions
	if conditions {
		o.ETag, o.Modified = f.Fetch.ETag, f.Fetch.Modified
	}
	got, err := c.fetcher.Fetch(ctx, s, f.Fetch.URL, o)
	if err != nil {
		return corpus.Progress{}, fmt.Errorf("fetch %s: %w", f.DocID, err)
	}
	if got.Unchanged {
		return corpus.Progress{Unchanged: true}, nil
	}
	if f.ContentType != corpus.OctetStream {
		got.ContentType = f.ContentType // the client knows better
	}
	if _, err := corpus.FormatOf(got.ContentType); err != nil {
		return corpus.Progress{}, err
	}
	sum := corpus.Sum(got.Body)
	if conditions && sum == f.Fetch.SHA256 {
		return corpus.Progress{Unchanged: true}, nil
	}
	key := corpus.TextKey(f.DocID, f.JobID, sum)
	if err := c.texts.Put(ctx, s, key, got.Body, got.ContentType); err != nil {
		return corpus.Progress{}, fmt.Errorf("store the document: %w", err)
	}
	return corpus.Progress{Fetched: &corpus.Original{
		TextKey: key, ContentType: got.ContentType, SHA256: sum, Bytes: len(got.Body), ETag: got.ETag, Modified: got.Modified,
	}}, nil
}

// text is what is to be cut of a document: itself, or what is taken out of it, which is stored beside it.
func (c *Consumer) text(ctx context.Context, s tenants.Scope, f events.DocumentSubmitted) (text []byte, contentType string, d *corpus.Derived, err error) {
	if f.Text != "" { // it travelled
		return []byte(f.Text), f.ContentType, nil, nil
	}
	data, err := c.texts.Get(ctx, s, f.TextKey)
	if err != nil {
		return nil, "", nil, err
	}
	if corpus.Ready(f.ContentType, data) {
		return data, f.ContentType, nil, nil
	}
	large := len(data) > largeDocument
	if large {
		runtime.GC() // what the last one has left goes now: a few allocations of this size outrun the collector
	}
	t, err := extract.Extract(f.ContentType, data)
	if err != nil {
		return nil, "", nil, err
	}
	if data = nil; large {
		runtime.GC()
	}
	sum := corpus.Sum(t.Body)
	d = &corpus.Derived{TextKey: corpus.DerivedKey(f.TextKey, sum), ContentType: t.ContentType, SHA256: sum, Bytes: len(t.Body), Title: t.Title}
	if err := c.texts.Put(ctx, s, d.TextKey, t.Body, t.ContentType); err != nil {
		return nil, "", nil, fmt.Errorf("store the text: %w", err)
	}
	return t.Body, t.ContentType, d, nil
}
