package book

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail"
)

const (
	// look is how many entries a page looks at.
	look = 2_000
	// readAhead is how many rows are read at once.
	readAhead = 200
	// chainBytes is when a piece of the chain has enough.
	chainBytes = 4 << 20
)

// List implements trail.Reader.
func (b *Book) List(tx rows.Tx, s tenants.Scope, q trail.Query, cursor string, limit int) (trail.Page, error) {
	page := trail.Page{Entries: []string{}}
	if limit < 1 || limit > trail.MaxPage {
		return page, fault.Invalidf("limit", "value_out_of_range", "is 1 to %d", trail.MaxPage)
	}
	if err := q.Check(); err != nil {
		return page, err
	}
	st, err := stateOf(tx)
	if err != nil {
		return page, err
	}
	if page.Head, err = head(tx, s, st); err != nil {
		return page, err
	}
	before := page.Head.Seq + 1
	if cursor != "" {
		if before, err = parseCursor(cursor); err != nil {
			return page, err
		}
	}
	for looked := 0; looked < look; {
		found, err := newest(tx, q.ActsOnly(), st.Floor, before, readAhead)
		if err != nil || len(found) == 0 {
			return page, err
		}
		for _, row := range found {
			before = placed(row.Key)
			looked++
			if e, err := trail.Read(row.Value); err != nil || !q.Matches(&e) { // one that cannot be read is verify's to tell
				continue
			}
			if page.Entries = append(page.Entries, string(row.Value)); len(page.Entries) == limit {
				page.Next = cursorOf(before)
				return page, nil
			}
		}
	}
	page.Next = cursorOf(before)
	return page, nil
}

// newest is the lines from floor to before, which is not one of them, the last first: of acts alone, or of everything.
func newest(tx rows.Tx, acts bool, floor, before int64, limit int) ([]rows.Row, error) {
	if !acts {
		found, err := tx.Reverse(lineKey(floor), lineKey(before), limit)
		if err != nil {
			return nil, fmt.Errorf("trail: reverse: %w", err)
		}
		return found, nil
	}
	marks, err := tx.Reverse(actKey(floor), actKey(before), limit)
	if err != nil {
		return nil, fmt.Errorf("trail: reverse: %w", err)
	}
	keys := make([]string, len(marks))
	for i, m := range marks {
		keys[i] = lineKey(placed(m.Key))
	}
	lines, err := rows.GetAll(tx, keys)
	if err != nil {
		return nil, err
	}
	found := make([]rows.Row, 0, len(keys))
	for i, key := range keys {
		if lines[i] != nil { // else somebody has removed it, which verify tells
			found = append(found, rows.Row{Key: key, Value: lines[i]})
		}
	}
	return found, nil
}

func cursorOf(before int64) string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, before, 10))
}

func parseCursor(cursor string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		before, err := strconv.ParseInt(string(b), 10, 64)
		if err == nil && before > 0 {
			return before, nil
		}
	}
	return 0, fault.Invalidf("cursor", "invalid_value", "is not a cursor of this list")
}

// Chain implements trail.Reader.
func (b *Book) Chain(tx rows.Tx, s tenants.Scope, after int64, limit int) (trail.Lines, error) {
	piece := trail.Lines{Lines: []string{}, Last: after}
	if limit < 1 || limit > trail.MaxLines {
		return piece, fault.Invalidf("limit", "value_out_of_range", "is 1 to %d", trail.MaxLines)
	}
	st, err := stateOf(tx)
	if err != nil {
		return piece, err
	}
	if piece.Head, err = head(tx, s, st); err != nil {
		return piece, err
	}
	lines, last, err := between(tx, max(after+1, st.Floor), limit)
	if err == nil && len(lines) > 0 {
		piece.Lines, piece.Last = lines, last
	}
	return piece, err
}

// between is the lines from a place on, so many at most, and of so many bytes, and the place of the last.
func between(tx rows.Tx, from int64, limit int) (lines []string, last int64, err error) {
	size := 0
	for limit > 0 && size < chainBytes {
		found, err := tx.Range(lineKey(from), linePrefix+end, min(limit, readAhead))
		if err != nil {
			return nil, 0, fmt.Errorf("trail: range: %w", err)
		}
		if len(found) == 0 {
			break
		}
		for _, row := range found {
			lines = append(lines, string(row.Value))
			size += len(row.Value)
			last = placed(row.Key)
			from = last + 1
		}
		limit -= len(found)
	}
	return lines, last, nil
}
