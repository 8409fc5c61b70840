package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// atOnce runs command lines at the same time.
func atOnce(t *testing.T, lines [][]string) {
	t.Helper()
	var all sync.WaitGroup
	for _, line := range lines {
		all.Go(func() {
			code, _, errs := levada(t, line...)
			assert.Equal(t, exitOK, code, "%v: %s", line, errs)
		})
	}
	all.Wait()
}

func TestKeysThatAreMadeAtOnceAreAllThere(t *testing.T) {
	root, _ := twoAccounts(t)
	var lines [][]string
	for i := range 20 {
		for _, id := range []string{"acme", "globex"} {
			lines = append(lines, []string{"--root", root, "key", "new", id, "--env", "prod", "--name", fmt.Sprint("key-", i)})
		}
	}
	atOnce(t, lines)
	for _, id := range []tenants.ID{"acme", "globex"} {
		keys, problems := target.Keys(os.DirFS(filepath.Join(root, "tenants")), id)
		require.Empty(t, problems)
		assert.Len(t, keys, 20, id)
	}
	lines = nil
	for i := range 20 {
		lines = append(lines, []string{"--root", root, "key", "revoke", "acme", fmt.Sprint("key-", i), "--env", "prod"},
			[]string{"--root", root, "key", "new", "acme", "--env", "stage", "--name", fmt.Sprint("key-", i)})
	}
	atOnce(t, lines)
	keys, problems := target.Keys(os.DirFS(filepath.Join(root, "tenants")), "acme")
	require.Empty(t, problems)
	require.Len(t, keys, 20)
	for _, k := range keys {
		assert.Equal(t, "stage", k.Env)
	}
	left, err := os.ReadDir(filepath.Join(root, "tenants/acme"))
	require.NoError(t, err)
	assert.Len(t, left, 2, "nothing is left beside the files")
}

// Also where the vault is in the folder of the configuration: who holds both does not wait for itself.
func TestSecretsThatAreMadeAtOnceAreAllThere(t *testing.T) {
	for _, inside := range []bool{false, true} {
		root, vaults := twoAccounts(t)
		file, config := filepath.Join(vaults, "new", "acme.json"), filepath.Join(root, "tenants/acme/tenant.config.json")
		if inside {
			file = filepath.Join(root, "tenants/acme/vault.json")
			require.NoError(t, os.WriteFile(filepath.Join(root, ".gitignore"), []byte("vault.json\n"), 0o644))
			out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput()
			require.NoError(t, err, string(out))
		}
		var sources []string
		for i := range 8 {
			sources = append(sources, fmt.Sprintf(`{"id": "s%d", "webhook": {"secrets": ["s%[1]d-1"]}}`, i))
		}
		require.NoError(t, os.WriteFile(config, []byte(`{"id": "acme", "name": "Acme", "sources": [`+strings.Join(sources, ", ")+`]}`), 0o644))
		secret := func(args ...string) []string {
			return append([]string{"--root", root, "secret", args[0], "acme", "--env", "prod", "--file", file}, args[1:]...)
		}
		atOnce(t, [][]string{secret("new"), secret("new"), secret("new")})
		first := vaultOf(t, file)
		lines := [][]string{secret("rotate", "--seal-key")}
		for i := range 8 {
			lines = append(lines, secret("rotate", "--source", fmt.Sprint("s", i)), secret("new"))
		}
		atOnce(t, lines)
		text, err := os.ReadFile(config)
		require.NoError(t, err)
		v := vaultOf(t, file)
		assert.Len(t, strings.Fields(v.SealKey), 2)
		assert.Contains(t, v.SealKey, first.SealKey)
		for i := range 8 {
			assert.Contains(t, string(text), fmt.Sprintf(`["s%d-2", "s%[1]d-1"]`, i))
			assert.NotEmpty(t, v.Secrets["acme"][fmt.Sprintf("s%d-2", i)])
			name := fmt.Sprintf("s%d-1", i)
			assert.Equal(t, first.Secrets["acme"][name], v.Secrets["acme"][name])
		}
	}
}

func TestWhoWaitsForAFileCanBeInterrupted(t *testing.T) {
	root, _ := twoAccounts(t)
	release, err := target.Hold(t.Context(), filepath.Join(root, "tenants/acme/keys.json"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code := Execute(ctx, []string{"--root", root, "key", "new", "acme", "--env", "prod", "--name", "ci"}, io.Discard, io.Discard)
	assert.Equal(t, exitProblem, code)
	code, _, errs := levada(t, "--root", root, "key", "new", "globex", "--env", "prod", "--name", "ci")
	assert.Equal(t, exitOK, code, "another tenant's is not held: %s", errs)
	release()
	code, _, errs = levada(t, "--root", root, "key", "new", "acme", "--env", "prod", "--name", "ci")
	assert.Equal(t, exitOK, code, errs)
}
