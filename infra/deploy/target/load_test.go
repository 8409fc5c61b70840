package target_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

const (
	one   = "11111111111111111111111111111111"
	two   = "22222222222222222222222222222222"
	token = "v1.0-0123456789abcdef_ABCDEFGHIJKLMNOPQRSTUV" // in the form of one
)

// folder is a folder of tenants: acme with a pool of its own, globex and initech in another, and a deploy.json.
func folder(deploy string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for id, more := range map[string]string{
		"acme":    `,"allowedHosts":["acme.localhost","acme.example.com"],"sources":[{"id":"cms","webhook":{"secrets":["cms-1"]}}]`,
		"globex":  `,"pool":"shared","allowedHosts":["globex.example.org"]`,
		"initech": `,"pool":"shared","auth":{"mode":"open"}`,
	} {
		fsys[id+"/tenant.config.json"] = &fstest.MapFile{Data: []byte(`{"id":"` + id + `","name":"` + id + `"` + more + `}`)}
	}
	if deploy != "" {
		fsys[target.File] = &fstest.MapFile{Data: []byte(deploy)}
	}
	return fsys
}

const good = `// Where it goes.
{
  "environments": {
    "prod": {
      "canary": {"steps": [0, 20], "bake": "1m"},
      "pools": {
        /* the big one */
        "acme": {"account": "` + one + `", "token": "env:CF_ACME", "vault": "file:/run/acme.json", "domains": ["acme.example.com"], "canary": {"bake": "5m"}},
        "shared": {
          "account": "` + two + `", "token": "op://infra/cf/shared",
          "exclude": ["initech"], // its door is open
          "routes": [{"pattern": "*.example.org/*", "zone": "example.org"}],
          "observability": {"logs": 0, "traces": 5, "tracesTo": "grafana-traces"}, "analytics": true,
        },
      },
    },
    "dev": {"pools": {"shared": {"account": "` + two + `", "token": "op://infra/cf/shared", "workersDev": true, "canary": {"steps": []}}}},
  },
}
`

// tracesOf is how many traces in a hundred the target's API is told to keep.
func tracesOf(t target.Target) string {
	table := t.Stack()
	api, _ := table.Worker(stack.API)
	return table.VarsOf(api)[stack.TracesVar]
}

// writesAnalytics reports whether the target's API has a dataset of Analytics Engine.
func writesAnalytics(t target.Target) bool {
	s := t.Stack()
	api, _ := s.Worker(stack.API)
	return slices.ContainsFunc(api.Bindings, func(b stack.Binding) bool { return b.Kind == stack.Analytics })
}

func TestTargetsOfAnEnvironment(t *testing.T) {
	in, problems := target.Load(folder(good), target.Prod)
	require.Empty(t, problems)
	require.Len(t, in.Targets, 2)
	acme, shared := in.Targets[0], in.Targets[1]
	assert.Equal(t, []any{"acme", "prod", one, "env:CF_ACME", "file:/run/acme.json"}, []any{acme.Pool, acme.Env, acme.Account, acme.Token.String(), acme.Vault.String()})
	assert.Equal(t, []string{"acme"}, acme.IDs())
	assert.Equal(t, target.Canary{Steps: []int{0, 20}, Bake: 5 * time.Minute}, acme.Canary, "its own, then the environment's")
	assert.Equal(t, stack.Observability{Logs: 100, Traces: 10}, acme.Stack().Observability)
	assert.Equal(t, []bool{false, true}, []bool{writesAnalytics(acme), writesAnalytics(shared)})
	assert.Equal(t, "acme.example.com", acme.Host())
	assert.Equal(t, "acme-prod-api", acme.Name("api"))

	assert.Equal(t, []string{"globex"}, shared.IDs(), "who is excluded is not served")
	assert.Equal(t, target.Canary{Steps: []int{0, 20}, Bake: time.Minute}, shared.Canary)
	table := shared.Stack()
	require.NoError(t, table.Validate())
	assert.Equal(t, stack.Observability{Traces: 5, TracesTo: "grafana-traces"}, table.Observability)
	assert.Equal(t, []string{"10", "5"}, []string{tracesOf(acme), tracesOf(shared)}, "the Workers are told")
	assert.Equal(t, []stack.Route{{Pattern: "*.example.org/*", Zone: "example.org"}}, table.Routes)
	assert.Len(t, table.Gateway.Spend, 2, "of globex alone")
	assert.Equal(t, target.Route{Pattern: "*.example.org/*", Zone: "example.org"}, shared.Routes[0])
	assert.Empty(t, shared.Host(), "a route for every host is no host")
	assert.Empty(t, shared.Vault.String())

	in, problems = target.Load(folder(good), target.Dev)
	require.Empty(t, problems)
	require.Len(t, in.Targets, 1)
	assert.Equal(t, []string{"globex", "initech"}, in.Targets[0].IDs(), "two tenants share a pool")
	assert.Equal(t, target.Canary{Steps: []int{}, Bake: 2 * time.Minute}, in.Targets[0].Canary, "no steps are not the default ones")
	assert.True(t, in.Targets[0].WorkersDev)

	in, problems = target.Load(folder(good), target.Stage)
	require.Empty(t, problems, "what is not said is deployed nowhere, which is no problem by itself")
	assert.Empty(t, in.Targets)
}

