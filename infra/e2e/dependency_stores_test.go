package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// A document that R2 does not take is not accepted, and one that it took without saying so is accepted once when it comes again; the other
// tenant's are taken. Texts that cannot be read for a while are read later.
func TestR2IsDown(t *testing.T) {
	one, two := newcomer(t, "r2"), newcomer(t, "r2")
	d := document{DocID: "basket", Text: "A basket is woven from willow."}
	ofOne := "t/" + one.tenant + "/"

	mend := wrong(t, platform, stack.API, dev.Disturbance{Calls: "r2", Mood: dev.Fails, Error: dev.R2Failed})
	assert.Equal(t, []string{"corpus"}, failing(t, platform))
	mend()
	mend = wrong(t, platform, stack.API, dev.Disturbance{Calls: "r2", On: ofOne, Mood: dev.Fails, Error: dev.R2Busy})
	unavailable(t, one.do(http.MethodPost, "/ingest", d), "store_unavailable")
	assert.Equal(t, http.StatusNotFound, one.do(http.MethodGet, "/documents/basket", nil).Status, "nothing was accepted")
	assert.Equal(t, 1, two.index(d).Generation, "the other tenant's is")
	mend()
	assert.Empty(t, failing(t, platform))

	mend = wrong(t, platform, stack.API, dev.Disturbance{Calls: "r2.put", On: ofOne, Mood: dev.Loses, Error: dev.ConnectionLost, Times: 1})
	unavailable(t, one.do(http.MethodPost, "/ingest", d), "store_unavailable")
	assert.Equal(t, 1, one.index(d).Generation, "the first one was none")
	mend()

	long := strings.Repeat("The text of this document is too long to travel with its event. ", 300)
	wrong(t, platform, stack.Consumers, dev.Disturbance{Calls: "r2.get", On: ofOne, Mood: dev.Fails, Error: dev.R2Failed, Times: 1})
	acc := one.ingest(document{DocID: "long", Text: long})
	j := one.finished(acc.JobID)
	assert.Equal(t, "succeeded", j.State, "%+v", j)
	assert.Equal(t, 1, struck(t, platform, stack.Consumers))
	assert.Empty(t, one.letters(""), "what is tried again is no dead letter")
}

// A ledger that is overloaded refuses its own tenant's documents, and nobody else's. A submission whose answer got lost is the same one when
// it comes again with its key. Consumers come back until the object answers.
func TestDurableObjectsAreDown(t *testing.T) {
	one, two := newcomer(t, "objects"), newcomer(t, "objects")
	d := document{DocID: "kiln", Text: "The kiln is fired with vine shoots."}
	ofOne := "t/" + one.tenant
	ledger := dev.Disturbance{Calls: "object", Binding: "LEDGER", On: ofOne}
	with := func(mood dev.Mood, e dev.Thrown, times int) dev.Disturbance {
		d := ledger
		d.Mood, d.Error, d.Times = mood, e, times
		return d
	}

	all := ledger
	all.On, all.Mood, all.Error = "", dev.Fails, dev.Overloaded
	mend := wrong(t, platform, stack.API, all)
	assert.Equal(t, []string{"ledger"}, failing(t, platform))
	mend()
	mend = wrong(t, platform, stack.API, with(dev.Fails, dev.Overloaded, 0))
	unavailable(t, one.do(http.MethodPost, "/ingest", d), "object_unavailable")
	unavailable(t, one.do(http.MethodGet, "/documents/kiln", nil), "object_unavailable")
	two.index(d)
	mend()

	mend = wrong(t, platform, stack.API, with(dev.Loses, dev.ConnectionLost, 1))
	unavailable(t, one.do(http.MethodPost, "/ingest", d, "idempotency-key", "kiln-1"), "object_unavailable")
	again := one.ingest(d, "idempotency-key", "kiln-1")
	assert.Equal(t, 1, again.Generation, "it was accepted the first time")
	mend()
	assert.Equal(t, "succeeded", one.finished(again.JobID).State)

	mend = wrong(t, platform, stack.Consumers, with(dev.Fails, dev.WasReset, 1), dev.Disturbance{
		Calls: "object", Binding: "LEXICON", On: ofOne, Mood: dev.Loses, Error: dev.ConnectionLost, Times: 1,
	})
	acc := one.ingest(document{DocID: "loom", Text: "The loom stands by the window."})
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	assert.Equal(t, 2, struck(t, platform, stack.Consumers))
	mend()
	assert.Empty(t, one.letters(""))
	found := one.search("Where does the loom stand?", map[string]any{"mode": "hybrid"}).Sources
	require.NotEmpty(t, found)
	assert.Equal(t, "loom", found[0].DocID)
}

