package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/web"
)

// site is a server with a page for each thing that servers do, and a fetcher whose tenants have the given rules.
type site struct {
	*httptest.Server
	asked   []string
	headers http.Header
	rules   map[tenants.ID]tenants.Fetch

	production bool // where no config opens private networks
}

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func newSite(t *testing.T) *site {
	x := &site{rules: map[tenants.ID]tenants.Fetch{"acme": {Private: true}}}
	modified := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.asked, x.headers = append(x.asked, r.URL.Path), r.Header
		switch status := 0; {
		case r.URL.Path == "/page":
			if r.Header.Get("If-None-Match") == `W/"1"` || r.Header.Get("If-Modified-Since") == modified.Format(http.TimeFormat) {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=Windows-1252; boundary=x")
			w.Header().Set("ETag", `W/"1"`)
			w.Header().Set("Last-Modified", modified.Format(http.TimeFormat))
			fmt.Fprint(w, "<p>caf\xe9")
		case r.URL.Path == "/raw/readme.md":
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprint(w, "# Hi")
		case r.URL.Path == "/nothing-said":
			w.Header()["Content-Type"] = nil
			fmt.Fprint(w, "%PDF-")
		case r.URL.Path == "/chain":
			http.Redirect(w, r, "/hop", http.StatusMovedPermanently)
		case r.URL.Path == "/hop":
			http.Redirect(w, r, "page#part", http.StatusTemporaryRedirect)
		case r.URL.Path == "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case r.URL.Path == "/to":
			w.Header().Set("Location", r.URL.Query().Get("u"))
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/long":
			w.Header().Set("Content-Length", "2000")
			_, _ = w.Write(make([]byte, 2000))
		case r.URL.Path == "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 500)); err != nil {
					return
				}
			}
		case r.URL.Path == "/half":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "only so much")
		default:
			w.Header().Set("Retry-After", r.URL.Query().Get("after"))
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *site) fetch(t *testing.T, tenant, url string, o corpus.FetchOptions) (corpus.Fetched, error) {
	t.Helper()
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	config := func(_ context.Context, id tenants.ID) (*tenants.Config, error) {
		return &tenants.Config{Limits: tenants.Limits{DocumentBytes: 1000}, Ingest: tenants.Ingest{Fetch: x.rules[id]}}, nil
	}
	if strings.HasPrefix(url, "/") {
		url = x.URL + url
	}
	return web.New(client.Do, config, func() time.Time { return now }, &web.Options{Private: !x.production}).Fetch(t.Context(), s, url, o)
}

func TestAPage(t *testing.T) {
	x := newSite(t)
	got, err := x.fetch(t, "acme", "/page", corpus.FetchOptions{})
	require.NoError(t, err)
	assert.Equal(t, corpus.Fetched{
		Body: []byte("<p>caf\xe9"), ContentType: "text/html; charset=windows-1252", ETag: `W/"1"`,
		Modified: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), URL: x.URL + "/page",
	}, got)
	assert.Equal(t, "Levada (+https://levada.dev)", x.headers.Get("User-Agent"))
	for _, h := range []string{"Cookie", "Authorization", "Referer", "Traceparent", "X-Tenant-Id"} {
		assert.Empty(t, x.headers.Get(h))
	}
	for _, o := range []corpus.FetchOptions{{ETag: got.ETag}, {Modified: got.Modified}} {
		again, err := x.fetch(t, "acme", "/page", o)
		require.NoError(t, err)
		assert.Equal(t, corpus.Fetched{Unchanged: true, URL: x.URL + "/page"}, again)
	}
	got, err = x.fetch(t, "acme", "/raw/readme.md", corpus.FetchOptions{})
	require.NoError(t, err)
	assert.Equal(t, "text/markdown; charset=utf-8", got.ContentType)
	got, err = x.fetch(t, "acme", "/nothing-said", corpus.FetchOptions{})
	require.NoError(t, err)
	assert.Equal(t, corpus.OctetStream, got.ContentType)
}

func TestRedirects(t *testing.T) {
	x := newSite(t)
	got, err := x.fetch(t, "acme", "/chain", corpus.FetchOptions{})
	require.NoError(t, err)
	assert.Equal(t, x.URL+"/page", got.URL)
	assert.Equal(t, []string{"/chain", "/hop", "/page"}, x.asked)

	x.asked = nil
	_, err = x.fetch(t, "acme", "/circle", corpus.FetchOptions{})
	assert.Equal(t, "fetch_refused", fault.As(err).Code)
	assert.Len(t, x.asked, web.MaxRedirects+1)

	for to, code := range map[string]string{
		"http://169.254.169.254/latest/": "address_denied", "file:///etc/passwd": "url_invalid", "": "fetch_refused",
		"ftp://example.com/": "url_invalid", "http://[::ffff:169.254.169.254]/": "address_denied",
	} {
		_, err := x.fetch(t, "acme", "/to?u="+to, corpus.FetchOptions{})
		assert.Equal(t, code, fault.As(err).Code, to)
		assert.False(t, fault.Retryable(err))
	}
}

