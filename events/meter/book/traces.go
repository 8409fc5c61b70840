package book

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants/rows"
)

const (
	// maxParts is of how many batches a trace keeps spans: a job of many documents has thousands, of which the first are as good as the last.
	maxParts = 100
	// partBytes is how much the spans of one batch and trace take at most.
	partBytes = 900_000
)

// head is what is known of a trace.
type head struct {
	meter.Trace
	Root  bool `json:"root,omitempty"` // it is known what it began with: nothing caused that
	Parts int  `json:"parts"`
	Kept  int  `json:"kept"` // of its spans
}

// part is some spans of a trace.
type part struct {
	At    int64           `json:"at"` // of the first part: where the head is
	Spans json.RawMessage `json:"spans"`
}

// micros are digits that sort as times do.
func micros(us int64) string { return fmt.Sprintf("%016d", max(us, 0)) }

func headKey(at int64, id string) string { return headPrefix + micros(at) + "/" + id }

func partKey(id string, number int) string { return fmt.Sprintf("%s%s/%03d", partPrefix, id, number) }

// keepSpans takes a batch's spans, each to its trace. When there are too many traces, the oldest go.
func keepSpans(tx rows.Tx, st *state, spans []trace.Span, now time.Time) error {
	of := map[string][]trace.Span{}
	var ids []string // in their order
	for _, s := range spans {
		if of[s.Trace] == nil {
			ids = append(ids, s.Trace)
		}
		of[s.Trace] = append(of[s.Trace], s)
	}
	for _, id := range ids {
		fresh, err := keepPart(tx, id, of[id], now)
		if err != nil {
			return err
		}
		if fresh {
			st.Traces++
		}
	}
	if st.Traces <= meter.MaxTraces {
		return nil
	}
	n, err := forgetTraces(tx, headPrefix+end, st.Traces-meter.MaxTraces)
	st.Traces -= n
	return err
}

// keepPart adds spans to a trace, and reports whether it is a new one.
func keepPart(tx rows.Tx, id string, spans []trace.Span, now time.Time) (fresh bool, err error) {
	var h head
	first, at, err := firstPart(tx, id)
	if err != nil {
		return false, err
	}
	if fresh = first == nil; !fresh {
		if _, err := rows.Read(tx, headKey(at, id), &h); err != nil {
			return false, err
		}
	}
	for i := range spans {
		h.saw(&spans[i], fresh && i == 0, now)
	}
	if moved := h.Start.UnixMicro(); !fresh && moved != at {
		if err := tx.Delete(headKey(at, id)); err != nil {
			return false, fmt.Errorf("meters: delete: %w", err)
		}
		first.At = moved
		if err := rows.Write(tx, partKey(id, 0), first); err != nil {
			return false, err
		}
	}
	if err := h.keep(tx, id, spans); err != nil {
		return false, err
	}
	return fresh, rows.Write(tx, headKey(h.Start.UnixMicro(), id), h)
}

// firstPart is that of a trace, which says where its head is; nil when nothing is kept of it.
func firstPart(tx rows.Tx, id string) (*part, int64, error) {
	var p part
	found, err := rows.Read(tx, partKey(id, 0), &p)
	if err != nil || !found {
		return nil, 0, err
	}
	return &p, p.At, nil
}

// saw notes what a span says of its trace. What a trace began with is the first span that nothing caused, or, as long as there is none, or when its cause is
// somebody else's, the one that began first. No trace begins later than now, whatever the clock said that told it.
func (h *head) saw(s *trace.Span, first bool, now time.Time) {
	h.Spans++
	if s.Outcome == trace.Failed {
		h.Failed++
	}
	start, root := s.Start.UTC().Truncate(time.Microsecond), s.Parent == ""
	if start.After(now) {
		start = now.UTC().Truncate(time.Microsecond)
	}
	if begins := root && !h.Root || root == h.Root && start.Before(h.Start); !first && !begins {
		return
	}
	h.ID, h.Kind, h.Name, h.Start, h.Took, h.Outcome, h.Code, h.Root = s.Trace, s.Kind, s.Name, start, s.Took, s.Outcome, s.Code, root
}

