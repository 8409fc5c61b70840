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

// Vault reads the secrets that a target publishes, by the reference that it has, and those alone: of its own tenants, what their sources,
// tools and webhooks name. It is nil when they name none. What is missing is fault.Invalid: vault_missing, vault_invalid, secret_missing. No error quotes a
// secret.
func Vault(ctx context.Context, source *credential.Source, t Target) (*tenants.Vault, error) {
	if !t.needsVault() {
		return nil, nil
	}
	if t.Vault.String() == "" {
		return nil, fault.Invalidf("", "vault_missing", "the pool %s has no vault in %s, and its tenants name secrets", t.Pool, t.Env).
			WithHint(NextStep(tenants.SourceSecret, t.Tenants[0].ID, "", t.Env))
	}
	text, err := source.Text(ctx, t.Name("vault"), t.Vault)
	if err != nil {
		return nil, err
	}
	all, err := tenants.ParseVault([]byte(text.Secret()), t.Tenants)
	if err != nil {
		f := fault.As(err)
		return nil, fault.Invalidf(f.Field, "vault_invalid", "%s %s", t.Vault, f.Message)
	}
	own := &tenants.Vault{SealKey: all.SealKey}
	for _, c := range t.Tenants {
		for _, need := range c.Secrets() {
			secret, there := all.Secrets[c.ID][need.Name]
			if !there {
				return nil, fault.Invalidf("", "secret_missing", "%s has no secret %q of the tenant %s, which a %s of it needs", t.Vault, need.Name, c.ID, need.Kind).
					WithHint(NextStep(need.Kind, c.ID, need.Name, t.Env))
			}
			own.Set(c.ID, need.Name, secret)
		}
	}
	return own, nil
}

// NextStep is what brings a secret that is missing into a vault.
func NextStep(kind tenants.SecretKind, id tenants.ID, name, env string) string {
	if !kind.Made() {
		return fmt.Sprintf("levada secret set %s --env %s --name %s reads what the server gave from stdin", id, env, name)
	}
	return fmt.Sprintf("levada secret new %s --env %s makes what is missing", id, env)
}

// SecretState is what is known of a secret, without the secret.
type SecretState struct {
	Tenant tenants.ID         `json:"tenant"`
	Name   string             `json:"name"`
	Kind   tenants.SecretKind `json:"kind,omitempty"` // empty when nobody names it
	State  string             `json:"state"`
}

// The states of a secret.
const (
	SecretThere   = "there"
	SecretMissing = "missing" // a source, a tool or a webhook needs it
	SecretUnused  = "unused"  // nothing of a tenant that is served names it
)

// Inventory compares a vault with what a target's tenants name, by tenant and name.
func Inventory(v *tenants.Vault, t Target) []SecretState {
	var all []SecretState
	named := map[string]bool{}
	for _, c := range t.Tenants {
		for _, need := range c.Secrets() {
			state := SecretMissing
			if v.Secrets[c.ID][need.Name] != "" {
				state = SecretThere
			}
			named[fmt.Sprint(c.ID, "/", need.Name)] = true
			all = append(all, SecretState{c.ID, need.Name, need.Kind, state})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.Secrets)) {
		for _, name := range slices.Sorted(maps.Keys(v.Secrets[id])) {
			if !named[fmt.Sprint(id, "/", name)] {
				all = append(all, SecretState{id, name, "", SecretUnused})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b SecretState) int {
		return slices.Compare([]string{string(a.Tenant), a.Name}, []string{string(b.Tenant), b.Name})
	})
	return all
}
