package book

import (
	"errors"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// receiptLife is for how long a repetition with the same idempotency key gets the first answer.
const receiptLife = 24 * time.Hour

// sweepWith is how many expired rows a submission with a key takes away; more than the one it adds, so that old rows
// do not gather.
const sweepWith = 2

// receipt is the row of an idempotency key. It is filed under the day it was taken, so a key is looked for in two days
// and expired ones stand first in order.
type receipt struct {
	Hash  string         `json:"h"`
	First corpus.Receipt `json:"r"`
	Taken int64          `json:"t"`
}

func receiptKey(day, key string) string { return receiptPrefix + day + "/" + key }

func findReceipt(r rows.Tx, key string, now time.Time) (first receipt, found bool, err error) {
	for _, t := range []time.Time{now, now.Add(-receiptLife)} {
		found, err := rows.Read(r, receiptKey(day(t), key), &first)
		if err != nil {
			return receipt{}, false, err
		}
		if found && now.Sub(time.UnixMilli(first.Taken)) < receiptLife {
			return first, true, nil
		}
	}
	return receipt{}, false, nil
}

func (first receipt) replay(sub corpus.Submission) corpus.Receipt {
	if first.Hash != sub.RequestHash {
		return corpus.Receipt{}
	}
	rec := first.First
	rec.Replayed = rec != corpus.Receipt{}
	return rec
}

func (first receipt) conflict(found bool, hash string) error {
	if !found || first.Hash == hash {
		return nil
	}
	return fault.New(fault.Conflict, "idempotency_conflict", "the idempotency key was used for another request", nil).
		WithHint("use a new key for each new request")
}

// once opens the job of a flow, unless a request under the key has opened one already, and keeps its receipt.
func (c *change) once(key, hash string, open func() (corpus.Receipt, error)) (corpus.Receipt, error) {
	if key != "" {
		if first, found, err := findReceipt(c.rows, key, c.now); err != nil || found {
			return first.replay(corpus.Submission{RequestHash: hash}), errors.Join(err, first.conflict(found, hash))
		}
	}
	rec, err := open()
	if err != nil {
		return corpus.Receipt{}, err
	}
	return rec, errors.Join(c.closeTurns(), keepReceipt(c.rows, key, hash, rec, c.now))
}

// keepReceipt files the receipt of a submission with a key and takes a few expired ones away.
func keepReceipt(r rows.Tx, key, hash string, rec corpus.Receipt, now time.Time) error {
	if key == "" {
		return nil
	}
	if err := rows.Write(r, receiptKey(day(now), key), receipt{Hash: hash, First: rec, Taken: now.UnixMilli()}); err != nil {
		return err
	}
	_, err := sweepReceipts(r, now, sweepWith)
	return err
}

func sweepReceipts(r rows.Tx, now time.Time, limit int) (int, error) {
	found, err := r.Scan(receiptPrefix, limit)
	if err != nil {
		return 0, fmt.Errorf("book: scan: %w", err)
	}
	oldest := receiptKey(day(now.Add(-receiptLife)), "")
	for i, row := range found {
		if row.Key >= oldest {
			return i, nil
		}
		if err := r.Delete(row.Key); err != nil {
			return i, fmt.Errorf("book: delete: %w", err)
		}
	}
	return len(found), nil
}
