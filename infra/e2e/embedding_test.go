package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/workflows/corpus"
)

// watched is how many documents are searched for all the time.
const watched = 20

// seekers search a tenant's documents over and over, and find fault with every answer that is not whole.
type seekers struct {
	t        *testing.T
	platform atomic.Pointer[local.Local]
	down     atomic.Bool // the platform is being killed, or has been
	answers  atomic.Int32
	stop     chan struct{}
	busy     sync.WaitGroup
}

func seek(t *testing.T, p *local.Local, tenants ...string) *seekers {
	k := &seekers{t: t, stop: make(chan struct{})}
	k.platform.Store(p)
	for _, tenant := range tenants {
		for _, fresh := range []bool{true, false} { // each time anew, or as others have found it
			k.busy.Go(func() {
				for !t.Failed() {
					select {
					case <-k.stop:
						return
					case <-time.After(20 * time.Millisecond): // as often as a client would
						k.ask(tenant, fresh)
					}
				}
			})
		}
	}
	return k
}

// ask asks once. What is found has to have every document that has been there from the beginning, each found by its meaning and its words.
func (k *seekers) ask(tenant string, fresh bool) {
	down := k.down.Load()
	var headers []string
	if fresh {
		headers = []string{"cache-control", "no-cache"}
	}
	a, err := asOn(k.t, k.platform.Load(), tenant).try(http.MethodPost, "/search", map[string]any{
		"query": "Which gardens get water?", "topK": watched, "answer": false, "keepDuplicates": true, "filter": map[string]any{"source": "watched"},
	}, headers...)
	if down || k.down.Load() {
		return
	}
	var h hits
	if !assert.NoError(k.t, err) || !assert.Equal(k.t, http.StatusOK, a.Status, "%s", a.Body) || !assert.NoError(k.t, json.Unmarshal(a.Data, &h)) {
		return
	}
	assert.Empty(k.t, h.Degraded)
	found := map[string]bool{}
	for _, s := range h.Sources {
		found[s.DocID] = true
		assert.Contains(k.t, s.Scores, "vector", "%s of %s has no vector", s.DocID, tenant)
		assert.Contains(k.t, s.Scores, "keyword", s.DocID)
	}
	assert.Len(k.t, found, watched, "of %s", tenant)
	k.answers.Add(1)
}

// end stops them.
func (k *seekers) end() {
	close(k.stop)
	k.busy.Wait()
}

// stock gives a tenant the documents that are searched for, and some long ones beside.
func stock(u user, long int) (jobs []accepted) {
	u.t.Helper()
	for i := range watched {
		jobs = append(jobs, u.ingest(document{
			DocID: fmt.Sprintf("watched/%d", i), Source: "watched", Text: fmt.Sprintf("The %d. channel of %s brings water to the gardens below the wall.", i, u.tenant),
		}))
	}
	for i := range long {
		var text strings.Builder
		for p := range 100 {
			fmt.Fprintf(&text, "Page %d of register %d of %s says who owns how many hours of the channel, and when.\n\n", p, i, u.tenant)
		}
		jobs = append(jobs, u.ingest(document{DocID: fmt.Sprintf("long/%d", i), Source: "long", Text: text.String(), Chunking: map[string]int{"maxTokens": 32}}))
	}
	return jobs
}

// chunks counts those of a tenant's documents.
func (u user) chunks() (n int) {
	u.t.Helper()
	for d, err := range u.client().Documents(u.t.Context(), client.DocumentQuery{}) {
		require.NoError(u.t, err)
		require.Nil(u.t, d.Why, "%s: %+v", d.ID, d.Why)
		n += d.Chunks
	}
	return n
}

// moved asks for a move and waits for its end.
func (u user) moved(method, path string, body any) jobView {
	u.t.Helper()
	a := u.do(method, path, body)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	j := u.finished(acc.JobID)
	require.Equal(u.t, "succeeded", j.State, "%+v", j)
	return j
}

// active is the model that searches use.
func (u user) active() (model string) {
	u.t.Helper()
	e, err := u.client().Embedding(u.t.Context())
	require.NoError(u.t, err)
	return e.Active
}

