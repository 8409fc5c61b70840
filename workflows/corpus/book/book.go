package book

import (
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// worker is the ledger's name in the source of its events.
const worker = "ledger"

// Book decides. It is safe for concurrent use as far as the Rows it is given are.
type Book struct{ now func() time.Time }

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// Documents implements corpus.Ledger.
func (b *Book) Documents(r rows.Tx, ids []string) ([]corpus.Document, error) {
	q := &queues{rows: r}
	docs := make([]corpus.Document, 0, len(ids))
	for _, id := range ids {
		var d document
		found, err := rows.Read(r, documentPrefix+id, &d)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		doc, err := q.show(&d)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// Job implements corpus.Ledger.
func (b *Book) Job(r rows.Tx, id string) (job.Job, error) {
	var row jobRow
	if found, err := rows.Read(r, jobPrefix+id, &row); err != nil {
		return job.Job{}, err
	} else if found {
		if j, known, err := row.show(r, id); err != nil || known {
			return j, err
		}
	}
	return job.Job{}, fault.Missing("job_not_found", "no job %.64q", id)
}

// jobRow is a job's row. While the job runs, what it says comes from its document's row, or, of an erasure, from what was
// found.
type jobRow struct {
	Kind       job.Kind      `json:"k,omitempty"` // empty for job.Ingest
	DocID      string        `json:"d"`
	Generation int           `json:"g"`
	Created    int64         `json:"c"`
	Found      *job.Erasure  `json:"er,omitempty"`
	Import     *importRow    `json:"im,omitempty"` // of an import, also of one that has ended
	Whole      *wholeErasure `json:"w,omitempty"`  // of the erasure of everything
	Move       *moveRow      `json:"mv,omitempty"` // of a move to another embedding model
	Transfer   *transferRow  `json:"tf,omitempty"` // of a run that brings the tenant here
	Trace      string        `json:"tp,omitempty"` // of an erasure
	Barred     bool          `json:"x,omitempty"`  // no job: none of this id may begin, as its text was erased
	End        *job.Job      `json:"end,omitempty"`
}

// show is the job as others see it. It is not known when it never was one, or when its document knows nothing of it.
func (row *jobRow) show(r rows.Tx, id string) (j job.Job, known bool, err error) {
	switch {
	case row.Barred:
		return job.Job{}, false, nil
	case row.Import != nil:
		if j = row.importing(id); row.End != nil {
			j = *row.End
		}
		j.Errors, err = row.Import.problems(r, id, 0)
		return j, true, err
	case row.End != nil:
		return *row.End, true, nil
	case row.Whole != nil:
		return row.erasingAll(id), true, nil
	case row.Kind == job.Erase:
		return row.erasing(id), true, nil
	case row.Move != nil:
		return row.moving(id), true, nil
	case row.Transfer != nil:
		return row.transferring(id), true, nil
	}
	var d document
	if _, err := rows.Read(r, documentPrefix+row.DocID, &d); err != nil {
		return job.Job{}, false, err
	}
	g := d.generation(row.Generation)
	if g == nil {
		return job.Job{}, false, nil
	}
	return follow(id, *row, g), true, nil
}

// follow is the job of a generation that is still on its way.
func follow(id string, row jobRow, g *generation) job.Job {
	stage, last := g.stage()
	j := job.Job{
		ID: id, Kind: job.Ingest, State: job.Queued, Stage: string(stage), DocID: row.DocID, ImportID: g.ImportID,
		Percent: g.percent(), CreatedAt: at(row.Created), UpdatedAt: last,
		Counts: job.Counts{Total: g.Slices, Done: g.Done.count()},
	}
	if g.Slices > 0 {
		j.State = job.Running
	}
	if g.Tokens > 0 {
		j.Cost = &job.Cost{Tokens: g.Tokens, Nanos: g.Nanos}
	}
	return j
}

// finish is the row of a job that has ended.
func finish(d *document, g *generation, state job.State, now time.Time, p *job.Problem) jobRow {
	row := jobRow{DocID: d.ID, Generation: g.Number, Created: g.Submitted}
	j := follow(g.JobID, row, g)
	j.State, j.UpdatedAt = state, now.UTC()
	if p != nil {
		j.Stage, j.Errors = p.Stage, []job.Problem{*p}
		j.Counts.Failed = j.Counts.Total - j.Counts.Done
	}
	row.End = &j
	return row
}

// day is the name of the day that t is in, in an order that bytes have too.
func day(t time.Time) string { return strconv.FormatInt(100_000+t.Unix()/86_400, 10) }
