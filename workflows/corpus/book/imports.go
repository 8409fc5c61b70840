package book

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// importRow is what a job's row knows of an import. Its problems have rows of their own.
type importRow struct {
	Source  string       `json:"s,omitempty"`
	Of      *job.Origin  `json:"o,omitempty"`
	LeftOut int          `json:"r,omitempty"` // refused by the door, and counted only
	Entries int          `json:"e,omitempty"` // as far as is known
	Taken   int          `json:"t,omitempty"`
	Listed  int          `json:"l,omitempty"` // problems
	Sealed  bool         `json:"se,omitempty"`
	Failed  *job.Problem `json:"f,omitempty"` // why the rest could not be had
	Note    *job.Problem `json:"n,omitempty"` // what it waits for, until it is sealed
	Counts  job.Counts   `json:"c"`           // but for Total
	Updated int64        `json:"u"`
	Trace   string       `json:"tp,omitempty"`

	// Started is what began it, as long as nothing says that it has begun; Told is how often that was told again.
	Started *events.ImportStarted `json:"st,omitempty"`
	Told    int                   `json:"to,omitempty"`

	Cancelled bool     `json:"x,omitempty"`
	Emptied   [3]int64 `json:"el,omitzero"` // of a cancelled one: which of those that wait were looked at, in each of its lanes
}

// importCancelled is what is said of the documents of a cancelled import.
const importCancelled = "its import was cancelled"

// final is how many entries have ended.
func (im *importRow) final() int { return im.Counts.Done + im.Counts.Failed + im.Counts.Cancelled }

// over reports whether nothing will come of the import any more.
func (im *importRow) over() bool {
	return im.Sealed && im.Taken >= im.Entries && im.final() == im.LeftOut+im.Taken
}

// state is how the import ends, or what it is at.
func (im *importRow) state() job.State {
	switch {
	case !im.over() && im.Taken == 0 && !im.Sealed:
		return job.Queued
	case !im.over():
		return job.Running
	case im.Cancelled:
		return job.Cancelled
	case im.Failed != nil, im.Counts.Done == 0 && im.Counts.Failed > 0:
		return job.Failed
	}
	return job.Succeeded
}

// importing is the job of an import, but for its problems.
func (row *jobRow) importing(id string) job.Job {
	im := row.Import
	j := job.Job{
		ID: id, Kind: job.Import, State: im.state(), Stage: "take", Source: im.Source, Of: im.Of, Counts: im.Counts,
		CreatedAt: at(row.Created), UpdatedAt: at(im.Updated),
	}
	if im.Sealed && im.Taken >= im.Entries {
		j.Stage = "process"
	}
	j.Counts.Total = im.LeftOut + max(im.Entries, im.Taken)
	if !im.Sealed {
		j.Note = im.Note
	}
	switch {
	case im.over():
		j.Percent = 100
		if j.State == job.Succeeded && j.Counts.Total == 0 {
			j.Note = im.foundNothing()
		}
	case j.Counts.Total > 0:
		j.Percent = min(99, 100*im.final()/j.Counts.Total)
	}
	return j
}

// foundNothing is the note on an import without a document. It is no failure: a source may have nothing yet, and what is asked for again and
// again would fail each time.
func (im *importRow) foundNothing() *job.Problem {
	p := &job.Problem{Stage: string(job.Import), Code: job.FoundNothing, Message: "there was no document in it"}
	switch of := im.Of; {
	case of == nil:
	case of.Kind == "sitemap":
		p.Field, p.Message = "sitemap", fmt.Sprintf("%.200s: no page is named there", of.URL)
	case of.Kind == "prefix":
		p.Field, p.Message = "prefix", clip(fmt.Sprintf("no file's name begins with %.200q", of.Prefix), maxMessage)
	}
	return p
}

// openImport is an import that a call works on.
type openImport struct {
	id       string
	row      jobRow
	dirty    bool
	problems []job.Problem // new ones
}

