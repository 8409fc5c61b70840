package book

import (
	"time"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
)

// document is a document's row. Generations are in order of their numbers; which are kept: the newest, the searchable,
// those in flight, and the retired ones whose vectors may still exist.
type document struct {
	ID          string        `json:"id"`
	Newest      int           `json:"n"`
	Searchable  int           `json:"s,omitempty"`
	Created     int64         `json:"c"`
	Updated     int64         `json:"u"`
	Generations []*generation `json:"g"`
}

func (d *document) generation(n int) *generation {
	for _, g := range d.Generations {
		if g.Number == n {
			return g
		}
	}
	return nil
}

// prune drops the generations that nobody will ask for again.
func (d *document) prune() {
	kept := d.Generations[:0]
	for _, g := range d.Generations {
		switch {
		case g.Number == d.Newest || g.Number == d.Searchable || g.live():
			kept = append(kept, g)
		case g.Retired:
			kept = append(kept, &generation{Number: g.Number, Model: g.Model, Chunks: g.Chunks, State: g.State, Retired: true})
		}
	}
	d.Generations = kept
}

// retire takes a generation out of every search. It is remembered while it may have vectors: a slice that is in and
// not yet removed. Slices that are not in are removed by their own writers, who are told that they are stale.
func (g *generation) retire() {
	g.State = corpus.Failed
	g.Retired = len(g.Done) > 0
}

// verdict is what a progress of generation n means now.
func (d *document) verdict(n int) corpus.Verdict {
	g := d.generation(n)
	switch {
	case g == nil || !g.live():
		v := corpus.Verdict{Stale: true}
		if g != nil && g.Retired {
			v.Retired = []corpus.Retired{g.retired()}
		}
		return v
	case n != d.Searchable:
		return corpus.Verdict{}
	}
	v := corpus.Verdict{Complete: true}
	for _, old := range d.Generations {
		if old.Retired {
			v.Retired = append(v.Retired, old.retired())
		}
	}
	return v
}

func (g *generation) retired() corpus.Retired {
	return corpus.Retired{Generation: g.Number, Chunks: g.Chunks, Model: g.Model}
}

// show is the document as others see it: the newest generation, and which one searches show.
func (d *document) show() corpus.Document {
	g := d.generation(d.Newest)
	doc := corpus.Document{
		ID: d.ID, ContentType: g.ContentType, State: g.State, Generation: d.Newest, Searchable: d.Searchable,
		Model: g.Model, Bytes: g.Bytes, SHA256: g.SHA256, TextKey: g.TextKey, Chunks: g.Chunks,
		Stages: g.stages(), JobID: g.JobID, CreatedAt: at(d.Created), UpdatedAt: at(d.Updated),
	}
	if g.About != nil {
		doc.About = *g.About
	}
	if g.Failure != nil {
		doc.Reason = g.Failure.Code
		if g.Failure.Message != "" {
			doc.Reason += ": " + g.Failure.Message
		}
	}
	return doc
}

// submit opens the next generation.
func (d *document) submit(sub corpus.Submission, now time.Time) *generation {
	d.Newest++
	d.Updated = now.UnixMilli()
	if d.Created == 0 {
		d.Created = d.Updated
	}
	about := sub.About
	g := &generation{
		Number: d.Newest, State: corpus.Submitted, JobID: sub.JobID, Model: sub.Model, About: &about,
		ContentType: sub.ContentType, TextKey: sub.TextKey, SHA256: sub.SHA256, Bytes: sub.Bytes, Submitted: d.Updated,
	}
	d.Generations = append(d.Generations, g)
	d.prune()
	return g
}

// ref names a generation of the document in facts.
func (d *document) ref(g *generation) events.DocumentRef {
	return events.DocumentRef{DocID: d.ID, Generation: g.Number, JobID: g.JobID}
}
