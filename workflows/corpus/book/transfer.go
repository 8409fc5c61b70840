package book

import (
	"errors"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/transfer"
)

// transferState is the row of a tenant that moves to another pool, or has come from one.
type transferState struct {
	Readonly int64  `json:"r,omitempty"` // since when no changes are taken
	JobID    string `json:"j,omitempty"` // of the run under way
	Whole    string `json:"w,omitempty"` // the job of the last run that found all here
}

// transferRow is what a job's row knows of a run.
type transferRow struct {
	Stage    string        `json:"s,omitempty"` // empty until it has begun
	Report   job.Transfer  `json:"r"`
	Counts   job.Counts    `json:"c"`
	Problems []job.Problem `json:"ps,omitempty"`
	Key      string        `json:"k,omitempty"` // sealed; until it has begun
	Usage    bool          `json:"us,omitempty"`
	Updated  int64         `json:"u"`
	Trace    string        `json:"tp,omitempty"`
	Told     int           `json:"to,omitempty"` // how often it was told again that it was asked for
}

func readTransfer(r rows.Tx) (st transferState, err error) {
	_, err = rows.Read(r, transferKey, &st)
	return st, err
}

// writable refuses changes while everything of the tenant is being erased, or it is being moved to another pool.
func (c *change) writable() error {
	if err := c.taking(); err != nil {
		return err
	}
	return c.unfrozen()
}

// deleting refuses deletions while the tenant is being moved to another pool: one would be undone by the move. An erasure of everything deletes.
func (c *change) deleting() error {
	row, err := c.stateOfErasure()
	if err != nil || row.Open {
		return err
	}
	return c.unfrozen()
}

func (c *change) unfrozen() error {
	st, err := readTransfer(c.rows)
	if err == nil && st.Readonly > 0 {
		err = transfer.ErrReadonly
	}
	return err
}

// Standing implements transfer.Stock.
func (b *Book) Standing(r rows.Tx) (transfer.Standing, error) {
	st, err := readTransfer(r)
	if err != nil {
		return transfer.Standing{}, err
	}
	var t turns
	if _, err := rows.Read(r, turnsKey, &t); err != nil {
		return transfer.Standing{}, err
	}
	out := transfer.Standing{Readonly: st.Readonly > 0, Since: at(st.Readonly), OnTheirWay: t.Docs + t.Fetches, Imports: t.Imports}
	for _, l := range t.Lanes {
		out.OnTheirWay += l.Waiting
	}
	return out, nil
}

// Freeze implements transfer.Stock.
func (b *Book) Freeze(r rows.Tx, readonly bool) (transfer.Standing, error) {
	st, err := readTransfer(r)
	if err != nil {
		return transfer.Standing{}, err
	}
	if readonly != (st.Readonly > 0) {
		st.Readonly = 0
		if readonly {
			st.Readonly = b.now().UnixMilli()
		}
		if err := rows.Write(r, transferKey, st); err != nil {
			return transfer.Standing{}, err
		}
	}
	return b.Standing(r)
}

// countImport counts the imports that are open.
func (c *change) countImport(n int) error {
	t, err := c.turns()
	if err != nil {
		return err
	}
	t.Imports, t.dirty = max(0, t.Imports+n), true
	return nil
}

// OpenTransfer implements transfer.Ledger.
func (b *Book) OpenTransfer(r rows.Tx, s tenants.Scope, req transfer.Request) (corpus.Receipt, error) {
	if req.JobID == "" || req.From == "" || req.Key == "" || req.Last && req.Usage {
		return corpus.Receipt{}, fault.Invalidf("from", "submission_invalid", "job, address and key are required")
	}
	c := b.begin(r, s)
	hash := fmt.Sprint("transfer ", req.From, " ", req.Last, " ", req.Again, " ", req.Usage)
	return c.once(req.Cause.IdempotencyKey, hash, func() (corpus.Receipt, error) { return c.openTransfer(req) })
}

