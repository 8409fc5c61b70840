package double

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const groupScripts = "Workers Scripts"

// script is one Worker.
type script struct {
	name, tag         string
	created, modified string
	versions          []*version    // the oldest first
	deployments       []*deployment // likewise
	settings          Settings
	crons             []cron
	subdomain         subdomain
	migration         string           // the tag of the last
	classes           map[string]class // of Durable Objects
	rotation          rotation
	lag               int // visits that still meet the deployment before
}

// Settings are what is not in a version.
type Settings struct {
	Logpush       bool           `json:"logpush"`
	Observability *Observability `json:"observability"`
	Tags          []string       `json:"tags"`
	TailConsumers []Tail         `json:"tail_consumers"`
}

// Tail is a Worker that gets the logs of another.
type Tail struct {
	Service     string `json:"service"`
	Environment string `json:"environment,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
}

// Observability is what is logged and traced.
type Observability struct {
	Enabled           bool     `json:"enabled"`
	HeadSamplingRate  *float64 `json:"head_sampling_rate,omitempty"`
	Logs              *Signal  `json:"logs,omitempty"`
	Traces            *Signal  `json:"traces,omitempty"`
	Issues            *Signal  `json:"issues,omitempty"`
	RedactQueryString *bool    `json:"redact_query_string,omitempty"`
}

// Signal is one of the things that are observed.
type Signal struct {
	Enabled           bool     `json:"enabled"`
	InvocationLogs    *bool    `json:"invocation_logs,omitempty"`
	HeadSamplingRate  *float64 `json:"head_sampling_rate,omitempty"`
	Destinations      []string `json:"destinations,omitempty"`
	Persist           *bool    `json:"persist,omitempty"`
	PropagationPolicy string   `json:"propagation_policy,omitempty"`
}

// shown is how observability is told: with what the API does where nothing is said.
func (o *Observability) shown() *Observability {
	next := Observability{}
	if o != nil {
		next = *o
	}
	one, yes := 1.0, true
	signal := func(s *Signal, usual Signal) *Signal {
		if s != nil {
			usual.Enabled, usual.Destinations, usual.PropagationPolicy = s.Enabled, s.Destinations, s.PropagationPolicy
			usual.InvocationLogs = cmp.Or(s.InvocationLogs, usual.InvocationLogs)
			usual.HeadSamplingRate, usual.Persist = cmp.Or(s.HeadSamplingRate, usual.HeadSamplingRate), cmp.Or(s.Persist, usual.Persist)
		}
		return &usual
	}
	next.HeadSamplingRate = cmp.Or(next.HeadSamplingRate, &one)
	next.Logs = signal(next.Logs, Signal{Enabled: next.Enabled, InvocationLogs: &yes, HeadSamplingRate: &one, Persist: &yes})
	next.Traces = signal(next.Traces, Signal{HeadSamplingRate: &one, Persist: &yes})
	return &next
}

// shown are settings as they are told.
func (s Settings) shown() Settings {
	s.Observability = s.Observability.shown()
	return s
}

func (o *Observability) check() error {
	if o == nil {
		return nil
	}
	rates := []*float64{o.HeadSamplingRate}
	for _, s := range []*Signal{o.Logs, o.Traces} {
		if s == nil {
			continue
		}
		rates = append(rates, s.HeadSamplingRate)
		for _, name := range s.Destinations {
			if name == "" || strings.ContainsAny(name, ":/ ") { // it is the name of one in the account; an address is none
				return refuse(http.StatusBadRequest, codeInvalid, "observability: no destination %q", name)
			}
		}
	}
	for _, r := range rates {
		if r != nil && (*r < 0 || *r > 1) {
			return refuse(http.StatusBadRequest, codeInvalid, "observability: head_sampling_rate has to be 0 to 1, is %v", *r)
		}
	}
	return nil
}

const (
	maxTags     = 10
	maxTagBytes = 1024
)

// check refuses settings that cannot be. A Worker may send its logs to one that is there.
func (s Settings) check(a *Account) error {
	if len(s.Tags) > maxTags {
		return refuse(http.StatusBadRequest, codeInvalid, "A Worker has at most %d tags, these are %d.", maxTags, len(s.Tags))
	}
	for i, tag := range s.Tags {
		if tag == "" || len(tag) > maxTagBytes || strings.ContainsAny(tag, ",&") {
			return refuse(http.StatusBadRequest, codeInvalid, "Tag %q is not valid: 1 to %d bytes without , and &.", tag, maxTagBytes)
		}
		if slices.Contains(s.Tags[:i], tag) {
			return refuse(http.StatusBadRequest, codeInvalid, "Tag %q is there twice.", tag)
		}
	}
	for _, t := range s.TailConsumers {
		if a.scripts[t.Service] == nil {
			return refuse(http.StatusBadRequest, codeNoScript, "tail_consumers: the Worker %q does not exist.", t.Service)
		}
	}
	return s.Observability.check()
}

const codeNoScript = 10007

var scriptName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,62}$`)

