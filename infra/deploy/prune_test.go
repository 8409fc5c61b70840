package deploy_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/double"
)

// fill notes releases as if they had been deployed: r000, r001, … of an hour each, the even ones as before there was metadata, and each with a
// configuration of its own.
func (w *world) fill(a *account.Account, pool string, n int) {
	w.t.Helper()
	var pairs []map[string]any
	for i := range n {
		m := deploy.Manifest{Release: fmt.Sprintf("r%03d", i), At: time.Date(2026, 1, 1, i, 0, 0, 0, time.UTC), Tenants: fmt.Sprintf("hash%03d", i)}
		text, err := json.Marshal(m)
		require.NoError(w.t, err)
		pair := map[string]any{"key": "levada/release/" + m.Release, "value": string(text)}
		if i%2 == 1 {
			pair["metadata"] = map[string]any{"at": m.At, "tenants": m.Tenants}
		}
		pairs = append(pairs, pair, map[string]any{"key": "levada/tenants/" + m.Tenants, "value": "{}"})
	}
	path := a.Path("storage", "kv", "namespaces", namespaceID(w.t, a, pool+"-prod-config"), "bulk")
	require.NoError(w.t, a.Do(w.t.Context(), "PUT", path, pairs, nil))
}

// keeps are the names below a key of a pool's namespace.
func (w *world) keeps(accountID, pool, below string) (names []string) {
	for key := range w.api.KV(accountID, pool+"-prod-config") {
		if name, is := strings.CutPrefix(key, "levada/"+below+"/"); is {
			names = append(names, name)
		}
	}
	return names
}

// The newest fifty are kept, with what they refer to. What a way back leads to is kept, however old it is.
func TestOldReleasesAreTakenAway(t *testing.T) {
	w := newWorld(t)
	first := w.desired("acme", "v0", "zero")
	first.Tenants = published(t, "acme", "Old")
	w.now = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) // before all that is kept
	w.deploy(w.acme(), first)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	w.now = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	w.fill(w.acme(), "acme", 70)
	w.fill(w.globex(), "globex", 40)

	d := w.desired("acme", "v2", "two")
	w.deploy(w.acme(), d)
	releases := w.keeps(acmeAccount, "acme", "release")
	assert.Len(t, releases, 52, "and two that are older, and needed")
	assert.Subset(t, releases, []string{"v0", "v1", "v2", "r069", "r021"})
	assert.NotContains(t, releases, "r020")
	entries := w.keeps(acmeAccount, "acme", "tenants")
	assert.Len(t, entries, 51, "v1 and v2 have the same")
	assert.Contains(t, entries, "hash021")
	assert.NotContains(t, entries, "hash020")
	assert.Len(t, w.keeps(globexAccount, "globex", "release"), 41, "another pool's")

	back, err := deploy.MakeReturn(t.Context(), w.acme(), d.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(back.Plan))
	w.still(w.acme(), w.desired("acme", "v1", "one"))
	back, err = deploy.MakeReturn(t.Context(), w.acme(), d.Unit, "", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(back.Plan))
	assert.Equal(t, "Old", nameOf(t, w, acmeAccount, "acme"))
}

// Whatever goes wrong with old releases, the deployment is good, and the next one takes them away.
func TestADeploymentIsGoodWhenOldReleasesStay(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"refused": func(w *world) {
			w.api.Fail(double.Fault{Path: regexp.MustCompile(`/bulk/delete$`), Status: 400, Times: -1})
		},
		"refused at last": func(w *world) {
			w.api.Fail(double.Fault{Path: regexp.MustCompile(`/bulk/delete$`), Status: 400, Skip: 1, Times: -1})
		},
		"cut off": func(w *world) {
			w.api.Fail(double.Fault{Path: regexp.MustCompile(`/bulk/delete$`), Before: true, Times: -1})
		},
		"its answers lost": func(w *world) {
			w.api.Fail(double.Fault{Path: regexp.MustCompile(`/bulk/delete$`), Lost: true, Times: -1})
		},
		"one answer lost":   func(w *world) { w.api.Fail(double.Fault{Path: regexp.MustCompile(`/bulk/delete$`), Lost: true}) },
		"a note is damaged": func(w *world) { w.damage("r000") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deploy(w.acme(), w.desired("acme", "v1", "one"))
			w.fill(w.acme(), "acme", 60)
			fail(w)
			d := w.desired("acme", "v2", "two")
			w.deploy(w.acme(), d)
			assert.Equal(t, name != "one answer lost", w.told("old releases are kept for now: "))
			for _, release := range w.keeps(acmeAccount, "acme", "release") {
				if hash, is := strings.CutPrefix(release, "r"); is {
					assert.Contains(t, w.keeps(acmeAccount, "acme", "tenants"), "hash"+hash, "a release has what it refers to")
				}
			}
			w.api.Heal()
			w.fill(w.acme(), "acme", 1)
			w.deploy(w.acme(), w.desired("acme", "v3", "three"))
			assert.Len(t, w.keeps(acmeAccount, "acme", "release"), 50)
			assert.Len(t, w.keeps(acmeAccount, "acme", "tenants"), 48, "v1, v2 and v3 have the same")
		})
	}
}

// damage makes a kept release unreadable.
func (w *world) damage(release string) {
	a := w.acme()
	path := a.Path("storage", "kv", "namespaces", namespaceID(w.t, a, "acme-prod-config"), "bulk")
	require.NoError(w.t, a.Do(w.t.Context(), "PUT", path, []map[string]string{{"key": "levada/release/" + release, "value": "{"}}, nil))
}