func (c *change) openTransfer(req transfer.Request) (corpus.Receipt, error) {
	var row jobRow
	if found, err := rows.Read(c.rows, jobPrefix+req.JobID, &row); err != nil || found {
		if err == nil && row.Transfer == nil {
			err = fault.New(fault.Conflict, "job_exists", "there is another job of this id", nil)
		}
		return corpus.Receipt{JobID: req.JobID}, err
	}
	if err := c.writable(); err != nil {
		return corpus.Receipt{}, err
	}
	st, err := readTransfer(c.rows)
	if err != nil {
		return corpus.Receipt{}, err
	}
	if st.JobID != "" {
		if _, err := rows.Read(c.rows, jobPrefix+st.JobID, &row); err != nil {
			return corpus.Receipt{}, err
		}
	}
	if t := row.Transfer; t != nil && row.End == nil {
		if t.Report.From != req.From || t.Report.Last != req.Last || t.Usage != req.Usage {
			return corpus.Receipt{}, fault.New(fault.Conflict, "transfer_running", "another run brings the tenant here", nil).
				WithHint("its job is " + st.JobID + "; come back when it has ended, or cancel it")
		}
		return corpus.Receipt{JobID: st.JobID, Replayed: true}, nil
	}
	if st.Whole != "" && !req.Again && !req.Usage {
		return corpus.Receipt{}, fault.New(fault.Conflict, "transfer_done", "all of the tenant has been brought here already", nil).
			WithHint(`the job ` + st.Whole + ` says what; "again": true brings what has changed at the source since`)
	}
	st.JobID = req.JobID
	now := c.now.UnixMilli()
	row = jobRow{Kind: job.Move, Created: now, Transfer: &transferRow{
		Report: job.Transfer{From: req.From, Last: req.Last}, Key: req.Key, Usage: req.Usage, Updated: now, Trace: req.Cause.TraceParent,
	}}
	return corpus.Receipt{JobID: req.JobID}, errors.Join(
		c.watchJob(req.JobID),
		c.tell(req.JobID, req.Cause, row.Transfer.begun(req.JobID)),
		rows.Write(c.rows, transferKey, st),
		rows.Write(c.rows, jobPrefix+req.JobID, row),
	)
}

// begun is the fact that begins a run.
func (t *transferRow) begun(id string) events.TenantTransferRequested {
	return events.TenantTransferRequested{JobID: id, From: t.Report.From, Key: t.Key, Last: t.Report.Last, Usage: t.Usage}
}

// forgetTransfer forgets what was brought here, as everything was erased. That the tenant takes no changes stays: it is elsewhere.
func (c *change) forgetTransfer() error {
	st, err := readTransfer(c.rows)
	if err != nil || st.JobID == "" && st.Whole == "" {
		return err
	}
	return rows.Write(c.rows, transferKey, transferState{Readonly: st.Readonly})
}

// transferring is the job of a run that goes on.
func (row *jobRow) transferring(id string) job.Job {
	t := row.Transfer
	report := t.Report
	j := job.Job{
		ID: id, Kind: job.Move, State: job.Queued, Stage: t.Stage, Counts: t.Counts, Errors: t.Problems, Transfer: &report,
		CreatedAt: at(row.Created), UpdatedAt: at(t.Updated),
	}
	if t.Stage != "" {
		j.State = job.Running
		j.Percent = min(99, 100*(j.Counts.Done+j.Counts.Failed)/max(1, j.Counts.Total))
	}
	return j
}

// transferOf is the row of a run.
func transferOf(r rows.Tx, id string) (row jobRow, err error) {
	found, err := rows.Read(r, jobPrefix+id, &row)
	if err == nil && (!found || row.Transfer == nil) {
		err = fault.Missing("job_not_found", "no job %.64q", id)
	}
	return row, err
}

// note takes over what a run says.
func (t *transferRow) note(n transfer.Note, now time.Time) {
	from, last := t.Report.From, t.Report.Last
	t.Stage, t.Counts, t.Updated, t.Key = n.Stage, n.Counts, now.UnixMilli(), ""
	t.Report = n.Report
	t.Report.From, t.Report.Last = from, last
	t.Problems = n.Problems[:min(len(n.Problems), imports.MaxProblems)]
}

