package rag

import (
	"cmp"
	"slices"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// FuseWindow is how many passages each half should be asked for: what the parameters of Fuse were chosen with, and the most that
// the vector index gives. A half that is asked for less knows less of what an ordinary passage scores.
const FuseWindow = corpus.MaxTopK

// FuseVersion counts the changes of what becomes of the same halves: by Fuse, RaiseAlike, duplicates, intent. It belongs in the key of a remembered
// search.
const FuseVersion = 2

// FuseOptions are the parameters of fusion. docs/design/search.md tells what they were chosen by.
type FuseOptions struct {
	// Vector is what a cosine of 1 weighs against a passage with every word of the question, 0 to 1. It belongs to the model that the vectors are
	// of (llm.EmbeddingModel.Weight); default that of the default model.
	Vector float64
	// Alike is what likeness to the best passage weighs against the scores, where there are as many passages as are compared. Default 0.6.
	Alike float64
	// Compared is how many of the best passages are read for that. Default 24.
	Compared int
}

func (o *FuseOptions) defaults() FuseOptions {
	var d FuseOptions
	if o != nil {
		d = *o
	}
	d.Vector, d.Alike, d.Compared = cmp.Or(d.Vector, weightOf(llm.EmbeddingNames()[0])), cmp.Or(d.Alike, 0.6), cmp.Or(d.Compared, 24)
	return d
}

// Candidate is a passage that a half has found, or both.
type Candidate struct {
	corpus.Metadata
	Title string // the document's, where the caller knows it

	// Vector is the cosine, Keyword the part of what the best possible passage would score in words, 0 to 1. One that was
	// not found by a half has 0 there.
	Vector, Keyword float64
	InVectors       bool
	InWords         bool

	Fused float64 // what candidates are ordered by, 0 to 1

	words []uint32 // of the text, as terms.Sketch has them; nil where nobody has looked
}

// Fuse joins what the two halves found, best first. Either may be empty: then the order is the other's.
//
// What is added is scores, not ranks, so that a half which is sure counts for more than one that is guessing. For words that is
// how much of the question a passage has (Found.Most is all of it). For vectors it is how far a passage stands out from what an ordinary one
// has (ordinary): where meanings are all alike, they decide little.
func Fuse(vectors []corpus.Match, words corpus.Found, opts *FuseOptions) []Candidate {
	o := opts.defaults()
	out := make([]Candidate, 0, len(vectors)+len(words.Hits))
	at := make(map[corpus.Place]int, cap(out))
	find := func(m corpus.Metadata) *Candidate {
		p := placeOf(m)
		i, there := at[p]
		if !there {
			i = len(out)
			at[p] = i
			out = append(out, Candidate{Metadata: m})
		}
		return &out[i]
	}
	floor := ordinary(vectors)
	for _, m := range vectors {
		if c := find(m.Metadata); !c.InVectors {
			c.InVectors, c.Vector = true, m.Score
			c.Fused += o.Vector * max(0, m.Score-floor)
		}
	}
	for _, h := range words.Hits {
		if c := find(h.Passage.Metadata); !c.InWords && words.Most > 0 {
			c.InWords, c.Keyword = true, min(h.Score/words.Most, 1)
			c.Fused += (1 - o.Vector) * c.Keyword
		}
	}
	sortCandidates(out)
	return out
}

// ordinary is the cosine of a passage that has nothing to do with the question: the last one's of a whole list. The last of a shorter list is the
// farthest of all there are, beside which every other would stand out; there it is nearer to the mean, up to half-way, the shorter the list is.
func ordinary(vectors []corpus.Match) float64 {
	if len(vectors) == 0 {
		return 0
	}
	least, sum := vectors[0].Score, 0.0
	for _, m := range vectors {
		least = min(least, m.Score)
		sum += m.Score
	}
	missing := 1 - min(1, float64(len(vectors))/FuseWindow)
	return least + missing/2*(sum/float64(len(vectors))-least)
}

// weightOf is what the cosines of an embedding model weigh; 0 for one that nobody knows, of which no index has vectors.
func weightOf(model string) float64 {
	m, err := llm.FindEmbedding(model)
	if err != nil {
		return 0
	}
	return m.Weight
}

func sortCandidates(cs []Candidate) {
	slices.SortStableFunc(cs, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Fused, a.Fused), cmp.Compare(b.Keyword, a.Keyword), cmp.Compare(b.Vector, a.Vector),
			cmp.Compare(a.DocID, b.DocID), cmp.Compare(a.Chunk, b.Chunk), cmp.Compare(a.Generation, b.Generation))
	})
}

func placeOf(m corpus.Metadata) corpus.Place {
	return corpus.Place{Generation: corpus.Generation{DocID: m.DocID, Generation: m.Generation}, Chunk: m.Chunk}
}
