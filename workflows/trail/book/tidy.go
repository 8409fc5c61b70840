package book

import (
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// Segments is where segments are kept.
type Segments interface {
	// Put writes a segment; one of the key is replaced.
	Put(key string, body []byte) error
	// Remove removes what is below the prefix and gone. What is not there is removed.
	Remove(prefix string, gone func(key string) bool) error
}

// sweepAtOnce is how many entries one transaction removes.
const sweepAtOnce = 300

// Tidy does what an object's alarm does: it removes what an erasure took, and exports what is new. txn runs its argument in a transaction. A
// segment is written before it is noted, so whoever dies in between writes the same once more.
func Tidy(s tenants.Scope, txn func(func(tx rows.Tx) error) error, to Segments) error {
	if err := sweep(s, txn, to); err != nil {
		return err
	}
	var b Book
	for {
		var next *Segment
		if err := txn(func(tx rows.Tx) (err error) {
			next, err = b.Plan(tx, s)
			return err
		}); err != nil || next == nil {
			return err
		}
		if err := to.Put(next.Key, next.Body); err != nil {
			return err
		}
		if err := txn(func(tx rows.Tx) error { return b.Exported(tx, next.To) }); err != nil {
			return err
		}
	}
}

// sweep removes what is below the floor.
func sweep(s tenants.Scope, txn func(func(tx rows.Tx) error) error, from Segments) error {
	var b Book
	for {
		var floor int64
		var more bool
		if err := txn(func(tx rows.Tx) (err error) {
			floor, more, err = b.Sweep(tx, sweepAtOnce)
			return err
		}); err != nil || floor == 0 {
			return err
		}
		if more {
			continue
		}
		if err := from.Remove(s.Key("audit")+"/", func(key string) bool { return Below(s, key, floor) }); err != nil {
			return err
		}
		return txn(func(tx rows.Tx) error { return b.Swept(tx, floor) })
	}
}
