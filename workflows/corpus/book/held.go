package book

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"levada.dev/events"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/reembed"
)

// What a move has to come back to is noted by document, each kind by itself.
const (
	notedLacking = notesPrefix + "0/" // it is searchable, and not in the target
	notedHeld    = notesPrefix + "1/" // a generation of it is held: all of its slices are in, and it is not where it has to be to be searchable
	notedFailed  = notesPrefix + "2/" // it is searchable, and could not be brought to the target
)

var noted = []string{notedLacking, notedHeld, notedFailed}

// remind keeps a note of a document.
func (c *change) remind(prefix, docID string) error {
	found, err := c.rows.Get(prefix + docID)
	if err == nil && found == nil {
		err = rows.Write(c.rows, prefix+docID, struct{}{})
	}
	return err
}

// settled drops the notes of a document of which the target lacks nothing any more.
func (c *change) settled(o *open) error {
	if len(c.turn.Spaces.lacking(o.document)) > 0 {
		return nil
	}
	var errs []error
	for _, prefix := range noted {
		errs = append(errs, c.unremind(prefix, o.ID))
	}
	return errors.Join(errs...)
}

// unremind drops a note of a document, if there is one.
func (c *change) unremind(prefix, docID string) error {
	found, err := c.rows.Get(prefix + docID)
	if err == nil && found != nil {
		err = c.rows.Delete(prefix + docID)
	}
	return err
}

// arrived makes a generation searchable of which every slice is in, or holds it, or ends it, as the spaces say that it is in.
func (c *change) arrived(o *open, g *generation) error {
	t, err := c.turns()
	if err != nil {
		return err
	}
	sp := &t.Spaces
	switch {
	case !sp.active(g) && sp.Phase == reembed.Settling, sp.Phase == reembed.Turning && !sp.has(g, sp.Target) && sp.active(g):
		t.window.forget(g.JobID)
		t.dirty = true
		return c.remind(notedHeld, o.ID)
	case !sp.active(g):
		return c.fail(o, g, corpus.Progress{
			Stage: corpus.StageIndex, Code: "space_left", Cause: g.cause(),
			Message: "searches use another embedding model by now, and the move to it did not take the document along; submit it again",
		})
	}
	if err := c.complete(o, g); err != nil {
		return err
	}
	if sp.Phase != reembed.Filling || sp.has(g, sp.Target) {
		return nil
	}
	return errors.Join(c.unremind(notedFailed, o.ID), c.remind(notedLacking, o.ID)) // what failed was the one before
}

// letGo makes a generation searchable that was held, or ends it, and tells that, as nobody else is there to.
func (c *change) letGo(o *open, g *generation) error {
	if gone, err := c.overtaken(o, g); err != nil || gone {
		return err
	}
	if err := c.arrived(o, g); err != nil || g.State != corpus.Indexed {
		return err
	}
	return c.tellIndexed(o, g)
}

func (c *change) tellIndexed(o *open, g *generation) error {
	o.dirty = true
	return c.tell(g.JobID, g.cause(), events.DocumentIndexed{DocumentRef: o.ref(g), Chunks: g.Chunks, Model: g.Model})
}

// releaseBatch is how many notes of a move that has ended one transaction deals with.
const releaseBatch = 64

// release deals with what a move had noted that has ended: what was held is searchable, or has failed. The rest goes on by and by (Watch).
func (c *change) release() error {
	t, err := c.turns()
	if err != nil || !t.Spaces.Ending {
		return err
	}
	left := releaseBatch
	for _, prefix := range noted {
		found, err := c.rows.Scan(prefix, left)
		if err != nil {
			return fmt.Errorf("book: scan: %w", err)
		}
		for _, row := range found {
			if prefix == notedHeld {
				err = c.releaseHeld(strings.TrimPrefix(row.Key, prefix))
			}
			if err := errors.Join(err, c.rows.Delete(row.Key)); err != nil {
				return err
			}
		}
		if left -= len(found); left == 0 {
			t.dirty = true
			return nil
		}
	}
	t.Spaces.Ending, t.dirty = false, true
	return nil
}

func (c *change) releaseHeld(docID string) error {
	o, err := c.open(docID)
	if err != nil || o == nil {
		return err
	}
	for _, g := range slices.Backward(slices.Clone(o.Generations)) { // the newest first: it takes the place of those before it
		if g.live() && g.State.OnItsWay() && g.full() {
			if err := c.letGo(o, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// lacksNothing reports, as a fault, that something searchable is not in the target.
func (c *change) lacksNothing() error {
	for _, prefix := range []string{notedLacking, notedFailed} {
		for {
			found, err := c.rows.Scan(prefix, lookBatch)
			if err != nil {
				return fmt.Errorf("book: scan: %w", err)
			}
			for _, row := range found {
				o, err := c.open(strings.TrimPrefix(row.Key, prefix))
				if err != nil {
					return err
				}
				if o != nil && slices.ContainsFunc(c.turn.Spaces.lacking(o.document), func(g *generation) bool { return g.State == corpus.Indexed }) {
					return errIncomplete(fmt.Sprintf("document %.200q is searchable, and not in the space of %s", o.ID, c.turn.Spaces.Target))
				}
				if err := c.rows.Delete(row.Key); err != nil {
					return fmt.Errorf("book: delete: %w", err)
				}
			}
			if len(found) < lookBatch {
				break
			}
		}
	}
	return nil
}

// lookAtHeld looks after a generation that is held: not for longer than there is a move that it waits for.
func (c *change) lookAtHeld(o *open, g *generation, w watched) error {
	if err := c.letGo(o, g); err != nil || !g.State.OnItsWay() {
		return err
	}
	w.Due = c.now.UnixMilli() + c.turn.deadline()
	return c.watchUntil(w)
}

// redirect has a document that waited begin in the active space: it was submitted when that was another.
func (c *change) redirect(w waiting, ev events.Event) (events.Event, error) {
	o, err := c.open(w.DocID)
	if err != nil || o == nil || o.generation(w.Number) == nil {
		return ev, err
	}
	g, sp := o.generation(w.Number), &c.turn.Spaces
	g.Model, g.Epoch, o.marked = sp.Active, sp.Epochs[sp.Active], true
	var told events.DocumentSubmitted // for its text
	if ev.Type == events.TypeDocumentSubmitted {
		if err := ev.As(&told); err != nil {
			return ev, err
		}
	}
	anew, err := events.New(c.scope, worker, events.Cause{ID: ev.CausationID, TraceParent: ev.TraceParent, IdempotencyKey: ev.IdempotencyKey}, ev.Time, g.begins(o.document, told.Text))
	return anew, err
}