func TestFindingATenantsTarget(t *testing.T) {
	in, problems := target.Load(folder(good), target.Prod)
	require.Empty(t, problems)
	got, err := in.Find("globex")
	require.NoError(t, err)
	assert.Equal(t, "shared", got.Pool)
	pool, there := in.Pool("shared")
	assert.Equal(t, []any{got, true}, []any{pool, there})
	_, there = in.Pool("nobody")
	assert.False(t, there)
	dev, problems := target.Load(folder(good), target.Dev)
	require.Empty(t, problems)
	for name, test := range map[string]struct {
		in                  *target.Environment
		tenant, code, hints string
	}{
		"no such tenant":            {in, "acmee", "tenant_not_found", `did you mean "acme"?`},
		"excluded":                  {in, "initech", "not_deployed", "remove it from environments.prod.pools.shared.exclude in tenants/deploy.json"},
		"not in this environment":   {dev, "acme", "not_deployed", `add environments.dev.pools.acme to tenants/deploy.json: {"account": "<32 hexadecimal digits>", "token": "env:CF_TOKEN_ACME"}`},
		"nothing is said of any of": {&target.Environment{Name: "prod", Tenants: in.Tenants}, "globex", "not_deployed", "environments.prod.pools.shared"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.in.Find(test.tenant)
			require.Equal(t, test.code, fault.As(err).Code)
			assert.Contains(t, fault.As(err).Hint, test.hints)
		})
	}
}

func TestWithoutAFileNothingIsDeployed(t *testing.T) {
	in, problems := target.Load(folder(""), target.Dev)
	require.Empty(t, problems)
	assert.Empty(t, in.Targets)
	_, problems = target.Load(folder(""), target.Prod)
	require.Len(t, problems, 1, "every rule holds for everybody")
	assert.Contains(t, problems[0].String(), "initech/tenant.config.json: auth.mode: open is refused in the environment prod")
	_, problems = target.Load(folder(""), "prd")
	assert.Equal(t, `there is no environment "prd" (did you mean "prod"?)`, problems[0].String())
}

func TestTheShippedFileIsGood(t *testing.T) {
	for env, served := range map[string]string{"dev": "acme; demo globex", "stage": "acme; globex", "prod": "acme; globex"} {
		in, problems := target.Load(os.DirFS("../../../tenants"), env)
		require.Empty(t, problems)
		var got []string
		for _, target := range in.Targets {
			got = append(got, strings.Join(target.IDs(), " "))
			assert.NotEmpty(t, target.Vault.String())
		}
		assert.Equal(t, served, strings.Join(got, "; "), env)
	}
}

// problemsOf are the problems of a file for an environment, a line each.
func problemsOf(t *testing.T, fsys fstest.MapFS, env string) []string {
	t.Helper()
	_, problems := target.Load(fsys, env)
	lines := []string{}
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	return lines
}

