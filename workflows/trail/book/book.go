package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail"
)

// Book decides. The zero value is ready. It is safe for concurrent use as far as the rows it is given are.
type Book struct{}

// The rows of the book, by what their keys begin with.
const (
	linePrefix = "e/" // <seq>: the line of an entry
	actPrefix  = "a/" // <seq>: that it tells an act
	idPrefix   = "i/" // <event's id>: its seq
	stateKey   = "s"
)

// end comes after every digit.
const end = ":"

func lineKey(seq int64) string { return linePrefix + digits(seq) }

func actKey(seq int64) string { return actPrefix + digits(seq) }

func digits(seq int64) string { return fmt.Sprintf("%012d", seq) }

// placed is the seq in the key of a line, or of an act.
func placed(key string) int64 {
	_, seq, _ := strings.Cut(key, "/")
	n, _ := strconv.ParseInt(seq, 10, 64) // of our own making
	return n
}

// state is what a trail has besides its entries.
type state struct {
	Head     trail.Head `json:"h,omitzero"`  // the last entry: rows that are taken out at the end are missed by it
	Exported trail.Head `json:"x,omitzero"`  // the last entry that was exported
	Planned  int64      `json:"p,omitempty"` // the last entry of the segment that is being written
	Floor    int64      `json:"f,omitempty"` // the first entry there is: all before was erased
	Since    time.Time  `json:"t,omitzero"`  // when it was
	Dirty    bool       `json:"d,omitempty"` // what is below the floor is still to be removed
}

func stateOf(tx rows.Tx) (st state, err error) {
	_, err = rows.Read(tx, stateKey, &st)
	return st, err
}

// Appended is what came of an append.
type Appended struct {
	Head    trail.Head `json:"head"`
	Waiting int64      `json:"waiting"` // how many entries are not exported
	Dirty   bool       `json:"dirty,omitempty"`
}

// Append implements audit.Trail. An entry that says that the tenant was erased takes all before it with it, and keeps the head of what
// goes as the one before. What is told later and happened before that belongs to what went, and is left out.
func (b *Book) Append(tx rows.Tx, s tenants.Scope, entries []events.AuditEntry) (done Appended, err error) {
	st, err := stateOf(tx)
	if err != nil {
		return done, err
	}
	if done.Head, err = head(tx, s, st); err != nil {
		return done, err
	}
	before := st
	for _, e := range entries {
		known, err := tx.Get(idPrefix + e.ID)
		if err != nil {
			return done, fmt.Errorf("trail: get: %w", err)
		}
		if known != nil || e.Time.Before(st.Since) {
			continue
		}
		entry, line, err := trail.Link(done.Head, e)
		if err != nil {
			return done, err
		}
		if err := put(tx, entry, line); err != nil {
			return done, err
		}
		if entry.Erases() {
			st = state{Exported: done.Head, Floor: entry.Seq, Since: entry.Time, Dirty: true}
		}
		done.Head = trail.Head{Seq: entry.Seq, Hash: entry.Hash}
		st.Head = done.Head
	}
	done.Waiting, done.Dirty = done.Head.Seq-st.Exported.Seq, st.Dirty
	if st == before {
		return done, nil
	}
	return done, rows.Write(tx, stateKey, st)
}

// put writes the rows of an entry.
func put(tx rows.Tx, e trail.Entry, line []byte) error {
	if err := tx.Put(lineKey(e.Seq), line); err != nil {
		return fmt.Errorf("trail: put: %w", err)
	}
	if err := tx.Put(idPrefix+e.ID, strconv.AppendInt(nil, e.Seq, 10)); err != nil {
		return fmt.Errorf("trail: put: %w", err)
	}
	if e.Act == nil {
		return nil
	}
	if err := tx.Put(actKey(e.Seq), []byte{}); err != nil {
		return fmt.Errorf("trail: put: %w", err)
	}
	return nil
}

// headOf is the chain's end, by its last row. A row that somebody has made unreadable has no hash.
func headOf(row rows.Row) trail.Head {
	e, _ := trail.Read(row.Value)
	return trail.Head{Seq: placed(row.Key), Hash: e.Hash}
}

// head is the end of the chain, as the state has it. It is never before the last row, nor what was exported, also when rows have lost their tail: a
// place that was told elsewhere is not given to another entry.
func head(tx rows.Tx, s tenants.Scope, st state) (trail.Head, error) {
	last, err := tx.Reverse(linePrefix, linePrefix+end, 1)
	if err != nil {
		return trail.Head{}, fmt.Errorf("trail: last: %w", err)
	}
	h := trail.Head{Hash: trail.Genesis(s.Tenant())}
	if len(last) > 0 {
		h = headOf(last[0])
	}
	for _, known := range []trail.Head{st.Exported, st.Head} {
		if known.Seq >= h.Seq && known.Seq > 0 {
			h = known
		}
	}
	return h, nil
}
