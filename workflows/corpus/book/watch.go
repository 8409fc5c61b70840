package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"levada.dev/events"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// watched is a document that was let in, and when it is looked after. It stands in the turns' row, and once there are many
// the whole list moves to a row of its own, under the time at which the first of it is due. Who has ended meanwhile is found
// to have, and forgotten.
type watched struct {
	JobID string `json:"j"`
	From  int64  `json:"f"` // when it was let in
	Due   int64  `json:"d"`

	DocID string `json:"o,omitempty"` // of one of which something was retired; see watchRetired
	Told  int    `json:"t,omitempty"` // how often it was told again that something is to be removed
}

const (
	maxWatched = 32 // in the turns' row
	// maxResent is how often a document is sent again that has not got on.
	maxResent = 3
	// maxDeadlines is for how many deadlines a document may go on that gets on.
	maxDeadlines = 24
	// watchBatch is how many rows of watched documents, and of waiting ones, one transaction looks at.
	watchBatch = 4
	emptyBatch = 64
)

func (t *turns) deadline() int64 {
	if t.Pace.Deadline > 0 {
		return t.Pace.Deadline.Milliseconds()
	}
	return corpus.DefaultDeadline.Milliseconds()
}

// watch puts a document that is let in under watch.
func (c *change) watch(jobID string) error {
	now := c.now.UnixMilli()
	return c.watchUntil(watched{JobID: jobID, From: now, Due: now + c.turn.deadline()})
}

func (c *change) watchUntil(w watched) error {
	t := c.turn
	t.dirty = true
	var err error
	if len(t.Watched) >= maxWatched {
		first := t.Watched[0]
		err = rows.Write(c.rows, fmt.Sprintf("%s%013d/%s%s", watchPrefix, due(t.Watched), first.JobID, first.kind()), t.Watched)
		t.Watched = nil
	}
	t.Watched = append(t.Watched, w)
	return err
}

// kind tells what is watched of the same job apart.
func (w watched) kind() string {
	if w.DocID != "" {
		return ".retired"
	}
	return ""
}

// unwatch forgets a document that has ended, if that is free.
func (t *turns) unwatch(jobID string) {
	t.Watched = slices.DeleteFunc(t.Watched, func(w watched) bool { return w.JobID == jobID && w.DocID == "" })
}

// due is when the first of a list is.
func due(ws []watched) int64 {
	first := ws[0].Due
	for _, w := range ws {
		first = min(first, w.Due)
	}
	return first
}

// Watch looks after the documents that should have ended by now: what does not get on is sent again, and in the end it
// fails. It also goes on ending what waits of cancelled imports, and what was noted by a move that has ended. next is when to call it again, which may be at once; zero when
// there is nothing to watch.
func (b *Book) Watch(r rows.Tx) (next time.Time, err error) {
	s, err := call.Owner(r)
	if err != nil || s.Check() != nil {
		return time.Time{}, err
	}
	c := b.begin(r, s)
	t, err := c.turns()
	if err != nil {
		return time.Time{}, err
	}
	err = errors.Join(c.overdue(), c.empty(), c.release(), c.close())
	if err != nil {
		return time.Time{}, err
	}
	return c.nextWatch(t)
}

