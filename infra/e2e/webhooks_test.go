package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

const batchOfEvents = "application/cloudevents-batch+json"

// sender is a system that calls a source's webhook. It has no key.
type sender struct {
	user
	secret string
}

func senderOf(t *testing.T, tenant tenants.ID, secret string) sender {
	t.Helper()
	require.Contains(t, platform.Vault.Secrets[tenant], secret)
	return sender{user{t, platform.URL, string(tenant), ""}, platform.Vault.Secrets[tenant][secret]}
}

// deliver signs a body as it was at a time and sends it.
func (s sender) deliver(source, id string, at time.Time, contentType, body string, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, "/ingest/webhooks/"+source, body, append(s.signed(id, at, contentType, body), headers...)...)
}

// signed are the headers of a delivery.
func (s sender) signed(id string, at time.Time, contentType, body string) []string {
	s.t.Helper()
	key, err := tenants.ParseSecret(s.secret)
	require.NoError(s.t, err)
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return []string{"x-tenant-id", s.tenant, "content-type", contentType, "webhook-id", id, "webhook-timestamp", timestamp,
		"webhook-signature", "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

// written is an event about a document.
func written(id, source, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"com.example.page.written","subject":%q,"data":%s}`, id, source, "hook/"+id, data)
}

// A signed batch of three, of which one is wrong: two become searchable, one is named. Delivered again, nothing begins.
func TestASignedBatch(t *testing.T) {
	source := "/" + t.Name()
	body := "[" + written("heron", source, `{"text":"The grey heron stands still in shallow water.","title":"Heron"}`) + "," +
		`{"specversion":"1.0","source":"/x","type":"com.example.page.written"},` +
		written("kingfisher", source, `"The kingfisher dives for small fish."`) + "]"
	s, reader := senderOf(t, "acme", "cms-1"), as(t, "acme")
	first := s.deliver("cms", "msg-1", time.Now(), batchOfEvents, body)
	require.Equal(t, http.StatusAccepted, first.Status, "%s", first.Body)
	var done corpus.Delivered
	first.into(t, &done)
	require.Len(t, done.Accepted, 2)
	require.Len(t, done.Refused, 1)
	assert.Equal(t, corpus.RefusedEvent{Index: 1, Code: "event_invalid", Message: "is required", Field: "id"}, done.Refused[0])
	for _, a := range done.Accepted {
		assert.Equal(t, "succeeded", reader.finished(a.JobID).State)
	}
	assert.Equal(t, "hook/heron", reader.search("The grey heron stands still in shallow water.", nil).Sources[0].DocID)

	for i, id := range []string{"msg-1", "msg-2"} { // the same delivery again, and the same events in another
		var again corpus.Delivered
		s.deliver("cms", id, time.Now(), batchOfEvents, body).into(t, &again)
		require.Len(t, again.Accepted, 2)
		for j, a := range again.Accepted {
			assert.True(t, a.Duplicate, i)
			assert.Equal(t, done.Accepted[j].JobID, a.JobID)
		}
	}
	assert.Equal(t, 1, reader.document("hook/heron").Generation)

	gone := strings.Replace(written("gone", source, `null`), "com.example.page.written", "com.example.page.deleted", 1)
	gone = strings.Replace(gone, "hook/gone", "hook/heron", 1)
	deleted := s.deliver("cms", "msg-3", time.Now(), "application/cloudevents+json", gone)
	require.Equal(t, http.StatusAccepted, deleted.Status, "%s", deleted.Body)
	for _, src := range reader.search("The grey heron stands still in shallow water.", nil).Sources {
		assert.NotEqual(t, "hook/heron", src.DocID, "deleted")
	}
}

// The binary mode, with what workerd does to headers on the way.
func TestABinaryEvent(t *testing.T) {
	s := senderOf(t, "globex", "cms-1")
	event := []string{"ce-specversion", "1.0", "ce-id", "b-1", "ce-source", "/" + t.Name(), "ce-type", "com.example.written", "ce-subject", "hook/Caf%C3%A9"}
	a := s.deliver("cms", "msg-1", time.Now(), "text/plain; charset=utf-8", "Grüße from a binary event.", event...)
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	var done corpus.Delivered
	a.into(t, &done)
	require.Len(t, done.Accepted, 1)
	reader := as(t, "globex")
	assert.Equal(t, "succeeded", reader.finished(done.Accepted[0].JobID).State)
	assert.Equal(t, done.Accepted[0].DocID, reader.search("Grüße from a binary event.", nil).Sources[0].DocID)

	forged := append([]string{}, event...)
	forged[7] = "com.example.page.deleted" // the headers are not signed
	a = s.deliver("cms", "msg-1", time.Now(), "text/plain; charset=utf-8", "Grüße from a binary event.", forged...)
	assert.Equal(t, http.StatusConflict, a.Status)
	assert.Equal(t, "delivery_changed", a.Error.Code)

	for name, headers := range map[string][]string{
		"no id":             {"ce-specversion", "1.0", "ce-source", "/s", "ce-type", "t"},
		"an old version":    {"ce-specversion", "0.3", "ce-id", "1", "ce-source", "/s", "ce-type", "t"},
		"broken encoding":   {"ce-specversion", "1.0", "ce-id", "%C0%A0", "ce-source", "/s", "ce-type", "t"},
		"a name with a dot": {"ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t", "ce-a.b", "x"},
	} {
		a := s.deliver("cms", "msg-2", time.Now(), "text/plain", "x", headers...)
		assert.Equal(t, http.StatusBadRequest, a.Status, name)
		assert.Equal(t, "event_invalid", a.Error.Code, name)
	}
}

func TestWhoMayDeliver(t *testing.T) {
	body := written("nobody", "/"+t.Name(), `{"text":"Nobody may say this."}`)
	acme, globex := senderOf(t, "acme", "cms-1"), senderOf(t, "globex", "cms-1")
	deliver := func(s sender, source string, at time.Time, headers ...string) answer {
		return s.deliver(source, "msg-1", at, "application/cloudevents+json", body, headers...)
	}
	for name, c := range map[string]struct {
		got    answer
		status int
		code   string
	}{
		"acme's secret at globex's source of the same id": {deliver(acme, "cms", time.Now(), "x-tenant-id", "globex"), 401, "signature_invalid"},
		"acme's secret of another source":                 {deliver(acme, "helpdesk", time.Now()), 401, "signature_invalid"},
		"globex has no helpdesk":                          {deliver(globex, "helpdesk", time.Now()), 404, "source_not_found"},
		"nobody has this":                                 {deliver(globex, "nothing", time.Now()), 404, "source_not_found"},
		"ten minutes ago":                                 {deliver(acme, "cms", time.Now().Add(-10*time.Minute)), 400, "webhook_stale"},
		"in ten minutes":                                  {deliver(acme, "cms", time.Now().Add(10*time.Minute)), 400, "webhook_stale"},
		"a key is no signature": {as(t, "acme").do(http.MethodPost, "/ingest/webhooks/cms", body, "content-type", "application/cloudevents+json"),
			400, "webhook_header_required"},
	} {
		assert.Equal(t, c.status, c.got.Status, name)
		assert.Equal(t, c.code, c.got.Error.Code, name)
	}
	old := senderOf(t, "acme", "helpdesk-1")
	article := `{"specversion":"1.0","id":"h-1","source":"/` + t.Name() + `","type":"com.example.article.written",` +
		`"data":{"article":{"key":"A-7","title":"Seven","body":"How to reset the seventh widget.","year":2026}}}`
	for _, s := range []sender{old, senderOf(t, "acme", "helpdesk-2")} {
		a := s.deliver("helpdesk", "msg-1", time.Now(), "application/cloudevents+json", article)
		require.Equal(t, http.StatusAccepted, a.Status, "both secrets of a rotation verify: %s", a.Body)
	}
	assert.Equal(t, 1, as(t, "acme").document("A-7").Generation)

	greeted := as(t, "acme").do(http.MethodOptions, "/ingest/webhooks/helpdesk", nil, "x-tenant-id", "acme",
		"webhook-request-origin", "events.helpdesk.example.com", "webhook-request-rate", "120")
	assert.Equal(t, http.StatusOK, greeted.Status)
	assert.Equal(t, "events.helpdesk.example.com", greeted.Header.Get("WebHook-Allowed-Origin"))
	assert.Equal(t, "120", greeted.Header.Get("WebHook-Allowed-Rate"))
	stranger := as(t, "acme").do(http.MethodOptions, "/ingest/webhooks/helpdesk", nil, "x-tenant-id", "acme", "webhook-request-origin", "evil.example.com")
	assert.Equal(t, "webhook_origin_denied", stranger.Error.Code)
}
