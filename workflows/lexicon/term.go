package lexicon

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// MaxTerm is how many bytes of a term are compared: what is longer than any word is told apart by its beginning.
const MaxTerm = 96

// What one passage may bring.
const (
	MaxPassageTerms = 1<<16 - 1
	MaxPassageBytes = 512 << 10 // of terms
)

// Clip is what of a term is compared.
func Clip(term string) string {
	if len(term) <= MaxTerm {
		return term
	}
	end := MaxTerm
	for end > MaxTerm-utf8.UTFMax && !utf8.RuneStart(term[end]) {
		end--
	}
	return term[:end]
}

// escaped is where the ASCII characters are that FTS5's tokenizer would take for the end of a word or for another letter: in Unicode's
// private use area. A term that has these characters itself is one with that of the others.
const escaped = 0xE000

// Encode appends a term as FTS5 is to see it: one word to its ascii tokenizer, and different for different terms.
func Encode(out []byte, term string) []byte {
	for _, r := range Clip(term) {
		if r < utf8.RuneSelf && !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			r += escaped
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// EncodeAll is a list of terms as FTS5 is to see it.
func EncodeAll(terms []string) string {
	var out []byte
	for i, t := range terms {
		if i > 0 {
			out = append(out, ' ')
		}
		out = Encode(out, t)
	}
	return string(out)
}

// CheckQuery refuses what no index can answer.
func CheckQuery(q corpus.LexicalQuery) error {
	if q.TopK < 1 || q.TopK > corpus.MaxTopK {
		return fault.Invalidf("topK", "top_k_invalid", "%d is not between 1 and %d", q.TopK, corpus.MaxTopK)
	}
	if len(q.Terms) > corpus.MaxTerms {
		return fault.Invalidf("terms", "terms_count", "%d; %d are allowed", len(q.Terms), corpus.MaxTerms)
	}
	seen := make(map[string]bool, len(q.Terms))
	for i, t := range q.Terms {
		field := "terms[" + strconv.Itoa(i) + "]"
		switch {
		case t.Text == "":
			return fault.Invalidf(field, "term_empty", "is empty")
		case !(t.Weight > 0) || math.IsInf(t.Weight, 0):
			return fault.Invalidf(field, "term_weight", "%v is not a weight", t.Weight)
		case seen[Clip(t.Text)]:
			return fault.Invalidf(field, "term_twice", "%.40q comes again", t.Text)
		}
		seen[Clip(t.Text)] = true
	}
	return nil
}

// CheckCount refuses what is too much or nothing for one call.
func CheckCount(n int) error {
	if n < 1 || n > corpus.MaxWrite {
		return fault.Invalidf("", "passages_count", "%d in one call; 1 to %d are allowed", n, corpus.MaxWrite)
	}
	return nil
}

// MaxChunk is the first number that no chunk can have.
const MaxChunk = 1 << 20

// CheckPlace refuses a place where nothing can stand.
func CheckPlace(p corpus.Place) error {
	if p.Chunk < 0 || p.Chunk >= MaxChunk {
		return fault.Invalidf("chunk", "passage_place", "%d is not between 0 and %d", p.Chunk, MaxChunk-1)
	}
	return CheckGeneration(p.Generation)
}

// CheckGeneration refuses what is no generation.
func CheckGeneration(g corpus.Generation) error {
	switch {
	case g.DocID == "":
		return fault.Invalidf("docId", "passage_place", "is required")
	case g.Generation < 1:
		return fault.Invalidf("generation", "passage_place", "%d is below 1", g.Generation)
	}
	return nil
}

// PlaceOf is where a passage stands.
func PlaceOf(m corpus.Metadata) corpus.Place {
	return corpus.Place{Generation: corpus.Generation{DocID: m.DocID, Generation: m.Generation}, Chunk: m.Chunk}
}

// CheckPassage refuses a passage that no index takes.
func CheckPassage(p corpus.Passage) error {
	if err := CheckPlace(PlaceOf(p.Metadata)); err != nil {
		return err
	}
	size := 0
	for _, ts := range [][]string{p.Head, p.Body} {
		for _, t := range ts {
			if t == "" {
				return fault.Invalidf("terms", "term_empty", "a term is empty")
			}
			size += min(len(t), MaxTerm)
		}
	}
	if n := len(p.Head) + len(p.Body); n > MaxPassageTerms || size > MaxPassageBytes {
		return fault.Invalidf("terms", "passage_too_large", "%d terms of %d bytes; %d of %d are allowed", n, size, MaxPassageTerms, MaxPassageBytes)
	}
	meta, err := json.Marshal(p.Metadata)
	if err != nil {
		return fault.New(fault.Invalid, "metadata_invalid", "not JSON", err)
	}
	if len(meta) > corpus.MaxMetadata {
		return fault.Invalidf("metadata", "metadata_too_large", "%d bytes of %d", len(meta), corpus.MaxMetadata)
	}
	return nil
}
