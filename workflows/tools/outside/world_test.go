package outside_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/outside"
	"levada.dev/workflows/tools/toolstest"
)

// world is a Runner for two tenants with HTTP tools, and the servers that there are.
type world struct {
	t            *testing.T
	runner       *tools.Runner
	own          *outside.Tools
	records      *toolstest.Records
	acme, globex tenants.Scope
	configs      map[tenants.ID]*tenants.Config
	vault        *tenants.Vault
	log          bytes.Buffer

	mu    sync.Mutex
	hosts map[string]http.HandlerFunc // by scheme and host
	asked []asked
	read  []string // the secrets that were asked for, by tenant and name
}

// asked is a request that went out.
type asked struct {
	method, url, body string
	header            http.Header
}

// declared is a tool that takes one text, changed by edit.
func declared(name string, edit func(*tenants.HTTPTool)) tenants.HTTPTool {
	t := tenants.HTTPTool{
		Name: name, Description: "For tests.", URL: "https://shop.example.com/" + name,
		Input: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}}}`),
	}
	if edit != nil {
		edit(&t)
	}
	return t
}

func get(t *tenants.HTTPTool) { t.Method = http.MethodGet }

func secured(t *tenants.HTTPTool) { t.Auth = &tenants.ToolAuth{Secret: "shop-api"} }

// newWorld gives both tenants the tools, enabled.
func newWorld(t *testing.T, all ...tenants.HTTPTool) *world {
	return newWorldOf(t, nil, &outside.Options{}, map[string][]tenants.HTTPTool{"acme": all, "globex": all})
}

func newWorldOf(t *testing.T, do web.Do, o *outside.Options, all map[string][]tenants.HTTPTool) *world {
	t.Helper()
	w := &world{t: t, records: &toolstest.Records{}, configs: map[tenants.ID]*tenants.Config{}, hosts: map[string]http.HandlerFunc{}}
	w.acme, w.globex = tenantstest.Two(t)
	var configs []tenants.Config
	for _, id := range []string{"acme", "globex"} {
		c := tenantstest.Config(t, id, func(c *tenants.Config) {
			for _, d := range all[id] {
				if d.Auth != nil {
					auth := *d.Auth
					d.Auth = &auth
				}
				c.Tools.HTTP = append(c.Tools.HTTP, d)
				c.Tools.Enabled = append(c.Tools.Enabled, d.Name)
			}
		})
		w.configs[c.ID] = &c
		configs = append(configs, c)
	}
	w.vault = tenantstest.Vault(t, configs...)
	if do == nil {
		do = w.do
	}
	o.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	w.own = outside.New(do, &noted{tenantstest.Secrets(t, w.vault, configs...), w}, o)
	registry, err := tools.New()
	require.NoError(t, err)
	w.runner = tools.NewRunner(tools.Ports{Tools: registry, Calls: memory.NewCalls(time.Now), Records: w.records}, &tools.Options{Own: w.own.Of, Log: o.Log})
	return w
}

// noted is secrets that note who asks for which.
type noted struct {
	tenants.Secrets
	w *world
}

func (n *noted) Secret(ctx context.Context, s tenants.Scope, name string) (string, error) {
	n.w.mu.Lock()
	n.w.read = append(n.w.read, string(s.Tenant())+"/"+name)
	n.w.mu.Unlock()
	return n.Secrets.Secret(ctx, s, name)
}

// do answers a request by the handler of its scheme and host, and notes it. Nobody answers under any other.
func (w *world) do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	w.asked = append(w.asked, asked{r.Method, r.URL.String(), string(body), r.Header.Clone()})
	h := w.hosts[r.URL.Scheme+"://"+r.URL.Host]
	w.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("dial %s: no such host", r.URL)
	}
	rec := httptest.NewRecorder()
	h(rec, r)
	return rec.Result(), nil
}

// answers is a handler that says always the same.
func answers(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const jsonType = "application/json"

func (w *world) caller(s tenants.Scope) tools.Caller {
	return tools.Caller{
		Config: w.configs[s.Tenant()], Actor: "website", Allows: func(tenants.APIScope) bool { return true }, User: "ada@example.com", Via: tools.ViaHTTP,
		RequestID: "r-1", Cause: events.Cause{ID: "r-1"},
	}
}

func (w *world) execute(s tenants.Scope, o tools.Order) (tools.Result, error) {
	return w.runner.Execute(w.t.Context(), s, w.caller(s), o)
}

func (w *world) call(s tenants.Scope, name, input string) (tools.Result, error) {
	return w.execute(s, tools.Order{Tool: name, Input: json.RawMessage(input)})
}

// fails requires that a call fails with a code of the tool's own, says nothing that nobody may know, and is on record so.
func (w *world) fails(s tenants.Scope, name, input, code string) *fault.Error {
	w.t.Helper()
	_, err := w.call(s, name, input)
	f := fault.As(err)
	assert.Equal(w.t, []string{tools.CodeFailed, code}, []string{f.Code, tools.OwnCode(err)}, "%v", err)
	acts := w.records.Acts(w.t, s)
	require.NotEmpty(w.t, acts)
	assert.Equal(w.t, []any{events.OutcomeFailed, code}, []any{acts[len(acts)-1].Outcome, acts[len(acts)-1].Code})
	w.silent(fmt.Sprint(err, f.Hint, f.Field))
	return f
}

// silent requires that a text, the log and the records have no secret.
func (w *world) silent(said string) {
	w.t.Helper()
	acts, err := json.Marshal([]any{w.records.Acts(w.t, w.acme), w.records.Acts(w.t, w.globex)})
	require.NoError(w.t, err)
	for _, named := range w.vault.Secrets {
		for _, secret := range named {
			for _, text := range []string{said, w.log.String(), string(acts)} {
				assert.NotContains(w.t, text, secret)
			}
		}
	}
}

// last is the request that went out last.
func (w *world) last() asked {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(w.t, w.asked)
	return w.asked[len(w.asked)-1]
}

func (w *world) urls() (urls []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.asked {
		urls = append(urls, a.url)
	}
	return urls
}

func (w *world) reads() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.read)
}
