package outside_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/outside"
)

func TestACallIsOneRequest(t *testing.T) {
	w := newWorld(t, declared("order", secured))
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"state":"sent","n":12345678901234567890,"html":"<b>"}`)
	r, err := w.call(w.acme, "order", `{"text":"a<b","more":[1.0,null]}`)
	require.NoError(t, err)
	assert.Equal(t, `{"html":"<b>","n":12345678901234567890,"state":"sent"}`, string(r.Data))
	a := w.last()
	assert.Equal(t, []string{"POST", "https://shop.example.com/order", `{"more":[1,null],"text":"a<b"}`}, []string{a.method, a.url, a.body})
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "Idempotency-Key": {r.ID}, "X-Request-Id": {"r-1"},
		"User-Agent": {"Levada (+https://levada.dev)"}, "Authorization": {"Bearer " + w.vault.Secrets["acme"]["shop-api"]},
	}, a.header, "and nothing of who calls")
	w.silent(string(r.Data))

	listed := w.runner.List(w.caller(w.acme))
	require.Len(t, listed, 1)
	assert.Equal(t, []any{tools.Outside, tools.Writes, `{"type":"object"}`}, []any{listed[0].Cost, listed[0].Effects, string(listed[0].Output.Text())})
}

// Each tenant's own host, its own secret, and nothing of the other's.
func TestTwoTenantsWithToolsOfOneName(t *testing.T) {
	at := func(host string) []tenants.HTTPTool {
		return []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) { secured(d); d.URL = "https://" + host + ".example.com/order" })}
	}
	w := newWorldOf(t, nil, &outside.Options{}, map[string][]tenants.HTTPTool{"acme": at("one"), "globex": at("two")})
	w.hosts["https://one.example.com"] = answers(200, jsonType, `{"from":"one"}`)
	w.hosts["https://two.example.com"] = answers(200, jsonType, `{"from":"two"}`)
	for range 2 {
		for s, want := range map[tenants.Scope]string{w.acme: "one", w.globex: "two"} {
			w.read = nil
			r, err := w.call(s, "order", `{}`)
			require.NoError(t, err)
			assert.JSONEq(t, `{"from":"`+want+`"}`, string(r.Data))
			assert.Equal(t, "https://"+want+".example.com/order", w.last().url)
			assert.Equal(t, "Bearer "+w.vault.Secrets[s.Tenant()]["shop-api"], w.last().header.Get("Authorization"))
			assert.Equal(t, []string{string(s.Tenant()) + "/shop-api"}, w.reads(), "and no other was read")
		}
	}
	assert.NotEqual(t, w.vault.Secrets["acme"], w.vault.Secrets["globex"])
}

func TestAToolThatIsNotEnabledDoesNotExist(t *testing.T) {
	w := newWorld(t, declared("order", secured), declared("stock", nil))
	off := *w.configs["globex"]
	off.Tools.Enabled = []string{"stock"}
	w.configs["globex"] = &off
	for s, want := range map[tenants.Scope]int{w.acme: 2, w.globex: 1} {
		assert.Len(t, w.runner.List(w.caller(s)), want)
	}
	_, err := w.call(w.globex, "order", `{}`)
	assert.Equal(t, tools.CodeNotFound, fault.As(err).Code)
	assert.Empty(t, w.urls())
	assert.Empty(t, w.reads())
}

func TestArgumentsInThePath(t *testing.T) {
	w := newWorld(t, declared("order", func(d *tenants.HTTPTool) {
		get(d)
		d.URL = "https://shop.example.com/shops/v{shop}/orders/{order}/lines?version=2"
		d.Input = json.RawMessage(`{"type":"object","required":["shop","order"],"properties":{"shop":{},"order":{}}}`)
	}))
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{}`)
	for input, want := range map[string]string{
		`{"shop":"a","order":"7"}`:                         "/shops/va/orders/7/lines?version=2",
		`{"shop":1.0,"order":true}`:                        "/shops/v1/orders/true/lines?version=2",
		`{"shop":"","order":"..."}`:                        "/shops/v/orders/.../lines?version=2",
		`{"shop":"a/b","order":"ä %?#&+"}`:                 "/shops/va%2Fb/orders/%C3%A4%20%25%3F%23%26%2B/lines?version=2",
		`{"shop":"~-._","order":"!*'()"}`:                  "/shops/v~-._/orders/%21%2A%27%28%29/lines?version=2",
		`{"shop":"@evil.example","order":"x"}`:             "/shops/v%40evil.example/orders/x/lines?version=2",
		`{"shop":"a","order":"7","q":"a b&c","n":[1,"x"]}`: "/shops/va/orders/7/lines?version=2&n=1&n=x&q=a%20b%26c",
		`{"shop":"a","order":"7","q":null,"n":[]}`:         "/shops/va/orders/7/lines?version=2",
	} {
		_, err := w.call(w.acme, "order", input)
		require.NoError(t, err, input)
		assert.Equal(t, "https://shop.example.com"+want, w.last().url, input)
		assert.Empty(t, w.last().body)
		assert.NotContains(t, w.last().header, "Content-Type")
		assert.NotContains(t, w.last().header, "Idempotency-Key", "it reads")
	}
	sent := len(w.urls())
	for input, field := range map[string]string{
		`{"shop":"a","order":""}`: "params.order", `{"shop":"a","order":"."}`: "params.order", `{"shop":"a","order":".."}`: "params.order",
		`{"shop":"a","order":"../admin"}`: "params.order", `{"shop":"a","order":"x/../../admin"}`: "params.order", `{"shop":"a","order":"..\\admin"}`: "params.order",
		`{"shop":"/..","order":"7"}`: "params.shop", `{"shop":{},"order":"7"}`: "params.shop", `{"shop":["a"],"order":"7"}`: "params.shop", `{"shop":"a","order":null}`: "params.order",
		`{"shop":"a"}`: "params.order", `{"shop":"a","order":"7","q":{"a":1}}`: "params.q", `{"shop":"a","order":"7","q":["a",["b"]]}`: "params.q[1]",
		`{"shop":"a","order":"7","version":"1"}`: "params.version", `{"shop":"a","order":"7","q":"` + strings.Repeat("x", 9_000) + `"}`: "params",
	} {
		_, err := w.call(w.globex, "order", input)
		f := fault.As(err)
		assert.Equal(t, []string{tools.CodeInvalid, field}, []string{f.Code, f.Field}, "%.100s: %v", input, err)
	}
	assert.Len(t, w.urls(), sent, "nobody was asked")
}

