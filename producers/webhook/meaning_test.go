package webhook_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/producers/webhook"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/imports"
)

func TestDeletionsAndImports(t *testing.T) {
	d := newDoor(t)
	del := strings.Replace(event("d1", `"subject":"guides/one.md"`), "com.example.written", "com.example.gone.for.good", 1)
	done, err := d.send(structured, del)
	require.NoError(t, err)
	require.Len(t, d.desk.deleted, 1)
	assert.Equal(t, "guides/one.md", d.desk.deleted[0].DocID)
	assert.Equal(t, d.desk.deleted[0].JobID, done.Accepted[0].JobID)
	assert.Contains(t, d.desk.deleted[0].Cause.IdempotencyKey, "webhook:cms:")

	byField := strings.Replace(event("d2", `"data":{"article":{"key":41}}`), "com.example.written", "com.example.deleted", 1)
	_, err = d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "helpdesk-1", byField, "Content-Type", structured))
	require.NoError(t, err)
	assert.Equal(t, "41", d.desk.deleted[1].DocID)

	d.desk.none = true
	done, err = d.send(structured, strings.Replace(del, "d1", "d3", 1))
	require.NoError(t, err)
	assert.Equal(t, []corpus.AcceptedEvent{{EventID: "d3", DocID: "guides/one.md"}}, done.Accepted, "it is as the source wants it")

	d.desk.none = false
	start := strings.Replace(event("i1", `"data":{"sitemap":"https://a.example.com/sitemap.xml"}`), "com.example.written", webhook.ImportRequested, 1)
	done, err = d.send(structured, start)
	require.NoError(t, err)
	require.Len(t, d.desk.opened, 1)
	again, err := d.send(structured, start)
	require.NoError(t, err)
	assert.Equal(t, done.Accepted[0].JobID, again.Accepted[0].JobID)
	assert.True(t, again.Accepted[0].Duplicate)
	for _, im := range d.desk.opened {
		assert.Equal(t, imports.Origin{Sitemap: "https://a.example.com/sitemap.xml", Rules: &address.Rules{}}, im.Origin)
		assert.Equal(t, "cms", im.Source)
	}
	for data, want := range map[string][2]string{
		`{}`:               {"field_required", "data.urls"},
		`5`:                {"invalid_type", "data"},
		`{"urls":["x"]}`:   {"batch_refused", "data"},
		`{"sitemap":"/s"}`: {"url_invalid", "data.sitemap"},
		`{"prefix":"a","sitemap":"https://a.example.com/"}`: {"fields_exclusive", "data.urls"},
		`{"prefix":"a","x":1}`:                              {"invalid_type", "data"},
	} {
		_, err := d.send(structured, strings.Replace(event("i2", `"data":`+data), "com.example.written", webhook.ImportRequested, 1))
		require.Error(t, err, data)
		assert.Equal(t, want, [2]string{fault.As(err).Code, fault.As(err).Field}, data)
	}
}

// A source with a prefix has its documents to itself: another's, whatever ids it sends, reach none of them.
func TestSourcesDoNotWriteEachOthersDocuments(t *testing.T) {
	d := newDoor(t)
	deliver := func(tenant tenants.ID, secret, body string) (corpus.Delivered, error) {
		return d.Receive(t.Context(), d.scope(string(tenant)), d.configs[tenant], d.signed(tenant, secret, body, "Content-Type", structured))
	}
	byHelpdesk := func(id, key string) string {
		return event(id, `"data":{"article":{"key":"`+key+`","body":"By the helpdesk."}}`)
	}
	_, err := deliver("acme", "cms-1", event("c1", `"subject":"page","data":{"text":"By the CMS."}`))
	require.NoError(t, err)
	_, err = deliver("acme", "helpdesk-1", byHelpdesk("h1", "page"))
	require.NoError(t, err)
	assert.Equal(t, "By the helpdesk.", d.text("acme", "page"), "without prefixes it is one document")

	cms := &d.configs["acme"].Sources[0]
	cms.IDPrefix = "cms/"
	for id, data := range map[string]string{"c2": `"subject":"page","data":"By the CMS."`, "c3": `"data":{"text":"By the CMS.","docId":"own"}`} {
		done, err := deliver("acme", "cms-1", event(id, data))
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"c2": "cms/page", "c3": "cms/own"}[id], done.Accepted[0].DocID)
	}
	doc := d.document("acme", "cms/page")
	assert.Equal(t, []any{"cms", "By the CMS."}, []any{doc.Source, d.text("acme", "cms/page")})
	_, err = deliver("acme", "cms-1", strings.Replace(event("c4", `"subject":"page"`), "com.example.written", "com.example.deleted", 1))
	require.NoError(t, err)
	assert.Equal(t, "cms/page", d.desk.deleted[0].DocID)

	_, err = deliver("acme", "helpdesk-1", byHelpdesk("h2", "cms/page"))
	assert.Equal(t, []any{fault.Conflict, "doc_id_taken"}, []any{fault.KindOf(err), fault.As(err).Code})
	_, err = deliver("acme", "helpdesk-1", strings.Replace(byHelpdesk("h3", "cms/page"), "com.example.written", "com.example.deleted", 1))
	assert.Equal(t, "doc_id_taken", fault.As(err).Code)
	assert.Len(t, d.desk.deleted, 1, "nor deletes it")
	assert.Equal(t, "By the CMS.", d.text("acme", "cms/page"))
	_, err = deliver("acme", "helpdesk-1", byHelpdesk("h4", "page"))
	require.NoError(t, err, "others go on")
	long := strings.Repeat("x", 198)
	done, err := deliver("acme", "cms-1", event("c5", `"subject":"`+long+`","data":"Long."`))
	require.NoError(t, err)
	assert.Equal(t, imports.DocID("cms/"+long), done.Accepted[0].DocID, "an id that becomes too long is made one")

	done, err = deliver("globex", "cms-1", event("g1", `"subject":"page","data":"Another tenant's."`))
	require.NoError(t, err)
	assert.Equal(t, "page", done.Accepted[0].DocID, "another tenant has its own configuration")
}

