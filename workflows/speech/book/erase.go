package book

import (
	"errors"
	"fmt"
	"strings"

	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// left is what may be there without a job.
var left = []string{takePrefix, textPrefix, cutsPrefix, tapePrefix, memberPrefix, waitingPrefix, garbagePrefix, forgetPrefix, receiptPrefix}

// Clear forgets jobs whatever their age, so many at most, and says how many. With a job its take goes, made or not: whoever makes it is told that it
// is over. What jobs have left is forgotten after the last of them.
func (b *Book) Clear(tx rows.Tx, s tenants.Scope, limit int) (int, error) {
	c := b.begin(tx, s)
	found, err := tx.Scan(jobPrefix, limit)
	if err != nil {
		return 0, fmt.Errorf("speech: scan: %w", err)
	}
	for _, row := range found {
		if err := c.clear(strings.TrimPrefix(row.Key, jobPrefix)); err != nil {
			return 0, err
		}
	}
	n := len(found)
	for _, prefix := range left {
		rest, err := tx.Scan(prefix, limit-n)
		if err != nil {
			return 0, fmt.Errorf("speech: scan: %w", err)
		}
		for _, row := range rest {
			if err := c.remove(row.Key); err != nil {
				return 0, err
			}
		}
		n += len(rest)
	}
	if n < limit {
		return n, c.remove(roomKey)
	}
	return n, c.close()
}

// clear removes the rows of a job and of its take.
func (c *change) clear(id string) error {
	var j jobRow
	if _, err := rows.Read(c.tx, jobPrefix+id, &j); err != nil {
		return err
	}
	t, err := findTake(c.tx, j.Take)
	if err != nil {
		return err
	}
	if t != nil {
		if t.live() {
			err = c.leave(t)
		}
		err = errors.Join(err, c.removeTake(t))
	}
	return errors.Join(err, c.remove(jobPrefix+id, memberKey(j.Take, id), forgetKey(j.forget(), id)))
}

// Count is how many jobs there are, as far as the limit; without any, how many rows are left of those that were.
func (b *Book) Count(tx rows.Tx, limit int) (n int, err error) {
	for _, prefix := range append([]string{jobPrefix}, left...) {
		found, err := tx.Scan(prefix, limit-n)
		if err != nil {
			return 0, fmt.Errorf("speech: scan: %w", err)
		}
		n += len(found)
		if n == limit || prefix == jobPrefix && n > 0 {
			break
		}
	}
	return n, nil
}
