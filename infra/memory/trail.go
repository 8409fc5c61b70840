package memory

import (
	"context"
	"slices"
	"sync"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/tenants"
)

// Trail keeps an audit trail for each tenant. The zero value is empty and ready.
type Trail struct {
	Hooks
	mu      sync.Mutex
	entries map[tenants.ID][]events.AuditEntry
}

var _ audit.Trail = (*Trail)(nil)

// Append implements audit.Trail.
func (t *Trail) Append(_ context.Context, s tenants.Scope, entries []events.AuditEntry) error {
	return t.do(s, "append", func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.entries == nil {
			t.entries = map[tenants.ID][]events.AuditEntry{}
		}
		for _, e := range entries {
			known := slices.ContainsFunc(t.entries[s.Tenant()], func(old events.AuditEntry) bool { return old.ID == e.ID })
			if !known {
				t.entries[s.Tenant()] = append(t.entries[s.Tenant()], e)
			}
		}
		return nil
	})
}

// Newest lists the newest entries, newest first.
func (t *Trail) Newest(_ context.Context, s tenants.Scope, limit int) (newest []events.AuditEntry, err error) {
	err = t.do(s, "newest", func() error {
		newest = t.Entries(s)
		slices.Reverse(newest)
		newest = newest[:min(limit, len(newest))]
		return nil
	})
	return newest, err
}

// Entries is the trail of a tenant.
func (t *Trail) Entries(s tenants.Scope) []events.AuditEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries[s.Tenant()])
}
