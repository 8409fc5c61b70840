package target

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
	"levada.dev/tenants"
)

// Vault reads the secrets that a target publishes, by the reference that it has, and those alone: of its own tenants, what their sources
// name. It is nil when they name none. What is missing is fault.Invalid: vault_missing, vault_invalid, secret_missing. No error quotes a
// secret.
func Vault(ctx context.Context, source *credential.Source, t Target) (*tenants.Vault, error) {
	if !t.needsVault() {
		return nil, nil
	}
	hint := "levada secret new " + string(t.Tenants[0].ID) + " --env " + t.Env + " makes what is missing"
	if t.Vault.String() == "" {
		return nil, fault.Invalidf("", "vault_missing", "the pool %s has no vault in %s, and sources of its tenants have secrets", t.Pool, t.Env).WithHint(hint)
	}
	text, err := source.Text(ctx, t.Name("vault"), t.Vault)
	if err != nil {
		return nil, err
	}
	all, err := tenants.ParseVault([]byte(text.Secret()))
	if err != nil {
		f := fault.As(err)
		return nil, fault.Invalidf(f.Field, "vault_invalid", "%s %s", t.Vault, f.Message)
	}
	own := &tenants.Vault{SealKey: all.SealKey, Secrets: map[tenants.ID]map[string]string{}}
	for _, c := range t.Tenants {
		for _, name := range c.Secrets() {
			secret, there := all.Secrets[c.ID][name]
			if !there {
				return nil, fault.Invalidf("", "secret_missing", "%s has no secret %q of the tenant %s, which a source of it needs", t.Vault, name, c.ID).WithHint(hint)
			}
			if own.Secrets[c.ID] == nil {
				own.Secrets[c.ID] = map[string]string{}
			}
			own.Secrets[c.ID][name] = secret
		}
	}
	return own, nil
}

// SecretState is what is known of a secret, without the secret.
type SecretState struct {
	Tenant tenants.ID `json:"tenant"`
	Name   string     `json:"name"`
	State  string     `json:"state"`
}

// The states of a secret.
const (
	SecretThere   = "there"
	SecretMissing = "missing" // a source needs it
	SecretUnused  = "unused"  // no source of a tenant that is served names it
)

// Inventory compares a vault with what the sources of a target's tenants name, by tenant and name.
func Inventory(v *tenants.Vault, t Target) []SecretState {
	var all []SecretState
	named := map[string]bool{}
	for _, c := range t.Tenants {
		for _, name := range c.Secrets() {
			state := SecretMissing
			if v.Secrets[c.ID][name] != "" {
				state = SecretThere
			}
			named[fmt.Sprint(c.ID, "/", name)] = true
			all = append(all, SecretState{c.ID, name, state})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.Secrets)) {
		for _, name := range slices.Sorted(maps.Keys(v.Secrets[id])) {
			if !named[fmt.Sprint(id, "/", name)] {
				all = append(all, SecretState{id, name, SecretUnused})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b SecretState) int {
		return slices.Compare([]string{string(a.Tenant), a.Name}, []string{string(b.Tenant), b.Name})
	})
	return all
}