// importOf is an import that goes on, nil when there is none.
func (c *change) importOf(id string) (*openImport, error) {
	if im, known := c.imports[id]; known || id == "" {
		return im, nil
	}
	im := &openImport{id: id}
	found, err := rows.Read(c.rows, jobPrefix+id, &im.row)
	if err != nil {
		return nil, err
	}
	if !found || im.row.Import == nil || im.row.End != nil {
		im = nil
	} else {
		c.importing = append(c.importing, im)
	}
	c.imports[id] = im
	return im, nil
}

// ending is how an entry of an import has ended.
type ending struct {
	state     job.State
	docID     string
	line      int
	unchanged bool
	refused   bool
	problem   *job.Problem
}

// tally counts an entry of an import that has ended.
func (c *change) tally(importID string, e ending) error {
	im, err := c.importOf(importID)
	if err != nil || im == nil {
		return err
	}
	im.dirty = true
	counts := &im.row.Import.Counts
	switch e.state {
	case job.Succeeded:
		counts.Done++
	case job.Cancelled:
		counts.Cancelled++
		return nil
	default:
		counts.Failed++
	}
	if e.unchanged {
		counts.Unchanged++
	}
	if e.refused {
		counts.Refused++
	}
	if e.problem != nil {
		p := *e.problem
		p.DocID, p.Line, p.Message = e.docID, max(p.Line, e.line), clip(p.Message, maxMessage)
		im.problems = append(im.problems, p)
	}
	return nil
}

// overtaken ends a generation whose import was cancelled.
func (c *change) overtaken(o *open, g *generation) (bool, error) {
	im, err := c.importOf(g.ImportID)
	if err != nil || im == nil || !im.row.Import.Cancelled {
		return false, err
	}
	return true, c.cancel(o, g, "cancelled", importCancelled)
}

