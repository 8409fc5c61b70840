package encoder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// reserved is how many ids at the start of the vocabulary are control pieces,
// which no text produces.
const reserved = 6

// vocabulary cuts text into SentencePiece unigram pieces.
type vocabulary struct {
	// next is a byte trie: next[node<<8|byte] is the child, piece[node] the id of
	// the piece that ends there or zero. Node zero is the root.
	next   map[uint32]uint32
	piece  []int32
	scores []float64
}

func readVocabulary(dir string) (*vocabulary, error) {
	path := filepath.Join(dir, "vocab.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the vocabulary: %w", err)
	}
	var rows [][2]any
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	v := &vocabulary{next: map[uint32]uint32{}, piece: []int32{0}, scores: make([]float64, len(rows))}
	for i, row := range rows {
		text, isText := row[0].(string)
		if !isText {
			return nil, fmt.Errorf("read %s: row %d is not a piece and its score", path, i)
		}
		// A few pieces with a colon have no score in the package. Its tokenizer adds
		// null as zero, so do we.
		v.scores[i], _ = row[1].(float64)
		if i >= reserved {
			v.add(text, int32(i))
		}
	}
	return v, nil
}

func (v *vocabulary) add(text string, id int32) {
	node := uint32(0)
	for i := range len(text) {
		key := node<<8 | uint32(text[i])
		child, known := v.next[key]
		if !known {
			child = uint32(len(v.piece))
			v.piece = append(v.piece, 0)
			v.next[key] = child
		}
		node = child
	}
	v.piece[node] = id
}

// best is the cheapest way found to reach a byte of the text: the piece that ends
// there and where that piece began.
type best struct {
	score float64
	from  int32
	piece int32
	known bool
}

// encode answers the pieces with the highest total score (Viterbi), equal to the
// ids of the package's own tokenizer. A character no piece covers is unknown, and
// a run of unknowns counts once.
func (v *vocabulary) encode(text string) []int32 {
	s := norm.NFKC.String(text)
	if s == "" {
		return nil
	}
	s = "▁" + strings.ReplaceAll(s, " ", "▁")
	reach := make([]best, len(s)+1)
	reach[0].known = true
	update := func(end, start int, piece int32, score float64) {
		if r := &reach[end]; !r.known || score >= r.score {
			*r = best{score, int32(start), piece, true}
		}
	}
	for i := 0; i < len(s); {
		found, node := false, uint32(0)
		for j := i; j < len(s); j++ {
			child, ok := v.next[node<<8|uint32(s[j])]
			if !ok {
				break
			}
			node = child
			if id := v.piece[node]; id != 0 {
				found = true
				update(j+1, i, id, reach[i].score+v.scores[id])
			}
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		if !found {
			update(i+size, i, 0, reach[i].score)
		}
		i += size
	}
	var pieces []int32
	for at := int32(len(s)); at > 0; at = reach[at].from {
		if id := reach[at].piece; id != 0 || len(pieces) == 0 || pieces[len(pieces)-1] != 0 {
			pieces = append(pieces, id)
		}
	}
	slices.Reverse(pieces)
	return pieces
}
