package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/stack"
)

const (
	movedFrom = "lv_acme_0123456789abcdefghijklmnopqrstuvwxyz"
	movedTo   = "lv_acme_zyxwvutsrqponmlkjihgfedcba9876543210"
)

// talkative are pools that repeat whatever they are told, keys too.
type talkative struct{ refuses bool }

// Do implements client.Doer.
func (p talkative) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	told := r.Header.Get("Authorization") + " " + string(body)
	answer, status := map[string]any{"ok": true, "data": map[string]any{"state": told}}, http.StatusOK
	if p.refuses {
		answer, status = map[string]any{"ok": false, "error": map[string]any{"code": "refused", "message": told, "details": map[string]any{"hint": told}}}, http.StatusBadRequest
	}
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
}

func TestAMoveShowsNoKey(t *testing.T) {
	noEnvironment(t)
	t.Setenv("ACME_OLD", movedFrom)
	file := filepath.Join(t.TempDir(), "new")
	require.NoError(t, os.WriteFile(file, []byte(movedTo+"\n"), 0o600))
	for _, flags := range [][]string{{"--estimate"}, {"--yes"}, {"--yes", "--last"}, {"--call-off"}, {"--call-off", "--json"}} {
		for _, refuses := range []bool{true, false} {
			var out, errs bytes.Buffer
			args := append([]string{"move", "acme", "--from", "https://old.example.com", "--to", "https://new.example.com", "--key-from", "env:ACME_OLD", "--key-to", "file:" + file}, flags...)
			execute(t.Context(), &globals{http: talkative{refuses}}, args, &out, &errs)
			all := out.String() + errs.String()
			assert.NotContains(t, all, movedFrom, "%v", flags)
			assert.NotContains(t, all, movedTo, "%v", flags)
			if refuses || flags[0] == "--call-off" {
				assert.Contains(t, all, "Bearer [token]", "%v", flags)
			}
		}
	}
}

// What one key is read by does not see the other, nor what deploy.json refers to.
func TestTheCommandThatGivesAKeySeesNoOther(t *testing.T) {
	noEnvironment(t)
	w := deploytest.New(t, deploytest.Pools(1)...)
	w.Edit("stage", "t001", func(p *deploytest.PoolJSON) { p.Vault = "env:T001_VAULT" })
	t.Setenv("ACME_OLD", movedFrom)
	t.Setenv("T001_VAULT", "another-secret-0123456789abcdefghij")
	seen := filepath.Join(t.TempDir(), "seen")
	var out, errs bytes.Buffer
	execute(t.Context(), &globals{http: talkative{}}, []string{"move", "acme", "--root", w.Root, "--from", "https://old.example.com", "--to", "https://new.example.com",
		"--key-from", "env:ACME_OLD", "--key-to", fmt.Sprintf(`exec:["sh","-c","env > %s"]`, seen)}, &out, &errs)
	environ, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.Contains(t, string(environ), "PATH=")
	assert.NotContains(t, string(environ), "ACME_OLD")
	assert.NotContains(t, string(environ), "T001_VAULT")
}

// Neither the command that gives the token of one account sees that of another, nor the compiler, nor git.
func TestWhatADeploymentStartsSeesNoToken(t *testing.T) {
	c := twoPools(t)
	bin := t.TempDir()
	for name, says := range map[string]string{"go": "/nothing", "git": "2fa26d8", "token": deploytest.TokenValue("acme")} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n/usr/bin/env > "+filepath.Join(bin, name)+".seen\necho "+says+"\n"), 0o700))
	}
	t.Setenv("PATH", bin)
	t.Setenv("CF_TOKEN_SHARED", deploytest.TokenValue("shared"))
	t.Setenv("SHARED_STAGE", "another-secret-0123456789abcdefghij")
	t.Setenv("CLOUDFLARE_API_TOKEN", "an-ambient-one-0123456789abcdefghij")
	c.Edit("prod", "acme", func(p *deploytest.PoolJSON) { p.Token = `exec:["token"]` })
	c.Edit("prod", "shared", func(p *deploytest.PoolJSON) { p.Token = "env:CF_TOKEN_SHARED" })
	c.Edit("stage", "shared", func(p *deploytest.PoolJSON) { p.Token = "env:SHARED_STAGE" })
	code, out, errs := c.levada("plan", "--all", "--env", "prod")
	require.Equal(t, exitChanges, code, out+errs)

	o := deployOptions{poolsOptions: poolsOptions{root: c.Root, stderr: io.Discard, source: (&globals{root: c.Root}).source()}}
	t.Setenv("LEVADA_WORKERS", "")
	_, err := o.code(t.Context(), stack.Stack{Workers: stack.Levada(stack.Pool{}).Workers[:1]})
	require.Error(t, err, "this go command builds nothing")
	for _, name := range []string{"go", "git", "token"} {
		seen, err := os.ReadFile(filepath.Join(bin, name+".seen"))
		require.NoError(t, err, name)
		assert.Contains(t, string(seen), "PATH="+bin, name)
		for _, secret := range []string{"CF_TOKEN_SHARED", "SHARED_STAGE", "CLOUDFLARE_API_TOKEN"} {
			assert.NotContains(t, string(seen), secret, name)
		}
	}
}
