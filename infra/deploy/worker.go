package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// worker plans one Worker.
func (p *planner) worker(w stack.Worker) {
	d := p.desired
	j := &job{role: w.Role, script: p.Unit.Script(w.Role), worker: w, spec: d.spec(w), secrets: d.fingerprint(w), live: p.live.scripts[p.Unit.Script(w.Role)], backTo: d.Versions[w.Role].ID}
	a := Action{Kind: "worker", Name: j.script, do: func(ctx context.Context, r *run) error { return r.work(ctx, j) }}
	if len(p.options.Only) > 0 && !slices.Contains(p.options.Only, w.Role) {
		a.Op, a.Why, a.do = Same, []string{"left as it is"}, nil
		if j.live == nil {
			a.Op, a.Why = Refuse, []string{"there is none yet, so it cannot be left as it is: deploy all of them first"}
		} else {
			p.left[w.Role] = tag(j.live.Tags, "spec")
		}
		p.add(a)
		return
	}
	if j.live != nil {
		p.jobs = append(p.jobs, j)
	}
	if j.live == nil {
		a.Op, a.Why = Create, d.withAssets(w)
		if v, back := d.Versions[w.Role]; back && !p.options.noted {
			a.Op, a.Why, a.do = Refuse, []string{"there is no such Worker that could go back to version " + v.ID}, nil
		}
		p.add(a)
		return
	}
	if why := p.stranger(j.live); why != "" {
		p.add(Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{why}})
		return
	}
	classes := d.Stack.ObjectsOf(w.Role)
	if have := reached(j.live.MigrationTag); have > len(classes) {
		p.add(Action{Op: Refuse, Kind: a.Kind, Name: a.Name, Why: []string{fmt.Sprintf(
			"it has %d classes of Durable Objects, wanted are %d: a class goes only with all its data, and a deployment never takes one away", have, len(classes))}})
		return
	}
	a.Op, a.Why = p.judge(j)
	if a.Op == Same {
		a.do = nil
	}
	if a.Op != Same && j.backTo == "" {
		j.bereft = p.bereft(j.live)
		if why := p.atOnce(w, j.live, j.bereft); why != "" {
			j.atOnce = true
			a.Why = append(a.Why, "all at once: "+why)
		}
	}
	p.add(a)
}

// stranger says why a Worker is not to be touched.
func (p *planner) stranger(s *liveScript) string {
	ours, taken := p.Unit.owner(s.Tags)
	switch {
	case taken:
		return fmt.Sprintf("it belongs to %s in %s", tag(s.Tags, "pool"), tag(s.Tags, "env"))
	case !ours && !p.options.Adopt:
		return "it is there, and not tagged as ours: --adopt takes it over"
	}
	return ""
}

// judge says what is to be done for a Worker that is there.
func (p *planner) judge(j *job) (Op, []string) {
	s := j.live
	if p.options.noted {
		return p.astray(j)
	}
	spec, secrets := tag(s.Tags, "spec"), tag(s.Tags, "secrets")
	version, whole := s.whole()
	switch ours, _ := p.Unit.owner(s.Tags); {
	case !ours:
		return Update, []string{"taken over"}
	case spec != j.spec:
		made, sealed := s.deployed.made()
		j.made = whole && made == j.spec && (j.secrets == "" || sealed == j.secrets) && j.backTo == "" && len(p.differences(j)) == 0
		return Update, append([]string{fmt.Sprintf("spec %s -> %s", spec, j.spec)}, p.elsewhere(j.role, s)...)
	case j.backTo != "" && version != j.backTo:
		return Update, []string{fmt.Sprintf("%s -> %.8s", s.serves(), j.backTo)}
	case j.secrets != "" && secrets != j.secrets:
		return Update, []string{"its secrets are others"}
	}
	why := p.differences(j)
	switch noted := tag(s.Tags, "version"); {
	case !whole:
		why = append(why, fmt.Sprintf("its traffic is divided between %d versions", len(s.deployment)))
	case noted != version:
		made, sealed := s.deployed.made()
		j.made = made == j.spec && (j.secrets == "" || sealed == j.secrets) && len(why) == 0 && j.backTo == ""
		why = append(why, fmt.Sprintf("version %.8s is deployed, the last deployment ended with %.8s", version, noted))
	}
	if why = append(why, p.observes(s)...); len(why) == 0 {
		return Same, nil
	}
	return Drift, why
}

