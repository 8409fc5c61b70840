package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Gate says whether what was deployed is well.
type Gate interface {
	Check(ctx context.Context, c Check) error
}

// Check is what a gate is asked.
type Check struct {
	Host    string            // where the public Worker answers
	Version string            // which version of it has to
	Only    map[string]string // script -> version: asks these, and not those that have the traffic
	Bake    time.Duration     // how long to watch
	Fresh   bool              // the address is new, and may not be known everywhere yet
}

// check is what the gate is asked at a step.
func (r *run) check(jobs []*job, percent int) Check {
	c := Check{Host: r.plan.known(), Version: r.public(), Fresh: r.fresh}
	if percent < 100 {
		c.Only, c.Bake = map[string]string{}, r.options.Canary.Bake
	}
	for _, j := range jobs {
		if percent < 100 {
			c.Only[j.script] = j.to
		}
		if j.worker.Public {
			c.Version = j.to
		}
	}
	return c
}

// public is the version of the public Worker that has the traffic while others get theirs.
func (r *run) public() string {
	for _, w := range r.plan.desired.Stack.Workers {
		if s := r.plan.live.scripts[r.plan.Unit.Script(w.Role)]; w.Public && s != nil && len(s.deployment) > 0 {
			if sent := r.to[w.Role]; sent != "" {
				return sent // whole, ahead of the others
			}
			if version, whole := s.whole(); whole {
				return version
			}
			return r.before(&job{role: w.Role, live: s}).ID
		}
	}
	return ""
}

// asks reports whether there is a gate and an address to ask at.
func (r *run) asks(c Check) bool { return r.options.Gate != nil && c.Host != "" }

// ask asks the gate, if it can be asked.
func (r *run) ask(ctx context.Context, c Check) error {
	if !r.asks(c) {
		return nil
	}
	return r.options.Gate.Check(ctx, c)
}

// verify looks whether all that was deployed answers, with the configuration that was published.
func (r *run) verify(ctx context.Context) error {
	c := Check{Host: r.plan.Host(), Fresh: r.fresh}
	for _, w := range r.plan.desired.Stack.Workers {
		v, err := r.deployed(ctx, w)
		if err != nil {
			return err
		}
		if w.Public {
			c.Version = v.ID
		}
	}
	if c.Host == "" {
		r.tell("nobody was asked how it is: " + r.plan.unasked())
		return nil
	}
	r.tell("asking " + c.Host + " how it is")
	return r.ask(ctx, c)
}

// Host is where the public Worker answers; empty when it has no address.
func (p *Plan) Host() string { return p.host(func(string, stack.Route, string) bool { return true }) }

// Warn adds what whoever carries the plan out should know before: that nobody can be asked between the steps of a canary.
func (p *Plan) Warn(c Canary) {
	byDegrees := func(j *job) bool {
		return j.backTo == "" && !j.atOnce && slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Kind == "worker" && a.Name == j.script && a.do != nil })
	}
	if len(c.Steps) > 0 && p.known() == "" && slices.ContainsFunc(p.jobs, byDegrees) {
		p.Warnings = append(p.Warnings, "the steps of the canary are held against nothing, they only take their time: "+p.unasked())
	}
}

// unasked says why there is nobody to be asked how a version is.
func (p *Plan) unasked() string {
	s := &p.desired.Stack
	switch {
	case p.Host() != "":
		return "no address leads to the public Worker yet"
	case len(s.Routes) > 0:
		return "only patterns lead to the public Worker, and a pattern is no host; workersDev gives it one"
	}
	return "the pool has no address"
}

// known is where it answered already before this deployment: at an address that stays, or at one that is taken away after it.
func (p *Plan) known() string {
	if host := p.lasting(); host != "" {
		return host
	}
	for _, w := range p.desired.Stack.Workers {
		for _, host := range slices.Sorted(maps.Keys(p.live.domains)) {
			if w.Public && p.live.domains[host].Script == p.Unit.Script(w.Role) {
				return host
			}
		}
	}
	return ""
}

