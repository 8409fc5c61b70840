package outside_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/outside"
)

func TestAnswers(t *testing.T) {
	w := newWorld(t, declared("free", nil), declared("described", func(d *tenants.HTTPTool) {
		d.Output = json.RawMessage(`{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}`)
	}))
	for _, test := range []struct {
		tool, media, body string
		result, code      string
	}{
		{"free", jsonType, `{"a":1.50}`, `{"a":1.50}`, ""},
		{"free", "application/problem+json; charset=utf-8", "\ufeff{}", `{}`, ""},
		{"free", jsonType, `[1,"x"]`, `{"result":[1,"x"]}`, ""},
		{"free", jsonType, `null`, `{"result":null}`, ""},
		{"free", "text/plain; charset=utf-8", "Grüße", `{"text":"Grüße"}`, ""},
		{"free", "text/html", "<p>", `{"text":"<p>"}`, ""},
		{"free", "image/png", "", `{}`, ""},
		{"free", "image/png", "x", "", outside.CodeType},
		{"free", "", "x", "", outside.CodeType},
		{"free", "text/plain", "\xff", "", outside.CodeType},
		{"free", jsonType, `{"a":1`, "", outside.CodeNotJSON},
		{"free", jsonType, `{} {}`, "", outside.CodeNotJSON},
		{"free", jsonType, "\"\xff\"", "", outside.CodeNotJSON},
		{"free", jsonType, `<html>`, "", outside.CodeNotJSON},
		{"free", jsonType, ` `, "", outside.CodeNotJSON},
		{"free", jsonType, `[1e999999]`, "", outside.CodeNotJSON},
		{"free", jsonType, `{"a":1e-999999}`, "", outside.CodeNotJSON},
		{"free", jsonType, `0.` + strings.Repeat("1", 200), "", outside.CodeNotJSON},
		{"free", jsonType, `[0,0.0,-0e5]`, `{"result":[0,0.0,-0e5]}`, ""},
		{"free", jsonType, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, "", outside.CodeTooLarge},
		{"free", jsonType, `[` + strings.Repeat("1,", tools.MaxValues-2) + `1]`, "", outside.CodeTooLarge},
		{"free", jsonType, `[` + strings.Repeat("1,", tools.MaxValues-3) + `1]`, `{"result":[` + strings.Repeat("1,", tools.MaxValues-3) + `1]}`, ""},
		{"free", jsonType, strings.Repeat("[", 200) + strings.Repeat("]", 200), "", outside.CodeTooLarge},
		{"free", "text/plain", strings.Repeat("<", 1<<20), `{"text":"` + strings.Repeat("<", 1<<20) + `"}`, ""},
		{"described", "text/plain", `{"n":1,"more":2}`, `{"more":2,"n":1}`, ""},
		{"described", jsonType, `{"n":"1"}`, "", "result_invalid"},
		{"described", jsonType, `[1]`, "", outside.CodeNotJSON},
		{"described", jsonType, ``, "", "result_invalid"},
	} {
		w.hosts["https://shop.example.com"] = answers(200, test.media, test.body)
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			if test.code != "" {
				f := w.fails(s, test.tool, `{}`, test.code)
				assert.NotContains(t, f.Error(), "html")
				continue
			}
			r, err := w.call(s, test.tool, `{}`)
			require.NoError(t, err, "%.80s", test.body)
			assert.Equal(t, test.result, string(r.Data), "%.80s", test.body)
		}
	}
}

// A short answer whose values are all wrong in four ways would be a hundred megabytes of mistakes, for all tenants of an instance.
func TestAnAnswerTakesLittleMemory(t *testing.T) {
	w := newWorld(t, declared("described", func(d *tenants.HTTPTool) {
		d.Output = json.RawMessage(`{"type":"object","properties":{"a":{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"null"},{"type":"object"},{"type":"array"}]}}}}`)
	}))
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		for n, code := range map[int]string{99_000: outside.CodeTooLarge, 9_900: "result_invalid"} {
			w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"a":[`+strings.Repeat("1,", n)+`1]}`)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w.fails(s, "described", `{}`, code)
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), "%d values", n)
		}
	}
}

// How long a tenant's server takes, others do not feel: also not with arguments that take all the room that there is.
func TestASlowServerShutsNobodyOut(t *testing.T) {
	w := newWorld(t, declared("slow", func(d *tenants.HTTPTool) { d.URL = "https://slow.example.com" }), declared("order", nil))
	for s, other := range map[tenants.Scope]tenants.Scope{w.acme: w.globex, w.globex: w.acme} {
		came, answer, done := make(chan struct{}), make(chan struct{}), make(chan error)
		w.mu.Lock()
		w.hosts["https://slow.example.com"] = func(rw http.ResponseWriter, r *http.Request) {
			close(came)
			<-answer
			answers(200, jsonType, `{}`)(rw, r)
		}
		w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"a":"`+strings.Repeat("x", 20_000)+`"}`)
		w.mu.Unlock()
		go func() {
			_, err := w.call(s, "slow", `{"text":"`+strings.Repeat("x", 1<<20)+`"}`)
			done <- err
		}()
		<-came
		_, err := w.call(other, "order", `{"text":"`+strings.Repeat("x", 20_000)+`"}`)
		assert.NoError(t, err)
		close(answer)
		assert.NoError(t, <-done)
	}
}

