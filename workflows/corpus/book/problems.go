package book

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

const (
	// problemsInRow is how many problems of an import one row has. The first row is what its job shows.
	problemsInRow = imports.MaxProblems
	maxMessage    = 500 // bytes, of what is said of a problem
)

// problemsOf is what the keys of an import's problems begin with.
func problemsOf(id string) string { return problemsPrefix + id + "/" }

func problemsKey(id string, row int) string { return fmt.Sprintf("%s%06d", problemsOf(id), row) }

// problems are those of one row.
func (im *importRow) problems(r rows.Tx, id string, row int) (ps []job.Problem, err error) {
	if row*problemsInRow >= im.Listed {
		return nil, nil
	}
	_, err = rows.Read(r, problemsKey(id, row), &ps)
	return ps, err
}

// keepProblems adds the new problems of an import to the last of their rows, and begins others.
func (c *change) keepProblems(im *openImport) error {
	for fresh := im.problems; len(fresh) > 0; {
		row := im.row.Import.Listed / problemsInRow
		kept, err := im.row.Import.problems(c.rows, im.id, row)
		if err != nil {
			return err
		}
		n := min(len(fresh), problemsInRow-len(kept))
		if err := rows.Write(c.rows, problemsKey(im.id, row), append(kept, fresh[:n]...)); err != nil {
			return err
		}
		im.row.Import.Listed += n
		fresh = fresh[n:]
	}
	im.problems = nil
	return nil
}

// Problems implements imports.Ledger.
func (b *Book) Problems(r rows.Tx, l imports.Listing) (imports.Page, error) {
	page := imports.Page{Problems: []job.Problem{}}
	from, err := fromCursor(l)
	if err != nil {
		return page, err
	}
	j, err := b.Job(r, l.JobID)
	if err != nil {
		return page, err
	}
	if j.Kind != job.Import {
		from = min(from, len(j.Errors))
		to := min(from+l.Limit, len(j.Errors))
		page.Problems = append(page.Problems, j.Errors[from:to]...)
		if to < len(j.Errors) {
			page.Next = problemsCursor(to)
		}
		return page, nil
	}
	var of jobRow
	if _, err := rows.Read(r, jobPrefix+l.JobID, &of); err != nil {
		return page, err
	}
	to := min(from+l.Limit, of.Import.Listed)
	for at := from; at < to; {
		ps, err := of.Import.problems(r, l.JobID, at/problemsInRow)
		if err != nil {
			return page, err
		}
		first := at % problemsInRow
		ps = ps[min(first, len(ps)):min(first+to-at, len(ps))]
		if len(ps) == 0 {
			return page, fault.New(fault.Internal, "problems_missing", "a row of the job's problems is not there", nil)
		}
		page.Problems = slices.Concat(page.Problems, ps)
		at += len(ps)
	}
	if to < of.Import.Listed {
		page.Next = problemsCursor(to)
	}
	return page, nil
}

// problemsCursor is the cursor of what comes after so many problems.
func problemsCursor(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n)))
}

// fromCursor is how many problems the pages before have shown.
func fromCursor(l imports.Listing) (from int, err error) {
	if l.Limit < 1 || l.Limit > corpus.MaxListed {
		return 0, fault.Invalidf("limit", "invalid_query", "%d is not between 1 and %d", l.Limit, corpus.MaxListed)
	}
	if l.Cursor == "" {
		return 0, nil
	}
	said, err := base64.RawURLEncoding.DecodeString(l.Cursor)
	if err == nil {
		from, err = strconv.Atoi(string(said))
	}
	if err != nil || from < 0 {
		return 0, fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	return from, nil
}

// sweepProblems removes so many rows of an import's problems at most.
func sweepProblems(r rows.Tx, id string, limit int) (removed int, err error) {
	found, err := r.Scan(problemsOf(id), limit)
	if err != nil {
		return 0, fmt.Errorf("book: scan: %w", err)
	}
	for _, row := range found {
		if err := r.Delete(row.Key); err != nil {
			return 0, fmt.Errorf("book: delete: %w", err)
		}
	}
	return len(found), nil
}
