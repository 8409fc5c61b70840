package target

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
	"levada.dev/tenants"
	"levada.dev/tenants/validate"
)

// The bounds of deploy.json. deploy.schema.json repeats them, and a test compares the two.
const (
	maxDomains = 32
	maxRoutes  = 32
	maxExclude = 64
	maxSteps   = 10
	maxBake    = 24 * time.Hour
)

// schema is the second opinion, and what editors show.
var schema = validate.NewChecker("deploy.schema.json", tenants.DeploySchema())

// checkForm finds what is wrong with the file by itself, in every environment.
func checkForm(d *document) *file {
	if !d.whole() {
		return &file{}
	}
	f := checkRules(d)
	d.problems = validate.Merge(d.problems, schema.Problems(d.standard))
	return f
}

// checkRules is checkForm without the schema, and finds the same.
func checkRules(d *document) *file {
	d.problems = tenants.Shape(d.standard, reflect.TypeFor[file]())
	f := decode(d.standard)
	if f.Environments == nil {
		d.say("environments", "", "is required")
	}
	for _, env := range Environments {
		e := f.of(env)
		if e == nil {
			continue
		}
		at := "environments." + env
		if e.Pools == nil {
			d.say(at+".pools", "the pools that are deployed here, by name", "is required")
		}
		checkSteps(d, at+".canary", e.Canary)
		for _, pool := range slices.Sorted(maps.Keys(e.Pools)) {
			checkPool(d, at+".pools."+pool, pool, env)
			entry := e.Pools[pool]
			checkEntry(d, at+".pools."+pool, &entry)
		}
	}
	checkApart(d, f)
	return f
}

const poolHint = "use 2 to 32 lower-case letters, digits and single hyphens, a letter first"

// checkPool refuses names that the names of resources cannot begin with, or by which two pools could not be told apart: what is called
// acme-dev-… is the pool's acme in dev, so no pool is called acme-dev.
func checkPool(d *document, at, pool, env string) {
	if _, err := tenants.ParseID(pool); err != nil {
		d.say(at, poolHint, "%.40q is not the name of a pool", pool)
		return
	}
	if pool == "local" {
		d.say(at, "", "is the pool of the local platform")
	}
	for _, segment := range strings.Split(pool, "-") {
		if slices.Contains(Environments, segment) {
			d.say(at, "leave the environment out: its name follows the pool's", "has the environment %q in its name, so that its resources could be taken for another pool's", segment)
			return
		}
	}
	if longest := longestName(Target{Pool: pool, Env: env}); len(longest) > maxName {
		d.say(at, "", "is too long: %q has %d characters, and a name may have %d", longest, len(longest), maxName)
	}
}

// maxName is the longest name that each kind of resource may have.
// https://developers.cloudflare.com/queues/platform/limits/, https://developers.cloudflare.com/r2/buckets/create-buckets/
const maxName = 63

// longestName is the longest name that one of the target's resources has.
func longestName(t Target) string {
	s := t.Stack()
	var names []string
	for _, w := range s.Workers {
		names = append(names, string(w.Role))
	}
	for _, q := range s.Queues {
		names = append(names, q.Name)
	}
	for _, w := range s.Workflows {
		names = append(names, w.Name)
	}
	for _, n := range s.Namespaces {
		names = append(names, n.Name)
	}
	for _, b := range s.Buckets {
		names = append(names, b.Name)
	}
	for _, i := range s.Indexes {
		names = append(names, i.Name)
	}
	names = append(names, s.Gateway.Name)
	return t.Name(slices.MaxFunc(names, func(a, b string) int { return len(a) - len(b) }))
}

// say adds a problem where there is none yet.
func (d *document) say(path, hint, format string, args ...any) {
	if !d.has(path) {
		d.add(path, hint, format, args...)
	}
}

var accountID = regexp.MustCompile(`^[0-9a-f]{32}$`)

const accountHint = "it is in the address of the account's dashboard, and is no secret"

func checkEntry(d *document, at string, e *Entry) {
	switch {
	case e.Account == "":
		d.say(at+".account", accountHint, "is required")
	case !accountID.MatchString(e.Account):
		d.say(at+".account", accountHint, "is not the id of an account: 32 hexadecimal digits in small letters")
	}
	if e.Token == "" {
		d.say(at+".token", "such as env:CF_TOKEN_ACME; levada reads no token that is not named here", "is required")
	} else {
		checkRef(d, at+".token", e.Token)
	}
	if e.Vault != "" {
		checkRef(d, at+".vault", e.Vault)
	}
	checkList(d, at+".exclude", e.Exclude, maxExclude, func(s string) bool { _, err := tenants.ParseID(s); return err == nil }, "a tenant's id")
	checkList(d, at+".domains", e.Domains, maxDomains, isDomain, "a host name in lower case with a dot, without scheme, port and *")
	checkRoutes(d, at+".routes", e.Routes)
	checkSteps(d, at+".canary", e.Canary)
	if o := e.Observability; o != nil {
		checkPercent(d, at+".observability.logs", o.Logs)
		checkPercent(d, at+".observability.traces", o.Traces)
		checkDestination(d, at+".observability.logsTo", o.LogsTo, o.Logs)
		checkDestination(d, at+".observability.tracesTo", o.TracesTo, o.Traces)
	}
	if len(e.Domains)+len(e.Routes) == 0 && !e.WorkersDev {
		d.say(at, `add domains, routes or "workersDev": true`, "nobody could reach it")
	}
}

