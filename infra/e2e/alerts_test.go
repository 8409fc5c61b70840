package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
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
			{"id": "quiet-" + l.tenant[:5], "name": "Nothing is given up, " + canary, "metric": "dead_letters", "comparator": "<", "threshold": 1, "period": "5m"},
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

		var standing struct {
			Alerts []struct{ ID, State string }
			ToldTo string
		}
		l.do(http.MethodGet, "/metrics/alerts", nil).into(t, &standing)
		assert.Equal(t, []struct{ ID, State string }{{"never", "ok"}, {first.Data.AlertID, "firing"}}, standing.Alerts)
		assert.Equal(t, "webhook", standing.ToldTo)

		require.Equal(t, http.StatusOK, l.do(http.MethodDelete, "/metrics/alerts/"+first.Data.AlertID, nil).Status)
		last, other := l.warned(all)
		assert.Equal(t, []any{"alert.resolved", first.Data.AlertID, "removed", first.Data.FiredAt}, []any{last.Type, last.Data.AlertID, last.Data.Reason, last.Data.FiredAt})
		assert.NotEqual(t, id, other)
		assert.Empty(t, l.told, "and of nothing else")
	}
}

// What is counted is had in every form, by two tenants with keys; the budgets among it are those of the account.
func TestWhatIsCountedIsTold(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		var account struct {
			Budgets []struct {
				Period, Unit string
				Limit        int64
			}
		}
		u.do(http.MethodGet, "/usage", nil).into(t, &account)
		require.NotEmpty(t, account.Budgets)
		for accept, last := range map[string]string{"application/openmetrics-text": "\n# EOF\n", "text/plain": "\n"} {
			a := u.do(http.MethodGet, "/metrics", nil, "accept", accept)
			assert.Equal(t, http.StatusOK, a.Status)
			assert.True(t, strings.HasPrefix(a.Header.Get("content-type"), accept) && strings.HasSuffix(string(a.Body), last), "%s", a.Body)
			for _, b := range account.Budgets {
				if b.Unit != "nanoUSD" {
					assert.Contains(t, string(a.Body), fmt.Sprintf("levada_budget_limit{period=%q,unit=%q} %d\n", b.Period, b.Unit, b.Limit))
				}
			}
		}
		for _, path := range []string{"/metrics/overview", "/metrics/slis", "/metrics/cost", "/metrics/search-cache", "/metrics/tools/execution", "/metrics/anomalies", "/traces"} {
			a := u.do(http.MethodGet, path, nil)
			assert.True(t, a.Status == http.StatusOK && a.OK, "%s: %s", path, a.Body)
		}
	}
}
