package cli

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/fleet"
)

// by is the pools of each result.
func by(v fleetView) map[fleet.State]string {
	all := map[fleet.State]string{}
	for _, p := range v.Pools {
		all[p.Result] = strings.TrimSpace(all[p.Result] + " " + p.Pool)
	}
	return all
}

// breaks has every upload of a Worker into an account fail.
func breaks(c *clouds, account string) {
	c.API.Fail(double.Fault{Method: http.MethodPut, Path: regexp.MustCompile("^/accounts/" + deploytest.AccountID(account) + "/workers/scripts/"), Status: 500, Times: -1})
}

func TestAHundredTenantsOfWhichThreeFail(t *testing.T) {
	c := newClouds(t, deploytest.Pools(100)...)
	c.SetToken("t007", "a-token-that-nobody-knows-0123456789")
	breaks(c, "t042")
	c.API.Token(deploytest.TokenValue("t099"), double.Token{Accounts: []string{deploytest.AccountID("t099")}, Groups: []string{"Workers Scripts Write", "Workers KV Storage Write", "Workers R2 Storage Write", "Vectorize Write", "AI Gateway Write"}})
	code, out, errs := c.levada("deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "levada: 3 of 100 pools did not get there\n")
	assert.Equal(t, 97, strings.Count(out, "│ done "), out)
	rows := rowsOf(out)
	assert.Contains(t, rows["t007"], "failed")
	assert.Contains(t, rows["t007"], "the API does not know the token file:")
	assert.Contains(t, rows["t042"], "worker t042-prod-objects: PUT accounts/")
	assert.Contains(t, rows["t042"], "500")
	assert.Contains(t, rows["t099"], "the token lacks the permission Queues Read")
	assert.NotContains(t, out+errs, "a-token-that-nobody-knows")

	c.SetToken("t007", deploytest.TokenValue("t007"))
	c.API.Token(deploytest.TokenValue("t099"), double.Token{Accounts: []string{deploytest.AccountID("t099")}})
	c.API.Heal()
	v := c.view(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	assert.Equal(t, "t007 t042 t099", by(v)[fleet.Done], "the others have it")
	c.fine(exitOK, "plan", "--all", "--env", "prod")
}

// rowsOf are the rows of a table by their first cell, as they would read with room for them.
func rowsOf(table string) map[string]string {
	rows, row := map[string]string{}, ""
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "│")
		if len(cells) < 3 {
			continue
		}
		if first := strings.TrimSpace(cells[1]); first != "" {
			row = first
		}
		for _, cell := range cells[1:] {
			rows[row] += strings.TrimSpace(cell) + " "
		}
	}
	for name, row := range rows {
		rows[name] = strings.Join(strings.Fields(row), " ")
	}
	return rows
}

func TestWaves(t *testing.T) {
	for name, test := range map[string]struct {
		flags []string
		want  map[fleet.State]string
		waves []int
	}{
		"one wave goes on": {nil, map[fleet.State]string{fleet.Done: "t001 t002 t004 t005 t006", fleet.Failed: "t003"}, []int{1, 1, 1, 1, 1, 1}},
		"a canary, then two at a time": {[]string{"--wave", "1,2"}, map[fleet.State]string{fleet.Done: "t001 t002", fleet.Failed: "t003", fleet.Skipped: "t004 t005 t006"},
			[]int{1, 2, 2, 3, 3, 4}},
		"waves that go on": {[]string{"--wave", "2", "--continue"}, map[fleet.State]string{fleet.Done: "t001 t002 t004 t005 t006", fleet.Failed: "t003"}, []int{1, 1, 2, 2, 3, 3}},
		"failing fast":     {[]string{"--fail-fast", "--concurrency", "1"}, map[fleet.State]string{fleet.Done: "t001 t002", fleet.Failed: "t003", fleet.Skipped: "t004 t005 t006"}, []int{1, 1, 1, 1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClouds(t, deploytest.Pools(6)...)
			breaks(c, "t003")
			v := c.view(exitFailed, append([]string{"deploy", "--all", "--env", "prod", "--yes"}, test.flags...)...)
			assert.Equal(t, test.want, by(v))
			var waves []int
			for _, p := range v.Pools {
				waves = append(waves, p.Wave)
				if p.Result == fleet.Skipped {
					assert.Equal(t, "not_begun", p.Error.Code)
				}
			}
			assert.Equal(t, test.waves, waves)
			c.API.Heal()
			c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes")
			c.fine(exitOK, "plan", "--all", "--env", "prod")
		})
	}
}

// killed runs a command whose context ends at the n-th write, and reports whether there was one.
func (c *clouds) killed(n int, args ...string) (code int, reached bool) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	writes := 0
	c.watch = func(r double.Request) {
		if r.Write() {
			if writes++; writes == n {
				cancel()
			}
		}
	}
	code, out, errs := c.levadaFor(ctx, args...)
	c.watch = nil
	if writes >= n && code == exitFailed {
		c.t.Logf("%s%s", out, errs)
	}
	return code, writes >= n
}

