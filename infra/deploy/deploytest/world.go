package deploytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levada.dev/infra/build"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// Pool is a pool of the world's checkout. It is in every environment.
type Pool struct {
	Name    string
	Tenants []string // its own name when there are none
	Account string   // of AccountID: that of its own name when empty
}

// Pools are n pools with a tenant and an account each: t001, t002, ...
func Pools(n int) []Pool {
	all := make([]Pool, n)
	for i := range all {
		all[i].Name = fmt.Sprintf("t%03d", i+1)
	}
	return all
}

// World is accounts and a checkout.
type World struct {
	API  *double.API
	Root string // the checkout

	pools  []Pool
	deploy deployJSON
	losses losses
	t      testing.TB
}

// New makes a world with an account for each pool, unless pools share one. The checkout has tenants/<id>/tenant.config.json, a
// tenants/deploy.json that names files with the accounts' tokens, and small Workers, which Run has deployed instead of building them.
func New(t testing.TB, pools ...Pool) *World {
	t.Helper()
	w := &World{API: double.New(), Root: t.TempDir(), pools: pools, t: t, deploy: deployJSON{Environments: map[string]environmentJSON{}}}
	w.Write("go.mod", "module levada.dev\n")
	shared := map[string]int{}
	for i, p := range pools {
		if p.Account == "" {
			w.pools[i].Account = p.Name
		}
		if len(p.Tenants) == 0 {
			w.pools[i].Tenants = []string{p.Name}
		}
		shared[w.pools[i].Account]++
	}
	for _, env := range []string{"dev", "stage", "prod"} {
		e := environmentJSON{Canary: &canaryJSON{Steps: []int{0, 50}, Bake: "0s"}, Pools: map[string]*PoolJSON{}}
		for _, p := range w.pools {
			e.Pools[p.Name] = &PoolJSON{Account: AccountID(p.Account), Token: "file:" + w.tokenFile(p.Account), WorkersDev: true, SharedAccount: shared[p.Account] > 1}
		}
		w.deploy.Environments[env] = e
	}
	for _, p := range w.pools {
		w.AddAccount(p.Account)
		for _, id := range p.Tenants {
			w.Tenant(id, map[string]any{"name": id, "pool": p.Name})
		}
	}
	w.saveDeploy()
	w.Code("one")
	return w
}

// deployJSON is tenants/deploy.json.
type deployJSON struct {
	Environments map[string]environmentJSON `json:"environments"`
}

type environmentJSON struct {
	Canary *canaryJSON          `json:"canary,omitempty"`
	Pools  map[string]*PoolJSON `json:"pools"`
}

type canaryJSON struct {
	Steps []int  `json:"steps"`
	Bake  string `json:"bake"`
}

// PoolJSON is what tenants/deploy.json says of a pool.
type PoolJSON struct {
	Account       string   `json:"account"`
	Token         string   `json:"token"`
	Vault         string   `json:"vault,omitempty"`
	SharedAccount bool     `json:"sharedAccount,omitempty"`
	WorkersDev    bool     `json:"workersDev,omitempty"`
	Domains       []string `json:"domains,omitempty"`
	Routes        []Route  `json:"routes,omitempty"`
}

// Route is a pattern of a zone.
type Route struct {
	Pattern string `json:"pattern"`
	Zone    string `json:"zone"`
}

// Edit changes what tenants/deploy.json says of a pool in an environment.
func (w *World) Edit(env, pool string, edit func(*PoolJSON)) {
	w.t.Helper()
	edit(w.deploy.Environments[env].Pools[pool])
	w.saveDeploy()
}

func (w *World) saveDeploy() { w.Write("tenants/deploy.json", text(w.t, w.deploy)) }

// AccountID is the id of an account by its name.
func AccountID(name string) string {
	sum := fmt.Sprintf("%x", name)
	return (sum + "00000000000000000000000000000000")[:32]
}

// TokenValue is the token of an account. It is no secret of anybody.
func TokenValue(name string) string { return "token-of-" + name + "-0123456789abcdefghij" }

