package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/producers/batch"
	"levada.dev/producers/webhook"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// hook is a source with a webhook.
func hook(id string, secrets ...string) tenants.Source {
	return tenants.Source{ID: id, Webhook: &tenants.Webhook{Secrets: secrets, Deletes: []string{"com.example.deleted"}}}
}

// opener opens imports, one for each key.
type opener map[string]job.Job

func (o opener) OpenImport(_ context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	key := string(s.Tenant()) + im.Cause.IdempotencyKey
	if _, known := o[key]; !known {
		o[key] = job.Job{ID: im.ID, Kind: job.Import}
	}
	return o[key], nil
}

// webhooks is the real receiver on the world's ports.
func (w *world) webhooks() api.Webhooks {
	ids := 0
	newID := func() string { ids++; return fmt.Sprintf("job-%d", ids) }
	return webhook.New(webhook.Ports{
		Secrets: w.secrets, Intake: w.store.Intake, Catalogue: w.store.ledger, Imports: batch.New(nil, opener{}, &batch.Options{NewID: newID}), Witness: w.store.ledger, Draft: api.ReadDraft,
		Afford: func(ctx context.Context, s tenants.Scope, c *tenants.Config, bytes int) error {
			return api.Afford(ctx, w.gate, s, c.Models.Embedding, bytes)
		},
	}, &webhook.Options{
		Now:   func() time.Time { return w.opts.Now() },
		NewID: newID,
	})
}

