package deploy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/double/contract"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

const (
	acmeAccount   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	globexAccount = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	acmeToken     = "acme-token-0123456789abcdefghijklmnop"
	globexToken   = "globex-token-0123456789abcdefghijklmn"
	zone          = "cccccccccccccccccccccccccccccccc"
	sealKey       = "a key that is made of many random bits"
)

// world is two accounts and the addresses of what is deployed in them.
type world struct {
	t    *testing.T
	api  *double.API
	held http.Handler // the API, held to Cloudflare's own document when there is one
	url  string
	site *http.Client
	now  time.Time
	said []string

	writes  int // that came, with those that were cut off
	cutFrom int // this write and all later ones never arrive; 0 for none
	loseAt  int // the answer of this write is lost; 0 for none

	refuseAt int                      // this write is refused; 0 for none
	late     bool                     // it is refused after it had its effect
	wrote    func(n int, before bool) // is told of each write, before and after it; may be nil

	sleep func(ctx context.Context, d time.Duration) error // how an account waits
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, api: double.New(), sleep: atOnce, now: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
	w.api.DocumentedOnly = true
	w.api.MaxPage = 7 // a page may be shorter than was asked for
	w.api.Account(acmeAccount, "acme")
	w.api.Account(globexAccount, "globex")
	w.api.Token(acmeToken, double.Token{Accounts: []string{acmeAccount}, Zones: []string{zone}})
	w.api.Token(globexToken, double.Token{Accounts: []string{globexAccount}})
	w.api.Zone(zone, "acme.example", acmeAccount)
	w.held = contract.Held(t, w.api)
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.url = server.URL + "/client/v4"
	w.site = &http.Client{Transport: inProcess{w.api.Site()}}
	return w
}