// NoteTransfer implements transfer.Ledger.
func (b *Book) NoteTransfer(r rows.Tx, n transfer.Note) (job.Job, error) {
	row, err := transferOf(r, n.JobID)
	if err != nil || row.End != nil {
		return b.asJob(row, err)
	}
	row.Transfer.note(n, b.now())
	return row.transferring(n.JobID), rows.Write(r, jobPrefix+n.JobID, row)
}

// EndTransfer implements transfer.Ledger.
func (b *Book) EndTransfer(r rows.Tx, s tenants.Scope, n transfer.Note, failed *job.Problem) (job.Job, error) {
	row, err := transferOf(r, n.JobID)
	if err != nil || row.End != nil {
		return b.asJob(row, err)
	}
	row.Transfer.note(n, b.now())
	state := job.Succeeded
	if failed != nil {
		state = job.Failed
	}
	c := b.begin(r, s)
	if err := errors.Join(c.endTransfer(n.JobID, &row, state, failed), c.closeTurns()); err != nil {
		return job.Job{}, err
	}
	return *row.End, nil
}

// endTransfer ends the job of a run.
func (c *change) endTransfer(id string, row *jobRow, state job.State, p *job.Problem) error {
	st, err := readTransfer(c.rows)
	if err != nil {
		return err
	}
	if _, err := c.turns(); err != nil {
		return err
	}
	j := row.transferring(id)
	j.State, j.UpdatedAt = state, c.now.UTC()
	switch {
	case p != nil:
		why := *p
		if why.At.IsZero() {
			why.At = c.now.UTC()
		}
		j.Errors = append([]job.Problem{why}, j.Errors...)
	case state == job.Succeeded:
		j.Percent, j.Stage = 100, ""
		if row.Transfer.Report.Last {
			st.Whole = id
		}
	}
	if st.JobID == id {
		st.JobID = ""
	}
	c.turn.unwatch(id)
	row.End, row.Transfer = &j, &transferRow{Report: job.Transfer{From: j.Transfer.From}}
	return errors.Join(rows.Write(c.rows, transferKey, st), rows.Write(c.rows, jobPrefix+id, row))
}

// cancelTransfer ends a run. What it has brought stays; its import is cancelled by the run itself, when it finds that its job has ended.
func (c *change) cancelTransfer(id string, row *jobRow) error {
	return errors.Join(c.endTransfer(id, row, job.Cancelled, nil), c.closeTurns())
}

// transferPatience is for how long nothing may come of a run. Its longest sleep is a part of it.
const transferPatience = 2 * 24 * time.Hour

// lookAtTransfer looks after a run. Until it says that it has begun it is told again; in the end it fails.
func (c *change) lookAtTransfer(w watched, row *jobRow, now int64) error {
	t := row.Transfer
	dies := t.Updated + transferPatience.Milliseconds()
	switch {
	case row.End != nil:
		return nil
	case w.Due > now:
		return c.watchUntil(w)
	case now >= dies:
		return c.endTransfer(w.JobID, row, job.Failed, &job.Problem{Stage: t.Stage, Code: "stuck", Message: "nothing was heard of it for two days"})
	case t.Stage != "":
		w.Due = dies
		return c.watchUntil(w)
	}
	t.Told++
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", w.JobID, t.Told), TraceParent: t.Trace}
	w.Due = min(now+c.turn.deadline()<<min(t.Told, 10), dies)
	return errors.Join(rows.Write(c.rows, jobPrefix+w.JobID, row), c.tell(w.JobID, cause, t.begun(w.JobID)), c.watchUntil(w))
}

// neverTransferred ends a run that nobody can be told of.
func (b *Book) neverTransferred(r rows.Tx, id string, reason error) error {
	row, err := transferOf(r, id)
	if err != nil || row.End != nil {
		return err
	}
	s, err := call.Owner(r)
	if err != nil {
		return err
	}
	f, c := fault.As(reason), b.begin(r, s)
	return errors.Join(c.endTransfer(id, &row, job.Failed, &job.Problem{Stage: "begin", Code: f.Code, Message: f.Message}), c.closeTurns())
}
