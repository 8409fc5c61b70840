package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"levada.dev/events/fault"
	"levada.dev/workflows/transfer"
)

// exportDocuments answers what another pool has to know of the tenant's documents, in the order of their ids, a line each. The last line says that
// the page is whole.
func exportDocuments(c *call) error {
	after, limit, err := pageAfter(c.r.URL)
	if err != nil {
		return err
	}
	cards, err := c.cards(transfer.Asked{After: after, Limit: limit})
	if err != nil || c.openLines() {
		return err
	}
	w, end := transfer.NewWriter(c.w), transfer.End{}
	for _, card := range cards.Cards {
		if err := w.Document(card); err != nil {
			return err
		}
	}
	if cards.More {
		end.Next = cursorAfter(cards.Last)
	}
	return w.Close(end)
}

// pageAfter is pageOf for a list by ids: what is wanted comes after one.
func pageAfter(u *url.URL) (after string, limit int, err error) {
	p, err := pageOf(u)
	if err != nil {
		return "", 0, err
	}
	id, err := base64.RawURLEncoding.DecodeString(p.cursor)
	if err != nil {
		return "", 0, fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	return string(id), p.limit, nil
}

func cursorAfter(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

type exportRequest struct {
	IDs []string `json:"ids"`
}

var exportForm = formOf[exportRequest]()

// maxExport is how many bytes of texts a page has, but for one document, which may be longer.
const maxExport = 4 << 20

// exportTexts answers documents by their ids, each with what was submitted or fetched of it, until the page is full.
func exportTexts(c *call) error {
	req, err := exportForm.decode(c.body)
	if err != nil {
		return err
	}
	if len(req.IDs) == 0 || len(req.IDs) > transfer.MaxCards {
		return fault.Invalidf("ids", "value_out_of_range", "%d documents; 1 to %d are asked for at once", len(req.IDs), transfer.MaxCards)
	}
	cards, err := c.cards(transfer.Asked{IDs: req.IDs})
	if err != nil || c.openLines() {
		return err
	}
	found := make(map[string]transfer.Card, len(cards.Cards))
	for _, card := range cards.Cards {
		found[card.DocID] = card
	}
	w, end, left := transfer.NewWriter(c.w), transfer.End{}, maxExport
	for _, id := range req.IDs {
		card, there := found[id]
		if there && end.Taken > 0 && card.Bytes > left {
			break
		}
		left -= card.Bytes
		end.Taken++
		if there {
			if err := c.exportDocument(w, card); err != nil {
				return err
			}
		}
	}
	return w.Close(end)
}

// exportDocument writes a document with its text. One whose text is gone meanwhile is gone itself, or has another by now: it has no line.
func (c *call) exportDocument(w *transfer.Writer, card transfer.Card) error {
	if card.SHA256 == "" {
		return w.Document(card)
	}
	if card.Bytes > smallBody {
		leave, err := c.wait(c.room.Acquire, min(int64(card.Bytes), c.opts.MaxBodyBytes), c.room.Release)
		if err != nil {
			return err
		}
		defer leave()
		makeWay(int64(card.Bytes))
	}
	text, err := c.Texts.Get(c.ctx(), c.scope, card.TextKey)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("text of %s: %w", card.DocID, err)
	}
	if err := w.Document(card); err != nil {
		return err
	}
	return w.Text(text)
}

func (c *call) cards(a transfer.Asked) (transfer.Page, error) {
	began := c.opts.Now()
	page, err := c.Transfers.Cards(c.ctx(), c.scope, a)
	c.stage("ledger", began)
	if err != nil {
		return page, fmt.Errorf("list the documents: %w", err)
	}
	return page, nil
}

// openLines answers the head of JSON lines, and reports whether that was all that was asked for.
func (c *call) openLines() bool {
	h := c.w.Header()
	h.Set("Content-Type", transfer.LinesType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Server-Timing", c.timings())
	c.w.WriteHeader(http.StatusOK)
	return c.w.head
}
