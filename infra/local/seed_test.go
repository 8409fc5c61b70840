package local_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/local"
	"levada.dev/tenants"
)

type store struct {
	values map[string][]byte
	puts   int
	failAt int // the nth put fails
}

func (s *store) Get(_ context.Context, key string) ([]byte, bool, error) {
	v, ok := s.values[key]
	return v, ok, nil
}

func (s *store) Put(_ context.Context, key string, value []byte) error {
	s.puts++
	if s.puts == s.failAt {
		return errors.New("no")
	}
	s.values[key] = value
	return nil
}

func (s *store) Delete(_ context.Context, key string) error {
	delete(s.values, key)
	return nil
}

func (s *store) Keys(context.Context, string) ([]string, error) {
	return slices.Collect(maps.Keys(s.values)), nil
}

func config(id string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(`{"id":"` + id + `","name":"` + id + `","models":{"embedding":"@cf/baai/bge-m3"}}`)}
}

func TestShippedTenantsAreReadAndPublished(t *testing.T) {
	configs, err := local.Configs(os.DirFS("../../tenants"))
	require.NoError(t, err)
	keys, made, err := local.Keys(t.TempDir(), configs)
	require.NoError(t, err)
	assert.Len(t, made, len(configs))
	assert.Subset(t, made, []tenants.ID{"acme", "demo", "globex"})

	vault, err := local.Vault(t.TempDir(), configs)
	require.NoError(t, err)
	s := &store{values: map[string][]byte{}}
	require.NoError(t, local.Publish(t.Context(), s, configs, keys, vault))
	dir := tenants.NewDirectory(tenants.Entries(s.values), nil)
	for _, c := range configs {
		g, err := dir.Key(t.Context(), tenants.HashKey(keys[c.ID]))
		require.NoError(t, err)
		assert.Equal(t, c.ID, g.Tenant)
		assert.Empty(t, g.Also)
		_, err = dir.Config(t.Context(), c.ID)
		require.NoError(t, err)
		operator, err := dir.Key(t.Context(), tenants.HashKey(keys[tenants.Operator]))
		require.NoError(t, err)
		assert.True(t, operator.Opens(c.ID), "%s", c.ID)
	}
}

func TestKeysAreMadeOnceAndKeptPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, made, err := local.Keys(dir, []tenants.Config{{ID: "acme"}})
	require.NoError(t, err)
	assert.Len(t, made, 1)
	second, made, err := local.Keys(dir, []tenants.Config{{ID: "acme"}, {ID: "globex"}})
	require.NoError(t, err)
	assert.Equal(t, []tenants.ID{"globex"}, made)
	assert.Equal(t, first["acme"], second["acme"])
	assert.Empty(t, first[tenants.Operator], "one tenant needs no operator")
	owner, err := tenants.ParseKey(second[tenants.Operator])
	require.NoError(t, err)
	assert.Equal(t, tenants.ID("acme"), owner)
	info, err := os.Stat(filepath.Join(dir, local.KeysFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestKeysNamesABrokenFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, local.KeysFile), []byte(`{"acme":"not a key"}`), 0o600))
	_, _, err := local.Keys(dir, nil)
	require.ErrorContains(t, err, local.KeysFile)
}

func TestSecretsAreMadeOnceAndKeptPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	source := func(id string, secrets ...string) tenants.Source {
		return tenants.Source{ID: id, Webhook: &tenants.Webhook{Secrets: secrets}}
	}
	acme := tenants.Config{ID: "acme", Name: "a", Sources: []tenants.Source{source("cms", "cms-1")}}
	globex := tenants.Config{ID: "globex", Name: "g", Sources: []tenants.Source{source("cms", "cms-1")}}
	first, err := local.Vault(dir, []tenants.Config{acme, globex})
	require.NoError(t, err)
	assert.NotEqual(t, first.Secrets["acme"]["cms-1"], first.Secrets["globex"]["cms-1"])
	info, err := os.Stat(filepath.Join(dir, local.SecretsFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	s := &store{values: map[string][]byte{}}
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme, globex}, nil, first))
	again, err := local.Vault(dir, []tenants.Config{acme, globex})
	require.NoError(t, err)
	puts := s.puts
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme, globex}, nil, again))
	assert.Equal(t, puts, s.puts, "to seal the same again changes nothing")

	acme.Sources[0].Webhook.Secrets = []string{"cms-2", "cms-1"}
	rotated, err := local.Vault(dir, []tenants.Config{acme, globex})
	require.NoError(t, err)
	assert.Equal(t, first.Secrets["acme"]["cms-1"], rotated.Secrets["acme"]["cms-1"], "the old one stays")
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme, globex}, nil, rotated))
	assert.Greater(t, s.puts, puts)
	for key, value := range s.values {
		for _, secrets := range rotated.Secrets {
			for _, secret := range secrets {
				assert.NotContains(t, string(value), secret, "%s is sealed", key)
			}
		}
	}
	assert.Contains(t, s.values, "secret/acme/cms-2")
	acme.Sources = nil
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme, globex}, nil, rotated))
	assert.NotContains(t, s.values, "secret/acme/cms-1", "what nobody names is withdrawn")

	require.NoError(t, os.WriteFile(filepath.Join(dir, local.SecretsFile), []byte(`{"sealKey":"x"}`), 0o600))
	_, err = local.Vault(dir, nil)
	require.ErrorContains(t, err, local.SecretsFile)
}

// For the secret of a tool that nobody has given a value is made up, once; the real one stays when somebody writes it into the file.
func TestSecretsOfToolsAreMadeUpUntilTheyAreGiven(t *testing.T) {
	dir := t.TempDir()
	shop := func(id tenants.ID) tenants.Config {
		return tenants.Config{ID: id, Name: "a", Tools: tenants.Tools{HTTP: []tenants.HTTPTool{{Name: "order", Auth: &tenants.ToolAuth{Secret: "shop-api"}}}}}
	}
	configs := []tenants.Config{shop("acme"), shop("globex")}
	first, err := local.Vault(dir, configs)
	require.NoError(t, err)
	assert.NotEqual(t, first.Secrets["acme"]["shop-api"], first.Secrets["globex"]["shop-api"])
	again, err := local.Vault(dir, configs)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	again.Set("acme", "shop-api", "sk_live_0123456789")
	require.NoError(t, os.WriteFile(filepath.Join(dir, local.SecretsFile), again.JSON(), 0o600))
	real, err := local.Vault(dir, configs)
	require.NoError(t, err)
	assert.Equal(t, "sk_live_0123456789", real.Secrets["acme"]["shop-api"])
	assert.Equal(t, first.Secrets["globex"], real.Secrets["globex"])
}

func TestPublishWritesNothingTwiceAndRepairsAHalf(t *testing.T) {
	configs := []tenants.Config{{ID: "acme", Name: "a", Models: tenants.Models{Embedding: "@cf/baai/bge-m3"}}}
	keys, _, err := local.Keys(t.TempDir(), configs)
	require.NoError(t, err)

	whole := &store{values: map[string][]byte{}}
	require.NoError(t, local.Publish(t.Context(), whole, configs, keys, nil))
	puts := whole.puts
	require.NoError(t, local.Publish(t.Context(), whole, configs, keys, nil))
	assert.Equal(t, puts, whole.puts)

	for n := 1; n <= puts; n++ {
		half := &store{values: map[string][]byte{}, failAt: n}
		require.Error(t, local.Publish(t.Context(), half, configs, keys, nil))
		require.NoError(t, local.Publish(t.Context(), half, configs, keys, nil))
		assert.Equal(t, maps.Collect(maps.All(whole.values)), half.values)
	}
}

