package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/double"
)

// deployable are two tenants with a pool each, and where these go.
func deployable() fstest.MapFS {
	fsys := fstest.MapFS{"deploy.json": &fstest.MapFile{Data: []byte(`{"environments": {"prod": {"pools": {
		"acme": {"account": "` + strings.Repeat("a", 32) + `", "token": "env:CF_ACME", "domains": ["acme.example.com"]},
		"shared": {"account": "` + strings.Repeat("b", 32) + `", "token": "op://infra/cf/shared", "workersDev": true}
	}}}}`)}}
	for id, text := range twoTenants {
		text = strings.NewReplacer(`"auth":{"mode":"open"},`, "", `["acme.localhost"]`, `["acme.example.com"]`).Replace(text)
		fsys[id+"/tenant.config.json"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// runWrangler runs the command in a checkout whose Workers are built.
func runWrangler(t *testing.T, root string, o wranglerOptions) (stdout, stderr string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	o.Root, o.Workers, o.Stdout, o.Stderr = root, "built", &out, &problems
	if o.Tenants == nil {
		o.Tenants = deployable()
	}
	err = o.run(t.Context())
	return strings.ReplaceAll(out.String(), root, "ROOT"), problems.String(), err
}

func TestWranglerWritesThePoolOfATenant(t *testing.T) {
	root := t.TempDir()
	out, _, err := runWrangler(t, root, wranglerOptions{Tenant: "acme", Env: "prod", Namespaces: map[string]string{"config": "c0"}})
	require.NoError(t, err)
	assert.Contains(t, "\n"+out, `
The pool acme in prod serves acme.

┌─────────────────────┬─────────────────────────────────────────────────┬───────┐
│ WORKER              │ FILE                                            │ STATE │
├─────────────────────┼─────────────────────────────────────────────────┼───────┤
│ acme-prod-objects   │ bin/wrangler/acme-prod/objects/wrangler.jsonc   │ new   │
`)
	assert.Contains(t, out, "In ROOT, with the token that env:CF_ACME names:\n\n  export CLOUDFLARE_ACCOUNT_ID="+strings.Repeat("a", 32)+" CLOUDFLARE_API_TOKEN=...\n")
	assert.Contains(t, out, "  npx wrangler deploy --config bin/wrangler/acme-prod/mcp/wrangler.jsonc\n")
	assert.Contains(t, out, "  npx wrangler kv namespace create acme-prod-cache  # levada wrangler needs its id: --kv cache=ID, or --look-up")
	assert.NotContains(t, out, "create acme-prod-config", "its id is known")
	assert.NotContains(t, out, "shared")

	api, err := os.ReadFile(filepath.Join(root, "bin/wrangler/acme-prod/api/wrangler.jsonc"))
	require.NoError(t, err)
	for _, want := range []string{`"main": "../../../../built/api/worker.mjs"`, `"$schema": "../../../../node_modules/wrangler/config-schema.json"`, `"id": "c0"`, `"pattern": "acme.example.com"`} {
		assert.Contains(t, string(api), want)
	}
}

func TestWranglerWritesAgainWhatChanged(t *testing.T) {
	root := t.TempDir()
	o := wranglerOptions{Tenant: "globex", Env: "prod", Out: "configs", JSON: true}
	states := func() map[string]string {
		out, _, err := runWrangler(t, root, o)
		require.NoError(t, err)
		var v wranglerView
		require.NoError(t, json.Unmarshal([]byte(out), &v))
		assert.Equal(t, []any{"shared", "prod", strings.Repeat("b", 32), "op://infra/cf/shared", []string{"globex"}}, []any{v.Pool, v.Env, v.Account, v.Token, v.Tenants})
		assert.Len(t, v.Deploy, 5)
		found := map[string]string{}
		for _, f := range v.Files {
			assert.Equal(t, "shared-prod-"+string(f.Role), f.Script)
			found[string(f.Role)] = f.State
		}
		return found
	}
	assert.Equal(t, map[string]string{"api": "new", "consumers": "new", "workflows": "new", "objects": "new", "mcp": "new"}, states())
	assert.Equal(t, map[string]string{"api": "same", "consumers": "same", "workflows": "same", "objects": "same", "mcp": "same"}, states())
	require.NoError(t, os.WriteFile(filepath.Join(root, "configs/objects/wrangler.jsonc"), []byte("{}"), 0o644))
	assert.Equal(t, map[string]string{"api": "same", "consumers": "same", "workflows": "same", "objects": "changed", "mcp": "same"}, states(), "what was edited")
	o.Namespaces = map[string]string{"cache": "c1"}
	assert.Equal(t, map[string]string{"api": "changed", "consumers": "same", "workflows": "changed", "objects": "same", "mcp": "same"}, states(), "those that bind it")
}

// The ids are those of the tenant's own account, asked with its own token, and those that were given stay.
func TestWranglerLooksIDsUp(t *testing.T) {
	api := double.New()
	for _, id := range []string{"a", "b"} {
		api.Account(strings.Repeat(id, 32), id)
		api.Token("token-of-"+id+"-0123456789abcdefghij", double.Token{Accounts: []string{strings.Repeat(id, 32)}, Groups: []string{"Workers KV Storage Read"}})
	}
	api.Token("everybody's", double.Token{Accounts: []string{strings.Repeat("a", 32), strings.Repeat("b", 32)}})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	make := func(account, title string) (id string) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+double.Root+"/accounts/"+strings.Repeat(account, 32)+"/storage/kv/namespaces", strings.NewReader(`{"title": "`+title+`"}`))
		require.NoError(t, err)
		q.Header.Set("Authorization", "Bearer everybody's")
		r, err := http.DefaultClient.Do(q)
		require.NoError(t, err)
		defer r.Body.Close()
		var made struct{ Result struct{ ID string } }
		require.NoError(t, json.NewDecoder(r.Body).Decode(&made))
		return made.Result.ID
	}
	config := make("a", "acme-prod-config")
	others := []string{make("a", "acme-stage-cache"), make("b", "acme-prod-cache"), make("a", "acme-prod-cache-2")}

	with := func(token string) *credential.Source {
		return credential.New(credential.Options{Getenv: func(name string) (string, bool) { return token, name == "CF_ACME" && token != "" }})
	}
	o := wranglerOptions{Tenant: "acme", Env: "prod", LookUp: true, API: account.Options{URL: server.URL + double.Root}, Credentials: with("token-of-a-0123456789abcdefghij")}
	root := t.TempDir()
	out, _, err := runWrangler(t, root, o)
	require.NoError(t, err)
	assert.NotContains(t, out, "create acme-prod-config")
	assert.Contains(t, out, "create acme-prod-cache ", "there is none yet")
	api1, err := os.ReadFile(filepath.Join(root, "bin/wrangler/acme-prod/api/wrangler.jsonc"))
	require.NoError(t, err)
	assert.Contains(t, string(api1), `"id": "`+config+`"`)
	for _, other := range others {
		assert.NotContains(t, string(api1), other)
	}

	o.Namespaces = map[string]string{"config": "given"}
	_, _, err = runWrangler(t, root, o)
	require.NoError(t, err)
	api1, err = os.ReadFile(filepath.Join(root, "bin/wrangler/acme-prod/api/wrangler.jsonc"))
	require.NoError(t, err)
	assert.Contains(t, string(api1), `"id": "given"`)

	o.Credentials = with("token-of-b-0123456789abcdefghij")
	out, _, err = runWrangler(t, t.TempDir(), o)
	assert.ErrorContains(t, err, "the KV namespaces of acme in prod")
	assert.Empty(t, out)
	o.Credentials = with("")
	_, _, err = runWrangler(t, t.TempDir(), o)
	assert.ErrorContains(t, err, "env:CF_ACME")
}

func TestWranglerRefuses(t *testing.T) {
	broken := deployable()
	broken["acme/tenant.config.json"] = &fstest.MapFile{Data: []byte(`{"id":"acme","name":"Acme","nmae":1}`)}
	for name, c := range map[string]struct {
		o            wranglerOptions
		want, stderr string
	}{
		"another environment":   {wranglerOptions{Tenant: "acme", Env: "production"}, "--env production: is none of dev, stage or prod", ""},
		"nobody":                {wranglerOptions{Tenant: "acmee", Env: "prod"}, `there is no tenant "acmee"`, ""},
		"not deployed there":    {wranglerOptions{Tenant: "acme", Env: "stage"}, "the tenant acme is not deployed in stage", ""},
		"an id of no namespace": {wranglerOptions{Tenant: "acme", Env: "prod", Namespaces: map[string]string{"cofnig": "1"}}, `there is no KV namespace "cofnig"`, ""},
		"a broken tenant":       {wranglerOptions{Tenant: "acme", Env: "prod", Tenants: broken}, "the configuration has problems", "nmae: is not a known field"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			out, stderr, err := runWrangler(t, root, c.o)
			assert.ErrorContains(t, err, c.want)
			assert.Contains(t, stderr, c.stderr)
			assert.Empty(t, out)
			left, err := os.ReadDir(root)
			require.NoError(t, err)
			assert.Empty(t, left, "nothing is written")
		})
	}
}

// A failure says what to do about it, when somebody knows.
func TestTheHintOfAFailureIsShown(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module levada.dev\n"), 0o644))
	for name, file := range deployable() {
		path := filepath.Join(root, "tenants", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, file.Data, 0o644))
	}
	var out, stderr bytes.Buffer
	assert.Equal(t, exitProblem, Execute(t.Context(), []string{"wrangler", "acmee", "--env", "prod", "--root", root}, &out, &stderr))
	assert.Equal(t, "levada: tenant_not_found: there is no tenant \"acmee\"\n  did you mean \"acme\"?\n", stderr.String())
}
