package tenantstest

import (
	"testing"

	"levada.dev/tenants"
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
