package book

import (
	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// testimony is the argument of Attest.
type testimony struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Attest implements corpus.Witness. What is remembered is filed with the receipts, which go after a day.
func (b *Book) Attest(r rows.Tx, name, digest string) error {
	if name == "" || digest == "" {
		return fault.Invalidf("name", "submission_invalid", "name and digest are required")
	}
	key, now := "witness:"+name, b.now()
	first, found, err := findReceipt(r, key, now)
	switch {
	case err != nil:
		return err
	case !found:
		return keepReceipt(r, key, digest, corpus.Receipt{}, now)
	case first.Hash != digest:
		return fault.New(fault.Conflict, "delivery_changed", "something else came under this name before", nil).
			WithHint("give each delivery a webhook-id of its own, and repeat one with what it came with")
	}
	return nil
}