// signature is the headers of a delivery that is signed now.
func (w *world) signature(tenant tenants.ID, secret, body string) []string {
	w.t.Helper()
	require.Contains(w.t, w.vault.Secrets[tenant], secret)
	key, err := tenants.ParseSecret(w.vault.Secrets[tenant][secret])
	require.NoError(w.t, err)
	at := strconv.FormatInt(w.opts.Now().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("msg." + at + "." + body))
	return []string{"webhook-id", "msg", "webhook-timestamp", at, "webhook-signature", "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

const cloudEvent = `{"specversion":"1.0","id":"1","source":"/cms","type":"com.example.written","data":{"text":"Hello."}}`

// delivered sends a signed event of a tenant.
func (w *world) delivered(tenant, source, secret string, headers ...string) *http.Response {
	w.t.Helper()
	headers = append(append(w.signature(tenants.ID(tenant), secret, cloudEvent), "content-type", "application/cloudevents+json", "x-tenant-id", tenant), headers...)
	return w.do("", "POST", "/ingest/webhooks/"+source, cloudEvent, headers...).Result()
}

func TestAnothersSourceIsNotThere(t *testing.T) {
	w := newWorld(t)
	const id, parent = "0f8fad5b-d9cb-469f-a165-70867728950e", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	headers := append(w.signature("acme", "news-1", cloudEvent), "x-tenant-id", "globex", "content-type", "application/cloudevents+json",
		"x-request-id", id, "traceparent", parent)
	theirs := w.do("", "POST", "/ingest/webhooks/news", cloudEvent, headers...)
	nothing := w.do("", "POST", "/ingest/webhooks/none", cloudEvent, headers...)
	assert.Equal(t, 404, theirs.Code)
	assert.Equal(t, "source_not_found", failed(t, theirs).Code)
	assert.Equal(t, nothing.Body.String(), theirs.Body.String())
	files := w.do("", "POST", "/ingest/webhooks/files", cloudEvent, append(headers, "x-tenant-id", "acme")...)
	assert.Equal(t, "source_not_found", failed(t, files).Code, "a source without a webhook")

	crossed := w.do("", "POST", "/ingest/webhooks/cms", cloudEvent, append(w.signature("acme", "cms-1", cloudEvent),
		"x-tenant-id", "globex", "content-type", "application/cloudevents+json")...)
	assert.Equal(t, 401, crossed.Code, "acme's secret, for globex's source of the same id")
	assert.Equal(t, "signature_invalid", failed(t, crossed).Code)
	assert.NotContains(t, crossed.Header().Get("WWW-Authenticate"), "Bearer")
	key := w.do("globex", "POST", "/ingest/webhooks/cms", cloudEvent, "content-type", "application/cloudevents+json")
	assert.Equal(t, "webhook_header_required", failed(t, key).Code, "a key is no signature")
	assert.NotContains(t, w.log.String(), "whsec", "no secret")
	assert.Zero(t, w.store.texts.Len(w.scope("globex")))
}

func TestSignaturesAndWhatComesBefore(t *testing.T) {
	w := newWorld(t)
	post := func(body string, headers ...string) failure {
		rec := w.do("", "POST", "/ingest/webhooks/cms", body, append(headers, "host", "acme.localhost", "content-type", "application/cloudevents+json")...)
		return failed(t, rec)
	}
	good := w.signature("acme", "cms-1", cloudEvent)
	for i, header := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		missing := append(append([]string{}, good[:2*i]...), good[2*i+2:]...)
		f := post(cloudEvent, missing...)
		assert.Equal(t, "webhook_header_required", f.Code)
		assert.Equal(t, header, f.Details.Field)
	}
	assert.Equal(t, "signature_invalid", post(cloudEvent+" ", good...).Code)
	w.opts.Now = func() time.Time { return time.Date(2026, 11, 22, 4, 6, 0, 0, time.UTC) }
	assert.Equal(t, "webhook_stale", post(strings.Repeat("x", 3000), good...).Code, "before the body is read")

	big := strings.Repeat("x", 2001)
	f := post(big, w.signature("acme", "cms-1", big)...)
	assert.Equal(t, "body_too_large", f.Code)
	assert.Equal(t, int64(2000), f.Details.Limit)
	assert.Equal(t, "unsupported_encoding", post(cloudEvent, append(w.signature("acme", "cms-1", cloudEvent), "content-encoding", "gzip")...).Code)
}

func TestDeliveriesAreLimited(t *testing.T) {
	w := newWorld(t)
	w.gate.Refuse = func(tenants.Scope, quota.Ask) error {
		return fault.New(fault.Limited, "rate_limited", "too many", nil).WithRetryAfter(time.Second)
	}
	assert.Equal(t, 429, w.delivered("acme", "cms", "cms-1").StatusCode)
	assert.Zero(t, w.store.texts.Len(w.scope("acme")), "nothing was taken")
	w.gate.Refuse = nil
	res := w.delivered("acme", "cms", "cms-1")
	assert.Equal(t, 202, res.StatusCode)
	assert.NotEmpty(t, res.Header.Get("X-RateLimit-Remaining"))
	assert.Equal(t, []string{"source/cms\n192.0.2.1"}, w.permits("acme"))
}

// TestStrangersTakeNothingOfTheRates, neither of the tenant's nor of those of a source that shares their address.
func TestStrangersTakeNothingOfTheRates(t *testing.T) {
	w := newWorld(t)
	clock := w.opts.Now()
	w.Handler = nil
	w.opts.Now = func() time.Time { return clock }
	w.Handler = api.New(w.deps, &w.opts)
	send := func(tenant, remote, body string, unannounced bool, headers ...string) *httptest.ResponseRecorder {
		r := w.request("", "POST", "/ingest/webhooks/cms", body)
		headers = append(headers, "x-tenant-id", tenant, "content-type", "application/cloudevents+json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		if r.RemoteAddr = remote; unannounced { // which may be of any size
			r.ContentLength = -1
		}
		return w.send(r)
	}
	const here, there = "203.0.113.7", "203.0.113.8"
	forged := w.signature("acme", "cms-1", "something else")
	for range 100 {
		assert.Equal(t, 401, send("acme", here, cloudEvent, false, forged...).Code, "a small one is looked at, which costs no more than any refusal")
		assert.Equal(t, 400, send("acme", here, cloudEvent, false).Code)
		assert.Equal(t, 404, w.do("", "POST", "/ingest/webhooks/none", cloudEvent, "host", "acme.localhost").Code)
		assert.Equal(t, 200, w.do("", "OPTIONS", "/ingest/webhooks/cms", "", "host", "acme.localhost", "WebHook-Request-Origin", "a.example.com").Code)
	}
	assert.Empty(t, w.permits("acme"))
	refused := send("acme", here, cloudEvent, true, forged...)
	assert.Equal(t, 429, refused.Code, "what may be large is not read")
	assert.Equal(t, "3", refused.Header().Get("Retry-After"))
	assert.Equal(t, "rate_limited", failed(t, refused).Code)

	good, theirs := w.signature("acme", "cms-1", cloudEvent), w.signature("globex", "cms-1", cloudEvent)
	assert.Equal(t, 202, send("acme", here, cloudEvent, false, good...).Code, "the source, from the same address")
	assert.Equal(t, 429, send("acme", here, cloudEvent, true, good...).Code)
	assert.Equal(t, 202, send("acme", there, cloudEvent, true, good...).Code, "from another")
	assert.Equal(t, 202, send("globex", here, cloudEvent, true, theirs...).Code, "another tenant's, from the same")
	assert.Len(t, w.permits("acme"), 2)
	assert.Len(t, w.permits("globex"), 1)

	clock = clock.Add(3 * time.Second)
	assert.Equal(t, 401, send("acme", here, cloudEvent, true, forged...).Code, "one is forgotten")
	assert.Equal(t, 429, send("acme", here, cloudEvent, true, good...).Code)
	clock = clock.Add(time.Minute)
	assert.Equal(t, 202, send("acme", here, cloudEvent, true, good...).Code)
}

func TestHandshake(t *testing.T) {
	w := newWorld(t)
	greet := func(source, origin string, more ...string) *http.Response {
		return w.do("", "OPTIONS", "/ingest/webhooks/"+source, "", append(more, "host", "acme.localhost", "WebHook-Request-Origin", origin)...).Result()
	}
	for name, c := range map[string]struct {
		source, origin, rate string
		status               int
		allowed, grants      string
	}{
		"any origin":           {"cms", "eventemitter.example.com", "", 200, "eventemitter.example.com", "60"},
		"less than there is":   {"cms", "eventemitter.example.com", "7", 200, "eventemitter.example.com", "7"},
		"more than there is":   {"cms", "eventemitter.example.com", "12000", 200, "eventemitter.example.com", "60"},
		"with a scheme":        {"news", "https://Events.example.com", "", 200, "https://Events.example.com", "60"},
		"the source's":         {"news", "events.example.com", "", 200, "events.example.com", "60"},
		"another's":            {"news", "evil.example.com", "", 403, "", ""},
		"no host":              {"cms", "a b", "", 400, "", ""},
		"a rate of none":       {"cms", "a.example.com", "0", 400, "", ""},
		"a rate that is no":    {"cms", "a.example.com", "many", 400, "", ""},
		"no such source":       {"none", "a.example.com", "", 404, "", ""},
		"no webhook":           {"files", "a.example.com", "", 404, "", ""},
		"with a callback also": {"cms", "a.example.com", "", 200, "a.example.com", "60"},
	} {
		more := []string{"WebHook-Request-Callback", "https://a.example.com/confirm?key=1"}
		if c.rate != "" {
			more = append(more, "WebHook-Request-Rate", c.rate)
		}
		res := greet(c.source, c.origin, more...)
		assert.Equal(t, c.status, res.StatusCode, name)
		assert.Equal(t, c.allowed, res.Header.Get("WebHook-Allowed-Origin"), name)
		assert.Equal(t, c.grants, res.Header.Get("WebHook-Allowed-Rate"), name)
		if c.status == 200 {
			assert.Equal(t, "POST", res.Header.Get("Allow"), name)
		}
	}
	res := w.do("", "OPTIONS", "/ingest/webhooks/cms", "", "host", "acme.localhost", "origin", "https://app.acme.example",
		"access-control-request-method", "POST").Result()
	assert.Equal(t, 204, res.StatusCode, "a browser's")
	assert.Equal(t, "https://app.acme.example", res.Header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, res.Header.Get("Access-Control-Allow-Methods"), "POST")
	assert.Empty(t, res.Header.Get("WebHook-Allowed-Origin"))
	res = w.do("", "OPTIONS", "/ingest/webhooks/cms", "", "host", "acme.localhost").Result()
	assert.Equal(t, 204, res.StatusCode)
	assert.Contains(t, res.Header.Get("Allow"), "POST")
	assert.Equal(t, 405, w.do("", "GET", "/ingest/webhooks/cms", "", "host", "acme.localhost").Code)
}

func TestADeliveryOfEachTenant(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		assert.Equal(t, 202, w.delivered("acme", "cms", "cms-2").StatusCode)
		assert.Equal(t, 202, w.delivered("globex", "cms", "cms-1").StatusCode)
	}
	for _, tenant := range []string{"acme", "globex"} {
		docs, err := w.store.ledger.Documents(t.Context(), w.scope(tenant), []string{"1"})
		require.NoError(t, err)
		require.Len(t, docs, 1)
		assert.Equal(t, 1, docs[0].Generation)
		assert.Equal(t, "cms", docs[0].Source)
	}
}
