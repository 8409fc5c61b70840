//go:build unix

package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
	"levada.dev/infra/mcp"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/mcp/line/linetest"
	"levada.dev/infra/mcp/mcptest"
)

// client is somebody who speaks a revision with the Worker, on behalf of a tenant that the API behind it answers for.
type client struct {
	t        *testing.T
	do       func(*http.Request) (*http.Response, error)
	revision string
	api      *api
}

// each runs a test with the Worker in this process and on workerd, in either revision, for two tenants.
func each(t *testing.T, test func(t *testing.T, c client)) {
	worker := workerdtest.Start(t, workerdtest.Worker{
		Main: "levada.dev/infra/workers/mcp", Entry: "import { worker } from \"./glue/index.mjs\";\nexport default worker();\n", Env: map[string]string{"DEBUG": "1"},
	})
	for name, do := range map[string]func(*http.Request) (*http.Response, error){"native": linetest.Do(mcp.Handler()), "workerd": reach(t, worker.URL)} {
		for _, revision := range mcptest.Revisions {
			for _, tenant := range []string{"acme", "globex"} {
				t.Run(strings.Join([]string{name, revision, tenant}, "/"), func(t *testing.T) {
					test(t, client{t, do, revision, newAPI(tenant)})
				})
			}
		}
	}
}

// reach sends what is for the Worker to where it runs, each on a connection of its own.
func reach(t *testing.T, base string) func(*http.Request) (*http.Response, error) {
	to, err := url.Parse(base)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	return func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, ""
		return transport.RoundTrip(r)
	}
}

// message is a request for a method as the API passes it on.
func (c client) message(method string, params map[string]any) *http.Request {
	c.t.Helper()
	if token := params["progressToken"]; token != nil {
		params = maps.Clone(params)
		delete(params, "progressToken")
		params["_meta"] = map[string]any{"progressToken": token}
	}
	body, header := mcptest.Message(c.revision, method, params)
	header.Set("Levada-Version", "v1")
	r := httptest.NewRequest("POST", "/mcp", bytes.NewReader(body))
	r.Header = header
	return r
}

// serves has a message answered.
func (c client) serves(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	return line.Line{Do: c.do}.Serve(w, r.WithContext(ctx), c.api)
}

// answer is what was said to a message.
type answer struct {
	Result map[string]any
	Error  *struct {
		Code    int
		Message string
		Data    map[string]any
	}
}

// asks has a message answered by one JSON.
func (c client) asks(method string, params map[string]any) (a answer) {
	c.t.Helper()
	rec := httptest.NewRecorder()
	require.NoError(c.t, c.serves(c.t.Context(), rec, c.message(method, params)))
	require.NoError(c.t, json.Unmarshal(rec.Body.Bytes(), &a), "%d %s", rec.Code, rec.Body)
	return a
}

// fails has one answered that fails.
func (c client) fails(method string, params map[string]any) (code int, message string, data map[string]any) {
	c.t.Helper()
	a := c.asks(method, params)
	require.NotNil(c.t, a.Error, "%v", a.Result)
	return a.Error.Code, a.Error.Message, a.Error.Data
}

// api answers the Worker's questions as the API does, by what a test says of a path with its query.
type api struct {
	tenant string

	mu    sync.Mutex
	paths map[string]http.HandlerFunc
	asked []string
}

func newAPI(tenant string) *api { return &api{tenant: tenant, paths: map[string]http.HandlerFunc{}} }

// ServeHTTP implements http.Handler. What nobody has said anything of is not found.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question := r.Method + " " + r.URL.RequestURI()
	a.mu.Lock()
	a.asked = append(a.asked, question)
	h := a.paths[question]
	a.mu.Unlock()
	if h == nil {
		h = refuses(http.StatusNotFound, "not_found", "")
	}
	h(w, r)
}

// on says how a question is answered.
func (a *api) on(question string, h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paths[question] = h
}

// questions are those that have been asked since the last time.
func (a *api) questions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

// says answers with data.
func says(data string) http.HandlerFunc {
	return raw(http.StatusOK, "application/json", `{"ok":true,"data":`+data+`}`)
}

// raw answers with a body.
func raw(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// refuses answers with an error.
func refuses(status int, code, hint string) http.HandlerFunc {
	return raw(status, "application/json", fmt.Sprintf(`{"ok":false,"error":{"code":%q,"message":"it says %s","details":{"hint":%q,"retryAfterMs":5}},"requestId":"r-1"}`, code, code, hint))
}

// breaks begins an answer, and does not end it.
func breaks(media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, body)
		panic(http.ErrAbortHandler)
	}
}
