package book

import (
	"errors"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
)

// importPatience is for how long nothing may come of an import that has entries left: more than a run goes on for that cannot reach what it needs,
// and more than a backlog lasts.
const importPatience = 7 * 24 * time.Hour

// lookAtImport looks after an import that its run has not handed over whole. Until the run says what there is, it is told again to begin,
// which a run that has begun does not hear. In the end, what was taken is all there is.
func (c *change) lookAtImport(w watched, now int64) error {
	im, err := c.importOf(w.JobID)
	if err != nil || im == nil {
		return err
	}
	row := im.row.Import
	news := row.Updated
	if row.Started != nil {
		news = im.row.Created // all since was our own telling
	}
	deadline, dies := c.turn.deadline(), news+importPatience.Milliseconds()
	switch {
	case row.Sealed && row.Taken >= row.Entries: // its documents are looked after one by one
		return nil
	case w.Due > now:
		return c.watchUntil(w)
	case now >= dies:
		im.seal(row.Taken, &job.Problem{Stage: "import", Code: "stuck", Message: fmt.Sprintf(
			"nothing was heard of it for %d days; %d documents were taken", int(importPatience.Hours()/24), row.Taken)}, c.now)
		return nil
	case row.Started == nil:
		w.Due = dies
		return c.watchUntil(w)
	}
	row.Told++
	im.dirty = true
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", im.id, row.Told), TraceParent: row.Trace}
	w.Due = min(now+deadline<<min(row.Told, 10), dies)
	return errors.Join(c.tell(im.id, cause, *row.Started), c.watchUntil(w))
}

// erasurePatience is for how long nothing may come of an erasure of everything. While it goes on the ledger takes nothing in.
const erasurePatience = 2 * 24 * time.Hour

// lookAtErasureOfAll looks after an erasure of everything. Until its run says that it has begun, it is told again; in the end it
// fails, which opens the ledger, and the next request does the rest.
func (c *change) lookAtErasureOfAll(w watched, row jobRow, now int64) error {
	switch {
	case row.End != nil:
		return nil
	case w.Due > now:
		return c.watchUntil(w)
	}
	dies := row.Whole.Updated + erasurePatience.Milliseconds()
	if now >= dies {
		_, err := c.endErasureOfAll(w.JobID, row, &job.Problem{Stage: "erase", Code: "stuck", Message: "nothing was heard of it for two days"})
		return err
	}
	if row.Whole.Stage != "" {
		w.Due = dies
		return c.watchUntil(w)
	}
	row.Whole.Told++
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", w.JobID, row.Whole.Told), TraceParent: row.Whole.Trace}
	w.Due = min(now+c.turn.deadline()<<min(row.Whole.Told, 10), dies)
	return errors.Join(rows.Write(c.rows, jobPrefix+w.JobID, row), c.tell(w.JobID, cause, events.TenantErasureRequested{JobID: w.JobID}), c.watchUntil(w))
}

// watchJob puts the job of a flow, which was opened, under watch.
func (c *change) watchJob(id string) error {
	if _, err := c.turns(); err != nil {
		return err
	}
	return c.watch(id)
}
