package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// points are what the Worker of a role has written to datasets.
func points(t *testing.T, p *local.Local, role stack.Role) []dev.Point {
	t.Helper()
	all, err := p.Points(t.Context(), role)
	require.NoError(t, err)
	return all
}

// inDataset is the sum of a metric with these labels, the first of it, that the Worker of a role has written of a tenant.
func inDataset(t *testing.T, p *local.Local, role stack.Role, tenant string, series ...string) (sum float64) {
	t.Helper()
	for _, point := range points(t, p, role) {
		if slices.Equal(point.Indexes, []string{tenant}) && slices.Equal(point.Blobs[:len(series)], series) {
			sum += point.Doubles[1]
		}
	}
	return sum
}

// searched is the line of the metrics with how often a tenant has searched.
func searched(n int) string {
	return fmt.Sprintf("levada_requests_total{route=\"/search\",method=\"POST\",status=\"200\"} %d\n", n)
}

// metered is what the meters have taken of a tenant.
func (u user) metered() string {
	u.t.Helper()
	return string(u.do(http.MethodGet, "/metrics", nil).Body)
}

// Where a dataset of Analytics Engine is bound, each Worker that counts writes to it what it counts of each tenant, which the meters have by then; and the Workers
// that count nothing write nothing, all of them where METERING is off.
func TestWhatIsCountedIsWrittenToTheDataset(t *testing.T) {
	t.Parallel()
	begin := func(vars map[string]string) *local.Local {
		p, err := startWith(newState(t), local.Options{Lexical: true, Analytics: true, Vars: vars})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		return p
	}
	silent := begin(map[string]string{"METERING": "off"})
	asOn(t, silent, "acme").search("When was the tin mine closed?", nil) // before all that the other writes
	p := begin(nil)
	searches := map[string]int{"acme": 2, "globex": 3}
	for tenant, n := range searches {
		u := asOn(t, p, tenant)
		u.index(document{DocID: "tin", Text: "The tin mine of " + tenant + " was closed in 1911."})
		require.Equal(t, "succeeded", u.imported(u.batch(batchOf(tenant, "line", 4)).JobID).State)
		for range n {
			u.search("When was the tin mine closed?", nil)
		}
	}
	for tenant, n := range searches {
		eventually(t, "all Workers that count have written of "+tenant, func() bool {
			return inDataset(t, p, stack.API, tenant, "levada_requests", "/search", http.MethodPost, "200") == float64(n) &&
				inDataset(t, p, stack.Consumers, tenant, "levada_events") > 0 && inDataset(t, p, stack.Workflows, tenant, "levada_steps", "import", "ok") > 0
		})
		assert.Contains(t, asOn(t, p, tenant).metered(), searched(n), "the meters were first")
	}
	for _, w := range p.Stack.Workers {
		all := points(t, p, w.Role)
		assert.Equal(t, slices.Contains([]stack.Role{stack.API, stack.Consumers, stack.Workflows}, w.Role), len(all) > 0, w.Role)
		for _, point := range all {
			require.Equal(t, []int{1, 5, 2}, []int{len(point.Indexes), len(point.Blobs), len(point.Doubles)}, "%+v", point)
			assert.Contains(t, searches, point.Indexes[0])
			assert.Equal(t, []string{stack.AnalyticsBinding, string(w.Role)}, []string{point.Dataset, point.Blobs[4]})
		}
		assert.Empty(t, points(t, silent, w.Role), w.Role)
	}
	assert.NotContains(t, asOn(t, silent, "acme").metered(), "levada_requests")
}

// Where none is bound, what is counted is kept, and none of its Workers writes anything.
func TestWithoutADatasetNothingIsWritten(t *testing.T) {
	for _, name := range []string{"heron", "egret"} {
		u := newcomer(t, name)
		u.search("Who wades?", nil)
		eventually(t, "the meters have it", func() bool { return strings.Contains(u.metered(), searched(1)) })
	}
	for _, w := range platform.Stack.Workers {
		assert.Empty(t, points(t, platform, w.Role), w.Role)
	}
}
