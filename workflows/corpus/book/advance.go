package book

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// Advance implements corpus.Ledger. Progress of one call is written together: one row for each document that changed,
// one for each job that ended.
func (b *Book) Advance(r rows.Tx, s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	c := b.begin(r, s)
	verdicts := make([]corpus.Verdict, len(ps))
	for i, p := range ps {
		o, err := c.open(p.DocID)
		if err != nil {
			return nil, err
		}
		if o == nil {
			verdicts[i] = corpus.Verdict{Stale: true, Unwanted: true} // the document is gone, or was never here
			continue
		}
		if p.Stage == corpus.StageErase {
			if verdicts[i], err = c.erase(o, p); err != nil {
				return nil, err
			}
			continue
		}
		if p.Stage == corpus.StageRetire && p.Left != nil {
			if verdicts[i], err = c.strays(o, p.Left.Texts); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.apply(o, p); err != nil {
			return nil, err
		}
		if o.dirty {
			o.prune()
		}
		verdicts[i] = o.verdict(p.Generation)
		verdicts[i].Retired = append(verdicts[i].Retired, o.leavings(p)...)
	}
	return verdicts, c.close()
}

// change is what one call does.
type change struct {
	rows      rows.Tx
	scope     tenants.Scope
	now       time.Time
	documents map[string]*open // nil for an id that has no document
	order     []*open
	turn      *turns                 // nil until it is needed
	imports   map[string]*openImport // nil for an id that is no import
	importing []*openImport
	erasure   *erasureRow // nil until it is needed
}

// open is a document that a call works on.
type open struct {
	*document
	dirty   bool
	marked  bool             // its row has changed, and the document has not
	retired []corpus.Retired // when it was read
	shown   face             // when it was read
}

func (b *Book) begin(r rows.Tx, s tenants.Scope) *change {
	return &change{rows: r, scope: s, now: b.now(), documents: map[string]*open{}, imports: map[string]*openImport{}}
}

func (c *change) open(id string) (*open, error) {
	if o, known := c.documents[id]; known {
		return o, nil
	}
	var d document
	found, err := rows.Read(c.rows, documentPrefix+id, &d)
	if err != nil {
		return nil, err
	}
	var o *open
	if found {
		o = &open{document: &d, retired: d.retired(), shown: d.face()}
		c.order = append(c.order, o)
	}
	c.documents[id] = o
	return o, nil
}

// add makes a document that does not exist yet.
func (c *change) add(id string) *open {
	o := &open{document: &document{ID: id}}
	c.documents[id] = o
	c.order = append(c.order, o)
	return o
}

// close lets in what fits now, and writes what has changed.
func (c *change) close() error {
	if err := c.letIn(); err != nil {
		return err
	}
	for _, o := range c.order {
		if !o.dirty && !o.marked {
			continue
		}
		if o.dirty && !o.moved() {
			o.Updated = c.now.UnixMilli()
		}
		o.prune()
		if err := c.watchRetired(o); err != nil {
			return err
		}
		if o.shown != o.face() {
			if err := c.reissue(); err != nil {
				return err
			}
		}
		if err := rows.Write(c.rows, documentPrefix+o.ID, o.document); err != nil {
			return err
		}
	}
	return errors.Join(c.closeImports(), c.closeTurns())
}

// apply records one progress. Work for a generation that is no longer live changes nothing, and so does what is told
// again.
func (c *change) apply(o *open, p corpus.Progress) error {
	g := o.generation(p.Generation)
	if g == nil {
		return nil
	}
	if p.Stage == corpus.StageRetire {
		if g.Retired {
			g.Retired, o.dirty = false, true
		}
		return nil
	}
	if g.live() && g.derive(p.Derived) { // also when the slices were faster
		o.dirty = true
	}
	if !g.live() || g.State == corpus.Indexed {
		return nil
	}
	if gone, err := c.overtaken(o, g); err != nil || gone {
		return err
	}
	if err := c.hear(g, p); err != nil {
		return err
	}
	if g.full() { // it is held: nothing that comes now is news
		return nil
	}
	if g.attempts(p.Stage, p.Attempts) {
		o.dirty = true
	}
	if p.Code != "" && !p.Retry.IsZero() {
		c.note(o, g, p)
		return nil
	}
	if p.Code != "" {
		return c.fail(o, g, p)
	}
	if p.Stage == corpus.StageFetch {
		return c.fetched(o, g, p)
	}
	if p.Stage != corpus.StageChunk && p.Stage != corpus.StageIndex {
		return nil
	}
	if disagree := g.cut(p.Slice); disagree {
		p.Code, p.Message = "slices_disagree", "the document was cut in two ways while it was processed; submit it again"
		return c.fail(o, g, p)
	}
	if p.Stage == corpus.StageChunk {
		return c.chunked(o, g)
	}
	return c.indexed(o, g, p)
}

// cut takes over how many slices and chunks there are, from whichever stage reports first, and reports whether a
// stage says otherwise than the one before it.
func (g *generation) cut(s events.Slice) (disagree bool) {
	known := g.Slices > 0
	disagree = s.Slices < 1 || s.Slice < 0 || s.Slice >= s.Slices || known && (g.Slices != s.Slices || g.Chunks != s.Chunks)
	if !known {
		g.Slices = s.Slices
	}
	g.Chunks = max(g.Chunks, s.Chunks) // so that a removal reaches all that may have been written
	return disagree
}

func (c *change) chunked(o *open, g *generation) error {
	if g.Chunked == 0 {
		g.Chunked, g.State, o.dirty = c.now.UnixMilli(), corpus.Chunked, true
		g.gotOn(corpus.StageFetch, corpus.StageChunk)
	}
	return nil
}

func (c *change) indexed(o *open, g *generation, p corpus.Progress) error {
	if g.Done.has(p.Slice.Slice) {
		return nil
	}
	o.dirty = true
	g.Done.add(p.Slice.Slice)
	g.State = corpus.Chunked
	g.Indexed = c.now.UnixMilli()
	g.Tokens, g.Nanos = g.Tokens+p.Cost.Tokens, g.Nanos+p.Cost.Nanos
	g.gotOn(corpus.StageEmbed, corpus.StageIndex)
	if !p.Embedded.IsZero() {
		g.Embedded = max(g.Embedded, p.Embedded.UnixMilli())
	}
	if !g.full() {
		return nil
	}
	return c.arrived(o, g)
}

// complete makes a generation the one that searches show, and retires every one below it.
func (c *change) complete(o *open, g *generation) error {
	g.State, g.Note = corpus.Indexed, nil
	o.Searchable = g.Number
	err := c.end(o, g, job.Succeeded, nil)
	for _, old := range o.Generations {
		switch {
		case old.Number >= g.Number || !old.live():
		case old.State == corpus.Indexed:
			old.retire(corpus.Replaced)
		default:
			err = errors.Join(err, c.cancel(o, old, "superseded", fmt.Sprintf("generation %d became searchable first", g.Number)))
		}
	}
	return err
}

// fail ends a generation. What searches show does not change.
func (c *change) fail(o *open, g *generation, p corpus.Progress) error {
	o.dirty = true
	g.retire(corpus.Failed)
	g.Failure = newFailure(p, c.now)
	return errors.Join(c.tell(g.JobID, p.Cause, events.DocumentFailed{
		DocumentRef: o.ref(g), Stage: string(p.Stage), Code: g.Failure.Code, Message: g.Failure.Message, Attempts: g.Failure.Attempts,
	}), c.end(o, g, job.Failed, g.Failure.problem()))
}

// cancel ends a generation that is on its way, because somebody said so or a newer one was first.
func (c *change) cancel(o *open, g *generation, code, message string) error {
	stage, _ := g.stage()
	o.dirty = true
	g.retire(corpus.Cancelled)
	g.Failure = newFailure(corpus.Progress{Stage: stage, Code: code, Message: message}, c.now)
	return c.end(o, g, job.Cancelled, g.Failure.problem())
}

func (f *failure) problem() *job.Problem {
	return &job.Problem{Stage: string(f.Stage), Code: f.Code, Message: f.Message, At: at(f.At)}
}

// end ends the job of a generation, and its turn.
func (c *change) end(o *open, g *generation, state job.State, p *job.Problem) error {
	return errors.Join(
		c.leave(g, state == job.Succeeded),
		c.tally(g.ImportID, ending{state: state, docID: o.ID, line: g.Line, problem: p}),
		rows.Write(c.rows, jobPrefix+g.JobID, finish(o.document, g, state, c.now, p)),
	)
}

// clip cuts s to n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
