package e2e

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/tenants/seal"
)

// listener is a tenant whose server is told of its jobs of speech, and is out of order the first time.
type listener struct {
	user
	secrets []string
	told    chan told
}

// told is a message as the server had it.
type told struct {
	header http.Header
	body   []byte
}

func listens(t *testing.T, name string, with func(c *tenants.Config, h *tenants.Hook)) *listener {
	t.Helper()
	l := &listener{told: make(chan told, 10)}
	var times atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // cut off, it does not verify
		l.told <- told{r.Header.Clone(), body}
		if times.Add(1) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	id := tenants.ID(name + "-" + uuid.NewString()[:8])
	l.user = user{t, platform.URL, string(id), ""}
	key, err := seal.ParseKey(platform.Vault.SealKey)
	require.NoError(t, err)
	names := []string{"speech-2", "speech-1"}
	for _, name := range names {
		secret, err := tenants.NewSecret(rand.Reader)
		require.NoError(t, err)
		l.secrets = append(l.secrets, secret)
		sealed, err := key.Seal(secret, string(id), name)
		require.NoError(t, err)
		require.NoError(t, platform.KV(stack.API, "CONFIG").Put(t.Context(), "secret/"+string(id)+"/"+name, []byte(sealed)))
	}
	l.user.key = l.publish(func(c *tenants.Config) {
		c.Auth = tenants.Auth{}
		with(c, &tenants.Hook{URL: server.URL + "/hooks", Secrets: names, Private: true})
	})
	return l
}

// next is the next message that the server of one of some is told, which is signed with its secrets alone.
func (l *listener) next(all []*listener) told {
	l.t.Helper()
	var m told
	select {
	case m = <-l.told:
	case <-time.After(2 * time.Minute):
		l.t.Fatalf("%s is not told", l.tenant)
	}
	for _, o := range all {
		for _, secret := range o.secrets {
			library, err := standardwebhooks.NewWebhook(secret)
			require.NoError(l.t, err)
			assert.Equal(l.t, o == l, library.Verify(m.body, m.header) == nil)
		}
	}
	for _, header := range []string{"X-Tenant-Id", "Authorization", "Cookie"} {
		assert.Empty(l.t, m.header.Get(header))
	}
	assert.Regexp(l.t, traceParent, m.header.Get("Traceparent"), "its own logs find the request by it")
	return m
}

// traceParent is the form of a place in a trace, which a tenant's own servers are told.
const traceParent = "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$"

// Two tenants have the same text spoken, on the real platform: the server of each is told of its own job, signed with its own secrets, and again under
// the same id when it was out of order.
func TestATenantIsToldWhenItsTextIsSpoken(t *testing.T) {
	speaks := func(c *tenants.Config, h *tenants.Hook) {
		c.Speech = tenants.Speech{Enabled: true, Model: "@local/voice", Webhook: h}
	}
	all := []*listener{listens(t, "florist", speaks), listens(t, "grocer", speaks)}
	var jobs []string
	for _, l := range all {
		var job accepted
		l.do(http.MethodPost, "/tts", map[string]any{"text": "The order is on its way."}).into(t, &job)
		jobs = append(jobs, job.JobID)
	}
	for i, l := range all {
		first, again := l.next(all), l.next(all)
		assert.Equal(t, first.header.Get("webhook-id"), again.header.Get("webhook-id"))
		assert.Equal(t, string(first.body), string(again.body))
		var said struct {
			Type string
			Data struct{ JobID, State, AudioURL string }
		}
		require.NoError(t, json.Unmarshal(first.body, &said))
		assert.Equal(t, []string{"speech.synthesized", jobs[i], "succeeded"}, []string{said.Type, said.Data.JobID, said.Data.State})
		assert.Equal(t, http.StatusOK, l.do(http.MethodGet, said.Data.AudioURL, nil).Status)
	}
}
