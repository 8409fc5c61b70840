package local

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/tenants"
)

// shelf is a Store in memory.
type shelf map[string]string

func (s shelf) Get(_ context.Context, key string) ([]byte, bool, error) {
	v, found := s[key]
	return []byte(v), found, nil
}

func (s shelf) Put(_ context.Context, key string, value []byte) error {
	s[key] = string(value)
	return nil
}

func (s shelf) Delete(_ context.Context, key string) error {
	delete(s, key)
	return nil
}

func (s shelf) Keys(context.Context, string) ([]string, error) {
	return slices.Collect(maps.Keys(s)), nil
}

// started is a platform's tenants as Start leaves them, without the platform.
func started(t *testing.T, root, state string) (*Local, shelf) {
	t.Helper()
	l, s := &Local{options: Options{Tenants: os.DirFS(root), State: state}}, shelf{}
	var err error
	l.Tenants, err = Configs(l.options.Tenants)
	require.NoError(t, err)
	l.Keys, _, err = Keys(state, l.Tenants)
	require.NoError(t, err)
	l.Vault, err = Vault(state, l.Tenants)
	require.NoError(t, err)
	require.NoError(t, Publish(t.Context(), s, l.Tenants, l.Keys, l.Vault))
	return l, s
}

func tenantFile(t *testing.T, root, id, more string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(root, id), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, id, "tenant.config.json"),
		[]byte(`{"id":"`+id+`","name":"`+id+`","models":{"embedding":"@cf/baai/bge-m3"}`+more+`}`), 0o644))
}

const cms = `,"sources":[{"id":"cms","webhook":{"secrets":[%s]}}]`

func TestEditedTenantsAndSecretsArePublished(t *testing.T) {
	root, state := t.TempDir(), t.TempDir()
	tenantFile(t, root, "acme", strings.Replace(cms, "%s", `"cms-1"`, 1))
	tenantFile(t, root, "globex", "")
	synctest.Test(t, func(t *testing.T) {
		l, s := started(t, root, state)
		var said []string
		go l.watch(t.Context(), s, func(line string) { said = append(said, line) })
		look := func() (news []string, before shelf) {
			t.Helper()
			before = maps.Clone(s)
			said = nil
			time.Sleep(glance + time.Millisecond)
			synctest.Wait()
			return said, before
		}
		news, before := look()
		assert.Empty(t, news, "nothing was edited")
		assert.Equal(t, before, s)

		before = maps.Clone(s)
		tenantFile(t, root, "acme", strings.Replace(cms, "%s", `"cms-2", "cms-1"`, 1))
		news, _ = look()
		require.Len(t, news, 1)
		assert.Contains(t, news[0], "published the tenants anew")
		assert.NotEqual(t, before, s)
		b, err := os.ReadFile(filepath.Join(state, SecretsFile))
		require.NoError(t, err)
		assert.Contains(t, string(b), "cms-2", "a new secret has a value")
		news, _ = look()
		assert.Empty(t, news, "what was made is no edit")

		tenantFile(t, root, "globex", `,"nmae":"typo"`)
		news, before = look()
		require.Len(t, news, 1)
		assert.Contains(t, news[0], "not published; the tenants stay as they were")
		assert.Equal(t, before, s)
		tenantFile(t, root, "globex", `,"search":{"filterable":{"year":"number"}}`)
		news, before = look()
		require.Len(t, news, 1)
		assert.Contains(t, news[0], "start the platform again")
		assert.Equal(t, before, s)

		tenantFile(t, root, "globex", "")
		tenantFile(t, root, "initech", "")
		news, _ = look()
		require.Len(t, news, 1)
		keys, _, err := Keys(state, l.Tenants)
		require.NoError(t, err)
		assert.Contains(t, keys, tenants.ID("initech"), "a new tenant has a key")

		secrets := filepath.Join(state, SecretsFile)
		require.NoError(t, os.Remove(secrets))
		news, before = look()
		require.Len(t, news, 1)
		assert.Contains(t, news[0], "the key that seals the secrets has changed")
		assert.Equal(t, before, s)
	})
}

func TestAPlatformSaysWhereItIs(t *testing.T) {
	state := t.TempDir()
	assert.Empty(t, Address(state))
	l := &Local{Platform: &dev.Platform{URL: "http://127.0.0.1:9123"}, options: Options{State: state}}
	withdraw, err := l.Announce()
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:9123", Address(state))
	require.NoError(t, withdraw())
	assert.Empty(t, Address(state))
	require.NoError(t, withdraw())
}