// A tenant is searched all the time, anew and as remembered, while its documents come into the space of another model, more are added and workerd is
// killed; then back; then the space is emptied. No answer lacks anything, and the other tenant is as it was.
func TestATenantMovesToAnotherEmbeddingModel(t *testing.T) {
	const first, second = "@cf/baai/bge-m3", "@cf/baai/bge-small-en-v1.5" // globex has bge-base
	state := newState(t)
	begin := func() *local.Local {
		p, err := startWith(state, local.Options{Lexical: true}) // or two cores would be busy with the encoder, and searches late
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		return p
	}
	p := begin()
	acme, globex := asOn(t, p, "acme"), asOn(t, p, "globex")
	jobs := stock(acme, 11)
	others := stock(globex, 0)
	for i, a := range append(jobs, others...) {
		u := acme
		if i >= len(jobs) {
			u = globex
		}
		require.Equal(t, "succeeded", u.finished(a.JobID).State)
	}
	before := acme.chunks()
	require.Greater(t, before, corpus.MaxWrite, "more than a step takes")
	eventually(t, "everything is seen", func() bool { return vectors(t, p, "bge-m3") == before && vectors(t, p, "bge-base") == watched })

	k := seek(t, p, "acme", "globex")
	defer func() { k.busy.Wait() }()
	var estimate struct {
		Documents, Chunks int
		Cost              struct{ Tokens int }
	}
	acme.do(http.MethodPost, "/tenant/embedding", map[string]any{"model": second, "dryRun": true}).into(t, &estimate)
	assert.Equal(t, []int{len(jobs), before}, []int{estimate.Documents, estimate.Chunks})
	assert.Positive(t, estimate.Cost.Tokens)
	require.Zero(t, vectors(t, p, "bge-small"))

	a := acme.do(http.MethodPost, "/tenant/embedding", map[string]any{"model": second}, "idempotency-key", "once")
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(t, &acc)
	eventually(t, "the move is in the middle", func() bool { return vectors(t, p, "bge-small") > 0 })
	for i := range 3 {
		acme.ingest(document{DocID: fmt.Sprintf("early/%d", i), Text: fmt.Sprintf("The %d. of the early ones is about sheep.", i), Source: "added"})
	}
	k.down.Store(true)
	require.NoError(t, p.Kill())
	p = begin()
	acme, globex = asOn(t, p, "acme"), asOn(t, p, "globex")
	k.platform.Store(p)
	k.down.Store(false)
	var added []accepted
	for i := range 12 {
		added = append(added, acme.ingest(document{DocID: fmt.Sprintf("added/%d", i), Text: fmt.Sprintf("The %d. of the added ones is about sheep.", i), Source: "added"}))
		time.Sleep(100 * time.Millisecond) // as they come
	}
	again := acme.do(http.MethodPost, "/tenant/embedding", map[string]any{"model": second}, "idempotency-key", "once")
	assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	j := acme.finished(acc.JobID)
	require.Equal(t, "succeeded", j.State, "%+v", j)
	assert.Equal(t, second, acme.active())
	for _, a := range added {
		require.Equal(t, "succeeded", acme.finished(a.JobID).State)
	}
	total := acme.chunks()
	eventually(t, "all of it is in the new space", func() bool { return vectors(t, p, "bge-small") == total })
	assert.Len(t, acme.ask("sheep", "vector", map[string]any{"filter": map[string]any{"source": "added"}, "topK": 50}).Sources, 15)
	talk := acme.tells("Which gardens get water?", map[string]any{"rag": map[string]any{"topK": 5, "filter": map[string]any{"source": "watched"}}})
	require.Equal(t, "sources", talk[0].Type, "%s", talk[0].Data)
	var grounded hits
	require.NoError(t, json.Unmarshal(talk[0].Data, &grounded))
	require.Len(t, grounded.Sources, 5)
	for _, s := range grounded.Sources {
		assert.Contains(t, s.Scores, "vector", "a conversation reads the same space")
	}
	kept := vectors(t, p, "bge-m3")
	assert.GreaterOrEqual(t, kept, before)

	code, out, errs := acme.levada("embedding", "back")
	require.Equal(t, 0, code, errs)
	assert.Contains(t, out, "space of "+first+": succeeded")
	assert.Equal(t, first, acme.active())
	eventually(t, "all of it is in the old space", func() bool { return vectors(t, p, "bge-m3") == total })
	assert.Len(t, acme.ask("sheep", "vector", map[string]any{"filter": map[string]any{"source": "added"}, "topK": 50}).Sources, 15)

	acme.moved(http.MethodDelete, "/tenant/embedding?model="+second, nil)
	assert.Zero(t, vectors(t, p, "bge-small"), "nothing is left")
	k.end()
	assert.Equal(t, total, vectors(t, p, "bge-m3"))
	assert.Equal(t, watched, vectors(t, p, "bge-base"), "the other tenant's")
	assert.Equal(t, "@cf/baai/bge-base-en-v1.5", globex.active())
	t.Logf("%d answers, each of them whole", k.answers.Load())
	assert.Greater(t, int(k.answers.Load()), 100)
}
