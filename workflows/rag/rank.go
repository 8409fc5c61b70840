package rag

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus/terms"
)

// ranked is a candidate with what the tenant's boosts make of it.
type ranked struct {
	candidate
	boost float64 // 1 for none
	score float64
}

// rank orders candidates by their boosted scores.
func rank(found []candidate, boosts []tenants.Boost, now time.Time) []ranked {
	out := make([]ranked, len(found))
	for i, c := range found {
		b := 1.0
		for _, boost := range boosts {
			b *= factor(boost, c.document, now)
		}
		out[i] = ranked{c, b, c.Fused * b}
	}
	if len(boosts) > 0 {
		slices.SortStableFunc(out, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
	}
	return out
}

// factor is what a boost makes of a document's scores; 1 where it says nothing of the document.
func factor(b tenants.Boost, d *shown, now time.Time) float64 {
	full := float64(b.Percent) / 100
	switch {
	case b.HalfLifeDays > 0:
		then, ok := dated(b, d)
		if !ok {
			return 1
		}
		days := max(now.Sub(then).Hours()/24, 0) // what is dated tomorrow is new
		return 1 + (full-1)*math.Exp2(-days/float64(b.HalfLifeDays))
	case b.Source != "":
		if b.Source == d.Source {
			return full
		}
	case written(d.Metadata[b.Field]) == b.Equals:
		return full
	}
	return 1
}

// dated is the time that a document's age counts from, if it has one.
func dated(b tenants.Boost, d *shown) (time.Time, bool) {
	if b.Field == "" {
		return d.changed, !d.changed.IsZero()
	}
	text, _ := d.Metadata[b.Field].(string)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// written is a value of a document's metadata as a configuration writes it; "" for none.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// source is the candidate as it is shown.
func (c *ranked) source(mode Mode) Source {
	s := Source{
		DocID: c.DocID, ChunkID: ChunkID(c.DocID, c.Chunk), Title: c.document.Title, Source: c.document.Source, URL: c.document.URL,
		Text: c.Text, Start: c.Start, End: c.End, Score: c.score,
		place: placeOf(c.Metadata), boost: c.boost, cut: c.Cut,
	}
	if c.InVectors {
		s.Scores.Vector = &c.Vector
	}
	if c.InWords {
		s.Scores.Keyword = &c.Keyword
	}
	if mode == Hybrid {
		s.Scores.Fused = &c.Fused
	}
	if c.boost != 1 {
		s.Scores.Boost = &c.boost
	}
	return s
}

// unlike are the signatures of texts that do not say the same.
type unlike []Signature

// twin is the place of the candidate that says the same. One that says something new gets a place.
func (u *unlike) twin(c *Candidate) (int, bool) {
	words := c.words
	if words == nil {
		words = terms.Sketch(c.Text)
	}
	sig := sign(c.Text, words)
	for i, other := range *u {
		if sig.Twins(other) {
			return i, true
		}
	}
	*u = append(*u, sig)
	return 0, false
}
