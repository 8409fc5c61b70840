package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/meter"
	"levada.dev/tenants/rows"
)

// end comes after every digit.
const end = ":"

// Tended says what is left to do.
type Tended struct {
	More bool      // there is more to do now
	Next time.Time // when there will be something to do; zero: never, as it looks now
}

// Tend does what is due: one hour that is over is made of its minutes, what has been kept for long enough is forgotten, so many rows of a kind at most, and when there is
// no more of that, alerts are looked at.
func (b *Book) Tend(tx rows.Tx, limit int) (Tended, error) {
	st, err := b.state(tx)
	if err != nil {
		return Tended{}, err
	}
	was := st.Rolled
	if err := b.roll(tx, &st); err != nil {
		return Tended{}, err
	}
	more, err := b.forget(tx, &st, limit)
	if err != nil {
		return Tended{}, err
	}
	if more || st.Rolled != was {
		if err := rows.Write(tx, stateKey, st); err != nil {
			return Tended{}, err
		}
		return Tended{More: true}, nil
	}
	next, err := b.next(tx, st)
	if err != nil || st.muted(b.now()) {
		return Tended{Next: next}, err
	}
	look, err := b.look(tx, st)
	if !look.IsZero() && (next.IsZero() || look.Before(next)) {
		next = look
	}
	return Tended{Next: next}, err
}

// roll makes the first hour that is over, and not made yet, of its minutes. They stay for those who look closer.
func (b *Book) roll(tx rows.Tx, st *state) error {
	at, found, err := firstSlot(tx, minutePrefix, st.Rolled)
	hour := floor(at, 3600)
	if err != nil || !found || b.now().Unix() < hour+3600 {
		return err
	}
	return open(tx, hour, hour+1, func(_ int64, sum *meter.Set) error {
		st.Rolled = hour + 3600
		if err := grow(tx, hourPrefix, hour, sum); err != nil {
			return err
		}
		return grow(tx, everPrefix, 0, sum)
	})
}

// forget forgets what was kept for long enough, and reports whether it found any.
func (b *Book) forget(tx rows.Tx, st *state, limit int) (more bool, err error) {
	now := b.now()
	minutes, err := drop(tx, minutePrefix, slotKey(minutePrefix, min(floor(now.Add(-meter.KeepMinutes).Unix(), 60), st.Rolled), 0), limit)
	if err != nil {
		return false, err
	}
	hours, err := drop(tx, hourPrefix, slotKey(hourPrefix, floor(now.Add(-meter.KeepHours).Unix(), 3600), 0), limit)
	if err != nil {
		return false, err
	}
	traces, err := forgetTraces(tx, headPrefix+micros(b.oldest()), limit/10) // each has some rows
	st.Traces -= traces
	return minutes+hours+traces > 0, err
}

// next is when something of what there is will be due.
func (b *Book) next(tx rows.Tx, st state) (next time.Time, err error) {
	due := func(second int64, every int64) {
		if t := time.Unix(ceilTo(second, every), 0).UTC(); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if at, found, err := firstSlot(tx, minutePrefix, st.Rolled); err != nil {
		return next, err
	} else if found {
		due(floor(at, 3600)+3600, 1)
	}
	if at, found, err := firstSlot(tx, minutePrefix, 0); err != nil {
		return next, err
	} else if found {
		due(at+60+int64(meter.KeepMinutes/time.Second), 3600)
	}
	if at, found, err := firstSlot(tx, hourPrefix, 0); err != nil {
		return next, err
	} else if found {
		due(at+3600+int64(meter.KeepHours/time.Second), 86400)
	}
	heads, err := tx.Scan(headPrefix, 1)
	if err != nil {
		return next, fmt.Errorf("meters: scan: %w", err)
	}
	for _, row := range heads {
		us, _, _ := strings.Cut(strings.TrimPrefix(row.Key, headPrefix), "/")
		at, err := strconv.ParseInt(us, 10, 64)
		if err != nil {
			return next, fmt.Errorf("meters: %.60q: %w", row.Key, err)
		}
		due(at/1e6+1+int64(meter.KeepTraces/time.Second), 3600)
	}
	return next, nil
}

// firstSlot is the first that begins at a second or later.
func firstSlot(tx rows.Tx, prefix string, from int64) (at int64, found bool, err error) {
	err = each(tx, prefix, from, farFuture, func(start int64, _ []byte) (bool, error) {
		at, found = start, true
		return false, nil
	})
	return at, found, err
}

// drop removes rows from the first with a prefix up to a key, so many at most, and says how many.
func drop(tx rows.Tx, prefix, to string, limit int) (int, error) {
	found, err := tx.Range(prefix, to, limit)
	if err != nil {
		return 0, fmt.Errorf("meters: range: %w", err)
	}
	for _, row := range found {
		if err := tx.Delete(row.Key); err != nil {
			return 0, fmt.Errorf("meters: delete: %w", err)
		}
	}
	return len(found), nil
}