// AddAccount adds an account and its token, in a file.
func (w *World) AddAccount(name string) {
	w.t.Helper()
	id := AccountID(name)
	w.API.Account(id, name)
	w.API.Token(TokenValue(name), double.Token{Accounts: []string{id}})
	w.SetToken(name, TokenValue(name))
}

// SetToken changes what the file with an account's token has.
func (w *World) SetToken(name, value string) {
	w.t.Helper()
	w.Write(filepath.Join("secrets", name), value)
}

func (w *World) tokenFile(name string) string { return filepath.Join(w.Root, "secrets", name) }

// Tenant writes the configuration of a tenant.
func (w *World) Tenant(id string, config map[string]any) {
	w.t.Helper()
	config["id"] = id
	w.Write(filepath.Join("tenants", id, "tenant.config.json"), text(w.t, config))
}

// Code changes the Workers' code.
func (w *World) Code(version string) {
	w.t.Helper()
	for _, worker := range stack.Levada(stack.Pool{Name: "any"}).Workers {
		w.Write(filepath.Join("workers", string(worker.Role), "worker.mjs"), "export default {} // "+version+" of "+string(worker.Role))
		if worker.Assets != nil {
			folder := filepath.Join("workers", build.AssetsFolder(worker.Role))
			w.Write(filepath.Join(folder, stack.HeadersFile), worker.Assets.Path+"*\n  X-Frame-Options: DENY\n")
			w.Write(filepath.Join(folder, filepath.FromSlash(worker.Assets.Path), "index.html"), "<title>"+version+"</title>")
		}
	}
}

// Workers is the folder of the small Workers.
func (w *World) Workers() string { return filepath.Join(w.Root, "workers") }

// Write writes a file of the checkout, for its owner alone.
func (w *World) Write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.Root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// URL is where the API is for a client that Client made.
const URL = "http://api.invalid" + double.Root

// Client is a client that reaches the API without a network, at URL.
func (w *World) Client() *http.Client { return &http.Client{Transport: transport{w.API, &w.losses}} }

// Site is a client to which every host is one of the world's.
func (w *World) Site() *http.Client { return &http.Client{Transport: transport{w.API.Site(), nil}} }

// Lose has the n-th write of a Client from now on, from 1, lost on its way there, or, when it has had its effect, its answer.
func (w *World) Lose(n int, answer bool) { w.losses.set(n, answer) }

// Open is an account, for what somebody does by hand.
func (w *World) Open(name string) *account.Account {
	w.t.Helper()
	token, _ := w.Token(name)
	return account.Open(AccountID(name), token, account.Options{URL: URL, HTTP: w.Client()})
}

// Token is an account's token, as it is read from its file.
func (w *World) Token(name string) (credential.Token, credential.Ref) {
	w.t.Helper()
	ref, err := credential.Parse("file:" + w.tokenFile(name))
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := credential.New(credential.Options{}).Token(w.t.Context(), name, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return token, ref
}

// Serve puts the world where commands look that are run in this process, until the test is over, and returns the variables that do so for
// others.
func (w *World) Serve(t *testing.T) (environ []string) {
	t.Helper()
	environ = w.Environ(t)
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return environ
}

// Environ serves the world until the test is over, and returns the variables that put it where commands look that are run in other processes.
func (w *World) Environ(t testing.TB) []string {
	t.Helper()
	api, site := httptest.NewServer(w.API), httptest.NewServer(w.API.Site())
	t.Cleanup(api.Close)
	t.Cleanup(site.Close)
	return []string{
		"LEVADA_API_URL=" + api.URL + double.Root, "LEVADA_SITE_URL=" + site.URL, "LEVADA_WORKERS=" + w.Workers(),
		"XDG_CACHE_HOME=" + filepath.Join(w.Root, "cache"),
	}
}

// Execute runs a command line, as cli.Execute does.
type Execute func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Run runs a command line in the world's checkout.
func (w *World) Run(execute Execute, args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	code = execute(w.t.Context(), append(args, "--root", w.Root), &out, &errs)
	return code, out.String(), errs.String()
}
