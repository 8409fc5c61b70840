package intake

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

// Intake takes documents in. It is safe for concurrent use.
type Intake struct {
	texts  corpus.Texts
	ledger corpus.Ledger
	newID  func() string
}

// Options tunes an Intake.
type Options struct {
	// NewID makes ids of documents and jobs. They are to be ordered by time: the ledger goes by that order when it sends
	// and when it cleans up. Default: UUIDs of version 7.
	NewID func() string
}

var _ imports.Preparer = (*Intake)(nil)

// New makes an intake. The options may be nil.
func New(texts corpus.Texts, ledger corpus.Ledger, o *Options) *Intake {
	in := &Intake{texts: texts, ledger: ledger, newID: newUUID}
	if o != nil && o.NewID != nil {
		in.newID = o.NewID
	}
	return in
}

func newUUID() string { return uuid.Must(uuid.NewV7()).String() }

// Submit takes a draft in. When it returns a receipt the document is safe: it will be searchable or fail with a
// reason, and its job tells which. Mistakes in the draft are fault.Invalid with the field; the ledger's faults are
// those of corpus.Submit.
func (in *Intake) Submit(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Receipt, error) {
	for again := 0; ; again++ {
		sub, err := in.Prepare(ctx, s, d)
		if err != nil {
			return corpus.Receipt{}, err
		}
		receipt, err := corpus.Submit(ctx, in.ledger, s, sub)
		if sub.TextKey != "" && unused(receipt, sub.JobID, err) {
			// A failure leaves an object that nobody refers to; the answer to the client is the same.
			_ = in.texts.Delete(ctx, s, sub.TextKey)
		}
		if err != nil && fault.As(err).Code == "text_erased" && again < maxAgain {
			d.JobID = "" // the document was erased between store and ledger, and the text with it: this takes another job
			continue
		}
		if err != nil {
			return corpus.Receipt{}, fmt.Errorf("submit the document: %w", err)
		}
		return receipt, nil
	}
}

// maxAgain is how often a text is stored again that an erasure has taken.
const maxAgain = 3

// Prepare implements imports.Preparer: it checks a draft, stores what it brought and makes a submission of it, with an object of its
// own. Of a submission that the ledger does not take the object is of no use.
func (in *Intake) Prepare(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Submission, error) {
	if err := s.Check(); err != nil {
		return corpus.Submission{}, err
	}
	if err := check(d); err != nil {
		return corpus.Submission{}, err
	}
	docID, jobID := in.names(d)
	return in.store(ctx, s, d, docID, jobID)
}

// names are the ids of a draft's document and job: the client's, or new ones.
func (in *Intake) names(d corpus.Draft) (docID, jobID string) {
	if docID = d.DocID; docID == "" {
		docID = in.newID()
	}
	if jobID = d.JobID; jobID == "" {
		jobID = in.newID()
	}
	return docID, jobID
}

// store stores the text of a draft that was checked, and makes the submission.
func (in *Intake) store(ctx context.Context, s tenants.Scope, d corpus.Draft, docID, jobID string) (corpus.Submission, error) {
	textSum := corpus.Sum(d.Text)
	requestHash, err := hash(d, textSum)
	if err != nil {
		return corpus.Submission{}, err
	}
	sub := corpus.Submission{
		DocID: docID, JobID: jobID, About: d.About, ContentType: d.ContentType,
		Model: d.Model, Chunking: d.Chunking, Cause: d.Cause, RequestHash: requestHash, Pace: d.Pace, Moved: d.Moved,
	}
	if d.Fetch != "" {
		sub.Fetch = &events.Fetch{URL: d.Fetch}
		return sub, nil
	}
	sub.TextKey, sub.Text, sub.Bytes, sub.SHA256 = corpus.TextKey(docID, jobID, textSum), travelling(d), len(d.Text), textSum
	if err := in.texts.Put(ctx, s, sub.TextKey, d.Text, d.ContentType); err != nil {
		return corpus.Submission{}, fmt.Errorf("store the text: %w", err)
	}
	return sub, nil
}

// maxTravelling is how long a text may be, as JSON, to travel with its event. It stays far below what a queue takes, so
// that many such events leave in one batch; a longer one is read from the store by whoever handles the event.
const maxTravelling = 16 << 10

// travelling is the text if it may travel, else nothing. Other formats than text are read from the store.
func travelling(d corpus.Draft) string {
	if len(d.Text) > maxTravelling || !corpus.Ready(d.ContentType, d.Text) || corpus.EncodedLen(string(d.Text)) > maxTravelling {
		return ""
	}
	return string(d.Text)
}

// unused reports whether the ledger has surely not taken what was submitted for a job: it knew it already, or refused it.
func unused(r corpus.Receipt, jobID string, err error) bool {
	if err == nil {
		return r.JobID != jobID || r.Unchanged
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Denied, fault.Conflict, fault.Limited:
		return true
	}
	return false
}
