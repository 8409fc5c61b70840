package book

import (
	"slices"

	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/reembed"
)

// spaces is where the tenant's vectors are: what the row of the turns has of it. Everything searchable is in the active space at all times.
type spaces struct {
	Active string         `json:"a,omitempty"` // "" before the first document
	Kept   []string       `json:"k,omitempty"` // others that may have vectors
	Epochs map[string]int `json:"e,omitempty"` // how often each was emptied; marks of before are void
	// Late is how many documents are in the queues, by the space that they are on their way to, but for the active one.
	Late map[string]int `json:"l,omitempty"`

	// The move under way, and how far its walk over the documents has come.
	Target string        `json:"t,omitempty"`
	Phase  reembed.Phase `json:"p,omitempty"`
	JobID  string        `json:"j,omitempty"`
	Walk   string        `json:"w,omitempty"` // ids up to this one have the target, or are noted
	Walked bool          `json:"d,omitempty"`
	Soiled bool          `json:"so,omitempty"` // something was written in the space while it was emptied

	// Ending says that the last move has ended, and that what it had noted is not yet dealt with.
	Ending bool `json:"x,omitempty"`
}

// space is another space than its own that a generation is in, or was taken for.
type space struct {
	Model string `json:"m"`
	Epoch int    `json:"e,omitempty"`
	Full  bool   `json:"f,omitempty"` // all of its chunks are there
}

// has reports whether all of a generation is in a model's space.
func (sp *spaces) has(g *generation, model string) bool {
	epoch := sp.Epochs[model]
	if g.Model == model && g.Epoch == epoch {
		return g.full()
	}
	m := g.marked(model)
	return m != nil && m.Epoch == epoch && m.Full
}

// active reports whether a generation is where searches look. Before the first document nobody has said where that is.
func (sp *spaces) active(g *generation) bool { return sp.Active == "" || sp.has(g, sp.Active) }

// lacking are the generations of a document that are to be brought to the target: the one that searches show, and the newest that is held.
func (sp *spaces) lacking(d *document) (gs []*generation) {
	var held *generation
	for _, g := range d.Generations {
		switch {
		case !g.live() || !g.full() || sp.has(g, sp.Target):
		case g.State == corpus.Indexed:
			gs = append(gs, g)
		default:
			held = g
		}
	}
	if held != nil {
		gs = append(gs, held)
	}
	return gs
}

// entered and left count a document that is in the queues, if it is on its way to another space than the active one.
func (sp *spaces) entered(g *generation) {
	if g.Model == sp.Active || sp.Active == "" {
		return
	}
	if sp.Late == nil {
		sp.Late = map[string]int{}
	}
	sp.Late[g.Model]++
}

func (sp *spaces) left(g *generation) {
	if sp.Late[g.Model] > 0 {
		sp.Late[g.Model]--
	}
	if sp.Late[g.Model] == 0 {
		delete(sp.Late, g.Model)
	}
}

func (sp *spaces) late() (n int) {
	for _, of := range sp.Late {
		n += of
	}
	return n
}

// begin makes a model's space the first active one.
func (sp *spaces) begin(model string) {
	sp.Active = model
	sp.forget(model)
}

// change makes the target the active space, while so many documents are in the queues.
func (sp *spaces) change(inQueues int) {
	if n := inQueues - sp.late(); n > 0 && sp.Active != "" {
		if sp.Late == nil {
			sp.Late = map[string]int{}
		}
		sp.Late[sp.Active] = n
	}
	delete(sp.Late, sp.Target)
	sp.forget(sp.Target)
	if sp.Active != "" {
		sp.keep(sp.Active)
	}
	sp.Active = sp.Target
}

// keep notes that a space may have vectors.
func (sp *spaces) keep(model string) {
	if !slices.Contains(sp.Kept, model) {
		sp.Kept = append(sp.Kept, model)
	}
}

// void makes a space one in which nothing is.
func (sp *spaces) void(model string) {
	if sp.Epochs == nil {
		sp.Epochs = map[string]int{}
	}
	sp.Epochs[model]++
}

// forget takes a space for one without vectors.
func (sp *spaces) forget(model string) {
	sp.Kept = slices.DeleteFunc(sp.Kept, func(m string) bool { return m == model })
}

// soil notes that something was written in a space after it was emptied.
func (sp *spaces) soil(model string) {
	if model == sp.Active {
		return
	}
	sp.keep(model)
	if sp.Phase == reembed.Dropping && sp.Target == model {
		sp.Soiled = true
	}
}

// rest ends the move.
func (sp *spaces) rest() {
	sp.Target, sp.Phase, sp.JobID, sp.Walk, sp.Walked, sp.Soiled = "", reembed.Idle, "", "", false, false
}

func (sp *spaces) show() reembed.Spaces {
	return reembed.Spaces{Active: sp.Active, Target: sp.Target, Phase: sp.Phase, JobID: sp.JobID, Kept: sp.Kept}
}

// marked is the mark of another space than its own, or of its own after that was emptied; nil when there is none.
func (g *generation) marked(model string) *space {
	if i := slices.IndexFunc(g.Others, func(m space) bool { return m.Model == model }); i >= 0 {
		return &g.Others[i]
	}
	return nil
}

// mark notes that something may be written for the generation in a space, and reports whether that is news.
func (g *generation) mark(model string, epoch int) bool {
	switch m := g.marked(model); {
	case m == nil:
		g.Others = append(g.Others, space{Model: model, Epoch: epoch})
	case m.Epoch != epoch:
		*m = space{Model: model, Epoch: epoch}
	default:
		return false
	}
	return true
}

// also are the models of the other spaces in which the generation may have vectors. A mark that is void counts: what was sent twice may have
// been written after the space was emptied.
func (g *generation) also() (models []string) {
	for _, m := range g.Others {
		if m.Model != g.Model {
			models = append(models, m.Model)
		}
	}
	return models
}

// Spaces implements reembed.Ledger.
func (b *Book) Spaces(r rows.Tx) (reembed.Spaces, error) {
	t := &turns{}
	_, err := rows.Read(r, turnsKey, t)
	return t.Spaces.show(), err
}

// Missing implements reembed.Ledger.
func (b *Book) Missing(r rows.Tx, s tenants.Scope, model, cursor string) (reembed.Missing, error) {
	c := b.begin(r, s)
	t, err := c.turns()
	if err != nil {
		return reembed.Missing{}, err
	}
	var m reembed.Missing
	m.Next, err = c.eachDocument(cursor, func(d *document) (bool, error) {
		if g := d.generation(d.Searchable); g != nil && !t.Spaces.has(g, model) {
			m.Documents++
			m.Chunks += g.Chunks
			m.Tokens += g.Tokens
		}
		return true, nil
	})
	return m, err
}
