package book

import (
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// removeAtOnce is how many passages one transaction removes.
const removeAtOnce = 1000

// remove removes passages of the generations, at most removeAtOnce, and says whether there may be more.
func (b *Book) remove(tx Tx, refs []corpus.Generation) (more bool, err error) {
	left := removeAtOnce
	for _, ref := range refs {
		if err := lexicon.CheckGeneration(ref); err != nil {
			return false, err
		}
		no, err := number(tx, ref.DocID, ref.Generation)
		if err != nil {
			return false, err
		}
		if no == 0 {
			continue
		}
		n, err := b.empty(tx, no, left)
		if err != nil {
			return false, err
		}
		if left -= n; left <= 0 {
			return true, nil
		}
	}
	return false, nil
}

// clear removes any passages, at most so many, and says how many.
func (b *Book) clear(tx Tx, limit int) (removed int, err error) {
	limit = min(limit, removeAtOnce)
	for removed < limit {
		var no int64
		found, err := one(tx, `SELECT no FROM generations LIMIT 1`, nil, &no)
		if err != nil || !found {
			return removed, err
		}
		n, err := b.empty(tx, no, limit-removed)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

// empty removes the passages of a generation, at most limit, says how many, and with the last of them the generation.
func (b *Book) empty(tx Tx, no int64, limit int) (n int, err error) {
	first, end := span(no)
	var sum lexicon.Corpus
	var last int64
	if _, err = one(tx, `SELECT count(*), coalesce(sum(head), 0), coalesce(sum(body), 0), coalesce(max(id), 0) FROM
		(SELECT id, head, body FROM passages WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)`, []any{first, end, limit},
		&sum.Passages, &sum.Head, &sum.Body, &last); err != nil {
		return 0, err
	}
	if sum.Passages > 0 {
		for _, table := range []string{`DELETE FROM words WHERE rowid >= ? AND rowid <= ?`, `DELETE FROM passages WHERE id >= ? AND id <= ?`} {
			if _, err := tx.Exec(table, first, last); err != nil {
				return 0, err
			}
		}
	}
	if sum.Passages < limit {
		if _, err := tx.Exec(`DELETE FROM generations WHERE no = ?`, no); err != nil {
			return 0, err
		}
	}
	return sum.Passages, add(tx, lexicon.Corpus{Passages: -sum.Passages, Head: -sum.Head, Body: -sum.Body})
}

// stored counts the passages of a document in the generations up to and with the named one.
func (b *Book) stored(tx Tx, ref corpus.Generation) (n int, err error) {
	if err := lexicon.CheckGeneration(ref); err != nil {
		return 0, err
	}
	_, err = one(tx, `SELECT count(*) FROM generations g JOIN passages p ON p.id >= g.no * ?1 AND p.id < (g.no + 1) * ?1
		WHERE g.doc = ?2 AND g.generation <= ?3`, []any{lexicon.MaxChunk, ref.DocID, ref.Generation}, &n)
	return n, err
}
