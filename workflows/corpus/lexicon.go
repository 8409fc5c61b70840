package corpus

import (
	"context"
	"encoding/json"

	"levada.dev/tenants"
)

// Lexicon is the lexical index of one tenant's chunks: which of them have the words of a question, ranked by BM25.
//
// Put replaces a passage of the same document, generation and chunk, so writing a slice twice is writing it once. A write that
// returned nil is durable and seen by every call after it. One call takes at most MaxWrite passages, generations or places. A
// tenant finds its own passages alone. Words are already terms (package terms): the index compares them byte by byte.
// Faults of the service are fault.Unavailable. Safe for concurrent use.
type Lexicon interface {
	Put(ctx context.Context, s tenants.Scope, ps []Passage) error
	// Remove removes all passages of the generations.
	Remove(ctx context.Context, s tenants.Scope, refs []Generation) error
	// Find ranks the passages that have any of the query's terms, best first.
	Find(ctx context.Context, s tenants.Scope, q LexicalQuery) (Found, error)
	// Passages reads those there are of the places, in their order, without their terms.
	Passages(ctx context.Context, s tenants.Scope, at []Place) ([]Passage, error)
	// Stored counts the passages of a document in the generations up to and with the named one.
	Stored(ctx context.Context, s tenants.Scope, ref Generation) (int, error)
}

// Generation names a generation of a document in the stores, where it is not followed by a job.
type Generation struct {
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
}

// Place is where a chunk stands.
type Place struct {
	Generation
	Chunk int `json:"chunk"`
}

// Passage is a chunk as the lexical index has it.
type Passage struct {
	Metadata
	// Head and Body are the terms of what stands above the text (the document's title, the chunk's headings) and of the text
	// itself, in their order, with repetitions.
	Head []string `json:"head,omitempty"`
	Body []string `json:"body,omitempty"`
}

// LexicalQuery asks for passages.
type LexicalQuery struct {
	Terms  []Term          // at most MaxTerms, each once
	TopK   int             // 1 to MaxTopK
	Filter json.RawMessage // the language of VectorQuery's, with its meaning; nil for none
}

// MaxTerms is how many terms a query may have: what is longer is not a question but a text.
const MaxTerms = 64

// Term is a term of a question and what it weighs; a weight of 1 is a word that was asked for.
type Term struct {
	Text   string  `json:"t"`
	Weight float64 `json:"w"`
	// Word is which word of the question, from 1, the term is a form of: a passage needs one of the forms. 0 is a term that adds to
	// others, and is not missed.
	Word int `json:"o,omitempty"`
}

// Found is what a question found.
type Found struct {
	Hits []Hit
	// Most is the score of a passage that had every word as often as a passage can, each in its rarest form that some passage has:
	// what scores are to be compared with from one question to another. A word that no passage has in any form counts as the
	// rarest there is.
	Most float64
}

// Hit is a passage that has words of the question.
type Hit struct {
	Passage Passage // without its terms
	Score   float64 // BM25 over head and body
	Matched []int   // the terms of the query that it has, by their place
}
