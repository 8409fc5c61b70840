package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

// Ports are what a Receiver needs. All are required.
type Ports struct {
	Secrets   tenants.Secrets
	Intake    Intake
	Catalogue Catalogue
	Imports   Imports
	Witness   corpus.Witness
	// Draft reads a document as POST /ingest takes it. The body is its own.
	Draft func(c *tenants.Config, body []byte) (corpus.Draft, error)
	// Afford refuses what the tenant's budgets have no room for now: texts of about so many bytes.
	Afford func(ctx context.Context, s tenants.Scope, c *tenants.Config, bytes int) error
}

// Intake takes many documents in, and says of each what became of it; intake.Intake does.
type Intake interface {
	SubmitAll(ctx context.Context, s tenants.Scope, drafts []corpus.Draft) ([]corpus.Outcome, error)
}

// Catalogue is what the Receiver needs of corpus.Catalogue.
type Catalogue interface {
	Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error)
}

// Imports opens imports; batch.Door does.
type Imports interface {
	Open(ctx context.Context, s tenants.Scope, o imports.Origin, source string, cause events.Cause) (imports.Accepted, error)
}

// Options tunes a Receiver.
type Options struct {
	Now   func() time.Time // default time.Now
	NewID func() string    // of jobs, ordered by time; default UUIDs of version 7
}

// Receiver takes deliveries in. It is safe for concurrent use.
type Receiver struct {
	Ports
	now   func() time.Time
	newID func() string
}

// New makes a receiver. The options may be nil.
func New(p Ports, o *Options) *Receiver {
	rc := &Receiver{Ports: p, now: time.Now, newID: func() string { return uuid.Must(uuid.NewV7()).String() }}
	if o != nil && o.Now != nil {
		rc.now = o.Now
	}
	if o != nil && o.NewID != nil {
		rc.newID = o.NewID
	}
	return rc
}

// Inspect refuses what can be refused before the body is read: headers of the signature that are missing or malformed, a time
// outside of the window.
func (rc *Receiver) Inspect(header map[string][]string) error {
	_, err := readSigned(header, rc.now())
	return err
}

// Receive takes the events of a delivery. A delivery that is not signed by the source is fault.Denied, code signature_invalid. An
// error is about the whole delivery, which may be sent again; in the modes of one event it may be about that.
func (rc *Receiver) Receive(ctx context.Context, s tenants.Scope, c *tenants.Config, d corpus.Delivery) (corpus.Delivered, error) {
	var done corpus.Delivered
	if err := s.Check(); err != nil {
		return done, err
	}
	if err := rc.authenticate(ctx, s, d); err != nil {
		return done, err
	}
	if d.Admit != nil {
		if err := d.Admit(); err != nil {
			return done, err
		}
	}
	if err := rc.Afford(ctx, s, c, len(d.Body)); err != nil {
		return done, err
	}
	list, batch, err := readEvents(d.Header, d.Body)
	if err != nil {
		return done, err
	}
	if err := rc.bind(ctx, s, d, list); err != nil {
		return done, err
	}
	items := make([]*item, len(list))
	r := reader{config: c, source: d.Source, draft: rc.Draft}
	for i, each := range list {
		items[i] = &item{index: i, event: each.event, err: each.err}
		if each.err == nil {
			items[i].cause = causeOf(d.Cause, d.Source.ID, each.event)
			items[i].meaning, items[i].err = r.read(each.event)
		}
	}
	if err := rc.take(ctx, s, d.Source.ID, items); err != nil {
		return done, err
	}
	return report(items, batch)
}

