package double

import (
	"net/http"
	"slices"
	"time"
)

// version is one upload of a Worker.
type version struct {
	id, created, etag string
	number            int
	annotations       map[string]string
	bindings          []binding
	modules           []Module
	runtime           runtime
	migration         string // the tag of the last migration when it was uploaded
	assets            *assetSet
}

// runtime is how a version runs.
type runtime struct {
	CompatibilityDate  string     `json:"compatibility_date"`
	CompatibilityFlags []string   `json:"compatibility_flags"`
	Limits             *limits    `json:"limits"`
	Placement          *placement `json:"placement"`
	UsageModel         string     `json:"usage_model"`
}

type limits struct {
	CPUMillis   int `json:"cpu_ms,omitempty"`
	Subrequests int `json:"subrequests,omitempty"`
}

type placement struct {
	Mode     string `json:"mode,omitempty"`
	Region   string `json:"region,omitempty"`
	Host     string `json:"host,omitempty"`
	Hostname string `json:"hostname,omitempty"`
}

// into adds what is set to a view; the API leaves the rest out.
func (r runtime) into(view map[string]any) {
	if r.CompatibilityDate != "" {
		view["compatibility_date"] = r.CompatibilityDate
	}
	view["compatibility_flags"] = append([]string{}, r.CompatibilityFlags...)
	if r.Limits != nil {
		view["limits"] = r.Limits
	}
	if r.Placement != nil {
		view["placement"] = r.Placement
	}
}

const (
	maxCPUMillis   = 300_000
	maxSubrequests = 10_000_000
)

func (r runtime) check() error {
	day, err := time.Parse(time.DateOnly, r.CompatibilityDate)
	switch {
	case r.CompatibilityDate != "" && err != nil:
		return refuse(http.StatusBadRequest, codeInvalid, "compatibility_date %q is no date.", r.CompatibilityDate)
	case day.After(epoch):
		return refuse(http.StatusBadRequest, codeInvalid, "Can't set compatibility date in the future: %q.", r.CompatibilityDate)
	case r.Limits != nil && (r.Limits.CPUMillis < 0 || r.Limits.CPUMillis > maxCPUMillis):
		return refuse(http.StatusBadRequest, 100328, "limits.cpu_ms has to be at most %d, is %d.", maxCPUMillis, r.Limits.CPUMillis)
	case r.Limits != nil && (r.Limits.Subrequests < 0 || r.Limits.Subrequests > maxSubrequests):
		return refuse(http.StatusBadRequest, 100328, "limits.subrequests has to be at most %d, is %d.", maxSubrequests, r.Limits.Subrequests)
	case r.UsageModel != "" && r.UsageModel != "standard":
		return refuse(http.StatusBadRequest, codeInvalid, "usage_model %q is not offered any more.", r.UsageModel)
	}
	for i, f := range r.CompatibilityFlags {
		if f == "" || slices.Contains(r.CompatibilityFlags[:i], f) {
			return refuse(http.StatusBadRequest, codeInvalid, "The compatibility flag %q is empty or there twice.", f)
		}
	}
	return nil
}

const maxAnnotation = 100 // bytes

// checkAnnotations takes those that are allowed.
func checkAnnotations(all map[string]string, allowed ...string) error {
	for name, text := range all {
		if !slices.Contains(allowed, name) {
			return refuse(http.StatusBadRequest, codeInvalid, "There is no annotation %q.", name)
		}
		if len(text) > maxAnnotation {
			return refuse(http.StatusBadRequest, codeInvalid, "The annotation %s has %d bytes, allowed are %d.", name, len(text), maxAnnotation)
		}
	}
	return nil
}

