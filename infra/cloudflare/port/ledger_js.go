package port

import (
	"context"
	"encoding/json"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/book"
)

// NewLedger reaches each tenant's ledger object.
func NewLedger(ns object.Namespace) *book.Client {
	return book.NewClient(carrier(ns))
}

// Trail is each tenant's audit object.
type Trail struct{ ns object.Namespace }

var _ audit.Trail = Trail{}

// NewTrail reaches the audit objects.
func NewTrail(ns object.Namespace) Trail { return Trail{ns} }

// Append implements audit.Trail.
func (t Trail) Append(ctx context.Context, s tenants.Scope, entries []events.AuditEntry) error {
	body, err := json.Marshal(entries)
	if err != nil {
		return fault.New(fault.Internal, "audit_encoding", "the entries do not encode", err)
	}
	_, err = callObject(ctx, t.ns, s, nil, "append", body)
	return err
}

// Newest lists the newest entries, newest first.
func (t Trail) Newest(ctx context.Context, s tenants.Scope, limit int) (entries []events.AuditEntry, err error) {
	body, err := json.Marshal(limit)
	if err != nil {
		return nil, err
	}
	reply, err := callObject(ctx, t.ns, s, nil, "list", body)
	if err != nil {
		return nil, err
	}
	return entries, json.Unmarshal(reply, &entries)
}