// Names that a server makes up are somebody's data. The log has the place up to them.
func TestNamesOfAnAnswerAreNotTold(t *testing.T) {
	w := newWorld(t, declared("strict", func(d *tenants.HTTPTool) {
		d.Output = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"list":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}},"additionalProperties":{"type":"object","propertyNames":{"maxLength":3},"additionalProperties":{"type":"number"}}}}}}`)
	}))
	for body, want := range map[string]string{
		`{"Ada Lovelace":1}`:                         "at result: has a member that is not known",
		`{"list":[{"id":1},{"Ada Lovelace":{}}]}`:    "at result.list[1].id: is required",
		`{"list":[{"id":"Ada Lovelace"}]}`:           "at result.list[0].id: is string, not integer",
		`{"list":[{"id":1,"Ada Lovelace":7}]}`:       "at result.list[0]: has a member that is number, not object",
		`{"list":[{"id":1,"Ada":{"Lovelace":1}}]}`:   "at result: has 8 characters, above 3",
		`{"list":[{"id":1,"Lovelace":{"Ada":"x"}}]}`: "at result.list[0]: has a member that is string, not number",
		`{"list":[{"id":1,"Ada":{"7":"Lovelace"}}]}`: "at result.list[0]: has a member that is string, not number",
	} {
		w.hosts["https://shop.example.com"] = answers(200, jsonType, body)
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			f := w.fails(s, "strict", `{}`, "result_invalid")
			said := ""
			for err := error(f); err != nil; err = errors.Unwrap(err) {
				said += err.Error() + "\n"
			}
			assert.Contains(t, said, want, body)
			assert.NotContains(t, said+w.log.String(), "Ada", body)
			assert.NotContains(t, said+w.log.String(), "Lovelace", body)
		}
	}
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"list":[],"Ada Lovelace":[`+strings.Repeat("1,", tools.MaxValues)+`1]}`)
	assert.NotContains(t, w.fails(w.acme, "strict", `{}`, outside.CodeTooLarge).Error(), "Ada")
}

func TestServersFailInTheirOwnWays(t *testing.T) {
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	w := newWorldOf(t, nil, &outside.Options{Now: func() time.Time { return now }}, map[string][]tenants.HTTPTool{"acme": {declared("order", secured)}, "globex": {declared("order", nil)}})
	for _, test := range []struct {
		status     int
		retryAfter string
		code       string
		wait       time.Duration
	}{
		{400, "", outside.CodeRefused, 0}, {401, "", outside.CodeRefused, 0}, {403, "", outside.CodeRefused, 0}, {404, "5", outside.CodeRefused, 0}, {422, "", outside.CodeRefused, 0}, {304, "", outside.CodeRefused, 0},
		{299 + 300, "", outside.CodeFailed, 0}, {500, "", outside.CodeFailed, 0}, {502, "", outside.CodeFailed, 0},
		{429, "", outside.CodeBusy, 0}, {429, "30", outside.CodeBusy, 30 * time.Second}, {503, "999999999", outside.CodeBusy, 10 * time.Minute}, {503, "-5", outside.CodeBusy, 0},
		{503, now.Add(time.Minute).Format(http.TimeFormat), outside.CodeBusy, time.Minute}, {425, "soon", outside.CodeBusy, 0},
	} {
		w.hosts["https://shop.example.com"] = answers(test.status, "text/plain", "INTERNAL DETAILS", "Retry-After", test.retryAfter)
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			f := w.fails(s, "order", `{}`, test.code)
			assert.Equal(t, test.wait, f.RetryAfter, "%d %s", test.status, test.retryAfter)
			assert.NotContains(t, f.Error()+f.Hint+w.log.String(), "INTERNAL")
			assert.Equal(t, test.status == 401 || test.status == 403, strings.Contains(f.Hint, "secret"))
		}
	}
	delete(w.hosts, "https://shop.example.com")
	f := w.fails(w.acme, "order", `{}`, outside.CodeUnreachable)
	assert.NotContains(t, f.Error(), "dial", "what the transport says names the address")
}

