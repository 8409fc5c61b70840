package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/notify"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// world is two tenants that are told, and the servers that hear it.
type world struct {
	t            *testing.T
	acme, globex tenants.Scope
	vault        *tenants.Vault
	consumer     *notify.Consumer
	log          strings.Builder

	mu      sync.Mutex
	servers map[string]http.HandlerFunc // by scheme and host
	heard   []heard
	now     int // how many are asked at the moment
	most    int
}

// heard is a request as a server had it.
type heard struct {
	url    string
	header http.Header
	body   []byte
}

func hook(url string, secrets ...string) *tenants.Hook {
	return &tenants.Hook{URL: url, Secrets: secrets}
}

func newWorld(t *testing.T, o *notify.Options, acme, globex *tenants.Hook) *world {
	t.Helper()
	w := &world{t: t, servers: map[string]http.HandlerFunc{}}
	w.acme, w.globex = tenantstest.Two(t)
	var configs []tenants.Config
	for id, hook := range map[string]*tenants.Hook{"acme": acme, "globex": globex} {
		configs = append(configs, tenantstest.Config(t, id, func(c *tenants.Config) { c.Speech.Webhook = hook }))
	}
	w.vault = tenantstest.Vault(t, configs...)
	directory, _ := tenantstest.Directory(t, configs...)
	o.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	w.consumer = notify.New(notify.Ports{Directory: directory, Secrets: tenantstest.Secrets(t, w.vault, configs...), Do: w.do}, o)
	return w
}

func (w *world) do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.heard = append(w.heard, heard{r.URL.String(), r.Header.Clone(), body})
	serve := w.servers[r.URL.Scheme+"://"+r.URL.Host]
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.now--; w.mu.Unlock() }()
	if serve == nil {
		return nil, errors.New("dial " + r.URL.String())
	}
	rec := httptest.NewRecorder()
	serve(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

func answers(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("what a server says ", 1_000))
	}
}

var began = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

var ref = events.SpeechRef{Take: "take", Model: "@cf/deepgram/aura-1", Voice: "luna", Format: "mp3", Characters: 42}

func (w *world) spoken(s tenants.Scope, jobs ...string) consumers.Of[events.SpeechSynthesized] {
	f := events.SpeechSynthesized{SpeechRef: ref, Jobs: jobs, Bytes: 1_000, DurationMS: 2_500}
	return consumers.Of[events.SpeechSynthesized]{Delivery: w.delivery(s, f), Fact: f}
}

func (w *world) delivery(s tenants.Scope, f events.Fact) consumers.Delivery {
	ev, err := events.New(s, "speech", events.Cause{ID: "r-1"}, began, f)
	require.NoError(w.t, err)
	return consumers.Delivery{Event: ev, Attempt: 1}
}

func (w *world) tell(s tenants.Scope, ds ...consumers.Of[events.SpeechSynthesized]) []error {
	return w.consumer.Synthesized(w.t.Context(), s, ds)
}

// verify requires that what was heard is signed with a secret, and with nothing else of the vault than is named.
func (w *world) verify(h heard, tenant tenants.ID, secrets ...string) {
	w.t.Helper()
	for id, named := range w.vault.Secrets {
		for name, secret := range named {
			library, err := standardwebhooks.NewWebhook(secret)
			require.NoError(w.t, err)
			signed := id == tenant && assert.ObjectsAreEqual(true, contains(secrets, name))
			assert.Equal(w.t, signed, library.Verify(h.body, h.header) == nil, "%s/%s", id, name)
			assert.Error(w.t, library.Verify(append([]byte(" "), h.body...), h.header), "another body")
			other := h.header.Clone()
			other.Set("webhook-id", "msg_other")
			assert.Error(w.t, library.Verify(h.body, other), "another id")
		}
	}
}

func contains(all []string, s string) bool {
	return strings.Contains("\n"+strings.Join(all, "\n")+"\n", "\n"+s+"\n")
}