// observes says where it is not observed as it should be what a Worker does.
func (p *planner) observes(s *liveScript) []string {
	if p.desired.Stack.Observability == (stack.Observability{}) {
		return nil
	}
	return diff("observability", observed(p.desired.Stack.Observability), s.settings.Observability)
}

// differences says where the settings of a Worker are not as they should be.
func (p *planner) differences(j *job) []string {
	if j.backTo != "" && !p.options.noted {
		return nil // what a version has is as it is
	}
	want, have := p.desired.describe(j.worker), &j.live.deployed.Resources
	live := map[string]map[string]any{}
	for _, b := range have.Bindings {
		if name, ok := b["name"].(string); ok {
			live[name] = b
		}
	}
	given := j.secrets != "" || p.options.noted && tag(j.live.Tags, "secrets") != ""
	var why []string
	for _, b := range p.resolve(want.Bindings) {
		is, there := live[b.Name]
		delete(live, b.Name)
		if !there {
			why = append(why, "binding "+b.Name+" is missing")
			continue
		}
		why = append(why, diff("binding "+b.Name, b, is)...)
		if b.namespaced && b.Namespace == "" {
			why = append(why, "binding "+b.Name+" leads to a namespace that is gone")
		}
	}
	for name, b := range live {
		switch known := slices.Contains(j.worker.Secrets, name); {
		case b["type"] != secretText:
			why = append(why, "binding "+name+" is not ours")
		case !known && given:
			why = append(why, "secret "+name+" is not ours")
		}
	}
	for _, name := range j.worker.Secrets {
		if live[name] == nil && (p.desired.Secrets[name] != "" || p.options.noted && given) {
			why = append(why, "secret "+name+" is missing")
		}
	}
	why = append(why, diff("compatibility_date", want.CompatibilityDate, have.Runtime.CompatibilityDate)...)
	why = append(why, diff("compatibility_flags", want.CompatibilityFlags, have.Runtime.CompatibilityFlags)...)
	why = append(why, diff("limits", want.Limits, have.Runtime.Limits)...)
	slices.Sort(why)
	return why
}

// resolve fills in the ids of namespaces that are there.
func (p *planner) resolve(all []binding) []binding { return withIDs(all, p.live.namespaces) }

func withIDs(all []binding, ids map[string]string) []binding {
	out := slices.Clone(all)
	for i, b := range out {
		if b.namespaced {
			out[i].Namespace = ids[b.Namespace]
		}
	}
	return out
}

// atOnce says why a Worker cannot get its new version by degrees.
func (p *planner) atOnce(w stack.Worker, s *liveScript, bereft bool) string {
	switch {
	case len(s.deployment) == 0:
		return "it was never deployed"
	case bereft:
		return "what is deployed is bound to a namespace that is gone, and cannot have a part of the traffic"
	}
	var fresh []string
	for i, o := range p.desired.Stack.ObjectsOf(w.Role) {
		if i >= reached(s.MigrationTag) {
			fresh = append(fresh, o.Class)
		}
	}
	for _, f := range p.desired.Stack.WorkflowsOf(w.Role) {
		if have, there := p.live.workflows[p.Unit.Name(f.Name)]; !there || p.renamed(f, have) {
			fresh = append(fresh, f.Class)
		}
	}
	if len(fresh) == 0 {
		return ""
	}
	return "its class " + strings.Join(fresh, ", ") + " is new"
}

// bereft reports whether the deployed version is bound to a namespace that is gone: the API deploys it no more, not even back.
func (p *planner) bereft(s *liveScript) bool {
	ids := slices.Collect(maps.Values(p.live.namespaces))
	return slices.ContainsFunc(s.deployed.Resources.Bindings, func(b map[string]any) bool {
		id, _ := b["namespace_id"].(string)
		return b["type"] == string(stack.KV) && !slices.Contains(ids, id)
	})
}

// job is the work on one Worker.
type job struct {
	role          stack.Role
	script        string
	worker        stack.Worker
	spec, secrets string
	live          *liveScript // nil when there is none
	atOnce        bool        // no version by degrees
	bereft        bool        // what is deployed cannot be deployed again
	sent          bool        // it was uploaded whole, or that was tried
	made          bool        // the version is deployed, the tags are missing: somebody was interrupted
	to            string      // the version that is deployed in the end
	backTo        string      // a version that is there already
}