func TestASecretThatIsNotPublished(t *testing.T) {
	w := newWorld(t, declared("order", secured))
	gone := *w.configs["acme"]
	gone.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) { d.Auth = &tenants.ToolAuth{Secret: "other-1"} })}
	gone.Defaults()
	w.configs["acme"] = &gone
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{}`)
	w.fails(w.acme, "order", `{}`, outside.CodeSecretMissing)
	assert.Empty(t, w.urls(), "nothing was sent without it")
	_, err := w.call(w.globex, "order", `{}`)
	require.NoError(t, err)
}

// A service that echoes gives no secret away.
func TestASecretThatComesBackIsCovered(t *testing.T) {
	w := newWorld(t, declared("order", secured))
	w.hosts["https://shop.example.com"] = func(rw http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		secret := strings.TrimPrefix(auth, "Bearer ")
		escaped := ""
		for _, c := range secret {
			escaped += `\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
		}
		answers(200, r.Header.Get("X-Media"), `{"headers":{"authorization":"`+auth+`","`+secret+`":["`+escaped+`",7]}}`)(rw, r)
	}
	echo := w.hosts["https://shop.example.com"]
	for _, media := range []string{jsonType, "text/plain"} {
		w.hosts["https://shop.example.com"] = func(rw http.ResponseWriter, r *http.Request) { r.Header.Set("X-Media", media); echo(rw, r) }
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			r, err := w.call(s, "order", `{}`)
			require.NoError(t, err)
			if media == jsonType {
				assert.JSONEq(t, `{"headers":{"authorization":"Bearer [secret]","[secret]":["[secret]",7]}}`, string(r.Data))
			} else {
				assert.Contains(t, string(r.Data), "Bearer [secret]")
			}
			w.silent(string(r.Data))
		}
	}
}

// numeric is a secret that could be a number.
type numeric struct{ tenants.Secrets }

func (numeric) Secret(context.Context, tenants.Scope, string) (string, error) { return "12345678", nil }

func TestASecretThatComesBackAsANumberIsCovered(t *testing.T) {
	w := newWorld(t, declared("order", secured))
	w.hosts["https://shop.example.com"] = answers(200, jsonType, `{"ids":[12345678,0.123456789,8]}`)
	own := outside.New(w.do, numeric{}, nil).Of(w.configs["acme"])
	require.Len(t, own, 1)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		data, err := own[0].Run(t.Context(), &tools.Call{ID: "c", Scope: s, Input: json.RawMessage(`{}`)})
		require.NoError(t, err)
		assert.JSONEq(t, `{"ids":["[secret]","[secret]",8]}`, string(data))
	}
}

// A server of the test's own: connections that end, time that is over, answers that are packed or cut.
func TestRealConnections(t *testing.T) {
	left := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
			left <- struct{}{}
		case "/stalls":
			_, _ = io.WriteString(w, `{"a":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			left <- struct{}{}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":1}`)
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"a":"`+strings.Repeat("x", 4<<20)+`"}`)
			_ = z.Close()
		case "/small":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"a":1}`)
			_ = z.Close()
		}
	}))
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var all []tenants.HTTPTool
	for _, name := range []string{"slow", "stalls", "cut", "packed", "small"} {
		all = append(all, declared(name, func(d *tenants.HTTPTool) {
			d.URL, d.Private, d.TimeoutSeconds = server.URL+"/"+name, true, 1
			get(d)
		}))
	}
	w := newWorldOf(t, client.Do, &outside.Options{Private: true}, map[string][]tenants.HTTPTool{"acme": all, "globex": all})
	for s, name := range map[tenants.Scope]string{w.acme: "slow", w.globex: "stalls"} {
		_, err := w.call(s, name, `{}`)
		assert.Equal(t, tools.CodeTimeout, fault.As(err).Code)
		<-left // the server saw its connection end
		acts := w.records.Acts(t, s)
		assert.Equal(t, events.OutcomeTimeout, acts[len(acts)-1].Outcome)
	}
	w.fails(w.acme, "cut", `{}`, outside.CodeUnreachable)
	w.fails(w.acme, "packed", `{}`, outside.CodeTooLarge)
	r, err := w.call(w.globex, "small", `{}`)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, string(r.Data))
}
