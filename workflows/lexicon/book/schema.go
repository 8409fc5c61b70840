package book

import (
	"errors"
	"fmt"

	"levada.dev/workflows/lexicon"
)

// Tx is a transaction of the database.
type Tx interface {
	// Exec runs one statement and says how many rows it wrote.
	Exec(query string, args ...any) (written int64, err error)
	// Query runs one statement.
	Query(query string, args ...any) (Rows, error)
}

// Rows are the rows of an answer.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
}

// Schema is what makes the tables, statement by statement. Running it again changes nothing.
//
// A passage's id is its generation's number times lexicon.MaxChunk and its chunk's: so a generation is a range of ids, and neither
// passages nor words need an index beside. What filters and scores read stands first in a row: the rest of it is often on other pages.
func Schema() []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS generations (no INTEGER PRIMARY KEY, doc TEXT NOT NULL, generation INTEGER NOT NULL, UNIQUE (doc, generation))`,
		`CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, head INTEGER NOT NULL, body INTEGER NOT NULL,
			fields TEXT NOT NULL, forward BLOB NOT NULL, about TEXT NOT NULL, text TEXT NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS totals (one INTEGER PRIMARY KEY, passages INTEGER NOT NULL, head INTEGER NOT NULL, body INTEGER NOT NULL)`,
		`CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(head, body, content='', contentless_delete=1, tokenize='ascii')`,
		`CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5vocab('words', 'row')`,
		`CREATE VIRTUAL TABLE IF NOT EXISTS place USING fts5vocab('words', 'instance')`,
	}
}

// Book decides for one shard. It remembers how common words are, so it serves one database, and one call at a time.
type Book struct {
	o      lexicon.Options
	common map[string]count
}

// New makes a book. nil is the defaults.
func New(o *lexicon.Options) *Book {
	b := &Book{common: map[string]count{}}
	if o != nil {
		b.o = *o
	}
	b.o = b.o.Defaults()
	return b
}

// one scans the only row there is, and reports whether there is one.
func one(tx Tx, query string, args []any, dest ...any) (bool, error) {
	rows, err := tx.Query(query, args...)
	if err != nil || !rows.Next() {
		return false, err
	}
	return true, rows.Scan(dest...)
}

func totals(tx Tx) (c lexicon.Corpus, err error) {
	_, err = one(tx, `SELECT passages, head, body FROM totals`, nil, &c.Passages, &c.Head, &c.Body)
	return c, err
}

// add changes the totals.
func add(tx Tx, c lexicon.Corpus) error {
	if c == (lexicon.Corpus{}) {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO totals VALUES (1, ?1, ?2, ?3) ON CONFLICT (one) DO UPDATE
		SET passages = passages + ?1, head = head + ?2, body = body + ?3`, c.Passages, c.Head, c.Body)
	return err
}

// span is the ids of a generation: from first up to, but without, end.
func span(no int64) (first, end int64) { return no * lexicon.MaxChunk, (no + 1) * lexicon.MaxChunk }

var errIDs = errors.New("lexicon: the generations have used up their numbers")

// maxNumber is the highest number of a generation, whose ids are still exact as JavaScript has numbers.
const maxNumber = 1<<33 - 2

// number is the number of a generation, 0 when it has none.
func number(tx Tx, doc string, generation int) (no int64, err error) {
	_, err = one(tx, `SELECT no FROM generations WHERE doc = ? AND generation = ?`, []any{doc, generation}, &no)
	return no, err
}

// numberOf is the number of a generation, which gets one if it has none.
func numberOf(tx Tx, doc string, generation int) (int64, error) {
	no, err := number(tx, doc, generation)
	if err != nil || no > 0 {
		return no, err
	}
	if _, err := tx.Exec(`INSERT INTO generations (doc, generation) VALUES (?, ?)`, doc, generation); err != nil {
		return 0, err
	}
	if no, err = number(tx, doc, generation); err == nil && (no < 1 || no > maxNumber) {
		err = fmt.Errorf("%w: %d", errIDs, no)
	}
	return no, err
}
