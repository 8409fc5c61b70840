package objects

import (
	"context"
	"encoding/json"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
)

// RegisterAudit registers the class Audit, a tenant's record of events.
func RegisterAudit() {
	object.Register("Audit", func(ctx context.Context, st *object.State) (object.Object, error) {
		_, err := st.SQL().Exec(ctx, `CREATE TABLE IF NOT EXISTS entries (
			seq INTEGER PRIMARY KEY,
			id TEXT NOT NULL UNIQUE,
			entry TEXT NOT NULL)`)
		return &auditTrail{st.SQL()}, err
	})
}

// auditTrail appends entries, each event once.
type auditTrail struct{ db *object.DB }

// Call implements object.Object: append takes entries, list gives the newest.
func (a *auditTrail) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	switch method {
	case "append":
		return nil, a.append(ctx, body)
	case "list":
		return a.list(ctx, body)
	}
	return nil, fault.Invalidf("", "method_unknown", "the audit trail has no method %.32q", method)
}

func (a *auditTrail) append(ctx context.Context, body []byte) error {
	var entries []events.AuditEntry
	if err := json.Unmarshal(body, &entries); err != nil {
		return fault.Invalidf("", "request_invalid", "not a list of entries")
	}
	return a.db.Txn(ctx, func(tx *object.Tx) error {
		for _, e := range entries {
			b, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO entries (id, entry) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, e.ID, string(b)); err != nil {
				return err
			}
		}
		return nil
	})
}

// list answers the newest entries, newest first, as many as the body says.
func (a *auditTrail) list(ctx context.Context, body []byte) ([]byte, error) {
	var limit int
	if err := json.Unmarshal(body, &limit); err != nil || limit < 1 || limit > 1000 {
		return nil, fault.Invalidf("limit", "value_out_of_range", "is 1 to 1000")
	}
	found, err := a.db.Query(ctx, `SELECT entry FROM entries ORDER BY seq DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	entries := []json.RawMessage{}
	for found.Next() {
		var e string
		if err := found.Scan(&e); err != nil {
			return nil, err
		}
		entries = append(entries, json.RawMessage(e))
	}
	return json.Marshal(entries)
}
