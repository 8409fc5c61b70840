package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// trail notes what each call appended.
type trail struct{ calls [][]string }

func (x *trail) Append(_ context.Context, _ tenants.Scope, entries []events.AuditEntry) error {
	var ids []string
	for _, e := range entries {
		if e.ID == "bad" {
			return fault.Invalidf("id", "entry_refused", "no")
		}
		ids = append(ids, e.ID)
	}
	x.calls = append(x.calls, ids)
	return nil
}

func deliveries(t *testing.T, ids ...string) (s tenants.Scope, ds []consumers.Delivery) {
	t.Helper()
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	for i, id := range ids {
		ev, err := events.New(s, "test", events.Cause{ID: fmt.Sprint(i)}, time.Unix(0, 0), events.EventRecorded{Entries: []events.AuditEntry{{
			ID: id, Type: "t", Source: s.Source("test"), Subject: "x", Time: time.Unix(0, 0), Bytes: 2, SHA256: strings.Repeat("0", 64),
		}}})
		require.NoError(t, err)
		ds = append(ds, consumers.Delivery{Event: ev, Attempt: 1})
	}
	return s, ds
}

func TestOneCallForABatch(t *testing.T) {
	x := &trail{}
	s, ds := deliveries(t, "a", "b", "c")
	assert.Equal(t, make([]error, 3), audit.New(x).Route().Handle(t.Context(), s, ds))
	assert.Equal(t, [][]string{{"a", "b", "c"}}, x.calls)
}

func TestAnEntryThatIsRefusedDoesNotHoldUpTheOthers(t *testing.T) {
	x := &trail{}
	s, ds := deliveries(t, "a", "b", "bad", "c")
	errs := audit.New(x).Route().Handle(t.Context(), s, ds)
	assert.Equal(t, "entry_refused", fault.As(errs[2]).Code)
	assert.NoError(t, errs[3])
	assert.Equal(t, [][]string{{"a", "b"}, {"c"}}, x.calls)
}
