package book

import (
	"slices"
	"time"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// document is a document's row. Generations are in order of their numbers; which are kept: the newest, the searchable,
// those in flight, and the retired ones of which something may still exist.
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

// needed reports whether somebody may ask for a generation again.
func (d *document) needed(g *generation) bool {
	return g.Number == d.Newest || g.Number == d.Searchable || g.live()
}

// prune drops the generations that nobody will ask for again, once nothing is left of them.
func (d *document) prune() {
	kept := make([]*generation, 0, len(d.Generations))
	for _, g := range d.Generations {
		if !d.needed(g) && g.whole() {
			d.remember(g)
			g = d.strip(g)
		}
		if g.Retired || d.needed(g) {
			kept = append(kept, g)
		}
	}
	d.Generations = gather(kept)
}

// maxRetired is how many generations of which only texts are left are remembered each by itself.
const maxRetired = 64

// gather keeps the row short while nobody comes to remove anything: the oldest of which no more than texts are left become one, whose
// texts are looked for.
func gather(all []*generation) []*generation {
	texts := func(g *generation) bool { return g.Retired && !g.whole() && g.Chunks == 0 }
	n := 0
	for _, g := range all {
		if texts(g) {
			n++
		}
	}
	return slices.DeleteFunc(all, func(g *generation) bool {
		if n <= maxRetired || !texts(g) {
			return false
		}
		if n--; n == maxRetired { // the last of them stands for all
			g.Texts, g.Stray = nil, true
			return false
		}
		return true
	})
}

// strip is what is left of a generation that nobody will ask for again: what is to be removed. Its texts may be those of a
// later one, which was begun from what this one was submitted with.
func (d *document) strip(g *generation) *generation {
	s := &generation{Number: g.Number, Model: g.Model, State: g.State}
	if g.Retired {
		s.Chunks, s.Others = g.Chunks, g.Others
	}
	shared := slices.ContainsFunc(d.Generations, func(other *generation) bool {
		return other != g && other.TextKey == g.TextKey && d.needed(other)
	})
	if g.TextKey != "" && !shared {
		s.Texts = append(s.Texts, g.TextKey)
		if g.Derived != nil {
			s.Texts = append(s.Texts, g.Derived.TextKey)
		}
	}
	// Of one that became searchable everything is known, but for what was fetched, or taken out of it, more than once, or told to nobody.
	s.Stray = g.State != corpus.Replaced || g.Chunked == 0 || g.Fetch != nil || g.Derived != nil || corpus.TextJob(g.TextKey) != g.JobID
	s.Retired = s.Chunks > 0 || len(s.Texts) > 0 || s.Stray
	return s
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
		return corpus.Verdict{Stale: true, Unwanted: !d.failed(n), Retired: d.retired()}
	case n != d.Searchable:
		return corpus.Verdict{Fetched: g.original()}
	}
	return corpus.Verdict{Complete: true, Fetched: g.original(), Retired: d.retired()}
}

// retired are the generations of which what was written is to be removed.
func (d *document) retired() (all []corpus.Retired) {
	for _, g := range d.Generations {
		if g.Retired {
			all = append(all, corpus.Retired{Generation: g.Number, Chunks: g.Chunks, Model: g.Model, Also: g.also(), Texts: g.Texts, Stray: g.Stray})
		}
	}
	return all
}

// failed reports whether a generation has failed, as far as that is remembered.
func (d *document) failed(n int) bool {
	if g := d.generation(n); g != nil {
		return g.State == corpus.Failed
	}
	return slices.ContainsFunc(d.History, func(v version) bool { return v.Number == n && v.State == corpus.Failed })
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
	if sub.Moved != nil {
		d.Created, d.Updated = sub.Moved.CreatedAt.UnixMilli(), sub.Moved.UpdatedAt.UnixMilli()
	}
	about := sub.About
	g := &generation{
		Number: d.Newest, State: corpus.Submitted, JobID: sub.JobID, Model: sub.Model, About: &about,
		ContentType: sub.ContentType, Chunking: sub.Chunking, TextKey: sub.TextKey, SHA256: sub.SHA256, Bytes: sub.Bytes, Submitted: now.UnixMilli(),
		Fetch: newFetch(sub), Moved: sub.Moved != nil,
	}
	d.Generations = append(d.Generations, g)
	return g
}

// ref names a generation of the document in facts.
func (d *document) ref(g *generation) events.DocumentRef {
	return events.DocumentRef{DocID: d.ID, Generation: g.Number, JobID: g.JobID}
}