// TestRedirectsStayInTLS: what is asked for by https is not had from where anybody may have written it; the other way round it is.
func TestRedirectsStayInTLS(t *testing.T) {
	for name, c := range map[string]struct {
		chain []string
		code  string
	}{
		"down":             {[]string{"https://example.com/", "http://example.com/"}, "fetch_downgraded"},
		"down, elsewhere":  {[]string{"https://example.com/", "http://www.example.org/a"}, "fetch_downgraded"},
		"up and down":      {[]string{"http://example.com/", "https://example.com/", "http://example.com/a"}, "fetch_downgraded"},
		"no scheme":        {[]string{"https://example.com/", "//example.com/a"}, ""},
		"up":               {[]string{"http://example.com/", "https://example.com/"}, ""},
		"as it was":        {[]string{"http://example.com/", "http://example.com/a"}, ""},
		"to no other host": {[]string{"https://example.com/", "/a"}, ""},
	} {
		var asked []string
		do := func(req *http.Request) (*http.Response, error) {
			asked = append(asked, req.URL.String())
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("text"))}
			if n := len(asked); n < len(c.chain) {
				resp.StatusCode = http.StatusFound
				resp.Header.Set("Location", c.chain[n])
			}
			return resp, nil
		}
		config := func(context.Context, tenants.ID) (*tenants.Config, error) {
			return &tenants.Config{Limits: tenants.Limits{DocumentBytes: 100}}, nil
		}
		_, err := web.New(do, config, time.Now, nil).Fetch(t.Context(), tenantstest.Scope(t, "acme"), c.chain[0], corpus.FetchOptions{})
		if c.code == "" {
			assert.NoError(t, err, name)
			assert.Len(t, asked, len(c.chain), name)
			continue
		}
		assert.Equal(t, c.code, fault.As(err).Code, name)
		assert.False(t, fault.Retryable(err), name)
		assert.Len(t, asked, len(c.chain)-1, "%s: the last is not asked", name)
	}
}

// TestRules asks for what a tenant may not have: no request leaves.
func TestRules(t *testing.T) {
	x := newSite(t)
	x.rules["globex"] = tenants.Fetch{}
	x.rules["initech"] = tenants.Fetch{Hosts: []string{"docs.example.com"}, Private: true}
	for _, tenant := range []string{"globex", "initech"} {
		_, err := x.fetch(t, tenant, "/page", corpus.FetchOptions{})
		assert.Equal(t, "address_denied", fault.As(err).Code, tenant)
	}
	x.production = true // acme's config opens private networks
	_, err := x.fetch(t, "acme", "/page", corpus.FetchOptions{})
	assert.Equal(t, "address_denied", fault.As(err).Code, "in production no config does")
	x.production = false
	_, err = x.fetch(t, "acme", "ftp://example.com/", corpus.FetchOptions{})
	assert.Equal(t, "url_invalid", fault.As(err).Code)
	assert.Empty(t, x.asked)
}

func TestFailures(t *testing.T) {
	x := newSite(t)
	for path, code := range map[string]string{
		"/404": "fetch_refused", "/410": "fetch_refused", "/401": "fetch_refused", "/403": "fetch_refused", "/204": "fetch_refused", "/400": "fetch_refused",
		"/500": "fetch_failed", "/503": "fetch_failed", "/429": "fetch_failed", "/408": "fetch_failed", "/long": "fetch_too_large", "/endless": "fetch_too_large", "/half": "fetch_failed",
	} {
		_, err := x.fetch(t, "acme", path, corpus.FetchOptions{})
		f := fault.As(err)
		assert.Equal(t, code, f.Code, "%s: %v", path, err)
		assert.Equal(t, code == "fetch_failed", fault.Retryable(err), path)
		assert.Equal(t, code != "fetch_failed", f.Field == "url", path)
	}
	for after, want := range map[string]time.Duration{
		"30": 30 * time.Second, "99999": 10 * time.Minute, "-1": 0, "soon": 0, "": 0,
		strings.ReplaceAll(now.Add(time.Minute).Format(http.TimeFormat), " ", "%20"): time.Minute,
	} {
		_, err := x.fetch(t, "acme", "/503?after="+after, corpus.FetchOptions{})
		assert.Equal(t, want, fault.As(err).RetryAfter, after)
	}
	x.Close()
	_, err := x.fetch(t, "acme", "/page", corpus.FetchOptions{})
	assert.Equal(t, "fetch_failed", fault.As(err).Code)
	assert.NotContains(t, fault.As(err).Message, "127.0.0.1")
}
