package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// secrets runs levada secret, and makes sure that nothing it prints has a secret of the vaults in it.
func secrets(t *testing.T, root, vaults string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	code, stdout, stderr = levada(t, append([]string{"--root", root, "secret"}, args...)...)
	files, err := filepath.Glob(filepath.Join(vaults, "*"))
	require.NoError(t, err)
	for _, file := range files {
		v, err := target.ReadVault(file, nil)
		if err != nil {
			continue
		}
		assert.NotContains(t, stdout+stderr, v.SealKey)
		for _, named := range v.Secrets {
			for _, secret := range named {
				assert.NotContains(t, stdout+stderr, strings.TrimPrefix(secret, "whsec_"))
			}
		}
	}
	return code, stdout, stderr
}

func vaultOf(t *testing.T, file string) *tenants.Vault {
	t.Helper()
	v, err := target.ReadVault(file, nil)
	require.NoError(t, err)
	require.NotNil(t, v)
	return v
}

func TestAVaultIsMadeAndCompleted(t *testing.T) {
	root, vaults := twoAccounts(t)
	file := filepath.Join(vaults, "acme.json")
	code, out, errs := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "made the key that seals\nmade acme/cms-1\nin "+file+"\n", out)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	first := vaultOf(t, file)

	_, out, _ = secrets(t, root, vaults, "new", "acme", "--env", "prod")
	assert.Equal(t, file+" has everything that is made here: nothing was changed\n", out)
	assert.Equal(t, first, vaultOf(t, file))

	code, _, errs = secrets(t, root, vaults, "new", "globex", "--env", "prod")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "--file is required: the vault is kept at op://infra/globex/vault")
	code, _, errs = secrets(t, root, vaults, "new", "globex", "--env", "prod", "--file", filepath.Join(vaults, "globex.json"))
	require.Equal(t, exitOK, code)
	assert.Contains(t, errs, "Store it where op://infra/globex/vault leads, and remove the file.")
	assert.NotEqual(t, first.SealKey, vaultOf(t, filepath.Join(vaults, "globex.json")).SealKey, "each pool has its own")

	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "stage")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "environments.stage.pools.acme has no vault")
	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "stage", "--file", filepath.Join(vaults, "stage.json"))
	require.Equal(t, exitOK, code)
	assert.Contains(t, errs, `Add it to environments.stage.pools.acme in tenants/deploy.json: "vault": "file:`+vaults+`/stage.json"`)

	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "prod", "--file", filepath.Join(root, "vault.json"))
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "vault_exposed")
	assert.NoFileExists(t, filepath.Join(root, "vault.json"))
	require.NoError(t, os.Chmod(file, 0o644))
	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "prod")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "others may read it")
}

func TestASecretIsRotated(t *testing.T) {
	root, vaults := twoAccounts(t)
	file, config := filepath.Join(vaults, "acme.json"), filepath.Join(root, "tenants/acme/tenant.config.json")
	text := func() string { b, err := os.ReadFile(config); require.NoError(t, err); return string(b) }
	rotate := func(args ...string) (int, string, string) {
		return secrets(t, root, vaults, append([]string{"rotate", "acme", "--env", "prod"}, args...)...)
	}
	code, _, errs := rotate("--source", "cms")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "levada secret new acme --env prod makes one")
	assert.NotContains(t, text(), "cms-2")
	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	first := vaultOf(t, file)

	code, out, errs := rotate("--source", "cms")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "made acme/cms-2 in "+file)
	assert.Contains(t, errs, "The configuration is that of stage also: levada secret new acme --env stage")
	assert.Contains(t, text(), `{"secrets": ["cms-2", "cms-1"]}`)
	second := vaultOf(t, file)
	assert.Equal(t, first.Secrets["acme"]["cms-1"], second.Secrets["acme"]["cms-1"], "the old one verifies still")
	assert.NotEmpty(t, second.Secrets["acme"]["cms-2"])
	assert.Equal(t, first.SealKey, second.SealKey)

	code, out, errs = rotate("--source", "cms", "--drop")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "the source cms names cms-1 no more")
	assert.Contains(t, text(), `{"secrets": ["cms-2"]}`)
	_, out, _ = rotate("--source", "cms", "--drop")
	assert.Equal(t, "the source cms has one secret: nothing was changed\n", out)

	code, _, errs = rotate("--seal-key")
	require.Equal(t, exitOK, code, errs)
	third := vaultOf(t, file)
	assert.NotEqual(t, second.SealKey, third.SealKey)
	assert.Equal(t, second.Secrets, third.Secrets)
	assert.Equal(t, second.SealKey, strings.Fields(third.SealKey)[1], "what it sealed is opened until everything is sealed anew")
	code, out, errs = rotate("--seal-key", "--drop")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "took the key before away")
	renewed := strings.Fields(third.SealKey)[0]
	third = vaultOf(t, file)
	assert.Equal(t, renewed, third.SealKey)

	for args, says := range map[string]string{
		"":                        "one of --source, --webhook, --speech and --seal-key is required",
		"--speech --source cms":   "and no two of them",
		"--source cms --seal-key": "and no two of them",
	} {
		code, _, errs = rotate(strings.Fields(args)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Contains(t, errs, says)
	}
	code, _, errs = rotate("--source", "cmss")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, `did you mean "cms"?`)
	assert.Equal(t, third, vaultOf(t, file))
}

