package e2e

import (
	"context"
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
	state := newState(t)
	broken := withoutIngestQueue(t, state)
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

// withoutIngestQueue is the platform with objects that have no queue to send to.
func withoutIngestQueue(t *testing.T, state string) *local.Local {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	l := &local.Local{}
	l.Tenants, err = local.Configs(os.DirFS(filepath.Join(root, "tenants")))
	require.NoError(t, err)
	l.Keys, _, err = local.Keys(state, l.Tenants)
	require.NoError(t, err)
	fields, err := local.Filterable(l.Tenants)
	require.NoError(t, err)
	l.Stack = stack.Levada("local", fields)
	for i := range l.Stack.Workers {
		if w := &l.Stack.Workers[i]; w.Role == stack.Objects {
			w.Bindings = slices.DeleteFunc(slices.Clone(w.Bindings), func(b stack.Binding) bool { return b.Name == "INGEST" })
		}
	}
	l.Platform, err = dev.Start(t.Context(), dev.Options{
		Root: root, State: state, Build: buildDir(), Stack: l.Stack,
		Seed: func(ctx context.Context, p *dev.Platform) error {
			return local.Publish(ctx, p.KV(stack.API, "CONFIG"), l.Tenants, l.Keys)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Stop()) })
	return l
}