// overdue looks at what is due.
func (c *change) overdue() error {
	now := c.now.UnixMilli()
	found, err := c.rows.Range(watchPrefix, fmt.Sprintf("%s%013d", watchPrefix, now+1), watchBatch)
	if err != nil {
		return fmt.Errorf("book: range: %w", err)
	}
	list := c.turn.Watched
	if len(list) > 0 && due(list) <= now {
		c.turn.Watched, c.turn.dirty = nil, true
	} else {
		list = nil
	}
	for _, row := range found {
		var ws []watched
		if err := json.Unmarshal(row.Value, &ws); err != nil {
			return fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		list = append(list, ws...)
		if err := c.rows.Delete(row.Key); err != nil {
			return fmt.Errorf("book: delete: %w", err)
		}
	}
	for _, w := range list {
		if err := c.look(w, now); err != nil {
			return err
		}
	}
	return nil
}

// look looks after one document, an import, or the erasure of everything. One that has got on since is given its time again.
func (c *change) look(w watched, now int64) error {
	if w.DocID != "" {
		return c.lookRetired(w, now)
	}
	var row jobRow
	if found, err := rows.Read(c.rows, jobPrefix+w.JobID, &row); err != nil || !found {
		return err
	}
	switch {
	case row.Whole != nil:
		return c.lookAtErasureOfAll(w, row, now)
	case row.Kind == job.Erase:
		return c.lookErasure(w, row, now)
	case row.Kind == job.Import:
		return c.lookAtImport(w, now)
	case row.Move != nil:
		return c.lookAtMove(w, &row, now)
	case row.Transfer != nil:
		return c.lookAtTransfer(w, &row, now)
	}
	o, g, err := c.generationOf(row)
	if err != nil || g == nil || !g.State.OnItsWay() || !g.live() {
		return err
	}
	if w.Due > now {
		return c.watchUntil(w)
	}
	deadline := c.turn.deadline()
	gone, err := c.overtaken(o, g)
	if err != nil || gone {
		return err
	}
	if g.full() {
		return c.lookAtHeld(o, g, w)
	}
	stage, last := g.stage()
	if again := last.UnixMilli() + deadline; again > now && now-w.From < maxDeadlines*deadline {
		w.Due = again
		return c.watchUntil(w)
	}
	cause := events.Cause{ID: fmt.Sprintf("%s/%d", g.JobID, g.Resent+1), TraceParent: g.Trace}
	if g.Resent == maxResent {
		return c.fail(o, g, corpus.Progress{Stage: stage, Code: "stuck", Attempts: 1 + g.Resent, Cause: cause, Message: fmt.Sprintf(
			"nothing was heard of it for %s, although it was sent again %d times", time.Duration(deadline)*time.Millisecond, g.Resent)})
	}
	g.Resent++
	o.dirty = true
	w.Due = now + deadline
	return errors.Join(c.tell(g.JobID, cause, g.begins(o.document, "")), c.watchUntil(w))
}

// generationOf is the document and the generation that a job follows; nil when there is none.
func (c *change) generationOf(row jobRow) (*open, *generation, error) {
	if row.End != nil || row.Kind != "" || row.Barred {
		return nil, nil, nil
	}
	o, err := c.open(row.DocID)
	if err != nil || o == nil {
		return nil, nil, err
	}
	return o, o.generation(row.Generation), nil
}

// empty goes on ending what waits of a cancelled import.
func (c *change) empty() error {
	if len(c.turn.Empty) == 0 {
		return nil
	}
	im, err := c.importOf(c.turn.Empty[0])
	if err != nil {
		return err
	}
	if im == nil {
		c.turn.Empty, c.turn.dirty = c.turn.Empty[1:], true
		return nil
	}
	left := emptyBatch
	for i, lane := range [...]int{laneImport, laneFetchImport, laneSlowImport} {
		n, err := c.emptyLane(im, lane, &im.row.Import.Emptied[i], left)
		if err != nil {
			return err
		}
		left -= n
	}
	if left > 0 {
		c.turn.Empty, c.turn.dirty = c.turn.Empty[1:], true
	}
	return nil
}

// emptyLane ends what of a cancelled import waits in a lane. It says how many it has looked at, at most limit; they go on from there.
func (c *change) emptyLane(im *openImport, lane int, emptied *int64, limit int) (int, error) {
	if limit == 0 {
		return 0, nil
	}
	l := c.turn.Lanes[lane]
	found, err := c.rows.Range(waitingKey(lane, max(l.Head, *emptied)), waitingKey(lane, l.Next), limit)
	if err != nil {
		return 0, fmt.Errorf("book: range: %w", err)
	}
	for _, row := range found {
		var w waiting
		if err := json.Unmarshal(row.Value, &w); err != nil {
			return 0, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		if w.ImportID == im.id {
			if _, err := c.emptied(w); err != nil {
				return 0, err
			}
		}
		*emptied, im.dirty = numberOf(row.Key)+1, true
	}
	return len(found), nil
}

// nextWatch is when the first document is due.
func (c *change) nextWatch(t *turns) (time.Time, error) {
	if len(t.Empty) > 0 || t.Spaces.Ending {
		return c.now, nil
	}
	first := int64(0)
	if len(t.Watched) > 0 {
		first = due(t.Watched)
	}
	found, err := c.rows.Scan(watchPrefix, 1)
	if err != nil {
		return time.Time{}, fmt.Errorf("book: scan: %w", err)
	}
	for _, row := range found {
		var ws []watched
		if err := json.Unmarshal(row.Value, &ws); err != nil {
			return time.Time{}, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		if d := due(ws); first == 0 || d < first {
			first = d
		}
	}
	return at(first), nil
}
