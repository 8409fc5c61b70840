package book

import (
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/tenants/rows"
)

// JobLife is for how long a job that has ended can be asked for.
const JobLife = 30 * 24 * time.Hour

// Sweep removes idempotency keys that have expired and jobs that ended longer than JobLife ago. It looks at limit rows
// of each and says how many it removed: an alarm calls it until that is 0. Job ids are ordered by time (UUID version 7),
// so old jobs stand first, and the first young one ends the sweep.
func (b *Book) Sweep(r rows.Tx, limit int) (int, error) {
	now := b.now()
	n, err := sweepReceipts(r, now, limit)
	if err != nil {
		return n, err
	}
	found, err := r.Scan(jobPrefix, limit)
	if err != nil {
		return n, fmt.Errorf("book: scan: %w", err)
	}
	for _, row := range found {
		var j jobRow
		if err := json.Unmarshal(row.Value, &j); err != nil {
			return n, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		if now.Sub(time.UnixMilli(j.Created)) < JobLife {
			break
		}
		if j.End == nil || now.Sub(j.End.UpdatedAt) < JobLife {
			continue
		}
		if err := r.Delete(row.Key); err != nil {
			return n, fmt.Errorf("book: delete: %w", err)
		}
		n++
	}
	return n, nil
}