// in is a file with one pool, shared in prod, from line 1, column 45 on.
func in(entry string) string {
	return `{"environments": {"prod": {"pools": {"shared": {` + entry + `}}}}}`
}

const (
	account = `"account": "` + one + `", `
	tok     = `"token": "env:CF", `
	rest    = `"exclude": ["initech"], "domains": ["globex.example.org"]`
	refs    = ` (such as env:CF_TOKEN_ACME, file:/run/secrets/cf-acme, op://Infra/cf-acme/credential, keyring:levada/acme, exec:["vault","read","-field=token","cf/acme"])`
)

func TestProblemsOfAnEntry(t *testing.T) {
	const pool = "environments.prod.pools.shared"
	for name, test := range map[string]struct {
		entry string
		want  []string // without the place
	}{
		"all is well":   {account + tok + rest, nil},
		"no account":    {tok + rest, []string{pool + ".account: is required (it is in the address of the account's dashboard, and is no secret)"}},
		"a bad account": {`"account": "ABC", ` + tok + rest, []string{pool + ".account: is not the id of an account: 32 hexadecimal digits in small letters (it is in the address of the account's dashboard, and is no secret)"}},
		"no token":      {account + rest, []string{pool + ".token: is required (such as env:CF_TOKEN_ACME; levada reads no token that is not named here)"}},
		"a token":       {account + `"token": "short-and-secret", ` + rest, []string{pool + ".token: is not a reference to a token; the text is not shown, as it may be one itself" + refs}},
		"an ambient token": {account + `"token": "env:CLOUDFLARE_API_TOKEN", ` + rest, []string{
			pool + ".token: env: takes a variable of this account alone; what every tool takes by itself could be another account's" + refs}},
		"a relative vault": {account + tok + `"vault": "file:vault.json", ` + rest, []string{pool + ".vault: file: takes an absolute path" + refs}},
		"unknown fields": {account + tok + `"domain": ["a.b"], "sharedacount": true, ` + rest, []string{
			pool + `.domain: is not a known field (did you mean "domains"?)`, pool + `.sharedacount: is not a known field (did you mean "sharedAccount"?)`}},
		"wrong types": {account + `"token": 5, "workersDev": "yes", ` + rest, []string{
			pool + ".token: must be a string, not a number", pool + ".workersDev: must be a boolean, not a string"}},
		"twice":               {account + tok + `"token": "env:CG", ` + rest, []string{pool + ".token: appears twice"}},
		"nothing leads to it": {account + tok + `"exclude": ["initech", "globex"]`, []string{pool + `: nobody could reach it (add domains, routes or "workersDev": true)`}},
		"bad domains": {account + tok + `"exclude": ["initech"], "domains": ["globex.example.org", "https://a.b", "*.example.org", "single", "globex.example.org"]`, []string{
			pool + `.domains[1]: "https://a.b" is not a host name in lower case with a dot, without scheme, port and *`,
			pool + `.domains[2]: "*.example.org" is not a host name in lower case with a dot, without scheme, port and *`,
			pool + `.domains[3]: "single" is not a host name in lower case with a dot, without scheme, port and *`,
			pool + `.domains[4]: "globex.example.org" appears twice`}},
		"bad routes": {account + tok + rest + `, "routes": [
			{"pattern": "a.example.org/*", "zone": "example.com"}, {"pattern": "https://a.example.org/*", "zone": "example.org"}, {"pattern": "a.*.example.org/", "zone": "example.org"},
			{"zone": "example.org"}, {"pattern": "xexample.org/*", "zone": "example.org"}, {"pattern": "b.example.org/*"}, {"pattern": "*example.org/*", "zone": "example.org"}]`, []string{
			pool + `.routes[0].zone: "a.example.org/*" is not in the zone "example.com"`,
			pool + `.routes[1].pattern: "https://a.example.org/*" is not the pattern of a route (such as api.example.com/*: without scheme, a * only first and last)`,
			pool + `.routes[2].pattern: "a.*.example.org/" is not the pattern of a route (such as api.example.com/*: without scheme, a * only first and last)`,
			pool + `.routes[3].pattern: is required (such as api.example.com/*)`,
			pool + `.routes[4].zone: "xexample.org/*" is not in the zone "example.org"`,
			pool + `.routes[5].zone: is required (the domain that the account has, such as example.com)`}},
		"a bad canary": {account + tok + rest + `, "canary": {"steps": [0, 50, 50, 100], "bake": "2 minutes"}`, []string{
			pool + `.canary.bake: "2 minutes" is not a time up to 24h (such as 90s, 2m or 1h)`,
			pool + `.canary.steps[2]: 50 is not more than the step before`,
			pool + `.canary.steps[3]: 100 is not between 0 and 99 (percent of the requests; 100 follows by itself)`}},
		"bad observability": {account + tok + rest + `, "observability": {"logs": 101, "traces": -1}`, []string{
			pool + `.observability.logs: 101 is not between 0 and 100 (of the requests, in percent)`,
			pool + `.observability.traces: -1 is not between 0 and 100 (of the requests, in percent)`}},
		"half a percent": {account + tok + rest + `, "observability": {"logs": 0.5}`, []string{pool + `.observability.logs: must be a whole number`}},
		"excluding whom it has not": {account + tok + `"exclude": ["initech", "acme", "globexx"], "domains": ["globex.example.org"]`, []string{
			pool + `.exclude[1]: the pool has no tenant "acme" (one of globex, initech)`, pool + `.exclude[2]: the pool has no tenant "globexx" (did you mean "globex"?)`}},
		"excluding all": {account + tok + `"exclude": ["initech", "globex"], "domains": ["a.example.org"]`, []string{pool + ".exclude: leaves no tenant to serve (remove the whole entry)"}},
		"an uncovered host": {account + tok + `"exclude": ["initech"], "domains": ["other.example.org"]`, []string{
			pool + ".domains: nothing leads here from globex.example.org (tenant globex) (add them, or a route, or remove them from the tenants' allowedHosts)"}},
		"a route covers it":    {account + tok + `"exclude": ["initech"], "routes": [{"pattern": "*.example.org/*", "zone": "example.org"}]`, nil},
		"another's does not":   {account + tok + `"exclude": ["initech"], "routes": [{"pattern": "*.globex.example.org/*", "zone": "example.org"}]`, []string{pool + ".domains: nothing leads here from globex.example.org (tenant globex) (add them, or a route, or remove them from the tenants' allowedHosts)"}},
		"an open door in prod": {account + tok + `"domains": ["globex.example.org"]`, []string{`auth.mode: open is refused in the environment prod (use "keys")`}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, line := range problemsOf(t, folder(in(test.entry)), target.Prod) {
				_, line, _ = strings.Cut(line, ": ")
				got = append(got, line)
			}
			assert.ElementsMatch(t, test.want, got)
		})
	}
}

