package dev_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
)

// Files are answered at the Worker's own address, by Cloudflare's program for them, and the Worker sees nothing of what is below their path.
func TestAssets(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Build = "" // another test's front has no assets
	o.Stack.Workers[0].Assets = site("infra/dev/testdata/site")
	p := start(t, o)

	page := "<!doctype html><title>site</title>\n"
	for _, test := range []struct {
		method, path string
		status       int
		body, header string
		value        string
	}{
		{"GET", "/site/", 200, page, "Content-Type", "text/html; charset=utf-8"},
		{"GET", "/site/?x=1", 200, page, "X-Frame-Options", "DENY"},
		{"GET", "/site", 307, "", "Location", "/site/"},
		{"GET", "/site/index.html", 307, "", "Location", "/site/"},
		{"GET", "/site/app/main.js", 200, "export const word = \"one\";\n", "Content-Type", "text/javascript; charset=utf-8"},
		{"GET", "/site/app/main.js", 200, "export const word = \"one\";\n", "Cache-Control", "public, max-age=0, must-revalidate"},
		{"HEAD", "/site/app/main.js", 200, "", "X-Frame-Options", "DENY"},
		{"GET", "/site/app/nothing.js", 404, "<!doctype html><title>no such page</title>\n", "X-Frame-Options", "DENY"},
		{"GET", "/site/_headers", 404, "<!doctype html><title>no such page</title>\n", "X-Frame-Options", "DENY"},
		{"POST", "/site/app/main.js", 405, "", "X-Frame-Options", "DENY"},
		{"GET", "/_headers", 404, "404 page not found\n", "X-Frame-Options", ""},
		{"GET", "/sites", 404, "404 page not found\n", "X-Frame-Options", ""},
		{"GET", "/word", 200, "\"none\"\n", "X-Frame-Options", ""},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			resp, body := fetch(t, test.method, p.URL+test.path)
			assert.Equal(t, test.status, resp.StatusCode)
			assert.Equal(t, test.value, resp.Header.Get(test.header))
			assert.Equal(t, test.body, body)
		})
	}

	resp, _ := fetch(t, "GET", p.URL+"/site/app/main.js")
	again, body := fetch(t, "GET", p.URL+"/site/app/main.js", "If-None-Match", resp.Header.Get("ETag"))
	assert.Equal(t, http.StatusNotModified, again.StatusCode)
	assert.Empty(t, body)
}

// What is edited of the files is served after a moment, as what is edited of the Workers is.
func TestWatchAssets(t *testing.T) {
	t.Parallel()
	o := options(t, newState(t))
	o.Build = ""
	folder, err := os.MkdirTemp("testdata", "edited-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "site"))))
	o.Stack.Workers[0].Assets = site("infra/dev/" + filepath.ToSlash(folder))
	p := start(t, o)
	said := make(chan string, 100)
	w, err := dev.Watch(t.Context(), p, o.Root, func(line string) { said <- line })
	require.NoError(t, err)
	defer w.Close()

	require.NoError(t, os.WriteFile(filepath.Join(folder, "app", "main.js"), []byte("two"), 0o644))
	waitFor(t, said, "loaded [front] in")
	_, body := fetch(t, "GET", p.URL+"/site/app/main.js")
	assert.Equal(t, "two", body)

	require.NoError(t, os.Remove(filepath.Join(folder, "app", "main.js")))
	waitFor(t, said, "loaded [front] in")
	resp, _ := fetch(t, "GET", p.URL+"/site/app/main.js")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func site(folder string) *stack.Assets {
	return &stack.Assets{Folder: folder, Path: "/site/", HTMLHandling: "auto-trailing-slash", NotFoundHandling: "404-page"}
}

// fetch follows no redirect, and asks as a browser does that opens a page.
func fetch(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(""))
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}