// Somebody who saw a binary delivery sends it again as another event: its headers are not signed.
func TestABinaryDeliveryStandsForOneEvent(t *testing.T) {
	d := newDoor(t)
	send := func(id, typ, subject string) error {
		_, err := d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "cms-1", "Hello.", "Content-Type", "text/plain",
			"ce-specversion", "1.0", "ce-id", id, "ce-source", "/cms", "ce-type", typ, "ce-subject", subject, "ce-time", "2026-11-22T04:00:00Z"))
		return err
	}
	require.NoError(t, send("b1", "com.example.written", "one"))
	require.NoError(t, send("b1", "com.example.written", "one"), "its sender may repeat it")
	for _, e := range [][3]string{{"b2", "com.example.written", "one"}, {"b1", "com.example.deleted", "one"}, {"b1", "com.example.written", "two"}} {
		err := send(e[0], e[1], e[2])
		assert.Equal(t, "delivery_changed", fault.As(err).Code, "%v", e)
	}
	assert.Empty(t, d.desk.deleted)
	_, err := d.Receive(t.Context(), d.scope("globex"), d.configs["globex"], d.signed("globex", "cms-1", "Hello.", "Content-Type", "text/plain",
		"ce-specversion", "1.0", "ce-id", "other", "ce-source", "/cms", "ce-type", "t"))
	assert.NoError(t, err, "another tenant's messages have their own ids")
}

// Data of which a tree is made holds so many values; data that is the document itself is as it is.
func TestDataHoldsSoManyValues(t *testing.T) {
	d := newDoor(t)
	many := "[" + strings.Repeat("1,", 60_000) + "1]"
	for _, tc := range []struct{ kind, data, field string }{
		{"com.example.written", `{"article":{"key":41,"x":` + many + `}}`, "data.article.x[49996]"},
		{"com.example.deleted", `{"article":{"x":` + many + `,"key":41}}`, "data.article.x[49997]"},
		{webhook.ImportRequested, `{"urls":` + strings.ReplaceAll(many, "1", `"a"`) + `}`, "data.urls[49998]"},
	} {
		body := strings.Replace(event("m1", `"data":`+tc.data), "com.example.written", tc.kind, 1)
		for range 2 {
			done, err := d.Receive(t.Context(), d.scope("acme"), d.configs["acme"], d.signed("acme", "helpdesk-1", body, "Content-Type", structured))
			if err == nil {
				require.Len(t, done.Refused, 1)
				assert.Equal(t, []string{"json_too_complex", tc.field}, []string{done.Refused[0].Code, done.Refused[0].Field})
				continue
			}
			f := fault.As(err)
			assert.Equal(t, []string{"json_too_complex", tc.field}, []string{f.Code, f.Field})
		}
	}
	assert.Empty(t, d.desk.deleted)
	assert.Empty(t, d.desk.opened)
	_, err := d.send(structured, event("m2", `"data":`+many)) // the source has no fields: the data is the document, which is too long here
	assert.Equal(t, "document_too_large", fault.As(err).Code)
}
