package book

import (
	"bytes"
	"encoding/json"
	"errors"
)

// maxPlaces is how many places of a word are read: four a passage, where one word uses up the budget.
const maxPlaces = 4 * budget

// rank scores the passages that are likely best by their rarer words: those that have most of them, as if all were of ordinary length. FTS5's own
// rank looks up the length of each passage that has a word, which takes longer than all else. So it ranks them only where a word has more places
// than are read: they come oldest passage first, and the newest would never be candidates.
func (s *search) rank(ws []word) error {
	terms := make([]string, len(ws))
	for i, w := range ws {
		terms[i] = w.match[1 : len(w.match)-1]
	}
	list, err := json.Marshal(terms)
	if err != nil {
		return err
	}
	// Where each word stands: its passages in their order, negative where it stands in the head.
	rows, err := s.tx.Query(`SELECT t.key, (SELECT group_concat(at) FROM
		(SELECT iif(col = 'head', -doc, doc) AS at FROM place WHERE term = t.value LIMIT ?)) FROM json_each(?) t`, maxPlaces, string(list))
	if err != nil {
		return err
	}
	guessed, whole := make(map[int64]float64, budget), true
	for rows.Next() {
		var i int
		var places []byte
		if err := rows.Scan(&i, &places); err != nil {
			return err
		}
		if whole = whole && bytes.Count(places, []byte(",")) < maxPlaces-1; !whole {
			continue
		}
		if err := s.guess(ws[i].place, places, guessed); err != nil {
			return err
		}
	}
	if !whole {
		return s.take(join(ws, " OR "), true)
	}
	list, err = json.Marshal(likely(guessed, candidates))
	if err != nil {
		return err
	}
	return s.score(`SELECT value AS id FROM json_each(?)`, string(list))
}

// guess adds what a word is worth to the passages in which it stands.
func (s *search) guess(place int, places []byte, guessed map[int64]float64) error {
	var id int64
	head, body := 0, 0
	add := func() {
		if head+body > 0 {
			guessed[id] += s.scorer.Guess(place, head, body)
		}
		head, body = 0, 0
	}
	for i := 0; i < len(places); i++ { // the comma behind each
		inHead := places[i] == '-'
		if inHead {
			i++
		}
		var at int64
		for ; i < len(places) && places[i] != ','; i++ {
			if places[i] < '0' || places[i] > '9' {
				return errPlaces
			}
			at = 10*at + int64(places[i]-'0')
		}
		if at != id {
			add()
			id = at
		}
		if inHead {
			head++
		} else {
			body++
		}
	}
	add()
	return nil
}

var errPlaces = errors.New("lexicon: places that are no numbers")

// likely are the ids of the n highest guesses, in any order; of the same ones the oldest.
func likely(guessed map[int64]float64, n int) []int64 {
	heap := make([]scored, 0, min(n, len(guessed))) // the least in front
	below := func(a, b scored) bool { return a.score < b.score || a.score == b.score && a.id > b.id }
	for id, score := range guessed {
		x := scored{id: id, score: score}
		if len(heap) < n {
			heap = append(heap, x)
			for i := len(heap) - 1; i > 0 && below(heap[i], heap[(i-1)/2]); i = (i - 1) / 2 {
				heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
			}
			continue
		}
		if !below(heap[0], x) {
			continue
		}
		heap[0] = x
		for i := 0; ; {
			least := i
			for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
				if below(heap[child], heap[least]) {
					least = child
				}
			}
			if least == i {
				break
			}
			heap[i], heap[least] = heap[least], heap[i]
			i = least
		}
	}
	ids := make([]int64, len(heap))
	for i, x := range heap {
		ids[i] = x.id
	}
	return ids
}
