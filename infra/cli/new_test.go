package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/generate"
)

// fresh is a checkout with one tenant, and nothing that could be built.
func fresh(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module levada.dev\n"), 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tenants", "acme"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "tenants", "acme", "tenant.config.json"), []byte(twoTenants["acme"]), 0o644))
	return root
}

// answering runs a command line, answering its questions, if there are answers.
func answering(t *testing.T, answers string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	root := newRoot(&globals{}, func() {})
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&problems)
	root.SetIn(os.Stdin) // which is no terminal in a test
	if answers != "" {
		root.SetIn(strings.NewReader(answers))
	}
	if err := root.ExecuteContext(t.Context()); err != nil {
		return exitProblem, out.String(), problems.String() + err.Error()
	}
	return exitOK, out.String(), problems.String()
}

func TestNewTenantByFlags(t *testing.T) {
	root := fresh(t)
	args := []string{"new", "tenant", "initech", "--root", root, "--host", "initech.localhost", "--usd-per-month", "100"}
	code, out, problems := answering(t, "", append(args, "--dry-run")...)
	assert.Equal(t, []any{exitOK, "tenant initech: nothing was written (--dry-run)\n"}, []any{code, problems})
	assert.Contains(t, out, `+  "allowedHosts": ["initech.localhost"],`)
	_, out, _ = answering(t, "", append(args, "--dry-run", "--json")...)
	var planned generate.Plan
	require.NoError(t, json.Unmarshal([]byte(out), &planned))
	assert.NoDirExists(t, filepath.Join(root, "tenants", "initech"))

	code, out, problems = answering(t, "", args...)
	assert.Equal(t, []any{exitOK, ""}, []any{code, problems})
	assert.Contains(t, out, "+ tenants/initech/tenant.config.json\n")
	written, err := os.ReadFile(filepath.Join(root, "tenants", "initech", "tenant.config.json"))
	require.NoError(t, err)
	assert.Equal(t, string(written), planned.Files[0].Text, "the plan has the text, for those who write it themselves")
	_, out, _ = answering(t, "", args...)
	assert.Equal(t, "tenant initech is there already: nothing to write\n", out)

	_, out, _ = answering(t, "", append(args, "--json")...)
	var p generate.Plan
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	assert.Equal(t, generate.Keep, p.Files[0].Action)
	code, _, problems = answering(t, "", append(args, "--name", "Another")...)
	assert.Equal(t, exitProblem, code)
	assert.Equal(t, "nothing was written:\n  tenants/initech/tenant.config.json: was edited since it was made, or is another's (keep it, or write over it with --force)", problems)
}

func TestNewTenantAsks(t *testing.T) {
	root := fresh(t)
	code, out, asked := answering(t, strings.Join([]string{"Initech", "initech", "Initech Inc.", "shared", "none", "keys", "", "", "@cf/deepgram/aura-9", "@cf/deepgram/aura-2-es", "initech.localhost  i.example.com"}, "\n"),
		"new", "tenant", "--root", root)
	require.Equal(t, exitOK, code, asked)
	assert.Contains(t, out, "+ tenants/initech/tenant.config.json\n")
	assert.Contains(t, asked, `"Initech" is not a tenant id (use 2 to 32 lower-case letters`)
	assert.Contains(t, asked, "callers need keys, or the door is open [keys]: ")
	b, err := os.ReadFile(filepath.Join(root, "tenants", "initech", "tenant.config.json"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"$schema": "../tenant.schema.json", "id": "initech", "name": "Initech Inc.", "pool": "shared", "auth": {"mode": "keys"},
		"allowedHosts": ["initech.localhost", "i.example.com"], "models": {"embedding": "@cf/baai/bge-m3", "chat": "@cf/zai-org/glm-4.7-flash"},
		"speech": {"enabled": true, "model": "@cf/deepgram/aura-2-es"}}`, string(b))

	code, _, problems := answering(t, "umbrella\n", "new", "tenant", "--root", root)
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, problems, "nothing was written: the questions ended without an answer")
	assert.NoDirExists(t, filepath.Join(root, "tenants", "umbrella"))
	_, _, asked = answering(t, "Umbrella\n\n\n\n\n\n", "new", "tenant", "umbrella", "--root", root, "--pool", "shared", "--host", "u.localhost", "--dry-run")
	assert.NotContains(t, asked, "pool", "a flag has said it")
	_, out, asked = answering(t, "x", "new", "tenant", "umbrella", "--root", root, "--yes", "--dry-run")
	assert.NotContains(t, asked, ": ?")
	assert.Contains(t, out, `+  "name": "umbrella",`)
}

func TestNewNeedsAName(t *testing.T) {
	root := fresh(t)
	code, _, problems := answering(t, "", "new", "tenant", "--root", root)
	assert.Equal(t, []any{exitProblem, "nobody is there to be asked: name the tenant"}, []any{code, problems})
	code, _, problems = answering(t, "", "new", "worker", "../x", "--root", root)
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, problems, `nothing was written:`+"\n"+`  worker: "../x" cannot be a name (use 2 to 24`)
	_, _, problems = answering(t, "", "new", "binding", "X", "--root", root, "--worker", "api", "--kind", "d1")
	assert.Contains(t, problems, `kind: "d1" is no kind of binding (one of ai, kv, object, queue, r2, service, vectorize, workflow)`)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "go.mod and tenants")
}

// TestEveryGeneratorHasATask: what levada new makes, task new:<kind> makes.
func TestEveryGeneratorHasATask(t *testing.T) {
	tasks, err := os.ReadFile(filepath.Join("..", "..", "Taskfile.yml"))
	require.NoError(t, err)
	for _, cmd := range newNew(&globals{}).Commands() {
		assert.Contains(t, string(tasks), "\n  new:"+kindOf(cmd)+":\n    desc: ")
		assert.Contains(t, string(tasks), "bin/levada new "+kindOf(cmd)+" {{")
	}
}

func kindOf(cmd *cobra.Command) string { return cmd.Name() }
