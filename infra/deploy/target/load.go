package target

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"levada.dev/infra/deploy/credential"
	"levada.dev/tenants"
	"levada.dev/tenants/validate"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/tools/builtin"
)

// Load reads deploy.json and the tenants' configurations below a folder, and gives the targets of an environment. The form of all that is
// written is checked, and what it means in this environment. Only without problems are the targets fit for use. Without a deploy.json
// there are none, and that is no problem yet: nothing is deployed.
func Load(dir fs.FS, env string) (*Environment, tenants.Problems) {
	out := &Environment{Name: env}
	if !slices.Contains(Environments, env) {
		return out, tenants.Problems{{Message: fmt.Sprintf("there is no environment %.40q", env), Hint: didYouMean(env, Environments)}}
	}
	d := readDocument(dir, File)
	f := &file{}
	if d != nil {
		f = checkForm(d)
	}
	here := f.of(env)
	configs, problems := validate.Load(dir, Rules(env))
	if d != nil && env == Prod {
		_, elsewhere := validate.Load(dir, Rules(Dev))
		problems = here.held(configs, problems, elsewhere)
	}
	slices.SortFunc(configs, func(a, b tenants.Config) int { return strings.Compare(string(a.ID), string(b.ID)) })
	out.Tenants = configs
	if d != nil && here != nil {
		for _, pool := range slices.Sorted(maps.Keys(here.Pools)) {
			t := here.target(env, pool, configs)
			checkTarget(d, here.Pools[pool], t, configs)
			out.Targets = append(out.Targets, t)
		}
	}
	_, ofKeys := allKeys(dir, configs)
	problems = slices.Concat(problems, d.placed(), ofKeys)
	problems.Sort()
	return out, problems
}

// References are those of every environment of deploy.json, to tokens and vaults, whatever else is wrong with it.
func References(dir fs.FS) (all []credential.Ref) {
	d := readDocument(dir, File)
	if d == nil || len(d.standard) == 0 {
		return nil
	}
	f := decode(d.standard)
	for _, env := range Environments {
		e := f.of(env)
		if e == nil {
			continue
		}
		for _, entry := range e.Pools {
			for _, text := range []string{entry.Token, entry.Vault} {
				if ref, err := credential.Parse(text); err == nil {
					all = append(all, ref)
				}
			}
		}
	}
	return all
}

// Rules are what an environment holds configurations against.
func Rules(env string) validate.Rules {
	return validate.Rules{Env: env, Models: llm.EmbeddingNames(), ChatModels: llm.GenerationNames(env != Prod), Voices: speech.Voices(env != Prod), Formats: speech.Formats(), Tools: builtin.Inputs()}
}

// held is the problems of those whom the environment serves by its own rules, and of the others, who answer on the local platform at the
// most, by those that hold there.
func (e *environment) held(configs []tenants.Config, here, elsewhere tenants.Problems) (held tenants.Problems) {
	served := func(p tenants.Problem) bool {
		folder, _, _ := strings.Cut(p.File, "/")
		return p.File == "" || slices.ContainsFunc(configs, func(c tenants.Config) bool { return string(c.ID) == folder && e.serves(&c) })
	}
	for _, p := range here {
		if served(p) {
			held = append(held, p)
		}
	}
	for _, p := range elsewhere {
		if !served(p) {
			held = append(held, p)
		}
	}
	return held
}

// serves reports whether the environment serves a tenant.
func (e *environment) serves(c *tenants.Config) bool {
	if e == nil {
		return false
	}
	entry, there := e.Pools[c.Pool]
	return there && !slices.Contains(entry.Exclude, string(c.ID))
}

// target is what becomes of an entry. What is wrong with it has its problem.
func (e *environment) target(env, pool string, configs []tenants.Config) Target {
	entry := e.Pools[pool]
	t := Target{
		Pool: pool, Env: env, Account: entry.Account, Domains: entry.Domains, Routes: entry.Routes, WorkersDev: entry.WorkersDev, Analytics: entry.Analytics,
		Canary: entry.Canary.over(e.Canary.over(defaultCanary)),
	}
	if ref, err := credential.Parse(entry.Token); err == nil {
		t.Token = ref
	}
	if ref, err := credential.Parse(entry.Vault); err == nil {
		t.Vault = ref
	}
	if o := entry.Observability; o != nil {
		t.Observed = *o
	}
	for _, c := range configs {
		if c.Pool == pool && e.serves(&c) {
			t.Tenants = append(t.Tenants, c)
		}
	}
	return t
}

// NoVault is the problem of an entry without a vault that needs one.
const NoVault = "is required: its tenants name secrets"

// checkTarget finds what is wrong with an entry because of the tenants it is for.
func checkTarget(d *document, entry Entry, t Target, configs []tenants.Config) {
	at := "environments." + t.Env + ".pools." + t.Pool
	var pools, members []string
	for _, c := range configs {
		pools = append(pools, c.Pool)
		if c.Pool == t.Pool {
			members = append(members, string(c.ID))
		}
	}
	slices.Sort(pools)
	if len(members) == 0 {
		d.say(at, didYouMean(t.Pool, slices.Compact(pools)), "no tenant is of the pool %q", t.Pool)
		return
	}
	for i, id := range entry.Exclude {
		if !slices.Contains(members, id) {
			d.say(fmt.Sprintf("%s.exclude[%d]", at, i), didYouMean(id, members), "the pool has no tenant %q", id)
		}
	}
	if len(t.Tenants) == 0 {
		d.say(at+".exclude", "remove the whole entry", "leaves no tenant to serve")
	}
	if entry.Vault == "" && t.needsVault() {
		d.say(at+".vault", "such as file:/run/secrets/levada-"+t.Pool+"-"+t.Env+".json, made by levada secret new", NoVault)
	}
	if t.Env == Prod {
		checkHosts(d, at, t)
	}
}

// checkHosts finds hosts that tenants answer under and that nothing leads to the pool. Those of the machine itself lead nowhere else.
func checkHosts(d *document, at string, t Target) {
	var missing []string
	for _, c := range t.Tenants {
		for _, host := range c.AllowedHosts {
			if host != "localhost" && !strings.HasSuffix(host, ".localhost") && !t.covers(host) {
				missing = append(missing, fmt.Sprintf("%s (tenant %s)", host, c.ID))
			}
		}
	}
	if len(missing) > 0 {
		d.say(at+".domains", "add them, or a route, or remove them from the tenants' allowedHosts", "nothing leads here from %s", strings.Join(missing, ", "))
	}
}

// covers reports whether requests for a host reach the target.
func (t Target) covers(host string) bool {
	if slices.Contains(t.Domains, host) || t.WorkersDev && strings.HasPrefix(host, t.Name("api")+".") && strings.HasSuffix(host, ".workers.dev") {
		return true
	}
	return slices.ContainsFunc(t.Routes, func(r Route) bool {
		suffix, open := strings.CutPrefix(r.host(), "*")
		return host == r.host() || open && strings.HasSuffix(host, suffix)
	})
}
