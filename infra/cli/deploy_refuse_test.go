package cli

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/stack"
)

// What is wrong here is said before anything is asked of an account, with the file, the path and what to do.
func TestWhatIsWrongHereIsSaidBeforeAnyRequest(t *testing.T) {
	plan := []string{"plan", "acme", "--env", "prod"}
	for name, test := range map[string]struct {
		breaks func(c *clouds)
		args   []string
		says   []string
	}{
		"a mistake in deploy.json": {func(c *clouds) {
			c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Account = "acme" })
		}, plan, []string{"tenants/deploy.json\n", "line ", "environments.prod.pools.acme.account: ", "32 hexadecimal digits", "it is in the address of the account's dashboard"}},
		"two pools in an account": {func(c *clouds) {
			c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Account, p.Token = deploytest.AccountID("shared"), "env:OTHER" })
		}, plan, []string{"environments.prod.pools.acme.account: is also the account of environments.dev.pools.shared", `"sharedAccount": true`}},
		"a mistake in a tenant": {func(c *clouds) {
			c.Tenant("globex", map[string]any{"name": "Globex", "pool": "shared", "auth": map[string]any{"mode": "none"}})
		}, plan, []string{"tenants/globex/tenant.config.json\n", "auth.mode"}},
		"no token": {func(c *clouds) {
			c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Token = "env:CF_TOKEN_OF_NOBODY" })
		}, plan, []string{"tenants/deploy.json\n", "environments.prod.pools.acme.token: ", "env:CF_TOKEN_OF_NOBODY: the variable is not set"}},
		"a token that everybody may read": {func(c *clouds) {
			c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Token = "file:/etc/passwd" })
		}, plan, []string{"environments.prod.pools.acme.token: ", "chmod 600"}},
		"no vault": {func(c *clouds) {
			c.Tenant("acme", map[string]any{"name": "Acme", "pool": "acme", "sources": []any{map[string]any{"id": "cms", "name": "CMS", "webhook": map[string]any{"secrets": []string{"cms-1"}}}}})
			c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Vault = "file:" + c.Root + "/nothing" })
		}, plan, []string{"environments.prod.pools.acme.vault: ", "there is no such file"}},
		"no such tenant":        {nil, []string{"plan", "acne", "--env", "prod"}, []string{`there is no tenant "acne"`, `did you mean "acme"?`}},
		"no environment":        {nil, []string{"plan", "acme"}, []string{`required flag(s) "env" not set`, "See levada plan --help."}},
		"another environment":   {nil, []string{"plan", "acme", "--env", "production"}, []string{"--env production: is none of dev, stage or prod"}},
		"nobody":                {nil, []string{"deploy", "--env", "prod"}, []string{"name a tenant, whose pool it is, or say --all"}},
		"somebody and all":      {nil, []string{"drift", "acme", "--all", "--env", "prod"}, []string{"name a tenant, whose pool it is, or say --all"}},
		"two":                   {nil, []string{"status", "acme", "globex", "--env", "prod"}, []string{"accepts at most 1 arg"}},
		"an unknown flag":       {nil, []string{"rollback", "acme", "--env", "prod", "--too", "v1"}, []string{"unknown flag: --too"}},
		"nobody's rollback":     {nil, []string{"rollback", "--env", "prod"}, []string{"name a tenant"}},
		"nobody to ask":         {nil, []string{"deploy", "acme", "--env", "prod"}, []string{"nobody is there to be asked, and nothing was deployed: say --yes, or --dry-run"}},
		"nobody to ask, again":  {nil, []string{"rollback", "acme", "--env", "prod"}, []string{"nobody is there to be asked"}},
		"a release":             {nil, append(plan, "--release", "v 1"), []string{`"v 1" is not the name of a release`}},
		"a release to go to":    {nil, []string{"rollback", "acme", "--env", "prod", "--yes", "--to", "../x"}, []string{"is not the name of a release"}},
		"a role":                {nil, append(plan, "--only", "api,ui"), []string{"--only ui: is none of the Workers api, consumers, workflows, objects or mcp"}},
		"a canary":              {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--canary", "50,10"}, []string{"--canary 50,10: percents below 100, rising"}},
		"a canary of all":       {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--canary", "100"}, []string{"--canary 100"}},
		"a bake":                {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--bake", "-1s"}, []string{"--bake -1s: is below 0"}},
		"a wave":                {nil, []string{"deploy", "--all", "--env", "prod", "--yes", "--wave", "1,0"}, []string{"--wave 0: a wave has a pool at least"}},
		"concurrency":           {nil, []string{"deploy", "--all", "--env", "prod", "--yes", "--concurrency", "0"}, []string{"--concurrency 0: is below 1"}},
		"what nobody has":       {nil, append(plan, "--allow-destroy", "globex-prod-old"), []string{"--allow-destroy globex-prod-old: is no name of these pools, such as acme-prod-old"}},
		"a name not typed":      {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--allow-destroy", "acme-prod-old"}, []string{"nobody is there to type the name once more: say --confirm acme-prod-old"}},
		"a name typed wrong":    {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--allow-destroy", "acme-prod-old", "--confirm", "acme-prod-new"}, []string{"say --confirm acme-prod-old"}},
		"a name without a need": {nil, []string{"deploy", "acme", "--env", "prod", "--yes", "--confirm", "acme-prod-old"}, []string{"--confirm acme-prod-old: is not to be destroyed"}},
		"no Workers":            {nil, append(plan, "--workers", "/nothing/there"), []string{"--workers /nothing/there: the Worker api: "}},
	} {
		t.Run(name, func(t *testing.T) {
			c := twoPools(t)
			if test.breaks != nil {
				test.breaks(c)
			}
			code, out, errs := c.levada(test.args...)
			assert.Equal(t, exitProblem, code, errs)
			assert.Empty(t, out)
			for _, says := range test.says {
				assert.Contains(t, errs, says)
			}
			assert.Empty(t, c.API.Requests())
		})
	}
}

func TestWhatIsWrongHereForMachines(t *testing.T) {
	c := twoPools(t)
	c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.WorkersDev = false })
	c.Tenant("globex", map[string]any{"name": "", "pool": "shared"})
	v := c.view(exitProblem, "deploy", "--all", "--env", "prod", "--yes")
	assert.Equal(t, exitProblem, v.ExitCode)
	assert.Empty(t, v.Pools)
	require.Len(t, v.Problems, 2)
	assert.Equal(t, []string{"deploy.json", "environments.prod.pools.acme"}, []string{v.Problems[0].File, v.Problems[0].Path})
	assert.Equal(t, []string{"globex/tenant.config.json", "name"}, []string{v.Problems[1].File, v.Problems[1].Path})
}

// Tokens and the accounts that they lead to.
func TestWhoIsLetIn(t *testing.T) {
	scripts := []string{"Workers Scripts Read", "Queues Read", "Workers KV Storage Read", "Workers R2 Storage Read", "Vectorize Read", "AI Gateway Read"}
	for name, test := range map[string]struct {
		change func(c *clouds)
		args   []string
		code   int
		says   string
	}{
		"nobody's":       {func(c *clouds) { c.SetToken("acme", "a-token-that-nobody-knows-0123456789") }, []string{"plan"}, exitFailed, "token_invalid: the API does not know the token file:"},
		"another tenant": {func(c *clouds) { c.SetToken("acme", deploytest.TokenValue("shared")) }, []string{"plan"}, exitFailed, "token_invalid: the API does not know the token file:"},
		"a user's of another tenant": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{User: true, Accounts: []string{deploytest.AccountID("shared")}})
		}, []string{"plan"}, exitFailed, "account_denied: the token file:"},
		"switched off": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{deploytest.AccountID("acme")}, Status: "disabled"})
		}, []string{"plan"}, exitFailed, "is disabled"},
		"a user's": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{User: true, Accounts: []string{deploytest.AccountID("acme")}})
		}, []string{"plan"}, exitChanges, "pending"},
		"one that may read plans": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{deploytest.AccountID("acme")}, Groups: scripts})
		}, []string{"plan"}, exitChanges, "pending"},
		"and does not deploy": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{deploytest.AccountID("acme")}, Groups: scripts})
		}, []string{"deploy", "--yes"}, exitFailed, "the token lacks the permission Workers KV Storage Write"},
		"one that lacks something": {func(c *clouds) {
			c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{deploytest.AccountID("acme")}, Groups: scripts[1:]})
		}, []string{"status"}, exitFailed, "the token lacks the permission Workers Scripts Read"},
	} {
		t.Run(name, func(t *testing.T) {
			c := twoPools(t)
			test.change(c)
			code, out, errs := c.levada(append(test.args, "acme", "--env", "prod")...)
			assert.Equal(t, test.code, code, errs)
			var all strings.Builder
			for _, row := range rowsOf(out) {
				all.WriteString(row)
			}
			assert.Contains(t, all.String(), test.says)
			assert.NotContains(t, out+errs, "0123456789")
			for _, r := range c.API.Requests() {
				assert.True(t, !r.Write() || r.Status == http.StatusForbidden, r)
			}
		})
	}
	t.Run("drift with a token that may read", func(t *testing.T) {
		c := twoPools(t)
		c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes")
		c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{deploytest.AccountID("acme")}, Groups: scripts})
		c.fine(exitOK, "drift", "acme", "--env", "prod")
		c.fine(exitOK, "status", "acme", "--env", "prod")
	})
}

