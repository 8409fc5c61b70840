package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/reembed"
)

// picking is the documents that one call takes for a move.
type picking struct {
	*change
	works []reembed.Work
	left  int // chunks
	room  int // generations
}

// maxPicked is how many generations one call takes, however few chunks they have: searches ask the ledger, too, and wait meanwhile.
const maxPicked = 250

// full reports whether no more is to be taken.
func (p *picking) full() bool { return p.left <= 0 || p.room <= 0 }

// TakeWorks implements reembed.Ledger.
func (b *Book) TakeWorks(r rows.Tx, s tenants.Scope, a reembed.Asked) (reembed.Batch, error) {
	c := b.begin(r, s)
	row, err := c.move(a.JobID)
	if err != nil {
		return reembed.Batch{}, err
	}
	sp := &c.turn.Spaces
	if row.End != nil {
		return reembed.Batch{Spaces: sp.show(), Over: true}, nil
	}
	p := &picking{change: c, left: max(1, a.Chunks), room: maxPicked}
	walk, walked := sp.Walk, sp.Walked
	batch := reembed.Batch{Last: true}
	if row.Move.Drop {
		batch.Next, err = p.kept(a.Cursor)
		sp.Walked = sp.Walked || batch.Next == ""
		batch.Last = batch.Next == ""
	} else {
		batch.Next, batch.Last, err = p.lacked()
	}
	if err != nil {
		return reembed.Batch{}, err
	}
	c.turn.dirty = c.turn.dirty || walk != sp.Walk || walked != sp.Walked
	batch.Spaces, batch.Works = sp.show(), p.works
	row.Move.Total = max(row.Move.Total, a.Total, row.Move.Done+row.Move.Failed+len(p.works))
	return batch, errors.Join(c.keepMove(a.JobID, row), c.close())
}

// lacked takes what the target lacks.
func (p *picking) lacked() (next string, last bool, err error) {
	sp := &p.turn.Spaces
	all := p.left
	walks := sp.Phase == reembed.Filling && !sp.Walked
	if walks {
		p.left, p.room = (all+1)/2, maxPicked/2 // so that the walk comes to its end however fast documents change
	}
	rest, err := p.notes(notedLacking)
	if err != nil {
		return "", false, err
	}
	if walks {
		p.left, p.room = max(1, p.left+all/2), p.room+maxPicked/2
		err = p.walk()
		return sp.Walk, sp.Walked, err
	}
	if sp.Phase == reembed.Filling {
		return "", true, nil
	}
	held, err := p.notes(notedHeld)
	return "", !rest && (sp.Phase == reembed.Turning || !held), err
}

// notes takes documents that were noted, and drops the notes that are about nothing any more. It reports whether there may be more.
func (p *picking) notes(prefix string) (more bool, err error) {
	found, err := p.rows.Scan(prefix, maxPicked)
	if err != nil {
		return false, fmt.Errorf("book: scan: %w", err)
	}
	for _, row := range found {
		if p.full() {
			return true, nil
		}
		o, err := p.open(strings.TrimPrefix(row.Key, prefix))
		if err != nil {
			return false, err
		}
		if o == nil || !p.pick(o) {
			if err := p.rows.Delete(row.Key); err != nil {
				return false, fmt.Errorf("book: delete: %w", err)
			}
		}
	}
	return len(found) == maxPicked, nil
}

// walk goes on through the documents. What it takes it comes to again, and passes when it is done; so where it stands everything is. It passes what was
// noted, so that it has an end, however many documents come.
func (p *picking) walk() error {
	sp := &p.turn.Spaces
	stands := false
	next, err := p.eachDocument(sp.Walk, func(d *document) (bool, error) {
		if p.full() {
			stands = true
			return false, nil
		}
		passes := len(sp.lacking(d)) == 0
		if !passes {
			var err error
			if passes, err = p.isNoted(d); err != nil {
				return false, err
			}
		}
		if passes {
			if !stands {
				sp.Walk = d.ID
			}
			return true, nil
		}
		stands = true
		o, err := p.open(d.ID)
		return err == nil && o != nil && p.pick(o), err
	})
	if err == nil && next == "" && !stands {
		sp.Walked = true
	}
	return err
}

// isNoted reports whether the target lacks something of a document that the walk need not stop for.
func (p *picking) isNoted(d *document) (bool, error) {
	for _, prefix := range []string{notedLacking, notedFailed} {
		if found, err := p.rows.Get(prefix + d.ID); err != nil || found != nil {
			return found != nil, err
		}
	}
	return false, nil
}

// pick takes what the target lacks of a document, and reports whether that is anything. It is marked before anything is written.
func (p *picking) pick(o *open) bool {
	sp := &p.turn.Spaces
	gs := sp.lacking(o.document)
	for _, g := range gs {
		if slices.ContainsFunc(p.works, func(w reembed.Work) bool { return w.DocID == o.ID && w.Generation.Generation == g.Number }) {
			continue
		}
		if g.mark(sp.Target, sp.Epochs[sp.Target]) {
			o.marked = true
		}
		p.works = append(p.works, g.work(o.document))
		p.left -= max(1, g.Chunks)
		p.room--
	}
	return len(gs) > 0
}

// kept takes what may be in a space that is being emptied, from a cursor on. Nothing is written for it: all marks there are void.
func (p *picking) kept(cursor string) (next string, err error) {
	model := p.turn.Spaces.Target
	return p.eachDocument(cursor, func(d *document) (bool, error) {
		if p.full() {
			return false, nil
		}
		for _, g := range d.Generations {
			if g.live() && g.full() && !p.turn.Spaces.has(g, model) && (g.Model == model || g.marked(model) != nil) {
				p.works = append(p.works, g.work(d))
				p.left -= max(1, g.Chunks)
				p.room--
			}
		}
		return true, nil
	})
}

