package book

import (
	"errors"
	"fmt"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// SubmitAll implements corpus.Ledger, but for the backlog of the queue, which only the adapter can see.
func (b *Book) SubmitAll(r rows.Tx, s tenants.Scope, subs []corpus.Submission) ([]corpus.Outcome, error) {
	c := b.begin(r, s)
	if err := c.writable(); err != nil {
		return nil, err
	}
	outs := make([]corpus.Outcome, len(subs))
	for i, sub := range subs {
		rec, err := c.submit(sub, "")
		if err := refusal(err, &outs[i]); err != nil {
			return nil, err
		}
		outs[i].Receipt = rec
	}
	return outs, c.close()
}

// refusal takes an error that is about one submission into its outcome. What is returned ends the call.
func refusal(err error, out *corpus.Outcome) error {
	if err == nil || !errors.As(err, &out.Fault) {
		return err
	}
	return nil
}

// submit opens the next generation of a document, which came by itself or with an import. When it refuses, it has written
// nothing.
func (c *change) submit(sub corpus.Submission, importID string) (corpus.Receipt, error) {
	if err := checkSubmission(sub); err != nil {
		return corpus.Receipt{}, err
	}
	if key := sub.Cause.IdempotencyKey; key != "" && importID == "" { // an import has one key for all, and is taken once
		if first, found, err := findReceipt(c.rows, key, c.now); err != nil || found {
			return first.replay(sub), errors.Join(err, first.conflict(found, sub.RequestHash))
		}
	}
	if first, found, err := submitted(c.rows, sub.DocID, sub.JobID); err != nil || found {
		return first, err
	}
	o, err := c.open(sub.DocID)
	if err != nil {
		return corpus.Receipt{}, err
	}
	if o == nil {
		o = c.add(sub.DocID)
		e, err := c.stateOfErasure()
		if err != nil {
			return corpus.Receipt{}, err
		}
		o.Last = e.Floor
	}
	t, err := c.turns()
	if err != nil {
		return corpus.Receipt{}, err
	}
	t.follow(sub.Pace)
	take := c.generate
	if o.unchanged(sub, &t.Spaces) {
		take = c.nothingToDo
	}
	rec, err := take(o, sub, importID)
	if err != nil || importID != "" {
		return rec, err
	}
	return rec, keepReceipt(c.rows, sub.Cause.IdempotencyKey, sub.RequestHash, rec, c.now)
}

// generate opens the next generation of a document, unless too much waits.
func (c *change) generate(o *open, sub corpus.Submission, importID string) (corpus.Receipt, error) {
	t, err := c.turns()
	if err != nil {
		return corpus.Receipt{}, err
	}
	if err := t.room(laneOf(importID, sub.Fetch != nil), units(sub.Bytes), c.now.UnixMilli()); err != nil {
		return corpus.Receipt{}, err
	}
	if sp := &t.Spaces; sp.Active == "" {
		sp.begin(sub.Model)
		t.dirty = true
	}
	sub.Model = t.Spaces.Active
	g := o.submit(sub, c.now)
	g.Epoch = t.Spaces.Epochs[g.Model]
	g.ImportID, g.Line, g.Units, g.Trace = importID, sub.Line, units(sub.Bytes), sub.Cause.TraceParent
	ev, err := events.New(c.scope, worker, sub.Cause, c.now, g.begins(o.document, sub.Text))
	if err != nil {
		return corpus.Receipt{}, err
	}
	o.dirty = true
	return corpus.Receipt{DocID: o.ID, JobID: g.JobID, Generation: g.Number}, errors.Join(
		rows.Write(c.rows, jobPrefix+g.JobID, jobRow{DocID: o.ID, Generation: g.Number, Created: g.Submitted}),
		c.queue(o, g, ev),
		c.thin(o),
	)
}

// maxOnTheirWay is how many versions of a document are on their way at once. They are in its row, of which SQLite takes 2 MB in an object.
const maxOnTheirWay = 16

// thin cancels a version on its way when there are too many: the newest but one. It is the one that has cost least, and nobody asks for it: what
// counts in the end is the newest. Those before it go on, so that a document which changes more often than its versions get through is
// searchable all the same, each time in a later one, and if the newest fails there is what came before.
func (c *change) thin(o *open) error {
	var last, butOne *generation
	n := 0
	for _, g := range o.Generations {
		if !g.State.OnItsWay() || !g.live() {
			continue
		}
		n++
		last, butOne = g, last
	}
	if n <= maxOnTheirWay {
		return nil
	}
	return c.cancel(o, butOne, "superseded", fmt.Sprintf("generation %d came while %d others were on their way", last.Number, maxOnTheirWay))
}

// begins is the fact that begins a generation's way, or what there is left of it: where its document is to be had, or is.
func (g *generation) begins(d *document, text string) events.Fact {
	var about events.About
	if g.About != nil {
		about = *g.About
	}
	if g.toFetch() {
		return events.DocumentRequested{
			DocumentRef: d.ref(g), About: about, ContentType: g.Fetch.Asked, Model: g.Model, Chunking: g.Chunking, Fetch: d.fetchOf(g),
		}
	}
	return events.DocumentSubmitted{
		DocumentRef: d.ref(g), About: about, ContentType: g.ContentType, TextKey: g.TextKey, Text: text,
		Bytes: g.Bytes, SHA256: g.SHA256, Model: g.Model, Chunking: g.Chunking,
	}
}

func checkSubmission(sub corpus.Submission) error {
	required := []struct{ field, value string }{
		{"docId", sub.DocID}, {"jobId", sub.JobID}, {"textKey", sub.TextKey}, {"contentType", sub.ContentType}, {"model", sub.Model},
	}
	for _, f := range required {
		if f.value == "" && (f.field != "textKey" || sub.Fetch == nil) {
			return fault.Invalidf(f.field, "submission_invalid", "is required")
		}
	}
	switch {
	case sub.Bytes < 0:
		return fault.Invalidf("bytes", "submission_invalid", "%d is below 0", sub.Bytes)
	case sub.Chunking.MaxTokens < 0 || sub.Chunking.OverlapTokens < 0:
		return fault.Invalidf("chunking", "submission_invalid", "has a negative number of tokens")
	}
	return nil
}
