package target_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// two pools with a source each, in two accounts, with a vault each.
func vaulted(t *testing.T) (acme, globex target.Target, values map[string]string) {
	t.Helper()
	values = map[string]string{}
	pool := func(pool string, ids ...tenants.ID) target.Target {
		out := target.Target{Pool: pool, Env: "prod", Account: one}
		for _, id := range ids {
			out.Tenants = append(out.Tenants, tenants.Config{ID: id, Sources: []tenants.Source{{ID: "cms", Webhook: &tenants.Webhook{Secrets: []string{"cms-2", "cms-1"}}}}})
		}
		v := &tenants.Vault{}
		_, err := v.Complete(rand.Reader, out.Tenants)
		require.NoError(t, err)
		name := strings.ToUpper(pool)
		values[name] = string(v.JSON())
		ref, err := credential.Parse("env:" + name)
		require.NoError(t, err)
		out.Vault = ref
		return out
	}
	return pool("acme", "acme"), pool("shared", "globex", "initech"), values
}

func TestAVaultIsReadForItsTargetAlone(t *testing.T) {
	acme, shared, values := vaulted(t)
	source := credential.New(credential.Options{Getenv: func(name string) (string, bool) { v, there := values[name]; return v, there }})
	a, err := target.Vault(t.Context(), source, acme)
	require.NoError(t, err)
	s, err := target.Vault(t.Context(), source, shared)
	require.NoError(t, err)
	assert.Equal(t, values["ACME"], string(a.JSON()))
	assert.Len(t, s.Secrets, 2)
	assert.NotEqual(t, a.SealKey, s.SealKey)
	for _, v := range []*tenants.Vault{a, s} {
		assert.NotContains(t, source.Redact("key "+v.SealKey), v.SealKey)
		for _, secrets := range v.Secrets {
			for _, secret := range secrets {
				assert.NotContains(t, source.Redact("secret "+secret), secret[6:])
			}
		}
	}

	shared.Tenants = shared.Tenants[:1]
	s, err = target.Vault(t.Context(), source, shared)
	require.NoError(t, err)
	assert.NotContains(t, s.Secrets, tenants.ID("initech"), "what is not published is not passed on")

	none, err := target.Vault(t.Context(), source, target.Target{Pool: "x", Tenants: []tenants.Config{{ID: "initech"}}})
	require.NoError(t, err)
	assert.Nil(t, none, "nobody has secrets")
}

func TestWhatIsWrongWithAVault(t *testing.T) {
	acme, _, values := vaulted(t)
	for name, test := range map[string]struct{ text, code, says string }{
		"not set":       {"", "credential_unreadable", "env:ACME: the variable is not set"},
		"no JSON":       {"{ secret", "vault_invalid", "env:ACME is not an object of a key and secrets"},
		"no key":        {`{"secrets": {}}`, "vault_invalid", "env:ACME is not the base64 of 32 bytes"},
		"a bad secret":  {strings.Replace(values["ACME"], "whsec_", "wshec_", 1), "vault_invalid", "at secrets.acme.cms-"},
		"another's":     {values["SHARED"], "secret_missing", `env:ACME has no secret "cms-1" of the tenant acme, which a source of it needs`},
		"one is absent": {strings.Replace(values["ACME"], `"cms-2"`, `"cms-3"`, 1), "secret_missing", `has no secret "cms-2" of the tenant acme`},
	} {
		t.Run(name, func(t *testing.T) {
			source := credential.New(credential.Options{Getenv: func(string) (string, bool) { return test.text, test.text != "" }})
			_, err := target.Vault(t.Context(), source, acme)
			require.Equal(t, test.code, fault.As(err).Code, "%v", err)
			assert.Contains(t, err.Error(), test.says)
			assert.NotContains(t, err.Error(), "{ secret")
			for _, quoted := range strings.Split(test.text, `"`) {
				if len(quoted) > 20 {
					assert.NotContains(t, err.Error(), quoted)
				}
			}
		})
	}
	acme.Vault = credential.Ref{}
	_, err := target.Vault(t.Context(), credential.New(credential.Options{}), acme)
	assert.Equal(t, []string{"vault_missing", "levada secret new acme --env prod makes what is missing"}, []string{fault.As(err).Code, fault.As(err).Hint})
}

func TestAnInventoryHasNoSecrets(t *testing.T) {
	v := &tenants.Vault{Secrets: map[tenants.ID]map[string]string{"acme": {"cms-1": "a secret", "old-1": "a secret"}, "gone": {"x-1": "a secret"}}}
	acme, _, _ := vaulted(t)
	assert.Equal(t, []target.SecretState{
		{"acme", "cms-1", tenants.SourceSecret, target.SecretThere}, {"acme", "cms-2", tenants.SourceSecret, target.SecretMissing}, {"acme", "old-1", "", target.SecretUnused}, {"gone", "x-1", "", target.SecretUnused},
	}, target.Inventory(v, acme))
}

func TestAVaultsFileIsItsOwnersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "acme.json")
	none, err := target.ReadVault(file, nil)
	require.NoError(t, err)
	assert.Nil(t, none)
	v := &tenants.Vault{}
	_, err = v.Complete(rand.Reader, nil)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, target.WriteVault(file, v))
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode())
		back, err := target.ReadVault(file, nil)
		require.NoError(t, err)
		assert.Equal(t, v.SealKey, back.SealKey)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, left, 1)

	require.NoError(t, os.Chmod(file, 0o640))
	_, err = target.ReadVault(file, nil)
	require.Equal(t, "vault_open", fault.As(err).Code)
	require.NoError(t, os.WriteFile(file, []byte(`{"sealKey": "sealed"}`), 0o600))
	require.NoError(t, os.Chmod(file, 0o600))
	_, err = target.ReadVault(file, nil)
	require.ErrorContains(t, err, "acme.json")
	assert.NotContains(t, err.Error(), `"sealed"`)
}

func TestSecretsAreKeptWhereNobodyCommitsThem(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	git := func(args ...string) {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	keep := func(file string) error { return target.Keep(t.Context(), root, file, os.Environ()) }
	inside, outside := filepath.Join(root, "a", "b", "vault.json"), filepath.Join(elsewhere, "vault.json")
	assert.Equal(t, "vault_exposed", fault.As(keep(inside)).Code, "a checkout without git")
	assert.NoError(t, keep(outside))
	assert.Equal(t, "vault_path", fault.As(keep("vault.json")).Code)

	git("init", "-q")
	require.NoError(t, os.WriteFile(filepath.Join(root, ".gitignore"), []byte("/kept/\n"), 0o600))
	assert.Equal(t, "vault_exposed", fault.As(keep(inside)).Code)
	assert.NoError(t, keep(filepath.Join(root, "kept", "vault.json")))
	assert.NoError(t, keep(outside))

	link := filepath.Join(elsewhere, "link")
	require.NoError(t, os.Symlink(root, link))
	assert.Equal(t, "vault_exposed", fault.As(keep(filepath.Join(link, "vault.json"))).Code, "by another way")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "kept"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "kept", "added.json"), []byte("{}"), 0o600))
	git("add", "-f", "kept/added.json")
	assert.Equal(t, "vault_exposed", fault.As(keep(filepath.Join(root, "kept", "added.json"))).Code, "it is ignored, and was added all the same")
}

func TestASecretIsRotatedInTheConfiguration(t *testing.T) {
	src, err := os.ReadFile("../../../tenants/acme/tenant.config.json")
	require.NoError(t, err)
	out, name, err := target.AddSecret(src, "helpdesk")
	require.NoError(t, err)
	assert.Equal(t, "helpdesk-3", name)
	assert.Equal(t, strings.Replace(string(src), `["helpdesk-2", `, `["helpdesk-3", "helpdesk-2", `, 1), string(out), "nothing else has changed")
	out, dropped, err := target.DropSecrets(out, "helpdesk")
	require.NoError(t, err)
	assert.Equal(t, []string{"helpdesk-2", "helpdesk-1"}, dropped)
	assert.Equal(t, strings.Replace(string(src), `["helpdesk-2", "helpdesk-1"]`, `["helpdesk-3"]`, 1), string(out))
	again, dropped, err := target.DropSecrets(out, "helpdesk")
	require.NoError(t, err)
	assert.Empty(t, dropped)
	assert.Equal(t, string(out), string(again))

	lines := "{\"id\": \"aa\", \"name\": \"A\", \"sources\": [{\"id\": \"ss\", \"sync\": {\"prefix\": \"x\"}}, {\"id\": \"cms\", \"webhook\": {\"secrets\": [\n  \"main\"\n]}}]}"
	out, name, err = target.AddSecret([]byte(lines), "cms")
	require.NoError(t, err)
	assert.Equal(t, "cms-1", name, "no name had a number")
	assert.Equal(t, strings.Replace(lines, "\n  \"main\"", "\n  \"cms-1\",\n  \"main\"", 1), string(out))

	for source, want := range map[string]string{"cmsx": "source_not_found", "ss": "source_invalid"} {
		_, _, err := target.AddSecret([]byte(lines), source)
		assert.Equal(t, want, fault.As(err).Code)
		_, _, err = target.DropSecrets([]byte(lines), source)
		assert.Equal(t, want, fault.As(err).Code)
	}
	for range 2 {
		out, _, err = target.AddSecret(out, "cms")
		require.NoError(t, err)
	}
	_, _, err = target.AddSecret(out, "cms")
	assert.Equal(t, "config_invalid", fault.As(err).Code, "four is the most")
	_, _, err = target.AddSecret([]byte("{"), "cms")
	assert.Equal(t, "config_invalid", fault.As(err).Code)
}
