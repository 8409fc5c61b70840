package book

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// fetch is what a generation knows of its document's place on the web.
type fetch struct {
	URL      string `json:"u"`
	Asked    string `json:"a,omitempty"` // the content type that the client said
	ETag     string `json:"e,omitempty"`
	Modified int64  `json:"m,omitempty"`
	At       int64  `json:"t,omitempty"` // when it was fetched; 0 while it is not
	Slow     bool   `json:"s,omitempty"` // its host failed, so that it goes after others
}

func newFetch(sub corpus.Submission) *fetch {
	if sub.Fetch == nil {
		return visited(sub.Moved)
	}
	return &fetch{URL: sub.Fetch.URL, Asked: sub.ContentType}
}

// fetchOf is where the document of a generation is to be had, with what the searchable generation was there if that was made
// in the same way: then the same document need not come again.
func (d *document) fetchOf(g *generation) events.Fetch {
	f := events.Fetch{URL: g.Fetch.URL}
	if old := d.generation(d.Searchable); old != nil && old.sameWay(g) {
		f.ETag, f.Modified, f.SHA256 = old.Fetch.ETag, at(old.Fetch.Modified), old.SHA256
	}
	return f
}

// sameWay reports whether the same document, fetched for both generations, would become the same chunks with the same
// description. The first is the one that searches show, so it is in the active space, which is where the other is to be.
func (g *generation) sameWay(other *generation) bool {
	if g.State != corpus.Indexed || g.Fetch == nil || other.Fetch == nil || g.SHA256 == "" {
		return false
	}
	if g.Fetch.URL != other.Fetch.URL || g.Fetch.Asked != other.Fetch.Asked || g.Chunking != other.Chunking {
		return false
	}
	x, errX := json.Marshal(g.About)
	y, errY := json.Marshal(other.About)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// fetched takes what was stored of a generation's document; what came first stays. Or there is nothing new: then the
// generation ends, if what is searchable is the same.
func (c *change) fetched(o *open, g *generation, p corpus.Progress) error {
	switch {
	case g.Fetch == nil:
		return nil
	case p.Unchanged:
		return c.nothingNew(o, g)
	case p.Fetched == nil || !g.toFetch():
		return nil
	}
	g.gotOn(corpus.StageFetch)
	o.dirty = true
	return c.arrive(g, p.Fetched)
}

// nothingNew takes a generation away whose document is searchable already. Its number is not given again, so that nothing that
// comes late is taken for another's.
func (c *change) nothingNew(o *open, g *generation) error {
	old := o.generation(o.Searchable)
	if !g.toFetch() || old == nil || old.Number >= g.Number || !old.sameWay(g) {
		return nil
	}
	row := finish(o.document, g, job.Succeeded, c.now, nil)
	row.End.Unchanged, row.End.Percent, row.End.Stage = true, 100, string(corpus.StageFetch)
	row.End.Counts = job.Counts{Total: old.Slices, Done: old.Slices, Unchanged: old.Slices}
	o.drop(g)
	o.dirty = true
	return errors.Join(
		c.leave(g, true),
		c.tally(g.ImportID, ending{state: job.Succeeded, docID: o.ID, unchanged: true}),
		rows.Write(c.rows, jobPrefix+g.JobID, row),
	)
}

// fetchAgain makes the submission of a generation one that is fetched as that was.
func fetchAgain(sub *corpus.Submission, g *generation) {
	sub.Fetch = &events.Fetch{URL: g.Fetch.URL}
	sub.ContentType, sub.TextKey, sub.SHA256, sub.Bytes = g.Fetch.Asked, "", "", 0
}

// drop takes a generation away as if it had not been submitted, but for its number. The newest is the next that is known whole: of one in
// between that has failed there may be vectors alone.
func (d *document) drop(g *generation) {
	d.Last, d.Newest = max(d.Last, d.Newest), d.Searchable
	kept := d.Generations[:0]
	for _, other := range d.Generations {
		if other == g {
			continue
		}
		kept = append(kept, other)
		if other.whole() {
			d.Newest = other.Number
		}
	}
	d.Generations = kept
}

// original is what was fetched for a generation, nil if it was not.
func (g *generation) original() *corpus.Original {
	if g.Fetch == nil || g.Fetch.At == 0 {
		return nil
	}
	return &corpus.Original{
		TextKey: g.TextKey, ContentType: g.ContentType, SHA256: g.SHA256, Bytes: g.Bytes, ETag: g.Fetch.ETag, Modified: at(g.Fetch.Modified),
	}
}

// derive takes over where the text is that a document's chunks point into; what came first stays, as the chunks do.
func (g *generation) derive(d *corpus.Derived) (changed bool) {
	if d == nil || g.Derived != nil {
		return false
	}
	kept := *d
	kept.Title = clip(kept.Title, 2000)
	g.Derived = &kept
	return true
}

// fetchTimes is when the document was fetched.
func (g *generation) fetchTimes() []corpus.StageTimes {
	if g.Fetch == nil || g.Fetch.At == 0 {
		return nil
	}
	return []corpus.StageTimes{{Stage: corpus.StageFetch, At: time.UnixMilli(g.Fetch.At).UTC(), Done: 1, Total: 1}}
}
