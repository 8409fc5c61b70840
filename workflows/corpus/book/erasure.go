package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/job"
)

// erasureRow outlives the erasures of the tenant.
type erasureRow struct {
	JobID string `json:"j,omitempty"` // of the last one
	Open  bool   `json:"o,omitempty"` // it goes on
	Key   string `json:"k,omitempty"` // the idempotency key that it was asked for with
	Asked int64  `json:"t,omitempty"` // when
	Floor int    `json:"f,omitempty"` // no generation of before has a higher number
}

// stateOfErasure is the row, read once by a call.
func (c *change) stateOfErasure() (*erasureRow, error) {
	if c.erasure == nil {
		row := &erasureRow{}
		if _, err := rows.Read(c.rows, erasureKey, row); err != nil {
			return nil, err
		}
		c.erasure = row
	}
	return c.erasure, nil
}

// taking refuses while the tenant is being erased.
func (c *change) taking() error {
	row, err := c.stateOfErasure()
	if err == nil && row.Open {
		err = fault.New(fault.Conflict, "tenant_erasing", "everything of the tenant is being erased", nil).
			WithHint("the job " + row.JobID + " follows the erasure; come back when it has ended")
	}
	return err
}

// OpenErasure implements erasure.Ledger.
func (b *Book) OpenErasure(r rows.Tx, s tenants.Scope, req erasure.Request) (corpus.Receipt, error) {
	if req.JobID == "" {
		return corpus.Receipt{}, fault.Invalidf("jobId", "submission_invalid", "is required")
	}
	c := b.begin(r, s)
	row, err := c.stateOfErasure()
	if err != nil {
		return corpus.Receipt{}, err
	}
	key := req.Cause.IdempotencyKey
	repeated := key != "" && key == row.Key && c.now.Sub(at(row.Asked)) < receiptLife
	if row.Open || row.JobID == req.JobID || repeated {
		return corpus.Receipt{JobID: row.JobID, Replayed: repeated}, nil
	}
	ev, err := events.New(s, worker, req.Cause, c.now, events.TenantErasureRequested{JobID: req.JobID})
	if err != nil {
		return corpus.Receipt{}, err
	}
	now := c.now.UnixMilli()
	return corpus.Receipt{JobID: req.JobID}, errors.Join(
		c.abandonMove(),
		c.watchJob(req.JobID),
		c.closeTurns(),
		rows.Write(r, erasureKey, erasureRow{JobID: req.JobID, Open: true, Key: key, Asked: now, Floor: row.Floor}),
		rows.Write(r, jobPrefix+req.JobID, jobRow{Kind: job.Erase, Created: now, Whole: &wholeErasure{Updated: now, Trace: req.Cause.TraceParent, By: req.By}, Found: &job.Erasure{}}),
		enqueue(r, req.JobID, ev),
	)
}

// wholeErasure is what a job's row has besides, of the erasure of everything.
type wholeErasure struct {
	Stage   string `json:"s,omitempty"` // empty until it has begun
	Updated int64  `json:"u"`
	Trace   string `json:"tp,omitempty"`
	By      string `json:"by,omitempty"` // who asked for it
	Told    int    `json:"to,omitempty"` // how often it was told again that it was asked for
}

// erasingAll is the job of an erasure of everything that goes on.
func (row *jobRow) erasingAll(id string) job.Job {
	found := *row.Found
	j := job.Job{
		ID: id, Kind: job.Erase, State: job.Queued, Stage: string(corpus.StageErase), Erasure: &found,
		CreatedAt: at(row.Created), UpdatedAt: at(row.Whole.Updated),
	}
	for _, st := range found.Stores {
		j.Counts.Done += st.Removed
		j.Counts.Total += st.Removed + st.Remaining
	}
	if row.Whole.Stage != "" {
		j.State, j.Stage = job.Running, row.Whole.Stage
		j.Percent = min(99, 100*j.Counts.Done/max(1, j.Counts.Total))
	}
	return j
}

// wholeOf is the row of an erasure of everything.
func (b *Book) wholeOf(r rows.Tx, id string) (row jobRow, err error) {
	found, err := rows.Read(r, jobPrefix+id, &row)
	if err == nil && (!found || row.Whole == nil) {
		err = fault.Missing("job_not_found", "no erasure %.64q", id)
	}
	return row, err
}