func checkPercent(d *document, at string, percent *int) {
	if percent != nil && (*percent < 0 || *percent > 100) {
		d.say(at, "of the requests, in percent", "%d is not between 0 and 100", *percent)
	}
}

// destination is the form of a destination's name, which the account's dashboard gives: https://developers.cloudflare.com/workers/observability/opentelemetry-export/
var destination = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// checkDestination refuses what is no name of one, such as the address itself, and one for what there is none of.
func checkDestination(d *document, at, name string, percent *int) {
	switch {
	case name == "":
	case !destination.MatchString(name):
		d.say(at, "the name that the destination has in the account's dashboard, not its address", "is no name of 1 to 64 letters, digits, - and _")
	case percent != nil && *percent == 0:
		d.say(at, "leave it out, or keep some", "there is nothing to export: 0 percent are kept")
	}
}

// checkRef refuses what is no reference. It is not shown: it may be a token.
func checkRef(d *document, at, text string) {
	if _, err := credential.Parse(text); err != nil {
		f := fault.As(err)
		d.say(at, f.Hint, "%s", f.Message)
	}
}

func checkList(d *document, at string, all []string, most int, valid func(string) bool, what string) {
	if len(all) > most {
		d.say(at, "", "has %d elements, more than %d", len(all), most)
	}
	for i, s := range all {
		path := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case !valid(s):
			d.say(path, "", "%.80q is not %s", s, what)
		case slices.Contains(all[:i], s):
			d.say(path, "", "%q appears twice", s)
		}
	}
}

func isDomain(s string) bool { return tenants.IsHost(s) && strings.Contains(s, ".") }

func checkRoutes(d *document, at string, routes []Route) {
	if len(routes) > maxRoutes {
		d.say(at, "", "has %d elements, more than %d", len(routes), maxRoutes)
	}
	for i, r := range routes {
		path := fmt.Sprintf("%s[%d]", at, i)
		host := strings.TrimPrefix(strings.TrimPrefix(r.host(), "*"), ".")
		switch {
		case r.Pattern == "":
			d.say(path+".pattern", "such as api.example.com/*", "is required")
		case !isDomain(host) || strings.Contains(strings.TrimSuffix(r.Pattern[len(r.host()):], "*"), "*") || strings.ContainsAny(r.Pattern, " ?#:"):
			d.say(path+".pattern", "such as api.example.com/*: without scheme, a * only first and last", "%.80q is not the pattern of a route", r.Pattern)
		case slices.ContainsFunc(routes[:i], func(o Route) bool { return o.Pattern == r.Pattern }):
			d.say(path+".pattern", "", "%q appears twice", r.Pattern)
		}
		switch {
		case r.Zone == "":
			d.say(path+".zone", "the domain that the account has, such as example.com", "is required")
		case !isDomain(r.Zone):
			d.say(path+".zone", "the domain that the account has, such as example.com", "%.80q is not a zone", r.Zone)
		case !d.has(path+".pattern") && host != r.Zone && !strings.HasSuffix(host, "."+r.Zone):
			d.say(path+".zone", "", "%q is not in the zone %q", r.Pattern, r.Zone)
		}
	}
}

func checkSteps(d *document, at string, s *Steps) {
	if s == nil {
		return
	}
	if len(s.Steps) > maxSteps {
		d.say(at+".steps", "", "has %d elements, more than %d", len(s.Steps), maxSteps)
	}
	for i, percent := range s.Steps {
		path := fmt.Sprintf("%s.steps[%d]", at, i)
		switch {
		case percent < 0 || percent > 99:
			d.say(path, "percent of the requests; 100 follows by itself", "%d is not between 0 and 99", percent)
		case i > 0 && percent <= s.Steps[i-1]:
			d.say(path, "", "%d is not more than the step before", percent)
		}
	}
	if s.Bake == "" {
		return
	}
	if bake, err := time.ParseDuration(s.Bake); err != nil || bake < 0 || bake > maxBake {
		d.say(at+".bake", "such as 90s, 2m or 1h", "%.40q is not a time up to 24h", s.Bake)
	}
}
