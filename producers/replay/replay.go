package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

// Catalogue is as much of corpus.Catalogue as a replay needs.
type Catalogue interface {
	Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error)
	Resubmit(ctx context.Context, s tenants.Scope, r corpus.Resubmission) (corpus.Receipt, error)
}

// Replayer has letters sent again. It is safe for concurrent use.
type Replayer struct {
	box       letters.Box
	receipts  letters.Receipts
	catalogue Catalogue
	newID     func() string
}

// Options tunes a Replayer.
type Options struct {
	// NewID makes ids of jobs, which are to be ordered by time. Default: UUIDs of version 7.
	NewID func() string
}

// New makes a replayer. The options may be nil.
func New(box letters.Box, receipts letters.Receipts, catalogue Catalogue, o *Options) *Replayer {
	r := &Replayer{box: box, receipts: receipts, catalogue: catalogue, newID: newUUID}
	if o != nil && o.NewID != nil {
		r.newID = o.NewID
	}
	return r
}

func newUUID() string { return uuid.Must(uuid.NewV7()).String() }

// pageSize is how many letters are marked together: what a crash leaves to be done again.
const pageSize = 50

// Replay counts the letters that match and were not replayed, and, unless it is a dry run, has them sent again, oldest first,
// as many as the limit says. Each goes out once, however often Replay runs or where it dies: a document begins anew only
// while the generation that failed is its newest, and a message leaves the box in the transaction that marks its letter.
//
// A letter that cannot be sent again is skipped with a reason and stays as it is. When a store does not answer, what was done
// before is done, and the answer says so; when nothing was, the error is returned.
func (r *Replayer) Replay(ctx context.Context, s tenants.Scope, a letters.Replay) (letters.Replayed, error) {
	if err := check(&a); err != nil {
		return letters.Replayed{}, err
	}
	if a.DryRun || a.Cause.IdempotencyKey == "" {
		return r.run(ctx, s, a)
	}
	key, hash := a.Cause.IdempotencyKey, digest(a)
	first, err := r.receipts.Open(ctx, s, key, hash)
	if err != nil {
		return letters.Replayed{}, fmt.Errorf("idempotency key: %w", err)
	}
	if first != nil {
		out := letters.Replayed{}
		err := json.Unmarshal(first, &out)
		out.Repeated = true
		return out, err
	}
	out, err := r.run(ctx, s, a)
	if err != nil {
		return out, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return out, err
	}
	if err := r.receipts.Close(ctx, s, key, answer); err != nil {
		return out, fmt.Errorf("idempotency key: %w", err)
	}
	return out, nil
}

// check fills in what was left open, and reports what is wrong.
func check(a *letters.Replay) error {
	if a.Limit == 0 {
		a.Limit = letters.MaxReplay
	}
	if a.Limit < 1 || a.Limit > letters.MaxReplay {
		return fault.Invalidf("limit", "value_out_of_range", "is not between 1 and %d", letters.MaxReplay)
	}
	waiting := false
	a.Query.Replayed = &waiting // a letter is replayed once
	return a.Query.Check()
}

// digest is of what was asked for.
func digest(a letters.Replay) string {
	b, err := json.Marshal(struct {
		Query  letters.Query
		Cursor string
		Limit  int
	}{a.Query, a.Cursor, a.Limit})
	if err != nil {
		panic(err) // strings, numbers and times always encode
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *Replayer) run(ctx context.Context, s tenants.Scope, a letters.Replay) (letters.Replayed, error) {
	out := letters.Replayed{DryRun: a.DryRun, Skipped: []letters.Skipped{}}
	count, err := r.box.Count(ctx, s, a.Query)
	if err != nil {
		return out, fmt.Errorf("count the letters: %w", err)
	}
	out.Matched, out.Remaining = count.Total, count.Total
	if a.DryRun {
		out.Count = &count
		return out, nil
	}
	out.Next = a.Cursor
	for left := a.Limit; left > 0; {
		page, err := r.box.Waiting(ctx, s, a.Query, out.Next, min(left, pageSize))
		if err == nil {
			err = r.page(ctx, s, a, page.Letters, &out)
		}
		if err != nil && out.Replayed == 0 {
			return out, err
		}
		if err != nil {
			out.Stopped = fault.As(err).Code
			break
		}
		left -= len(page.Letters)
		if out.Next = page.Next; out.Next == "" {
			break
		}
	}
	out.Remaining = max(0, out.Matched-out.Replayed)
	return out, nil
}

// page has the letters of a page sent again. What was done before an error is marked.
func (r *Replayer) page(ctx context.Context, s tenants.Scope, a letters.Replay, ls []letters.Letter, out *letters.Replayed) error {
	done := letters.Marking{Query: a.Query, By: a.By, Cause: events.Cause{ID: a.Cause.ID, TraceParent: a.Cause.TraceParent}}
	var failed error
	for i := range ls {
		refusal, err := r.begin(ctx, s, &ls[i], done.Cause)
		if failed = err; failed != nil {
			break
		}
		if refusal != nil {
			out.Skipped = append(out.Skipped, letters.Skipped{ID: ls[i].ID, Code: refusal.Code, Message: refusal.Message})
			continue
		}
		done.IDs = append(done.IDs, ls[i].ID)
	}
	if len(done.IDs) == 0 {
		return failed
	}
	m, err := r.box.Mark(ctx, s, done)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("mark %d letters: %w", len(done.IDs), err))
	}
	out.Replayed += m.Replayed
	out.Skipped = append(out.Skipped, m.Skipped...)
	return failed
}

// errSpoken is why a take is not begun by its letter: its jobs have ended when the letter was kept, and one whose jobs have not is told again by its
// own object.
var errSpoken = fault.New(fault.Conflict, "speech_ended", "the jobs that waited for it have failed; ask for the speech again, which goes on with the parts that were kept", nil)

// begin has the ledger begin anew what has failed with a document: its next generation, or its erasure, unless its newest
// generation is not the letter's any more, when somebody has done so before. It answers why that cannot be, for good.
func (r *Replayer) begin(ctx context.Context, s tenants.Scope, l *letters.Letter, cause events.Cause) (*fault.Error, error) {
	if l.Type == events.TypeSpeechRequested {
		return errSpoken, nil
	}
	if !l.OfDocument() {
		return nil, nil
	}
	if l.DocID == "" || l.Generation == 0 {
		return fault.As(fault.Missing("generation_unknown", "nothing says which generation of a document the message was about; submit the document again")), nil
	}
	var err error
	if l.Stage == string(corpus.StageErase) {
		_, err = r.catalogue.Delete(ctx, s, corpus.Deletion{DocID: l.DocID, Generation: l.Generation, JobID: r.newID(), Cause: cause})
	} else {
		_, err = r.catalogue.Resubmit(ctx, s, corpus.Resubmission{DocID: l.DocID, Generation: l.Generation, JobID: r.newID(), Cause: cause})
	}
	switch {
	case err == nil:
		return nil, nil
	case fault.Retryable(err):
		return nil, fmt.Errorf("begin %s anew: %w", l.DocID, err)
	}
	return fault.As(err), nil
}