// script is the Worker of the path.
func (c *call) script() (*script, error) {
	s := c.account.scripts[c.PathValue("script")]
	if s == nil {
		return nil, refuse(http.StatusNotFound, codeNoScript, "This Worker does not exist on your account.")
	}
	return s, nil
}

// on makes a handler of what is done with the Worker of the path.
func on(do func(*call, *script) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		s, err := c.script()
		if err != nil {
			return nil, err
		}
		return do(c, s)
	}
}

func (s *script) latest() *version { return s.versions[len(s.versions)-1] }

// current is the deployment that is live; nil of none.
func (s *script) current() *deployment {
	if len(s.deployments) == 0 {
		return nil
	}
	return s.deployments[len(s.deployments)-1]
}

// live are the versions of the current deployment.
func (s *script) live() []*version {
	var all []*version
	if d := s.current(); d != nil {
		for _, share := range d.Versions {
			all = append(all, s.version(share.VersionID))
		}
	}
	return all
}

// view is how a Worker is in the list of them, which is where the tag of its last migration is told.
func (s *script) view() map[string]any {
	v := s.latest()
	view := map[string]any{
		"id": s.name, "tag": s.tag, "created_on": s.created, "modified_on": s.modified, "etag": v.etag, "usage_model": "standard",
		"handlers": []string{"fetch"}, "has_assets": v.assets != nil, "has_modules": true, "last_deployed_from": "api", "logpush": s.settings.Logpush,
		"tags": s.settings.Tags, "tail_consumers": s.settings.TailConsumers, "observability": s.settings.Observability.shown(),
	}
	v.runtime.into(view)
	if s.migration != "" {
		view["migration_tag"] = s.migration
	}
	return view
}

func scriptRoutes() []route {
	const scripts = "/accounts/{account}/workers/scripts"
	const one = scripts + "/{script}"
	return []route{
		{pattern: "GET " + scripts, group: groupScripts, handle: listScripts},
		{pattern: "PUT " + one, group: groupScripts, handle: putScript},
		{pattern: "DELETE " + one, group: groupScripts, handle: on(deleteScript)},
		{pattern: "GET " + one + "/settings", group: groupScripts, handle: on(scriptAndVersionSettings)},
		{pattern: "GET " + one + "/script-settings", group: groupScripts, handle: on(func(_ *call, s *script) (any, error) { return s.settings.shown(), nil })},
		{pattern: "PATCH " + one + "/script-settings", group: groupScripts, handle: on(patchSettings)},
		{pattern: "GET " + one + "/schedules", group: groupScripts, handle: on(func(_ *call, s *script) (any, error) { return s.schedules(), nil })},
		{pattern: "PUT " + one + "/schedules", group: groupScripts, handle: on(putSchedules)},
		{pattern: "GET " + one + "/subdomain", group: groupScripts, handle: on(func(_ *call, s *script) (any, error) { return s.subdomain, nil })},
		{pattern: "POST " + one + "/subdomain", group: groupScripts, handle: on(postSubdomain)},
	}
}

