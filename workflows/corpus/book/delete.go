package book

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// deletion is what is left of a document that was deleted.
type deletion struct {
	At    int64  `json:"t"`
	JobID string `json:"job"` // of the erasure
}

// Delete implements corpus.Catalogue. The tombstone keeps the numbers of the generations that may have vectors or texts, as those
// of any retired generation are kept, until the erasure is done. So what it leaves undone is not forgotten: the next
// deletion names them again, and so does every verdict on a later generation.
func (b *Book) Delete(r rows.Tx, s tenants.Scope, del corpus.Deletion) (corpus.Receipt, error) {
	if del.DocID == "" || del.JobID == "" {
		return corpus.Receipt{}, fault.Invalidf("docId", "submission_invalid", "document and job are required")
	}
	c := b.begin(r, s)
	key := del.Cause.IdempotencyKey
	if key != "" {
		if first, found, err := findReceipt(r, key, c.now); err != nil || found {
			return first.replay(corpus.Submission{}), errors.Join(err, first.conflict(found, ""))
		}
	}
	if err := c.deleting(); err != nil {
		return corpus.Receipt{}, err
	}
	rec, err := c.deleteOnce(r, del)
	if key != "" && fault.Is(err, fault.NotFound) { // which is remembered, as anything else is that was done under a key
		rec, err = corpus.Receipt{DocID: del.DocID}, nil
	}
	if err != nil {
		return corpus.Receipt{}, err
	}
	return rec, keepReceipt(r, key, "", rec, c.now)
}

// deleteOnce is Delete for a request that was not seen before.
func (c *change) deleteOnce(r rows.Tx, del corpus.Deletion) (corpus.Receipt, error) {
	o, err := c.open(del.DocID)
	if err != nil {
		return corpus.Receipt{}, err
	}
	if o == nil {
		return corpus.Receipt{}, fault.Missing("document_not_found", "no document %.200q", del.DocID)
	}
	if del.Generation > 0 && del.Generation != o.Newest {
		return corpus.Receipt{DocID: o.ID, JobID: o.show().JobID, Generation: o.Newest, Unchanged: true}, nil
	}
	if o.Deleted != nil {
		if erased, err := erasesStill(r, o.Deleted.JobID); err != nil || erased {
			return corpus.Receipt{DocID: o.ID, JobID: o.Deleted.JobID, Generation: o.Newest}, err
		}
	}
	return c.delete(o, del)
}

// erasesStill reports whether a job goes on erasing, or has erased.
func erasesStill(r rows.Tx, jobID string) (bool, error) {
	var row jobRow
	found, err := rows.Read(r, jobPrefix+jobID, &row)
	return found && (row.End == nil || row.End.State == job.Succeeded), err
}

func (c *change) delete(o *open, del corpus.Deletion) (corpus.Receipt, error) {
	var errs []error
	kept := []*generation{}
	for _, g := range o.Generations {
		if g.State.OnItsWay() && g.live() {
			errs = append(errs, c.cancel(o, g, "deleted", "the document was deleted"))
		}
		kept = append(kept, &generation{Number: g.Number, Model: g.Model, Others: g.Others, Chunks: g.Chunks, State: corpus.Deleted, Retired: true, Stray: true})
	}
	o.Generations, o.History, o.Searchable = kept, nil, 0
	o.Deleted, o.dirty = &deletion{At: c.now.UnixMilli(), JobID: del.JobID}, true
	f := o.deleted(events.DocumentRef{DocID: o.ID, Generation: o.Newest, JobID: del.JobID})
	row := jobRow{
		Kind: job.Erase, DocID: o.ID, Generation: o.Newest, Created: c.now.UnixMilli(),
		Found: &job.Erasure{DocID: o.ID, Generations: len(f.Generations)}, Trace: del.Cause.TraceParent,
	}
	errs = append(errs, rows.Write(c.rows, jobPrefix+del.JobID, row), c.tellDeleted(f, del.Cause), c.watchErasure(watched{JobID: del.JobID}), c.close())
	return corpus.Receipt{DocID: o.ID, JobID: del.JobID, Generation: o.Newest}, errors.Join(errs...)
}

// deleted is the fact that has a document erased.
func (d *document) deleted(ref events.DocumentRef) events.DocumentDeleted {
	f := events.DocumentDeleted{DocumentRef: ref, Generations: []events.Written{}, TextPrefix: corpus.TextPrefix(d.ID)}
	for _, g := range d.Generations {
		if g.Chunks > 0 && g.Number <= ref.Generation {
			f.Generations = append(f.Generations, events.Written{Generation: g.Number, Chunks: g.Chunks, Model: g.Model, Also: g.also()})
		}
	}
	return f
}

func (c *change) tellDeleted(f events.DocumentDeleted, cause events.Cause) error {
	return c.tell(f.JobID, cause, f)
}

// watchErasure puts an erasure under watch for longer than its consumer tries.
func (c *change) watchErasure(w watched) error {
	t, err := c.turns()
	if err != nil {
		return err
	}
	now := c.now.UnixMilli()
	if w.Due = now + 2*t.deadline(); w.From == 0 {
		w.From = now
	}
	return c.watchUntil(w)
}