// lasting is an address at which it answers, and that stays.
func (p *Plan) lasting() string {
	return p.host(func(domain string, route stack.Route, script string) bool {
		switch {
		case domain != "":
			return p.live.domains[domain].Script == script
		case route.Pattern != "":
			return slices.ContainsFunc(p.live.routes[route.Zone].all, func(r liveRoute) bool { return r.Pattern == route.Pattern && r.Script == script })
		}
		return p.live.scripts[script] != nil && p.live.scripts[script].dev.Enabled
	})
}

// host is the first of the addresses that will do: a domain, a route, or that of workers.dev.
func (p *Plan) host(will func(domain string, route stack.Route, script string) bool) string {
	s := p.desired.Stack
	i := slices.IndexFunc(s.Workers, func(w stack.Worker) bool { return w.Public })
	if i < 0 {
		return ""
	}
	script := p.Unit.Script(s.Workers[i].Role)
	for _, domain := range s.Domains {
		if will(domain, stack.Route{}, script) {
			return domain
		}
	}
	for _, r := range s.Routes {
		if host, _, _ := strings.Cut(r.Pattern, "/"); !strings.Contains(host, "*") && will("", r, script) {
			return host
		}
	}
	if s.WorkersDev && p.live.subdomain != "" && will("", stack.Route{}, script) {
		return script + "." + p.live.subdomain + ".workers.dev"
	}
	return ""
}

// Site asks the public Worker itself: /health has to name the version, /ready that all it depends on answers.
type Site struct {
	HTTP  *http.Client                                     // http.DefaultClient
	Sleep func(ctx context.Context, d time.Duration) error // between two questions
}

// How long a version may take until it is known everywhere, and a new address.
const (
	spread       = 30 * time.Second
	spreadFresh  = 5 * time.Minute
	betweenAsks  = time.Second
	betweenLooks = 5 * time.Second

	forgiven  = 3                // so many answers in a row that are not well are one too many
	askedLong = 10 * time.Second // how long an answer may take
)

// Check implements Gate.
func (s Site) Check(ctx context.Context, c Check) error {
	if s.Sleep == nil {
		s.Sleep = account.Sleep
	}
	patience := spread
	if c.Fresh {
		patience = spreadFresh
	}
	for waited := time.Duration(0); ; waited += betweenAsks {
		err := s.version(ctx, c)
		if err == nil {
			break
		}
		if waited >= patience {
			return err
		}
		if err := s.Sleep(ctx, betweenAsks); err != nil {
			return err
		}
	}
	failed := 0
	for watched := time.Duration(0); ; watched += betweenLooks {
		if err := s.ready(ctx, c); err == nil {
			failed = 0
		} else if failed++; failed == forgiven || ctx.Err() != nil {
			return err
		}
		if watched >= c.Bake && failed == 0 {
			return nil
		}
		if err := s.Sleep(ctx, betweenLooks); err != nil {
			return err
		}
	}
}

func (s Site) version(ctx context.Context, c Check) error {
	var answer struct {
		Data struct {
			VersionID string `json:"versionId"`
		} `json:"data"`
	}
	if err := s.get(ctx, c, "/health", &answer); err != nil {
		return err
	}
	if got := answer.Data.VersionID; c.Version != "" && got != c.Version {
		return fmt.Errorf("https://%s/health: version %.8s answers, not %.8s", c.Host, got, c.Version)
	}
	return nil
}

func (s Site) ready(ctx context.Context, c Check) error { return s.get(ctx, c, "/ready", nil) }

// maxAnswer is more than these routes ever say.
const maxAnswer = 64 << 10

func (s Site) get(ctx context.Context, c Check, path string, out any) error {
	url := "https://" + c.Host + path
	ctx, cancel := context.WithTimeout(ctx, askedLong)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if len(c.Only) > 0 {
		req.Header.Set("Cloudflare-Workers-Version-Overrides", overrides(c.Only))
	}
	client := s.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: answers %d", url, resp.StatusCode)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// overrides is the header that asks for versions.
// https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/#version-overrides
func overrides(versions map[string]string) string {
	var parts []string
	for _, script := range slices.Sorted(maps.Keys(versions)) {
		parts = append(parts, fmt.Sprintf("%s=%q", script, versions[script]))
	}
	return strings.Join(parts, ", ")
}
