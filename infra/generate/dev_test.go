package generate_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/generate"
	"levada.dev/infra/local"
)

// TestANewTenantIsServedAtOnce runs the local platform on workerd as levada dev does, has a tenant made meanwhile, and uses it: a
// document of its own is found by it, and by nobody else.
func TestANewTenantIsServedAtOnce(t *testing.T) {
	root := tenantsOnly(t)
	module, err := filepath.Abs(module)
	require.NoError(t, err)
	state := devtest.Dir(t)
	p, err := local.Start(t.Context(), local.Options{
		Root: module, State: state, Tenants: os.DirFS(filepath.Join(root, "tenants")), Version: "test", Lexical: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Stop()) })
	said := make(chan string, 16)
	watched, unwatch := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Watch(watched, func(line string) { said <- line })
	}()
	t.Cleanup(func() { unwatch(); <-done })

	do(t, root, tenant(generate.Tenant{ID: "initech", Name: "Initech", Pool: "shared", Hosts: []string{"initech.localhost"}, Auth: "keys"}))
	select {
	case line := <-said:
		require.True(t, strings.HasPrefix(line, "published the tenants anew"), line)
	case <-time.After(time.Minute):
		require.Fail(t, "the tenant was not published")
	}
	keys, _, err := local.Keys(state, nil)
	require.NoError(t, err)
	initech, globex := client.New(p.URL, keys["initech"], nil), client.New(p.URL, keys["globex"], nil)
	accepted, err := initech.Ingest(t.Context(), client.Document{DocID: "stapler", Text: "The red stapler is on the desk of Milton."})
	require.NoError(t, err)
	_, err = initech.Finished(t.Context(), accepted.JobID, 50*time.Millisecond)
	require.NoError(t, err)
	for c, want := range map[*client.Client]int{initech: 1, globex: 0} {
		found, err := c.Search(t.Context(), "red stapler", 5)
		require.NoError(t, err)
		assert.Len(t, found.Sources, want)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/documents", nil)
	require.NoError(t, err)
	req.Host = "initech.localhost"
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "its host leads to it, and its door is closed")
}
