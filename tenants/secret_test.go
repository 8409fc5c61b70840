package tenants_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/seal"
	"levada.dev/tenants/tenantstest"
)

// hooked is a tenant with one source whose deliveries are signed with the named secrets.
func hooked(t *testing.T, id string, secrets ...string) tenants.Config {
	return tenantstest.Config(t, id, func(c *tenants.Config) {
		c.Sources = []tenants.Source{{ID: "cms", Webhook: &tenants.Webhook{Secrets: secrets}}}
	})
}

func TestSecretsAreTheTenants(t *testing.T) {
	configs := []tenants.Config{hooked(t, "acme", "cms-1", "cms-2"), hooked(t, "globex", "cms-1")}
	acme, globex := tenantstest.Two(t)
	vault := tenantstest.Vault(t, configs...)
	secrets := tenantstest.Secrets(t, vault, configs...)
	for range 2 { // the second time from the cache
		for _, s := range []tenants.Scope{acme, globex} {
			got, err := secrets.Secret(t.Context(), s, "cms-1")
			require.NoError(t, err)
			assert.Equal(t, vault.Secrets[s.Tenant()]["cms-1"], got)
		}
		for _, name := range []string{"cms-2", "none", "", "../acme/cms-1", "acme/cms-1"} {
			_, err := secrets.Secret(t.Context(), globex, name)
			require.True(t, fault.Is(err, fault.NotFound), name)
			assert.Equal(t, "secret_not_found", fault.As(err).Code)
		}
	}
	_, err := secrets.Secret(t.Context(), tenants.Scope{}, "cms-1")
	assert.ErrorIs(t, err, tenants.ErrNoScope)

	moved, err := tenants.Publish(configs, nil, vault)
	require.NoError(t, err)
	moved["secret/globex/cms-1"] = moved["secret/acme/cms-1"]
	key, err := seal.ParseKey(vault.SealKey)
	require.NoError(t, err)
	_, err = tenants.NewSecrets(moved, key, nil).Secret(t.Context(), globex, "cms-1")
	require.Error(t, err, "what is sealed for acme does not open for globex")
	assert.NotContains(t, err.Error(), vault.Secrets["acme"]["cms-1"])
	_, err = tenants.NewSecrets(moved, seal.Key{}, nil).Secret(t.Context(), acme, "cms-1")
	assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
}

func TestSecretsArePublishedSealed(t *testing.T) {
	configs := []tenants.Config{hooked(t, "acme", "cms-1")}
	vault := tenantstest.Vault(t, configs...)
	first, err := tenants.Publish(configs, nil, vault)
	require.NoError(t, err)
	again, err := tenants.Publish(configs, nil, vault)
	require.NoError(t, err)
	assert.Equal(t, first.Hash(), again.Hash())
	for name, value := range first {
		assert.NotContains(t, string(value), vault.Secrets["acme"]["cms-1"][6:], name)
	}
	vault.Secrets["acme"]["cms-1"], err = tenants.NewSecret(rand.Reader)
	require.NoError(t, err)
	changed, err := tenants.Publish(configs, nil, vault)
	require.NoError(t, err)
	assert.NotEqual(t, first.Hash(), changed.Hash())

	vault.Secrets["acme"]["cms-1"] = "whsec_short"
	_, err = tenants.Publish(configs, nil, vault)
	assert.ErrorContains(t, err, `the secret "cms-1" of "acme"`)
	delete(vault.Secrets["acme"], "cms-1")
	_, err = tenants.Publish(configs, nil, vault)
	assert.Equal(t, "secret_missing", fault.As(err).Code)
	vault.SealKey = "x"
	_, err = tenants.Publish(configs, nil, vault)
	assert.Equal(t, "seal_key_invalid", fault.As(err).Code)
}

func TestSecretsHaveAForm(t *testing.T) {
	text := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	made, err := tenants.NewSecret(rand.Reader)
	require.NoError(t, err)
	for secret, want := range map[string]int{
		made: 32, text(24): 24, text(64): 64, text(23): 0, text(65): 0, "": 0, "whsec_": 0, strings.TrimPrefix(made, "whsec_"): 0,
		strings.Replace(made, "whsec_", "whsk_", 1): 0, made + "!": 0,
	} {
		key, err := tenants.ParseSecret(secret)
		assert.Len(t, key, want, secret)
		if want == 0 {
			require.Error(t, err)
			assert.Equal(t, "secret_invalid", fault.As(err).Code)
		}
	}
	_, err = tenants.NewSecret(iotest.ErrReader(errors.New("no entropy")))
	assert.ErrorContains(t, err, "no entropy")
}

func TestVaultsAreReadAgain(t *testing.T) {
	configs := []tenants.Config{hooked(t, "acme", "cms-1")}
	vault := tenantstest.Vault(t, configs...)
	again, err := tenants.ParseVault(vault.JSON(), configs)
	require.NoError(t, err)
	assert.Equal(t, vault, again)
	made, err := again.Complete(rand.Reader, configs)
	require.NoError(t, err)
	assert.False(t, made)
	assert.Equal(t, vault, again)

	for text, field := range map[string]string{
		`[]`:                "",
		`{"sealKey":"x"}`:   "sealKey",
		`{"secrets":"abc"}`: "",
		`{"sealKey":"` + vault.SealKey + `","secrets":{"acme":{"cms-1":"hunter2"}}}`: "secrets.acme.cms-1",
	} {
		_, err := tenants.ParseVault([]byte(text), nil)
		require.Error(t, err, text)
		assert.Equal(t, "vault_invalid", fault.As(err).Code)
		assert.Equal(t, field, fault.As(err).Field)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
