package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/target"
)

// cloud is what deployments speak to. The zero value is the API of Cloudflare and the Workers on the internet.
type cloud struct {
	url   string       // of the API
	api   *http.Client // what it is called by
	site  *http.Client // what asks deployed Workers how they are
	locks string       // see fleet.Options
	sleep func(ctx context.Context, d time.Duration) error
	now   func() time.Time
}

// The variables that put a double in the API's place, and in that of what is deployed, for tests in other processes.
const (
	apiVariable  = "LEVADA_API_URL"  // such as http://127.0.0.1:8787/client/v4
	siteVariable = "LEVADA_SITE_URL" // requests for any host go there
)

// complete fills in what the environment says.
func (c cloud) complete() (cloud, error) {
	if c.url == "" {
		at, err := loopback(apiVariable)
		if err != nil {
			return c, err
		}
		c.url = at
	}
	if c.site == nil {
		at, err := loopback(siteVariable)
		if err != nil {
			return c, err
		}
		if at != "" {
			c.site = &http.Client{Transport: elsewhere(at)}
		}
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// loopback is the address in a variable. It may lead to this machine alone: tokens are sent there, and whoever can set a variable must not be
// able to have them sent to a stranger.
func loopback(variable string) (string, error) {
	address := os.Getenv(variable)
	if address == "" {
		return "", nil
	}
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" || at.User != nil {
		return "", usagef("%s: is not an address such as http://127.0.0.1:8787", variable)
	}
	if ip := net.ParseIP(at.Hostname()); ip == nil || !ip.IsLoopback() {
		return "", usagef("%s: is for tests on this machine, so its host is 127.0.0.1 or [::1]: tokens are sent there", variable)
	}
	return address, nil
}

// account is how the API is spoken to.
func (c cloud) account() account.Options {
	return account.Options{URL: c.url, HTTP: c.api, Sleep: c.sleep}
}

// gate asks what was deployed.
func (c cloud) gate() deploy.Gate { return deploy.Site{HTTP: c.site, Sleep: c.sleep} }

// elsewhere is a transport that sends every request to one address, whatever its host.
func elsewhere(address string) http.RoundTripper {
	_, host, _ := strings.Cut(strings.TrimSuffix(address, "/"), "://")
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", host
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// source reads credentials. From now on nothing is printed that it has read, and no process that is started sees the variables that the
// checkout's deploy.json refers to, if there is a checkout.
func (g *globals) source() *credential.Source {
	s := credential.New(credential.Options{})
	if root, err := g.folder(); err == nil {
		s.Reserve(target.References(os.DirFS(filepath.Join(root, tenantsFolder)))...)
	}
	g.cover = s.Redact
	return s
}

// hide covers the secrets of a text.
func (g *globals) hide(text string) string {
	if g.cover == nil {
		return text
	}
	return g.cover(text)
}

// covered is a writer that covers secrets. It is the second net: nothing that is written should have one.
func (g *globals) covered(w io.Writer) io.Writer {
	if g.cover == nil {
		return w
	}
	return coveredWriter{w, g.cover}
}

type coveredWriter struct {
	to    io.Writer
	cover func(string) string
}

// behind is where a writer that covers secrets writes to.
func behind(w io.Writer) io.Writer {
	if c, covers := w.(coveredWriter); covers {
		return c.to
	}
	return w
}

// Write implements io.Writer. What is covered is what is written at once, as every line and document is.
func (w coveredWriter) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.cover(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
