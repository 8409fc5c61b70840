package audittest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// Trail is an audit trail that can be read.
type Trail interface {
	audit.Trail
	// Newest lists the newest entries, newest first.
	Newest(ctx context.Context, s tenants.Scope, limit int) ([]events.AuditEntry, error)
}

// TestTrail checks the promises of audit.Trail. Each make returns a trail for tenants acme and globex, which may hold
// entries of earlier runs.
func TestTrail(t *testing.T, make func(t *testing.T) Trail) {
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")

	t.Run("what was appended is there, newest first", func(t *testing.T) {
		tr, es := make(t), entries(3)
		require.NoError(t, tr.Append(t.Context(), acme, es[:1]))
		require.NoError(t, tr.Append(t.Context(), acme, es[1:]))
		assert.Equal(t, []events.AuditEntry{es[2], es[1], es[0]}, newest(t, tr, acme, 3))
		assert.Equal(t, es[2:], newest(t, tr, acme, 1))
	})
	t.Run("an event is recorded once", func(t *testing.T) {
		tr, es := make(t), entries(3)
		require.NoError(t, tr.Append(t.Context(), acme, es[:2]))
		require.NoError(t, tr.Append(t.Context(), acme, []events.AuditEntry{es[1], es[2], es[2], es[0]}))
		assert.Equal(t, []events.AuditEntry{es[2], es[1], es[0]}, newest(t, tr, acme, 3))
	})
	t.Run("a tenant's entries are its own", func(t *testing.T) {
		tr, es := make(t), entries(2)
		require.NoError(t, tr.Append(t.Context(), acme, es[:1]))
		require.NoError(t, tr.Append(t.Context(), globex, es[1:]))
		assert.Equal(t, es[:1], newest(t, tr, acme, 1))
		assert.Equal(t, es[1:], newest(t, tr, globex, 1))
		assert.NotContains(t, newest(t, tr, globex, 1000), es[0])
		require.NoError(t, tr.Append(t.Context(), globex, es[:1]), "the same id is another event there")
		assert.Equal(t, es[:1], newest(t, tr, globex, 1))
	})
	t.Run("nothing to append", func(t *testing.T) {
		tr := make(t)
		before := newest(t, tr, acme, 1000)
		require.NoError(t, tr.Append(t.Context(), acme, nil))
		assert.Equal(t, before, newest(t, tr, acme, 1000))
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		tr := make(t)
		assert.ErrorIs(t, tr.Append(t.Context(), tenants.Scope{}, entries(1)), tenants.ErrNoScope)
		_, err := tr.Newest(t.Context(), tenants.Scope{}, 1)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
	t.Run("at the same time", func(t *testing.T) {
		tr, es := make(t), entries(40)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { assert.NoError(t, tr.Append(t.Context(), acme, es[4*i:4*i+8])) }) // each overlaps the next
		}
		all.Wait()
		assert.ElementsMatch(t, es[:36], newest(t, tr, acme, 36))
	})
}

func newest(t *testing.T, tr Trail, s tenants.Scope, limit int) []events.AuditEntry {
	t.Helper()
	es, err := tr.Newest(t.Context(), s, limit)
	require.NoError(t, err)
	return es
}

// entries are n entries that no earlier run has used.
func entries(n int) []events.AuditEntry {
	es := make([]events.AuditEntry, n)
	for i := range es {
		es[i] = events.AuditEntry{
			ID: uuid.NewString(), Type: events.TypeDocumentIndexed, Source: "/levada/suite", Subject: fmt.Sprintf("documents/água %d", i),
			Time: time.Date(2026, 11, 22, 8, 0, i, 0, time.UTC), TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			CausationID: "cause", Bytes: i, SHA256: strings.Repeat("ab", 32),
		}
	}
	return es
}
