package book

import (
	"errors"

	"levada.dev/workflows/corpus"
)

// fetching is how many of a tenant's documents are being fetched. That has a limit of its own, beside the window: how long a server takes says
// nothing about the pipeline, and a tenant whose servers do not answer is to hold up neither its own texts nor, in the queue that all share,
// what others fetch. The queue is worked on four times as wide (infra/stack).
type fetching struct {
	Fetches int     `json:"fe,omitempty"`
	Gap     float64 `json:"fg,omitempty"` // milliseconds between the ends of two, lately, while there were as many as may be
	Ended   int64   `json:"ft,omitempty"` // when one did last
}

// MaxFetches is how many documents of a tenant are fetched at a time, on the way to their server or waiting to be tried again.
const MaxFetches = 8

func (f *fetching) fits() bool { return f.Fetches < MaxFetches }

func (f *fetching) enter() { f.Fetches++ }

func (f *fetching) leave(now int64) {
	if f.Ended > 0 && !f.fits() {
		gap := float64(max(1, now-f.Ended))
		if f.Gap > 0 {
			gap = (3*f.Gap + gap) / 4
		}
		f.Gap = gap
	}
	f.Ended = now
	f.Fetches--
}

// toFetch reports whether the document of a generation is not here yet.
func (g *generation) toFetch() bool { return g.Fetch != nil && g.Fetch.At == 0 }

// arrive takes what was stored of a document: it is fetched, and is on its way through the pipeline like any other from now on. There need not be
// room for it in the window: what is being fetched is little, and nothing more is let in until there is.
func (c *change) arrive(g *generation, f *corpus.Original) error {
	t, err := c.turns()
	if err != nil {
		return err
	}
	now := c.now.UnixMilli()
	if t.waits(g) { // nobody was told to fetch it yet, and it is here
		if err := errors.Join(c.leave(g, false), c.watch(g.JobID)); err != nil {
			return err
		}
		g.Place = nil
		t.Spaces.entered(g)
	} else {
		t.fetching.leave(now)
	}
	g.Units = units(f.Bytes)
	t.window.enter(g.JobID, g.Units, now)
	t.dirty = true
	g.TextKey, g.ContentType, g.SHA256, g.Bytes = f.TextKey, f.ContentType, f.SHA256, f.Bytes
	g.Fetch.ETag, g.Fetch.At = f.ETag, now
	if !f.Modified.IsZero() {
		g.Fetch.Modified = f.Modified.UnixMilli()
	}
	return nil
}
