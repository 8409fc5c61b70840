package book

import (
	"fmt"

	"levada.dev/tenants/rows"
)

// end comes after every digit.
const end = ":"

// Sweep forgets calls that have expired, so many at most.
func (b *Book) Sweep(tx rows.Tx, limit int) (rows.Swept, error) {
	n, err := forget(tx, expiryPrefix+digits(b.now().UnixMilli()+1), limit)
	if err != nil {
		return rows.Swept{}, err
	}
	left, err := b.Count(tx, 1)
	return rows.Swept{More: n == limit, Left: left > 0}, err
}

// Clear forgets calls whatever their age, so many at most, and says how many. The last takes along how many there were: nothing is left.
func (b *Book) Clear(tx rows.Tx, limit int) (int, error) {
	n, err := forget(tx, expiryPrefix+end, limit)
	if err != nil || n == limit {
		return n, err
	}
	if err := tx.Delete(numberKey); err != nil {
		return n, fmt.Errorf("calls: delete: %w", err)
	}
	return n, nil
}

// Count is how many calls there are, as far as the limit.
func (b *Book) Count(tx rows.Tx, limit int) (int, error) {
	found, err := tx.Scan(expiryPrefix, limit)
	if err != nil {
		return 0, fmt.Errorf("calls: scan: %w", err)
	}
	return len(found), nil
}

// forget removes the calls that expire first, up to a key.
func forget(tx rows.Tx, to string, limit int) (int, error) {
	found, err := tx.Range(expiryPrefix, to, limit)
	if err != nil {
		return 0, fmt.Errorf("calls: range: %w", err)
	}
	for _, row := range found {
		key := keyOf(row.Key)
		c, _, err := read(tx, key)
		if err != nil {
			return 0, err
		}
		if err := remove(tx, key, c); err != nil {
			return 0, err
		}
		if err := tx.Delete(row.Key); err != nil {
			return 0, fmt.Errorf("calls: delete: %w", err)
		}
	}
	return len(found), nil
}
