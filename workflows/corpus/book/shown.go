package book

import (
	"context"
	"encoding/json"
	"fmt"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// glimpse is what of a document's row a search needs. Every search reads a hundred of them.
type glimpse struct {
	Newest      int   `json:"n"`
	Searchable  int   `json:"s"`
	Updated     int64 `json:"u"`
	Generations []struct {
		Number  int           `json:"n"`
		About   *events.About `json:"about"`
		Derived *struct {
			Title string `json:"title"`
		} `json:"dv"`
	} `json:"g"`
}

// about is what the newest generation says of the document, as document.show has it.
func (g *glimpse) about() (a events.About) {
	for _, x := range g.Generations {
		if x.Number != g.Newest {
			continue
		}
		if x.About != nil {
			a = *x.About
		}
		if a.Title == "" && x.Derived != nil {
			a.Title = x.Derived.Title
		}
	}
	return a
}

// showing is a document that is shown, on the wire.
type showing struct {
	Place      int          `json:"i"` // of its id among those that were asked for
	Searchable int          `json:"s"`
	Updated    int64        `json:"u"`
	About      events.About `json:"a,omitzero"`
}

// Shown implements corpus.Ledger.
func (b *Book) Shown(r rows.Tx, ids []string) ([]showing, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = documentPrefix + id
	}
	values, err := rows.GetAll(r, keys)
	if err != nil {
		return nil, err
	}
	out := make([]showing, 0, len(ids))
	for i, v := range values {
		if v == nil {
			continue
		}
		var g glimpse
		if err := json.Unmarshal(v, &g); err != nil {
			return nil, fmt.Errorf("rows: %.40q: %w", keys[i], err)
		}
		if g.Searchable > 0 {
			out = append(out, showing{Place: i, Searchable: g.Searchable, Updated: g.Updated, About: g.about()})
		}
	}
	return out, nil
}

// Shown implements corpus.Ledger.
func (c *Client) Shown(ctx context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	shown, err := call.Ask[[]showing](ctx, c.do, s, nil, methodShown, ids)
	if err != nil {
		return nil, err
	}
	docs := make([]corpus.Document, 0, len(shown))
	for _, x := range shown {
		if x.Place >= 0 && x.Place < len(ids) {
			docs = append(docs, corpus.Document{ID: ids[x.Place], About: x.About, Searchable: x.Searchable, UpdatedAt: at(x.Updated)})
		}
	}
	return docs, nil
}