func TestMethodsAndSchemes(t *testing.T) {
	bare, basic := "", "Basic"
	w := newWorld(t,
		declared("delete", func(d *tenants.HTTPTool) {
			d.Method = "DELETE"
			d.Auth = &tenants.ToolAuth{Secret: "key", Scheme: &bare}
		}),
		declared("put", func(d *tenants.HTTPTool) {
			d.Method, d.Effects = "PUT", tenants.ToolReads
			d.Auth = &tenants.ToolAuth{Secret: "key", Header: "X-Api-Key"}
		}),
		declared("patch", func(d *tenants.HTTPTool) {
			d.Method = "PATCH"
			d.Auth = &tenants.ToolAuth{Secret: "key", Scheme: &basic}
		}),
	)
	w.hosts["https://shop.example.com"] = answers(204, "", "")
	key := w.vault.Secrets["acme"]["key"]
	for _, test := range []struct{ tool, url, body, header, value, idempotent string }{
		{"delete", "/delete?text=a", "", "Authorization", key, "id"},
		{"put", "/put", `{"text":"a"}`, "X-Api-Key", key, ""},
		{"patch", "/patch", `{"text":"a"}`, "Authorization", "Basic " + key, "id"},
	} {
		r, err := w.call(w.acme, test.tool, `{"text":"a"}`)
		require.NoError(t, err)
		assert.Equal(t, `{}`, string(r.Data))
		a := w.last()
		assert.Equal(t, []string{strings.ToUpper(test.tool), "https://shop.example.com" + test.url, test.body, test.value}, []string{a.method, a.url, a.body, a.header.Get(test.header)})
		assert.Equal(t, test.idempotent != "", a.header.Get("Idempotency-Key") == r.ID, test.tool)
	}
}

