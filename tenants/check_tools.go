package tenants

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of tools. tenant.schema.json repeats them.
const (
	MaxToolSteps     = 20
	MaxToolSeconds   = 300
	MaxPolicyChars   = 1_000_000
	maxTools         = 64
	maxPolicies      = 64
	maxAllowed       = 100
	maxAllowedChars  = 200
	maxArgumentChars = 128
)

func (c *Config) toolDefaults() {
	setDefault(&c.Tools.MaxSteps, 5)
	setDefault(&c.Tools.MaxSeconds, 60)
	for i := range c.Tools.HTTP {
		c.Tools.HTTP[i].defaults()
	}
}

func (c *Config) toolProblems(ps *Problems) {
	c.httpToolProblems(ps)
	t := c.Tools
	known := c.ToolNames()
	if len(t.Enabled) > maxTools {
		ps.add("tools.enabled", "", "has %d elements, more than %d", len(t.Enabled), maxTools)
	}
	for i, name := range t.Enabled {
		at := fmt.Sprintf("tools.enabled[%d]", i)
		switch {
		case !slices.Contains(known, name):
			ps.add(at, didYouMean(name, known), "%.64q is not a tool", name)
		case slices.Contains(t.Enabled[:i], name):
			ps.add(at, "", "%q appears twice", name)
		}
	}
	for i, name := range t.InChat {
		at := fmt.Sprintf("tools.inChat[%d]", i)
		t.enabledProblem(ps, at, name)
		if slices.Contains(t.InChat[:i], name) {
			ps.add(at, "", "%q appears twice", name)
		}
	}
	if len(t.Policies) > maxPolicies {
		ps.add("tools.policies", "", "has %d elements, more than %d", len(t.Policies), maxPolicies)
	}
	for i, p := range t.Policies {
		at := fmt.Sprintf("tools.policies[%d]", i)
		t.enabledProblem(ps, at+".tool", p.Tool)
		p.problems(ps, at)
	}
	between(ps, "tools.maxSteps", int64(t.MaxSteps), MaxToolSteps)
	between(ps, "tools.maxSeconds", int64(t.MaxSeconds), MaxToolSeconds)
}

// enabledProblem refuses the name of a tool that the tenant does not have.
func (t *Tools) enabledProblem(ps *Problems, path, name string) {
	switch {
	case t.Has(name):
	case len(t.Enabled) == 0:
		ps.add(path, "enable it in tools.enabled", "%.64q is not enabled", name)
	default:
		ps.add(path, didYouMean(name, t.Enabled), "%.64q is not in tools.enabled", name)
	}
}

func (p *Policy) problems(ps *Problems, path string) {
	if !isArgument(p.Argument) {
		ps.add(path+".argument", "such as top_k, or filter.category for what is inside of an object", "%.40q is not the name of an argument", p.Argument)
	}
	if len(p.Allowed) == 0 && p.Min == nil && p.Max == nil && p.MaxChars == 0 {
		ps.add(path, "give allowed, min, max or maxChars", "bounds nothing")
	}
	list(ps, path+".allowed", p.Allowed, maxAllowed, isAllowed, fmt.Sprintf("a value of 1 to %d characters", maxAllowedChars))
	if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		ps.add(path+".min", "", "is more than max (%d): nothing would be allowed", *p.Max)
	}
	if p.MaxChars != 0 {
		between(ps, path+".maxChars", int64(p.MaxChars), MaxPolicyChars)
	}
}

func isAllowed(s string) bool {
	n := utf8.RuneCountInString(s)
	return n > 0 && n <= maxAllowedChars
}

// isArgument reports whether s is names of members with points between them.
func isArgument(s string) bool {
	if len(s) > maxArgumentChars {
		return false
	}
	for name := range strings.SplitSeq(s, ".") {
		if !isMetadataName(name) {
			return false
		}
	}
	return true
}
