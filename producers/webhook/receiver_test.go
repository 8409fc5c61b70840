package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/batch"
	"levada.dev/producers/intake"
	"levada.dev/producers/webhook"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// door is a receiver for acme and globex, which both have a source cms, on the real intake and ledgers in memory.
type door struct {
	t       *testing.T
	configs map[tenants.ID]*tenants.Config
	vault   *tenants.Vault
	ledger  *memory.Ledger
	texts   *memory.Texts
	desk    *desk
	budget  int // bytes; 0 for any
	*webhook.Receiver
}

// afford refuses what the budget has no room for.
func (d *door) afford(_ context.Context, _ tenants.Scope, _ *tenants.Config, bytes int) error {
	if d.budget > 0 && bytes > d.budget {
		return fault.New(fault.Limited, "budget_exhausted", "no", nil)
	}
	return nil
}

// desk deletes and imports, as it is told, and remembers what for.
type desk struct {
	deleted []corpus.Deletion
	opened  map[string]imports.Import // by idempotency key
	none    bool                      // there are no documents
	err     error
}

func (d *desk) Delete(_ context.Context, _ tenants.Scope, del corpus.Deletion) (corpus.Receipt, error) {
	if d.err != nil {
		return corpus.Receipt{}, d.err
	}
	if d.none {
		return corpus.Receipt{DocID: del.DocID}, nil
	}
	d.deleted = append(d.deleted, del)
	return corpus.Receipt{DocID: del.DocID, JobID: del.JobID, Generation: 1}, nil
}

func (d *desk) OpenImport(_ context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	if d.err != nil {
		return job.Job{}, d.err
	}
	key := string(s.Tenant()) + im.Cause.IdempotencyKey
	if _, ok := d.opened[key]; !ok {
		d.opened[key] = im
	}
	return job.Job{ID: d.opened[key].ID}, nil
}

func newDoor(t *testing.T) *door {
	t.Helper()
	source := func(id string, secrets ...string) tenants.Source {
		return tenants.Source{ID: id, Webhook: &tenants.Webhook{Secrets: secrets, Deletes: []string{"com.example.deleted", "com.example.gone.*"}}}
	}
	mapped := source("helpdesk", "helpdesk-1")
	mapped.Webhook.Fields = &tenants.Fields{DocID: "/article/key", Text: "/article/body", Title: "/article/title", URL: "/link",
		ContentType: "/format", Metadata: map[string]string{"year": "/article/year", "tags": "/tags", "first": "/tags/0"}}
	acme := tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Sources = []tenants.Source{source("cms", "cms-1", "cms-2"), mapped}
		c.Limits.DocumentBytes = 1000
		c.Search.Filterable = map[string]tenants.FieldType{"year": tenants.FieldNumber}
		c.Ingest.Weight = 7
	})
	globex := tenantstest.Config(t, "globex", func(c *tenants.Config) { c.Sources = []tenants.Source{source("cms", "cms-1")} })
	d := &door{t: t, configs: map[tenants.ID]*tenants.Config{"acme": &acme, "globex": &globex}, desk: &desk{opened: map[string]imports.Import{}}}
	clock := func() time.Time { return now }
	d.ledger, d.texts = memory.NewLedger(clock), &memory.Texts{}
	d.vault = tenantstest.Vault(t, acme, globex)
	n := 0
	newID := func() string { n++; return fmt.Sprintf("id-%04d", n) }
	d.Receiver = webhook.New(webhook.Ports{
		Secrets: tenantstest.Secrets(t, d.vault, acme, globex),
		Intake:  intake.New(d.texts, d.ledger, nil), Catalogue: d.desk, Witness: d.ledger, Imports: batch.New(nil, d.desk, nil), Draft: api.ReadDraft,
		Afford: d.afford,
	}, &webhook.Options{Now: clock, NewID: newID})
	return d
}

func (d *door) scope(tenant string) tenants.Scope { return tenantstest.Scope(d.t, tenant) }

// signed is a delivery with the named secret of a tenant. Headers are pairs.
func (d *door) signed(tenant tenants.ID, secret, body string, headers ...string) corpus.Delivery {
	d.t.Helper()
	source, _, _ := strings.Cut(secret, "-")
	src, ok := d.configs[tenant].Source(source)
	require.True(d.t, ok)
	h := http.Header{"Webhook-Id": {"msg"}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}}
	key, err := tenants.ParseSecret(d.vault.Secrets[tenant][secret])
	require.NoError(d.t, err)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "msg.%d.%s", now.Unix(), body)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return corpus.Delivery{Source: src, Header: h, Body: []byte(body), Cause: events.Cause{ID: "request"}}
}

