package deploy

import (
	"regexp"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/infra/stack"
)

// Unit is what is deployed at a time: a pool in an environment.
type Unit struct {
	Pool string `json:"pool"`
	Env  string `json:"env"`
}

// Envs are the environments.
func Envs() []string { return []string{"dev", "stage", "prod"} }

// String is how messages call it: acme in prod.
func (u Unit) String() string { return u.Pool + " in " + u.Env }

// Name is the name of a resource in the account. What has it belongs to the unit.
func (u Unit) Name(resource string) string { return u.Pool + "-" + u.Env + "-" + resource }

// Dataset is the name of a dataset of Analytics Engine, which queries have as that of a table.
func (u Unit) Dataset(name string) string { return strings.ReplaceAll(u.Name(name), "-", "_") }

// Script is the name of a role's Worker in the account.
func (u Unit) Script(role stack.Role) string { return u.Name(string(role)) }

// owns reports whether a name is one that the unit gives.
func (u Unit) owns(name string) bool { return strings.HasPrefix(name, u.Name("")) }

// maxName is the longest name that every kind of resource takes: that of a queue, a bucket and a Worker.
// https://developers.cloudflare.com/queues/platform/limits/ https://developers.cloudflare.com/workers/platform/limits/
const maxName = 63

var poolName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// Check refuses a unit whose names could be another's, or that some resource does not take.
func (u Unit) Check(s *stack.Stack) error {
	if !slices.Contains(Envs(), u.Env) {
		return fault.Invalidf("env", "env_unknown", "there is no environment %.40q", u.Env).WithHint("one of " + strings.Join(Envs(), ", "))
	}
	if !poolName.MatchString(u.Pool) {
		return fault.Invalidf("pool", "pool_invalid", "%.60q is not the name of a pool", u.Pool).WithHint("lower-case letters, digits and hyphens")
	}
	for _, env := range Envs() {
		if strings.Contains(u.Pool+"-", "-"+env+"-") {
			return fault.Invalidf("pool", "pool_ambiguous", "the pool %q could be taken for another one in %s", u.Pool, env).WithHint("a pool's name has no environment in it")
		}
	}
	for _, name := range u.names(s) {
		if len(name) > maxName {
			return fault.Invalidf("pool", "pool_too_long", "the pool's name makes %q, which has %d characters, more than %d", name, len(name), maxName).
				WithHint("a shorter name of the pool")
		}
	}
	return nil
}

// names are those of all resources.
func (u Unit) names(s *stack.Stack) []string {
	var names []string
	add := func(name string) { names = append(names, u.Name(name)) }
	for _, w := range s.Workers {
		add(string(w.Role))
	}
	for _, q := range s.Queues {
		add(q.Name)
	}
	for _, n := range s.Namespaces {
		add(n.Name)
	}
	for _, b := range s.Buckets {
		add(b.Name)
	}
	for _, i := range s.Indexes {
		add(i.Name)
	}
	for _, w := range s.Workflows {
		add(w.Name)
	}
	if s.Gateway.Name != "" {
		add(s.Gateway.Name)
	}
	return names
}

// tags are what a Worker carries that belongs to the unit.
func (u Unit) tags() []string { return []string{managed, "pool=" + u.Pool, "env=" + u.Env} }

// managed marks what this program made.
const managed = "managed-by=levada"

// owner says whose a Worker with these tags is: ours, nobody's or another's.
func (u Unit) owner(tags []string) (ours, taken bool) {
	ours = true
	for _, t := range u.tags() {
		ours = ours && slices.Contains(tags, t)
	}
	return ours, slices.Contains(tags, managed) && !ours
}

// tag is the value of a tag "name=value".
func tag(tags []string, name string) string {
	for _, t := range tags {
		if v, ok := strings.CutPrefix(t, name+"="); ok {
			return v
		}
	}
	return ""
}

// release names.
var releaseName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// CheckRelease refuses what cannot be the name of a release.
func CheckRelease(name string) error {
	if !releaseName.MatchString(name) {
		return fault.Invalidf("release", "release_invalid", "%.60q is not the name of a release", name).WithHint("up to 50 letters, digits, dots, hyphens and underscores, such as v1.4.0")
	}
	return nil
}