// newVersion makes a version of an upload, with all that it is bound to. It is not added yet.
func (c *call) newVersion(s *script, m metadata, modules []Module) (*version, error) {
	if err := checkAnnotations(m.Annotations, "workers/message", "workers/tag", "workers/alias"); err != nil {
		return nil, err
	}
	if err := m.runtime.check(); err != nil {
		return nil, err
	}
	if err := m.CodeUpdateStrategy.check(); err != nil {
		return nil, err
	}
	inherit := c.URL.Query().Get("bindings_inherit")
	if inherit != "" && inherit != "strict" {
		return nil, refuse(http.StatusBadRequest, codeRequest, "bindings_inherit has to be strict, is %q", inherit)
	}
	bindings, err := c.account.bind(s, m, inherit == "strict")
	if err != nil {
		return nil, err
	}
	assets, err := c.account.assetsOf(s, m)
	if err != nil {
		return nil, err
	}
	return &version{
		id: c.api.uuid(), created: c.api.now(), etag: etag(modules), annotations: m.Annotations, bindings: bindings, modules: modules,
		runtime: m.runtime, migration: s.migration, assets: assets,
	}, nil
}

func (u *updateStrategy) check() error {
	if u == nil || (u.Mode == "immediate" || u.Mode == "deferred") && u.MaxDelay >= 0 && u.MaxDelay <= 86_400 {
		return nil
	}
	return refuse(http.StatusBadRequest, codeInvalid, "code_update_strategy is immediate or deferred, with a max_delay of up to 86400.")
}

func (s *script) add(v *version) {
	v.number = len(s.versions) + 1
	s.versions = append(slices.Clip(s.versions), v)
	s.modified = v.created
}

func (s *script) version(id string) *version {
	for _, v := range s.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

const startup = 7 // milliseconds, of each version

// view is a version; with its resources where one is asked for.
func (v *version) view(whole bool) map[string]any {
	view := map[string]any{
		"id": v.id, "number": v.number, "startup_time_ms": startup,
		"metadata": map[string]any{"created_on": v.created, "modified_on": v.created, "source": "api", "author_id": author, "author_email": authorEmail},
	}
	if len(v.annotations) > 0 {
		view["annotations"] = v.annotations
	}
	if whole {
		runtime := map[string]any{"usage_model": "standard"}
		v.runtime.into(runtime)
		view["resources"] = map[string]any{
			"bindings": shown(v.bindings), "script_runtime": runtime,
			"script": map[string]any{"etag": v.etag, "handlers": []string{"fetch"}, "last_deployed_from": "api"},
		}
	}
	return view
}

const (
	author      = "00000000000000000000000000000001"
	authorEmail = "deployer@example.com"

	deployable = 100 // so many of the newest versions can be deployed
)

func versionRoutes() []route {
	const versions = "/accounts/{account}/workers/scripts/{script}/versions"
	return []route{
		{pattern: "GET " + versions, group: groupScripts, handle: on(listVersions)},
		{pattern: "POST " + versions, group: groupScripts, handle: on(postVersion)},
		{pattern: "GET " + versions + "/{version}", group: groupScripts, handle: on(func(c *call, s *script) (any, error) {
			if v := s.version(c.PathValue("version")); v != nil {
				return v.view(true), nil
			}
			return nil, refuse(http.StatusNotFound, codeNoVersion, "This version does not exist.")
		})},
	}
}

// listVersions has the newest first. Those that can be deployed come all at once, whatever page is asked for.
func listVersions(c *call, s *script) (any, error) {
	items := []map[string]any{}
	for i, v := range slices.Backward(s.versions) {
		if c.URL.Query().Get("deployable") != "true" || i >= len(s.versions)-deployable {
			items = append(items, v.view(false))
		}
	}
	if c.URL.Query().Get("deployable") == "true" {
		return map[string]any{"items": items}, nil
	}
	result, err := paged(c, items)
	if err != nil {
		return nil, err
	}
	p := result.(page)
	return page{map[string]any{"items": p.items}, p.info}, nil
}

// postVersion uploads a version of a Worker that is there, without deploying it. What is not in versions is not changed by it.
func postVersion(c *call, s *script) (any, error) {
	m, modules, err := c.upload()
	if err != nil {
		return nil, err
	}
	if m.Migrations != nil {
		return nil, refuse(http.StatusBadRequest, 10211, "Durable Object migrations must be fully applied: a version cannot carry them, upload the Worker whole.")
	}
	if _, err := c.account.settingsOf(s.settings, m); err != nil {
		return nil, err
	}
	v, err := c.newVersion(s, m, modules)
	if err != nil {
		return nil, err
	}
	s.add(v)
	return v.view(true), nil
}
