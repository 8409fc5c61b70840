package book

import (
	"fmt"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
)

// receiptLife is for how long a repetition with the same idempotency key gets the first answer.
const receiptLife = 24 * time.Hour

// receipt is the row of an idempotency key, under the day it came.
type receipt struct {
	Hash   string `json:"h"`
	Answer []byte `json:"a,omitempty"`
	Taken  int64  `json:"t"`
}

// Open implements letters.Receipts.
func (b *Book) Open(tx rows.Tx, key, hash string) ([]byte, error) {
	now := b.now()
	_, r, err := findReceipt(tx, key, now)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return nil, rows.Write(tx, receiptKey(now, key), receipt{Hash: hash, Taken: now.UnixMilli()})
	case r.Hash != hash:
		return nil, fault.New(fault.Conflict, "idempotency_conflict", "the idempotency key was used for another request", nil).
			WithHint("use a new key for each new request")
	}
	return r.Answer, nil
}

// Close implements letters.Receipts.
func (b *Book) Close(tx rows.Tx, key string, answer []byte) error {
	at, r, err := findReceipt(tx, key, b.now())
	if err != nil || r == nil || r.Answer != nil {
		return err
	}
	r.Answer = answer
	return rows.Write(tx, at, r)
}

// findReceipt is the receipt of a key and where it is; nil when there is none.
func findReceipt(tx rows.Tx, key string, now time.Time) (at string, r *receipt, err error) {
	for _, day := range []time.Time{now, now.Add(-receiptLife)} {
		var found receipt
		at = receiptKey(day, key)
		there, err := rows.Read(tx, at, &found)
		if err != nil {
			return "", nil, err
		}
		if there && now.Sub(time.UnixMilli(found.Taken)) < receiptLife {
			return at, &found, nil
		}
	}
	return "", nil, nil
}

func receiptKey(t time.Time, key string) string { return receiptPrefix + day(t) + "/" + key }

// day is the name of the day that t is in, in an order that bytes have too.
func day(t time.Time) string { return strconv.FormatInt(100_000+t.Unix()/86_400, 10) }

// sweepReceipts removes those that have expired, limit of them at most, and reports whether any are left.
func sweepReceipts(tx rows.Tx, now time.Time, limit int) (left bool, err error) {
	found, err := tx.Scan(receiptPrefix, limit)
	if err != nil {
		return false, fmt.Errorf("letters: scan: %w", err)
	}
	young := receiptKey(now.Add(-receiptLife), "")
	for _, row := range found {
		if row.Key >= young {
			return true, nil
		}
		if err := tx.Delete(row.Key); err != nil {
			return false, fmt.Errorf("letters: delete: %w", err)
		}
	}
	return len(found) == limit, nil
}
