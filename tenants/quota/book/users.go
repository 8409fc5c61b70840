package book

import (
	"fmt"
	"maps"
	"slices"

	"levada.dev/tenants/rows"
)

// users is the rates of users that an exchange has looked at, by row. Many users share a row, and whoever writes it leaves
// out those whose rate stands full again; so nobody needs to sweep them, and there are never more rows than names of rows.
type users struct {
	now   int64
	pages map[string]*page
}

type page struct {
	rates map[string]*gcra
	found map[string]gcra // as they were
}

// find is the rate of a user.
func (u *users) find(tx rows.Tx, key string) (*gcra, error) {
	name := userPrefix + key[:2]
	p := u.pages[name]
	if p == nil {
		p = &page{rates: map[string]*gcra{}, found: map[string]gcra{}}
		if _, err := rows.Read(tx, name, &p.found); err != nil {
			return nil, err
		}
		for k, g := range p.found {
			p.rates[k] = &g
		}
		if u.pages == nil {
			u.pages = map[string]*page{}
		}
		u.pages[name] = p
	}
	g := p.rates[key]
	if g == nil {
		g = &gcra{}
		p.rates[key] = g
	}
	return g, nil
}

// save writes the rows in which a rate has changed.
func (u *users) save(tx rows.Tx) error {
	for _, name := range slices.Sorted(maps.Keys(u.pages)) {
		p := u.pages[name]
		changed := false
		next := map[string]gcra{}
		for k, g := range p.rates {
			changed = changed || *g != p.found[k]
			if !g.full(u.now) {
				next[k] = *g
			}
		}
		if !changed {
			continue
		}
		if err := rows.Write(tx, name, next); err != nil {
			return fmt.Errorf("book: users: %w", err)
		}
	}
	return nil
}
