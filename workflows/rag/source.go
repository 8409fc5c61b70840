package rag

import (
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// Result is what a search found, best first.
type Result struct {
	Mode      Mode
	Intent    Intent
	Rewritten string // the question that was asked instead; "" when it was asked as it is
	Sources   []Source
	Degraded  []Missing // what the search was made without, though it was to be part of it
	Timings   Timings
	Cache     CacheUse // what a cache had to do with it
	// Delimiter is for the prompt of an answer, when the result is one that equal queries will have: so their prompts are equal, too. It was drawn
	// after all of the documents had been written. "" is none.
	Delimiter Delimiter
}

// CacheUse says what a cache had to do with a result; "" is nothing: the query did not allow it.
type CacheUse string

// The uses. A Hit was found by an earlier search.
const (
	Hit  CacheUse = "hit"
	Miss CacheUse = "miss"
)

// Missing is a part of a search that could not be had, and why: the code of its fault.
type Missing struct {
	Part Part   `json:"part"`
	Code string `json:"code"`
}

// Part is a part of a search that it can be made without.
type Part string

// The parts. Without one of the first two the other half answers alone; without a rerank the order is that before it; without
// expansion sources come without their neighbours; without rewriting the question is asked as it is.
const (
	PartVector  Part = "vector"
	PartKeyword Part = "keyword"
	PartRerank  Part = "rerank"
	PartExpand  Part = "expand"
	PartRewrite Part = "rewrite"
)

// degrade notes that the search goes on without a part. It is noted once.
func (r *Result) degrade(p Part, err error) {
	if r.lacks(p) == "" {
		r.Degraded = append(r.Degraded, Missing{p, fault.As(err).Code})
	}
}

// lacks is why the search is made without a part; "" when it is not.
func (r *Result) lacks(p Part) string {
	for _, m := range r.Degraded {
		if m.Part == p {
			return m.Code
		}
	}
	return ""
}

// Source is one chunk that answers the question, and where it stands in its document.
type Source struct {
	DocID   string   `json:"docId"`
	ChunkID string   `json:"chunkId"` // "<docId>#<chunk>"
	Title   string   `json:"title"`
	Source  string   `json:"source"`
	URL     string   `json:"url,omitempty"`
	Text    string   `json:"text"`
	Start   int      `json:"start"` // byte offsets into the document's stored text
	End     int      `json:"end"`
	Context *Context `json:"context,omitempty"` // with its neighbours, where they were asked for and there are any
	Score   float64  `json:"score"`
	Scores  Scores   `json:"scores"`
	// Duplicates is how many chunks that say the same were found beside it, and left out.
	Duplicates int `json:"duplicates,omitempty"`

	place corpus.Place
	boost float64
	cut   bool
}

// Shown is what a model is shown of the source, and where that begins in the document's stored text: its context, where it has one.
func (s *Source) Shown() (text string, start int) {
	if s.Context != nil {
		return s.Context.Text, s.Context.Start
	}
	return s.Text, s.Start
}

// Generation is the generation of the document that the chunk is of.
func (s Source) Generation() int { return s.place.Generation.Generation }

// Context is a chunk between its neighbours: text[i] is what stands at Start+i of the document's stored text, except that white space
// between chunks is line breaks here.
type Context struct {
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Scores are the parts a source's score is made of. What had no part in it is left out.
type Scores struct {
	Vector  *float64 `json:"vector,omitempty"`  // cosine similarity
	Keyword *float64 `json:"keyword,omitempty"` // BM25, as a part of what a passage with all of the question would have
	Fused   *float64 `json:"fused,omitempty"`   // what a hybrid search made of both
	Rerank  *float64 `json:"rerank,omitempty"`  // the reranker's
	Boost   *float64 `json:"boost,omitempty"`   // what the tenant's boosts multiplied it by
}

// Timings is how long each stage of a search took. The two halves of a hybrid search run beside each other: Embed and Vectors one
// after the other, Lexicon beside them. What a search does only when it is asked to is 0 when it was not.
type Timings struct {
	Rewrite time.Duration
	Embed   time.Duration
	Vectors time.Duration
	Lexicon time.Duration
	Ledger  time.Duration
	Rerank  time.Duration
	Expand  time.Duration
	Cache   time.Duration // looking for an earlier result; all that one took, if there was one
	Total   time.Duration
}

// MarshalJSON writes the timings as milliseconds; of the stages that are seldom asked for, those that were.
func (t Timings) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 160), '{')
	for _, stage := range []struct {
		name   string
		d      time.Duration
		seldom bool
	}{
		{`"rewriteMs":`, t.Rewrite, true}, {`"embedMs":`, t.Embed, false}, {`"vectorsMs":`, t.Vectors, false}, {`"lexiconMs":`, t.Lexicon, false},
		{`"ledgerMs":`, t.Ledger, false}, {`"rerankMs":`, t.Rerank, true}, {`"expandMs":`, t.Expand, true}, {`"cacheMs":`, t.Cache, true}, {`"totalMs":`, t.Total, false},
	} {
		if stage.seldom && stage.d == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, stage.name...)
		b = strconv.AppendFloat(b, float64(stage.d.Microseconds())/1000, 'f', -1, 64)
	}
	return append(b, '}'), nil
}

// ChunkID is the name by which clients know a chunk. It stays the same as long as the document's text does.
func ChunkID(docID string, chunk int) string { return docID + "#" + strconv.Itoa(chunk) }