// The second net: nothing should have a token in it, and if it does, it is covered.
func TestATokenIsShownNowhere(t *testing.T) {
	secret := deploytest.TokenValue("acme")
	c := twoPools(t)
	c.API.Fail(double.Fault{Method: http.MethodPost, Status: 400, Message: "the header was Bearer " + secret, Times: -1})
	for _, format := range [][]string{{}, {"--json"}} {
		code, out, errs := c.levada(append([]string{"deploy", "acme", "--env", "prod", "--yes"}, format...)...)
		assert.Equal(t, exitFailed, code)
		assert.NotContains(t, out+errs, secret)
		assert.Contains(t, strings.Join(strings.FieldsFunc(out, func(r rune) bool { return r == '│' || unicode.IsSpace(r) }), " "), "the header was Bearer [")
	}
	// One that is longer than a cell of the table is wide.
	secret = strings.Repeat("0123456789", 20)
	c.API.Token(secret, double.Token{Accounts: []string{deploytest.AccountID("acme")}})
	c.SetToken("acme", secret)
	c.API.Heal()
	c.API.Fail(double.Fault{Method: http.MethodPost, Status: 400, Message: "the header was Bearer " + secret, Times: -1})
	_, table, said := c.levada("deploy", "acme", "--env", "prod", "--yes")
	assert.NotContains(t, table+said, secret[:30])
	c.cloud.site = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no way with " + secret) })}
	c.API.Heal()
	code, out, errs := c.levada("deploy", "acme", "--env", "prod", "--yes")
	assert.Equal(t, exitFailed, code, errs)
	assert.NotContains(t, out+errs, secret)
}