func listScripts(c *call) (any, error) {
	all := []map[string]any{}
	for _, s := range sorted(c.account.scripts) {
		all = append(all, s.view())
	}
	return all, nil
}

// scriptAndVersionSettings are those of the newest version, whether it is deployed or not.
func scriptAndVersionSettings(_ *call, s *script) (any, error) {
	v := s.latest()
	view := map[string]any{
		"bindings": shown(v.bindings), "usage_model": "standard", "logpush": s.settings.Logpush, "tags": s.settings.Tags,
		"tail_consumers": s.settings.TailConsumers, "observability": s.settings.Observability.shown(),
	}
	v.runtime.into(view)
	return view, nil
}

// patchSettings sets what the body names; null takes it away.
func patchSettings(c *call, s *script) (any, error) {
	given, err := decode[struct {
		Logpush       json.RawMessage `json:"logpush"`
		Observability json.RawMessage `json:"observability"`
		Tags          json.RawMessage `json:"tags"`
		TailConsumers json.RawMessage `json:"tail_consumers"`
	}](c)
	if err != nil {
		return nil, err
	}
	next := s.settings
	err = errors.Join(patch(&next.Logpush, given.Logpush), patch(&next.Observability, given.Observability), patch(&next.Tags, given.Tags), patch(&next.TailConsumers, given.TailConsumers))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, codeRequest, "Unable to parse request body: %v", err)
	}
	if err := next.check(c.account); err != nil {
		return nil, err
	}
	s.settings = next
	return s.settings.shown(), nil
}

// patch sets what is given, whole: nothing is merged into what was.
func patch[T any](to *T, given json.RawMessage) error {
	if given == nil {
		return nil
	}
	var next T
	err := strictly(given, &next)
	*to = next
	return err
}

// deleteScript refuses while something needs the Worker, unless it is forced. Its objects, domains, routes and consumers go with it.
func deleteScript(c *call, s *script) (any, error) {
	if c.URL.Query().Get("force") != "true" {
		if by := c.account.neededBy(s); by != "" {
			return nil, refuse(http.StatusBadRequest, 10064, "Cannot delete this Worker as it is referenced by %s.", by)
		}
	}
	c.account.removeScript(s)
	return nil, nil
}

// neededBy says what needs a Worker: another one that is bound to it or to its objects, or a queue that it consumes.
func (a *Account) neededBy(s *script) string {
	for _, other := range sorted(a.scripts) {
		for _, v := range other.live() {
			for _, b := range v.bindings {
				if other != s && (b["service"] == s.name || b["script_name"] == s.name) {
					return fmt.Sprintf("the Worker %s (binding %s)", other.name, b["name"])
				}
			}
		}
		for _, t := range other.settings.TailConsumers {
			if other != s && t.Service == s.name {
				return fmt.Sprintf("the Worker %s, whose logs it gets", other.name)
			}
		}
	}
	for _, q := range a.queues {
		for _, consumer := range q.consumers {
			if consumer.Script == s.name {
				return fmt.Sprintf("the queue %s, which it consumes", q.name)
			}
		}
	}
	return ""
}

func (a *Account) removeScript(s *script) {
	delete(a.scripts, s.name)
	for _, q := range a.queues {
		q.consumers = slices.DeleteFunc(q.consumers, func(c *consumer) bool { return c.Script == s.name })
	}
	for host, d := range a.domains {
		if d.Service == s.name {
			delete(a.domains, host)
		}
	}
	for _, z := range a.api.zones {
		if z.account == a.ID {
			z.routes = slices.DeleteFunc(z.routes, func(r *zoneRoute) bool { return r.Script == s.name })
		}
	}
}
