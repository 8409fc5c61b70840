package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/workflows/trail"
)

// wrong is what is asked of the trail and has no answer, with the parameter at fault.
var wrong = map[string]string{
	"limit=0": "limit", "limit=201": "limit", "limit=1001": "limit", "limit=-1": "limit", "limit=": "limit", "limit=ten": "limit", "limit=1e2": "limit",
	"cursor=%21": "cursor", "cursor=MA": "cursor", "cursor=LTE": "cursor", "cursor=" + strings.Repeat("A", 5_000): "cursor",
	"kind=none": "kind", "kind=": "kind", "kind=Admin": "kind", "outcome=good": "outcome", "actor=": "actor", "name=" + strings.Repeat("n", 201): "name",
	strings.Repeat("name=n&", 21): "name", "requestId=" + strings.Repeat("r", 201): "requestId",
	"from=yesterday": "from", "from=": "from", "to=2026-13-01": "to", "from=2026-11-22T08:00": "from", "from=2026-11-22&to=2026-11-22": "to", "from=2026-11-23&to=2026-11-22": "to",
	"tool=calculator": "tool", "Kind=admin": "Kind", "format=csv": "format", "format=NDJSON": "format", "after=1": "after",
	"format=ndjson&cursor=MQ": "cursor", "format=ndjson&from=2026-11-22": "from", "format=ndjson&after=": "after", "format=ndjson&after=1.5": "after",
	"format=ndjson&limit=0": "limit", "format=ndjson&limit=50001": "limit",
}

func TestWhatIsWronglyAskedOfTheTrail(t *testing.T) {
	w := newWorld(t)
	for query, field := range wrong {
		for _, tenant := range []string{"acme", "globex"} {
			rec := w.do(tenant, "GET", "/audit?"+query, "")
			assert.Equal(t, 400, rec.Code, query)
			f := failed(t, rec)
			assert.Equal(t, field, f.Details.Field, query)
			assert.Contains(t, []string{"invalid_query", "unknown_parameter"}, f.Code, query)
		}
	}
	for _, as := range []string{"acme-search", "globex-search"} {
		for _, query := range []string{"", "?format=ndjson"} {
			rec := w.do(as, "GET", "/audit"+query, "")
			assert.Equal(t, []any{403, "scope_denied"}, []any{rec.Code, failed(t, rec).Code})
		}
	}
}

// Pages of any size are the list, each entry once; a cursor is a place, and that of another tenant's list is a place in one's own.
func TestPagesOfTheTrail(t *testing.T) {
	w := newWorld(t)
	for i, tenant := range []string{"acme", "globex"} {
		var es []events.AuditEntry
		for n := range 10 * (i + 1) {
			e := events.AuditEntry{
				ID: fmt.Sprint(tenant, n), Type: events.TypeDocumentIndexed, Source: w.scope(tenant).Source("test"), Subject: fmt.Sprintf("documents/%s-%d", tenant, n),
				Time: time.Date(2026, 11, 22, 8, n, 0, 0, time.UTC), SHA256: strings.Repeat("ab", 32),
			}
			if n%2 == 0 {
				e.Act = &events.Act{Kind: events.ActAdmin, Name: "jobs.cancel", Outcome: events.OutcomeBegun}
			}
			es = append(es, e)
		}
		require.NoError(t, w.record.trail.Append(t.Context(), w.scope(tenant), es))
	}
	listed := func(tenant, query, cursor string) (subjects []string, next string) {
		page := data[struct {
			Entries []trail.Entry
			Next    string
		}](t, w.do(tenant, "GET", "/audit?"+query+"&cursor="+url.QueryEscape(cursor), ""))
		for _, e := range page.Entries {
			assert.Equal(t, w.scope(tenant).Source("test"), e.Source, "its own")
			subjects = append(subjects, e.Subject)
		}
		return subjects, page.Next
	}
	for _, tenant := range []string{"acme", "globex"} {
		for _, filter := range []string{"", "kind=admin&", "kind=admin&kind=event&", "from=2026-11-22T08:03:00Z&to=2026-11-22T08:08:00Z&"} {
			whole, next := listed(tenant, filter+"limit=200", "")
			assert.Empty(t, next)
			require.NotEmpty(t, whole)
			for _, limit := range []int{1, 3, 200} {
				var got []string
				for cursor := ""; ; {
					some, next := listed(tenant, fmt.Sprintf("%slimit=%d", filter, limit), cursor)
					assert.LessOrEqual(t, len(some), limit)
					got = append(got, some...)
					if cursor = next; next == "" {
						break
					}
				}
				assert.Equal(t, whole, got, "%s %s %d", tenant, filter, limit)
			}
		}
	}
	_, theirs := listed("globex", "limit=5", "")
	require.NotEmpty(t, theirs)
	got, _ := listed("acme", "limit=200", theirs)
	assert.Len(t, got, 10, "all of one's own come before that place")

	for tenant, n := range map[string]int{"acme": 10, "globex": 20} {
		for _, limit := range []int{1, 7, 50_000} {
			after, lines := int64(0), 0
			for after < int64(n) {
				rec := w.do(tenant, "GET", fmt.Sprintf("/audit?format=ndjson&after=%d&limit=%d", after, limit), "")
				require.Equal(t, 200, rec.Code)
				assert.Equal(t, fmt.Sprint(n), strings.Fields(rec.Header().Get("X-Audit-Head"))[0])
				for line := range strings.Lines(rec.Body.String()) {
					var e trail.Entry
					require.NoError(t, json.Unmarshal([]byte(line), &e))
					assert.Equal(t, after+1, e.Seq)
					after, lines = e.Seq, lines+1
				}
			}
			assert.Equal(t, n, lines)
		}
	}
}
