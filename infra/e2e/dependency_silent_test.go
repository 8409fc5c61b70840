package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// Nobody waits for ever for what does not answer: who asks is told so when the call's time is over (here two seconds), the other tenant
// notices nothing, and what the dependency does all the same, later, does no harm. Of all that, the platform keeps the traces of what failed, though it is told to
// keep none.
func TestDependenciesThatSayNothing(t *testing.T) {
	p, err := startWith(newState(t), local.Options{Vars: map[string]string{"MAX_CALL_MS": "2000", "TRACES": "0"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	one, two := asOn(t, p, "acme"), asOn(t, p, "globex")
	d := document{DocID: "bell", Text: "The bell of the village was cast in 1764."}
	for _, u := range []user{one, two} {
		u.index(d)
	}
	soon := func(what string, f func()) {
		began := time.Now()
		f()
		assert.Less(t, time.Since(began), 10*time.Second, what)
	}
	hangs := func(role stack.Role, calls, binding, on string, times int) (mend func()) {
		return wrong(t, p, role, dev.Disturbance{Calls: calls, Binding: binding, On: on, Mood: dev.Hangs, Times: times})
	}
	whole := func(u user, mode string) answer {
		return u.do(http.MethodPost, "/search", map[string]any{"query": "bell", "mode": mode, "answer": false}, "cache-control", "no-cache")
	}

	var failed, done []string // traces
	for _, dep := range []struct {
		calls, binding, on, code string
	}{
		{"r2", "CORPUS", "t/acme/", "store_unavailable"},
		{"object", "LEDGER", "t/acme", "object_unavailable"},
	} {
		mend := hangs(stack.API, dep.calls, dep.binding, dep.on, 0)
		soon(dep.calls, func() {
			a := one.do(http.MethodPost, "/ingest", d, "idempotency-key", dep.calls)
			unavailable(t, a, dep.code)
			failed = append(failed, a.Error.TraceID)
		})
		a := two.do(http.MethodPost, "/ingest", d)
		assert.Equal(t, http.StatusAccepted, a.Status, "the other tenant's is taken")
		done = append(done, strings.Split(a.Header.Get("traceparent"), "-")[1])
		mend()
		acc := one.ingest(d, "idempotency-key", dep.calls)
		assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	}

	mend := hangs(stack.API, "vectorize", "", "", 0)
	soon("ready", func() { assert.Equal(t, []string{"vectors"}, failing(t, p)) })
	soon("a search by words", func() {
		h := one.ask("bell", "hybrid", map[string]any{"filter": nil})
		assert.Equal(t, []string{"bell"}, h.docs())
		assert.Len(t, h.Degraded, 1)
	})
	mend()

	mend = hangs(stack.API, "ai", "", "", 0)
	soon("the question is not embedded", func() {
		a := whole(one, "vector")
		assert.Equal(t, []any{http.StatusBadGateway, "model_broke_off"}, []any{a.Status, a.Error.Code}, "%s", a.Body)
	})
	mend()

	mend = hangs(stack.API, "kv", "", "", 0)
	soon("who is known goes on", func() {
		a := whole(two, "hybrid")
		assert.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
	})
	mend()

	mend = wrong(t, p, stack.Objects, // the ledger's outbox, and its look at the backlog
		dev.Disturbance{Calls: "queue.metrics", Binding: "INGEST", Mood: dev.Hangs}, dev.Disturbance{Calls: "queue.send", Binding: "INGEST", Mood: dev.Hangs, Times: 1})
	var acc accepted
	soon("it is decided in the ledger", func() {
		acc = one.ingest(document{DocID: "clapper", Text: "The clapper of the bell weighs 9 kg."})
	})
	eventually(t, "the queue hangs", func() bool {
		met, err := p.Struck(t.Context(), stack.Objects)
		return assert.NoError(t, err) && met[1] == 1
	})
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State, "the alarm has sent it again")
	mend()

	mend = hangs(stack.Consumers, "queue", "EMBED", "", 1) // what is sent late comes twice
	acc = one.ingest(document{DocID: "rope", Text: "The rope of the bell is worn."})
	eventually(t, "the queue hangs", func() bool { return struck(t, p, stack.Consumers) == 1 })
	eventually(t, "it is tried again", func() bool { return one.document("rope").State == "indexed" })
	mend()
	settled(t, p)
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	for _, id := range []string{"clapper", "rope"} {
		v := one.document(id)
		assert.Equal(t, []any{1, 1, 1}, []any{v.Generation, v.Searchable, v.Chunks}, id)
	}
	assert.Empty(t, failing(t, p))

	type kept struct {
		TraceID, Name, Code string
		Failed              int
	}
	var list struct{ Traces []kept }
	eventually(t, "what failed is kept", func() bool {
		if one.do(http.MethodGet, "/traces?limit=100&failed=true", nil).decode(&list) != nil {
			return false
		}
		return !slices.ContainsFunc(failed, func(id string) bool {
			return !slices.ContainsFunc(list.Traces, func(k kept) bool { return k.TraceID == id && k.Name == "/ingest" })
		})
	})
	for _, u := range []user{one, two} {
		u.do(http.MethodGet, "/traces?limit=100", nil).into(t, &list)
		for _, k := range list.Traces {
			assert.Positive(t, k.Failed, "%+v", k)
		}
	}
	for _, id := range done {
		assert.Equal(t, http.StatusNotFound, two.do(http.MethodGet, "/traces/"+id, nil).Status, "it went well")
	}
	for _, id := range failed {
		assert.Equal(t, http.StatusNotFound, two.do(http.MethodGet, "/traces/"+id, nil).Status, "it is another's")
	}
}
