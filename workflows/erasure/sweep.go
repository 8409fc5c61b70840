package erasure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

const (
	atOnce     = 8   // deletions under way at a time
	pagesAStep = 3   // of documents, and of sessions; each is up to 200 calls, and so is a step some hundreds
	shelfPage  = 100 // sessions
	sweepStep  = 500 // things of a store
	lookPages  = 20  // of jobs, in a step
	maxPause   = 5 * time.Minute
	maxWaits   = 12 // for the erasures of documents: 40 minutes, after which the sweeps have to do
)

// passed is how far a step has come.
type passed struct {
	Removed int    `json:"removed,omitempty"`
	Next    string `json:"next,omitempty"` // where to go on; empty at the end
	More    bool   `json:"more,omitempty"`
}

// pass does a step over and over, each time from where the last one came to, until that is the end.
func (x *erasing) pass(ctx context.Context, name string, step func(ctx context.Context, from string) (passed, error)) (removed int, err error) {
	from := ""
	for n := 0; ; n++ {
		p, err := flow.Insist(ctx, x.run, fmt.Sprintf("%s %d", name, n), func(ctx context.Context) (passed, error) { return step(ctx, from) })
		if err != nil {
			return removed, err
		}
		removed += p.Removed
		if from = p.Next; from == "" {
			return removed, nil
		}
	}
}

// documents ends the imports, deletes every document, and waits until what follows from that has ended, too.
func (x *erasing) documents(ctx context.Context, n int) error {
	if _, err := x.pass(ctx, fmt.Sprintf("imports %d", n), x.cancelImports); err != nil {
		return err
	}
	removed, err := x.pass(ctx, fmt.Sprintf("documents %d", n), x.deleteDocuments)
	if err != nil {
		return err
	}
	x.removed[documents] += removed
	return x.await(ctx, n)
}

// cancelImports cancels what still brings documents.
func (x *erasing) cancelImports(ctx context.Context, from string) (passed, error) {
	for range lookPages {
		page, err := x.Catalogue.Jobs(ctx, x.scope, corpus.JobListing{Kind: job.Import, Cursor: from, Limit: corpus.MaxListed})
		if err != nil {
			return passed{}, err
		}
		for _, j := range page.Jobs {
			if j.State.Final() {
				continue
			}
			if _, err := x.Catalogue.Cancel(ctx, x.scope, j.ID); err != nil {
				return passed{}, err
			}
		}
		if from = page.Next; from == "" {
			break
		}
	}
	return passed{Next: from}, nil
}

// deleteDocuments deletes some pages of documents.
func (x *erasing) deleteDocuments(ctx context.Context, from string) (p passed, err error) {
	p.Next = from
	for range pagesAStep {
		page, err := x.Catalogue.List(ctx, x.scope, corpus.Listing{Cursor: p.Next, Limit: corpus.MaxListed})
		if err != nil {
			return p, err
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(atOnce)
		for _, d := range page.Documents {
			g.Go(func() error {
				_, err := x.Catalogue.Delete(ctx, x.scope, corpus.Deletion{
					DocID: d.ID, JobID: x.jobOf(d.ID, d.Generation), Cause: events.Cause{ID: x.order.Cause.ID, TraceParent: x.order.Cause.TraceParent},
				})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return p, err
		}
		p.Removed += len(page.Documents)
		if p.Next = page.Next; p.Next == "" {
			break
		}
	}
	return p, nil
}

// jobOf is the job that follows the erasure of a document. It is the same each time, and in the order of this one.
func (x *erasing) jobOf(docID string, generation int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%s", generation, docID))
	return x.id + "-" + hex.EncodeToString(h[:12])
}

// await waits until no document is being erased any more. What takes too long the sweeps find.
func (x *erasing) await(ctx context.Context, n int) error {
	from, pause := "", lag
	for waits := 0; waits < maxWaits; {
		p, err := flow.Insist(ctx, x.run, fmt.Sprintf("look %d.%d %s", n, waits, from), func(ctx context.Context) (passed, error) { return x.lookForErasures(ctx, from) })
		if err != nil {
			return err
		}
		if from = p.Next; !p.More && from == "" {
			return nil
		}
		if !p.More {
			continue
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("erasures %d.%d", n, waits), pause); err != nil {
			return err
		}
		waits, pause = waits+1, min(2*pause, maxPause)
	}
	return nil
}

// lookForErasures looks for one that goes on. Those before it have ended, so the next look begins with it.
func (x *erasing) lookForErasures(ctx context.Context, from string) (passed, error) {
	for range lookPages {
		page, err := x.Catalogue.Jobs(ctx, x.scope, corpus.JobListing{Kind: job.Erase, Cursor: from, Limit: corpus.MaxListed})
		if err != nil {
			return passed{}, err
		}
		for _, j := range page.Jobs {
			if !j.State.Final() && j.ID != x.id {
				return passed{Next: from, More: true}, nil
			}
		}
		if from = page.Next; from == "" {
			break
		}
	}
	return passed{Next: from}, nil
}

// sessions deletes every session.
func (x *erasing) sessions(ctx context.Context, n int) error {
	removed, err := x.pass(ctx, fmt.Sprintf("sessions %d", n), x.deleteSessions)
	x.removed[sessions] += removed
	return err
}

func (x *erasing) deleteSessions(ctx context.Context, from string) (p passed, err error) {
	p.Next = from
	for range pagesAStep {
		page, err := x.Shelf.List(ctx, x.scope, "", p.Next, shelfPage)
		if err != nil {
			return p, err
		}
		for _, listed := range page.Sessions {
			err := x.Sessions.Delete(ctx, x.scope, listed.SessionID)
			switch {
			case err == nil:
				p.Removed++
			case fault.KindOf(err) != fault.NotFound: // the shelf hears of it later
				return p, err
			}
		}
		if p.Next = page.Cursor; p.Next == "" {
			break
		}
	}
	return p, nil
}

// maxSweeps is how many steps a round has for a store. Where that is not all, the next round goes on.
const maxSweeps = 400

// sweep empties a store.
func (x *erasing) sweep(ctx context.Context, st Store, n int) error {
	for i := range maxSweeps {
		p, err := flow.Insist(ctx, x.run, fmt.Sprintf("sweep %s %d.%d", st.Name(), n, i), func(ctx context.Context) (p passed, err error) {
			p.Removed, p.More, err = st.Sweep(ctx, x.scope, sweepStep)
			return p, err
		})
		if err != nil {
			return err
		}
		x.removed[st.Name()] += p.Removed
		switch {
		case !p.More:
			return nil
		case p.Removed >= sweepStep: // as much as a step takes: it knows what it has removed
			continue
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("swept %s %d.%d", st.Name(), n, i), lag); err != nil {
			return err
		}
	}
	return nil
}