// NoteErasure implements erasure.Ledger.
func (b *Book) NoteErasure(r rows.Tx, n erasure.Note) (job.Job, error) {
	row, err := b.wholeOf(r, n.JobID)
	if err != nil || row.End != nil {
		return b.asJob(row, err)
	}
	now := b.now()
	row.Whole.Stage, row.Whole.Updated = n.Stage, now.UnixMilli()
	if n.Stores != nil {
		row.Found.Stores, row.Found.Remaining = n.Stores, 0
		for _, st := range n.Stores {
			row.Found.Remaining += st.Remaining
		}
	}
	if n.Checked {
		row.Found.CheckedAt = now.UTC()
	}
	return row.erasingAll(n.JobID), rows.Write(r, jobPrefix+n.JobID, row)
}

// asJob is the job of a row that has ended.
func (b *Book) asJob(row jobRow, err error) (job.Job, error) {
	if err != nil {
		return job.Job{}, err
	}
	return *row.End, nil
}

// dropped is what an erasure has the ledger forget: everything but the outbox, which sends itself, the erasure's row and its job, and the turns, which
// have it under watch and go with its end. What was set aside of the outbox goes, too: it may have texts in it.
var dropped = []string{documentPrefix, jobPrefix, receiptPrefix, waitingPrefix, watchPrefix, problemsPrefix, notesPrefix, asidePrefix}

// DropErased implements erasure.Ledger.
func (b *Book) DropErased(r rows.Tx, s tenants.Scope, jobID string, limit int) (more bool, err error) {
	c := b.begin(r, s)
	state, err := c.stateOfErasure()
	if err != nil || !state.Open || state.JobID != jobID {
		return false, err
	}
	was, shown := state.Floor, false
	for _, prefix := range dropped {
		found, err := r.Scan(prefix, limit+1) // one of them may be the erasure's
		if err != nil {
			return false, fmt.Errorf("book: scan: %w", err)
		}
		for _, row := range found {
			if row.Key == jobPrefix+jobID || limit == 0 {
				continue
			}
			if strings.HasPrefix(row.Key, documentPrefix) {
				var d document
				if err := json.Unmarshal(row.Value, &d); err != nil {
					return false, fmt.Errorf("book: row %.80q: %w", row.Key, err)
				}
				state.Floor, shown = max(state.Floor, d.Newest, d.Last), shown || d.Searchable > 0
			}
			if err := r.Delete(row.Key); err != nil {
				return false, fmt.Errorf("book: delete: %w", err)
			}
			limit--
		}
		if limit == 0 {
			more = true
			break
		}
	}
	if state.Floor != was {
		err = rows.Write(r, erasureKey, state)
	}
	if shown {
		err = errors.Join(err, c.reissue(), c.closeTurns())
	}
	return more, err
}

// EndErasure implements erasure.Ledger.
func (b *Book) EndErasure(r rows.Tx, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error) {
	row, err := b.wholeOf(r, jobID)
	if err != nil || row.End != nil {
		return b.asJob(row, err)
	}
	return b.begin(r, s).endErasureOfAll(jobID, row, failed)
}

// endErasureOfAll ends the job of an erasure of everything, and opens the ledger.
func (c *change) endErasureOfAll(jobID string, row jobRow, failed *job.Problem) (job.Job, error) {
	state, err := c.stateOfErasure()
	if err != nil {
		return job.Job{}, err
	}
	j := row.erasingAll(jobID)
	j.State, j.UpdatedAt = job.Succeeded, c.now.UTC()
	if failed != nil {
		p := *failed
		if p.At.IsZero() {
			p.At = c.now.UTC()
		}
		j.State, j.Errors, j.Counts.Failed = job.Failed, []job.Problem{p}, j.Counts.Total-j.Counts.Done
	} else {
		j.Percent = 100
		err = errors.Join(c.tellErased(jobID, row), c.forgetTransfer(), c.rows.Delete(turnsKey))
	}
	row.End, row.Found = &j, nil
	state.Open = false
	return j, errors.Join(err, rows.Write(c.rows, jobPrefix+jobID, row), rows.Write(c.rows, erasureKey, state))
}

// tellErased takes tenant.erased into the outbox. Its cause is the job: the request's is long gone.
func (c *change) tellErased(jobID string, row jobRow) error {
	f := events.TenantErased{JobID: jobID, CheckedAt: row.Found.CheckedAt, By: row.Whole.By}
	for _, st := range row.Found.Stores {
		f.Stores = append(f.Stores, events.ErasedStore(st))
	}
	return c.tell(jobID, events.Cause{ID: jobID, TraceParent: row.Whole.Trace}, f)
}
