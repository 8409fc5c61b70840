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
	c.Speech.Webhook = &tenants.Hook{URL: "https://app.example.com/hooks", Secrets: secrets}
	require.NoError(t, c.Check())
	return c
}

// Both webhooks of a tenant name secrets, and may name the same.
func TestATenantHasTwoWebhooks(t *testing.T) {
	c := told(t, "acme", "speech-1", "told-1")
	assert.Equal(t, []*tenants.Hook{c.Speech.Webhook, c.Speech.Webhook}, []*tenants.Hook{c.SpeechHook(), c.AlertHook()})
	c.Webhook = &tenants.Hook{URL: "https://app.example.com/", Secrets: []string{"told-1", "told-2"}}
	require.NoError(t, c.Check())
	assert.Equal(t, []*tenants.Hook{c.Speech.Webhook, c.Webhook}, []*tenants.Hook{c.SpeechHook(), c.AlertHook()})
	var names []string
	for _, s := range c.Secrets() {
		names = append(names, s.Name)
	}
	assert.Equal(t, []string{"cms-1", "speech-1", "told-1", "told-2"}, names)
	c.Speech.Webhook = nil
	assert.Equal(t, []*tenants.Hook{c.Webhook, c.Webhook}, []*tenants.Hook{c.SpeechHook(), c.AlertHook()})
	c.Webhook = nil
	assert.Equal(t, []*tenants.Hook{nil, nil}, []*tenants.Hook{c.SpeechHook(), c.AlertHook()})
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
