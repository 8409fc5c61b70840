package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// shipment is a tenant's import: so many documents, some of which the tenant has already, in an older and longer version.
type shipment struct {
	tenant string
	docs   []document
	old    []document
}

func newShipment(tenant string, documents, known int) shipment {
	s := shipment{tenant: tenant}
	for i := range documents {
		d := document{DocID: fmt.Sprintf("crate/%d", i), Title: tenant, Chunking: map[string]int{"maxTokens": 32}}
		if i < known {
			old := d
			old.Text = strings.Repeat(fmt.Sprintf("Old crate %d of %s held lemons that have been sold.\n\n", i, tenant), 6)
			s.old = append(s.old, old)
		}
		d.Text = strings.Repeat(fmt.Sprintf("Crate %d of %s holds oranges from the lower terraces.\n\n", i, tenant), 1+i%3)
		s.docs = append(s.docs, d)
	}
	return s
}

func ndjson(t *testing.T, docs []document) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, d := range docs {
		require.NoError(t, e.Encode(d))
	}
	return b.Bytes()
}

// unload begins the import of documents.
func (u user) unload(docs []document, headers ...string) string {
	u.t.Helper()
	a := u.do(http.MethodPost, "/ingest/batch", bytes.NewReader(ndjson(u.t, docs)), append(headers, "content-type", "application/x-ndjson")...)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	return acc.JobID
}

// An import survives everything at once: messages that come twice and in any order, and the process killed again and
// again. In the end every document is there in its newest version, once, in every store, and nothing else is.
func TestImportUnderFire(t *testing.T) {
	const deaths = 3
	documents, known := 5_000, 400
	if testing.Short() {
		documents, known = 500, 50
	}
	ships := []shipment{newShipment("acme", documents, known), newShipment("globex", documents/10, known/10)}
	state := newState(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	p := underFire(t, state)
	for _, s := range ships {
		u := asOn(t, p, s.tenant)
		require.Equal(t, "succeeded", u.finished(u.unload(s.old)).State)
	}
	jobs := map[string]string{}
	for _, s := range ships {
		jobs[s.tenant] = asOn(t, p, s.tenant).unload(s.docs)
	}
	for death := range deaths {
		// Somewhere in the next third of the way.
		at := documents * (death*100 + 1 + rng.IntN(90)) / (deaths * 100)
		eventually(t, fmt.Sprintf("%d documents are in", at), func() bool {
			var j jobView
			a, err := asOn(t, p, "acme").try(http.MethodGet, "/jobs/"+jobs["acme"], nil)
			return err == nil && a.OK && json.Unmarshal(a.Data, &j) == nil && j.Counts.Done >= at
		})
		require.NoError(t, p.Kill())
		p = underFire(t, state)
	}
	for _, s := range ships {
		j := asOn(t, p, s.tenant).finished(jobs[s.tenant])
		require.Equal(t, "succeeded", j.State, "%+v", j)
		assert.Equal(t, len(s.docs), j.Counts.Done)
		assert.Equal(t, len(s.docs), j.Counts.Total)
		assert.Zero(t, j.Counts.Failed)
	}
	settled(t, p)
	for _, s := range ships {
		s.landed(t, p, state)
	}
}

// underFire starts a platform whose queues deliver every tenth message twice, and all in any order.
func underFire(t *testing.T, state string) *local.Local {
	t.Helper()
	p, err := startWith(state, local.Options{Lexical: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	for _, q := range p.Stack.Queues {
		if !strings.HasSuffix(q.Name, stack.DeadLetter) {
			require.NoError(t, p.Queue(q.Name).Disturb(t.Context(), dev.Faults{Duplicate: 10, Shuffle: true}))
		}
	}
	return p
}

// landed counts a shipment in every store.
func (s shipment) landed(t *testing.T, p *local.Local, state string) {
	t.Helper()
	index := map[string]string{"acme": "bge-m3", "globex": "bge-base"}[s.tenant]
	want := map[string]int{} // chunks by document
	chunks := 0
	for key, value := range ledger(t, state, s.tenant) {
		switch {
		case strings.HasPrefix(key, "d/"):
			var row struct {
				ID         string `json:"id"`
				Newest     int    `json:"n"`
				Searchable int    `json:"s"`
				G          []struct {
					Number int    `json:"n"`
					State  string `json:"st"`
					Chunks int    `json:"c"`
				} `json:"g"`
			}
			require.NoError(t, json.Unmarshal([]byte(value), &row))
			require.Equal(t, row.Newest, row.Searchable, "%s", value)
			for _, g := range row.G {
				if g.Number == row.Searchable {
					want[row.ID] = g.Chunks
					chunks += g.Chunks
				}
			}
		case strings.HasPrefix(key, "o/"), strings.HasPrefix(key, "w/"), strings.HasPrefix(key, "x/"):
			assert.Fail(t, "something waits for ever", key)
		}
	}
	assert.Len(t, want, len(s.docs), "0 lost, 0 duplicated in the ledger")
	assert.Equal(t, chunks, vectors(t, p, index), "0 lost, 0 duplicated, 0 stale in the index")

	u := asOn(t, p, s.tenant)
	for i := 0; i < len(s.docs); i += max(1, len(s.docs)/50) {
		f := u.search("crates with oranges or lemons", map[string]any{"topK": 20, "filter": map[string]any{"docId": s.docs[i].DocID}})
		require.Len(t, f.Sources, want[s.docs[i].DocID])
		for _, found := range f.Sources {
			assert.Contains(t, found.Text, "of "+s.tenant+" holds oranges")
		}
	}
	texts, err := p.R2(stack.API, "CORPUS").Keys(t.Context(), "t/"+s.tenant+"/texts/")
	require.NoError(t, err)
	assert.Len(t, texts, len(s.docs), "one text of each document: those of versions that were replaced are gone")
	for file, letters := range tables[struct{ K string }](t, state, "rows") {
		if filepath.Dir(file) == "objects-Letters" {
			assert.Empty(t, letters, "nothing was given up")
		}
	}
}

// A tenant with a great backlog does not hold up another's one document.
func TestOneDocumentBesideABacklog(t *testing.T) {
	documents := 4_000
	if testing.Short() {
		documents = 1_000
	}
	state := newState(t)
	p, err := startWith(state, local.Options{Lexical: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) }) // what it still has to do is no part of the test
	a, b := asOn(t, p, "acme"), asOn(t, p, "globex")
	b.index(document{DocID: "warm", Text: "The water is in the channel."})
	job := a.unload(newShipment("acme", documents, 0).docs)
	progress := func() (j jobView) {
		a.do(http.MethodGet, "/jobs/"+job, nil).into(t, &j)
		return j
	}
	eventually(t, "the backlog stands", func() bool { return progress().Counts.Total == documents })
	before := progress().Counts.Done
	b.index(document{DocID: "one", Text: "A single orange for the gardener."})
	after := progress().Counts.Done
	t.Logf("%d of %d documents of the other tenant ended meanwhile", after-before, documents)
	assert.Less(t, after, documents*3/4, "it did not wait for the backlog")
}