func TestDataGoesByItsNameAlone(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes")
	a := c.Open("acme")
	require.NoError(t, a.Do(t.Context(), "POST", a.Path("storage", "kv", "namespaces"), map[string]string{"title": "acme-prod-old"}, nil))
	out := c.fine(exitOK, "plan", "acme", "--env", "prod")
	assert.Contains(t, out, "= kv             old  (it has a name of ours, and stays: it is not noted as ours")
	code, _, _ := c.levada("deploy", "acme", "--env", "prod", "--allow-destroy", "acme-prod-old", "--confirm", "acme-prod-old", "--yes")
	assert.Equal(t, exitRefused, code, "nobody says that it is ours")

	destroy := []string{"deploy", "acme", "--env", "prod", "--adopt", "--allow-destroy", "acme-prod-old"}
	c.answers = "acme-prod-odl\n"
	code, _, errs := c.levada(destroy...)
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, errs, `"acme-prod-odl" is not its name: nothing was deployed`)
	c.answers = "acme-prod-old\nn\n"
	code, _, errs = c.levada(destroy...)
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, errs, "Deploy 1 pool in prod? [y/N]")
	assert.NotNil(t, c.API.KV(deploytest.AccountID("acme"), "acme-prod-old"))

	c.answers = "acme-prod-old\ny\n"
	code, _, errs = c.levada(destroy...)
	assert.Equal(t, exitOK, code, errs)
	assert.Nil(t, c.API.KV(deploytest.AccountID("acme"), "acme-prod-old"))

	require.NoError(t, a.Do(t.Context(), "POST", a.Path("storage", "kv", "namespaces"), map[string]string{"title": "acme-prod-old"}, nil))
	c.answers = ""
	c.fine(exitOK, append(destroy, "--confirm", "acme-prod-old", "--yes")...)
	assert.Nil(t, c.API.KV(deploytest.AccountID("acme"), "acme-prod-old"))
}

