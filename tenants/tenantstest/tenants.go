package tenantstest

import (
	"crypto/sha256"
	"testing"

	"levada.dev/tenants"
	"levada.dev/tenants/seal"
)

// Scope is the scope of a tenant.
func Scope(t testing.TB, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Config is a valid configuration with defaults, changed by what edit does; edit may be nil.
func Config(t testing.TB, id string, edit func(*tenants.Config)) tenants.Config {
	t.Helper()
	c := tenants.Config{ID: tenants.ID(id), Name: "Test tenant " + id, AllowedHosts: []string{id + ".localhost"}}
	if edit != nil {
		edit(&c)
	}
	c.Defaults()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Directory is a directory of the tenants, and an API key with every right for each.
func Directory(t testing.TB, configs ...tenants.Config) (tenants.Directory, tenants.Keys) {
	t.Helper()
	keys := Keys(t, configs...)
	d, err := tenants.StaticDirectory(configs, keys.Grants("test"))
	if err != nil {
		t.Fatal(err)
	}
	return d, keys
}

// Keys is an API key for each tenant, the same in every run.
func Keys(t testing.TB, configs ...tenants.Config) tenants.Keys {
	t.Helper()
	keys := tenants.Keys{}
	for _, c := range configs {
		key, err := tenants.NewKey(counting{}, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		keys[c.ID] = key
	}
	return keys
}

// counting is a source of no randomness at all.
type counting struct{}

func (counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// Vault is a key and the secrets that the tenants' sources and tools name, the same in every run and all different.
func Vault(t testing.TB, configs ...tenants.Config) *tenants.Vault {
	t.Helper()
	v, random := &tenants.Vault{}, &chained{}
	if _, err := v.Complete(random, configs); err != nil {
		t.Fatal(err)
	}
	if _, err := v.StandIn(random, configs); err != nil {
		t.Fatal(err)
	}
	return v
}

// Secrets is the secrets of a vault, published and opened again.
func Secrets(t testing.TB, v *tenants.Vault, configs ...tenants.Config) tenants.Secrets {
	t.Helper()
	entries, err := tenants.Publish(configs, nil, v)
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseKey(v.SealKey)
	if err != nil {
		t.Fatal(err)
	}
	return tenants.NewSecrets(entries, key, nil)
}

// SealKey is a key for secrets, the same in every run.
func SealKey(t testing.TB) seal.Key {
	t.Helper()
	text, err := seal.NewKey(&chained{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// chained is a source of what looks random and never is.
type chained struct{ last [sha256.Size]byte }

func (c *chained) Read(p []byte) (int, error) {
	c.last = sha256.Sum256(c.last[:])
	return copy(p, c.last[:]), nil
}