// work uploads a Worker, or gets ready what the rollout deploys.
func (r *run) work(ctx context.Context, j *job) error {
	at := r.account.Path("workers", "scripts", j.script)
	switch {
	case j.made:
		j.to, _ = j.live.whole()
		return r.mark(ctx, j)
	case j.backTo != "":
		j.to = j.backTo
		r.rollouts = append(r.rollouts, j)
		return nil
	}
	files, err := r.sendAssets(ctx, j)
	if err != nil {
		return err
	}
	if j.live != nil && !j.atOnce {
		var made liveVersion
		if err := r.account.Do(ctx, http.MethodPost, at+"/versions?bindings_inherit=strict", r.upload(j, files, false), &made); err != nil {
			if made = r.uploaded(ctx, j); made.ID == "" {
				return err
			}
		}
		j.to = made.ID
		r.rollouts = append(r.rollouts, j)
		return nil
	}
	j.sent = true
	if err := r.account.Do(ctx, http.MethodPut, at+"?bindings_inherit=strict", r.upload(j, files, true), nil); err != nil && r.uploaded(ctx, j).ID == "" {
		return err
	}
	if j.live == nil {
		if err := r.setDev(ctx, j.script, devAddress{}); err != nil {
			return err
		}
	}
	now, err := shares(ctx, r.account, j.script)
	if err != nil {
		return err
	}
	if len(now) != 1 {
		return fmt.Errorf("%s: %d versions are deployed right after the upload of one: somebody else deploys, too", j.script, len(now))
	}
	j.to = now[0].Version
	r.went(j)
	return r.mark(ctx, j)
}

// uploaded finds the version of an upload that failed, if it is there all the same: its answer was lost.
func (r *run) uploaded(ctx context.Context, j *job) liveVersion {
	var list struct{ Items []liveVersion }
	if err := r.account.Get(ctx, r.account.Path("workers", "scripts", j.script, "versions")+"?deployable=true", &list); err != nil || len(list.Items) == 0 {
		return liveVersion{}
	}
	newest := list.Items[0]
	spec, secrets := newest.made()
	if newest.Annotations[annotationTag] != r.plan.Release || spec != j.spec || secrets != j.secrets {
		return liveVersion{}
	}
	return newest
}

// upload is the Worker's body: whole with migrations, or a version without what versions do not have. files is the token of its assets.
func (r *run) upload(j *job, files string, whole bool) account.Upload {
	d := r.plan.desired
	m := d.describe(j.worker)
	if m.Assets != nil {
		m.Assets.JWT = files
	}
	m.Bindings = append(withIDs(m.Bindings, r.namespaces.all()), d.secrets(j.worker)...)
	if j.secrets == "" {
		m.KeepBindings = []string{secretText, "secret_key"} // they are not given, so they are not to go
	}
	m.Annotations = map[string]string{annotationTag: d.Release, annotationMessage: strings.TrimSpace(versionMark + j.spec + secretsNote(j.secrets))}
	if whole {
		m.Tags = r.tags(j, "")
		before := ""
		if j.live != nil {
			before = j.live.MigrationTag
		}
		m.Migrations = migrate(d.Stack.ObjectsOf(j.role), before)
	} else {
		m.Observability = nil
	}
	return account.Upload{Metadata: m, Modules: d.Code[j.role].Modules}
}

func secretsNote(fingerprint string) string {
	if fingerprint == "" {
		return ""
	}
	return " secrets=" + fingerprint
}

// tags are what the Worker carries: ours, and those that wrangler finds its own by.
func (r *run) tags(j *job, version string) []string {
	tags := append(r.plan.Unit.tags(), "spec="+j.spec)
	secrets := j.secrets
	if secrets == "" && j.live != nil {
		secrets = tag(j.live.Tags, "secrets")
	}
	if secrets != "" {
		tags = append(tags, "secrets="+secrets)
	}
	if version != "" {
		tags = append(tags, "version="+version)
	}
	if j.live != nil {
		for _, t := range j.live.Tags {
			if strings.HasPrefix(t, "cf:") {
				tags = append(tags, t)
			}
		}
	}
	return tags
}

// mark notes that the Worker is as it should be, and sets what versions do not have.
func (r *run) mark(ctx context.Context, j *job) error {
	body := map[string]any{"tags": r.tags(j, j.to), "observability": observed(r.plan.desired.Stack.Observability)}
	r.to[j.role] = j.to
	return r.account.Do(ctx, http.MethodPatch, r.account.Path("workers", "scripts", j.script, "script-settings"), body, nil)
}
