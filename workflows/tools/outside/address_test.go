package outside_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/tools/outside"
)

func at(url string) tenants.HTTPTool {
	return declared("look", func(d *tenants.HTTPTool) { get(d); secured(d); d.URL = url })
}

func TestPrivateNetworksAreNotCalled(t *testing.T) {
	for _, url := range []string{
		"https://localhost/", "https://printer/", "https://db.internal/x", "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://10.1.2.3/", "https://192.168.0.1:8443/",
		"https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://shop.example.com:25/",
	} {
		w := newWorldOf(t, nil, &outside.Options{}, map[string][]tenants.HTTPTool{"acme": {at(url)}, "globex": {at("https://shop.example.com/")}})
		w.hosts["https://shop.example.com"] = answers(200, jsonType, `{}`)
		w.fails(w.acme, "look", `{}`, outside.CodeDenied)
		assert.Empty(t, w.urls(), url)
		assert.Empty(t, w.reads(), "and no secret was read")
		_, err := w.call(w.globex, "look", `{}`)
		require.NoError(t, err)
	}
}

// What a declaration opens is open where the platform lets it, and nowhere else; metadata services never.
func TestPrivateIsForTheLocalPlatform(t *testing.T) {
	private := func(url string) []tenants.HTTPTool {
		d := at(url)
		d.Private, d.Auth = true, nil
		return []tenants.HTTPTool{d}
	}
	for _, open := range []bool{false, true} {
		w := newWorldOf(t, nil, &outside.Options{Private: open}, map[string][]tenants.HTTPTool{"acme": private("http://127.0.0.1:8787/x"), "globex": private("http://169.254.169.254/")})
		w.hosts["http://127.0.0.1:8787"] = answers(200, jsonType, `{}`)
		w.fails(w.globex, "look", `{}`, outside.CodeDenied)
		if !open {
			w.fails(w.acme, "look", `{}`, outside.CodeDenied)
			assert.Empty(t, w.urls())
			continue
		}
		_, err := w.call(w.acme, "look", `{}`)
		require.NoError(t, err)
	}
	w := newWorldOf(t, nil, &outside.Options{Private: true}, map[string][]tenants.HTTPTool{"acme": {at("https://127.0.0.1/")}})
	w.fails(w.acme, "look", `{}`, outside.CodeDenied)
}

// A secret goes over http to the machine itself alone, and is not even read for another host.
func TestSecretsDoNotGoOverHTTP(t *testing.T) {
	at := func(url string) []tenants.HTTPTool {
		return []tenants.HTTPTool{declared("look", func(d *tenants.HTTPTool) { secured(d); d.URL, d.Private = url, true })}
	}
	for _, closed := range []string{"http://10.0.0.1", "http://shop.example.com"} {
		w := newWorldOf(t, nil, &outside.Options{Private: true}, map[string][]tenants.HTTPTool{"acme": at("http://127.0.0.1:8787/x"), "globex": at("http://127.0.0.1:8787/x")})
		c := *w.configs["acme"] // what no check of configurations lets through
		c.Tools.HTTP = slices.Clone(c.Tools.HTTP)
		c.Tools.HTTP[0].URL = closed + "/x"
		w.configs["acme"] = &c
		w.hosts[closed], w.hosts["http://127.0.0.1:8787"] = answers(200, jsonType, `{}`), answers(200, jsonType, `{}`)
		w.fails(w.acme, "look", `{}`, outside.CodeDenied)
		assert.Empty(t, w.urls())
		assert.Empty(t, w.reads())
		_, err := w.call(w.globex, "look", `{}`)
		require.NoError(t, err)
	}
}

func redirect(to string) http.HandlerFunc { return answers(302, "text/html", "moved", "Location", to) }

func TestRedirectsAreCheckedAsAddresses(t *testing.T) {
	for to, code := range map[string]string{
		"https://127.0.0.1/": outside.CodeDenied, "https://metadata.internal/": outside.CodeDenied, "https://[::1]/": outside.CodeDenied, "//10.0.0.1/x": outside.CodeDenied,
		"https://169.254.169.254/": outside.CodeDenied, "http://shop.example.com/": outside.CodeRedirected, "file:///etc/passwd": outside.CodeRedirected, "": outside.CodeRedirected,
		"https://shop.example.com/":   outside.CodeRedirected, // for ever
		"https://nobody.example.com/": outside.CodeUnreachable,
	} {
		w := newWorld(t, at("https://shop.example.com/"))
		w.hosts["https://shop.example.com"] = redirect(to)
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			f := w.fails(s, "look", `{}`, code)
			assert.NotContains(t, f.Error()+f.Hint, "etc/passwd")
		}
		for _, url := range w.urls() {
			assert.True(t, strings.HasPrefix(url, "https://shop.example.com") || url == "https://nobody.example.com/", url)
		}
	}
	w := newWorld(t, at("https://shop.example.com/"))
	w.hosts["https://shop.example.com"] = redirect("https://shop.example.com/")
	w.fails(w.acme, "look", `{}`, outside.CodeRedirected)
	assert.Len(t, w.urls(), 6, "five redirects")
}

// The secret is for the origin that is declared: other hosts, ports and whoever sends back to the first do not get it.
func TestTheSecretStaysAtHome(t *testing.T) {
	w := newWorld(t, at("https://shop.example.com/a"))
	w.hosts["https://shop.example.com"] = func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a":
			redirect("https://SHOP.example.com:443/b")(rw, r)
		case "/b":
			redirect("https://other.example.com/c")(rw, r)
		default:
			answers(200, jsonType, `{"end":true}`)(rw, r)
		}
	}
	w.hosts["https://SHOP.example.com:443"] = w.hosts["https://shop.example.com"]
	w.hosts["https://other.example.com"] = redirect("https://shop.example.com/d")
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		w.asked = nil
		r, err := w.call(s, "look", `{}`)
		require.NoError(t, err)
		assert.JSONEq(t, `{"end":true}`, string(r.Data))
		var shown []bool
		for _, a := range w.asked {
			shown = append(shown, a.header.Get("Authorization") == "Bearer "+w.vault.Secrets[s.Tenant()]["shop-api"])
		}
		assert.Equal(t, []bool{true, true, false, false}, shown, "%v", w.urls())
	}
	for _, to := range []string{"https://shop.example.com:8443/", "https://x.shop.example.com/"} {
		w.hosts["https://shop.example.com"] = redirect(to)
		w.hosts[strings.TrimSuffix(to, "/")] = answers(200, jsonType, `{}`)
		_, err := w.call(w.acme, "look", `{}`)
		require.NoError(t, err)
		assert.Empty(t, w.last().header.Get("Authorization"), to)
	}
}

func TestOtherMethodsAreNotSentOn(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		w := newWorld(t, declared("order", func(d *tenants.HTTPTool) { d.Method = method }))
		for _, status := range []int{301, 302, 303, 307, 308} {
			w.hosts["https://shop.example.com"] = answers(status, jsonType, `{}`, "Location", "https://shop.example.com/other")
			w.asked = nil
			w.fails(w.acme, "order", `{"text":"a"}`, outside.CodeRedirected)
			assert.Len(t, w.urls(), 1)
		}
	}
}
