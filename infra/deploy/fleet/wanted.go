package fleet

import (
	"fmt"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// Unit is what a target deploys.
func Unit(t target.Target) deploy.Unit { return deploy.Unit{Pool: t.Pool, Env: t.Env} }

// Wanted is what a target's account should have: the pool's table, the Workers' code, the tenants with the grants of their API keys, and
// what the vault has of secrets, which is nil when the pool has none.
func Wanted(t target.Target, release string, code map[stack.Role]deploy.Code, grants map[string]tenants.Grant, vault *tenants.Vault) (*deploy.Desired, error) {
	d := &deploy.Desired{Unit: Unit(t), Release: release, Stack: t.Stack(), Code: code}
	if vault != nil {
		d.Secrets = map[string]string{stack.SealKey: vault.SealKey}
	}
	var err error
	if d.Tenants, err = tenants.Publish(t.Tenants, grants, vault); err != nil {
		return nil, fmt.Errorf("%s: what is published of its tenants: %w", d.Unit, err)
	}
	return d, d.Check()
}
