package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
)

// Parcels shows sessions to another pool, as chat.Parcels does.
type Parcels interface {
	Parcel(ctx context.Context, s tenants.Scope, session string, from int) (chat.Parcel, error)
}

// exportSessions answers which sessions there are and in which versions, in the order of their ids.
func exportSessions(c *call) error {
	after, limit, err := pageAfter(c.r.URL)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	list, err := c.Shelf.Places(c.ctx(), c.scope, after, "", limit)
	c.stage("shelf", began)
	if err != nil {
		return fmt.Errorf("list the sessions: %w", err)
	}
	out := struct {
		Sessions []chat.Place `json:"sessions"`
		Cursor   string       `json:"cursor,omitempty"`
	}{Sessions: list.Places}
	if list.More {
		out.Cursor = cursorAfter(list.Next)
	}
	return c.ok(http.StatusOK, out)
}

type parcelsRequest struct {
	Sessions []chat.Wanted `json:"sessions"`
}

var parcelsForm = formOf[parcelsRequest]()

// maxParcels is how many bytes of parcels an answer has, but for one, which may be larger.
const maxParcels = 2 << 20

// exportParcels answers parts of sessions, each from a turn on, until the page is full.
func exportParcels(c *call) error {
	req, err := parcelsForm.decode(c.body)
	if err != nil {
		return err
	}
	if len(req.Sessions) == 0 || len(req.Sessions) > chat.MaxWanted {
		return fault.Invalidf("sessions", "value_out_of_range", "%d sessions; 1 to %d are asked for at once", len(req.Sessions), chat.MaxWanted)
	}
	began := c.opts.Now()
	out := struct {
		Parcels []json.RawMessage `json:"parcels"`
		Taken   int               `json:"taken"`
	}{Parcels: []json.RawMessage{}}
	for size := 0; out.Taken < len(req.Sessions) && size < maxParcels; out.Taken++ {
		want := req.Sessions[out.Taken]
		p, err := c.Parcels.Parcel(c.ctx(), c.scope, want.SessionID, want.From)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("parcel: %w", err)
		}
		b, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("parcel: %w", err)
		}
		out.Parcels = append(out.Parcels, b)
		size += len(b)
	}
	c.stage("session", began)
	return c.ok(http.StatusOK, out)
}
