package book

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

const (
	// budget is how many entries of words a question may go through to find candidates, so that its commonest words cost nothing.
	budget = 5000
	// commonBudget is how many entries it may go through to rank the passages that have several words together, when all of its words
	// are in more passages than the budget has.
	commonBudget = 8 * budget
	// candidates is how many passages are scored, for each way that finds some.
	candidates = 256
	// inDocuments is how many passages are scored where the filter names the documents.
	inDocuments = 2048
	// newest is how many passages with a common word are looked at for those that pass a filter.
	newest = 20_000
)

// find ranks the passages that have any of the terms.
//
// The rarer terms find candidates, as many terms as the budget allows: what has any of them is ranked, and the best are scored with
// all terms. Where that gives too few, passages that have the rest of the terms together are candidates, and then those that have
// fewer of them. So a passage that has the question's commonest words only is found when nothing else is.
func (b *Book) find(tx Tx, q corpus.LexicalQuery) (found hits, err error) {
	if err := lexicon.CheckQuery(q); err != nil {
		return found, err
	}
	filter, err := lexicon.ReadFilter(q.Filter)
	if err != nil {
		return found, err
	}
	all, err := totals(tx)
	if err != nil {
		return found, err
	}
	have, err := b.count(tx, all, q.Terms)
	if err != nil {
		return found, err
	}
	s := search{tx: tx, book: b, scorer: lexicon.NewScorer(b.o, all, q.Terms, have), best: map[int64]scored{}}
	if s.where, s.args, err = condition(filter); err != nil {
		return found, err
	}
	ws := words(q.Terms, have)
	if docs := documents(filter); docs == nil {
		err = s.run(ws, q.TopK)
	} else if len(ws) > 0 {
		err = s.in(docs, join(ws, " OR "))
	}
	if err != nil {
		return found, err
	}
	found.most = s.scorer.Most()
	found.all, err = b.read(tx, s.top(q.TopK), s.scorer)
	return found, err
}

// word is a term that some passage has.
type word struct {
	match string // as a query of FTS5
	have  int
	place int // in the question
}

// words are the terms of a question that some passage has, the rarest first.
func words(terms []corpus.Term, have []int) []word {
	var ws []word
	for i, t := range terms {
		if have[i] > 0 {
			ws = append(ws, word{match: `"` + string(lexicon.Encode(nil, t.Text)) + `"`, have: have[i], place: i})
		}
	}
	slices.SortStableFunc(ws, func(a, b word) int { return cmp.Compare(a.have, b.have) })
	return ws
}

// search is one question under way.
type search struct {
	tx     Tx
	book   *Book
	scorer *lexicon.Scorer
	where  string // of the filter
	args   []any
	best   map[int64]scored
}

type scored struct {
	id      int64
	score   float64
	forward lexicon.Forward
}

// run finds candidates by the rarer words, and by the common ones when there are too few.
func (s *search) run(ws []word, enough int) error {
	rare, sum := 0, 0
	for rare < len(ws) && sum+ws[rare].have <= budget {
		sum += ws[rare].have
		rare++
	}
	if rare > 0 && s.where == "" {
		if err := s.rank(ws[:rare]); err != nil {
			return err
		}
	} else if rare > 0 {
		if err := s.take(join(ws[:rare], " OR "), true); err != nil {
			return err
		}
	}
	sizes := []int{len(ws) - rare, (len(ws) - rare) / 2, 1} // of the rest: all, the rarer half, the rarest
	for n, last := 0, len(ws)+1; n < len(sizes) && len(s.best) < enough; n++ {
		if sizes[n] < 1 || sizes[n] >= last {
			continue
		}
		last = sizes[n]
		together, sum := ws[rare:min(rare+last, len(ws))], 0
		for _, w := range together {
			sum += w.have
		}
		if len(together) == 0 {
			break
		}
		if err := s.take(join(together, " AND "), sum <= commonBudget); err != nil {
			return err
		}
	}
	return nil
}

func join(ws []word, with string) string {
	var b strings.Builder
	for i, w := range ws {
		if i > 0 {
			b.WriteString(with)
		}
		b.WriteString(w.match)
	}
	return b.String()
}

// take scores passages that match: the best by FTS5's own rank, or, where that would count too much, the newest.
func (s *search) take(match string, ranked bool) error {
	switch {
	case ranked && s.where == "":
		return s.score(`SELECT rowid AS id FROM words WHERE words MATCH ? ORDER BY bm25(words, ?, 1.0) LIMIT ?`, match, s.book.o.Head, candidates)
	case ranked:
		return s.score(`SELECT words.rowid AS id FROM words JOIN passages p ON p.id = words.rowid WHERE words MATCH ? AND `+s.where+
			` ORDER BY bm25(words, ?, 1.0) LIMIT ?`, slices.Concat([]any{match}, s.args, []any{s.book.o.Head, candidates})...)
	case s.where == "":
		return s.score(`SELECT rowid AS id FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?`, match, candidates)
	}
	return s.score(`SELECT w.id AS id FROM (SELECT rowid AS id FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?) w
		JOIN passages p ON p.id = w.id WHERE `+s.where+` LIMIT ?`, slices.Concat([]any{match, newest}, s.args, []any{candidates})...)
}

// in scores the passages of some documents that match, which are few: their ids are ranges.
func (s *search) in(docs []string, match string) error {
	list, err := json.Marshal(docs)
	if err != nil {
		return err
	}
	return s.score(`SELECT words.rowid AS id FROM generations g CROSS JOIN words JOIN passages p ON p.id = words.rowid
		WHERE g.doc IN (SELECT value FROM json_each(?)) AND words.rowid >= g.no * ? AND words.rowid < (g.no + 1) * ? AND words MATCH ? AND `+s.where+
		` LIMIT ?`, slices.Concat([]any{string(list), lexicon.MaxChunk, lexicon.MaxChunk, match}, s.args, []any{inDocuments})...)
}

// score scores the passages of the ids that a query selects.
func (s *search) score(ids string, args ...any) error {
	rows, err := s.tx.Query(`SELECT c.id, f.forward FROM (`+ids+`) c JOIN passages f ON f.id = c.id`, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		var forward []byte
		if err := rows.Scan(&id, &forward); err != nil {
			return err
		}
		s.best[id] = scored{id: id, score: s.scorer.Score(forward), forward: forward}
	}
	return nil
}

// top is the best candidates, best first.
func (s *search) top(k int) []scored {
	all := slices.SortedFunc(maps.Values(s.best), func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	return all[:min(k, len(all))]
}

// read reads what the hits show.
func (b *Book) read(tx Tx, best []scored, s *lexicon.Scorer) ([]hit, error) {
	if len(best) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(best))
	place := make(map[int64]int, len(best))
	hits := make([]hit, len(best))
	for i, c := range best {
		ids[i], place[c.id] = c.id, i
		hits[i] = hit{score: c.score, matched: s.Matched(c.forward)}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT id, about, text FROM passages WHERE id IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var id int64
		var about, text []byte
		if err := rows.Scan(&id, &about, &text); err != nil {
			return nil, err
		}
		hits[place[id]].about, hits[place[id]].text = about, text
	}
	return hits, nil
}
