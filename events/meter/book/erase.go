package book

import (
	"fmt"
	"time"

	"levada.dev/tenants/rows"
)

// kept is what is kept of a tenant beside its traces, by what keys begin with.
var kept = []string{minutePrefix, hourPrefix, everPrefix, rulePrefix}

// afterSlash is what comes after the slash.
const afterSlash = "0"

// Clear forgets traces, slots and alerts whatever their age, so many at most, and says how many. The last takes along who wrote, but not that the book is muted.
func (b *Book) Clear(tx rows.Tx, limit int) (int, error) {
	st, err := b.state(tx)
	if err != nil {
		return 0, err
	}
	n, err := forgetTraces(tx, headPrefix+end, limit)
	if err != nil {
		return 0, err
	}
	st.Traces -= n
	for _, prefix := range kept {
		more, err := drop(tx, prefix, prefix[:1]+afterSlash, limit-n)
		if n += more; err != nil {
			return n, err
		}
	}
	switch {
	case n == limit:
		return n, rows.Write(tx, stateKey, st)
	case st.Mute != nil:
		return n, rows.Write(tx, stateKey, state{Mute: st.Mute})
	}
	if err := tx.Delete(stateKey); err != nil {
		return n, fmt.Errorf("meters: delete: %w", err)
	}
	return n, nil
}

// Count is how many traces, slots and alerts there are, as far as the limit.
func (b *Book) Count(tx rows.Tx, limit int) (n int, err error) {
	for _, prefix := range append([]string{headPrefix}, kept...) {
		found, err := tx.Scan(prefix, limit-n)
		if err != nil {
			return 0, fmt.Errorf("meters: scan: %w", err)
		}
		n += len(found)
	}
	return n, nil
}

// mute is that nothing is kept while all there was is being erased.
type mute struct {
	By    string `json:"by"`
	Until int64  `json:"until"` // in seconds
}

const (
	// muteLife is how long a book is muted at most, unless that is renewed: as long as the bar of the ledger of money stands.
	muteLife = 48 * time.Hour
	// echo is how long it stays so afterwards: what isolates have noticed of the erasure itself comes within some seconds of its end.
	echo = time.Minute
)

func (st *state) muted(now time.Time) bool { return st.Mute != nil && now.Unix() < st.Mute.Until }

// Mute has the book keep nothing of what it is told from now on.
func (b *Book) Mute(tx rows.Tx, by string) error {
	return b.mute(tx, func(*mute) *mute { return &mute{by, b.now().Add(muteLife).Unix()} })
}

// Unmute has it keep again, soon, what it is told, unless another has muted it meanwhile.
func (b *Book) Unmute(tx rows.Tx, by string) error {
	return b.mute(tx, func(m *mute) *mute {
		if soon := b.now().Add(echo).Unix(); m != nil && m.By == by && m.Until > soon {
			return &mute{by, soon}
		}
		return m
	})
}

func (b *Book) mute(tx rows.Tx, change func(*mute) *mute) error {
	st, err := b.state(tx)
	if err != nil {
		return err
	}
	st.Mute = change(st.Mute)
	return rows.Write(tx, stateKey, st)
}
