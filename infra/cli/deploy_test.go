package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/stack"
)

// twoPools are a tenant by itself, and two that share Workers.
func twoPools(t *testing.T) *clouds {
	return newClouds(t, deploytest.Pool{Name: "acme"}, deploytest.Pool{Name: "shared", Tenants: []string{"globex", "demo"}})
}

func TestFromTheFirstDeploymentToTheWayBack(t *testing.T) {
	c := twoPools(t)
	v := c.view(exitChanges, "plan", "acme", "--env", "prod")
	assert.Equal(t, fleet.Pending, v.Pools[0].Result)
	assert.Empty(t, c.API.Writes(), "a plan writes nothing")

	v = c.view(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	assert.Equal(t, []fleet.State{fleet.Done, fleet.Done}, results(v))
	before := len(c.API.Writes())
	v = c.view(exitOK, "deploy", "--all", "--env", "prod", "--yes")
	assert.Equal(t, []fleet.State{fleet.Unchanged, fleet.Unchanged}, results(v))
	assert.Len(t, c.API.Writes(), before, "there is nothing to write")

	c.Code("two")
	c.fine(exitChanges, "plan", "globex", "--env", "prod")
	assert.Contains(t, c.fine(exitOK, "drift", "--all", "--env", "prod"), "no change", "another checkout is no drift")
	code, out, errs := c.levada("deploy", "globex", "--env", "prod", "--yes")
	assert.Equal(t, exitOK, code, errs)
	assert.Contains(t, errs, "globex is served by the pool shared; it serves demo, too\n")
	assert.Contains(t, out, "shared in prod, live: v1\n  ~ worker         objects, mcp, api, workflows, consumers  (its code, bindings or settings are to be others)\n")
	release := v.Release[:len("20261122-20")]
	assert.Contains(t, out, release)

	out = c.fine(exitOK, "rollback", "globex", "--env", "prod", "--yes")
	assert.Contains(t, out, "back to v1")
	assert.Contains(t, out, "what does not:\n  documents, conversations, money spent, dead letters: data stays as it is\n")
	out = c.fine(exitOK, "status", "demo", "--env", "prod")
	assert.Contains(t, out, "release v1, since")
	assert.Equal(t, len(stack.Levada(stack.Pool{}).Workers), strings.Count(out, "│   100 % │ v1"), out)
	c.fine(exitOK, "drift", "globex", "--env", "prod")
}

func results(v fleetView) []fleet.State {
	var all []fleet.State
	for _, p := range v.Pools {
		all = append(all, p.Result)
	}
	return all
}

func TestDriftIsWhatSomebodyChangedByHand(t *testing.T) {
	c := twoPools(t)
	c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes")
	a := c.Open("shared")
	put := a.Do(t.Context(), "PUT", a.Path("workers", "scripts", "shared-prod-workflows", "schedules"), []map[string]string{{"cron": "0 0 * * *"}}, nil)
	assert.NoError(t, put)
	c.Code("two") // which drift does not see
	v := c.view(exitChanges, "drift", "--all", "--env", "prod")
	assert.Equal(t, []fleet.State{fleet.Unchanged, fleet.Pending}, results(v))
	assert.Equal(t, 1, v.Pools[1].Plan.Count(deploy.Drift))
	out := c.fine(exitChanges, "drift", "demo", "--env", "prod")
	assert.Contains(t, out, "  ! crons          workflows  ([0 0 * * *] -> [*/5 * * * *])\n")
	assert.Contains(t, out, "drifted")
	c.Code("one")
	c.fine(exitOK, "deploy", "demo", "--env", "prod", "--yes")
	c.fine(exitOK, "drift", "--all", "--env", "prod")
	assert.Contains(t, c.fine(exitOK, "drift", "--all", "--env", "stage"), "not deployed")
}

// That a canary has nobody to ask is shown with the plan, to people and to machines.
func TestAPlanWarnsThatACanaryAsksNobody(t *testing.T) {
	c := twoPools(t)
	const zone = "cccccccccccccccccccccccccccccccc"
	id := deploytest.AccountID("acme")
	c.API.Zone(zone, "acme.example", id)
	c.API.Token(deploytest.TokenValue("acme"), double.Token{Accounts: []string{id}, Zones: []string{zone}})
	c.Edit("prod", "acme", func(p *deploytest.PoolJSON) {
		p.WorkersDev, p.Routes = false, []deploytest.Route{{Pattern: "*.acme.example/*", Zone: "acme.example"}}
	})
	c.fine(exitOK, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	c.Code("two")
	const says = "held against nothing, they only take their time: only patterns lead to the public Worker"
	assert.Equal(t, 1, strings.Count(c.fine(exitChanges, "plan", "--all", "--env", "prod"), says), "of the other one the addresses are asked")
	assert.NotContains(t, c.fine(exitChanges, "deploy", "acme", "--env", "prod", "--dry-run", "--canary", "none"), says)
	v := c.view(exitOK, "deploy", "--all", "--env", "prod", "--yes")
	assert.Contains(t, strings.Join(v.Pools[0].Plan.Warnings, ""), says)
	assert.Empty(t, v.Pools[1].Plan.Warnings)
}
