package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/tenants/rows"
)

const (
	// pieceBytes is how much of a set one row has; SQLite's rows have 2 MB at most. A set has seldom more than some kilobytes.
	// https://developers.cloudflare.com/durable-objects/platform/limits/
	pieceBytes = 900_000
	// pageRows is how many rows are read at once.
	pageRows = 60
	// replyBytes is about how much one answer tells of slots. Who asks goes on from there.
	replyBytes = 2_000_000
)

func slotKey(prefix string, at int64, piece int) string {
	return fmt.Sprintf("%s%011d/%02d", prefix, at, piece)
}

// put keeps a set's text in place of one of so many bytes.
func put(tx rows.Tx, prefix string, at int64, text []byte, was int) error {
	for piece := 0; len(text) > 0 || was > 0; piece++ {
		var err error
		if n := min(pieceBytes, len(text)); n > 0 {
			err = tx.Put(slotKey(prefix, at, piece), text[:n])
			text = text[n:]
		} else { // a version that did not know a metric has dropped it
			err = tx.Delete(slotKey(prefix, at, piece))
		}
		if err != nil {
			return fmt.Errorf("meters: put: %w", err)
		}
		was -= min(pieceBytes, was)
	}
	return nil
}

// each tells the texts of the slots that begin in [from, to), in their order, until f has enough.
func each(tx rows.Tx, prefix string, from, to int64, f func(at int64, text []byte) (more bool, err error)) error {
	key, end := slotKey(prefix, max(from, 0), 0), slotKey(prefix, max(to, 0), 0)
	at, text := int64(-1), []byte(nil)
	for {
		page, err := tx.Range(key, end, pageRows)
		if err != nil {
			return fmt.Errorf("meters: range: %w", err)
		}
		for _, row := range page {
			start, piece, err := placeOf(row.Key)
			if err != nil {
				return err
			}
			if piece == 0 && at >= 0 {
				if more, err := f(at, text); err != nil || !more {
					return err
				}
				text = nil
			}
			at, text = start, append(text, row.Value...)
		}
		if len(page) < pageRows {
			break
		}
		key = page[len(page)-1].Key + "\x00"
	}
	if at < 0 {
		return nil
	}
	_, err := f(at, text)
	return err
}

// placeOf reads the key of a slot.
func placeOf(key string) (at int64, piece int, err error) {
	_, rest, _ := strings.Cut(key, "/")
	second, number, _ := strings.Cut(rest, "/")
	at, err1 := strconv.ParseInt(second, 10, 64)
	piece, err2 := strconv.Atoi(number)
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, fmt.Errorf("meters: %.40q: %w", key, err)
	}
	return at, piece, nil
}

// query is meter.Query on the wire. A metric that the object does not know, because it is of another version, has nothing.
type query struct {
	From    time.Time     `json:"from"`
	To      time.Time     `json:"to"`
	Step    time.Duration `json:"step"`
	Metrics []string      `json:"metrics,omitempty"`
}

// slot is a slot on the wire.
type slot struct {
	Start time.Time       `json:"start"`
	Set   json.RawMessage `json:"set"`
}

// page is some of the slots, and from where there are more; zero: that was all.
type page struct {
	Slots []slot    `json:"slots,omitempty"`
	Next  time.Time `json:"next,omitzero"`
	bytes int
}

// add takes a slot, if it has any of the metrics, and reports whether there is room for more.
func (p *page) add(at int64, text []byte, metrics []string) (bool, error) {
	if p.bytes >= replyBytes {
		p.Next = time.Unix(at, 0).UTC()
		return false, nil
	}
	if len(metrics) > 0 {
		var all meter.Set
		if err := gather(&all, text); err != nil {
			return false, err
		}
		return true, p.take(at, only(&all, metrics))
	}
	p.Slots = append(p.Slots, slot{time.Unix(at, 0).UTC(), text})
	p.bytes += len(text)
	return true, nil
}

// take takes a set as a slot, unless it has nothing.
func (p *page) take(at int64, set *meter.Set) error {
	if set.Len() == 0 {
		return nil
	}
	text, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("meters: %w", err)
	}
	p.Slots = append(p.Slots, slot{time.Unix(at, 0).UTC(), text})
	p.bytes += len(text)
	return nil
}

