package imports

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

const (
	takeAtOnce    = 100 // entries in one call of the ledger
	prepareAtOnce = 5   // of them at a time: a Worker has six connections that wait for an answer

	minRoom, maxRoom = time.Second, time.Hour // how long to sleep when too much waits
)

// submitted is how a step of a part has ended.
type submitted struct {
	Entries   int           `json:"entries"` // the ledger has taken in all
	Next      int           `json:"next"`    // the number of the first entry of the next part
	Cancelled bool          `json:"cancelled,omitempty"`
	Full      bool          `json:"full,omitempty"` // too much waits
	After     time.Duration `json:"after,omitempty"`
}

// submit hands all parts to the ledger. When that has no room it sleeps, for as long as the ledger says.
func (f *feed) submit(ctx context.Context, parts int) (cancelled bool, err error) {
	start := 0 // the number of the part's first entry
	for part := range parts {
		next := submitted{Entries: start}
		for try := 0; try == 0 || next.Full; try++ {
			if try > 0 {
				if err := f.run.Sleep(ctx, fmt.Sprintf("room for part %d, %d", part, try), min(max(next.After, minRoom), maxRoom)); err != nil {
					return false, err
				}
			}
			from := next.Entries
			next, err = flow.Insist(ctx, f.run, fmt.Sprintf("submit part %d, %d", part, try), func(ctx context.Context) (submitted, error) {
				return f.submitPart(ctx, part, start, from)
			})
			if err != nil || next.Cancelled {
				return next.Cancelled, err
			}
		}
		start = next.Next
	}
	return false, nil
}

// submitPart submits the entries of a part, whose first is the import's entry of number start, from the import's entry of number from on.
func (f *feed) submitPart(ctx context.Context, part, start, from int) (submitted, error) {
	entries, leave, err := f.entries(ctx, part)
	if err != nil {
		return submitted{}, err
	}
	defer leave()
	c, err := f.Directory.Config(ctx, f.scope.Tenant())
	if err != nil {
		return submitted{}, err
	}
	done := submitted{Entries: from, Next: start + len(entries)}
	for chunk := range slices.Chunk(entries[min(max(from-start, 0), len(entries)):], takeAtOnce) {
		takings, err := f.prepareAll(ctx, c, done.Entries, chunk)
		if err != nil {
			return submitted{}, err
		}
		want := done.Entries + len(chunk)
		taken, err := f.Ledger.Take(ctx, f.scope, f.id, done.Entries, takings)
		if fault.Is(err, fault.Limited) {
			done.Full, done.After = true, fault.As(err).RetryAfter
			return done, nil
		}
		if err != nil {
			return submitted{}, err
		}
		if len(taken.Unused) > 0 { // a step that runs again stores them again, and is told again that nobody needs them
			if err := f.Texts.Delete(ctx, f.scope, taken.Unused...); err != nil {
				return submitted{}, err
			}
		}
		if done.Cancelled = taken.Cancelled; taken.Cancelled {
			return done, nil
		}
		if done.Entries = min(taken.Entries, want); taken.Entries < want {
			done.Full = true
			return done, nil
		}
	}
	return done, nil
}

// entries reads a part and takes it apart, when there is room for both. leave gives the room back. That a part is large shows when it is asked
// for; then it is asked for again, with all of the room.
func (f *feed) entries(ctx context.Context, part int) (entries []Entry, leave func(), err error) {
	entries, leave, err = f.entriesWithin(ctx, part, MaxPartBytes, 2*MaxPartBytes)
	if err != nil && fault.As(err).Code == "part_too_large" {
		return f.entriesWithin(ctx, part, math.MaxInt64, maxParts)
	}
	return entries, leave, err
}

func (f *feed) entriesWithin(ctx context.Context, part int, limit, room int64) (entries []Entry, leave func(), err error) {
	if err := f.partsRoom.Acquire(ctx, room); err != nil {
		return nil, nil, err
	}
	raw, err := f.Parts.Get(ctx, f.scope, f.id, part, limit)
	if err == nil {
		entries, err = readPart(raw)
	}
	if err != nil {
		f.partsRoom.Release(room)
		return nil, nil, err
	}
	taken := min(2*int64(len(raw)), room)
	f.partsRoom.Release(room - taken)
	return entries, func() { f.partsRoom.Release(taken) }, nil
}

// prepareAll makes submissions of the entries from the import's n-th on, a few at a time.
func (f *feed) prepareAll(ctx context.Context, c *tenants.Config, n int, entries []Entry) ([]Taking, error) {
	takings := make([]Taking, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(prepareAtOnce)
	for i, e := range entries {
		g.Go(func() (err error) {
			takings[i], err = f.prepare(ctx, c, n+i, e)
			return err
		})
	}
	return takings, g.Wait()
}

// prepare makes a submission of one entry. What cannot be one, and will not be later, is a problem. Job and document have the same ids each
// time, so what was stored by a step that died is what its next try stores.
func (f *feed) prepare(ctx context.Context, c *tenants.Config, n int, e Entry) (Taking, error) {
	if e.Refuse != nil {
		return Taking{Problem: refusal(e, e.Refuse)}, nil
	}
	d := *e.Draft
	d.JobID = fmt.Sprintf("%s-%06d", f.id, n) // in the order of the entries
	d.Pace = corpus.PaceOf(c)
	d.Cause = f.cause(ctx)
	if f.order.Origin.Batch == 0 { // a batch's ids are its client's
		named, err := Named(c, f.order.Source, d.DocID)
		if err != nil {
			return refuseOr(e, err)
		}
		d.DocID = named
	}
	if d.Model == "" {
		d.Model, d.MaxBytes = c.Models.Embedding, c.Limits.DocumentBytes
	}
	if e.File != "" {
		leave, err := f.enter(ctx, e.Bytes)
		if err != nil {
			return Taking{}, err
		}
		defer leave()
		if d.Text, err = f.Files.Get(ctx, f.scope, e.File, c.Limits.DocumentBytes); err != nil {
			return refuseOr(e, err)
		}
	}
	sub, err := f.Preparer.Prepare(ctx, f.scope, d)
	if err != nil {
		return refuseOr(e, err)
	}
	sub.Line = e.Line
	return Taking{Submission: &sub}, nil
}

// cause is what a document is submitted by: the step, where somebody notices it, else what the import is. The key is of the import, not of each document.
func (f *feed) cause(ctx context.Context) events.Cause {
	c := events.Cause{ID: f.order.Cause.ID, TraceParent: f.order.Cause.TraceParent}
	if step := flow.Cause(ctx); step != (trace.Parent{}) {
		c.TraceParent = step.String()
	}
	return c
}

// enter waits for room for a file, which leave gives back.
func (f *feed) enter(ctx context.Context, bytes int64) (leave func(), err error) {
	bytes = min(bytes, maxFiles)
	return func() { f.room.Release(bytes) }, f.room.Acquire(ctx, bytes)
}

// refuseOr is a problem where trying again does not help.
func refuseOr(e Entry, err error) (Taking, error) {
	if fault.Retryable(err) {
		return Taking{}, err
	}
	return Taking{Problem: refusal(e, fault.As(err))}, nil
}

// refusal is a refused entry as the job lists it.
func refusal(e Entry, f *fault.Error) *job.Problem {
	p := &job.Problem{Stage: string(corpus.StageSubmit), Line: e.Line, Field: f.Field, Code: f.Code, Message: f.Message}
	if e.Draft != nil {
		p.DocID = e.Draft.DocID
	}
	return p
}
