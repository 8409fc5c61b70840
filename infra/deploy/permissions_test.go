package deploy_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

var permissionRow = regexp.MustCompile(`(?m)^\| ([A-Z][A-Za-z0-9 ]+?)(?: \(.*\))? \| (Write|Read) \| (Read) \|$`)

// documented are the permission groups of docs/credentials.md: those of a token that deploys, and of one that looks.
func documented(t *testing.T) (deploys, looks []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/credentials.md")
	require.NoError(t, err)
	for _, row := range permissionRow.FindAllStringSubmatch(string(text), -1) {
		deploys, looks = append(deploys, row[1]+" "+row[2]), append(looks, row[1]+" "+row[3])
	}
	require.GreaterOrEqual(t, len(deploys), 8)
	return deploys, looks
}

// A token with the documented groups deploys, and one with the reading ones plans, and does nothing else. Each of them is needed.
func TestTheDocumentedPermissionsAreEnoughAndNeeded(t *testing.T) {
	deploys, looks := documented(t)
	token := func(w *world, groups []string) {
		w.api.Token(acmeToken, double.Token{Accounts: []string{acmeAccount}, Zones: []string{zone}, Groups: groups})
	}
	w := newWorld(t)
	token(w, deploys)
	d := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), d)

	token(w, looks)
	assert.Empty(t, changes(w.plan(w.acme(), d)), "a look needs to read only")
	next := w.desired("acme", "v2", "two")
	p := w.plan(w.acme(), next)
	assert.NotEmpty(t, changes(p))
	before := len(w.api.Requests())
	require.ErrorContains(t, w.apply(p), "the token lacks the permission Workers Scripts Write")
	for _, r := range w.api.Requests()[before:] {
		assert.True(t, r.Method == http.MethodGet || r.Status == http.StatusForbidden, "%s %s: %d", r.Method, r.Path, r.Status)
	}

	for i, group := range deploys {
		w := newWorld(t)
		token(w, slices.Delete(slices.Clone(deploys), i, i+1))
		p, err := w.tryPlan(w.acme(), d)
		if err == nil {
			err = w.apply(p)
		}
		require.Error(t, err, "without %s", group)
		assert.Contains(t, err.Error(), "the token lacks the permission", "without %s", group)

		w = newWorld(t)
		token(w, slices.Delete(slices.Clone(looks), i, i+1))
		_, err = w.tryPlan(w.acme(), d)
		require.ErrorContains(t, err, "the token lacks the permission "+looks[i])
	}
}
