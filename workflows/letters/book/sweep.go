package book

import (
	"fmt"
	"strings"

	"levada.dev/tenants/rows"
	"levada.dev/workflows/letters"
)

// Sweep forgets what is older than letters.Life, and idempotency keys that have expired, so many of each at most.
func (b *Book) Sweep(tx rows.Tx, limit int) (rows.Swept, error) {
	now := b.now()
	n, err := forget(tx, letterPrefix+digits(ceil(now.Add(-letters.Life))), limit)
	if err != nil {
		return rows.Swept{}, err
	}
	keys, err := sweepReceipts(tx, now, limit)
	if err != nil {
		return rows.Swept{}, err
	}
	first, err := tx.Scan(letterPrefix, 1)
	if err != nil {
		return rows.Swept{}, fmt.Errorf("letters: scan: %w", err)
	}
	return rows.Swept{More: n == limit, Left: keys || len(first) > 0}, nil
}

// Clear forgets letters and idempotency keys whatever their age, so many at most, and says how many.
func (b *Book) Clear(tx rows.Tx, limit int) (int, error) {
	n, err := forget(tx, letterPrefix+end, limit)
	if err != nil {
		return 0, err
	}
	keys, err := tx.Scan(receiptPrefix, limit-n)
	if err != nil {
		return 0, fmt.Errorf("letters: scan: %w", err)
	}
	for _, row := range keys {
		if err := tx.Delete(row.Key); err != nil {
			return 0, fmt.Errorf("letters: delete: %w", err)
		}
	}
	return n + len(keys), nil
}

// Forget implements letters.Forgetter for so many letters, from a place on, and says where to go on; empty at the end.
func (b *Book) Forget(tx rows.Tx, docID string, generation int, from string, limit int) (next string, err error) {
	prefix := aboutKey(docID, "")
	found, err := tx.Range(max(from, prefix), prefix+"\x7f", limit) // ids are of letters, digits and hyphens
	if err != nil {
		return "", fmt.Errorf("letters: range: %w", err)
	}
	for _, row := range found {
		l, there, err := find(tx, strings.TrimPrefix(row.Key, prefix))
		if err != nil {
			return "", err
		}
		if !there || l.Generation > generation {
			continue
		}
		if err := remove(tx, l); err != nil {
			return "", err
		}
	}
	if len(found) < limit {
		return "", nil
	}
	return found[limit-1].Key + "\x00", nil
}

// forget removes the oldest letters, up to a key.
func forget(tx rows.Tx, to string, limit int) (int, error) {
	found, err := tx.Range(letterPrefix, to, limit)
	if err != nil {
		return 0, fmt.Errorf("letters: range: %w", err)
	}
	for _, row := range found {
		var l letters.Letter
		if err := decode(row, &l); err != nil {
			return 0, err
		}
		if err := remove(tx, l); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
