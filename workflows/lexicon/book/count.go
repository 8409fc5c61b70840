package book

import (
	"encoding/json"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// count is how many passages had a word when there were so many.
type count struct{ have, of int }

const (
	// countAgain is from how many passages on a word's count is remembered: FTS5 counts by going through them.
	countAgain = 200
	// maxCounts is how many are remembered.
	maxCounts = 4096
)

// fresh reports whether the count is still near enough: no more than an eighth of the passages came or went since.
func (c count) fresh(passages int) bool {
	change := passages - c.of
	return max(change, -change) <= c.of/8
}

// count says for each term how many passages have it, those that are about to go with their generations included.
func (b *Book) count(tx Tx, all lexicon.Corpus, terms []corpus.Term) ([]int, error) {
	have := make([]int, len(terms))
	var ask []string
	var of []int
	for i, t := range terms {
		w := string(lexicon.Encode(nil, t.Text))
		if c, known := b.common[w]; known && c.fresh(all.Passages) {
			have[i] = c.have
			continue
		}
		ask, of = append(ask, w), append(of, i)
	}
	if len(ask) == 0 {
		return have, nil
	}
	list, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT a.key, w.doc FROM json_each(?) a JOIN word w ON w.term = a.value`, string(list))
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var k, n int
		if err := rows.Scan(&k, &n); err != nil {
			return nil, err
		}
		have[of[k]] = n
		if n >= countAgain {
			b.remember(ask[k], count{have: n, of: all.Passages})
		}
	}
	return have, nil
}

// remember makes room by forgetting any: the common words of questions come back soon.
func (b *Book) remember(word string, c count) {
	for forgotten := range b.common {
		if len(b.common) < maxCounts {
			break
		}
		delete(b.common, forgotten)
	}
	b.common[word] = c
}
