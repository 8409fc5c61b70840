package double_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

const (
	oneHash = "11111111111111111111111111111111"
	twoHash = "22222222222222222222222222222222"
)

type assetSession struct {
	JWT     string
	Buckets [][]string
}

// offer begins a session for a page and a module.
func (p *pool) offer(script string) (s assetSession) {
	p.t.Helper()
	p.acme("POST", "/workers/scripts/"+script+"/assets-upload-session", object{"manifest": object{
		"/site/index.html": object{"hash": oneHash, "size": 3}, "/site/app.js": object{"hash": twoHash, "size": 5},
	}}).ok(&s)
	return s
}

// send uploads files by a session's token, and returns the status and the token that came back.
func (p *pool) send(token, query string, files map[string]string) (status int, jwt string) {
	p.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for hash, text := range files {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + hash + `"; filename="` + hash + `"`}, "Content-Type": {"text/html"}})
		require.NoError(p.t, err)
		_, err = part.Write([]byte(base64.StdEncoding.EncodeToString([]byte(text))))
		require.NoError(p.t, err)
	}
	require.NoError(p.t, w.Close())
	r := httptest.NewRequestWithContext(p.t.Context(), http.MethodPost, double.Root+"/accounts/"+acme+"/workers/assets/upload"+query, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	p.api.ServeHTTP(rec, r)
	var answer struct{ Result struct{ JWT string } }
	require.NoError(p.t, json.Unmarshal(rec.Body.Bytes(), &answer))
	return rec.Code, answer.Result.JWT
}

func TestAssetsAreUploadedOnce(t *testing.T) {
	p := newPool(t)
	s := p.offer("api")
	assert.Equal(t, [][]string{{oneHash, twoHash}}, s.Buckets)
	status, jwt := p.send(s.JWT, "?base64=true", map[string]string{oneHash: "one"})
	assert.Equal(t, http.StatusAccepted, status)
	assert.Empty(t, jwt)
	assert.Equal(t, [][]string{{twoHash}}, p.offer("api").Buckets, "a second session goes on where the first one is")
	status, jwt = p.send(s.JWT, "?base64=true", map[string]string{twoHash: "two22"})
	assert.Equal(t, http.StatusCreated, status)
	assert.NotEmpty(t, jwt)
	done := p.offer("api")
	assert.Empty(t, done.Buckets)

	upload := func(token string, config object) *answer {
		return p.acme("POST", "/workers/scripts/api/versions", worker(object{"assets": object{"jwt": token, "config": config}}))
	}
	rules := object{"run_worker_first": []string{"/*", "!/site/*"}, "not_found_handling": "404-page"}
	upload(jwt, rules).ok()
	upload(done.JWT, rules).ok()
	upload(s.JWT, rules).refused(http.StatusBadRequest, "no token of a complete upload")
	upload("", rules).refused(http.StatusBadRequest, "no token of a complete upload")
	upload(p.complete("objects"), rules).refused(http.StatusBadRequest, "no token of a complete upload for this Worker")
	for want, config := range map[string]object{
		"only rules with !":     {"run_worker_first": []string{"!/site/*"}},
		"does not begin with /": {"run_worker_first": []string{"site"}},
		"true, false or up to":  {"run_worker_first": "yes"},
		"html_handling":         {"html_handling": "pretty"},
		"not_found_handling":    {"not_found_handling": "200"},
		"json: unknown field":   {"redirects": ""},
	} {
		upload(jwt, config).refused(http.StatusBadRequest, want)
	}
	for _, r := range p.api.Requests() {
		text, err := json.Marshal(r.Body)
		require.NoError(t, err)
		assert.NotContains(t, string(text), jwt, "the token is not remembered")
	}
}

// complete is the token of a Worker's files, which are there.
func (p *pool) complete(script string) string {
	p.t.Helper()
	s := p.offer(script)
	require.Empty(p.t, s.Buckets)
	return s.JWT
}

func TestAssetsThatAreRefused(t *testing.T) {
	p := newPool(t)
	for want, manifest := range map[string]object{
		"has 0 files":           {},
		`"/x" is not valid`:     {"/x": object{"hash": "short", "size": 1}},
		`"x" is not valid`:      {"x": object{"hash": oneHash, "size": 1}},
		`"/large" is not valid`: {"/large": object{"hash": oneHash, "size": 25<<20 + 1}},
		"json: unknown field":   {"/x": object{"hash": oneHash, "size": 1, "type": "x"}},
	} {
		p.acme("POST", "/workers/scripts/api/assets-upload-session", object{"manifest": manifest}).refused(http.StatusBadRequest, want)
	}
	s := p.offer("api")
	for name, c := range map[string]struct {
		token, query string
		files        map[string]string
		want         int
	}{
		"the account's token":    {acmeToken, "?base64=true", map[string]string{oneHash: "one"}, 403},
		"no session's":           {"made up", "?base64=true", map[string]string{oneHash: "one"}, 403},
		"not base64":             {s.JWT, "", map[string]string{oneHash: "one"}, 400},
		"another size":           {s.JWT, "?base64=true", map[string]string{oneHash: "four"}, 400},
		"a file nobody offered":  {s.JWT, "?base64=true", map[string]string{strings.Repeat("3", 32): "one"}, 400},
		"one of two is not good": {s.JWT, "?base64=true", map[string]string{oneHash: "one", twoHash: "two"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, _ := p.send(c.token, c.query, c.files)
			assert.Equal(t, c.want, status)
			assert.Equal(t, [][]string{{oneHash, twoHash}}, p.offer("api").Buckets, "nothing is there")
		})
	}
}

// A version serves its own files, and one that keeps them those of the version before.
func TestAVersionHasItsAssets(t *testing.T) {
	p := newPool(t)
	s := p.offer("plain")
	_, jwt := p.send(s.JWT, "?base64=true", map[string]string{oneHash: "one", twoHash: "two22"})
	get := func(path string) (int, string) {
		rec := httptest.NewRecorder()
		p.api.Site().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://plain.acme.workers.dev"+path, nil))
		return rec.Code, rec.Body.String()
	}
	config := object{"run_worker_first": []string{"/*", "!/site", "!/site/*"}}
	p.acme("PUT", "/workers/scripts/plain", worker(object{"assets": object{"jwt": jwt, "config": config}})).ok()
	p.acme("POST", "/workers/scripts/plain/subdomain", object{"enabled": true}).ok()
	for path, want := range map[string]string{"/site/": "one", "/site/app.js": "two22"} {
		status, body := get(path)
		assert.Equal(t, 200, status, path)
		assert.Equal(t, want, body, path)
	}
	status, _ := get("/site")
	assert.Equal(t, http.StatusTemporaryRedirect, status)
	status, body := get("/site/nothing")
	assert.Equal(t, 404, status)
	assert.Empty(t, body)
	status, _ = get("/health")
	assert.Equal(t, 200, status)

	p.acme("PUT", "/workers/scripts/plain", worker(object{"keep_assets": true})).ok()
	_, body = get("/site/")
	assert.Equal(t, "one", body)
	p.acme("PUT", "/workers/scripts/plain", worker(nil)).ok()
	status, _ = get("/site/")
	assert.Equal(t, 404, status)
}