// lookErasure looks after an erasure that has not ended. It is told again, and in the end it fails, so that the next deletion
// begins it anew.
func (c *change) lookErasure(w watched, row jobRow, now int64) error {
	o, err := c.open(row.DocID)
	if err != nil || o == nil || row.End != nil {
		return err
	}
	if w.Due > now {
		return c.watchUntil(w)
	}
	if w.Told == maxResent {
		return c.endErasure(w.JobID, row, job.Failed, &job.Problem{
			Stage: string(corpus.StageErase), Code: "stuck", At: c.now.UTC(),
			Message: fmt.Sprintf("nothing was heard of the erasure, although it was told %d times", 1+w.Told),
		})
	}
	w.Told++
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", w.JobID, w.Told), TraceParent: row.Trace}
	ref := events.DocumentRef{DocID: o.ID, Generation: row.Generation, JobID: w.JobID}
	return errors.Join(c.tellDeleted(o.deleted(ref), cause), c.watchErasure(w))
}

// erase takes what the stores have left of a deleted document, and says what of it is to go. Once that is nothing the job
// ends with its receipt.
func (c *change) erase(o *open, p corpus.Progress) (corpus.Verdict, error) {
	var row jobRow
	if found, err := rows.Read(c.rows, jobPrefix+p.JobID, &row); err != nil || !found || row.Kind != job.Erase {
		return corpus.Verdict{Stale: true}, err
	}
	switch {
	case row.End != nil:
		return corpus.Verdict{Complete: row.End.State == job.Succeeded, Stale: row.End.State != job.Succeeded}, nil
	case p.Code != "" && !p.Retry.IsZero():
		return corpus.Verdict{}, nil
	case p.Code != "":
		return corpus.Verdict{Stale: true}, c.endErasure(p.JobID, row, job.Failed, newFailure(p, c.now).problem())
	case p.Left == nil:
		return corpus.Verdict{}, nil
	}
	texts, err := c.bar(o, p.Left.Texts)
	if err != nil {
		return corpus.Verdict{}, err
	}
	was := *row.Found
	row.Found.Vectors, row.Found.Passages, row.Found.Texts = max(was.Vectors, p.Left.Vectors), max(was.Passages, p.Left.Passages), max(was.Texts, len(texts))
	row.Found.Remaining, row.Found.CheckedAt = p.Left.Vectors+p.Left.Passages+len(texts), c.now.UTC()
	if row.Found.Remaining > 0 || !p.Left.Settled {
		return corpus.Verdict{Texts: texts}, rows.Write(c.rows, jobPrefix+p.JobID, row)
	}
	return corpus.Verdict{Complete: true}, c.erased(o, p, row)
}

// erased ends an erasure of which nothing is left.
func (c *change) erased(o *open, p corpus.Progress, row jobRow) error {
	o.Generations = slices.DeleteFunc(o.Generations, func(g *generation) bool { return g.Number <= row.Generation && g.Retired })
	o.dirty = true
	err := c.tell(p.JobID, p.Cause, events.DocumentErased{
		DocumentRef: events.DocumentRef{DocID: o.ID, Generation: row.Generation, JobID: p.JobID},
		Generations: row.Found.Generations, Vectors: row.Found.Vectors, Passages: row.Found.Passages, Texts: row.Found.Texts, CheckedAt: row.Found.CheckedAt,
	})
	return errors.Join(err, c.endErasure(p.JobID, row, job.Succeeded, nil))
}

func (c *change) endErasure(jobID string, row jobRow, state job.State, p *job.Problem) error {
	j := row.erasing(jobID)
	j.State, j.UpdatedAt = state, c.now.UTC()
	if p != nil {
		j.Errors, j.Counts.Failed = []job.Problem{*p}, j.Counts.Total-j.Counts.Done
	} else {
		j.Percent = 100
	}
	row.End = &j
	return rows.Write(c.rows, jobPrefix+jobID, row)
}

// erasing is the job of an erasure that goes on.
func (row *jobRow) erasing(id string) job.Job {
	found := *row.Found
	j := job.Job{
		ID: id, Kind: job.Erase, State: job.Running, Stage: string(corpus.StageErase), DocID: row.DocID, Erasure: &found,
		Counts: job.Counts{Total: found.Vectors + found.Passages + found.Texts}, CreatedAt: at(row.Created), UpdatedAt: at(row.Created),
	}
	j.Counts.Done = max(0, j.Counts.Total-found.Remaining)
	if found.CheckedAt.IsZero() {
		j.State = job.Queued
		return j
	}
	j.UpdatedAt = found.CheckedAt
	j.Percent = min(99, 100*j.Counts.Done/max(1, j.Counts.Total))
	return j
}

// bar picks out the texts that no generation has, and sees to it that none ever will: a text may have been stored by a
// submission that is still on its way here, which is then refused.
func (c *change) bar(o *open, texts []string) ([]string, error) {
	var gone []string
	for _, key := range texts {
		if !strings.HasPrefix(key, corpus.TextPrefix(o.ID)) || o.uses(key) {
			continue
		}
		gone = append(gone, key)
		jobID := corpus.TextJob(key)
		if jobID == "" {
			continue
		}
		known, err := c.rows.Get(jobPrefix + jobID)
		if err == nil && known == nil {
			err = rows.Write(c.rows, jobPrefix+jobID, jobRow{DocID: o.ID, Created: c.now.UnixMilli(), Barred: true})
		}
		if err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// uses reports whether a text, or one derived from it, is that of a generation, or may become it: what is fetched for one is
// stored before the ledger is told.
func (d *document) uses(text string) bool {
	jobID := corpus.TextJob(text)
	return slices.ContainsFunc(d.Generations, func(g *generation) bool {
		return g.whole() && (g.JobID == jobID || g.TextKey != "" && strings.HasPrefix(text, g.TextKey))
	})
}
