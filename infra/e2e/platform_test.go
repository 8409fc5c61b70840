package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
)

// patience is how long a test waits for what must happen. Nothing depends on it but how soon a failure shows.
const patience = 90 * time.Second

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, patience, 25*time.Millisecond, "never: %s", what)
}

// newState is a folder for a platform of a test's own.
func newState(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(devtest.Memory(), "levada-e2e-own-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(clean(dir), os.RemoveAll(dir))) })
	return dir
}

// own starts a platform of the test's own, which it may kill.
func own(t *testing.T, state string) *local.Local {
	t.Helper()
	p, err := start(state)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

// settled waits until every queue is empty.
func settled(t *testing.T, p *local.Local) {
	t.Helper()
	for _, q := range p.Stack.Queues { // in the order of the stages: what is empty stays so
		eventually(t, q.Name+" is empty", func() bool {
			n, err := p.Queue(q.Name).Backlog(t.Context())
			require.NoError(t, err)
			return n == 0
		})
	}
}

// ledger is what a tenant's ledger has stored, by key: documents (d/), jobs (j/), events to be sent (o/), receipts (i/).
func ledger(t *testing.T, state, tenant string) map[string]string {
	t.Helper()
	return objectRows(t, state, "Ledger", tenant)
}

// objectRows is what a tenant's object of a class has stored, by key.
func objectRows(t *testing.T, state, class, tenant string) map[string]string {
	t.Helper()
	for file, db := range tables[struct{ K, V string }](t, state, "rows") {
		if filepath.Dir(file) != "objects-"+class {
			continue
		}
		all := map[string]string{}
		for _, row := range db {
			all[row.K] = row.V
		}
		if all["tenant"] == tenant {
			return all
		}
	}
	return nil
}

// trail is a tenant's audit trail, oldest first.
func trail(t *testing.T, state, tenant string) (all []events.AuditEntry) {
	t.Helper()
	kept := objectRows(t, state, "Audit", tenant)
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		if !strings.HasPrefix(key, "e/") {
			continue
		}
		var e events.AuditEntry
		require.NoError(t, json.Unmarshal([]byte(kept[key]), &e))
		all = append(all, e)
	}
	return all
}

// tables reads a table of all Durable Objects from the disk, beside the running platform.
func tables[R any](t *testing.T, state, table string) (all map[string][]R) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "node_modules", ".bin", "node"),
		"--disable-warning=ExperimentalWarning", filepath.Join("testdata", "rows.mjs"), filepath.Join(state, "workerd", "do"), table)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &all))
	return all
}

// vectors is how many vectors an index shows, of all tenants.
func vectors(t *testing.T, p *local.Local, index string) int {
	t.Helper()
	var info struct{ VectorCount int }
	getJSON(t, p.VectorsURL()+"/indexes/"+index, &info)
	return info.VectorCount
}

// children are the processes that a process has started.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-e", "-o", "pid=,ppid=").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err == nil && parent == pid {
			pids = append(pids, child)
		}
	}
	return pids
}

func getJSON(t *testing.T, url string, v any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, url)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(v))
}