func TestProblemsHaveTheirPlace(t *testing.T) {
	text := `{"environments": { // with comments
  /* of both
 kinds */ "prod": {"pools": {"shared": {
  "account": "` + one + `",
  /* ä */ "token": "env:",
  "domain": [],
  "exclude": ["initech",
     "glob"], "domains": ["globex.example.org"],
}}},
"stagee": {}}}`
	assert.Equal(t, []string{
		`deploy.json:5:12: environments.prod.pools.shared.token: env: takes the name of a variable` + refs,
		`deploy.json:6:3: environments.prod.pools.shared.domain: is not a known field (did you mean "domains"?)`,
		`deploy.json:8:6: environments.prod.pools.shared.exclude[1]: the pool has no tenant "glob" (did you mean "globex"?)`,
		`deploy.json:10:1: environments.stagee: is not a known field (did you mean "stage"?)`,
	}, problemsOf(t, folder(text), target.Prod))
}

func TestWhatIsNoJSON(t *testing.T) {
	for text, want := range map[string]string{
		"// nothing\n":                "deploy.json:2:1: is not JSON: parsing value: unexpected EOF",
		"{\n  \"environments\" 5":     "deploy.json:2:18: is not JSON: invalid character '5' after object name",
		"{\"environments\": " + token: "deploy.json:1:18: is not JSON: invalid literal",
		"[]":                          "deploy.json:1:1: must be an object, not an array",
		"null":                        "deploy.json:1:1: must be an object, not null",
	} {
		lines := problemsOf(t, folder(text), target.Dev)
		require.Len(t, lines, 1, text)
		assert.Equal(t, want, lines[0])
	}
	assert.Equal(t, []string{"deploy.json:1:1: environments: is required"}, problemsOf(t, folder("{}"), target.Dev))
	fsys := folder("")
	fsys[target.File+"/x"] = &fstest.MapFile{}
	assert.Contains(t, problemsOf(t, fsys, target.Dev)[0], "deploy.json: cannot be read")
}

