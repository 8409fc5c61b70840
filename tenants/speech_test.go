package tenants_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// told is a tenant that a webhook tells of speech, signed with the named secrets, with a source beside it.
func told(t *testing.T, id string, secrets ...string) tenants.Config {
	c := hooked(t, id, "cms-1")
	c.Speech.Webhook = &tenants.SpeechWebhook{URL: "https://app.example.com/hooks", Secrets: secrets}
	require.NoError(t, c.Check())
	return c
}

func TestSecretsOfWebhooksAreMadeHere(t *testing.T) {
	configs := []tenants.Config{told(t, "acme", "speech-2", "speech-1"), told(t, "globex", "speech-1")}
	assert.Equal(t, []tenants.NamedSecret{{Name: "cms-1", Kind: tenants.SourceSecret}, {Name: "speech-1", Kind: tenants.WebhookSecret}, {Name: "speech-2", Kind: tenants.WebhookSecret}}, configs[0].Secrets())
	vault := tenantstest.Vault(t, configs...)
	made, err := vault.StandIn(random{}, configs)
	require.NoError(t, err)
	assert.False(t, made, "no server gives it")
	assert.NotEqual(t, vault.Secrets["acme"]["speech-1"], vault.Secrets["globex"]["speech-1"])
	secrets := tenantstest.Secrets(t, vault, configs...)
	for _, c := range configs {
		got, err := secrets.Secret(t.Context(), tenantstest.Scope(t, string(c.ID)), "speech-1")
		require.NoError(t, err)
		_, err = tenants.ParseSecret(got)
		assert.NoError(t, err)
		assert.Equal(t, vault.Secrets[c.ID]["speech-1"], got)
	}
	_, err = secrets.Secret(t.Context(), tenantstest.Scope(t, "globex"), "speech-2")
	assert.Equal(t, fault.NotFound, fault.KindOf(err), "it is acme's")

	delete(vault.Secrets["acme"], "speech-2")
	_, err = tenants.Publish(configs, nil, vault)
	assert.ErrorContains(t, err, "which a webhook needs")
	vault.Set("acme", "speech-2", "sk_live_something")
	_, err = tenants.ParseVault(vault.JSON(), configs)
	assert.Equal(t, []string{"vault_invalid", "secrets.acme.speech-2"}, []string{fault.As(err).Code, fault.As(err).Field}, "it has the form of what signs")
}