func TestTheSecretOfAWebhookIsRotated(t *testing.T) {
	root, vaults := twoAccounts(t)
	file, config := filepath.Join(vaults, "acme.json"), filepath.Join(root, "tenants/acme/tenant.config.json")
	rotate := func(args ...string) (int, string, string) {
		return secrets(t, root, vaults, append([]string{"rotate", "acme", "--env", "prod", "--speech"}, args...)...)
	}
	code, _, errs := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	code, _, errs = rotate()
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "the tenant acme has no webhook that tells of speech")

	b, err := os.ReadFile(config)
	require.NoError(t, err)
	text := strings.Replace(string(b), `"name": "Acme"`, `"name": "Acme", "speech": {"webhook": {"url": "https://app.example.com/", "secrets": ["told"]}}`, 1)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o644))
	_, out, _ := secrets(t, root, vaults, "new", "acme", "--env", "prod")
	assert.Equal(t, "made acme/told\nin "+file+"\n", out)
	code, out, errs = rotate()
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "made acme/speech-1 in "+file+"; speech.webhook names it before the others\n", out)
	assert.Contains(t, errs, "1. levada deploy acme --env prod: the old and the new sign\n2. give the receiver the new one: jq -r '.secrets[\"acme\"][\"speech-1\"]' "+file+"\n"+
		"3. once it verifies with it: levada secret rotate acme --env prod --speech --drop, and deploy\n")
	b, err = os.ReadFile(config)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"secrets": ["speech-1", "told"]`)
	assert.Contains(t, string(b), `"webhook": {"secrets": ["cms-1"]}`, "the source has its own")
	for _, name := range []string{"told", "speech-1"} {
		assert.NoError(t, tenants.WebhookSecret.Check(vaultOf(t, file).Secrets["acme"][name]))
	}
	code, _, errs = secrets(t, root, vaults, "set", "acme", "--env", "prod", "--name", "told")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "told is of a webhook, and made here")
	code, out, errs = rotate("--drop")
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "speech.webhook names told no more\nThey sign nothing any more some 90 s after: levada deploy acme --env prod\n", out)
	_, out, _ = rotate("--drop")
	assert.Equal(t, "speech.webhook has one secret: nothing was changed\n", out)

	webhook := func(args ...string) (int, string, string) {
		return secrets(t, root, vaults, append([]string{"rotate", "acme", "--env", "prod", "--webhook"}, args...)...)
	}
	code, _, errs = webhook()
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "the tenant acme has no webhook")
	b, err = os.ReadFile(config)
	require.NoError(t, err)
	text = strings.Replace(string(b), `"name": "Acme"`, `"name": "Acme", "webhook": {"url": "https://app.example.com/", "secrets": ["told-1"]}`, 1)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o644))
	_, _, _ = secrets(t, root, vaults, "new", "acme", "--env", "prod")
	code, out, errs = webhook()
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "made acme/told-2 in "+file+"; webhook names it before the others\n", out)
	assert.Contains(t, errs, "levada secret rotate acme --env prod --webhook --drop, and deploy\n")
	code, out, errs = webhook("--drop")
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, "webhook names told-1 no more\nThey sign nothing any more some 90 s after: levada deploy acme --env prod\n", out)
}

func TestAVaultIsChecked(t *testing.T) {
	root, vaults := twoAccounts(t)
	check := func(args ...string) (int, string, string) {
		return secrets(t, root, vaults, append([]string{"check"}, args...)...)
	}
	code, _, errs := check("acme", "--env", "prod")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "there is no such file")
	code, _, errs = check("acme", "--env", "stage")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "the pool acme has no vault in stage")
	code, _, errs = secrets(t, root, vaults, "new", "acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	code, out, errs := check("acme", "--env", "prod")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "│ acme   │ cms-1  │ source │ there │")

	config := filepath.Join(root, "tenants/acme/tenant.config.json")
	b, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(string(b), `"cms-1"`, `"cms-7"`, 1)), 0o644))
	code, out, errs = check("acme", "--env", "prod", "--json")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "levada secret new acme --env prod makes what is missing")
	var view secretView
	require.NoError(t, json.Unmarshal([]byte(out), &view))
	assert.Equal(t, []target.SecretState{{Tenant: "acme", Name: "cms-1", State: "unused"}, {Tenant: "acme", Name: "cms-7", Kind: "source", State: "missing"}}, view.Secrets)

	require.NoError(t, os.WriteFile(config, []byte(`{"id": "acme"}`), 0o644))
	code, _, errs = check("acme", "--env", "prod")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "name: is required")
}
