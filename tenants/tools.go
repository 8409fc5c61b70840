package tenants

import "slices"

// Tools says which tools the tenant has, and how they may be called. None by default.
type Tools struct {
	Enabled    []string   `json:"enabled,omitempty"`    // by name; what is not here does not exist for the tenant
	InChat     []string   `json:"inChat,omitempty"`     // those of them that a turn offers the model by itself
	Policies   []Policy   `json:"policies,omitempty"`   // bounds of arguments, within those of the tools' schemas
	HTTP       []HTTPTool `json:"http,omitempty"`       // those that the tenant brings itself
	MaxSteps   int        `json:"maxSteps,omitempty"`   // how often a turn's model may ask for tools
	MaxSeconds int        `json:"maxSeconds,omitempty"` // for how long
}

// Policy bounds one argument of a tool. All policies of an argument hold. A list is bounded item by item.
type Policy struct {
	Tool     string `json:"tool"`
	Argument string `json:"argument"` // its name; a member of an object as "filter.category"

	Allowed  []string `json:"allowed,omitempty"` // the values that it may have; a number or boolean as it is written
	Min      *int64   `json:"min,omitempty"`
	Max      *int64   `json:"max,omitempty"`
	MaxChars int      `json:"maxChars,omitempty"` // of a text
}

// Has reports whether the tool of that name is enabled.
func (t *Tools) Has(name string) bool { return slices.Contains(t.Enabled, name) }

// ToolNames are the names that tools.enabled may have: the platform's, and those of the tenant's own.
func (c *Config) ToolNames() []string {
	names := PlatformTools()
	for _, t := range c.Tools.HTTP {
		names = append(names, t.Name)
	}
	return names
}
