package cli

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// typed has stdin say a text while f runs.
func typed(t *testing.T, text string, f func()) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	_, err = w.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	was := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = was; r.Close() }()
	f()
}

// twoShops is twoAccounts whose tenants have a tool with a secret each.
func twoShops(t *testing.T) (root, vaults string) {
	t.Helper()
	root, vaults = twoAccounts(t)
	for _, id := range []string{"acme", "globex"} {
		file := filepath.Join(root, "tenants", id, "tenant.config.json")
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		tool := `"tools": {"http": [{"name": "order", "description": "d", "url": "https://shop.example.com/", "input": {"type": "object"}, "auth": {"secret": "shop-api"}}]}}`
		require.NoError(t, os.WriteFile(file, []byte(strings.TrimSuffix(string(b), "}")+", "+tool), 0o644))
	}
	return root, vaults
}

func TestTheSecretOfAToolIsGivenByOthers(t *testing.T) {
	root, vaults := twoShops(t)
	file := filepath.Join(vaults, "acme.json")
	const step = "levada secret set acme --env prod --name shop-api"
	set := func(args ...string) (code int, out, errs string) {
		return secrets(t, root, vaults, append([]string{"set", "acme", "--env", "prod", "--name", "shop-api"}, args...)...)
	}
	typed(t, "sk_live_0123456789\n", func() {
		code, _, errs := set()
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "levada secret new acme --env prod makes one")
		assert.NoFileExists(t, file)
	})
	code, out, errs := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "made the key that seals\nmade acme/cms-1\nin "+file+"\n", out, "that of the tool is not made")
	assert.Contains(t, errs, "acme/shop-api is missing, which an outside server gives: "+step)
	code, out, errs = secrets(t, root, vaults, "check", "acme", "--env", "prod")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, out, "│ acme   │ shop-api │ tool   │ missing │")
	assert.Contains(t, errs, step)

	before := vaultOf(t, file)
	typed(t, "sk_live_0123456789\n", func() {
		code, out, errs = set()
		require.Equal(t, exitOK, code, errs)
		assert.Equal(t, "set acme/shop-api in "+file+"\n", out)
		assert.Contains(t, errs, "levada deploy acme --env prod")
	})
	after := vaultOf(t, file)
	assert.Equal(t, "sk_live_0123456789", after.Secrets["acme"]["shop-api"])
	assert.Equal(t, before.Secrets["acme"]["cms-1"], after.Secrets["acme"]["cms-1"])
	assert.Equal(t, before.SealKey, after.SealKey)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	code, _, errs = secrets(t, root, vaults, "check", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)

	from := filepath.Join(t.TempDir(), "shop-api")
	require.NoError(t, os.WriteFile(from, []byte("sk_live_another\r\n"), 0o600))
	for _, says := range []string{"set acme/shop-api", "nothing was changed"} {
		code, out, errs = set("--from-file", from)
		require.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, says)
	}
	assert.Equal(t, "sk_live_another", vaultOf(t, file).Secrets["acme"]["shop-api"])
	assert.NoFileExists(t, filepath.Join(vaults, "globex.json"), "another tenant's vault")
}

func TestWhatIsNoSecretOfAToolIsNotSet(t *testing.T) {
	root, vaults := twoShops(t)
	file := filepath.Join(vaults, "acme.json")
	code, _, errs := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	before := vaultOf(t, file)
	for _, test := range []struct{ name, value, says string }{
		{"shop-api", "", "8 to 4096 visible ASCII characters"}, {"shop-api", "short", "8 to 4096"}, {"shop-api", "two words here", "8 to 4096"},
		{"shop-api", strings.Repeat("x", 5_000), "8 to 4096"}, {"shop-api", "line-one\nline-two", "8 to 4096"},
		{"cms-1", "sk_live_0123456789", "is of a source, and made here"}, {"shop", "sk_live_0123456789", "tools name shop-api"},
	} {
		typed(t, test.value, func() {
			code, out, errs := secrets(t, root, vaults, "set", "acme", "--env", "prod", "--name", test.name)
			assert.Equal(t, exitProblem, code, test)
			assert.Contains(t, errs, test.says)
			if test.value != "" {
				assert.NotContains(t, out+errs, test.value)
			}
		})
	}
	code, _, errs = secrets(t, root, vaults, "set", "acme", "--env", "prod", "--name", "shop-api", "--from-file", filepath.Join(vaults, "none"))
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "no such file")
	code, _, errs = secrets(t, root, vaults, "set", "acme", "--env", "prod", "--name", "shop-api", "sk_live_0123456789")
	assert.Equal(t, exitUsage, code, "never as an argument")
	assert.NotEmpty(t, errs)
	assert.Equal(t, before, vaultOf(t, file))
}

// Of many at once each finds what the others wrote.
func TestSecretsAreSetAtOnce(t *testing.T) {
	root, vaults := twoShops(t)
	config := filepath.Join(root, "tenants/acme/tenant.config.json")
	var tools, names []string
	for _, c := range "abcdef" {
		names = append(names, "key-"+string(c))
		tools = append(tools, `{"name": "t_`+string(c)+`", "description": "d", "url": "https://a.example.com/", "input": {"type": "object"}, "auth": {"secret": "key-`+string(c)+`"}}`)
	}
	require.NoError(t, os.WriteFile(config, []byte(`{"id": "acme", "name": "Acme", "tools": {"http": [`+strings.Join(tools, ",")+`]}}`), 0o644))
	code, _, errs := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, name := range names {
		from := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(from, []byte("value-of-"+name), 0o600))
		all.Go(func() {
			code, _, errs := levada(t, "--root", root, "secret", "set", "acme", "--env", "prod", "--name", name, "--from-file", from)
			assert.Equal(t, exitOK, code, errs)
		})
	}
	all.Wait()
	v := vaultOf(t, filepath.Join(vaults, "acme.json"))
	for _, name := range names {
		assert.Equal(t, "value-of-"+name, v.Secrets["acme"][name])
	}
}
