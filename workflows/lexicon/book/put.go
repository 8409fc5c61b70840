package book

import (
	"encoding/json"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// entry is a passage as it is kept. Who writes it makes it, so that the object has little to do.
type entry struct {
	corpus.Place
	Head    string          `json:"head,omitempty"` // as FTS5 is to see it
	Body    string          `json:"body,omitempty"`
	Forward []byte          `json:"forward"`
	Fields  json.RawMessage `json:"fields"` // lexicon.Fields
	About   json.RawMessage `json:"about"`  // corpus.Metadata without its text
	Text    string          `json:"text,omitempty"`
}

// put writes passages, in the place of those that are there.
func (b *Book) put(tx Tx, es []entry) error {
	var sum lexicon.Corpus
	numbers := map[corpus.Generation]int64{}
	for _, e := range es {
		if err := lexicon.CheckPlace(e.Place); err != nil {
			return err
		}
		no := numbers[e.Generation]
		if no == 0 {
			var err error
			if no, err = numberOf(tx, e.DocID, e.Generation.Generation); err != nil {
				return err
			}
			numbers[e.Generation] = no
		}
		first, _ := span(no)
		old, err := b.write(tx, first+int64(e.Chunk), e)
		if err != nil {
			return err
		}
		head, body := lexicon.Forward(e.Forward).Lengths()
		sum.Passages += 1 - old.Passages
		sum.Head += head - old.Head
		sum.Body += body - old.Body
	}
	return add(tx, sum)
}

// write writes one passage, and says what of the totals the one had that was there.
func (b *Book) write(tx Tx, id int64, e entry) (old lexicon.Corpus, err error) {
	found, err := one(tx, `SELECT head, body FROM passages WHERE id = ?`, []any{id}, &old.Head, &old.Body)
	if err != nil {
		return old, err
	}
	if found {
		old.Passages = 1
		if _, err := tx.Exec(`DELETE FROM words WHERE rowid = ?`, id); err != nil { // a second entry of the same id would stand beside it
			return old, err
		}
	}
	head, body := lexicon.Forward(e.Forward).Lengths()
	if _, err = tx.Exec(`INSERT OR REPLACE INTO passages (id, head, body, fields, forward, about, text) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		id, head, body, string(e.Fields), e.Forward, string(e.About), e.Text); err != nil {
		return old, err
	}
	_, err = tx.Exec(`INSERT INTO words (rowid, head, body) VALUES (?, ?, ?)`, id, e.Head, e.Body)
	return old, err
}
