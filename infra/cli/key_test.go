package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// twoAccounts is a checkout with two tenants in two accounts, acme with a source; its vaults are in the second folder.
func twoAccounts(t *testing.T) (root, vaults string) {
	t.Helper()
	root, vaults = t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("go.mod", "module levada.dev\n")
	write("tenants/acme/tenant.config.json", `{"id": "acme", "name": "Acme", "sources": [{"id": "cms", "webhook": {"secrets": ["cms-1"]}}]}`)
	write("tenants/globex/tenant.config.json", `{"id": "globex", "name": "Globex", "sources": [{"id": "cms", "webhook": {"secrets": ["cms-1"]}}]}`)
	pool := func(account, vault string) string {
		return `{"account": "` + strings.Repeat(account, 32) + `", "token": "env:CF_` + account + `", "workersDev": true` + vault + `}`
	}
	write("tenants/deploy.json", `{"environments": {
  "prod": {"pools": {"acme": `+pool("1", `, "vault": "file:`+vaults+`/acme.json"`)+`, "globex": `+pool("2", `, "vault": "op://infra/globex/vault"`)+`}},
  "stage": {"pools": {"acme": `+pool("1", "")+`}}
}}`)
	return root, vaults
}

func TestAKeyIsShownOnceAndItsHashIsKept(t *testing.T) {
	root, _ := twoAccounts(t)
	run := func(args ...string) (int, string, string) {
		return levada(t, append([]string{"--root", root, "key"}, args...)...)
	}
	code, out, errs := run("new", "acme", "--env", "prod", "--name", "ci", "--scope", "search,chat")
	require.Equal(t, exitOK, code, errs)
	key := strings.TrimSuffix(out, "\n")
	id, err := tenants.ParseKey(key)
	require.NoError(t, err, "nothing but the key is there")
	assert.Equal(t, tenants.ID("acme"), id)
	assert.NotContains(t, errs, key)
	assert.Contains(t, errs, `the key "ci" of acme in prod, for chat, search.`)
	code, _, errs = run("new", "globex", "--env", "prod", "--name", "ci")
	require.Equal(t, exitOK, code, errs)

	kept, err := os.ReadFile(filepath.Join(root, "tenants/acme/keys.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(kept), key[8:])
	grants, problems := target.Grants(os.DirFS(filepath.Join(root, "tenants")), "prod", []tenants.Config{{ID: "acme"}, {ID: "globex"}})
	require.Empty(t, problems)
	assert.Len(t, grants, 2)
	grant := grants[tenants.HashKey(key)]
	assert.Equal(t, tenants.Grant{Tenant: "acme", Name: "ci", Scopes: []tenants.APIScope{"chat", "search"}}, grant)
	for _, g := range grants {
		assert.False(t, g.Allows(tenants.ScopeAdmin) || g.Allows(tenants.ScopeExport), "what was not asked for")
	}

	code, out, errs = run("list", "--json")
	require.Equal(t, exitOK, code, errs)
	var listed []struct{ Tenant, Name, Env, Hash string }
	require.NoError(t, json.Unmarshal([]byte(out), &listed))
	require.Len(t, listed, 2)
	assert.Equal(t, tenants.HashKey(key), listed[0].Hash)
	_, out, _ = run("list", "globex", "--env", "stage")
	assert.Equal(t, "no keys\n", out)
	_, out, _ = run("list", "acme")
	assert.Contains(t, out, "chat search")
	assert.NotContains(t, out, "globex")

	code, out, errs = run("new", "acme", "--env", "prod", "--name", "ops", "--also", "globex")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, errs, `the key "ops" of acme and globex in prod`)
	_, opened, _ := run("list", "acme")
	assert.Contains(t, opened, "globex")
	grants, problems = target.Grants(os.DirFS(filepath.Join(root, "tenants")), "prod", []tenants.Config{{ID: "acme"}, {ID: "globex"}})
	require.Empty(t, problems)
	assert.Equal(t, []tenants.ID{"globex"}, grants[tenants.HashKey(strings.TrimSuffix(out, "\n"))].Also)
	code, _, errs = run("revoke", "acme", "ops", "--env", "prod")
	require.Equal(t, exitOK, code, errs)

	code, out, errs = run("revoke", "acme", "ci", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, `The key "ci" of acme in prod is out of tenants/acme/keys.json.`)
	grants, _ = target.Grants(os.DirFS(filepath.Join(root, "tenants")), "prod", []tenants.Config{{ID: "acme"}, {ID: "globex"}})
	assert.Len(t, grants, 1, "globex has its own still")
	left, err := os.ReadDir(filepath.Join(root, "tenants/acme"))
	require.NoError(t, err)
	assert.Len(t, left, 2, "nothing is left beside the files")
}

func TestKeysThatAreNotMade(t *testing.T) {
	root, _ := twoAccounts(t)
	code, _, errs := levada(t, "--root", root, "key", "new", "acme", "--env", "prod", "--name", "ci")
	require.Equal(t, exitOK, code, errs)
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no environment":     {[]string{"new", "acme", "--name", "x"}, exitUsage, `"env" not set`},
		"no name":            {[]string{"new", "acme", "--env", "prod"}, exitUsage, `"name" not set`},
		"no such environ":    {[]string{"new", "acme", "--env", "prd", "--name", "x"}, exitUsage, "--env prd: is none of dev, stage or prod"},
		"no such right":      {[]string{"new", "acme", "--env", "prod", "--name", "x", "--scope", "chta"}, exitUsage, "--scope chta: is none of"},
		"another, unknown":   {[]string{"new", "acme", "--env", "prod", "--name", "x", "--also", "globx"}, exitProblem, `did you mean "globex"?`},
		"itself as another":  {[]string{"new", "acme", "--env", "prod", "--name", "x", "--also", "acme"}, exitProblem, "names acme twice"},
		"no such tenant":     {[]string{"new", "acne", "--env", "prod", "--name", "x"}, exitProblem, `did you mean "acme"?`},
		"outside of tenants": {[]string{"new", "../acme", "--env", "prod", "--name", "x"}, exitProblem, "tenant_not_found"},
		"a name twice":       {[]string{"new", "acme", "--env", "prod", "--name", "ci"}, exitProblem, "key_exists"},
		"a bad name":         {[]string{"new", "acme", "--env", "prod", "--name", "-"}, exitProblem, "is not the name of a key"},
		"none to revoke":     {[]string{"revoke", "acme", "cd", "--env", "prod"}, exitProblem, `did you mean "ci"?`},
		"of another tenant":  {[]string{"revoke", "globex", "ci", "--env", "prod"}, exitProblem, "key_not_found"},
		"of another environ": {[]string{"revoke", "acme", "ci", "--env", "dev"}, exitProblem, "key_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadFile(filepath.Join(root, "tenants/acme/keys.json"))
			require.NoError(t, err)
			code, out, errs := levada(t, append([]string{"--root", root, "key"}, test.args...)...)
			assert.Equal(t, test.code, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, test.says)
			after, err := os.ReadFile(filepath.Join(root, "tenants/acme/keys.json"))
			require.NoError(t, err)
			assert.Equal(t, string(before), string(after))
		})
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "tenants/acme/keys.json"), []byte("[5]"), 0o644))
	code, _, errs = levada(t, "--root", root, "key", "list")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "tenants/acme/keys.json\n  line 1, column 2: [0]: must be an object, not a number")
	code, _, errs = levada(t, "--root", root, "key", "new", "acme", "--env", "prod", "--name", "x")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "must be an object, not a number")
}
