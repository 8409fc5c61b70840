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
	n, err := forget(tx, letterPrefix+digits(ceil(now.Add(-letters.Life))), limit)
	if err != nil {
		return Swept{}, err
	}
	keys, err := sweepReceipts(tx, now, limit)
	if err != nil {
		return Swept{}, err
	}
	first, err := tx.Scan(letterPrefix, 1)
	if err != nil {
		return Swept{}, fmt.Errorf("letters: scan: %w", err)
	}
	return Swept{More: n == limit, Left: keys || len(first) > 0}, nil
}

// Clear forgets letters whatever their age, so many at most, and says how many.
func (b *Book) Clear(tx rows.Tx, limit int) (int, error) { return forget(tx, letterPrefix+end, limit) }

// forget removes the oldest letters, up to a key.
func forget(tx rows.Tx, to string, limit int) (int, error) {
	found, err := tx.Range(letterPrefix, to, limit)
	if err != nil {
		return 0, fmt.Errorf("letters: range: %w", err)
	}
	for _, row := range found {
		ms, id := named(row.Key)
		if err := remove(tx, ms, id); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