func TestAJobThatHasEndedIsTold(t *testing.T) {
	w := newWorld(t, &notify.Options{}, hook("https://a.example.com/hooks?x=1", "told-2", "told-1"), hook("https://g.example.com/", "told-1"))
	w.servers["https://a.example.com"], w.servers["https://g.example.com"] = answers(204), answers(200)
	for range 2 { // twice, as queues do
		require.Equal(t, []error{nil}, w.tell(w.acme, w.spoken(w.acme, "job/1")))
	}
	require.Equal(t, []error{nil}, w.tell(w.globex, w.spoken(w.globex, "job/1")))
	failed := events.SpeechFailed{SpeechRef: ref, Jobs: []string{"job-2"}, Code: "budget_exhausted", Message: "the budget is used up"}
	require.Equal(t, []error{nil}, w.consumer.Failed(t.Context(), w.globex, []consumers.Of[events.SpeechFailed]{{Delivery: w.delivery(w.globex, failed), Fact: failed}}))
	require.Len(t, w.heard, 4)
	assert.Equal(t, "https://a.example.com/hooks?x=1", w.heard[0].url)
	const about = `"characters":42,"format":"mp3","voice":"luna","model":"@cf/deepgram/aura-1"`
	assert.Equal(t, `{"type":"speech.synthesized","timestamp":"2026-11-23T06:00:00Z","data":{"jobId":"job/1","state":"succeeded",`+about+
		`,"durationMs":2500,"bytes":1000,"statusUrl":"/tts/jobs/job%2F1","audioUrl":"/tts/jobs/job%2F1/audio"}}`, string(w.heard[0].body))
	assert.Equal(t, `{"type":"speech.failed","timestamp":"2026-11-23T06:00:00Z","data":{"jobId":"job-2","state":"failed",`+about+
		`,"statusUrl":"/tts/jobs/job-2","error":{"code":"budget_exhausted","message":"the budget is used up"}}}`, string(w.heard[3].body))
	for i, secrets := range [][]string{{"told-1", "told-2"}, {"told-1", "told-2"}, {"told-1"}, {"told-1"}} {
		h := w.heard[i]
		id := tenants.ID("acme")
		if i > 1 {
			id = "globex"
		}
		w.verify(h, id, secrets...)
		assert.Equal(t, []string{"application/json", "Levada (+https://levada.dev)"}, []string{h.header.Get("Content-Type"), h.header.Get("User-Agent")})
	}
	ids := []string{}
	for _, h := range w.heard {
		ids = append(ids, h.header.Get("webhook-id"))
		assert.Regexp(t, `^msg_[0-9a-f]{32}$`, ids[len(ids)-1])
	}
	assert.Equal(t, ids[0], ids[1], "it is the same message")
	assert.NotEqual(t, ids[0], ids[2], "another tenant's is another")
	assert.NotEqual(t, ids[2], ids[3])
}

func TestNobodyIsToldWithoutAWebhook(t *testing.T) {
	w := newWorld(t, &notify.Options{}, nil, hook("https://g.example.com/", "told-1"))
	assert.Equal(t, []error{nil, nil}, w.tell(w.acme, w.spoken(w.acme, "j1"), w.spoken(w.acme, "j2")))
	assert.Empty(t, w.heard)
}

// What fails is tried again, when the server says so if it does.
func TestWhatIsNotTakenComesAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		code  string
		after time.Duration
	}{
		{"500", answers(500), notify.CodeFailed, 0},
		{"404", answers(404), notify.CodeRefused, 0},
		{"301", answers(301, "Location", "https://a.example.com/new"), notify.CodeRedirected, 0},
		{"429", answers(429, "Retry-After", "3000"), notify.CodeBusy, 50 * time.Minute},
		{"503", answers(503), notify.CodeBusy, 0},
		{"503 for ever", answers(503, "Retry-After", "999999"), notify.CodeBusy, 2 * time.Hour},
		{"nobody", nil, notify.CodeUnreachable, 0},
	} {
		w := newWorld(t, &notify.Options{}, hook("https://a.example.com/", "told-1"), hook("https://g.example.com/", "told-1"))
		w.servers["https://a.example.com"], w.servers["https://g.example.com"] = c.serve, answers(200)
		err := w.tell(w.acme, w.spoken(w.acme, "j1"))[0]
		f := fault.As(err)
		assert.Equal(t, []any{fault.Unavailable, c.code, c.after}, []any{f.Kind, f.Code, f.RetryAfter}, c.name)
		assert.Len(t, w.heard, 1, "%s: a redirect is not followed", c.name)
		assert.NotContains(t, err.Error(), "example.com", "it is on record, and may have a token in it")
		assert.Equal(t, []error{nil}, w.tell(w.globex, w.spoken(w.globex, "j1")), "another tenant's server")
	}
}

func TestAServerThatIsGoneIsLeftAlone(t *testing.T) {
	w := newWorld(t, &notify.Options{}, hook("https://a.example.com/", "told-1"), nil)
	w.servers["https://a.example.com"] = answers(410)
	assert.Equal(t, []error{nil}, w.tell(w.acme, w.spoken(w.acme, "j1")))
	assert.Contains(t, w.log.String(), "410")
}

