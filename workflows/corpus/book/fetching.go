package book

import (
	"errors"
	"net/url"
	"strings"

	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// fetching is how many of a tenant's documents are being fetched. That has a limit of its own, beside the window: how long a server takes says
// nothing about the pipeline, and a tenant whose servers do not answer is to hold up neither its own texts nor, in the queue that all share,
// what others fetch. The queue is worked on four times as wide (infra/stack).
type fetching struct {
	Fetches int     `json:"fe,omitempty"`
	Gap     float64 `json:"fg,omitempty"` // milliseconds between the ends of two, lately, while there were as many as may be
	Ended   int64   `json:"ft,omitempty"` // when one did last

	Slow  int            `json:"fs,omitempty"` // of Fetches, those of hosts that failed
	Hosts map[string]int `json:"fh,omitempty"` // how often those that failed last did so in a row
}

// MaxFetches is how many documents of a tenant are fetched at a time, on the way to their server or waiting to be tried again.
const MaxFetches = 8

// What one host that does not answer may hold up. Its documents are known by what is heard of them: each attempt but the first is, and the end.
const (
	FailsAfter = 3              // attempts in a row, from which on a host's documents go after those of others
	MaxSlow    = MaxFetches - 2 // of them are fetched at a time; the other places are for whom better hosts have something
	maxHosts   = 64             // that failed are remembered; then it begins anew
)

func (f *fetching) fits(lane int) bool {
	return f.Fetches < MaxFetches && (lane < laneSlow || f.Slow < MaxSlow)
}

func (f *fetching) enter(lane int) {
	f.Fetches++
	if lane >= laneSlow {
		f.Slow++
	}
}

// fails reports whether a host failed so often that others go first.
func (f *fetching) fails(host string) bool { return f.Hosts[host] >= FailsAfter }

func (f *fetching) leave(slow bool, now int64) {
	if slow {
		f.Slow--
	}
	if f.Ended > 0 && f.Fetches >= MaxFetches {
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
		t.fetching.leave(g.Fetch.Slow, now)
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

// host is where the document is to be had.
func (f *fetch) host() string {
	u, err := url.Parse(f.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// hear takes what is heard of a fetch for what is known of its host: that it did not answer, or that it did, whatever it said.
func (c *change) hear(g *generation, p corpus.Progress) error {
	if p.Stage != corpus.StageFetch || !g.toFetch() {
		return nil
	}
	t, err := c.turns()
	if err != nil {
		return err
	}
	host := g.Fetch.host()
	n := t.Hosts[host]
	if p.Code != "fetch_failed" {
		if n > 0 {
			delete(t.Hosts, host)
			t.dirty = true
		}
		return nil
	}
	if n == FailsAfter {
		return nil
	}
	if t.Hosts == nil || n == 0 && len(t.Hosts) == maxHosts {
		t.Hosts = map[string]int{}
	}
	t.Hosts[host], t.dirty = n+1, true
	return nil
}

// putLast has the first of a lane wait behind all that is to be had of other hosts.
func (c *change) putLast(lane int, key string, w waiting) error {
	o, err := c.open(w.DocID)
	if err != nil {
		return err
	}
	if err := c.unqueue(lane, key); err != nil || o == nil {
		return err
	}
	g := o.generation(w.Number)
	if g == nil || g.Fetch == nil {
		return nil
	}
	lane += laneSlow - laneFetch
	l := &c.turn.Lanes[lane]
	g.Place, g.Fetch.Slow, o.dirty = &place{lane, l.Next}, true, true
	l.Next++
	l.Waiting++
	return rows.Write(c.rows, g.Place.key(), w)
}
