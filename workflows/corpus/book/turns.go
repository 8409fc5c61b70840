package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// turns is the row that says whose turn it is: how much may be in the queues, what waits, and what was let in lately.
type turns struct {
	window
	fetching
	Pace    corpus.Pace `json:"pace,omitzero"` // of the newest submission
	Lanes   [lanes]lane `json:"l"`
	Watched []watched   `json:"g,omitempty"`  // what was let in lately: see watch.go
	Empty   []string    `json:"em,omitempty"` // imports that were cancelled, of which documents may wait
	Edition int64       `json:"ed,omitempty"` // see edition.go
	Spaces  spaces      `json:"sp,omitzero"`
	Imports int         `json:"im,omitempty"` // that are open

	dirty bool
}

// lane is documents that wait, one behind the other. Each has a number; those below Head have had their turn.
type lane struct {
	Head    int64 `json:"h"`
	Next    int64 `json:"n"` // the number of who comes next
	Waiting int   `json:"w,omitempty"`
}

// The lanes: single documents go before those of imports. What is to be fetched has two of its own, and takes its turn with what is
// to be fetched only: a slow server is waited for by nobody but those who want something of servers. And what is to be had of a host that fails goes
// after all of that, in two more: it is waited for by nobody but those who want something of such hosts.
const (
	laneSingle = iota
	laneImport
	laneFetch
	laneFetchImport
	laneSlow
	laneSlowImport
	lanes
)

func laneOf(importID string, fetch bool) int {
	lane := laneSingle
	if fetch {
		lane = laneFetch
	}
	if importID != "" {
		lane++
	}
	return lane
}

// upTo is a lane, and before it those that have their turn first.
func (t *turns) upTo(lane int) []lane {
	first := lane &^ 1
	if lane >= laneSlow {
		first = laneFetch
	}
	return t.Lanes[first : lane+1]
}

// waiting is the row of a document that waits: what it takes to let it in, so that its own row is left alone.
type waiting struct {
	JobID    string          `json:"j"`
	DocID    string          `json:"d"`
	Number   int             `json:"g"`
	Units    int             `json:"u"`
	ImportID string          `json:"im,omitempty"`
	Model    string          `json:"m,omitempty"` // of the space that the event is for, and its epoch
	Epoch    int             `json:"ep,omitempty"`
	Host     string          `json:"h,omitempty"` // that it is to be fetched from
	Event    json.RawMessage `json:"e"`
}

// place is where a generation waits, or waited: its lane and its number in it.
type place struct {
	Lane   int   `json:"l,omitempty"`
	Number int64 `json:"n"`
}

func (p place) key() string { return waitingKey(p.Lane, p.Number) }

func waitingKey(lane int, number int64) string {
	return fmt.Sprintf("%s%d/%016d", waitingPrefix, lane, number)
}

// numberOf is the number in a key that waitingKey made.
func numberOf(key string) int64 {
	n, err := strconv.ParseInt(key[strings.LastIndexByte(key, '/')+1:], 10, 64)
	if err != nil {
		panic(err) // nobody else makes such keys
	}
	return n
}

// units is how much work a document of so many bytes is. One that is to be fetched is the least that there is, until it is here.
func units(bytes int) int { return 1 + bytes/unit }

// turns reads the row, once a call.
func (c *change) turns() (*turns, error) {
	if c.turn != nil {
		return c.turn, nil
	}
	t := &turns{}
	if _, err := rows.Read(c.rows, turnsKey, t); err != nil {
		return nil, err
	}
	c.turn = t
	return t, nil
}

// follow takes over the pace of a submission.
func (t *turns) follow(p corpus.Pace) {
	if t.Pace != p {
		t.Pace, t.Weight, t.dirty = p, p.Weight, true
	}
}

// waiting is how many wait in a lane and in those that it takes turns with.
func (t *turns) waiting(lane int) (n int) {
	last := lane | 1
	if lane >= laneFetch {
		last = laneSlowImport
	}
	for _, l := range t.upTo(last) {
		n += l.Waiting
	}
	return n
}

// waits reports whether a generation waits for its turn.
func (t *turns) waits(g *generation) bool {
	return g.Units > 0 && g.Place != nil && g.Place.Number >= t.Lanes[g.Place.Lane].Head
}

// before is how many documents are before a generation that waits.
func (t *turns) before(p place) (n int) {
	l := t.Lanes[p.Lane]
	for _, l := range t.upTo(p.Lane) {
		n += l.Waiting
	}
	return n - l.Waiting + int(min(p.Number-l.Head, int64(l.Waiting-1)))
}

// goes reports whether a document of a lane may go at once.
func (t *turns) goes(lane, units int, now int64) bool {
	for _, l := range t.upTo(lane) {
		if l.Waiting > 0 {
			return false
		}
	}
	return t.admits(lane, units, now)
}

