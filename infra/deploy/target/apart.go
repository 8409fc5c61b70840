package target

import (
	"fmt"
	"maps"
	"slices"
)

// use is a place of the file that uses something.
type use struct {
	at        string // the path
	what      string // that is used there
	env, pool string
	entry     Entry
}

func (u use) String() string { return "environments." + u.env + ".pools." + u.pool }

// checkApart finds what two pools cannot share, or share without its having been said, in all environments together. It is told at each.
func checkApart(d *document, f *file) {
	accounts, tokens, vaults, hosts := map[string][]use{}, map[string][]use{}, map[string][]use{}, map[string][]use{}
	for _, env := range Environments {
		e := f.of(env)
		if e == nil {
			continue
		}
		for _, pool := range slices.Sorted(maps.Keys(e.Pools)) {
			u := use{env: env, pool: pool, entry: e.Pools[pool]}
			note(accounts, u.entry.Account, u, ".account")
			note(tokens, u.entry.Token, u, ".token")
			note(vaults, u.entry.Vault, u, ".vault")
			for i, domain := range u.entry.Domains {
				note(hosts, domain, u, fmt.Sprintf(".domains[%d]", i))
			}
			for i, r := range u.entry.Routes {
				note(hosts, r.Pattern, u, fmt.Sprintf(".routes[%d].pattern", i))
			}
		}
	}
	for _, uses := range accounts {
		each(uses, func(u, other use) bool { return u.pool != other.pool && !u.entry.SharedAccount }, func(u, other use) {
			d.say(u.at, `give it an account of its own, or say "sharedAccount": true at both`, "is also the account of %s: whoever has its token reads both pools", other)
		})
	}
	for _, uses := range tokens {
		each(uses, func(u, other use) bool { return u.entry.Account != other.entry.Account }, func(u, other use) {
			d.say(u.at, "give each account a token of its own", "is also the token of %s, which is in another account", other)
		})
	}
	for _, uses := range vaults {
		each(uses, func(_, _ use) bool { return true }, func(u, other use) {
			d.say(u.at, "give each pool and environment secrets of its own", "is also the vault of %s", other)
		})
	}
	for _, uses := range hosts {
		each(uses, func(u, other use) bool { return u.String() != other.String() }, func(u, other use) {
			d.say(u.at, "a host leads to one pool in one environment", "%q is also at %s", u.what, other)
		})
	}
}

func note(uses map[string][]use, what string, u use, field string) {
	if what != "" {
		u.at, u.what = u.String()+field, what
		uses[what] = append(uses[what], u)
	}
}

// each calls tell for every use with the first other that clashes with it.
func each(uses []use, clash func(u, other use) bool, tell func(u, other use)) {
	for i, u := range uses {
		for j, other := range uses {
			if i != j && clash(u, other) {
				tell(u, other)
				break
			}
		}
	}
}
