package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
)

const (
	secret = "acme-0123456789abcdefghijklmnopqrstuvwxyz"
	other  = "globex-0123456789abcdefghijklmnopqrstuvw"
)

// api answers with one script after the other, the last one again and again, and keeps what was asked.
type api struct {
	mu      sync.Mutex
	asked   []*http.Request
	bodies  []string
	pauses  []time.Duration
	answers []http.HandlerFunc
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	answer := a.answers[min(len(a.asked), len(a.answers)-1)]
	a.asked, a.bodies = append(a.asked, r), append(a.bodies, string(body))
	a.mu.Unlock()
	answer(w, r)
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// lost ends the connection instead of an answer.
func lost(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

const fine = `{"success": true, "errors": [], "result": {"id": "x"}}`

func refusal(code int, message string) string {
	return fmt.Sprintf(`{"success": false, "errors": [{"code": %d, "message": %q}], "result": null}`, code, message)
}

func open(t *testing.T, answers ...http.HandlerFunc) (*account.Account, *api) {
	t.Helper()
	a := &api{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	source := credential.New(credential.Options{Getenv: func(string) (string, bool) { return secret, true }})
	ref, err := credential.Parse("env:ACME")
	require.NoError(t, err)
	token, err := source.Token(t.Context(), "acme", ref)
	require.NoError(t, err)
	return account.Open("acct", token, account.Options{URL: server.URL + "/client/v4", Sleep: func(ctx context.Context, d time.Duration) error {
		a.pauses = append(a.pauses, d)
		return ctx.Err()
	}}), a
}

// The library sends what it finds in the environment beside the token: the ambient account's key.
func TestNothingAmbientIsSent(t *testing.T) {
	for _, name := range []string{"CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_USER_SERVICE_KEY"} {
		t.Setenv(name, other)
	}
	t.Setenv("CLOUDFLARE_EMAIL", "ops@globex.example")
	t.Setenv("CLOUDFLARE_BASE_URL", "http://127.0.0.1:1/")
	acct, api := open(t, says(200, fine))
	var got struct{ ID string }
	require.NoError(t, acct.Get(t.Context(), acct.Path("queues"), &got))
	assert.Equal(t, "x", got.ID)
	r := api.asked[0]
	assert.Equal(t, "/client/v4/accounts/acct/queues", r.URL.Path)
	assert.Equal(t, "Bearer "+secret, r.Header.Get("Authorization"))
	for name, values := range r.Header {
		assert.NotContains(t, strings.Join(values, " "), other, name)
		assert.NotContains(t, strings.Join(values, " "), "globex", name)
	}
}

func TestWhatIsSentAgain(t *testing.T) {
	busy, broken, wrong := says(429, refusal(10013, "slow down"), "Retry-After", "7"), says(502, "<html>"), says(400, refusal(10021, "no"))
	for name, c := range map[string]struct {
		method  string
		answers []http.HandlerFunc
		asked   int
		status  int // 0 is success
	}{
		"busy, then fine":           {"POST", []http.HandlerFunc{busy, says(200, fine)}, 2, 0},
		"a server's fault":          {"PUT", []http.HandlerFunc{broken, broken, says(200, fine)}, 3, 0},
		"of a POST":                 {"POST", []http.HandlerFunc{broken, says(200, fine)}, 1, 502},
		"an answer that was lost":   {"DELETE", []http.HandlerFunc{lost, says(200, fine)}, 2, 0},
		"of a POST, which may have": {"POST", []http.HandlerFunc{lost, says(200, fine)}, 1, -1},
		"a conflict":                {"POST", []http.HandlerFunc{says(409, refusal(11009, "taken")), says(200, fine)}, 1, 409},
		"a mistake":                 {"GET", []http.HandlerFunc{wrong}, 1, 400},
		"for ever busy":             {"GET", []http.HandlerFunc{busy}, 4, 429},
		"for ever broken":           {"PUT", []http.HandlerFunc{broken}, 4, 502},
	} {
		t.Run(name, func(t *testing.T) {
			acct, api := open(t, c.answers...)
			err := acct.Do(t.Context(), c.method, acct.Path("queues"), map[string]string{"queue_name": "q"}, nil)
			assert.Len(t, api.asked, c.asked)
			switch {
			case c.status == 0:
				assert.NoError(t, err)
			case c.status < 0:
				assert.Error(t, err)
				assert.False(t, account.IsStatus(err, 0), "it is not known what became of it")
			default:
				assert.True(t, account.IsStatus(err, c.status), "%v", err)
			}
			if c.method != http.MethodGet {
				for _, body := range api.bodies {
					assert.JSONEq(t, `{"queue_name":"q"}`, body, "each time whole")
				}
			}
		})
	}
	acct, api := open(t, busy, says(200, fine))
	require.NoError(t, acct.Get(t.Context(), "x", nil))
	assert.Equal(t, []time.Duration{7 * time.Second}, api.pauses, "as long as the server says")
}

func TestWhatSetsSomethingIsSentAgain(t *testing.T) {
	acct, api := open(t, lost, says(502, "<html>"), says(200, fine))
	require.NoError(t, acct.Set(t.Context(), acct.Path("workers", "scripts", "w", "deployments"), map[string]string{"strategy": "percentage"}, nil))
	assert.Len(t, api.asked, 3)
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	a := &api{answers: []http.HandlerFunc{says(429, refusal(1, "later"), "Retry-After", "3600")}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	acct := account.Open("acct", credential.Token{}, account.Options{URL: server.URL})
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() { done <- acct.Get(ctx, "x", nil) }()
	stop := errors.New("the user left")
	cancel(stop)
	assert.ErrorIs(t, <-done, context.Canceled)
}

// A status of 200 is no success.
func TestTheEnvelopeIsRead(t *testing.T) {
	acct, _ := open(t, says(200, refusal(10000, "Authentication error")))
	err := acct.Get(t.Context(), acct.Path("queues"), nil)
	var refused *account.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, account.Error{Method: "GET", Path: "accounts/acct/queues", Status: 200, Code: 10000, Message: "Authentication error"}, *refused)

	acct, _ = open(t, says(200, `{"success": true, "result": "a word"}`))
	var number int
	assert.ErrorContains(t, acct.Get(t.Context(), "x", &number), "GET x: its result")
	acct, _ = open(t, says(200, `<html>`))
	assert.Error(t, acct.Get(t.Context(), "x", nil))
	acct, _ = open(t, says(204, ``))
	assert.NoError(t, acct.Get(t.Context(), "x", &number))
}

func TestErrorsSayWhatIsMissingAndNoSecret(t *testing.T) {
	for path, group := range map[string]string{
		"accounts/a/workers/scripts/w":           "Workers Scripts Write",
		"accounts/a/queues":                      "Queues Write",
		"accounts/a/storage/kv/namespaces":       "Workers KV Storage Write",
		"accounts/a/r2/buckets":                  "Workers R2 Storage Write",
		"accounts/a/vectorize/v2/indexes":        "Vectorize Write",
		"accounts/a/ai-gateway/gateways":         "AI Gateway Write",
		"accounts/a/workflows/import":            "Workers Scripts Write",
		"zones/z/workers/routes":                 "Workers Routes Write",
		"accounts/a/analytics_engine/sql":        "Account Analytics Read",
		"accounts/a/workers/durable_objects/xyz": "Workers Scripts Write",
	} {
		acct, _ := open(t, says(403, refusal(10000, "Authentication error")))
		err := acct.Do(t.Context(), "PUT", path, map[string]string{"text": secret}, nil)
		assert.ErrorContains(t, err, group)
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		assert.NotContains(t, text, secret)
		encoded, jerr := json.Marshal(err)
		require.NoError(t, jerr)
		assert.NotContains(t, string(encoded), secret)
	}
	acct, _ := open(t, says(403, refusal(10000, "no")))
	assert.ErrorContains(t, acct.Get(t.Context(), "zones?name=x", nil), "Zone Read")
	acct, _ = open(t, lost)
	assert.NotContains(t, fmt.Sprintf("%+v", acct.Get(t.Context(), "x", nil)), secret)
}

func TestPathsAreEscaped(t *testing.T) {
	acct, api := open(t, says(200, fine))
	require.NoError(t, acct.Get(t.Context(), acct.Path("storage", "kv", "a/b ?#"), nil))
	assert.Equal(t, "/client/v4/accounts/acct/storage/kv/a%2Fb%20%3F%23", api.asked[0].URL.EscapedPath())
}

func TestListsAreReadWhole(t *testing.T) {
	acct, api := open(t, func(w http.ResponseWriter, r *http.Request) {
		from := map[string]int{"1": 0, "2": 100, "3": 200}[r.URL.Query().Get("page")]
		var page []int
		for i := from; i < min(from+100, 230); i++ {
			page = append(page, i)
		}
		assert.Equal(t, "100", r.URL.Query().Get("per_page"))
		b, _ := json.Marshal(map[string]any{"success": true, "result": page})
		_, _ = w.Write(b)
	})
	all, err := account.List[int](t.Context(), acct, acct.Path("queues"))
	require.NoError(t, err)
	require.Len(t, all, 230)
	assert.Equal(t, 229, all[229])
	assert.Len(t, api.asked, 3)
}

// A server may give shorter pages than it was asked for; it says how many there are.
func TestListsInShortPagesAreReadWhole(t *testing.T) {
	acct, api := open(t, func(w http.ResponseWriter, r *http.Request) {
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		assert.NoError(t, err)
		some := []int{}
		for i := (page - 1) * 20; i < min(page*20, 45); i++ {
			some = append(some, i)
		}
		b, _ := json.Marshal(map[string]any{"success": true, "result": some, "result_info": map[string]int{"page": page, "per_page": 20, "total_count": 45 + 1}})
		_, _ = w.Write(b)
	})
	all, err := account.List[int](t.Context(), acct, acct.Path("queues"))
	require.NoError(t, err)
	require.Len(t, all, 45)
	assert.Len(t, api.asked, 4, "the one that went meanwhile is not waited for")
}

// An endpoint that knows no pages must not be asked for ever, and what it leaves out must not be taken for gone.
func TestAListOfAnEndpointWithoutPagesEnds(t *testing.T) {
	rows := func(from, n int) (all []int) {
		for i := range n {
			all = append(all, from+i)
		}
		return all
	}
	for name, test := range map[string]struct {
		page  func(page int) []int
		total int
		rows  int
		asked int
		says  string
	}{
		"all at once":            {page: func(int) []int { return rows(0, 230) }, rows: 230, asked: 2},
		"as many as a page has":  {page: func(int) []int { return rows(0, 100) }, rows: 100, asked: 2},
		"and says how many":      {page: func(int) []int { return rows(0, 230) }, total: 230, rows: 230, asked: 1},
		"a part of what it says": {page: func(int) []int { return rows(0, 100) }, total: 230, asked: 2, says: "page 2 is the one before again, and there are to be 230 of them"},
		"without an end":         {page: func(page int) []int { return rows(page*100, 100) }, asked: 1000, says: "has no end after 1000 pages"},
	} {
		t.Run(name, func(t *testing.T) {
			acct, api := open(t, func(w http.ResponseWriter, r *http.Request) {
				page, err := strconv.Atoi(r.URL.Query().Get("page"))
				assert.NoError(t, err)
				answer := map[string]any{"success": true, "result": test.page(page)}
				if test.total > 0 {
					answer["result_info"] = map[string]int{"total_count": test.total}
				}
				b, _ := json.Marshal(answer)
				_, _ = w.Write(b)
			})
			all, err := account.List[int](t.Context(), acct, acct.Path("queues"))
			if test.says != "" {
				assert.ErrorContains(t, err, test.says)
			} else {
				require.NoError(t, err)
			}
			assert.Len(t, all, test.rows)
			assert.Len(t, api.asked, test.asked)
		})
	}
}

func TestModulesAreUploadedUnderTheirNames(t *testing.T) {
	acct, api := open(t, says(502, ""), says(200, fine))
	upload := account.Upload{Metadata: map[string]any{"main_module": "worker.mjs"}, Modules: []account.Module{
		{Name: "worker.mjs", Type: account.ESModule, Body: []byte("export default {}")},
		{Name: "lib/app.wasm", Type: account.Wasm, Body: []byte("\x00asm")},
	}}
	require.NoError(t, acct.Do(t.Context(), "PUT", acct.Path("workers", "scripts", "w")+"?bindings_inherit=strict", upload, nil))
	assert.Equal(t, "strict", api.asked[0].URL.Query().Get("bindings_inherit"))
	for i, r := range api.asked {
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		require.NoError(t, err)
		var parts []string
		for in := multipart.NewReader(strings.NewReader(api.bodies[i]), params["boundary"]); ; {
			p, err := in.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			body, err := io.ReadAll(p)
			require.NoError(t, err)
			parts = append(parts, p.Header.Get("Content-Disposition")+" | "+p.Header.Get("Content-Type")+" | "+string(body))
		}
		assert.Equal(t, []string{
			`form-data; name="metadata" | application/json | {"main_module":"worker.mjs"}`,
			`form-data; name="worker.mjs"; filename="worker.mjs" | application/javascript+module | export default {}`,
			"form-data; name=\"lib/app.wasm\"; filename=\"lib/app.wasm\" | application/wasm | \x00asm",
		}, parts)
	}
}

func TestPagesWithCursors(t *testing.T) {
	acct, api := open(t, says(200, `{"success": true, "result": ["a"], "result_info": {"cursor": "c1"}}`), says(200, `{"success": true, "result": ["b"], "result_info": {"cursor": ""}}`))
	var page []string
	next, err := acct.GetPage(t.Context(), "keys", &page)
	require.NoError(t, err)
	assert.Equal(t, "c1", next)
	next, err = acct.GetPage(t.Context(), "keys?cursor=c1", &page)
	require.NoError(t, err)
	assert.Empty(t, next)
	assert.Equal(t, []string{"b"}, page)
	assert.Len(t, api.asked, 2)
}

func TestValuesHaveNoEnvelope(t *testing.T) {
	acct, _ := open(t, says(200, `{"any": "thing"}`), says(404, refusal(10009, "get: 'key not found'")))
	value, err := acct.GetRaw(t.Context(), "values/x")
	require.NoError(t, err)
	assert.Equal(t, `{"any": "thing"}`, string(value))
	_, err = acct.GetRaw(t.Context(), "values/y")
	assert.True(t, account.IsStatus(err, 404), "%v", err)
}