// admits reports whether there is room for one more of a lane among those that are on their way.
func (t *turns) admits(lane, units int, now int64) bool {
	if lane >= laneFetch {
		return t.fetching.fits(lane) && float64(t.InFlight) <= t.limit(now)
	}
	return t.window.fits(units, now)
}

// room reports, as a fault, that too much waits for a submission to wait also. Imports wait for room themselves, and would take all that
// there is: a quarter is left to single documents.
func (t *turns) room(lane, units int, now int64) error {
	all := t.Pace.MaxWaiting
	if all == 0 {
		all = corpus.DefaultMaxWaiting
	}
	limit, waiting := all, t.waiting(lane)
	if lane&1 == 1 {
		limit -= max(1, all/4)
	}
	if waiting < limit || t.goes(lane, units, now) {
		return nil
	}
	return fault.New(fault.Limited, "backlog_full", fmt.Sprintf("%d documents are waiting for their turn already", waiting), nil).
		WithRetryAfter(t.drains(lane, waiting-limit+max(1, all/20)))
}

// drains is how long it takes until so many documents of a lane have had their turn, as it goes now.
func (t *turns) drains(lane, n int) time.Duration {
	pace := 0.0 // milliseconds a document
	switch {
	case lane >= laneFetch:
		pace = t.Gap
	case t.Docs > 0:
		pace = t.RTT / float64(t.Docs)
	}
	if pace == 0 {
		return 30 * time.Second
	}
	return min(max(time.Duration(pace*float64(n))*time.Millisecond, time.Second), time.Hour)
}

// queue lets a generation in, or has it wait for its turn.
func (c *change) queue(o *open, g *generation, ev events.Event) error {
	t, err := c.turns()
	if err != nil {
		return err
	}
	t.dirty = true
	lane := laneOf(g.ImportID, g.toFetch())
	if g.toFetch() && t.fails(g.Fetch.host()) {
		lane += laneSlow - laneFetch
		g.Fetch.Slow = true
	}
	if t.goes(lane, g.Units, c.now.UnixMilli()) {
		return c.enter(lane, g.JobID, g.Units, ev)
	}
	l := &t.Lanes[lane]
	g.Place = &place{lane, l.Next}
	l.Next++
	l.Waiting++
	t.Short = t.Short || lane < laneFetch
	body, err := ev.MarshalJSON()
	if err != nil {
		return err
	}
	w := waiting{JobID: g.JobID, DocID: o.ID, Number: g.Number, Units: g.Units, ImportID: g.ImportID, Model: g.Model, Epoch: g.Epoch, Event: body}
	if g.toFetch() {
		w.Host = g.Fetch.host()
	}
	return rows.Write(c.rows, g.Place.key(), w)
}

// enter lets a document in.
func (c *change) enter(lane int, jobID string, units int, ev events.Event) error {
	if lane >= laneFetch {
		c.turn.fetching.enter(lane)
	} else {
		c.turn.window.enter(jobID, units, c.now.UnixMilli())
	}
	return errors.Join(enqueue(c.rows, jobID, ev), c.watch(jobID))
}

// leave ends the turn of a generation: what it held is given back, or it waits no longer. It is the one place where that
// happens, and for each generation it happens once.
func (c *change) leave(g *generation, through bool) error {
	if g.Units == 0 {
		return nil
	}
	t, err := c.turns()
	if err != nil {
		return err
	}
	t.dirty = true
	units, waits := g.Units, t.waits(g)
	g.Units = 0
	if waits {
		t.Lanes[g.Place.Lane].Waiting--
		if err := c.rows.Delete(g.Place.key()); err != nil {
			return fmt.Errorf("book: delete: %w", err)
		}
		return nil
	}
	if g.toFetch() {
		t.fetching.leave(g.Fetch.Slow, c.now.UnixMilli())
	} else {
		t.window.leave(g.JobID, units, c.now.UnixMilli(), through)
	}
	t.Spaces.left(g)
	t.unwatch(g.JobID)
	return nil
}

const (
	// letInBatch is how many rows of those that wait are read at once; each may have a text.
	letInBatch = 16
	// maxLetIn is how many of those that wait one call deals with. As long as anything is on its way, another call comes.
	maxLetIn = 256
)

// letIn lets in what fits, in order.
func (c *change) letIn() error {
	if c.turn == nil {
		return nil
	}
	left := maxLetIn
	for lane := 0; lane < lanes; lane++ {
		for c.turn.Lanes[lane].Waiting > 0 {
			n, err := c.letInSome(lane, min(left, letInBatch))
			if err != nil {
				return err
			}
			if n == 0 {
				lane |= 1 // nor has the one behind it its turn
				break
			}
			left -= n
		}
	}
	return nil
}

