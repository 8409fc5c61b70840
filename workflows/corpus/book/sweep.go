package book

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"levada.dev/tenants/rows"
)

// JobLife is for how long a job that has ended can be asked for.
const JobLife = 30 * 24 * time.Hour

// Sweep removes idempotency keys that have expired and jobs that ended longer than JobLife ago. It looks at limit rows of
// each, at jobs from the row from; next is where to go on, and empty at the end. Job ids are ordered by time (UUID version
// 7), so old jobs stand first, and the first young one is the end; but some of the old may never have ended, and those stay.
func (b *Book) Sweep(r rows.Tx, from string, limit int) (next string, err error) {
	now := b.now()
	expired, err := sweepReceipts(r, now, limit)
	if err != nil {
		return "", err
	}
	next, err = sweepJobs(r, now, max(from, jobPrefix), limit)
	if next == "" && expired == limit {
		next = jobsEnd
	}
	return next, err
}

func sweepJobs(r rows.Tx, now time.Time, from string, limit int) (next string, err error) {
	found, err := r.Range(from, jobsEnd, limit)
	if err != nil {
		return "", fmt.Errorf("book: range: %w", err)
	}
	left := limit // of the rows of problems
	for _, row := range found {
		var j jobRow
		if err := json.Unmarshal(row.Value, &j); err != nil {
			return "", fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		if now.Sub(time.UnixMilli(j.Created)) < JobLife {
			return "", nil
		}
		if !j.Barred && (j.End == nil || now.Sub(j.End.UpdatedAt) < JobLife) {
			continue
		}
		if j.Import != nil && j.Import.Listed > 0 {
			removed, err := sweepProblems(r, strings.TrimPrefix(row.Key, jobPrefix), left)
			if left -= removed; err != nil || left == 0 {
				return row.Key, err // there may be more of this job's, which goes after the last of them
			}
		}
		if err := r.Delete(row.Key); err != nil {
			return "", fmt.Errorf("book: delete: %w", err)
		}
	}
	if len(found) < limit {
		return "", nil
	}
	return found[limit-1].Key + "\x00", nil
}
