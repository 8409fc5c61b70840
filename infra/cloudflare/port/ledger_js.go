package port

import (
	"context"
	"encoding/json"
	"errors"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/book"
)

// NewLedger reaches each tenant's ledger object.
func NewLedger(ns object.Namespace) *book.Client {
	return book.NewClient(func(ctx context.Context, s tenants.Scope, method string, body []byte) ([]byte, error) {
		return callObject(ctx, ns, s, method, body)
	})
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
	_, err = callObject(ctx, t.ns, s, "append", body)
	return err
}

// Newest lists the newest entries, newest first.
func (t Trail) Newest(ctx context.Context, s tenants.Scope, limit int) (entries []events.AuditEntry, err error) {
	body, err := json.Marshal(limit)
	if err != nil {
		return nil, err
	}
	reply, err := callObject(ctx, t.ns, s, "list", body)
	if err != nil {
		return nil, err
	}
	return entries, json.Unmarshal(reply, &entries)
}

// callObject calls the tenant's object of a class and names its failures.
func callObject(ctx context.Context, ns object.Namespace, s tenants.Scope, method string, body []byte) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	reply, err := ns.Named(s.Object()).Call(ctx, method, body)
	if err == nil {
		return reply, nil
	}
	var remote *object.RemoteError
	if errors.As(err, &remote) {
		var f fault.Error
		if remote.Data != nil && json.Unmarshal(remote.Data, &f) == nil {
			return nil, &f
		}
		return nil, fault.New(fault.Internal, "object_failed", "the object failed", err)
	}
	return nil, fault.Unavailablef(err, "object_unavailable", "the object did not answer")
}

// PingObjects asks whether the objects of a class answer; the one it asks belongs to no tenant.
func PingObjects(ctx context.Context, ns object.Namespace) error {
	if _, err := ns.Named("ping").Call(ctx, "ping", nil); err != nil {
		return fault.Unavailablef(err, "object_unavailable", "the object did not answer")
	}
	return nil
}
