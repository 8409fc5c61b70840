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
	pages map[string]map[string]*gcra // by row, by user
}

// find is the rate of a user.
func (u *users) find(tx rows.Tx, key string) (*gcra, error) {
	name := userPrefix + key[:2]
	page := u.pages[name]
	if page == nil {
		page = map[string]*gcra{}
		if _, err := rows.Read(tx, name, &page); err != nil {
			return nil, err
		}
		if u.pages == nil {
			u.pages = map[string]map[string]*gcra{}
		}
		u.pages[name] = page
	}
	if page[key] == nil {
		page[key] = &gcra{}
	}
	return page[key], nil
}

// save writes the rows in which a rate has changed.
func (u *users) save(tx rows.Tx) error {
	for _, name := range slices.Sorted(maps.Keys(u.pages)) {
		changed := false
		for _, g := range u.pages[name] {
			changed = changed || g.changed
		}
		if !changed {
			continue
		}
		maps.DeleteFunc(u.pages[name], func(_ string, g *gcra) bool { return g.full() <= u.now })
		if err := rows.Write(tx, name, u.pages[name]); err != nil {
			return fmt.Errorf("book: users: %w", err)
		}
	}
	return nil
}
