package book

import (
	"fmt"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
)

// receiptLife is for how long a repetition with the same idempotency key gets the first job.
const receiptLife = 24 * time.Hour

// receipt is the row of an idempotency key, under the day it came.
type receipt struct {
	Hash  string `json:"h"`
	Job   string `json:"j"`
	Taken int64  `json:"t"`
}

// receiptOf is the job of a key, empty when there is none.
func (c *change) receiptOf(key, hash string) (jobID string, err error) {
	for _, at := range []time.Time{c.at, c.at.Add(-receiptLife)} {
		var r receipt
		found, err := rows.Read(c.tx, receiptKey(at, key), &r)
		if err != nil {
			return "", err
		}
		if !found || c.now-r.Taken >= receiptLife.Milliseconds() {
			continue
		}
		if r.Hash != hash {
			return "", fault.New(fault.Conflict, "idempotency_conflict", "the idempotency key was used for another request", nil).
				WithHint("use a new key for each new request")
		}
		return r.Job, nil
	}
	return "", nil
}

func (c *change) keepReceipt(key, hash, jobID string) error {
	return rows.Write(c.tx, receiptKey(c.at, key), receipt{Hash: hash, Job: jobID, Taken: c.now})
}

func receiptKey(t time.Time, key string) string { return receiptPrefix + day(t) + "/" + key }

// day is the name of the day that t is in, in an order that bytes have too.
func day(t time.Time) string { return strconv.FormatInt(100_000+t.Unix()/86_400, 10) }

// forgetReceipts removes keys that have expired, so many at most, and says how many.
func (c *change) forgetReceipts(limit int) (int, error) {
	found, err := c.tx.Range(receiptPrefix, receiptKey(c.at.Add(-receiptLife), ""), limit)
	if err != nil {
		return 0, fmt.Errorf("speech: range: %w", err)
	}
	for _, row := range found {
		if err := c.remove(row.Key); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
