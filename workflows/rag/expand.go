package rag

import (
	"context"
	"strings"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// MaxExpand is how many neighbours of a source there may be on each side.
const MaxExpand = 3

// maxGap is how many bytes of white space between two chunks are still inside of one text.
const maxGap = 64

// expand gives each source its neighbours, in one call of the lexical index. No chunk comes twice: one that is a source itself is
// not in another's context, and one between two sources is in the better one's.
func (r *Retriever) expand(ctx context.Context, s tenants.Scope, q Query, out *Result) {
	if code := out.lacks(PartKeyword); code != "" { // whose index has the neighbours
		out.Degraded = append(out.Degraded, Missing{PartExpand, code})
		return
	}
	places, of := neighbours(out.Sources, q.Expand)
	if len(places) == 0 {
		return
	}
	began := r.opts.Now()
	found, err := r.ports.Lexicon.Passages(ctx, s, places)
	out.Timings.Expand = r.opts.Now().Sub(began)
	if err != nil {
		out.degrade(PartExpand, err)
		return
	}
	near := make([]map[int]*corpus.Metadata, len(out.Sources)) // by chunk
	for i := range found {
		m := &found[i].Metadata
		if source, asked := of[placeOf(*m)]; asked {
			if near[source] == nil {
				near[source] = make(map[int]*corpus.Metadata, 2*q.Expand)
			}
			near[source][m.Chunk] = m
		}
	}
	for i := range out.Sources {
		out.Sources[i].between(near[i], q.Expand)
	}
}

// neighbours are the places beside sources, and whose each is.
func neighbours(sources []Source, most int) (places []corpus.Place, of map[corpus.Place]int) {
	of = make(map[corpus.Place]int, (1+2*most)*len(sources))
	for i := range sources {
		of[sources[i].place] = i
	}
	places = make([]corpus.Place, 0, 2*most*len(sources))
	for i := range sources {
		for _, step := range []int{-1, 1} {
			at := sources[i].place
			for range most {
				at.Chunk += step
				if _, taken := of[at]; taken || at.Chunk < 0 {
					break
				}
				of[at] = i
				places = append(places, at)
			}
		}
	}
	return places, of
}

// between puts a source's chunk between those of its neighbours that are there and touch it.
func (s *Source) between(near map[int]*corpus.Metadata, most int) {
	if s.cut || len(s.Text) != s.End-s.Start {
		return // what follows the beginning of a text does not follow its end
	}
	var before []string
	c := Context{Start: s.Start, End: s.End}
	for n := 1; n <= most; n++ {
		m := near[s.place.Chunk-n]
		if m == nil || !whole(m) || m.Start >= c.Start || m.End < c.Start-maxGap {
			break
		}
		before = append(before, m.Text[:min(len(m.Text), c.Start-m.Start)]+lines(c.Start-m.End))
		c.Start = m.Start
	}
	var b strings.Builder
	for i := len(before) - 1; i >= 0; i-- {
		b.WriteString(before[i])
	}
	b.WriteString(s.Text)
	for n := 1; n <= most; n++ {
		m := near[s.place.Chunk+n]
		if m == nil || !whole(m) || m.End <= c.End || m.Start > c.End+maxGap {
			break
		}
		b.WriteString(lines(m.Start - c.End))
		b.WriteString(m.Text[max(c.End-m.Start, 0):])
		c.End = m.End
	}
	if c.Text = b.String(); len(c.Text) > len(s.Text) {
		s.Context = &c
	}
}

// whole reports whether a chunk's text is all of it.
func whole(m *corpus.Metadata) bool { return !m.Cut && len(m.Text) == m.End-m.Start }

func lines(n int) string { return strings.Repeat("\n", max(n, 0)) }
