package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// List implements corpus.Catalogue. There is no index but the order of ids: rows are billed where they are written, and an
// index by state would be written three times for each document, to be read seldom.
func (b *Book) List(r rows.Tx, q corpus.Listing) (corpus.DocumentPage, error) {
	page, waits := corpus.DocumentPage{Documents: []corpus.Document{}}, &queues{rows: r}
	l, err := newLook(documentPrefix, q.Cursor, q.Limit)
	if err != nil {
		return page, err
	}
	from, to := documentPrefix+q.Prefix, documentPrefix+q.Prefix+afterAll
	if q.Cursor != "" {
		from = max(from, l.last+"\x00")
	}
	page.Next, err = l.each(func(limit int) ([]rows.Row, error) {
		found, err := r.Range(from, to, limit)
		if len(found) > 0 {
			from = found[len(found)-1].Key + "\x00"
		}
		return found, err
	}, func(row rows.Row) (bool, error) {
		var d document
		if err := json.Unmarshal(row.Value, &d); err != nil {
			return false, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		doc, err := waits.show(&d)
		if err != nil {
			return false, err
		}
		wanted := listed(q, doc)
		if wanted {
			page.Documents = append(page.Documents, doc)
		}
		return wanted, nil
	})
	return page, err
}

func listed(q corpus.Listing, d corpus.Document) bool {
	if q.State == "" && d.State == corpus.Deleted || q.State != "" && q.State != d.State {
		return false
	}
	return q.Source == "" || q.Source == d.Source
}

// Jobs implements corpus.Catalogue. Their ids are in order of time. A job that goes on is read with its document.
func (b *Book) Jobs(r rows.Tx, q corpus.JobListing) (corpus.JobPage, error) {
	page := corpus.JobPage{Jobs: []job.Job{}}
	l, err := newLook(jobPrefix, q.Cursor, q.Limit)
	if err != nil {
		return page, err
	}
	to := jobsEnd
	if q.Cursor != "" {
		to = l.last
	}
	page.Next, err = l.each(func(limit int) ([]rows.Row, error) {
		found, err := r.Reverse(jobPrefix, to, limit)
		if len(found) > 0 {
			to = found[len(found)-1].Key
		}
		return found, err
	}, func(row rows.Row) (bool, error) {
		var of jobRow
		if err := json.Unmarshal(row.Value, &of); err != nil {
			return false, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		j, known, err := of.show(r, strings.TrimPrefix(row.Key, jobPrefix))
		if err != nil || !known || !matches(q, j) {
			return false, err
		}
		page.Jobs = append(page.Jobs, j)
		return true, nil
	})
	return page, err
}

func matches(q corpus.JobListing, j job.Job) bool {
	return (q.Kind == "" || q.Kind == j.Kind) && (q.State == "" || q.State == j.State) && (q.ImportID == "" || q.ImportID == j.ImportID)
}

// Cancel implements corpus.Catalogue.
func (b *Book) Cancel(r rows.Tx, s tenants.Scope, id string) (job.Job, error) {
	var row jobRow
	if _, err := rows.Read(r, jobPrefix+id, &row); err != nil {
		return job.Job{}, err
	}
	if row.Kind == job.Erase && row.End == nil {
		return job.Job{}, fault.New(fault.Conflict, "job_not_cancellable", "an erasure cannot be cancelled", nil).
			WithHint("submit the document again, if it is wanted")
	}
	if row.Transfer != nil && row.End == nil {
		if err := b.begin(r, s).cancelTransfer(id, &row); err != nil {
			return job.Job{}, err
		}
	} else if row.Move != nil && row.End == nil {
		if err := b.begin(r, s).cancelMove(id); err != nil {
			return job.Job{}, err
		}
	} else if row.End == nil {
		c := b.begin(r, s)
		cancel := c.cancelJob
		if row.Kind == job.Import {
			cancel = func(jobRow) error { return c.cancelImport(id) }
		}
		if err := cancel(row); err != nil {
			return job.Job{}, err
		}
	}
	return b.Job(r, id)
}

func (c *change) cancelJob(row jobRow) error {
	o, err := c.open(row.DocID)
	if err != nil || o == nil {
		return err
	}
	if g := o.generation(row.Generation); g != nil && g.live() {
		if err := c.cancel(o, g, "cancelled", "its job was cancelled"); err != nil {
			return err
		}
	}
	return c.close()
}

// Resubmit implements corpus.Catalogue.
func (b *Book) Resubmit(r rows.Tx, s tenants.Scope, re corpus.Resubmission) (corpus.Receipt, error) {
	if re.DocID == "" || re.JobID == "" {
		return corpus.Receipt{}, fault.Invalidf("docId", "submission_invalid", "document and job are required")
	}
	if first, found, err := submitted(r, re.DocID, re.JobID); err != nil || found {
		return first, err
	}
	c := b.begin(r, s)
	if err := c.writable(); err != nil {
		return corpus.Receipt{}, err
	}
	o, err := c.open(re.DocID)
	if err != nil {
		return corpus.Receipt{}, err
	}
	if o == nil {
		return corpus.Receipt{}, fault.Missing("document_not_found", "no document %.200q", re.DocID)
	}
	g := o.generation(o.Newest)
	if o.Deleted != nil || g == nil || o.Newest != re.Generation || g.State != corpus.Failed {
		return corpus.Receipt{DocID: o.ID, JobID: o.show().JobID, Generation: o.Newest, Unchanged: true}, nil
	}
	sub := corpus.Submission{
		DocID: o.ID, JobID: re.JobID, ContentType: g.ContentType, TextKey: g.TextKey, Bytes: g.Bytes, SHA256: g.SHA256,
		Model: g.Model, Chunking: g.Chunking, Cause: re.Cause,
	}
	if g.About != nil {
		sub.About = *g.About
	}
	if g.Fetch != nil {
		fetchAgain(&sub, g)
	}
	rec, err := c.generate(o, sub, "")
	return rec, errors.Join(err, c.close())
}