// A secret in the file is told, and shown by nothing that is said, wherever it stands.
func TestASecretIsRefusedAndNotShown(t *testing.T) {
	lv, err := tenants.NewKey(strings.NewReader(strings.Repeat("x", 32)), "acme")
	require.NoError(t, err)
	for _, secret := range []string{token[5:], lv, "whsec_" + strings.Repeat("A1b2", 11), "cfut_" + token[10:], "Bearer " + token, strings.Repeat("0a1", 13)[:37]} {
		quoted, err := json.Marshal(secret)
		require.NoError(t, err)
		for place, text := range map[string]string{
			"token":    in(account + `"token": ` + string(quoted) + `, ` + rest),
			"account":  in(`"account": ` + string(quoted) + `, ` + tok + rest),
			"vault":    in(account + tok + `"vault": ` + string(quoted) + `, ` + rest),
			"domains":  in(account + tok + `"domains": [` + string(quoted) + `]`),
			"unknown":  in(account + tok + rest + `, "secret": ` + string(quoted)),
			"a name":   in(account + tok + rest + `, ` + string(quoted) + `: 5`),
			"a pool":   `{"environments": {"prod": {"pools": {` + string(quoted) + `: {}}}}}`,
			"in depth": in(account + tok + rest + `, "x": [[{"y": ` + string(quoted) + `}]]`),
		} {
			lines := problemsOf(t, folder(text), target.Dev)
			require.Len(t, lines, 1, "%s: %v", place, lines)
			assert.Contains(t, lines[0], "looks like a secret, which is not shown", place)
			assert.NotContains(t, lines[0], secret[len(secret)-10:], place)
		}
	}
	lines := problemsOf(t, folder(in(account+`"token": "exec:[\"curl\",\"--token=`+token[5:]+`\"]", `+rest)), target.Dev)
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0], "exec: an argument looks like a secret")
	assert.NotContains(t, lines[0], token[5:])
}

func TestNamesOfPools(t *testing.T) {
	for pool, want := range map[string]string{
		"a":                     `"a" is not the name of a pool`,
		"Acme":                  `"Acme" is not the name of a pool`,
		"a--b":                  `"a--b" is not the name of a pool`,
		strings.Repeat("a", 33): "is not the name of a pool",
		"local":                 "is the pool of the local platform",
		"acme-dev":              `has the environment "dev" in its name, so that its resources could be taken for another pool's (leave the environment out`,
		"prod":                  `has the environment "prod" in its name`,
		"acme-stage-eu":         `has the environment "stage" in its name`,
		"acmee":                 `no tenant is of the pool "acmee" (did you mean "acme"?)`,
		"nobody":                `no tenant is of the pool "nobody" (one of acme, shared)`,
	} {
		lines := problemsOf(t, folder(`{"environments": {"dev": {"pools": {"`+pool+`": {`+account+tok+`"workersDev": true}}}}}`), target.Dev)
		require.Len(t, lines, 1, pool)
		assert.Contains(t, lines[0], want)
	}
}

// pools is a file with two pools in prod and one in stage.
func pools(acme, shared, stage string) string {
	return fmt.Sprintf(`{"environments": {
"prod": {"pools": {"acme": {"vault": "file:/v/a", %s}, "shared": {%s}}},
"stage": {"pools": {"acme": {"vault": "file:/v/s", "token": "env:S", %s}}}}}`, acme, shared, stage)
}