// One message that a server does not take holds up no other event, and of its own event all come again under the same ids.
func TestAMessageThatIsRefusedHoldsUpNoOther(t *testing.T) {
	w := newWorld(t, &notify.Options{}, hook("https://a.example.com/", "told-1"), nil)
	refuse := true
	w.servers["https://a.example.com"] = func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if last := string(w.heard[len(w.heard)-1].body); refuse && strings.Contains(last, `"j2"`) {
			rw.WriteHeader(400)
		}
	}
	ds := []consumers.Of[events.SpeechSynthesized]{w.spoken(w.acme, "j1"), w.spoken(w.acme, "j2"), w.spoken(w.acme, "j3")}
	var errs []error
	for _, d := range ds {
		errs = append(errs, w.tell(w.acme, d)...)
	}
	assert.Equal(t, []bool{true, false, true}, []bool{errs[0] == nil, errs[1] == nil, errs[2] == nil})
	both := w.spoken(w.acme, "j1", "j2")
	first := len(w.heard)
	refuse = false
	require.Equal(t, []error{nil}, w.tell(w.acme, both))
	require.Equal(t, []error{nil}, w.tell(w.acme, both))
	ids := map[string]int{}
	for _, h := range w.heard[first:] {
		ids[h.header.Get("webhook-id")]++
	}
	assert.Len(t, ids, 2)
	for id, times := range ids {
		assert.Equal(t, 2, times, id)
	}
}

// A server that does not answer costs its batch ten seconds, whatever waits for it.
func TestASlowServerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &notify.Options{}, hook("https://a.example.com/", "told-1"), nil)
		w.servers["https://a.example.com"] = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		var jobs []string
		for i := range 50 {
			jobs = append(jobs, fmt.Sprint("j", i))
		}
		start := time.Now()
		errs := w.tell(w.acme, w.spoken(w.acme, jobs...), w.spoken(w.acme, "other"))
		assert.Equal(t, 10*time.Second, time.Since(start))
		assert.Equal(t, []int{1, 1}, []int{len(w.heard), w.most}, "and one of the connections that it has")
		for _, err := range errs {
			assert.Equal(t, []any{fault.Unavailable, notify.CodeUnreachable}, []any{fault.KindOf(err), fault.As(err).Code})
		}
	})
}

func TestPrivateNetworksAreNotTold(t *testing.T) {
	for _, url := range []string{
		"https://localhost/", "https://127.0.0.1/", "https://2130706433/", "https://10.1.2.3/", "https://169.254.169.254/latest/", "https://[::1]/", "https://db.internal/", "https://a.example.com:25/",
	} {
		w := newWorld(t, &notify.Options{Private: true}, hook(url, "told-1"), nil)
		f := fault.As(w.tell(w.acme, w.spoken(w.acme, "j1"))[0])
		assert.Equal(t, []any{fault.Denied, notify.CodeDenied}, []any{f.Kind, f.Code}, url)
		assert.Empty(t, w.heard)
	}
	for _, open := range []bool{false, true} {
		local := hook("http://127.0.0.1:9000/", "told-1")
		local.Private = true
		w := newWorld(t, &notify.Options{Private: open}, local, nil)
		w.servers["http://127.0.0.1:9000"] = answers(200)
		assert.Equal(t, open, w.tell(w.acme, w.spoken(w.acme, "j1"))[0] == nil)
	}
}

// none is a directory or secrets that do not answer, or have nothing.
type none struct {
	tenants.Directory
	err error
}

func (n none) Secret(context.Context, tenants.Scope, string) (string, error) { return "", n.err }

func TestSecretsThatAreNotThere(t *testing.T) {
	c := tenantstest.Config(t, "acme", func(c *tenants.Config) { c.Speech.Webhook = hook("https://a.example.com/", "told-2", "told-1") })
	directory, _ := tenantstest.Directory(t, c)
	for want, err := range map[string]error{
		notify.CodeSecrets: fault.Missing("secret_not_found", "there is none"), "directory_unavailable": fault.Unavailablef(nil, "directory_unavailable", "x"),
	} {
		told := notify.New(notify.Ports{Directory: directory, Secrets: none{err: err}, Do: func(*http.Request) (*http.Response, error) { panic("nothing is sent") }}, nil)
		w := &world{t: t}
		s := tenantstest.Scope(t, "acme")
		f := fault.As(told.Synthesized(t.Context(), s, []consumers.Of[events.SpeechSynthesized]{w.spoken(s, "j1")})[0])
		assert.Equal(t, []any{fault.Unavailable, want}, []any{f.Kind, f.Code})
	}
}