// only is what a set has of some metrics; all, when none is named.
func only(all *meter.Set, metrics []string) *meter.Set {
	if len(metrics) == 0 {
		return all
	}
	wanted := map[meter.Metric]bool{}
	for _, name := range metrics {
		if m, known := meter.Named(name); known {
			wanted[m] = true
		}
	}
	var some meter.Set
	for of, c := range all.All() {
		if wanted[of.Metric] {
			some.Put(of, c)
		}
	}
	return &some
}

// Read implements meter.Meters, as far as one answer goes.
func (b *Book) Read(tx rows.Tx, q query) (page, error) {
	var p page
	st, err := b.state(tx)
	if err != nil {
		return p, err
	}
	switch q.Step {
	case meter.Ever:
		return b.ever(tx, st, q)
	case meter.Minute, meter.Hour:
		err = b.walk(tx, st, q,
			func(at int64, text []byte) (bool, error) { return p.add(at, text, q.Metrics) },
			func(hour int64, sum *meter.Set) error { return p.take(hour, only(sum, q.Metrics)) })
		return p, err
	}
	return p, fault.Invalidf("step", "step_invalid", "is neither a minute nor an hour nor 0")
}

// walk tells the texts of the minutes or the hours that a query is about, in their order, until made has enough; of hours that are not made yet it tells what was
// counted in them.
func (b *Book) walk(tx rows.Tx, st state, q query, made func(at int64, text []byte) (more bool, err error), unmade func(hour int64, sum *meter.Set) error) error {
	now := b.now()
	from, to := q.From.Unix(), ceil(q.To)
	if q.Step == meter.Minute {
		from = max(floor(from, 60), floor(now.Add(-meter.KeepMinutes).Unix(), 60))
		return each(tx, minutePrefix, from, to, made)
	}
	from = max(floor(from, 3600), floor(now.Add(-meter.KeepHours).Unix(), 3600))
	goOn := true
	err := each(tx, hourPrefix, from, min(to, st.Rolled), func(at int64, text []byte) (more bool, err error) {
		goOn, err = made(at, text)
		return goOn, err
	})
	if err != nil || !goOn {
		return err
	}
	return open(tx, max(from, st.Rolled), to, unmade)
}

// open tells what has been counted in each hour that begins in [from, to) and that is not made yet: its minutes are all there.
func open(tx rows.Tx, from, to int64, f func(hour int64, sum *meter.Set) error) error {
	hour, sum := int64(-1), &meter.Set{}
	err := each(tx, minutePrefix, from, ceilTo(to, 3600), func(at int64, text []byte) (bool, error) {
		if h := floor(at, 3600); h != hour {
			if hour >= 0 {
				if err := f(hour, sum); err != nil {
					return false, err
				}
			}
			hour, sum = h, &meter.Set{}
		}
		return true, gather(sum, text)
	})
	if err != nil || hour < 0 {
		return err
	}
	return f(hour, sum)
}

// ever is everything there ever was: the hours that are made, and the minutes since.
func (b *Book) ever(tx rows.Tx, st state, q query) (p page, err error) {
	var sum meter.Set
	if err := each(tx, everPrefix, 0, 1, func(_ int64, text []byte) (bool, error) { return true, gather(&sum, text) }); err != nil {
		return p, err
	}
	if err := open(tx, st.Rolled, farFuture, func(_ int64, hour *meter.Set) error {
		sum.Add(hour)
		return nil
	}); err != nil {
		return p, err
	}
	return p, p.take(st.Since, only(&sum, q.Metrics))
}

// farFuture is after every slot, in seconds: its key has no more digits than theirs.
const farFuture = 36_000_000_000

func floor(second, step int64) int64 { return second - ((second%step)+step)%step }

func ceilTo(second, step int64) int64 { return floor(second+step-1, step) }

// ceil is the first whole second that is not before t.
func ceil(t time.Time) int64 {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return min(s, farFuture)
}
