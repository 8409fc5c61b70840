package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

// warned is a message about an alert.
type warned struct {
	Type string
	Data struct {
		AlertID, State, Reason string
		Value                  *float64
		FiredAt                time.Time
	}
}

func (l *listener) warned(all []*listener) (warned, string) {
	l.t.Helper()
	m := l.next(all)
	var w warned
	require.NoError(l.t, json.Unmarshal(m.body, &w))
	return w, m.header.Get("webhook-id")
}

// Two tenants want to be told as soon as fewer than one event is given up, which holds at once: the server of each is told that its own rule fires, again under the same id
// when it was out of order, and never twice beside that; and that it is resolved when the rule is removed.
func TestATenantIsToldOfItsAlerts(t *testing.T) {
	hears := func(c *tenants.Config, h *tenants.Hook) { c.Webhook = h }
	all := []*listener{listens(t, "lighthouse", hears), listens(t, "harbour", hears)}
	for _, l := range all {
		for _, rule := range []map[string]any{
			{"id": "quiet-" + l.tenant[:5], "name": "Nothing is given up", "metric": "dead_letters", "comparator": "<", "threshold": 1, "period": "5m"},
			{"id": "never", "name": "Less than nothing", "metric": "dead_letters", "comparator": "<", "threshold": 0, "period": "5m"},
		} {
			require.Equal(t, http.StatusCreated, l.do(http.MethodPost, "/metrics/alerts", rule).Status)
		}
	}
	for _, l := range all {
		first, id := l.warned(all)
		again, same := l.warned(all)
		assert.Equal(t, []any{first, id}, []any{again, same}, "the server was out of order")
		require.NotNil(t, first.Data.Value)
		assert.Equal(t, []any{"alert.fired", "quiet-" + l.tenant[:5], "firing", 0.0}, []any{first.Type, first.Data.AlertID, first.Data.State, *first.Data.Value})

		var standing struct{ Alerts []struct{ ID, State string } }
		l.do(http.MethodGet, "/metrics/alerts", nil).into(t, &standing)
		assert.Equal(t, []struct{ ID, State string }{{"never", "ok"}, {first.Data.AlertID, "firing"}}, standing.Alerts)

		require.Equal(t, http.StatusOK, l.do(http.MethodDelete, "/metrics/alerts/"+first.Data.AlertID, nil).Status)
		last, other := l.warned(all)
		assert.Equal(t, []any{"alert.resolved", first.Data.AlertID, "removed", first.Data.FiredAt}, []any{last.Type, last.Data.AlertID, last.Data.Reason, last.Data.FiredAt})
		assert.NotEqual(t, id, other)
		assert.Empty(t, l.told, "and of nothing else")
	}
}