// Whoever deploys is stopped at every write there is, and deploys again.
func TestStoppedAnywhereItConverges(t *testing.T) {
	for name, test := range map[string]struct{ live bool }{"the first deployment": {false}, "a release": {true}} {
		t.Run(name, func(t *testing.T) {
			reached, n := true, 0
			for ; reached; n++ {
				c := newClouds(t, deploytest.Pool{Name: "acme"})
				c.Code("one")
				if test.live {
					c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v1")
					c.Code("two")
					c.Tenant("acme", map[string]any{"name": "Renamed", "pool": "acme"})
				}
				var code int
				code, reached = c.killed(n+1, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2")
				if !reached {
					assert.Equal(t, exitOK, code)
					break
				}
				require.Contains(t, []int{exitInterrupted, exitOK}, code, "write %d", n+1)
				c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes", "--release", "v2")
				out := c.fine(exitOK, "plan", "acme", "--env", "prod")
				require.Contains(t, out, "live: v2")
				c.fine(exitOK, "drift", "acme", "--env", "prod")
			}
			assert.Greater(t, n, 10)
		})
	}
}

// Each write of a first deployment is lost on its way there, and its answer on the way back.
func TestEveryWriteIsLostAndItConverges(t *testing.T) {
	whole := newClouds(t, deploytest.Pool{Name: "acme"})
	whole.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes")
	writes := len(whole.API.Writes())
	require.Greater(t, writes, 40)
	for name, answer := range map[string]bool{"on its way there": false, "on its way back": true} {
		t.Run(name, func(t *testing.T) {
			for n := range writes {
				c := newClouds(t, deploytest.Pool{Name: "acme"})
				c.Lose(n+1, answer)
				code, out, errs := c.levada("deploy", "acme", "--env", "prod", "--yes")
				require.Contains(t, []int{exitOK, exitFailed, exitRolledBack}, code, "write %d: %s%s", n+1, out, errs)
				if answer {
					require.Equal(t, exitOK, code, "write %d: %s%s", n+1, out, errs)
				}
				c.fine(exitOK, "deploy", "acme", "--env", "prod", "--yes")
				c.fine(exitOK, "plan", "acme", "--env", "prod")
			}
		})
	}
}

func TestTheAPIsBadDays(t *testing.T) {
	for name, fault := range map[string]double.Fault{
		"busy":         {Status: 429, RetryAfter: "7", Times: 3},
		"broken":       {Status: 503, Times: 2},
		"cut":          {Method: http.MethodGet, Before: true, Times: 2},
		"lost answers": {Method: http.MethodPut, Lost: true, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := twoPools(t)
			c.API.Fail(fault)
			c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes")
			c.fine(exitOK, "plan", "--all", "--env", "prod")
		})
	}
}

func TestASickReleaseIsRolledBack(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	c.Code("two")
	c.API.Sick(func(script, _, tag string) int {
		if tag == "v2" && strings.HasPrefix(script, "shared-") {
			return 500
		}
		return 0
	})
	v := c.view(exitRolledBack, "deploy", "--all", "--env", "prod", "--yes", "--release", "v2")
	assert.Equal(t, map[fleet.State]string{fleet.Done: "acme", fleet.RolledBack: "shared"}, by(v))
	assert.Equal(t, []string{"v2", "v1"}, []string{v.Pools[0].Release, v.Pools[1].Release})
	assert.Contains(t, c.fine(exitOK, "status", "globex", "--env", "prod"), "release v1, since")

	c.API.Fail(double.Fault{Method: http.MethodPost, Path: regexp.MustCompile("/shared-prod-api/deployments$"), Skip: 1, Status: 400, Times: -1})
	v = c.view(exitStuck, "deploy", "demo", "--env", "prod", "--yes", "--release", "v2")
	assert.Equal(t, fleet.Stuck, v.Pools[0].Result)
	assert.Contains(t, v.Pools[0].Error.Message, "AND THE ROLLBACK FAILED")
	c.API.Heal()
	c.API.Sick(nil)
	c.fine(exitOK, "deploy", "demo", "--env", "prod", "--yes", "--release", "v2")
	c.fine(exitOK, "plan", "demo", "--env", "prod")
}

func TestARefusedPoolIsNotTouched(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "globex", "--env", "prod", "--yes", "--release", "v1")
	c.API.Edit(deploytest.AccountID("shared"), func(a *double.Account) {
		a.EditSettings("shared-prod-api", func(s *double.Settings) { s.Tags = nil })
	})
	c.Code("two")
	v := c.view(exitRefused, "plan", "globex", "--env", "prod")
	assert.Equal(t, fleet.Refused, v.Pools[0].Result)
	before := len(c.API.Writes())
	code, out, errs := c.levada("deploy", "globex", "--env", "prod", "--yes")
	assert.Equal(t, exitRefused, code, errs)
	assert.Contains(t, rowsOf(out)["shared"], "worker shared-prod-api: it is there, and not tagged as ours: --adopt takes it over")
	assert.Len(t, c.API.Writes(), before)
	c.fine(exitOK, "deploy", "globex", "--env", "prod", "--yes", "--adopt")
}
