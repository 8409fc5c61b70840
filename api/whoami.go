package api

import (
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// callerView is what a caller is let do: what a console shows who has signed in.
type callerView struct {
	Tenant     tenants.ID         `json:"tenant"`
	TenantName string             `json:"tenantName"`
	Name       string             `json:"name,omitempty"` // of the key; a caller without one has none
	Scopes     []tenants.APIScope `json:"scopes"`
	Features   []string           `json:"features"`
	Opens      []tenantView       `json:"opens"` // the tenants that requests may name
}

// tenantView is a tenant that a key opens.
type tenantView struct {
	ID   tenants.ID `json:"id"`
	Name string     `json:"name"`
}

// What a tenant may have or not.
const (
	featureOpen   = "open"
	featureSpeech = "speech"
	featureTools  = "tools"
)

// whoAmI answers who the caller is. A tenant that is open lets everybody do everything, so who comes without a key has all scopes.
func whoAmI(c *call) error {
	v := callerView{
		Tenant: c.scope.Tenant(), TenantName: c.config.Name, Name: c.keyName(), Scopes: tenants.AllScopes, Features: []string{},
		Opens: []tenantView{{c.config.ID, c.config.Name}},
	}
	if c.key != nil && c.key.grant != nil {
		v.Scopes = c.key.grant.Scopes
		var err error
		if v.Opens, err = c.opened(c.key.grant); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{featureOpen, c.open()},
		{featureSpeech, c.config.Speech.Enabled && c.speechTerms().Check() == nil},
		{featureTools, len(c.config.Tools.Enabled) > 0},
	} {
		if f.has {
			v.Features = append(v.Features, f.name)
		}
	}
	return c.ok(http.StatusOK, v)
}

// namesAtOnce is how many tenants are looked up at a time.
const namesAtOnce = 5

// opened answers the tenants that a key opens, its own first. One that is not published any more is left out.
func (c *call) opened(g *tenants.Grant) ([]tenantView, error) {
	ids := append([]tenants.ID{g.Tenant}, g.Also...)
	configs := make([]*tenants.Config, len(ids))
	all, ctx := errgroup.WithContext(c.ctx())
	all.SetLimit(namesAtOnce)
	for i, id := range ids {
		if id == c.config.ID {
			configs[i] = c.config
			continue
		}
		all.Go(func() error {
			config, err := c.Directory.Config(ctx, id)
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			configs[i] = config
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("configurations of the tenants that the key opens: %w", err)
	}
	views := make([]tenantView, 0, len(ids))
	for _, config := range configs {
		if config != nil {
			views = append(views, tenantView{config.ID, config.Name})
		}
	}
	return views, nil
}