// closeImports writes the imports that have changed, and ends those that are over.
func (c *change) closeImports() error {
	for _, im := range c.importing {
		if !im.dirty {
			continue
		}
		im.row.Import.Updated = c.now.UnixMilli()
		err := c.keepProblems(im)
		if err == nil && im.row.Import.over() {
			err = c.endImport(im)
		}
		if err == nil {
			err = rows.Write(c.rows, jobPrefix+im.id, im.row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *change) endImport(im *openImport) error {
	j := im.row.importing(im.id)
	j.Stage = ""
	im.row.End = &j
	if err := c.countImport(-1); err != nil {
		return err
	}
	return c.tell(im.id, events.Cause{ID: im.id, TraceParent: im.row.Import.Trace}, events.ImportCompleted{
		ImportID: im.id, State: string(j.State), Source: j.Source, Total: j.Counts.Total, Done: j.Counts.Done, Unchanged: j.Counts.Unchanged,
		Failed: j.Counts.Failed, Refused: j.Counts.Refused, Cancelled: j.Counts.Cancelled,
	})
}

// OpenImport implements imports.Ledger.
func (b *Book) OpenImport(r rows.Tx, s tenants.Scope, im imports.Import) (job.Job, error) {
	c := b.begin(r, s)
	id, err := c.known(im)
	if err != nil || id != "" {
		if err != nil {
			return job.Job{}, err
		}
		return b.Job(r, id)
	}
	if err := c.writable(); err != nil {
		return job.Job{}, err
	}
	fact := started(im)
	ev, err := events.New(c.scope, worker, im.Cause, c.now, fact)
	if err != nil {
		return job.Job{}, err
	}
	row := jobRow{Kind: job.Import, Created: c.now.UnixMilli(), Import: &importRow{
		Source: im.Source, Of: im.Origin.Of(), Entries: im.Entries, LeftOut: im.LeftOut, Updated: c.now.UnixMilli(), Trace: im.Cause.TraceParent,
		Counts: job.Counts{Failed: im.LeftOut, Refused: im.LeftOut}, Started: &fact,
	}}
	open := &openImport{id: im.ID, row: row, dirty: true}
	c.imports[im.ID], c.importing = open, []*openImport{open}
	err = errors.Join(
		enqueue(r, im.ID, ev),
		keepReceipt(r, im.Cause.IdempotencyKey, im.RequestHash, corpus.Receipt{JobID: im.ID}, c.now),
		c.watchJob(im.ID),
		c.countImport(+1),
		c.close(),
	)
	if err != nil {
		return job.Job{}, err
	}
	return b.Job(r, im.ID)
}

// known is the import that a request has opened already, empty when it has not.
func (c *change) known(im imports.Import) (id string, err error) {
	if im.ID == "" || im.Entries < 0 || im.LeftOut < 0 {
		return "", fault.Invalidf("id", "import_invalid", "the id is required, and a count is never below 0")
	}
	var row jobRow
	if found, err := rows.Read(c.rows, jobPrefix+im.ID, &row); err != nil || found {
		if err == nil && row.Kind != job.Import {
			err = fault.New(fault.Conflict, "job_exists", "there is another job of this id", nil)
		}
		return im.ID, err
	}
	if im.Cause.IdempotencyKey == "" {
		return "", nil
	}
	first, found, err := findReceipt(c.rows, im.Cause.IdempotencyKey, c.now)
	return first.First.JobID, errors.Join(err, first.conflict(found, im.RequestHash))
}

// started is the fact that begins an import.
func started(im imports.Import) events.ImportStarted {
	f := events.ImportStarted{
		ImportID: im.ID, Source: im.Source, Entries: im.Entries,
		Parts: im.Origin.Batch, URLs: im.Origin.URLs, Sitemap: im.Origin.Sitemap, Prefix: im.Origin.Prefix,
	}
	if of := im.Origin.Of(); of != nil {
		f.Origin = of.Kind
	}
	return f
}

// Take implements imports.Ledger.
func (b *Book) Take(r rows.Tx, s tenants.Scope, id string, n int, entries []imports.Taking) (imports.Taken, error) {
	c := b.begin(r, s)
	im, taken, err := c.goingOn(id)
	if err == nil && im == nil {
		taken.Unused, err = c.unused(entries)
	}
	if err != nil || im == nil {
		taken.Cancelled = taken.Cancelled || n+len(entries) > taken.Entries // it has ended without them
		return taken, err
	}
	row := im.row.Import
	switch {
	case row.Cancelled, len(entries) == 0, n >= 0 && n+len(entries) <= row.Taken:
		taken.Unused, err = c.unused(entries)
		return taken, err
	case n < 0 || n > row.Taken:
		return taken, fault.Invalidf("n", "import_gap", "entries from %d on, but only %d were taken", n, row.Taken)
	case row.Sealed && n+len(entries) > row.Entries:
		return taken, fault.New(fault.Conflict, "import_sealed", "the import has no such entries", nil)
	}
	if err := c.taking(); err != nil {
		return taken, err
	}
	if taken.Unused, err = c.unused(entries[:row.Taken-n]); err != nil {
		return taken, err
	}
	entries = entries[row.Taken-n:]
	for i, e := range entries {
		unused, err := c.takeEntry(im, e)
		if i > 0 && fault.Is(err, fault.Limited) {
			break // what there is room for
		}
		if err != nil {
			return taken, err
		}
		if unused != "" {
			taken.Unused = append(taken.Unused, unused)
		}
		row.Taken++
		im.dirty = true
	}
	taken.Entries = row.Taken
	return taken, c.close()
}

// unused are the texts of entries that are not taken, or were before, which no generation has: a step that runs again stores
// its texts again, and meanwhile a document may have been replaced.
func (c *change) unused(entries []imports.Taking) (keys []string, err error) {
	for _, e := range entries {
		if e.Submission == nil || e.Submission.TextKey == "" {
			continue
		}
		o, err := c.open(e.Submission.DocID)
		if err != nil {
			return nil, err
		}
		if o == nil || !o.uses(e.Submission.TextKey) {
			keys = append(keys, e.Submission.TextKey)
		}
	}
	return keys, nil
}

// takeEntry takes one entry of an import, and returns the key of its text if nobody needs that. One that is refused is counted and listed; only
// that there is no room ends the call.
func (c *change) takeEntry(im *openImport, e imports.Taking) (unused string, err error) {
	var docID string
	p := e.Problem
	if e.Submission != nil {
		docID = e.Submission.DocID
		rec, err := c.submit(*e.Submission, im.id)
		var f *fault.Error
		switch {
		case err == nil && rec.Unchanged:
			return e.Submission.TextKey, nil
		case err == nil:
			return "", nil
		case !errors.As(err, &f) || fault.Retryable(f):
			return "", err
		}
		unused = e.Submission.TextKey
		p = &job.Problem{Stage: string(corpus.StageSubmit), Line: e.Submission.Line, Field: f.Field, Code: f.Code, Message: f.Message}
	}
	if p == nil {
		p = &job.Problem{Stage: string(corpus.StageSubmit), Code: "submission_invalid", Message: "the entry is empty"}
	}
	if docID == "" {
		docID = p.DocID
	}
	if p.At.IsZero() {
		dated := *p
		dated.At = c.now.UTC()
		p = &dated
	}
	return unused, c.tally(im.id, ending{state: job.Failed, docID: docID, refused: true, problem: p})
}

// goingOn is an import, nil when it has ended, and how far it was taken.
func (c *change) goingOn(id string) (*openImport, imports.Taken, error) {
	im, err := c.importOf(id)
	if err != nil {
		return nil, imports.Taken{}, err
	}
	if im != nil {
		return im, imports.Taken{Entries: im.row.Import.Taken, Cancelled: im.row.Import.Cancelled}, nil
	}
	var row jobRow
	found, err := rows.Read(c.rows, jobPrefix+id, &row)
	if err != nil {
		return nil, imports.Taken{}, err
	}
	if !found || row.Kind != job.Import {
		return nil, imports.Taken{}, fault.Missing("job_not_found", "no job %.64q", id)
	}
	return nil, imports.Taken{Entries: row.Import.Taken, Cancelled: row.Import.Cancelled}, nil
}

// SealImport implements imports.Ledger.
func (b *Book) SealImport(r rows.Tx, s tenants.Scope, id string, entries int, failed *job.Problem) (job.Job, error) {
	c := b.begin(r, s)
	im, _, err := c.goingOn(id)
	if err != nil {
		return job.Job{}, err
	}
	if im != nil && !im.row.Import.Cancelled {
		im.seal(max(entries, im.row.Import.Taken), failed, c.now)
		if err := c.close(); err != nil {
			return job.Job{}, err
		}
	}
	return b.Job(r, id)
}

func (im *openImport) seal(entries int, failed *job.Problem, now time.Time) {
	row := im.row.Import
	if !row.Sealed || row.Entries != entries {
		row.Sealed, row.Entries, row.Started, im.dirty = true, entries, nil, true
	}
	if failed == nil || row.Failed != nil && row.Failed.Code == failed.Code && row.Failed.Message == failed.Message {
		return
	}
	p := *failed
	if p.At.IsZero() {
		p.At = now.UTC()
	}
	row.Failed, im.dirty = &p, true
	im.problems = append(im.problems, p)
}

// cancelImport has an import take no more, and ends what waits of it: some at once, the rest by and by (Watch). What is
// on its way ends when something is heard of it, or when it is due.
func (c *change) cancelImport(id string) error {
	im, err := c.importOf(id)
	if err != nil || im == nil || im.row.Import.Cancelled {
		return err
	}
	t, err := c.turns()
	if err != nil {
		return err
	}
	row := im.row.Import
	row.Cancelled, row.Sealed, row.Entries, row.Started, im.dirty = true, true, row.Taken, nil, true
	if !slices.Contains(t.Empty, id) && t.Lanes[laneImport].Waiting+t.Lanes[laneFetchImport].Waiting+t.Lanes[laneSlowImport].Waiting > 0 {
		t.Empty, t.dirty = append(t.Empty, id), true
	}
	return errors.Join(c.empty(), c.close())
}