// work is what is to be done for a generation.
func (g *generation) work(d *document) reembed.Work {
	w := reembed.Work{Generation: corpus.Generation{DocID: d.ID, Generation: g.Number}, Chunks: g.Chunks, TextKey: g.TextKey}
	if g.About != nil {
		w.Title = g.About.Title
	}
	if g.Derived != nil {
		w.TextKey = g.Derived.TextKey
		if w.Title == "" {
			w.Title = g.Derived.Title
		}
	}
	return w
}

// eachDocument shows documents in the order of their ids, after one, until it is told to stop or has looked at many. next is the last that was
// seen to, empty when there are no more.
func (c *change) eachDocument(after string, see func(*document) (bool, error)) (next string, err error) {
	next = after
	for looked := 0; looked < maxLooked; looked += lookBatch {
		from := documentPrefix
		if next != "" {
			from += next + "\x00"
		}
		found, err := c.rows.Range(from, documentsEnd, lookBatch)
		if err != nil {
			return "", fmt.Errorf("book: range: %w", err)
		}
		for _, row := range found {
			var d document
			if err := json.Unmarshal(row.Value, &d); err != nil {
				return "", fmt.Errorf("book: row %.80q: %w", row.Key, err)
			}
			if more, err := see(&d); err != nil || !more {
				return next, err
			}
			next = d.ID
		}
		if len(found) < lookBatch {
			return "", nil
		}
	}
	return next, nil
}

// Filled implements reembed.Ledger.
func (b *Book) Filled(r rows.Tx, s tenants.Scope, id string, ds []reembed.Done) ([]corpus.Verdict, error) {
	c := b.begin(r, s)
	verdicts := make([]corpus.Verdict, len(ds))
	row, err := c.move(id)
	if fault.Is(err, fault.NotFound) { // everything was erased meanwhile
		for i := range verdicts {
			verdicts[i] = corpus.Verdict{Stale: true, Unwanted: true}
		}
		return verdicts, nil
	}
	if err != nil {
		return nil, err
	}
	for i, d := range ds {
		o, err := c.open(d.DocID)
		if err != nil {
			return nil, err
		}
		switch {
		case row.Move.Drop:
			row.Move.Done++
		case o == nil:
			verdicts[i] = corpus.Verdict{Stale: true, Unwanted: true}
		default:
			if verdicts[i], err = c.filled(o, d, row); err != nil {
				return nil, err
			}
		}
	}
	if row.End == nil {
		err = c.keepMove(id, row)
	}
	return verdicts, errors.Join(err, c.close())
}

// filled takes what became of one work. It is as true when the move has ended meanwhile.
func (c *change) filled(o *open, d reembed.Done, row *jobRow) (corpus.Verdict, error) {
	sp, m := &c.turn.Spaces, row.Move
	g := o.generation(d.Generation.Generation)
	if g == nil || !g.live() {
		return o.verdict(d.Generation.Generation), nil
	}
	mark := g.marked(m.Model)
	switch {
	case mark == nil || mark.Epoch != sp.Epochs[m.Model]:
		// The space was emptied meanwhile. What was written stays there, and whoever removes the generation removes it: if the writer was to, it
		// might come too late for that, too, and remove what was made after it.
		sp.soil(m.Model)
		c.turn.dirty = true
		return o.verdict(g.Number), nil
	case mark.Full:
		return o.verdict(g.Number), nil
	}
	if d.Code != "" {
		return c.notFilled(o, g, d, row)
	}
	mark.Full, o.marked = true, true
	m.Done++
	m.Tokens, m.Nanos = m.Tokens+d.Cost.Tokens, m.Nanos+d.Cost.Nanos
	var err error
	if g.State.OnItsWay() {
		err = c.letGo(o, g)
	}
	if err == nil && row.End == nil {
		err = c.settled(o)
	}
	o.prune()
	return o.verdict(g.Number), err
}

// notFilled takes that a generation could not be brought to the target. What can be searched stays so, and what was held for the target's
// sake is: then the target lacks it. What is nowhere else fails.
func (c *change) notFilled(o *open, g *generation, d reembed.Done, row *jobRow) (corpus.Verdict, error) {
	if row.End != nil {
		return o.verdict(g.Number), nil
	}
	sp := &c.turn.Spaces
	failed, err := c.rows.Get(notedFailed + o.ID)
	if err != nil {
		return corpus.Verdict{}, fmt.Errorf("book: get: %w", err)
	}
	p := corpus.Progress{Stage: corpus.StageEmbed, Code: d.Code, Message: d.Message, Cause: g.cause()}
	if failed == nil {
		problem := newFailure(p, c.now).problem()
		problem.DocID = o.ID
		row.Move.problem(*problem)
	}
	switch {
	case g.State == corpus.Indexed:
	case sp.active(g):
		err = errors.Join(c.complete(o, g), c.tellIndexed(o, g))
	default:
		err = errors.Join(c.fail(o, g, p), c.settled(o))
	}
	if g.State == corpus.Indexed {
		err = errors.Join(err, c.unremind(notedLacking, o.ID), c.unremind(notedHeld, o.ID), c.remind(notedFailed, o.ID))
	}
	o.prune()
	return o.verdict(g.Number), err
}
