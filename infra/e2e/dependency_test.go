package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// The tests of this file and of its neighbours have what Levada runs on fail, one after the other: before it has done anything, after it has
// done everything, for a while, and without a word. Each is named by the page of docs/runbooks/dependencies that it proves.

// wrong has a Worker's calls go wrong until the test ends, or until mend is called.
func wrong(t *testing.T, p *local.Local, role stack.Role, ds ...dev.Disturbance) (mend func()) {
	t.Helper()
	require.NoError(t, p.Disturb(t.Context(), role, ds...))
	mend = func() { require.NoError(t, p.Disturb(context.Background(), role)) }
	t.Cleanup(mend)
	return mend
}

// struck is how many calls of a Worker have gone wrong.
func struck(t *testing.T, p *local.Local, role stack.Role) (n int) {
	t.Helper()
	all, err := p.Struck(t.Context(), role)
	require.NoError(t, err)
	for _, met := range all {
		n += met
	}
	return n
}

// troubled has the models or their gateway answer otherwise, likewise.
func troubled(t *testing.T, all ...localai.Trouble) (mend func()) {
	platform.Models().Disturb(all...)
	mend = func() { platform.Models().Disturb() }
	t.Cleanup(mend)
	return mend
}

// unavailable checks that a caller is told to come back, and what is down.
func unavailable(t *testing.T, a answer, code string) {
	t.Helper()
	assert.Equal(t, []any{http.StatusServiceUnavailable, code}, []any{a.Status, a.Error.Code}, "%s", a.Body)
	assert.NotEmpty(t, a.Header.Get("Retry-After"))
}

// failing is what /ready says is down; nothing, when it is ready.
func failing(t *testing.T, p *local.Local) []string {
	t.Helper()
	a := user{t, p.URL, "", ""}.do(http.MethodGet, "/ready", nil)
	if a.Status == http.StatusOK {
		return nil
	}
	assert.Equal(t, []any{http.StatusServiceUnavailable, "not_ready"}, []any{a.Status, a.Error.Code}, "%s", a.Body)
	var told struct {
		Error struct{ Details struct{ Failing []string } }
	}
	require.NoError(t, json.Unmarshal(a.Body, &told))
	slices.Sort(told.Error.Details.Failing)
	return told.Error.Details.Failing
}

// With KV down, who is known goes on, and searches are made without their cache; who is not known is told to come back, not that the key is
// wrong. Nothing has to be done when it is over.
func TestKVIsDown(t *testing.T) {
	one, two, later := newcomer(t, "kv"), newcomer(t, "kv"), newcomer(t, "kv")
	for _, u := range []user{one, two} {
		u.index(document{DocID: "tin", Text: "The tin mine of " + u.tenant + " was closed in 1911."})
	}
	ask := map[string]any{"query": "When was the tin mine closed?", "answer": false}
	search := func(u user) (h hits) { u.do(http.MethodPost, "/search", ask).into(t, &h); return h }
	require.Len(t, search(one).Sources, 1)

	mend := wrong(t, platform, stack.API, dev.Disturbance{Calls: "kv", Mood: dev.Fails, Error: dev.KVFailed})
	assert.Equal(t, []string{"config"}, failing(t, platform))
	assert.Equal(t, []string{"tin"}, search(two).docs(), "its first search: there is no cache")
	acc := one.ingest(document{DocID: "lead", Text: "The lead mine is open."})
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	unavailable(t, later.do(http.MethodGet, "/documents", nil), "directory_unavailable")
	key, err := tenants.NewKey(rand.Reader, tenants.ID(one.tenant))
	require.NoError(t, err)
	unavailable(t, user{t, platform.URL, one.tenant, key}.do(http.MethodGet, "/documents", nil), "directory_unavailable")
	mend()
	assert.Empty(t, failing(t, platform))
	assert.Equal(t, http.StatusOK, later.do(http.MethodGet, "/documents", nil).Status)

	wrong(t, platform, stack.API, dev.Disturbance{Calls: "kv.put", Mood: dev.Loses, Error: dev.KVBusy})
	for range 2 {
		assert.Equal(t, []string{"lead", "tin"}, sorted(search(one).docs()), "whether the cache has taken it or not")
	}
}

func sorted(all []string) []string { slices.Sort(all); return all }
