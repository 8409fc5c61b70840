package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// patience is how long a server may take to begin its answer, the first time it is asked; each further time it has as much more. One that does not
// answer keeps a place for seconds, and one that is slow is waited for in the end.
const patience = 5 * time.Second

// Consumer fetches documents.
type Consumer struct {
	texts   corpus.Texts
	ledger  corpus.Ledger
	fetcher corpus.Fetcher
	out     events.Publisher
	now     func() time.Time
	room    *consumers.Room
	turns   *turns
}

// New makes the consumer. now tells the time of its events.
func New(texts corpus.Texts, ledger corpus.Ledger, fetcher corpus.Fetcher, out events.Publisher, now func() time.Time) *Consumer {
	return &Consumer{texts: texts, ledger: ledger, fetcher: fetcher, out: out, now: now, turns: newTurns()}
}

// Within makes the consumer keep to a room that it shares with others, and returns it.
func (c *Consumer) Within(r *consumers.Room) *Consumer {
	c.room = r
	return c
}

// Route takes document.requested.
func (c *Consumer) Route() consumers.Route {
	return consumers.Route{
		Type: events.TypeDocumentRequested, Name: "fetch", Stage: corpus.StageFetch, Handle: consumers.Facts(c.Handle),
	}
}

type delivery = consumers.Of[events.DocumentRequested]

// Handle fetches one document after the other; the queue gives it one at a time, so none waits for another.
func (c *Consumer) Handle(ctx context.Context, s tenants.Scope, ds []delivery) []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = c.one(ctx, s, d)
	}
	return errs
}

// one fetches a document, unless nobody waits for it any more or it is here already: the ledger is asked first. What is to go on is
// what the ledger says it was fetched as.
func (c *Consumer) one(ctx context.Context, s tenants.Scope, d delivery) error {
	v, err := c.tell(ctx, s, corpus.Progress{DocumentRef: d.Fact.DocumentRef, Stage: corpus.StageSubmit}) // says nothing, and is answered
	for _, conditions := range [...]bool{true, false} {                                                   // once more when it turns out to be needed whatever the server says
		if err == nil && !v.Stale && v.Fetched == nil {
			v, err = c.get(ctx, s, d, conditions)
		}
	}
	switch {
	case err != nil || v.Complete:
		return err
	case v.Stale: // also what an earlier delivery has stored goes, which may have been another page
		return corpus.Tidy(ctx, s, c.texts, c.ledger, []string{d.Fact.DocID})
	case v.Fetched == nil:
		return fault.Unavailablef(nil, "fetch_failed", "the server says that the document is what it was, and nothing is known of it")
	}
	f := d.Fact
	ev, err := events.New(s, "consumers", d.Event.Cause(), c.now(), events.DocumentSubmitted{
		DocumentRef: f.DocumentRef, About: f.About, Model: f.Model, Chunking: f.Chunking,
		ContentType: v.Fetched.ContentType, TextKey: v.Fetched.TextKey, Bytes: v.Fetched.Bytes, SHA256: v.Fetched.SHA256,
	})
	if err != nil {
		return err
	}
	return c.out.Publish(ctx, s, ev)
}

func (c *Consumer) tell(ctx context.Context, s tenants.Scope, p corpus.Progress) (corpus.Verdict, error) {
	verdicts, err := c.ledger.Advance(ctx, s, []corpus.Progress{p})
	if err != nil {
		return corpus.Verdict{}, err
	}
	return verdicts[0], nil
}

// get fetches a document, stores it and tells the ledger. With conditions it is content to learn that the document is what it was. What was
// stored and is not what the generation is made of, since another delivery was first, goes again.
func (c *Consumer) get(ctx context.Context, s tenants.Scope, d delivery, conditions bool) (corpus.Verdict, error) {
	guest := &visit{Consumer: c, tenant: s.Tenant()}
	defer guest.end()
	p, err := c.fetch(ctx, s, d, guest, conditions)
	if err != nil {
		return corpus.Verdict{}, err
	}
	p.DocumentRef, p.Stage, p.Attempts, p.Cause = d.Fact.DocumentRef, corpus.StageFetch, d.Attempt, d.Event.Cause()
	v, err := c.tell(ctx, s, p)
	if err != nil {
		return v, err
	}
	if stored := p.Fetched; stored != nil && v.Fetched != nil && v.Fetched.TextKey != stored.TextKey {
		err = c.texts.Delete(ctx, s, stored.TextKey)
	}
	return v, err
}

// ask asks the server. While there is no room for what it has, nobody keeps it waiting.
func (c *Consumer) ask(ctx context.Context, s tenants.Scope, url string, guest *visit, o corpus.FetchOptions) (corpus.Fetched, error) {
	ctx, guest.recall = context.WithCancelCause(ctx)
	defer guest.recall(nil)
	o.Large = guest.large
	got, err := c.fetcher.Fetch(ctx, s, url, o)
	if errors.Is(err, errBusy) && guest.enter(ctx, longest) == nil {
		got, err = c.fetcher.Fetch(ctx, s, url, o)
	}
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		err = errSlow
	}
	return got, err
}

func (c *Consumer) fetch(ctx context.Context, s tenants.Scope, d delivery, guest *visit, conditions bool) (corpus.Progress, error) {
	f := d.Fact
	o := corpus.FetchOptions{Patience: time.Duration(max(1, d.Attempt)) * patience}
	if conditions {
		o.ETag, o.Modified = f.Fetch.ETag, f.Fetch.Modified
	}
	got, err := c.ask(ctx, s, f.Fetch.URL, guest, o)
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
