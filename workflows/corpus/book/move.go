package book

import (
	"errors"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

// moveRow is what a job's row knows of a move, or of the removal of what is in a space.
type moveRow struct {
	Model    string        `json:"m"`
	Stay     bool          `json:"s,omitempty"`
	Drop     bool          `json:"x,omitempty"`
	Phase    reembed.Phase `json:"p"`
	Total    int           `json:"n,omitempty"` // documents, as far as is known
	Done     int           `json:"d,omitempty"`
	Failed   int           `json:"f,omitempty"`
	Tokens   int64         `json:"tk,omitempty"`
	Nanos    int64         `json:"na,omitempty"`
	Problems []job.Problem `json:"ps,omitempty"` // the first of the documents that failed
	Updated  int64         `json:"u"`
	Trace    string        `json:"tp,omitempty"`
	Waits    bool          `json:"w,omitempty"`  // nothing says that it has begun
	Told     int           `json:"to,omitempty"` // how often that was told again
}

// moving is the job of a move that goes on.
func (row *jobRow) moving(id string) job.Job {
	m := row.Move
	j := job.Job{
		ID: id, Kind: job.Reembed, State: job.Running, Stage: string(m.Phase), Model: m.Model, Errors: m.Problems,
		Counts:    job.Counts{Total: max(m.Total, m.Done+m.Failed), Done: m.Done, Failed: m.Failed},
		CreatedAt: at(row.Created), UpdatedAt: at(m.Updated),
	}
	if m.Waits {
		j.State = job.Queued
	}
	if j.Counts.Total > 0 {
		j.Percent = min(99, 100*(m.Done+m.Failed)/j.Counts.Total)
	}
	if m.Tokens > 0 {
		j.Cost = &job.Cost{Tokens: m.Tokens, Nanos: m.Nanos}
	}
	return j
}

// problem lists a document that failed, if there is room.
func (m *moveRow) problem(p job.Problem) {
	m.Failed++
	if len(m.Problems) < imports.MaxProblems {
		m.Problems = append(m.Problems, p)
	}
}

// same reports whether a request asks for what a move does.
func (m *moveRow) same(r reembed.Request) bool {
	return m.Model == r.Model && m.Stay == r.Stay && m.Drop == r.Drop
}

// begun is the fact that begins a move.
func (m *moveRow) begun(id string) events.TenantEmbeddingRequested {
	return events.TenantEmbeddingRequested{JobID: id, Model: m.Model, Stay: m.Stay, Drop: m.Drop}
}

// errMoving is why a move is not opened.
func errMoving(doing string) error {
	return fault.New(fault.Conflict, "embedding_moving", doing, nil).WithHint("GET /tenant/embedding names its job; come back when that has ended")
}

// OpenMove implements reembed.Ledger.
func (b *Book) OpenMove(r rows.Tx, s tenants.Scope, req reembed.Request) (corpus.Receipt, error) {
	if req.JobID == "" || req.Model == "" || req.Stay && req.Drop {
		return corpus.Receipt{}, fault.Invalidf("model", "submission_invalid", "job and model are required, and a space is filled or removed, not both")
	}
	c := b.begin(r, s)
	hash := fmt.Sprint("embedding ", req.Model, " ", req.Stay, " ", req.Drop)
	return c.once(req.Cause.IdempotencyKey, hash, func() (corpus.Receipt, error) { return c.openMove(req) })
}

func (c *change) openMove(req reembed.Request) (corpus.Receipt, error) {
	var row jobRow
	if found, err := rows.Read(c.rows, jobPrefix+req.JobID, &row); err != nil || found {
		if err == nil && row.Kind != job.Reembed {
			err = fault.New(fault.Conflict, "job_exists", "there is another job of this id", nil)
		}
		return corpus.Receipt{JobID: req.JobID}, err
	}
	if err := c.writable(); err != nil {
		return corpus.Receipt{}, err
	}
	t, err := c.turns()
	if err != nil {
		return corpus.Receipt{}, err
	}
	sp := &t.Spaces
	switch {
	case sp.JobID != "":
		if _, err := rows.Read(c.rows, jobPrefix+sp.JobID, &row); err != nil {
			return corpus.Receipt{}, err
		}
		if row.Move == nil || !row.Move.same(req) {
			return corpus.Receipt{}, errMoving("the embedding model is being changed already")
		}
		return corpus.Receipt{JobID: sp.JobID, Replayed: true}, nil
	case sp.Ending:
		return corpus.Receipt{}, errMoving("the last change of the embedding model is still being wound up")
	case req.Drop && sp.Active == "": // the first document may come at any time, for this very model
		return corpus.Receipt{}, fault.New(fault.Conflict, "space_empty", "there is no document, so nothing is in any space", nil).
			WithHint("there is nothing to remove; the first document decides which space searches use")
	case req.Model == sp.Active:
		return corpus.Receipt{}, fault.New(fault.Conflict, "embedding_active", "searches use the space of this model", nil)
	}
	return corpus.Receipt{JobID: req.JobID}, c.beginMove(req)
}

// beginMove is openMove where nothing speaks against it.
func (c *change) beginMove(req reembed.Request) error {
	sp := &c.turn.Spaces
	sp.Target, sp.JobID, sp.Phase = req.Model, req.JobID, reembed.Filling
	if req.Drop {
		sp.Phase = reembed.Dropping
		sp.void(req.Model)
	}
	sp.keep(req.Model)
	now := c.now.UnixMilli()
	row := jobRow{Kind: job.Reembed, Created: now, Move: &moveRow{
		Model: req.Model, Stay: req.Stay, Drop: req.Drop, Phase: sp.Phase, Updated: now, Trace: req.Cause.TraceParent, Waits: true,
	}}
	return errors.Join(c.tell(req.JobID, req.Cause, row.Move.begun(req.JobID)), c.watch(req.JobID), rows.Write(c.rows, jobPrefix+req.JobID, row))
}

// move is the row of a move's job.
func (c *change) move(id string) (*jobRow, error) {
	var row jobRow
	found, err := rows.Read(c.rows, jobPrefix+id, &row)
	if err == nil && (!found || row.Move == nil) {
		err = fault.Missing("job_not_found", "no job %.64q", id)
	}
	if err == nil {
		_, err = c.turns()
	}
	return &row, err
}

// underWay is the row of the move under way.
func (c *change) underWay(id string) (*jobRow, error) {
	row, err := c.move(id)
	if err == nil && c.turn.Spaces.JobID != id {
		err = fault.New(fault.Conflict, "embedding_over", "the job has ended", nil)
	}
	return row, err
}

// keepMove writes the row of a move.
func (c *change) keepMove(id string, row *jobRow) error {
	row.Move.Phase, row.Move.Updated, row.Move.Waits = c.turn.Spaces.Phase, c.now.UnixMilli(), false
	return rows.Write(c.rows, jobPrefix+id, row)
}

// errIncomplete is why a phase does not follow.
func errIncomplete(why string) error { return fault.New(fault.Conflict, "space_incomplete", why, nil) }

// Turn implements reembed.Ledger.
func (b *Book) Turn(r rows.Tx, s tenants.Scope, id string) error {
	c := b.begin(r, s)
	row, err := c.underWay(id)
	if err != nil {
		return err
	}
	sp := &c.turn.Spaces
	switch {
	case sp.Phase == reembed.Turning:
		return nil
	case sp.Phase != reembed.Filling || row.Move.Stay || !sp.Walked:
		return errIncomplete("not all documents have been gone through")
	}
	sp.Phase, c.turn.dirty = reembed.Turning, true
	return errors.Join(c.keepMove(id, row), c.closeTurns())
}

// Switch implements reembed.Ledger.
func (b *Book) Switch(r rows.Tx, s tenants.Scope, id string) error {
	c := b.begin(r, s)
	row, err := c.underWay(id)
	if err != nil {
		return err
	}
	sp := &c.turn.Spaces
	switch {
	case sp.Phase == reembed.Settling:
		return nil
	case sp.Phase != reembed.Turning:
		return errIncomplete("not all documents have been gone through")
	}
	if err := c.lacksNothing(); err != nil {
		return err
	}
	if sp.Active != sp.Target { // the first document may have come meanwhile, for the same model
		f := events.TenantEmbeddingSwitched{JobID: id, From: sp.Active, To: sp.Target}
		sp.change(c.turn.Docs + c.turn.Fetches)
		if err := errors.Join(c.reissue(), c.tell(id, events.Cause{ID: id, TraceParent: row.Move.Trace}, f)); err != nil {
			return err
		}
	}
	sp.Phase, c.turn.dirty = reembed.Settling, true
	return errors.Join(c.keepMove(id, row), c.close())
}

// Late implements reembed.Ledger. What waits for its turn is not late: it begins in the active space.
func (b *Book) Late(r rows.Tx, s tenants.Scope, id string) (int, error) {
	c := b.begin(r, s)
	if _, err := c.move(id); err != nil {
		return 0, err
	}
	return c.turn.Spaces.late(), nil
}

// EndMove implements reembed.Ledger.
func (b *Book) EndMove(r rows.Tx, s tenants.Scope, id string, failed *job.Problem) (job.Job, error) {
	c := b.begin(r, s)
	row, err := c.move(id)
	if err != nil || row.End != nil {
		return b.asJob(*row, err)
	}
	sp := &c.turn.Spaces
	if failed == nil {
		switch {
		case !sp.Walked, sp.Phase == reembed.Turning, sp.Phase == reembed.Filling && !row.Move.Stay, sp.Phase == reembed.Settling && sp.late() > 0:
			return job.Job{}, errIncomplete("the job has not come to its end")
		}
	}
	state := job.Succeeded
	if failed != nil {
		state = job.Failed
	}
	if err := errors.Join(c.endMove(id, row, state, failed), c.release(), c.close()); err != nil {
		return job.Job{}, err
	}
	return *row.End, nil
}

// endMove ends the job of a move and its phase. What it has noted is dealt with by release.
func (c *change) endMove(id string, row *jobRow, state job.State, p *job.Problem) error {
	sp := &c.turn.Spaces
	j := row.moving(id)
	j.State, j.UpdatedAt = state, c.now.UTC()
	switch {
	case p != nil:
		why := *p
		if why.At.IsZero() {
			why.At = c.now.UTC()
		}
		j.Errors = append(j.Errors[:len(j.Errors):len(j.Errors)], why)
	case state == job.Succeeded:
		j.Percent, j.Counts.Total = 100, j.Counts.Done+j.Counts.Failed
	}
	if row.Move.Drop && state == job.Succeeded && !sp.Soiled {
		sp.forget(row.Move.Model)
	}
	sp.rest()
	sp.Ending, c.turn.dirty = true, true
	c.turn.unwatch(id)
	row.End, row.Move.Problems = &j, nil
	return rows.Write(c.rows, jobPrefix+id, row)
}

// cancelMove ends a move that has not switched.
func (c *change) cancelMove(id string) error {
	row, err := c.move(id)
	if err != nil {
		return err
	}
	switch c.turn.Spaces.Phase {
	case reembed.Settling:
		return fault.New(fault.Conflict, "job_not_cancellable", "searches use the new embedding model already", nil).
			WithHint("when the job has ended, move back to the model before: what is in its space is kept")
	case reembed.Dropping: // a run that does not know yet would remove what the next move brings there
		return fault.New(fault.Conflict, "job_not_cancellable", "the removal of a space cannot be cancelled", nil)
	}
	return errors.Join(c.endMove(id, row, job.Cancelled, nil), c.release(), c.close())
}

// abandonMove ends the move under way because everything is erased.
func (c *change) abandonMove() error {
	t, err := c.turns()
	if err != nil || t.Spaces.JobID == "" {
		return err
	}
	row, err := c.move(t.Spaces.JobID)
	if err != nil {
		return err
	}
	return c.endMove(t.Spaces.JobID, row, job.Cancelled, &job.Problem{Stage: string(row.Move.Phase), Code: "tenant_erasing", Message: "everything of the tenant is being erased"})
}

// movePatience is for how long nothing may come of a move. While it turns, documents wait for it.
const movePatience = 2 * 24 * time.Hour

// lookAtMove looks after a move. Until its run says that it has begun it is told again; in the end it fails.
func (c *change) lookAtMove(w watched, row *jobRow, now int64) error {
	m := row.Move
	dies := m.Updated + movePatience.Milliseconds()
	switch {
	case row.End != nil:
		return nil
	case w.Due > now:
		return c.watchUntil(w)
	case now >= dies:
		return c.endMove(w.JobID, row, job.Failed, &job.Problem{Stage: string(m.Phase), Code: "stuck", Message: "nothing was heard of it for two days"})
	case !m.Waits:
		w.Due = dies
		return c.watchUntil(w)
	}
	m.Told++
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", w.JobID, m.Told), TraceParent: m.Trace}
	w.Due = min(now+c.turn.deadline()<<min(m.Told, 10), dies)
	return errors.Join(rows.Write(c.rows, jobPrefix+w.JobID, row), c.tell(w.JobID, cause, m.begun(w.JobID)), c.watchUntil(w))
}
