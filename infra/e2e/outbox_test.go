package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// An event that was accepted and not sent, because no queue took it, is sent by the ledger's alarm, also when the
// platform has been killed in between.
func TestWhatWasNotSentIsSentAfterARestart(t *testing.T) {
	t.Parallel()
	state := newState(t)
	broken := altered(t, state, func(w *stack.Worker) { // objects that have no queue to send to
		w.Bindings = slices.DeleteFunc(slices.Clone(w.Bindings), func(b stack.Binding) bool { return b.Name == "INGEST" })
	})
	docs := map[string]accepted{}
	for _, tenant := range []string{"acme", "globex"} {
		docs[tenant] = asOn(t, broken, tenant).ingest(document{DocID: "kept", Title: tenant, Text: "Kept in the outbox of " + tenant + "."})
		assert.Equal(t, 1, unsent(ledger(t, state, tenant)), "accepted and not sent")
	}
	require.NoError(t, broken.Kill())

	p := own(t, state)
	for tenant, acc := range docs {
		u := asOn(t, p, tenant)
		j := u.finished(acc.JobID)
		assert.Equal(t, "succeeded", j.State, "%+v", j)
		f := u.search("What was kept?", nil)
		require.Len(t, f.Sources, 1)
		assert.Equal(t, tenant, f.Sources[0].Title)
		assert.Zero(t, unsent(ledger(t, state, tenant)))
	}
}

func unsent(rows map[string]string) (n int) {
	for key := range rows {
		if strings.HasPrefix(key, "o/") {
			n++
		}
	}
	return n
}

// Who submits more than the queue is to hold is told when to come back, nothing is kept of what was refused, and it is
// taken when there is room.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	p := altered(t, newState(t), func(w *stack.Worker) { w.Vars = map[string]string{"MAX_BACKLOG": "3"} })
	require.NoError(t, p.Queue("ingest").Disturb(t.Context(), dev.Faults{Pause: true}))
	u := asOn(t, p, "acme")
	var refused document
	taken := 0
	eventually(t, "too much waits", func() bool { // as of a second ago
		d := document{DocID: fmt.Sprintf("pressed/%d", taken), Text: "Pressed against the gate."}
		a := u.do(http.MethodPost, "/ingest", d)
		if a.Status == http.StatusAccepted {
			taken++
			return false
		}
		require.Equal(t, http.StatusTooManyRequests, a.Status, "%s", a.Body)
		assert.Equal(t, "backlog_full", a.Error.Code)
		assert.Equal(t, "30", a.Header.Get("Retry-After"))
		refused = d
		return true
	})
	assert.Greater(t, taken, 3)
	assert.Equal(t, http.StatusNotFound, u.do(http.MethodGet, "/documents/"+url.PathEscape(refused.DocID), nil).Status)

	require.NoError(t, p.Queue("ingest").Disturb(t.Context(), dev.Faults{}))
	eventually(t, "there is room again", func() bool {
		return u.do(http.MethodPost, "/ingest", refused).Status == http.StatusAccepted
	})
}

// altered is the platform with another Worker of objects.
func altered(t *testing.T, state string, alter func(*stack.Worker)) *local.Local {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	l := &local.Local{}
	l.Tenants, err = local.Configs(os.DirFS(filepath.Join(root, "tenants")))
	require.NoError(t, err)
	l.Keys, _, err = local.Keys(state, l.Tenants)
	require.NoError(t, err)
	l.Vault, err = local.Vault(state, l.Tenants)
	require.NoError(t, err)
	fields, err := local.Filterable(l.Tenants)
	require.NoError(t, err)
	l.Stack = stack.Levada(stack.Pool{Name: "local", Env: "dev", Filterable: fields})
	for i := range l.Stack.Workers {
		if w := &l.Stack.Workers[i]; w.Role == stack.Objects {
			alter(w)
		}
	}
	l.Platform, err = dev.Start(t.Context(), dev.Options{
		Root: root, State: state, Build: buildDir(root), Stack: l.Stack,
		Seed: func(ctx context.Context, p *dev.Platform) error {
			return local.Publish(ctx, p.KV(stack.API, "CONFIG"), l.Tenants, l.Keys, l.Vault)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Stop()) })
	return l
}
