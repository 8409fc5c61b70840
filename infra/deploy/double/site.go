package double

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
)

// Overrides is the header that asks for a version of a Worker: name="version id", and more after a comma.
// https://developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/#version-overrides
const Overrides = "Cloudflare-Workers-Version-Overrides"

// Site is what the deployed Workers answer at their hosts: <script>.<subdomain>.workers.dev, custom domains, routes. Of all that they could
// answer it is /health, with the version that answers, and /ready, as the API's Worker has them; and the files of the version.
func (a *API) Site() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if bare, _, err := net.SplitHostPort(host); err == nil {
			host = bare
		}
		name, v, environment, sick := a.visit(host, r.URL.Path, r.Header.Values(Overrides))
		if v == nil {
			http.Error(w, "There is nothing here yet.", http.StatusNotFound)
			return
		}
		if v.assets != nil && v.assets.has(r.URL.Path) {
			v.assets.serve(w, r)
			return
		}
		answer := wellAnswer{Status: "ok", Version: "dev", Environment: environment}
		if v.has("version_metadata") {
			answer.Version, answer.VersionID = v.annotations["workers/tag"], v.id
		}
		switch r.URL.Path {
		case "/health":
		case "/ready":
			answer = wellAnswer{Status: "ready", Checks: &[]any{}}
		default:
			http.NotFound(w, r)
			return
		}
		status := http.StatusOK
		if sick != nil {
			if is := sick(name, v.id, v.annotations["workers/tag"]); is != 0 {
				status, answer.Status = is, "failed"
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(struct {
			OK   bool       `json:"ok"`
			Data wellAnswer `json:"data"`
		}{status == http.StatusOK, answer})
	})
}

// wellAnswer is what /health and /ready say, in the order in which the API's Worker says it.
type wellAnswer struct {
	Status      string `json:"status"`
	Version     string `json:"version,omitempty"`
	VersionID   string `json:"versionId,omitempty"`
	Environment string `json:"environment,omitempty"`
	Checks      *[]any `json:"checks,omitempty"`
}

// Sick makes Site answer with another status than 200, where it is told one that is not 0. Nil makes all healthy.
func (a *API) Sick(sick func(script, versionID, tag string) (status int)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sick = sick
}

// Worker is the account and the Worker that a request for a host and a path goes to; both are empty when it goes to none.
func (a *API) Worker(host, path string) (account, script string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.at(host, path)
	if s == nil || s.current() == nil {
		return "", ""
	}
	for id, acct := range a.accounts {
		if acct.scripts[s.name] == s {
			account = id
		}
	}
	return account, s.name
}

// visit finds the Worker of a host and the version of it whose turn it is.
func (a *API) visit(host, path string, overrides []string) (name string, v *version, environment string, sick func(script, versionID, tag string) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.at(host, path)
	if s == nil {
		return "", nil, "", nil
	}
	d := s.visited()
	if d == nil {
		return "", nil, "", nil
	}
	if v = s.asked(d, overrides); v == nil {
		v = s.version(s.rotation.next(d.Versions))
	}
	environment = "dev"
	for _, b := range v.bindings {
		if b.text("name") == "ENVIRONMENT" {
			environment = b.text("text")
		}
	}
	return s.name, v, environment, a.sick
}

// at is the Worker that a host and a path lead to. A route goes before a domain, and of the routes the longest.
func (a *API) at(host, path string) *script {
	var best *zoneRoute
	var owner *Account
	for _, z := range a.zones {
		for _, r := range z.routes {
			if r.matches(host, path) && (best == nil || len(r.Pattern) > len(best.Pattern)) {
				best, owner = r, a.accounts[z.account]
			}
		}
	}
	if best != nil {
		return owner.scripts[best.Script]
	}
	for _, acct := range a.accounts {
		if d, ok := acct.domains[host]; ok {
			return acct.scripts[d.Service]
		}
		if name, ok := strings.CutSuffix(host, "."+acct.Subdomain+".workers.dev"); ok {
			if s := acct.scripts[name]; s != nil && s.subdomain.Enabled {
				return s
			}
		}
	}
	return nil
}

func (v *version) has(kind string) bool {
	for _, b := range v.bindings {
		if b.text("type") == kind {
			return true
		}
	}
	return false
}

// visited is the deployment that a visit meets: the current one, or for a while the one before, if there was one.
func (s *script) visited() *deployment {
	if s.lag == 0 {
		return s.current()
	}
	s.lag--
	if len(s.deployments) < 2 {
		return nil
	}
	return s.deployments[len(s.deployments)-2]
}

// asked is the version that the header asks for, when it is one of the deployment.
func (s *script) asked(d *deployment, overrides []string) *version {
	id := dictionary(strings.Join(overrides, ","))[s.name]
	for _, sh := range d.Versions {
		if sh.VersionID == id {
			return s.version(id)
		}
	}
	return nil
}

// dictionary reads a structured field of strings, RFC 8941; nil of what is none.
func dictionary(text string) map[string]string {
	all := map[string]string{}
	for text = strings.TrimSpace(text); text != ""; {
		key, rest, ok := strings.Cut(text, `="`)
		value, rest, closed := strings.Cut(rest, `"`)
		key = strings.TrimSpace(key)
		if !ok || !closed || key == "" || strings.ContainsAny(key, `," `) {
			return nil
		}
		all[key] = value
		text = strings.TrimSpace(rest)
		if text == "" {
			break
		}
		if rest, ok = strings.CutPrefix(text, ","); !ok {
			return nil
		}
		if text = strings.TrimSpace(rest); text == "" {
			return nil
		}
	}
	return all
}

// rotation gives versions their turns: of a hundred visits each gets its percents, as evenly as it goes.
type rotation struct {
	credit [2]float64
}

func (r *rotation) next(shares []share) string {
	best := 0
	for i, sh := range shares {
		r.credit[i] += sh.Percentage
		if r.credit[i] > r.credit[best] {
			best = i
		}
	}
	r.credit[best] -= 100
	return shares[best].VersionID
}
