package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/tenants"
)

// accessOf says who can work with a pool again when an earlier configuration is published, and who no more: what somebody revoked or took
// away since comes back with it. Where what is live is not known, that is said; it is no reason not to go back.
func accessOf(ctx context.Context, a *account.Account, namespace, live string, then tenants.Entries) []string {
	now, err := readEntries(ctx, a, namespace, live)
	var lines []string
	if err == nil {
		lines, err = access(now, then)
	}
	if err != nil {
		return []string{"which API keys and tenants come back is not known: " + err.Error()}
	}
	return lines
}

// access compares two configurations.
func access(now, then tenants.Entries) ([]string, error) {
	has, had := now.IDs(), then.IDs()
	var lines []string
	for _, id := range had {
		if !slices.Contains(has, id) {
			lines = append(lines, fmt.Sprintf("the tenant %s is served again", id))
		}
	}
	for _, id := range has {
		if !slices.Contains(had, id) {
			lines = append(lines, fmt.Sprintf("the tenant %s is served no more", id))
		}
	}
	valid, err := now.Grants()
	if err != nil {
		return nil, err
	}
	was, err := then.Grants()
	if err != nil {
		return nil, err
	}
	var keys []string
	for hash, g := range was {
		switch is, there := valid[hash]; {
		case !there || is.Tenant != g.Tenant:
			keys = append(keys, fmt.Sprintf("the API key %s of %s works again", g.Name, g.Tenant))
		case !slices.Equal(is.Scopes, g.Scopes):
			keys = append(keys, fmt.Sprintf("the API key %s of %s has its earlier rights again: %s", g.Name, g.Tenant, scopes(g)))
		case !slices.Equal(is.Also, g.Also):
			keys = append(keys, fmt.Sprintf("the API key %s of %s opens what it did before again: %s", g.Name, g.Tenant, opens(g)))
		}
	}
	for hash, g := range valid {
		if was[hash].Tenant != g.Tenant {
			keys = append(keys, fmt.Sprintf("the API key %s of %s works no more", g.Name, g.Tenant))
		}
	}
	slices.Sort(keys)
	return append(lines, keys...), nil
}

// opens are the tenants that a key opens.
func opens(g tenants.Grant) string {
	all := []string{string(g.Tenant)}
	for _, id := range g.Also {
		all = append(all, string(id))
	}
	return strings.Join(all, ", ")
}

func scopes(g tenants.Grant) string {
	all := make([]string, len(g.Scopes))
	for i, s := range g.Scopes {
		all[i] = string(s)
	}
	return strings.Join(all, ", ")
}