func TestWhatPoolsCannotShare(t *testing.T) {
	const (
		acme   = `"domains": ["acme.example.com"], "token": "env:A", "account": "` + one + `"`
		shared = `"exclude": ["initech"], "domains": ["globex.example.org"], "token": "env:B", "account": "` + two + `"`
		stage  = `"workersDev": true, "account": "` + one + `"`
	)
	with := func(entry, old, new string) string { return strings.Replace(entry, old, new, 1) }
	for name, test := range map[string]struct {
		acme, shared, stage string
		want                []string
	}{
		"nothing is shared but an account between environments": {acme, shared, stage, nil},
		"an account": {acme, with(shared, two, one), stage, []string{
			"environments.prod.pools.acme.account: is also the account of environments.prod.pools.shared: whoever has its token reads both pools (give it an account of its own, or say \"sharedAccount\": true at both)",
			"environments.prod.pools.shared.account: is also the account of environments.stage.pools.acme: whoever has its token reads both pools (give it an account of its own, or say \"sharedAccount\": true at both)",
			"environments.stage.pools.acme.account: is also the account of environments.prod.pools.shared: whoever has its token reads both pools (give it an account of its own, or say \"sharedAccount\": true at both)"}},
		"an account, said at one": {acme + `, "sharedAccount": true`, with(shared, two, one), stage + `, "sharedAccount": true`, []string{
			"environments.prod.pools.shared.account: is also the account of environments.stage.pools.acme: whoever has its token reads both pools (give it an account of its own, or say \"sharedAccount\": true at both)"}},
		"an account, said at all": {acme + `, "sharedAccount": true`, with(shared, two, one) + `, "sharedAccount": true`, stage + `, "sharedAccount": true`, nil},
		"a token of two accounts": {acme, with(shared, "env:B", "env:A"), stage, []string{
			"environments.prod.pools.acme.token: is also the token of environments.prod.pools.shared, which is in another account (give each account a token of its own)",
			"environments.prod.pools.shared.token: is also the token of environments.prod.pools.acme, which is in another account (give each account a token of its own)"}},
		"a vault": {acme, shared + `, "vault": "file:/v/s"`, stage, []string{
			"environments.prod.pools.shared.vault: is also the vault of environments.stage.pools.acme (give each pool and environment secrets of its own)",
			"environments.stage.pools.acme.vault: is also the vault of environments.prod.pools.shared (give each pool and environment secrets of its own)"}},
		"a domain": {acme, with(shared, `"globex.example.org"`, `"globex.example.org", "acme.example.com"`), stage + `, "domains": ["acme.example.com"]`, []string{
			"environments.prod.pools.acme.domains[0]: \"acme.example.com\" is also at environments.stage.pools.acme (a host leads to one pool in one environment)",
			"environments.prod.pools.shared.domains[1]: \"acme.example.com\" is also at environments.stage.pools.acme (a host leads to one pool in one environment)",
			"environments.stage.pools.acme.domains[0]: \"acme.example.com\" is also at environments.prod.pools.acme (a host leads to one pool in one environment)"}},
		"a route": {acme + `, "routes": [{"pattern": "x.example.com/*", "zone": "example.com"}]`, shared + `, "routes": [{"pattern": "x.example.com/*", "zone": "example.com"}]`, stage, []string{
			"environments.prod.pools.acme.routes[0].pattern: \"x.example.com/*\" is also at environments.prod.pools.shared (a host leads to one pool in one environment)",
			"environments.prod.pools.shared.routes[0].pattern: \"x.example.com/*\" is also at environments.prod.pools.acme (a host leads to one pool in one environment)"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, line := range problemsOf(t, folder(pools(test.acme, test.shared, test.stage)), target.Prod) {
				_, line, _ = strings.Cut(line, ": ")
				got = append(got, line)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestSourcesWithSecretsNeedAVault(t *testing.T) {
	text := `{"environments": {"dev": {"pools": {"acme": {` + account + tok + `"workersDev": true}}}}}`
	lines := problemsOf(t, folder(text), target.Dev)
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0], "environments.dev.pools.acme.vault: is required: its tenants name secrets (such as file:/run/secrets/levada-acme-dev.json, made by levada secret new)")
	assert.Empty(t, problemsOf(t, folder(text), target.Prod), "it is not deployed there")
}