// A release that is live stays live when what is destroyed after it is not, and is shown as that.
func TestTheReleaseThatIsLiveIsShown(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	a := c.Open("acme")
	require.NoError(t, a.Do(t.Context(), "POST", a.Path("storage", "kv", "namespaces"), map[string]string{"title": "acme-prod-old"}, nil))
	c.Code("two")
	c.API.Fail(double.Fault{Method: "DELETE", Status: http.StatusBadRequest, Code: 1, Message: "no"})
	destroy := []string{"deploy", "acme", "--env", "prod", "--yes", "--adopt", "--allow-destroy", "acme-prod-old", "--confirm", "acme-prod-old", "--release"}
	v := c.view(exitFailed, append(destroy, "v2")...)
	assert.Equal(t, "v2", v.Pools[0].Release)
	assert.Contains(t, v.Pools[0].Error.Message, "release v2 is live, and what was to be done after it was not: kv acme-prod-old: ")
	assert.Contains(t, c.fine(exitOK, "status", "acme", "--env", "prod"), "release v2, since")
}

func TestRollbackTellsFirst(t *testing.T) {
	c := twoPools(t)
	code, out, _ := c.levada("rollback", "acme", "--env", "prod", "--yes")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, rowsOf(out)["acme"], "has no release yet")
	c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v1")
	_, out, _ = c.levada("rollback", "acme", "--env", "prod", "--yes")
	assert.Contains(t, rowsOf(out)["acme"], "is at its first release, v1")
	c.Code("two")
	c.Tenant("acme", map[string]any{"name": "Renamed", "pool": "acme"})
	c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2")
	_, out, _ = c.levada("rollback", "acme", "--env", "prod", "--yes", "--to", "v0")
	assert.Contains(t, rowsOf(out)["acme"], `has no release "v0": levada status lists them`)

	before := len(c.API.Writes())
	v := c.view(exitChanges, "rollback", "acme", "--env", "prod", "--dry-run")
	assert.Equal(t, "v1", v.Release)
	assert.NotEmpty(t, v.Pools[0].Stays)
	c.answers = "no\n"
	code, out, errs := c.levada("rollback", "acme", "--env", "prod")
	assert.Equal(t, exitRefused, code)
	assert.Contains(t, errs, "Roll acme in prod back to v1? [y/N]")
	assert.Contains(t, out, "what goes back:\n  ~ worker         objects, mcp, api, workflows, consumers")
	assert.Contains(t, out, "tenants        config")
	assert.Len(t, c.API.Writes(), before)
	c.answers = "yes\n"
	c.fine(exitOK, "rollback", "acme", "--env", "prod")
	var config struct{ Name string }
	require.NoError(t, json.Unmarshal([]byte(c.API.KV(deploytest.AccountID("acme"), "acme-prod-config")["config/acme"]), &config))
	assert.Equal(t, "acme", config.Name)
}

// Interrupted while a version is tried out, what had the traffic before has all of it again.
func TestInterruptedInTheCanary(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	c.Code("two")
	c.Tenant("acme", map[string]any{"name": "Renamed", "pool": "acme"})
	uploads := 4
	code, reached := c.killed(uploads+6, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2")
	require.True(t, reached)
	assert.Equal(t, exitInterrupted, code)
	out := c.fine(exitOK, "status", "acme", "--env", "prod")
	assert.Contains(t, out, "release v1, since")
	assert.Equal(t, len(stack.Levada(stack.Pool{}).Workers), strings.Count(out, "│   100 % │ v1"), out)
	c.fine(exitOK, "drift", "acme", "--env", "prod")
	assert.Equal(t, fleet.Done, c.view(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2").Pools[0].Result)
}

func TestOneWorkerAtATime(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v1")
	c.Code("two")
	out := c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2", "--only", "api", "--canary", "none")
	assert.Contains(t, out, "~ worker         api")
	assert.Contains(t, out, "= worker         objects, mcp, workflows, consumers  (left as it is)")
	c.fine(exitChanges, "plan", "acme", "--env", "prod")
	c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v3")
	c.fine(exitOK, "plan", "acme", "--env", "prod")
}