const (
	structured = "application/cloudevents+json"
	batched    = "application/cloudevents-batch+json; charset=UTF-8"
)

// send delivers to acme's source cms.
func (d *door) send(contentType, body string) (corpus.Delivered, error) {
	return d.Receive(d.t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1", body, "Content-Type", contentType))
}

func (d *door) document(tenant, id string) corpus.Document {
	d.t.Helper()
	docs, err := d.ledger.Documents(d.t.Context(), d.scope(tenant), []string{id})
	require.NoError(d.t, err)
	require.Len(d.t, docs, 1, id)
	return docs[0]
}

func (d *door) text(tenant, id string) string {
	d.t.Helper()
	b, err := d.texts.Get(d.t.Context(), d.scope(tenant), d.document(tenant, id).TextKey)
	require.NoError(d.t, err)
	return string(b)
}

// event is a CloudEvent of the id with more members.
func event(id, members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"specversion":"1.0","id":"` + id + `","source":"/cms","type":"com.example.written"` + members + `}`
}

func TestOneEvent(t *testing.T) {
	d := newDoor(t)
	body := event("e1", `"subject":"guides/one.md","data":{"text":"# One","contentType":"text/markdown","title":"One","metadata":{"year":2026}}`)
	done, err := d.send(structured, body)
	require.NoError(t, err)
	require.Len(t, done.Accepted, 1)
	first := done.Accepted[0]
	assert.Equal(t, corpus.AcceptedEvent{EventID: "e1", DocID: "guides/one.md", JobID: first.JobID}, first)
	assert.NotEmpty(t, first.JobID)
	doc := d.document("acme", "guides/one.md")
	assert.Equal(t, "One", doc.Title)
	assert.Equal(t, "cms", doc.Source, "of the source, when it does not say")
	assert.Equal(t, "text/markdown", doc.ContentType)
	assert.Equal(t, "# One", d.text("acme", "guides/one.md"))

	for range 2 {
		again, err := d.send(structured, strings.Replace(body, "# One", "# Two", 1))
		require.NoError(t, err)
		assert.Equal(t, []corpus.AcceptedEvent{{EventID: "e1", DocID: first.DocID, JobID: first.JobID, Duplicate: true}}, again.Accepted)
	}
	assert.Equal(t, 1, d.document("acme", "guides/one.md").Generation, "the same source and id are the same event")
	other := strings.Replace(body, "e1", "e2", 1)
	done, err = d.send(structured, other)
	require.NoError(t, err)
	assert.False(t, done.Accepted[0].Duplicate)
	assert.Equal(t, 2, d.document("acme", "guides/one.md").Generation)
	done, err = d.send(structured, strings.Replace(body, "/cms", "/blog", 1))
	require.NoError(t, err)
	assert.False(t, done.Accepted[0].Duplicate, "another source's e1")
}

func TestTheSameEventOfTwoTenants(t *testing.T) {
	d := newDoor(t)
	body := event("e1", `"data":{"text":"Hello."}`)
	_, err := d.send(structured, body)
	require.NoError(t, err)
	done, err := d.Receive(t.Context(), d.scope("globex"), d.configs["globex"], d.signed("globex", "cms-1", body, "Content-Type", structured))
	require.NoError(t, err)
	assert.False(t, done.Accepted[0].Duplicate)
	assert.Equal(t, 1, d.document("globex", "e1").Generation)
}

func TestOnlyTheSourceSigns(t *testing.T) {
	d := newDoor(t)
	body := event("e1", `"data":{"text":"Hello."}`)
	receive := func(tenant tenants.ID, del corpus.Delivery) error {
		_, err := d.Receive(t.Context(), d.scope(string(tenant)), d.configs[tenant], del)
		return err
	}
	assert.NoError(t, receive("acme", d.signed("acme", "cms-1", body, "Content-Type", structured)))
	assert.NoError(t, receive("acme", d.signed("acme", "cms-2", body, "Content-Type", structured)), "both of a rotation")

	theirs := d.signed("acme", "cms-1", body, "Content-Type", structured)
	theirs.Source, _ = d.configs["globex"].Source("cms")
	assert.Equal(t, "signature_invalid", fault.As(receive("globex", theirs)).Code, "acme's secret of the same name, for a source of the same id")
	other := d.signed("acme", "cms-1", body, "Content-Type", structured)
	other.Source, _ = d.configs["acme"].Source("helpdesk")
	assert.Equal(t, "signature_invalid", fault.As(receive("acme", other)).Code, "another source's")
	changed := d.signed("acme", "cms-1", body, "Content-Type", structured)
	changed.Body = []byte(strings.Replace(body, "Hello", "Hallo", 1))
	assert.Equal(t, "signature_invalid", fault.As(receive("acme", changed)).Code)
	unsigned := d.signed("acme", "cms-1", body, "Content-Type", structured)
	unsigned.Header = http.Header{"Content-Type": {structured}}
	assert.Equal(t, "webhook-id", fault.As(receive("acme", unsigned)).Field)
	stale := d.signed("acme", "cms-1", body, "Content-Type", structured)
	stale.Header["Webhook-Timestamp"] = []string{strconv.FormatInt(now.Add(-time.Hour).Unix(), 10)}
	assert.Equal(t, "webhook_stale", fault.As(receive("acme", stale)).Code)
	assert.Equal(t, "webhook_stale", fault.As(d.Inspect(stale.Header)).Code, "before the body is read")
	assert.NoError(t, d.Inspect(changed.Header))

	nonsense := d.signed("acme", "cms-1", "nonsense", "Content-Type", "text/nonsense")
	nonsense.Header["Webhook-Signature"] = []string{"v1,x"}
	assert.Equal(t, "signature_invalid", fault.As(receive("acme", nonsense)).Code, "nothing is parsed that is not signed")
	assert.ErrorIs(t, receiveAs(d, tenants.Scope{}, d.signed("acme", "cms-1", body)), tenants.ErrNoScope)
}

// TestTheSourceAloneIsAdmitted: who counts deliveries is asked about those that are signed, before anything of them is taken.
func TestTheSourceAloneIsAdmitted(t *testing.T) {
	d := newDoor(t)
	body := event("e1", `"data":{"text":"Hello."}`)
	asked := 0
	del := d.signed("acme", "cms-1", body, "Content-Type", structured)
	del.Admit = func() error {
		asked++
		return fault.New(fault.Limited, "rate_limited", "too many", nil)
	}
	forged := del
	forged.Body = []byte(body + " ")
	assert.Equal(t, "signature_invalid", fault.As(receiveAs(d, d.scope("acme"), forged)).Code)
	assert.Zero(t, asked)
	assert.Equal(t, "rate_limited", fault.As(receiveAs(d, d.scope("acme"), del)).Code)
	assert.Equal(t, 1, asked)
	docs, err := d.ledger.Documents(t.Context(), d.scope("acme"), []string{"e1"})
	require.NoError(t, err)
	assert.Empty(t, docs)
}

func receiveAs(d *door, s tenants.Scope, del corpus.Delivery) error {
	_, err := d.Receive(d.t.Context(), s, d.configs["acme"], del)
	return err
}

func TestABatchNamesWhatIsWrong(t *testing.T) {
	d := newDoor(t)
	body := "[" + strings.Join([]string{
		event("b0", `"data":{"text":"Zero."}`),
		event("", `"data":{"text":"One."}`),
		event("b2", `"data":{"text":"Two.","colour":"red"}`),
		event("b3", `"datacontenttype":"text/plain","data":"Three."`),
		event("b4", `"datacontenttype":"image/png","data_base64":"iVBORw=="`),
		event("b5", `"data":{"text":"`+strings.Repeat("x", 1001)+`"}`),
		`5`,
		event("b0", `"data":{"text":"Zero again."}`),
	}, ",") + "]"
	done, err := d.send(batched, body)
	require.NoError(t, err)
	assert.True(t, done.Batch)
	require.Len(t, done.Accepted, 3)
	assert.Equal(t, []int{0, 3, 7}, []int{done.Accepted[0].Index, done.Accepted[1].Index, done.Accepted[2].Index})
	assert.True(t, done.Accepted[2].Duplicate, "the same event in one batch")
	assert.Equal(t, done.Accepted[0].JobID, done.Accepted[2].JobID)
	var refused []string
	for _, r := range done.Refused {
		refused = append(refused, fmt.Sprintf("%d %s %s %s", r.Index, r.EventID, r.Code, r.Field))
	}
	assert.Equal(t, []string{"1  event_invalid id", "2 b2 unknown_field data.colour", "5 b5 document_too_large data.text", "6  event_invalid "}, refused)
	require.Len(t, done.Ignored, 1)
	assert.Equal(t, "content_type_unsupported", done.Ignored[0].Code)
	assert.Equal(t, "data", done.Ignored[0].Field)
	assert.Equal(t, "Zero.", d.text("acme", "b0"))
	assert.Equal(t, "Three.", d.text("acme", "b3"))

	again, err := d.send(batched, body)
	require.NoError(t, err)
	for i, a := range again.Accepted {
		assert.True(t, a.Duplicate)
		assert.Equal(t, done.Accepted[i].JobID, a.JobID)
	}
	assert.Equal(t, done.Refused, again.Refused)

	empty, err := d.send(batched, "[]")
	require.NoError(t, err)
	assert.Empty(t, empty.Accepted)
	for text, code := range map[string]string{
		"{}": "event_invalid", "[": "event_invalid",
		"[" + strings.TrimSuffix(strings.Repeat("1,", 1001), ",") + "]": "batch_too_large",
	} {
		_, err := d.send(batched, text)
		require.Error(t, err)
		assert.Equal(t, code, fault.As(err).Code)
	}
}

func TestALargeBatchGoesInSeveralCalls(t *testing.T) {
	d := newDoor(t)
	var list []string
	for i := range 1000 {
		list = append(list, event(fmt.Sprintf("n%d", i), `"data":{"text":"`+strings.Repeat("x", 900)+`"}`))
	}
	done, err := d.send(batched, "["+strings.Join(list, ",")+"]")
	require.NoError(t, err)
	assert.Len(t, done.Accepted, 1000)
	for i, a := range done.Accepted {
		require.Equal(t, i, a.Index)
		require.Equal(t, fmt.Sprintf("n%d", i), a.DocID)
	}
}

func TestWhatTheDataMeans(t *testing.T) {
	long := strings.Repeat("ä", 300)
	for name, c := range map[string]struct {
		members           string
		docID, kind, text string // of the document; no id: as the event's
		ignored, code     string
		field             string
	}{
		"POST /ingest's":            {`"data":{"docId":"d","text":"T","source":"wiki"}`, "d", "text/plain", "T", "", "", ""},
		"base64":                    {`"data":{"base64":"VA==","contentType":"text/html"}`, "", "text/html", "T", "", "", ""},
		"no type is JSON":           {`"data":{"a":1}`, "", "application/json", `{"a":1}`, "", "", ""},
		"other JSON":                {`"datacontenttype":"application/vnd.x+json","data":[1,2]`, "", "application/json", `[1,2]`, "", "", ""},
		"a number":                  {`"data":1.5`, "", "application/json", `1.5`, "", "", ""},
		"a string":                  {`"data":"I'm just a string"`, "", "text/plain", "I'm just a string", "", "", ""},
		"plain":                     {`"datacontenttype":"text/plain","data":"T"`, "", "text/plain", "T", "", "", ""},
		"charset of a string":       {`"datacontenttype":"text/plain; charset=iso-8859-1","data":"ä"`, "", "text/plain", "ä", "", "", ""},
		"Markdown":                  {`"datacontenttype":"text/markdown","data":"# T"`, "", "text/markdown", "# T", "", "", ""},
		"HTML":                      {`"datacontenttype":"text/html; charset=utf-8","data":"<p>T"`, "", "text/html", "<p>T", "", "", ""},
		"XML":                       {`"datacontenttype":"application/xml","data":"<a/>"`, "", "application/xml", "<a/>", "", "", ""},
		"XML of something":          {`"datacontenttype":"application/rss+xml","data":"<a/>"`, "", "application/xml", "<a/>", "", "", ""},
		"unknown text":              {`"datacontenttype":"text/vnd.unheard","data":"T"`, "", "text/plain", "T", "", "", ""},
		"text in base64":            {`"datacontenttype":"text/plain","data_base64":"VA=="`, "", "text/plain", "T", "", "", ""},
		"JSON in base64":            {`"datacontenttype":"application/json","data_base64":"eyJ0ZXh0IjoiVCJ9"`, "", "text/plain", "T", "", "", ""},
		"base64 of no type":         {`"data_base64":"VA=="`, "", "text/plain", "T", "", "", ""},
		"base64 of no type, JSON":   {`"data_base64":"eyJhIjoxfQ=="`, "", "application/json", `{"a":1}`, "", "", ""},
		"by subject":                {`"subject":"s/1","data":"T"`, "s/1", "text/plain", "T", "", "", ""},
		"subject that is no id":     {`"subject":"/s 1","data":"T"`, "s-1~vHmwK5DFbFQZHxAE", "text/plain", "T", "", "", ""},
		"long subject":              {`"subject":"` + long + `","data":"T"`, "x~FylWeQsURZKd188D", "text/plain", "T", "", "", ""},
		"bytes of no type":          {`"data_base64":"AAEC/w=="`, "", "application/octet-stream", "\x00\x01\x02\xff", "", "", ""},
		"a picture":                 {`"datacontenttype":"image/png","data_base64":"AAEC/w=="`, "", "", "", "content_type_unsupported", "", "data"},
		"no data":                   {``, "", "", "", "document_empty", "", "data"},
		"empty data":                {`"data":""`, "", "", "", "document_empty", "", "data"},
		"empty text":                {`"datacontenttype":"text/plain","data":" "`, "", "", "", "document_empty", "", "data"},
		"null":                      {`"data":null`, "", "", "", "document_empty", "", "data"},
		"no JSON":                   {`"datacontenttype":"application/json","data_base64":"ew=="`, "", "", "", "", "invalid_json", "data"},
		"no UTF-8":                  {`"datacontenttype":"text/plain; charset=iso-8859-1","data_base64":"/w=="`, "", "text/plain; charset=iso-8859-1", "\xff", "", "", ""},
		"text of a wrong type":      {`"data":{"text":5}`, "", "", "", "", "invalid_type", "data.text"},
		"empty text of POST/ingest": {`"data":{"text":""}`, "", "", "", "", "document_empty", "data.text"},
		"bad docId":                 {`"data":{"text":"T","docId":"/a"}`, "", "", "", "", "doc_id_invalid", "data.docId"},
		"bad metadata":              {`"data":{"text":"T","metadata":{"year":"2026"}}`, "", "", "", "", "metadata_type", "data.metadata.year"},
		"unknown field":             {`"data":{"text":"T","x":1}`, "", "", "", "", "unknown_field", "data.x"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			done, err := d.send(structured, event("e1", c.members))
			switch {
			case c.code != "":
				require.Error(t, err)
				assert.Equal(t, c.code, fault.As(err).Code)
				assert.Equal(t, c.field, fault.As(err).Field)
			case c.ignored != "":
				require.NoError(t, err)
				require.Len(t, done.Ignored, 1)
				assert.Empty(t, done.Accepted)
				assert.Equal(t, c.ignored, done.Ignored[0].Code)
				assert.Equal(t, c.field, done.Ignored[0].Field)
			default:
				require.NoError(t, err)
				require.Len(t, done.Accepted, 1)
				id := c.docID
				if id == "" {
					id = "e1"
				}
				assert.Equal(t, id, done.Accepted[0].DocID)
				assert.Equal(t, c.kind, d.document("acme", id).ContentType)
				assert.Equal(t, c.text, d.text("acme", id))
			}
		})
	}
}

func TestFieldsAreFoundByPointers(t *testing.T) {
	send := func(d *door, members string) (corpus.Delivered, error) {
		return d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "helpdesk-1", event("e1", members), "Content-Type", structured))
	}
	d := newDoor(t)
	done, err := send(d, `"subject":"ignored","data":{"article":{"key":41,"body":"# Body","title":"Title","year":2026,"more":{}},"link":"https://h.example/41","format":"text/markdown","tags":["a","b"]}`)
	require.NoError(t, err)
	require.Len(t, done.Accepted, 1)
	doc := d.document("acme", "41")
	assert.Equal(t, "Title", doc.Title)
	assert.Equal(t, "https://h.example/41", doc.URL)
	assert.Equal(t, "helpdesk", doc.Source)
	assert.Equal(t, map[string]any{"year": 2026.0, "tags": []any{"a", "b"}, "first": "a"}, doc.Metadata)
	assert.Equal(t, "# Body", d.text("acme", "41"))

	done, err = send(newDoor(t), `"data":{"article":{"body":"B","key":"Key with spaces","title":null},"tags":null}`)
	require.NoError(t, err)
	assert.Equal(t, "Key-with-spaces~fVUJS=Q-H4v3N0b8", done.Accepted[0].DocID)
	done, err = send(newDoor(t), `"subject":"s","data":{"article":{"body":"B"}}`)
	require.NoError(t, err)
	assert.Equal(t, "s", done.Accepted[0].DocID)

	for members, want := range map[string][2]string{
		`"data":{"article":{}}`:                                     {"field_required", "data/article/body"},
		`"data":{"article":{"body":5}}`:                             {"invalid_type", "data/article/body"},
		`"data":{"article":{"body":"B","title":5}}`:                 {"invalid_type", "data/article/title"},
		`"data":{"article":{"body":"B","year":"x"}}`:                {"metadata_type", "data/article/year"},
		`"data":{"article":{"body":"B"},"link":"nowhere"}`:          {"invalid_value", "data/link"},
		`"data":{"article":{"body":"B"},"tags":{"a":1}}`:            {"metadata_value_invalid", "data.metadata.tags"},
		`"datacontenttype":"text/plain","data":"B"`:                 {"content_type_unsupported", "datacontenttype"},
		`"datacontenttype":"application/json","data_base64":"ew=="`: {"invalid_json", "data"},
		`"datacontenttype":"application/json","data_base64":"MSAx"`: {"invalid_json", "data"},
		`"data":{"article":["body"]}`:                               {"field_required", "data/article/body"},
	} {
		_, err := send(newDoor(t), members)
		require.Error(t, err, members)
		assert.Equal(t, want, [2]string{fault.As(err).Code, fault.As(err).Field}, members)
	}
}

// Written and deleted in one batch: what comes last is how it is.
func TestEventsAreTakenInOrder(t *testing.T) {
	d := newDoor(t)
	gone := func(id string) string {
		return strings.Replace(event(id, `"subject":"one"`), "com.example.written", "com.example.deleted", 1)
	}
	var seen []string
	d.ledger.After = func(op string) error { seen = append(seen, op); return nil }
	seenDeletes := func() int { return len(d.desk.deleted) }
	done, err := d.send(batched, "["+strings.Join([]string{
		event("1", `"subject":"one","data":"A"`), event("2", `"subject":"two","data":"B"`), gone("3"), event("4", `"subject":"one","data":"C"`),
	}, ",")+"]")
	require.NoError(t, err)
	assert.Len(t, done.Accepted, 4)
	assert.Equal(t, 1, seenDeletes())
	assert.Len(t, seen, 2, "what follows each other goes in one call: %v", seen)
}

// A delivery that failed, before its effect or after, is sent again, and then everything is there once.
func TestADeliveryThatFailedIsRepeated(t *testing.T) {
	body := "[" + event("1", `"data":"A"`) + "," + event("2", `"data":"B"`) + "," + strings.Replace(event("3", ""), "com.example.written", "com.example.deleted", 1) + "]"
	broken := fault.Unavailablef(errors.New("reset"), "object_unavailable", "no answer")
	for name, arm := range map[string]func(d *door, err error){
		"texts before":  func(d *door, err error) { d.texts.Before = func(string) error { return err } },
		"texts after":   func(d *door, err error) { d.texts.After = func(string) error { return err } },
		"ledger before": func(d *door, err error) { d.ledger.Before = func(string) error { return err } },
		"ledger after":  func(d *door, err error) { d.ledger.After = func(string) error { return err } },
		"deletion":      func(d *door, err error) { d.desk.err = err },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			arm(d, broken)
			_, err := d.send(batched, body)
			require.Error(t, err)
			assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
			arm(d, nil)
			done, err := d.send(batched, body)
			require.NoError(t, err)
			assert.Len(t, done.Accepted, 3)
			again, err := d.send(batched, body)
			require.NoError(t, err)
			assert.Equal(t, done.Accepted[0].JobID, again.Accepted[0].JobID)
			assert.LessOrEqual(t, d.texts.Len(d.scope("acme")), 2+2, "at most what the failed delivery stored")
			assert.Equal(t, 1, d.document("acme", "1").Generation)
			assert.Equal(t, 1, d.document("acme", "2").Generation)
		})
	}
}

func TestAFullBacklogIsTheWholeDeliverys(t *testing.T) {
	d := newDoor(t)
	d.desk.err = fault.New(fault.Limited, "backlog_full", "too much", nil).WithRetryAfter(30 * time.Second)
	_, err := d.send(batched, "["+event("1", `"data":"A"`)+","+strings.Replace(event("2", ""), "com.example.written", "com.example.deleted", 1)+"]")
	require.Error(t, err)
	assert.Equal(t, "backlog_full", fault.As(err).Code)
	assert.Equal(t, 30*time.Second, fault.As(err).RetryAfter)
}

func TestABudgetIsAskedBeforeAnythingIsTaken(t *testing.T) {
	d := newDoor(t)
	d.budget = 10
	_, err := d.send(structured, event("1", `"data":"A"`))
	assert.Equal(t, "budget_exhausted", fault.As(err).Code)
	assert.Zero(t, d.texts.Len(d.scope("acme")))
	del := d.signed("acme", "cms-2", event("1", `"data":"A"`))
	del.Header["Webhook-Signature"] = []string{"v1,x"}
	assert.Equal(t, "signature_invalid", fault.As(receiveAs(d, d.scope("acme"), del)).Code, "strangers learn nothing of it")
}

func TestModes(t *testing.T) {
	d := newDoor(t)
	binary := []string{"ce-specversion", "1.0", "ce-id", "b1", "ce-source", "/cms", "ce-type", "t", "Content-Type", "text/plain; charset=us-ascii"}
	send := func(body string, headers ...string) (corpus.Delivered, error) {
		return d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1", body, headers...))
	}
	done, err := send("Hello.", binary...)
	require.NoError(t, err)
	assert.Equal(t, "b1", done.Accepted[0].DocID)
	assert.False(t, done.Batch)
	_, err = send(event("s1", `"data":"T"`), "Content-Type", "Application/CloudEvents+JSON; Charset=UTF-8")
	require.NoError(t, err)
	for _, contentType := range []string{"application/cloudevents", "application/cloudevents+xml", "application/cloudevents-batch+avro", "application/json",
		"text/plain", "application/cloudevents+json; charset=utf-16", "application/cloudevents+json; charset", ""} {
		_, err = send(event("s2", ""), "Content-Type", contentType)
		require.Error(t, err, contentType)
		assert.Equal(t, "unsupported_media_type", fault.As(err).Code, contentType)
	}
	_, err = send(event("s2", ""))
	assert.Equal(t, "unsupported_media_type", fault.As(err).Code)
	_, err = send("x", "ce-id", "1")
	assert.Equal(t, "event_invalid", fault.As(err).Code, "an event without its attributes")
}

func TestAnEventsTraceGoesOn(t *testing.T) {
	d := newDoor(t)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ports := d.Ports
	caught := &catching{Intake: ports.Intake}
	ports.Intake = caught
	rc := webhook.New(ports, &webhook.Options{Now: func() time.Time { return now }})
	_, err := rc.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1",
		"["+event("1", `"traceparent":"`+parent+`","data":"A"`)+","+event("2", `"traceparent":"x","data":"B"`)+"]", "Content-Type", batched))
	require.NoError(t, err)
	require.Len(t, caught.drafts, 2)
	assert.Equal(t, parent, caught.drafts[0].Cause.TraceParent)
	assert.Empty(t, caught.drafts[1].Cause.TraceParent)
	assert.Equal(t, 7, caught.drafts[0].Pace.Weight)
	assert.True(t, caught.drafts[0].KeyAlone)
	assert.NotEqual(t, caught.drafts[0].Cause.IdempotencyKey, caught.drafts[1].Cause.IdempotencyKey)
}

type catching struct {
	webhook.Intake
	drafts []corpus.Draft
}

func (c *catching) SubmitAll(ctx context.Context, s tenants.Scope, drafts []corpus.Draft) ([]corpus.Outcome, error) {
	c.drafts = append(c.drafts, drafts...)
	return c.Intake.SubmitAll(ctx, s, drafts)
}