func TestPublishWithdrawsWhatIsGone(t *testing.T) {
	acme := tenants.Config{ID: "acme", Name: "a", AllowedHosts: []string{"old.localhost"}, Models: tenants.Models{Embedding: "@cf/baai/bge-m3"}}
	globex := tenants.Config{ID: "globex", Name: "g", Models: acme.Models}
	keys, _, err := local.Keys(t.TempDir(), []tenants.Config{acme, globex})
	require.NoError(t, err)
	s := &store{values: map[string][]byte{}}
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme, globex}, keys, nil))

	acme.AllowedHosts = []string{"new.localhost"}
	require.NoError(t, local.Publish(t.Context(), s, []tenants.Config{acme}, keys, nil))
	dir := tenants.NewDirectory(tenants.Entries(s.values), nil)
	_, err = dir.Host(t.Context(), "old.localhost")
	assert.True(t, fault.Is(err, fault.NotFound))
	_, err = dir.Host(t.Context(), "new.localhost")
	assert.NoError(t, err)
	_, err = dir.Key(t.Context(), tenants.HashKey(keys["globex"]))
	assert.Error(t, err)
}

func TestConfigsTellsEveryBadFile(t *testing.T) {
	_, err := local.Configs(fstest.MapFS{
		"acme/tenant.config.json":   config("acme"),
		"bad/tenant.config.json":    {Data: []byte(`{"id":"bad"`)},
		"worse/tenant.config.json":  {Data: []byte(`{"id":"worse","limits":{"bodyBytes":-1}}`)},
		"acme/notes.txt":            {},
		"tenant.config.json":        {Data: []byte("not a tenant's")},
		"acme/deep/tenant.config.x": {},
	})
	require.ErrorContains(t, err, "tenants/bad/")
	require.ErrorContains(t, err, "tenants/worse/")
	_, err = local.Configs(fstest.MapFS{})
	require.ErrorContains(t, err, "no tenants")
	same := []byte(`{"id":"acme","name":"a","allowedHosts":["a.example.com"],"models":{"embedding":"@cf/baai/bge-m3"}}`)
	_, err = local.Configs(fstest.MapFS{
		"acme/tenant.config.json":   {Data: same},
		"globex/tenant.config.json": {Data: bytes.Replace(same, []byte("acme"), []byte("globex"), 1)},
	})
	require.ErrorContains(t, err, "a.example.com", "what two tenants cannot both have")
}

// What a policy bounds is asked of the platform's own tools, here as in levada validate.
func TestPoliciesThatNoCallCouldPassAreRefused(t *testing.T) {
	tenant := func(id, policy string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"id":"` + id + `","name":"` + id + `","tools":{"enabled":["search_docs","summarize"],"policies":[` + policy + `]}}`)}
	}
	good := tenant("globex", `{"tool":"search_docs","argument":"top_k","max":3},{"tool":"summarize","argument":"text","maxChars":10}`)
	_, err := local.Configs(fstest.MapFS{"globex/tenant.config.json": good})
	require.NoError(t, err)
	for policy, want := range map[string]string{
		`{"tool":"search_docs","argument":"topK","max":3}`:         `tools.policies[0].argument: "topK" is not an argument of search_docs (did you mean "top_k"?)`,
		`{"tool":"summarize","argument":"txt","maxChars":10}`:      `tools.policies[0].argument: "txt" is not an argument of summarize (did you mean "text"?)`,
		`{"tool":"summarize","argument":"text","min":3}`:           `tools.policies[0].min: bounds numbers, and summarize.text is of the type string`,
		`{"tool":"search_docs","argument":"mode","allowed":["x"]}`: `tools.policies[0].allowed[0]: "x" is none of its values`,
	} {
		fsys := fstest.MapFS{"acme/tenant.config.json": tenant("acme", policy), "globex/tenant.config.json": good}
		_, err := local.Configs(fsys)
		require.ErrorContains(t, err, "tenants/acme/tenant.config.json: "+want)
		assert.NotContains(t, err.Error(), "globex")
		_, problems := target.Load(fsys, target.Dev)
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0].String(), want)
	}
}
