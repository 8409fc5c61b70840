package api

import (
	"net/http"

	"levada.dev/tenants"
)

// callerView is what a caller is let do: what a console shows who has signed in.
type callerView struct {
	Tenant     tenants.ID         `json:"tenant"`
	TenantName string             `json:"tenantName"`
	Name       string             `json:"name,omitempty"` // of the key; a caller without one has none
	Scopes     []tenants.APIScope `json:"scopes"`
	Features   []string           `json:"features"`
}

// What a tenant may have or not.
const (
	featureOpen   = "open"
	featureSpeech = "speech"
	featureTools  = "tools"
)

// whoAmI answers who the caller is. A tenant that is open lets everybody do everything, so who comes without a key has all scopes.
func whoAmI(c *call) error {
	v := callerView{Tenant: c.scope.Tenant(), TenantName: c.config.Name, Name: c.keyName(), Scopes: tenants.AllScopes, Features: []string{}}
	if c.key != nil && c.key.grant != nil {
		v.Scopes = c.key.grant.Scopes
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
