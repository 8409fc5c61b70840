package book

import (
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// Edition implements corpus.Ledger. It is kept in the row of the turns, which nearly every change of what is shown writes anyway: it ends what
// was on its way, or begins it.
func (b *Book) Edition(r rows.Tx) (corpus.Edition, error) {
	var t struct {
		Edition int64 `json:"ed"`
		Spaces  struct {
			Active string `json:"a"`
		} `json:"sp"`
	}
	_, err := rows.Read(r, turnsKey, &t)
	return corpus.Edition{Number: t.Edition, Space: t.Spaces.Active}, err
}

// face is what a document's row says to searches. Their sources have the newest generation's title and metadata.
type face struct {
	searchable, newest int
	derived            bool // the newest has what was taken out of it, which may be its title
}

// face is empty for a document that is not shown.
func (d *document) face() face {
	if d.Searchable == 0 {
		return face{}
	}
	g := d.generation(d.Newest)
	return face{d.Searchable, d.Newest, g != nil && g.Derived != nil && g.Derived.Title != ""}
}

// reissue counts the edition up. The clock sees to it that no number comes again when the row was erased with all others.
func (c *change) reissue() error {
	t, err := c.turns()
	if err == nil {
		t.Edition, t.dirty = max(t.Edition+1, c.now.UnixMilli()), true
	}
	return err
}
