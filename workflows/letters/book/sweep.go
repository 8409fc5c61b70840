package book

import (
	"fmt"

	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// Swept says what a sweep has left.
type Swept struct {
	More bool // there is more to forget now
	Left bool // there is something that will be forgotten later
}

// Sweep forgets what is older than letters.Life, and idempotency keys that have expired, so many of each at most.
func (b *Book) Sweep(tx rows.Tx, limit int) (Swept, error) {
	now := b.now()
	from, _ := newest.bounds(0, ceil(now.Add(-letters.Life)))
	n, err := forget(tx, from, limit)
	if err != nil {
		return Swept{}, err
	}
	keys, err := sweepReceipts(tx, now, limit)
	if err != nil {
		return Swept{}, err
	}
	first, err := tx.Scan(newestPrefix, 1)
	if err != nil {
		return Swept{}, fmt.Errorf("letters: scan: %w", err)
	}
	return Swept{More: n == limit, Left: keys || len(first) > 0}, nil
}

// Clear forgets letters whatever their age, so many at most, and says how many.
func (b *Book) Clear(tx rows.Tx, limit int) (int, error) { return forget(tx, newestPrefix, limit) }

// forget removes letters from a key on.
func forget(tx rows.Tx, from string, limit int) (int, error) {
	found, err := tx.Range(from, newestPrefix+end, limit)
	if err != nil {
		return 0, fmt.Errorf("letters: range: %w", err)
	}
	for _, row := range found {
		if err := remove(tx, newest.time(row.Key).UnixMilli(), idIn(row.Key)); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
