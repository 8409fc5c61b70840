package double_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
	"levada.dev/infra/deploy/double/contract"
)

// Two accounts, each with a token, and a zone each.
const (
	acme, globex           = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	acmeToken, globexToken = "acme-token", "globex-token"
	acmeZone, globexZone   = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0", "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
)

// world is an API and who asks it.
type world struct {
	t   *testing.T
	api *double.API
	url string
}

func newWorld(t *testing.T) *world {
	api := double.New()
	api.Account(acme, "acme")
	api.Account(globex, "globex")
	api.Zone(acmeZone, "acme.example", acme)
	api.Zone(globexZone, "globex.example", globex)
	api.Token(acmeToken, double.Token{Accounts: []string{acme}})
	api.Token(globexToken, double.Token{Accounts: []string{globex}})
	server := httptest.NewServer(contract.Held(t, api))
	t.Cleanup(server.Close)
	return &world{t: t, api: api, url: server.URL + double.Root}
}

// answer is what came back.
type answer struct {
	t       *testing.T
	status  int
	header  http.Header
	body    []byte
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Info    map[string]any  `json:"result_info"`
	Errors  []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// as asks with a token. The body is nothing, a string as it is, an upload, or what becomes JSON.
func (w *world) as(token, method, path string, body any) *answer {
	w.t.Helper()
	contentType, text := encode(w.t, body)
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(text))
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer response.Body.Close()
	a := &answer{t: w.t, status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(response.Body)
	require.NoError(w.t, err)
	_ = json.Unmarshal(a.body, a)
	return a
}

// acme asks for the first account, whose path is left out.
func (w *world) acme(method, path string, body any) *answer {
	w.t.Helper()
	if !strings.HasPrefix(path, "/zones") && !strings.HasPrefix(path, "/user") {
		path = "/accounts/" + acme + path
	}
	return w.as(acmeToken, method, path, body)
}

func encode(t *testing.T, body any) (contentType string, text []byte) {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return "", nil
	case string:
		return "text/plain;charset=UTF-8", []byte(b)
	case upload:
		return b.encode(t)
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return "application/json", text
}

// upload is a Worker's metadata and modules.
type upload struct {
	metadata any
	modules  []file
}

type file struct{ name, kind, body string }

const esModule = "application/javascript+module"

// worker is an upload with one module.
func worker(metadata map[string]any) upload {
	all := map[string]any{"main_module": "index.mjs", "compatibility_date": "2026-11-01"}
	for k, v := range metadata {
		all[k] = v
	}
	return upload{all, []file{{"index.mjs", esModule, "export default {}"}}}
}

func (u upload) encode(t *testing.T) (contentType string, text []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(disposition, kind string, body []byte) {
		header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
		if kind != "" {
			header.Set("Content-Type", kind)
		}
		p, err := w.CreatePart(header)
		require.NoError(t, err)
		_, err = p.Write(body)
		require.NoError(t, err)
	}
	if u.metadata != nil {
		metadata, isText := u.metadata.(string)
		if !isText {
			m, err := json.Marshal(u.metadata)
			require.NoError(t, err)
			metadata = string(m)
		}
		part(`form-data; name="metadata"`, "", []byte(metadata))
	}
	for _, f := range u.modules {
		part(multipart.FileContentDisposition(f.name, f.name), f.kind, []byte(f.body))
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), b.Bytes()
}

// ok demands success and reads the result.
func (a *answer) ok(out ...any) *answer {
	a.t.Helper()
	require.True(a.t, a.status == 200 && a.Success, "%d %s", a.status, a.body)
	for _, o := range out {
		require.NoError(a.t, json.Unmarshal(a.Result, o))
	}
	return a
}

// refused demands a refusal whose message has these words.
func (a *answer) refused(status int, words ...string) {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	require.False(a.t, a.Success)
	require.Len(a.t, a.Errors, 1)
	assert.NotZero(a.t, a.Errors[0].Code)
	for _, word := range words {
		assert.Contains(a.t, a.Errors[0].Message, word)
	}
}

// object is a result that is looked into.
type object = map[string]any
