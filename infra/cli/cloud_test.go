package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/fleet"
)

// Another process deploys into a world by two variables.
func TestAWorldByItsAddresses(t *testing.T) {
	w := deploytest.New(t, deploytest.Pools(2)...)
	w.Serve(t)
	code, out, errs := w.Run(Execute, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	assert.Equal(t, exitOK, code, out+errs)
	code, out, errs = w.Run(Execute, "plan", "--all", "--env", "prod")
	assert.Equal(t, exitOK, code, out+errs)
	assert.Contains(t, out, "t001, t002 in prod, live: v1\n", "plans that read the same are one")
}

// Tokens are sent there, so it is this machine.
func TestOnlyThisMachineStandsInForTheAPI(t *testing.T) {
	w := deploytest.New(t, deploytest.Pools(1)...)
	for _, variable := range []string{apiVariable, siteVariable} {
		for _, address := range []string{"https://api.evil.example/client/v4", "http://evil.example", "http://localhost.evil.example", "http://10.0.0.1", "http://localhost:1", "https://127.0.0.1:1", "http://x:y@127.0.0.1:1", "127.0.0.1:1", ":"} {
			t.Run(variable+" "+address, func(t *testing.T) {
				t.Setenv(variable, address)
				code, _, errs := w.Run(Execute, "plan", "t001", "--env", "prod")
				assert.Equal(t, exitProblem, code)
				assert.Contains(t, errs, variable)
			})
		}
	}
}

func TestTheNameOfARelease(t *testing.T) {
	now := time.Date(2026, 11, 22, 21, 5, 7, 0, time.FixedZone("", 3600))
	dir := t.TempDir()
	assert.Equal(t, "20261122-200507", releaseName(dir, os.Environ(), now), "without git")
	git := func(args ...string) {
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "x")
	name := releaseName(dir, os.Environ(), now)
	assert.Regexp(t, regexp.MustCompile(`^20261122-200507-[0-9a-f]{7}$`), name)
	git("init", "-q", filepath.Join(dir, "new"))
	git("-C", filepath.Join(dir, "new"), "commit", "-q", "--allow-empty", "-m", "x")
	assert.Equal(t, name+"-dirty", releaseName(dir, os.Environ(), now))
	assert.NoError(t, deploy.CheckRelease(name+"-dirty"))
}

func TestTheBarGoesWithTheActions(t *testing.T) {
	var b bytes.Buffer
	v := &pools{poolsOptions: &poolsOptions{globals: &globals{}}, done: map[deploy.Unit]int{}, bar: newBar(&b, 4, 100)}
	acme, globex := deploy.Unit{Pool: "acme", Env: "prod"}, deploy.Unit{Pool: "globex", Env: "prod"}
	for _, s := range []fleet.Step{{Unit: acme, Line: "+ queue acme-prod-fetch"}, {Unit: acme, Actions: 1}, {Unit: globex, Actions: 1}, {Unit: globex, Actions: 2}, {Unit: acme, Line: "~ worker x  (why)", Actions: 1}, {Unit: acme, Actions: 2}} {
		v.tell(s)
	}
	assert.EqualValues(t, 4, v.bar.State().CurrentNum)
	assert.Contains(t, b.String(), "acme: ~ worker x ")
	assert.NotContains(t, b.String(), "(why)")
}
