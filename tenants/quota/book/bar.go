package book

import (
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
)

// bar is the erasure for which what writes is refused. It ends by itself, should the erasure never end.
type bar struct {
	By    string `json:"b"`
	Until int64  `json:"u"` // milliseconds
}

// BarLife is for how long a bar holds that nobody renews.
const BarLife = 48 * time.Hour

var errErasing = fault.New(fault.Conflict, "tenant_erasing", "everything of the tenant is being erased", nil).
	WithHint("come back when the erasure has ended")

func (st *state) barred(now time.Time) bool { return st.Bar != nil && now.UnixMilli() < st.Bar.Until }

// Bar refuses what writes until Unbar, and tells whether a purse holds money. It may be repeated, which renews it; the last one to
// bar is the one that may unbar.
func (b *Book) Bar(tx rows.Tx, by string) (busy bool, err error) {
	now := b.now()
	st, err := load(tx, now)
	if err != nil {
		return false, err
	}
	st.Bar = &bar{By: by, Until: now.Add(BarLife).UnixMilli()}
	return len(st.Open) > 0, st.save(tx)
}

// Unbar lets in again what the same had barred.
func (b *Book) Unbar(tx rows.Tx, by string) error {
	st, err := load(tx, b.now())
	if err != nil || st.Bar == nil || st.Bar.By != by {
		return err
	}
	st.Bar = nil
	return st.save(tx)
}

// Still refuses what talks until it is called off. It may be repeated.
func (b *Book) Still(tx rows.Tx, still bool) error {
	st, err := load(tx, b.now())
	if err != nil {
		return err
	}
	st.Still = still
	return st.save(tx)
}

// StandsStill tells whether what talks is refused.
func (b *Book) StandsStill(tx rows.Tx) (bool, error) {
	st, err := load(tx, b.now())
	if err != nil {
		return false, err
	}
	return st.Still, nil
}