// letInSome lets in the first of a lane, and says how many it has dealt with: none when the first does not fit.
func (c *change) letInSome(lane, limit int) (n int, err error) {
	l := &c.turn.Lanes[lane]
	if limit == 0 || !c.fits(lane, 1) {
		return 0, nil
	}
	found, err := c.rows.Range(waitingKey(lane, l.Head), waitingKey(lane, l.Next), limit)
	if err != nil {
		return 0, fmt.Errorf("book: range: %w", err)
	}
	for n, row := range found {
		var w waiting
		if err := json.Unmarshal(row.Value, &w); err != nil {
			return 0, fmt.Errorf("book: row %.80q: %w", row.Key, err)
		}
		gone, err := c.emptied(w)
		if err != nil {
			return 0, err
		}
		if gone {
			continue
		}
		if lane >= laneFetch && lane < laneSlow && c.turn.fails(w.Host) {
			if err := c.putLast(lane, row.Key, w); err != nil {
				return 0, err
			}
			continue
		}
		if !c.fits(lane, w.Units) {
			return n, nil
		}
		if err := c.take(lane, row.Key, w); err != nil {
			return 0, err
		}
	}
	if len(found) == 0 { // it cannot be; but nobody is to wait for nobody
		l.Waiting, c.turn.dirty = 0, true
	}
	return len(found), nil
}

// fits reports whether one that waits may go. When it may not, the window is too small for what there is.
func (c *change) fits(lane, units int) bool {
	fits := c.turn.admits(lane, units, c.now.UnixMilli())
	if !fits && lane < laneFetch && !c.turn.Short {
		c.turn.Short, c.turn.dirty = true, true
	}
	return fits
}

// take lets in one that waited.
func (c *change) take(lane int, key string, w waiting) error {
	ev, err := events.Decode(w.Event)
	if err != nil {
		return c.spoilt(lane, key, w, err)
	}
	if err := c.unqueue(lane, key); err != nil {
		return err
	}
	if sp := &c.turn.Spaces; w.Model != "" && (w.Model != sp.Active || w.Epoch != sp.Epochs[sp.Active]) {
		if ev, err = c.redirect(w, ev); err != nil {
			return err
		}
	}
	return c.enter(lane, w.JobID, w.Units, ev)
}

// unqueue takes the first of a lane out of it.
func (c *change) unqueue(lane int, key string) error {
	l := &c.turn.Lanes[lane]
	l.Head = numberOf(key) + 1
	l.Waiting--
	c.turn.dirty = true
	if err := c.rows.Delete(key); err != nil {
		return fmt.Errorf("book: delete: %w", err)
	}
	return nil
}

// spoilt fails a document whose event cannot be read, so that it stands in nobody's way.
func (c *change) spoilt(lane int, key string, w waiting, why error) error {
	o, err := c.open(w.DocID)
	if err != nil {
		return err
	}
	if o != nil {
		if g := o.generation(w.Number); g != nil && g.State.OnItsWay() && c.turn.waits(g) {
			f := fault.As(why)
			return c.fail(o, g, corpus.Progress{Stage: corpus.StageSubmit, Code: f.Code, Message: f.Message, Cause: events.Cause{ID: w.JobID}})
		}
	}
	c.turn.Lanes[lane].Waiting--
	c.turn.dirty = true
	return c.rows.Delete(key)
}

// emptied ends a document whose import was cancelled while it waited.
func (c *change) emptied(w waiting) (bool, error) {
	if w.ImportID == "" || !slices.Contains(c.turn.Empty, w.ImportID) {
		return false, nil
	}
	o, err := c.open(w.DocID)
	if err != nil || o == nil {
		return false, err
	}
	g := o.generation(w.Number)
	if g == nil || !c.turn.waits(g) {
		return false, nil
	}
	return true, c.cancel(o, g, "cancelled", importCancelled)
}

// queues shows documents, also those that wait. What waits is read once, and only if it may matter.
type queues struct {
	rows rows.Tx
	t    *turns
}

func (q *queues) show(d *document) (corpus.Document, error) {
	doc := d.show()
	g := d.generation(d.Newest)
	if doc.Why == nil || doc.Why.Code != corpus.WhyInProgress || g.Place == nil {
		return doc, nil
	}
	if q.t == nil {
		q.t = &turns{}
		if _, err := rows.Read(q.rows, turnsKey, q.t); err != nil {
			return doc, err
		}
	}
	if q.t.waits(g) {
		before := q.t.before(*g.Place)
		doc.Why = &corpus.NotSearchable{
			Code: corpus.WhyWaiting, Message: "it waits for its turn",
			Stage: corpus.StageSubmit, Since: at(g.Submitted), Before: before,
		}
	}
	return doc, nil
}

// closeTurns writes the row if it changed.
func (c *change) closeTurns() error {
	if c.turn == nil || !c.turn.dirty {
		return nil
	}
	return rows.Write(c.rows, turnsKey, c.turn)
}
