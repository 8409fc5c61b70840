package book

import (
	"time"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// document is a document's row. Generations are in order of their numbers; which are kept: the newest, the searchable,
// those in flight, and the retired ones whose vectors may still exist.
type document struct {
	ID          string        `json:"id"`
	Newest      int           `json:"n"`
	Last        int           `json:"l,omitempty"` // the highest number given, when that generation was taken away
	Searchable  int           `json:"s,omitempty"`
	Created     int64         `json:"c"`
	Updated     int64         `json:"u"`
	Generations []*generation `json:"g"`
	History     []version     `json:"h,omitempty"`   // of those that are not kept whole, newest first
	Deleted     *deletion     `json:"del,omitempty"` // the document is a tombstone: it counts on, and shows nothing
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
		if g.Number == d.Newest || g.Number == d.Searchable || g.live() {
			kept = append(kept, g)
			continue
		}
		d.remember(g)
		if g.Retired {
			kept = append(kept, &generation{Number: g.Number, Model: g.Model, Chunks: g.Chunks, State: g.State, Retired: true})
		}
	}
	clear(d.Generations[len(kept):])
	d.Generations = kept
}

// retire takes a generation out of every search. It is remembered while it may have vectors: a slice that is in and
// not yet removed. Slices that are not in are removed by their own writers, who are told that they are stale.
func (g *generation) retire(to corpus.State) {
	g.State, g.Note = to, nil
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
		return corpus.Verdict{Fetched: g.original()}
	}
	v := corpus.Verdict{Complete: true, Fetched: g.original()}
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
	doc := corpus.Document{
		ID: d.ID, State: corpus.Deleted, Generation: d.Newest, Searchable: d.Searchable, Why: d.why(), Versions: d.versions(),
		Stages: []corpus.StageTimes{}, CreatedAt: at(d.Created), UpdatedAt: at(d.Updated),
	}
	if d.Deleted != nil {
		doc.JobID = d.Deleted.JobID
		return doc
	}
	g := d.generation(d.Newest)
	doc.State, doc.ContentType, doc.Model, doc.Bytes, doc.SHA256, doc.TextKey = g.State, g.ContentType, g.Model, g.Bytes, g.SHA256, g.TextKey
	doc.Chunks, doc.Stages, doc.JobID, doc.ImportID = g.Chunks, g.stages(), g.JobID, g.ImportID
	doc.Cost = job.Cost{Tokens: g.Tokens, Nanos: g.Nanos}
	if g.About != nil {
		doc.About = *g.About
	}
	if doc.Derived = g.Derived; doc.Derived != nil && doc.Title == "" {
		doc.Title = doc.Derived.Title
	}
	return doc
}

// submit opens the next generation.
func (d *document) submit(sub corpus.Submission, now time.Time) *generation {
	d.Newest = max(d.Newest, d.Last) + 1
	d.Updated = now.UnixMilli()
	if d.Created == 0 || d.Deleted != nil {
		d.Created = d.Updated
	}
	d.Deleted = nil
	about := sub.About
	g := &generation{
		Number: d.Newest, State: corpus.Submitted, JobID: sub.JobID, Model: sub.Model, About: &about,
		ContentType: sub.ContentType, Chunking: sub.Chunking, TextKey: sub.TextKey, SHA256: sub.SHA256, Bytes: sub.Bytes, Submitted: d.Updated,
		Fetch: newFetch(sub),
	}
	d.Generations = append(d.Generations, g)
	d.prune()
	return g
}

// ref names a generation of the document in facts.
func (d *document) ref(g *generation) events.DocumentRef {
	return events.DocumentRef{DocID: d.ID, Generation: g.Number, JobID: g.JobID}
}
