package book

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/tenants/quota"
	"levada.dev/tenants/rows"
)

// The rows of a book, by what their keys begin with.
const (
	stateKey    = "s"
	pursePrefix = "p/"
	pursesEnd   = "p0" // after every purse
	userPrefix  = "u/"
	linePrefix  = "l/"
)

// state is what every exchange needs, in one row.
type state struct {
	Day   quota.Day        `json:"d"` // today, which never goes back
	Today quota.Amount     `json:"t,omitzero"`
	Month quota.Amount     `json:"m,omitzero"`
	Out   quota.Amount     `json:"o,omitzero"`  // leased, over all purses
	Open  map[string]int64 `json:"p,omitempty"` // purses that hold a lease, and when they were last heard of, in milliseconds
	Rate  gcra             `json:"r,omitzero"`
	Told  [kinds]quota.Day `json:"x,omitzero"`  // when each budget was last told to be exhausted
	Swept string           `json:"w,omitempty"` // the purse's row at which a sweep stopped that did not come to the end

	Bar   *bar `json:"b,omitempty"`  // while everything of the tenant is being erased
	Still bool `json:"st,omitempty"` // while the tenant is being moved to another pool

	before []byte // as it was read
}

// load reads the state and turns it to today's page.
func load(tx rows.Tx, now time.Time) (*state, error) {
	st := &state{}
	b, err := tx.Get(stateKey)
	if err != nil {
		return nil, fmt.Errorf("book: get: %w", err)
	}
	if b != nil {
		if err := json.Unmarshal(b, st); err != nil {
			return nil, fmt.Errorf("book: state: %w", err)
		}
	}
	st.before = b
	if today := quota.DayOf(now); today > st.Day {
		if month(today) != month(st.Day) {
			st.Month = quota.Amount{}
		}
		st.Day, st.Today = today, quota.Amount{}
	}
	return st, nil
}

// save writes the state if anything of it has changed.
func (st *state) save(tx rows.Tx) error {
	b, err := json.Marshal(st)
	if err != nil || bytes.Equal(b, st.before) {
		return err
	}
	if err := tx.Put(stateKey, b); err != nil {
		return fmt.Errorf("book: put: %w", err)
	}
	return nil
}

// spend counts what is booked on a day, if a period that is open has it.
func (st *state) spend(day quota.Day, a quota.Amount) {
	if day == st.Day {
		st.Today = st.Today.Add(a)
	}
	if month(day) == month(st.Day) {
		st.Month = st.Month.Add(a)
	}
}

// ends takes back a purse's lease. An older version of the ledger leaves out of this row what it does not know of; what
// it has dropped is not taken off again, or it would let more through.
func (st *state) ends(lease quota.Amount) { st.Out = st.Out.Sub(lease).Max(quota.Amount{}) }

// month is the month of a day, "2026-11".
func month(d quota.Day) string {
	if len(d) < 7 {
		return ""
	}
	return string(d[:7])
}

// purse is the row of a purse.
type purse struct {
	Seq    int64        `json:"n"`
	Out    quota.Amount `json:"o,omitzero"` // its lease
	Heard  int64        `json:"h"`          // milliseconds
	Answer quota.Grant  `json:"a"`          // to the exchange Seq
	Closed *closed      `json:"c,omitempty"`
}

// closed is what was booked for a purse that was not heard of, and is not settled since.
type closed struct {
	Day    quota.Day    `json:"d"`
	Amount quota.Amount `json:"a,omitzero"`
}