// authenticate verifies the signature with each secret of the source.
func (rc *Receiver) authenticate(ctx context.Context, s tenants.Scope, d corpus.Delivery) error {
	signed, err := readSigned(d.Header, rc.now())
	if err != nil {
		return err
	}
	var keys [][]byte
	for _, name := range d.Source.Webhook.Secrets {
		secret, err := rc.Secrets.Secret(ctx, s, name)
		if fault.Is(err, fault.NotFound) {
			continue // it was named a moment ago and is not published yet: another may verify
		}
		if err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
		key, err := tenants.ParseSecret(secret)
		if err != nil {
			return fault.New(fault.Internal, "secret_broken", name, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return fault.Unavailablef(nil, "secrets_unavailable", "the secrets of the source are not published")
	}
	return signed.verify(d.Body, keys)
}

// bind makes the attributes of a binary event part of what its message's id stands for. The signature does not cover them, so whoever
// has seen a delivery could send it again as another event.
func (rc *Receiver) bind(ctx context.Context, s tenants.Scope, d corpus.Delivery, list []read) error {
	if len(list) != 1 || !list[0].binary || list[0].err != nil {
		return nil
	}
	ev := list[0].event
	digest := digestOf(ev.Source(), ev.ID(), ev.Type(), ev.Subject(), ev.DataContentType())
	id := d.Header[headerID][0] // there is one: the signature was verified
	return rc.Witness.Attest(ctx, s, "webhook:"+d.Source.ID+":"+digestOf(id), digest)
}

// item is one event on its way through a delivery.
type item struct {
	index int
	event *cloudevents.Event // nil when it could not be read
	cause events.Cause
	meaning
	receipt corpus.Receipt
	err     error // why it is not taken
}

// refuse takes an error that is about the event alone. What is returned ends the delivery.
func (it *item) refuse(err error) error {
	var f *fault.Error
	if err == nil || !errors.As(err, &f) || fault.Retryable(err) {
		return err
	}
	it.err = inData(err)
	if it.foreign { // the data is the document
		moved := *f
		moved.Field = "data"
		it.err = &moved
	}
	return nil
}

// take does what the events mean, in their order: documents that follow each other are submitted together.
func (rc *Receiver) take(ctx context.Context, s tenants.Scope, source string, items []*item) error {
	var documents []*item
	for _, it := range items {
		switch {
		case it.err != nil:
			continue
		case it.draft != nil:
			documents = append(documents, it)
			continue
		}
		if err := rc.submit(ctx, s, documents); err != nil {
			return err
		}
		documents = nil
		if err := rc.alone(ctx, s, source, it); err != nil {
			return err
		}
	}
	return rc.submit(ctx, s, documents)
}

func (rc *Receiver) submit(ctx context.Context, s tenants.Scope, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	drafts := make([]corpus.Draft, len(items))
	for i, it := range items {
		drafts[i] = *it.draft
		drafts[i].Cause, drafts[i].KeyAlone = it.cause, true // source and id are the event: see the package's comment
	}
	outs, err := rc.Intake.SubmitAll(ctx, s, drafts)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	for i, it := range items {
		it.receipt = outs[i].Receipt
		if outs[i].Fault == nil {
			continue
		}
		if err := it.refuse(outs[i].Fault); err != nil {
			return err
		}
	}
	return nil
}

// alone does what is not a submission.
func (rc *Receiver) alone(ctx context.Context, s tenants.Scope, source string, it *item) error {
	if it.origin != nil {
		opened, err := rc.Imports.Open(ctx, s, *it.origin, source, it.cause)
		it.receipt = corpus.Receipt{JobID: opened.Job.ID, Replayed: opened.Replayed}
		return it.refuse(err)
	}
	r, err := rc.Catalogue.Delete(ctx, s, corpus.Deletion{DocID: it.deletes, JobID: rc.newID(), Cause: it.cause})
	it.receipt = r // without a job when there is no such document: it is as the source wants it
	return it.refuse(err)
}

// report sorts the events by what became of them. In the modes of one event its error is that of the delivery.
func report(items []*item, batch bool) (corpus.Delivered, error) {
	done := corpus.Delivered{Batch: batch, Accepted: []corpus.AcceptedEvent{}, Refused: []corpus.RefusedEvent{}}
	for _, it := range items {
		switch {
		case it.err == nil:
			done.Accepted = append(done.Accepted, corpus.AcceptedEvent{
				Index: it.index, EventID: it.event.ID(), DocID: it.receipt.DocID, JobID: it.receipt.JobID, Duplicate: it.receipt.Replayed,
			})
		case it.foreign && holdsNothing(it.err):
			done.Ignored = append(done.Ignored, it.refused())
		case !batch:
			return corpus.Delivered{}, it.err
		default:
			done.Refused = append(done.Refused, it.refused())
		}
	}
	return done, nil
}

// holdsNothing reports whether a document was refused because there is nothing in it that could be searched.
func holdsNothing(err error) bool {
	switch fault.As(err).Code {
	case "content_type_unsupported", "document_empty":
		return true
	}
	return false
}

func (it *item) refused() corpus.RefusedEvent {
	f := fault.As(it.err)
	refused := corpus.RefusedEvent{Index: it.index, Code: f.Code, Message: f.Message, Field: f.Field, Hint: f.Hint}
	if it.event != nil {
		refused.EventID = it.event.ID()
	}
	return refused
}

// traceOf is the trace that an event says it belongs to.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
func traceOf(ev *cloudevents.Event) string {
	parent, _ := ev.Extensions()["traceparent"].(string)
	if _, err := trace.Parse(parent); err != nil {
		return ""
	}
	return parent
}
