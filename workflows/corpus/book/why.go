package book

import (
	"fmt"
	"time"

	"levada.dev/workflows/corpus"
)

// why is what keeps the newest generation from being what searches show, nil when nothing does.
func (d *document) why() *corpus.NotSearchable {
	if d.Deleted != nil {
		return &corpus.NotSearchable{
			Code: corpus.WhyDeleted, Message: "it was deleted; its job says what has become of what was stored",
			Stage: corpus.StageErase, Since: at(d.Deleted.At),
		}
	}
	g := d.generation(d.Newest)
	switch {
	case g.State == corpus.Indexed:
		return nil
	case g.State == corpus.Cancelled && g.Failure != nil:
		return g.Failure.why(corpus.WhyCancelled)
	case g.Failure != nil:
		return g.Failure.why(corpus.WhyFailed)
	case g.Note != nil:
		return g.Note.why(corpus.WhyRetrying)
	}
	stage, since := g.stage()
	return &corpus.NotSearchable{Code: corpus.WhyInProgress, Message: g.progress(), Stage: stage, Since: since}
}

// progress says for people what a generation on its way is at.
func (g *generation) progress() string {
	stage, _ := g.stage()
	switch stage {
	case corpus.StageIndex:
		if g.full() {
			return "it is in the index, and becomes searchable once it is in the index of the tenant's next embedding model, too"
		}
		return fmt.Sprintf("%d of %d slices are in the index", g.Done.count(), g.Slices)
	case corpus.StageFetch:
		return "it was accepted, and is going to be fetched"
	case corpus.StageEmbed:
		return fmt.Sprintf("it was cut into %d chunks, which are being embedded", g.Chunks)
	}
	return "it was accepted, and is going to be cut into chunks"
}

func (f *failure) why(code string) *corpus.NotSearchable {
	w := &corpus.NotSearchable{Code: code, Message: f.Message, Error: f.Code, Stage: f.Stage, Since: at(f.At), Attempts: f.Attempts, Next: at(f.Next)}
	if w.Message == "" {
		w.Message = f.Code
	}
	return w
}

// note keeps why a stage failed that is tried again, until it gets on. What is told again, or late, changes nothing.
func (c *change) note(o *open, g *generation, p corpus.Progress) {
	passed := g.Chunked > 0
	switch p.Stage {
	case corpus.StageFetch:
		passed = passed || g.Fetch == nil || g.Fetch.At != 0
	case corpus.StageEmbed, corpus.StageIndex:
		passed = g.Done.has(p.Slice.Slice)
	}
	next := p.Retry.UnixMilli()
	if n := g.Note; passed || n != nil && n.Stage == p.Stage && n.Attempts >= p.Attempts && n.Next >= next {
		return
	}
	g.Note, o.dirty = newFailure(p, c.now), true
	g.Note.Next = next
}

// gotOn forgets a note of the stages that one has got on at.
func (g *generation) gotOn(stages ...corpus.Stage) {
	for _, s := range stages {
		if g.Note != nil && g.Note.Stage == s {
			g.Note = nil
		}
	}
}

func newFailure(p corpus.Progress, now time.Time) *failure {
	return &failure{Stage: p.Stage, Code: clip(p.Code, 64), Message: clip(p.Message, maxMessage), Attempts: max(1, p.Attempts), At: now.UnixMilli()}
}