// serve is the way to the API, on which writes get lost.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.held.ServeHTTP(rw, r)
		return
	}
	w.writes++
	if w.wrote != nil {
		n := w.writes
		w.wrote(n, true)
		defer w.wrote(n, false)
	}
	switch {
	case w.writes == w.refuseAt:
		if w.late {
			w.held.ServeHTTP(httptest.NewRecorder(), r)
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"success":false,"errors":[{"code":1,"message":"refused for once"}],"messages":[],"result":null}`))
		return
	case w.cutFrom > 0 && w.writes >= w.cutFrom:
		panic(http.ErrAbortHandler)
	case w.writes == w.loseAt:
		w.held.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	w.held.ServeHTTP(rw, r)
}

// inProcess answers requests to any host by a handler.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, in)
	return rec.Result(), nil
}

func (w *world) open(id, token string) *account.Account {
	w.t.Helper()
	source := credential.New(credential.Options{Getenv: func(string) (string, bool) { return token, true }})
	ref, err := credential.Parse("env:TOKEN")
	require.NoError(w.t, err)
	secret, err := source.Token(w.t.Context(), "acme", ref)
	require.NoError(w.t, err)
	return account.Open(id, secret, account.Options{URL: w.url, Sleep: w.sleep})
}

// atOnce is a wait that takes no time.
func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func (w *world) acme() *account.Account   { return w.open(acmeAccount, acmeToken) }
func (w *world) globex() *account.Account { return w.open(globexAccount, globexToken) }

// desired is a unit with this project's table and small modules.
func (w *world) desired(pool, release, code string) *deploy.Desired {
	w.t.Helper()
	p := stack.Pool{
		Name: pool, Env: "prod", WorkersDev: true,
		Filterable: map[string]tenants.FieldType{"year": tenants.FieldNumber},
		Budgets:    []stack.Budget{{Tenant: pool, USDPerDay: 10}},
	}
	if pool == "acme" {
		p.Domains, p.Routes = []string{"api.acme.example"}, []stack.Route{{Pattern: "acme.example/api/*", Zone: "acme.example"}}
	}
	d := &deploy.Desired{
		Unit: deploy.Unit{Pool: pool, Env: "prod"}, Release: release, Stack: stack.Levada(p),
		Code: map[stack.Role]deploy.Code{}, Secrets: map[string]string{stack.SealKey: sealKey + pool},
	}
	for _, one := range d.Stack.Workers {
		c := module(code + " of " + string(one.Role))
		if one.Assets != nil {
			c.Assets = files(w.t, code)
		}
		d.Code[one.Role] = c
	}
	d.Tenants = published(w.t, pool, "Inc")
	return d
}

// recode gives a Worker other code, and the files that it has.
func recode(d *deploy.Desired, role stack.Role, text string) {
	c := module(text)
	c.Assets = d.Code[role].Assets
	d.Code[role] = c
}

func module(text string) deploy.Code {
	return deploy.Code{Digest: text, Modules: []account.Module{
		{Name: "worker.mjs", Type: account.ESModule, Body: []byte("export default {} // " + text)},
		{Name: "glue/app.wasm", Type: account.Wasm, Body: []byte("\x00asm\x01\x00\x00\x00")},
	}}
}

// files are the assets of a Worker: a page that says which code it came with, and what no release changes.
func files(t *testing.T, says string) *deploy.Assets {
	t.Helper()
	a, err := deploy.ReadAssets(fstest.MapFS{
		"_headers": {Data: []byte("/console/*\n  X-Frame-Options: DENY\n")}, "console/index.html": {Data: []byte("<title>" + says + "</title>")},
		"console/404.html": {Data: []byte("<title>nothing</title>")}, "console/app/main.js": {Data: []byte("export {};")}, "console/app/same.js": {Data: []byte("export {};")},
	})
	require.NoError(t, err)
	return a
}

func published(t *testing.T, id, name string) tenants.Entries {
	t.Helper()
	entries, err := tenants.Publish([]tenants.Config{{ID: tenants.ID(id), Name: name, Pool: id}}, map[string]tenants.Grant{
		tenants.HashKey(id): {Tenant: tenants.ID(id), Name: "ci", Scopes: tenants.AllScopes},
	}, nil)
	require.NoError(t, err)
	return entries
}

func (w *world) plan(a *account.Account, d *deploy.Desired, o ...deploy.PlanOptions) *deploy.Plan {
	w.t.Helper()
	p, err := w.tryPlan(a, d, o...)
	require.NoError(w.t, err)
	return p
}

func (w *world) tryPlan(a *account.Account, d *deploy.Desired, o ...deploy.PlanOptions) (*deploy.Plan, error) {
	w.t.Helper()
	before := len(w.api.Writes())
	p, err := deploy.Make(w.t.Context(), a, d, append(o, deploy.PlanOptions{})[0])
	require.Len(w.t, w.api.Writes(), before, "a plan writes nothing")
	return p, err
}

func (w *world) options() deploy.ApplyOptions {
	return deploy.ApplyOptions{
		Canary: deploy.Canary{Steps: []int{0, 10, 50}, Bake: 20 * time.Second}, Gate: deploy.Site{HTTP: w.site, Sleep: atOnce}, Sleep: atOnce,
		Progress: func(line string) { w.said = append(w.said, line) },
		Now:      func() time.Time { w.now = w.now.Add(time.Minute); return w.now },
	}
}

func (w *world) apply(p *deploy.Plan) error {
	w.t.Helper()
	return deploy.Apply(w.t.Context(), p, w.options())
}

// deploy brings a unit to what is desired, and looks that nothing is left to do.
func (w *world) deploy(a *account.Account, d *deploy.Desired) {
	w.t.Helper()
	require.NoError(w.t, w.apply(w.plan(a, d)))
	w.still(a, d)
}

// still: a second deployment writes nothing.
func (w *world) still(a *account.Account, d *deploy.Desired) {
	w.t.Helper()
	p := w.plan(a, d)
	require.Empty(w.t, changes(p))
	before := len(w.api.Writes())
	require.NoError(w.t, w.apply(p))
	require.Len(w.t, w.api.Writes(), before)
}

// changes are a plan's lines without what stays.
func changes(p *deploy.Plan) []string {
	var lines []string
	for _, a := range p.Actions {
		if a.Op != deploy.Same {
			lines = append(lines, a.String())
		}
	}
	return lines
}

// kinds are the operations and kinds of those lines, each once.
func kinds(p *deploy.Plan) string {
	var all []string
	seen := map[string]bool{}
	for _, a := range p.Actions {
		if k := string(a.Op) + a.Kind; a.Op != deploy.Same && !seen[k] {
			seen[k] = true
			all = append(all, k)
		}
	}
	return strings.Join(all, " ")
}

// health is what the address says: the version's tag.
func (w *world) health(host string) string {
	w.t.Helper()
	resp, err := w.site.Get("https://" + host + "/health")
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	var b strings.Builder
	_, err = fmt.Fprint(&b, resp.StatusCode, " ")
	require.NoError(w.t, err)
	body := make([]byte, 4096)
	n, _ := resp.Body.Read(body)
	b.Write(body[:n])
	return b.String()
}

// told reports whether a line of progress began so.
func (w *world) told(begin string) bool {
	for _, line := range w.said {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}
