package book

import (
	"bytes"
	"fmt"
	"strings"

	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail"
)

// SegmentLines is how many entries one segment has at most, and how many wait for none longer.
const SegmentLines = 1_000

// Segment is a piece of the chain that is exported.
type Segment struct {
	Key  string // below the tenant's: "audit/000000000001-000000001000.ndjson"
	To   int64
	Body []byte // each line with a line break
}

// FileName is what a segment is called, below audit/ of the tenant's key.
func FileName(from, to int64) string { return digits(from) + "-" + digits(to) + ".ndjson" }

// Plan is the next segment that is to be written, nil when all is. It stays the same until it is noted by Exported, whatever is appended
// meanwhile: a repetition writes the same bytes to the same place.
func (b *Book) Plan(tx rows.Tx, s tenants.Scope) (*Segment, error) {
	st, err := stateOf(tx)
	if err != nil {
		return nil, err
	}
	from, limit := st.Exported.Seq+1, int64(SegmentLines)
	if st.Planned > 0 {
		limit = st.Planned - st.Exported.Seq
	}
	lines, last, err := between(tx, from, int(limit))
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	to := st.Planned
	if to == 0 {
		to = last
		st.Planned = to
		err = rows.Write(tx, stateKey, st)
	}
	return &Segment{Key: s.Key("audit", FileName(from, to)), To: to, Body: bodyOf(lines)}, err
}

func bodyOf(lines []string) []byte {
	var body bytes.Buffer
	for _, line := range lines {
		body.WriteString(line)
		body.WriteByte('\n')
	}
	return body.Bytes()
}

// Exported notes that a segment is written. One that is not planned any more, as the tenant was erased, is not noted.
func (b *Book) Exported(tx rows.Tx, to int64) error {
	st, err := stateOf(tx)
	if err != nil || st.Planned != to {
		return err
	}
	line, err := tx.Get(lineKey(to))
	if err != nil {
		return fmt.Errorf("trail: get: %w", err)
	}
	st.Exported, st.Planned = headOf(rows.Row{Key: lineKey(to), Value: line}), 0
	return rows.Write(tx, stateKey, st)
}

// Sweep removes rows that an erasure took, so many entries at most, and says whether there are more. The floor is the first entry that stays;
// 0 when there is nothing to remove.
func (b *Book) Sweep(tx rows.Tx, limit int) (floor int64, more bool, err error) {
	st, err := stateOf(tx)
	if err != nil || !st.Dirty {
		return 0, false, err
	}
	found, err := tx.Range(linePrefix, lineKey(st.Floor), limit)
	if err != nil {
		return 0, false, fmt.Errorf("trail: range: %w", err)
	}
	for _, row := range found {
		e, _ := trail.Read(row.Value)
		for _, key := range []string{row.Key, actKey(placed(row.Key)), idPrefix + e.ID} {
			if err := tx.Delete(key); err != nil {
				return 0, false, fmt.Errorf("trail: delete: %w", err)
			}
		}
	}
	return st.Floor, len(found) == limit, nil
}

// Swept notes that nothing is left below the floor, of rows and of segments.
func (b *Book) Swept(tx rows.Tx, floor int64) error {
	st, err := stateOf(tx)
	if err != nil || !st.Dirty || st.Floor != floor {
		return err
	}
	st.Dirty = false
	return rows.Write(tx, stateKey, st)
}

// Below reports whether a key is that of a segment that ends before the floor.
func Below(s tenants.Scope, key string, floor int64) bool {
	name, ours := strings.CutPrefix(key, s.Key("audit")+"/")
	_, to, _ := strings.Cut(strings.TrimSuffix(name, ".ndjson"), "-")
	return ours && len(to) == len(digits(floor)) && to < digits(floor)
}