// keep keeps spans as a part of the trace, as far as there is room for them.
func (h *head) keep(tx rows.Tx, id string, spans []trace.Span) error {
	spans = spans[:min(len(spans), meter.MaxTraceSpans-h.Kept)]
	if len(spans) == 0 || h.Parts == maxParts {
		return nil
	}
	text, kept, err := fitting(spans)
	if err != nil {
		return err
	}
	if err := rows.Write(tx, partKey(id, h.Parts), part{At: h.Start.UnixMicro(), Spans: text}); err != nil {
		return err
	}
	h.Parts++
	h.Kept += kept
	return nil
}

// fitting are as many of the spans as there is room for in a row, and how many those are.
func fitting(spans []trace.Span) (text []byte, n int, err error) {
	text = []byte("[")
	for i := range spans {
		one, err := json.Marshal(&spans[i])
		if err != nil {
			return nil, 0, fmt.Errorf("meters: span: %w", err)
		}
		if len(text)+len(one) > partBytes {
			break
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, one...)
		n++
	}
	return append(text, ']'), n, nil
}

// Traces implements meter.Meters.
func (b *Book) Traces(tx rows.Tx, q meter.TraceQuery) ([]meter.Trace, error) {
	if q.Limit < 1 || q.Limit > maxListed {
		return nil, fault.Invalidf("limit", "limit_invalid", "is not 1 to %d", maxListed)
	}
	from, to := headPrefix+micros(b.oldest()), headPrefix+end
	if !q.Before.IsZero() {
		to = headKey(q.Before.UnixMicro(), q.ID)
	}
	all := []meter.Trace{}
	for {
		page, err := tx.Reverse(from, to, maxListed)
		if err != nil {
			return nil, fmt.Errorf("meters: range: %w", err)
		}
		for _, row := range page {
			var h head
			if err := json.Unmarshal(row.Value, &h); err != nil {
				return nil, fmt.Errorf("meters: %.60q: %w", row.Key, err)
			}
			if (q.Name == "" || q.Name == h.Name) && (!q.Failed || h.Failed > 0) {
				all = append(all, h.Trace)
			}
			if len(all) == q.Limit {
				return all, nil
			}
		}
		if len(page) < maxListed {
			return all, nil
		}
		to = page[len(page)-1].Key
	}
}

// maxListed is how many traces one answer lists.
const maxListed = 100

// oldest is when a trace began that is just kept still.
func (b *Book) oldest() int64 { return b.now().Add(-meter.KeepTraces).UnixMicro() }

// Trace implements meter.Meters.
func (b *Book) Trace(tx rows.Tx, id string) ([]trace.Span, error) {
	missing := fault.New(fault.NotFound, "trace_not_found", "no such trace is kept", nil).
		WithHint("a trace is kept for a day, if it was sampled or something of it failed; GET /traces lists those that are")
	if !trace.IsID(id, 32) {
		return nil, missing
	}
	first, at, err := firstPart(tx, id)
	if err != nil {
		return nil, err
	}
	if first == nil || at < b.oldest() {
		return nil, missing
	}
	found, err := tx.Scan(partPrefix+id+"/", maxParts)
	if err != nil {
		return nil, fmt.Errorf("meters: scan: %w", err)
	}
	var all []trace.Span
	for _, row := range found {
		var p part
		var spans []trace.Span
		if err := json.Unmarshal(row.Value, &p); err != nil {
			return nil, fmt.Errorf("meters: %.60q: %w", row.Key, err)
		}
		if err := json.Unmarshal(p.Spans, &spans); err != nil {
			return nil, fmt.Errorf("meters: %.60q: %w", row.Key, err)
		}
		all = append(all, spans...)
	}
	slices.SortStableFunc(all, func(a, b trace.Span) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.Took, a.Took), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}

// forgetTraces forgets the oldest traces that begin before a key, so many at most, and says how many.
func forgetTraces(tx rows.Tx, before string, limit int) (int, error) {
	found, err := tx.Range(headPrefix, before, limit)
	if err != nil {
		return 0, fmt.Errorf("meters: range: %w", err)
	}
	for _, row := range found {
		var h head
		if err := json.Unmarshal(row.Value, &h); err != nil {
			return 0, fmt.Errorf("meters: %.60q: %w", row.Key, err)
		}
		for number := range h.Parts {
			if err := tx.Delete(partKey(h.ID, number)); err != nil {
				return 0, fmt.Errorf("meters: delete: %w", err)
			}
		}
		if err := tx.Delete(row.Key); err != nil {
			return 0, fmt.Errorf("meters: delete: %w", err)
		}
	}
	return len(found), nil
}
