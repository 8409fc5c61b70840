package book

import (
	"encoding/json"
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/transfer"
)

// Cards implements transfer.Stock.
func (b *Book) Cards(r rows.Tx, a transfer.Asked) (transfer.Page, error) {
	page := transfer.Page{Cards: []transfer.Card{}}
	if a.IDs != nil {
		return page, cardsOf(r, a.IDs, &page)
	}
	if a.Limit < 1 || a.Limit > transfer.MaxCards {
		return page, fault.Invalidf("limit", "invalid_query", "%d is not between 1 and %d", a.Limit, transfer.MaxCards)
	}
	from, to := documentPrefix, documentsEnd
	if a.After != "" {
		from += a.After + "\x00"
	}
	if a.UpTo != "" {
		to = documentPrefix + a.UpTo + "\x00"
	}
	for looked := 0; looked < maxLooked; looked += lookBatch {
		found, err := r.Range(from, to, lookBatch)
		if err != nil {
			return page, fmt.Errorf("book: list: %w", err)
		}
		for _, row := range found {
			if len(page.Cards) == a.Limit {
				page.More = true
				return page, nil
			}
			var d document
			if err := json.Unmarshal(row.Value, &d); err != nil {
				return page, fmt.Errorf("book: row %.80q: %w", row.Key, err)
			}
			if card := d.card(); card != nil {
				page.Cards = append(page.Cards, *card)
			}
			page.Last, from = strings.TrimPrefix(row.Key, documentPrefix), row.Key+"\x00"
		}
		if len(found) < lookBatch {
			return page, nil
		}
	}
	page.More = true
	return page, nil
}

// cardsOf adds the cards of documents that are named; of those that do not exist there is none.
func cardsOf(r rows.Tx, ids []string, page *transfer.Page) error {
	if len(ids) > transfer.MaxCards {
		return fault.Invalidf("ids", "invalid_query", "%d documents; at most %d are asked for at once", len(ids), transfer.MaxCards)
	}
	for _, id := range ids {
		var d document
		found, err := rows.Read(r, documentPrefix+id, &d)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if card := d.card(); card != nil {
			page.Cards = append(page.Cards, *card)
		}
	}
	return nil
}

// card is what another pool has to know of the document, nil when there is nothing to take.
func (d *document) card() *transfer.Card {
	g := d.carried()
	if g == nil {
		return nil
	}
	newest := d.generation(d.Newest)
	card := &transfer.Card{
		DocID: d.ID, ContentType: g.ContentType, Chunking: g.Chunking, Bytes: g.Bytes, SHA256: g.SHA256, TextKey: g.TextKey,
		CreatedAt: at(d.Created), UpdatedAt: at(d.Updated), Searchable: g.Number == d.Searchable,
		OnItsWay: newest != nil && newest.live() && newest.State.OnItsWay(), Moved: g.Moved, Tokens: g.Tokens, Fetched: g.visit(),
	}
	if g.About != nil {
		card.About = *g.About
	}
	if !card.Searchable && g.Failure != nil {
		card.Failed = g.Failure.Code
	}
	return card
}

// carried is the generation that another pool takes: the newest, unless it was not fetched yet or has ended without being searchable while another is. What
// was cancelled nobody wants, and what has failed may succeed elsewhere.
func (d *document) carried() *generation {
	if d.Deleted != nil {
		return nil
	}
	newest, shown := d.generation(d.Newest), d.generation(d.Searchable)
	switch {
	case newest != nil && newest.live() && !newest.toFetch():
		return newest
	case shown != nil:
		return shown
	case newest != nil && (newest.live() || newest.State == corpus.Failed):
		return newest
	}
	return nil
}

// moved reports whether the document is as it came from another pool, and keeps the times that it had there.
func (d *document) moved() bool {
	if d.Deleted != nil {
		return false
	}
	g := d.generation(d.Newest)
	return g != nil && g.Moved
}

// visit is how the document of a generation was fetched, nil if it was brought.
func (g *generation) visit() *corpus.Visit {
	if g.Fetch == nil {
		return nil
	}
	return &corpus.Visit{URL: g.Fetch.URL, Asked: g.Fetch.Asked, ETag: g.Fetch.ETag, Modified: at(g.Fetch.Modified), At: at(g.Fetch.At)}
}

// visited is what a generation knows of its document's place on the web that was fetched in another pool.
func visited(m *corpus.Moved) *fetch {
	if m == nil || m.Fetched == nil || m.Fetched.At.IsZero() {
		return nil
	}
	v := m.Fetched
	f := &fetch{URL: v.URL, Asked: v.Asked, ETag: v.ETag, At: v.At.UnixMilli()}
	if !v.Modified.IsZero() {
		f.Modified = v.Modified.UnixMilli()
	}
	return f
}