// What an object decides cannot be had without it, of the tenant whose object it is; the other tenant has it, and so has the first when it is over.
// A completion has no session, and needs none.
func TestEachObjectIsDown(t *testing.T) {
	one, two := newcomer(t, "each"), newcomer(t, "each")
	speaks := func(c *tenants.Config) { c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1"} }
	one.key, two.key = one.publish(speaks), two.publish(speaks)
	for _, u := range []user{one, two} {
		u.index(document{DocID: "ladle", Text: "The ladle is made of pewter."})
	}
	message, _ := tokens("objects", 3, 0)
	post := func(path string, body any, headers ...string) func(user) answer {
		return func(u user) answer { return u.do(http.MethodPost, path, body, headers...) }
	}
	get := func(path string) func(user) answer {
		return func(u user) answer { return u.do(http.MethodGet, path, nil) }
	}
	talk := post("/chat", map[string]any{"message": message, "stream": false})
	sum := map[string]any{"tool_name": "calculator", "params": map[string]any{"operation": "add", "a": 1, "b": 2}}
	for _, c := range []struct {
		class string
		ask   func(user) answer
	}{
		{"Session", talk},
		{"Lexicon", post("/search", map[string]any{"query": "pewter ladle", "mode": "keyword", "answer": false}, "cache-control", "no-cache")},
		{"Shelf", get("/sessions")},
		{"Speech", post("/tts", map[string]any{"text": "Water carries."})},
		{"Audit", get("/audit")},
		{"Letters", get("/events")},
		{"Calls", post("/tools/execute", sum, "idempotency-key", "each")},
		{"Meters", get("/metrics")},
		{"Meters", get("/traces")},
		{"Meters", get("/metrics/overview")},
	} {
		mend := wrong(t, platform, stack.API, dev.Disturbance{Calls: "object", Binding: strings.ToUpper(c.class), On: "t/" + one.tenant, Mood: dev.Fails, Error: dev.Overloaded})
		unavailable(t, c.ask(one), "object_unavailable")
		assert.Positive(t, struck(t, platform, stack.API), c.class)
		a := c.ask(two)
		assert.Less(t, a.Status, http.StatusBadRequest, "%s: %s", c.class, a.Body)
		if c.class == "Session" {
			completion := one.do(http.MethodPost, "/v1/chat/completions", map[string]any{"model": "default", "messages": []map[string]string{{"role": "user", "content": message}}})
			assert.Equal(t, http.StatusOK, completion.Status, "%s", completion.Body)
		}
		if c.class == "Lexicon" {
			h := one.ask("pewter ladle", "hybrid", map[string]any{"filter": nil})
			assert.Equal(t, []string{"ladle"}, h.docs(), "found by meaning")
			require.Len(t, h.Degraded, 1)
			assert.Equal(t, []any{"keyword", "object_unavailable"}, []any{h.Degraded[0].Part, h.Degraded[0].Code})
			assert.Empty(t, two.ask("pewter ladle", "hybrid", map[string]any{"filter": nil}).Degraded)
		}
		mend()
		a = c.ask(one)
		assert.Less(t, a.Status, http.StatusBadRequest, "%s: %s", c.class, a.Body)
	}
}

// Each class of objects that the API reaches is asked by /ready, which names it when it does not answer, and no other; who has only lost another
// tenant's object is ready.
func TestReadyNamesTheClassThatIsDown(t *testing.T) {
	names := map[string]string{
		"LEDGER": "ledger", "QUOTA": "quota", "SESSION": "sessions", "AUDIT": "audit", "LETTERS": "letters", "LEXICON": "lexicon", "SPEECH": "speech",
		"SHELF": "shelf", "CALLS": "calls", "METERS": "meters",
	}
	w := platform.Stack.Workers[slices.IndexFunc(platform.Stack.Workers, func(w stack.Worker) bool { return w.Role == stack.API })]
	classes := 0
	for _, b := range w.Bindings {
		if b.Kind != stack.Class {
			continue
		}
		classes++
		require.Contains(t, names, b.Name)
		d := dev.Disturbance{Calls: "object", Binding: b.Name, Mood: dev.Fails, Error: dev.Overloaded}
		mend := wrong(t, platform, stack.API, d)
		assert.Equal(t, []string{names[b.Name]}, failing(t, platform))
		mend()
		for _, tenant := range []string{"acme", "globex"} {
			d.Tenant = tenant
			mend = wrong(t, platform, stack.API, d)
			assert.Empty(t, failing(t, platform), "%s of %s alone", b.Name, tenant)
			mend()
		}
	}
	assert.Len(t, names, classes)
}

// What an object cannot store it does not accept; nothing of it is kept.
func TestTheStorageOfDurableObjectsFails(t *testing.T) {
	one, two := newcomer(t, "storage"), newcomer(t, "storage")
	d := document{DocID: "well", Text: "The well is forty ells deep."}
	one.do(http.MethodGet, "/documents", nil) // its ledger is there
	mend := wrong(t, platform, stack.Objects, dev.Disturbance{Calls: "sql", Binding: "Ledger", On: "t/" + one.tenant, Mood: dev.Fails, Error: dev.StorageFailed})
	unavailable(t, one.do(http.MethodPost, "/ingest", d), "object_storage")
	assert.Equal(t, 1, two.index(d).Generation)
	mend()
	assert.Equal(t, http.StatusNotFound, one.do(http.MethodGet, "/documents/well", nil).Status)
	assert.Equal(t, 1, one.index(d).Generation)
}

// Nothing passes unpaid: without the ledger of money no model is asked. What is only counted goes on without its object.
func TestTheLedgerOfMoneyIsDown(t *testing.T) {
	one, two := newcomer(t, "money"), newcomer(t, "money")
	message, said := tokens("paid", 3, 0)
	ask := func(u user) answer {
		return u.do(http.MethodPost, "/chat", map[string]any{"message": message, "stream": false})
	}
	wrong(t, platform, stack.API, dev.Disturbance{Calls: "object", Binding: "QUOTA", On: "t/" + one.tenant, Mood: dev.Fails, Error: dev.ConnectionLost},
		dev.Disturbance{Calls: "object", Binding: "METERS", Mood: dev.Fails, Error: dev.Overloaded})
	unavailable(t, ask(one), "quota_unavailable")
	a := ask(two)
	require.True(t, a.OK, "%s", a.Body)
	var whole struct{ Message string }
	a.into(t, &whole)
	assert.Equal(t, said, whole.Message)
	require.NoError(t, platform.Disturb(t.Context(), stack.API))
	assert.Zero(t, one.account().Totals.Calls, "no model was asked")
	assert.True(t, ask(one).OK)
}
