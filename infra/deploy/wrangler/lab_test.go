package wrangler

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// lab is a site whose wrangler has the token of one account of an API.
type lab struct {
	*site
	pool    *Pool
	api     *double.API
	url     string
	account string
	token   string
}

// world is an API with two accounts, each with a zone and a token of its own.
func world(t *testing.T) (api *double.API, url string) {
	t.Helper()
	api = double.New()
	for _, name := range []string{"acme", "beta"} {
		id := strings.Repeat(name[:1], 32)
		api.Account(id, name)
		api.Token("token of "+name, double.Token{Accounts: []string{id}})
		api.Zone(strings.Repeat("0", 31)+name[:1], name+".example", id)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return api, server.URL + double.Root
}

func newLab(t *testing.T, p *Pool, api *double.API, url, tenant string) *lab {
	t.Helper()
	l := &lab{pool: p, api: api, url: url, account: strings.Repeat(tenant[:1], 32), token: "token of " + tenant}
	p.Account = l.account
	l.site = newSite(t, p)
	l.env = l.login(l.token)
	return l
}

// login is the environment of a wrangler with a token.
func (l *lab) login(token string) []string {
	return []string{"CLOUDFLARE_API_BASE_URL=" + l.url, "CLOUDFLARE_API_TOKEN=" + token, "CLOUDFLARE_ACCOUNT_ID=" + l.account}
}

// must runs a command of wrangler that has to work.
func (l *lab) must(t *testing.T, args ...string) (output string) {
	t.Helper()
	out, err := l.wrangler(t, "", args...)
	require.NoError(t, err, "wrangler %s: %s\n%s", strings.Join(args, " "), out, strings.Join(l.refused(), "\n"))
	return out
}

// refused are the requests that the API did not do.
func (l *lab) refused() (all []string) {
	for _, r := range l.api.Requests() {
		if r.Status >= 400 {
			body, _ := json.Marshal(r.Body)
			all = append(all, http.StatusText(r.Status)+": "+r.Method+" "+r.Path+"?"+r.Query+" "+string(body))
		}
	}
	return all
}

// get reads a result of the API.
func (l *lab) get(t *testing.T, path string, result any) {
	t.Helper()
	l.ask(t, http.MethodGet, path, "", result)
}

// ask has the API do something in the account. Its result is read into what is not nil.
func (l *lab) ask(t *testing.T, method, path, body string, result any) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, l.url+"/accounts/"+l.account+path, strings.NewReader(body))
	require.NoError(t, err)
	q.Header.Set("Authorization", "Bearer "+l.token)
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode, path)
	require.NoError(t, json.NewDecoder(r.Body).Decode(&struct{ Result any }{result}))
}

// namespaces are the ids of the pool's KV namespaces by their names in the table.
func (l *lab) namespaces(t *testing.T) map[string]string {
	t.Helper()
	var all []struct{ ID, Title string }
	l.get(t, "/storage/kv/namespaces", &all)
	ids := map[string]string{}
	for _, n := range all {
		ids[strings.TrimPrefix(n.Title, l.pool.Unit.Name(""))] = n.ID
	}
	return ids
}

// rewrite writes the configurations again, after the pool changed.
func (l *lab) rewrite(t *testing.T) {
	t.Helper()
	var err error
	l.files, err = l.pool.Files()
	require.NoError(t, err)
	for _, f := range l.files {
		l.write(t, filepath.Join(l.pool.Dir, f.Path), string(f.Data))
	}
}

// since are the requests since the last look.
func (l *lab) since() []double.Request {
	defer l.api.Forget()
	return l.api.Requests()
}

// writes are what was done of some requests, without what they said.
func (l *lab) writes(requests []double.Request) (all []string) {
	for _, r := range requests {
		if r.Write() && r.Status < 400 {
			all = append(all, r.Method+" "+strings.TrimPrefix(r.Path, "/accounts/"+l.account))
		}
	}
	slices.Sort(all)
	return all
}
