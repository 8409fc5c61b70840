package deploy_test

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// page is what an address of the site shows.
func (w *world) page(at string) (status int, body string) {
	w.t.Helper()
	resp, err := w.site.Get("https://api.acme.example" + at)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(w.t, err)
	return resp.StatusCode, b.String()
}

// sent are the hashes of the files that were sent since the last look, and how often a session was begun.
func (w *world) sent() (files []string, sessions int) {
	for _, r := range w.api.Requests() {
		if u, ok := r.Body.(double.Uploaded); ok && strings.HasSuffix(r.Path, "/assets/upload") {
			for _, m := range u.Modules {
				files = append(files, m.Name)
			}
		}
		if strings.HasSuffix(r.Path, "/assets-upload-session") {
			sessions++
		}
	}
	w.api.Forget()
	return files, sessions
}

// Files go with a Worker: those that are new are sent, once, and they change and go back with the version that has them.
func TestAssetsGoWithTheWorker(t *testing.T) {
	w := newWorld(t)
	v1 := w.desired("acme", "v1", "one")
	p := w.plan(w.acme(), v1)
	assert.Contains(t, changes(p), "+ worker acme-prod-api  (with 4 files below /console/, 1 KiB)")
	w.deploy(w.acme(), v1)
	files, sessions := w.sent()
	assert.Len(t, files, 3, "equal files are one")
	assert.Equal(t, 1, sessions)
	status, body := w.page("/console/")
	assert.Equal(t, 200, status)
	assert.Equal(t, "<title>one</title>", body)
	status, body = w.page("/console/nowhere/else")
	assert.Equal(t, 404, status)
	assert.Equal(t, "<title>nothing</title>", body)
	assert.Contains(t, w.health("api.acme.example"), `"version":"v1"`)

	v2 := w.desired("acme", "v2", "two")
	assert.Regexp(t, `^~ worker acme-prod-api  \(spec \w+ -> \w+\)$`, strings.Join(slices.DeleteFunc(changes(w.plan(w.acme(), v2)), func(s string) bool {
		return !strings.Contains(s, "prod-api ")
	}), "\n"))
	w.deploy(w.acme(), v2)
	files, _ = w.sent()
	assert.Len(t, files, 1, "the page alone has changed")
	_, body = w.page("/console/")
	assert.Equal(t, "<title>two</title>", body)

	v3 := w.desired("acme", "v3", "two")
	code := v3.Code[stack.API]
	code.Modules, code.Digest = module("three").Modules, "three"
	v3.Code[stack.API] = code
	w.deploy(w.acme(), v3)
	files, sessions = w.sent()
	assert.Empty(t, files, "no file has changed")
	assert.Equal(t, 1, sessions)
	_, body = w.page("/console/")
	assert.Equal(t, "<title>two</title>", body)

	back, err := deploy.MakeReturn(t.Context(), w.acme(), v1.Unit, "v1", deploy.PlanOptions{})
	require.NoError(t, err)
	require.NoError(t, w.apply(back.Plan))
	_, sessions = w.sent()
	assert.Zero(t, sessions, "the version has its files")
	_, body = w.page("/console/")
	assert.Equal(t, "<title>one</title>", body)
}

// A change of the rules for headers is one of the Worker, though no file is another.
func TestHeadersAreAPartOfTheWorker(t *testing.T) {
	w := newWorld(t)
	w.deploy(w.acme(), w.desired("acme", "v1", "one"))
	v2 := w.desired("acme", "v2", "one")
	code := v2.Code[stack.API]
	changed := *code.Assets
	again, err := deploy.ReadAssets(fstest.MapFS{"_headers": {Data: []byte("/console/*\n  X-Frame-Options: SAMEORIGIN\n")}, "console/index.html": {Data: changed.Files["/console/index.html"].Body}})
	require.NoError(t, err)
	changed.Headers, changed.Digest = again.Headers, again.Digest
	code.Assets = &changed
	v2.Code[stack.API] = code
	p := w.plan(w.acme(), v2)
	assert.Equal(t, "~worker ~release", kinds(p))
	w.deploy(w.acme(), v2)
}

// Whatever is lost of the upload on its way, there or back, the next deployment has all files there.
func TestAssetsSurviveWhatGetsLost(t *testing.T) {
	for _, path := range []string{`/assets-upload-session$`, `/assets/upload$`} {
		for name, fault := range map[string]double.Fault{
			"refused":        {Status: http.StatusBadRequest, Code: 1, Message: "no"},
			"busy for good":  {Status: http.StatusServiceUnavailable, Times: -1},
			"cut before":     {Before: true, Times: -1},
			"answer is lost": {Lost: true, Times: -1},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				w := newWorld(t)
				d := w.desired("acme", "v1", "one")
				fault.Method, fault.Path = "POST", regexp.MustCompile(path)
				w.api.Fail(fault)
				require.Error(t, w.apply(w.plan(w.acme(), d)))
				w.api.Heal()
				w.deploy(w.acme(), d)
				_, body := w.page("/console/")
				assert.Equal(t, "<title>one</title>", body)
			})
		}
		t.Run(path+" once", func(t *testing.T) {
			w := newWorld(t)
			w.api.Fail(double.Fault{Method: "POST", Path: regexp.MustCompile(path), Lost: true})
			w.deploy(w.acme(), w.desired("acme", "v1", "one"))
			_, body := w.page("/console/")
			assert.Equal(t, "<title>one</title>", body)
		})
	}
}

func TestAssetsThatDoNotFit(t *testing.T) {
	w := newWorld(t)
	d := w.desired("acme", "v1", "one")
	code := d.Code[stack.API]
	code.Assets = nil
	d.Code[stack.API] = code
	require.ErrorContains(t, d.Check(), "worker api: its assets are missing: build the Worker first")
	code.Assets = files(t, "x")
	d.Code[stack.API], d.Code[stack.MCP] = code, code
	require.ErrorContains(t, d.Check(), "worker mcp: there are assets, and the table has none of it")

	_, err := deploy.ReadAssets(fstest.MapFS{"_headers": {}})
	require.ErrorContains(t, err, "there are 0 assets")
	_, err = deploy.ReadAssets(fstest.MapFS{"big.bin": {Data: make([]byte, 25<<20+1)}})
	require.ErrorContains(t, err, "big.bin: has 26214401 bytes")
}