func TestPoliciesBoundWhatIsSent(t *testing.T) {
	w := newWorld(t, declared("order", nil))
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{}`)
	strict := *w.configs["acme"]
	strict.Tools.Policies = []tenants.Policy{{Tool: "order", Argument: "text", Allowed: []string{"yes"}}}
	w.configs["acme"] = &strict
	_, err := w.call(w.acme, "order", `{"text":"no"}`)
	assert.Equal(t, []string{tools.CodeDenied, "params.text"}, []string{fault.As(err).Code, fault.As(err).Field})
	assert.Empty(t, w.urls())
	_, err = w.call(w.globex, "order", `{"text":"no"}`)
	require.NoError(t, err, "another tenant's policy")
}

func TestADryRunAsksNobody(t *testing.T) {
	w := newWorld(t, declared("order", secured))
	r, err := w.execute(w.acme, tools.Order{Tool: "order", DryRun: true})
	require.NoError(t, err)
	assert.JSONEq(t, `{"tool":"order","effects":"writes","cost":"outside","timeoutMs":10000}`, string(r.Data))
	assert.Empty(t, w.urls())
	assert.Empty(t, w.reads())
}

// What fails can be called again with its key: the server knows the call again.
func TestACallIsKnownAgain(t *testing.T) {
	w := newWorld(t, declared("order", nil))
	w.hosts["https://shop.example.com"] = answers(500, jsonType, `{}`)
	first, err := w.execute(w.acme, tools.Order{Tool: "order", Key: "k"})
	require.Error(t, err)
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"done":true}`)
	second, err := w.execute(w.acme, tools.Order{Tool: "order", Key: "k"})
	require.NoError(t, err)
	kept, err := w.execute(w.acme, tools.Order{Tool: "order", Key: "k"})
	require.NoError(t, err)
	assert.True(t, kept.Replayed)
	other, err := w.execute(w.globex, tools.Order{Tool: "order", Key: "k"})
	require.NoError(t, err)
	var keys []string
	for _, a := range w.asked {
		keys = append(keys, a.header.Get("Idempotency-Key"))
	}
	require.Len(t, keys, 3)
	assert.NotEmpty(t, keys[0])
	assert.Equal(t, keys[0], keys[1])
	assert.NotEqual(t, keys[0], keys[2], "another tenant's")
	assert.Equal(t, first.ID, second.ID)
	assert.NotEqual(t, first.ID, other.ID)
}

// A write is on record before it leaves, and does not leave when it is not.
func TestAWriteIsOnRecordBeforeItLeaves(t *testing.T) {
	w := newWorld(t, declared("order", nil), declared("look", get))
	on := 0
	w.hosts["https://shop.example.com"] = func(rw http.ResponseWriter, _ *http.Request) {
		on = w.records.Sent()
		answers(200, jsonType, `{}`)(rw, nil)
	}
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		before := w.records.Sent()
		_, err := w.call(s, "order", `{}`)
		require.NoError(t, err)
		assert.Equal(t, before+1, on, "tool.started was told")
	}
	sent := len(w.urls())
	w.records.Before = func(typ string) error { return fault.Unavailablef(nil, "queue_unavailable", "%s", typ) }
	_, err := w.call(w.acme, "order", `{}`)
	assert.Equal(t, tools.CodeUnrecorded, fault.As(err).Code)
	assert.Len(t, w.urls(), sent)
}

// Whatever arguments say, they stay within their segments, and an address reads as it was made.
func FuzzExpand(f *testing.F) {
	for _, a := range []string{"", ".", "..", "a/b", "../x", "%2e%2e", "\\..\\", "?q=1#f", "ä\x00", "@evil.example:1/"} {
		f.Add(a, "7")
		f.Add("7", a)
	}
	t, err := tenants.ParseTemplate("https://shop.example.com/a/{x}/v{y}/z?fixed=1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(test *testing.T, x, y string) {
		path, err := outside.Expand(t, map[string]any{"x": x, "y": y})
		if err != nil {
			return
		}
		u, err := url.Parse(t.Origin.String() + path + "?" + t.Query)
		require.NoError(test, err)
		assert.Equal(test, []string{"shop.example.com", "fixed=1", "", path}, []string{u.Host, u.RawQuery, u.Fragment, u.EscapedPath()})
		segments := strings.Split(u.EscapedPath(), "/")
		require.Len(test, segments, 5)
		assert.Equal(test, []string{"", "a", "z"}, []string{segments[0], segments[1], segments[4]})
		for i, want := range map[int]string{2: x, 3: "v" + y} {
			got, err := url.PathUnescape(segments[i])
			require.NoError(test, err)
			assert.Equal(test, want, got)
			assert.NotContains(test, []string{"", ".", ".."}, got)
		}
	})
}
