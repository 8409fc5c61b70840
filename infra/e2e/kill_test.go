package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/dev"
	"levada.dev/infra/local"
)

// library is a tenant's documents of the kill tests. Both tenants use the same names.
func library(tenant string, from, to int) []document {
	var docs []document
	for i := from; i < to; i++ {
		var text strings.Builder
		paragraphs := 2
		if i%10 == 0 {
			paragraphs = 40 // several slices
		}
		for p := range paragraphs {
			fmt.Fprintf(&text, "Shelf %d of %s, paragraph %d: the channels of the upper village carry water to the gardens below.\n\n", i, tenant, p)
		}
		docs = append(docs, document{DocID: fmt.Sprintf("shelf/%d", i), Text: text.String(), Title: tenant, Chunking: map[string]int{"maxTokens": 32}})
	}
	return docs
}

// clients submit documents to whatever platform is running, and try again until each is accepted.
type clients struct {
	t        *testing.T
	platform atomic.Pointer[local.Local]
	accepted atomic.Int32

	mu       sync.Mutex
	receipts map[string][]accepted // by tenant
	busy     sync.WaitGroup
}

func newClients(t *testing.T, p *local.Local) *clients {
	c := &clients{t: t, receipts: map[string][]accepted{}}
	c.platform.Store(p)
	return c
}

// submit has a few clients submit a tenant's documents.
func (c *clients) submit(tenant string, docs []document) {
	queue := make(chan document, len(docs))
	for _, d := range docs {
		queue <- d
	}
	close(queue)
	for range 4 {
		c.busy.Go(func() {
			for d := range queue {
				c.insist(tenant, d)
			}
		})
	}
}

func (c *clients) insist(tenant string, d document) {
	for c.t.Context().Err() == nil {
		a, err := asOn(c.t, c.platform.Load(), tenant).try(http.MethodPost, "/ingest", d, "idempotency-key", d.DocID)
		if err != nil || a.Status >= 500 {
			time.Sleep(20 * time.Millisecond) // the platform is down: as often as a client would
			continue
		}
		if !assert.Equal(c.t, http.StatusAccepted, a.Status, "%s", a.Body) {
			return
		}
		var acc accepted
		if assert.NoError(c.t, a.decode(&acc)) && assert.Equal(c.t, 1, acc.Generation, "submitted once, however often it was sent") {
			c.mu.Lock()
			c.receipts[tenant] = append(c.receipts[tenant], acc)
			c.mu.Unlock()
			c.accepted.Add(1)
		}
		return
	}
}

// What a killed platform has accepted becomes searchable when it runs again, once, and for its tenant alone.
func TestKilledInTheMiddleOfIngesting(t *testing.T) {
	t.Parallel()
	state := newState(t)
	tenants := []string{"acme", "globex"}
	const each = 20 // documents of a tenant submitted before a death
	backlog := func(queue string, n int) func(*local.Local, *clients) bool {
		return func(p *local.Local, _ *clients) bool {
			waiting, err := p.Queue(queue).Backlog(t.Context())
			return assert.NoError(t, err) && waiting >= n
		}
	}
	deaths := []struct {
		name   string
		paused string // a queue that delivers nothing, so that work gathers before it
		comes  func(*local.Local, *clients) bool
	}{
		{"documents are being accepted", "", func(_ *local.Local, c *clients) bool { return c.accepted.Load() > each/2 }},
		{"documents wait to be chunked", "ingest", backlog("ingest", each)},
		{"chunks wait to be embedded", "embed", backlog("embed", each)},
		{"vectors wait to be indexed", "index", backlog("index", each)},
	}
	p := own(t, state)
	c := newClients(t, p)
	for i, death := range deaths {
		t.Log("killed while", death.name)
		if death.paused != "" {
			require.NoError(t, p.Queue(death.paused).Disturb(t.Context(), dev.Faults{Pause: true}))
		}
		for _, tenant := range tenants {
			c.submit(tenant, library(tenant, i*each, (i+1)*each))
		}
		eventually(t, death.name, func() bool { return death.comes(p, c) })
		require.NoError(t, p.Kill())
		p = own(t, state)
		c.platform.Store(p)
	}
	c.busy.Wait()
	require.EqualValues(t, len(tenants)*len(deaths)*each, c.accepted.Load())
	whole(t, p, state, c)
}

// workerd alone may die, too, without Node, which starts it again.
func TestWorkerdDiesInTheMiddleOfIngesting(t *testing.T) {
	t.Parallel()
	state := newState(t)
	p := own(t, state)
	c := newClients(t, p)
	c.submit("acme", library("acme", 0, 60))
	eventually(t, "something is searchable", func() bool { return vectors(t, p, "bge-m3") > 0 })
	killed := 0
	for _, pid := range children(t, p.PID()) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		killed++
	}
	require.NotZero(t, killed)
	c.busy.Wait()
	whole(t, p, state, c)
}

// whole requires that everything accepted is searchable, once, in its tenant, and that nothing else is there.
func whole(t *testing.T, p *local.Local, state string, c *clients) {
	t.Helper()
	indexes := map[string]string{"acme": "bge-m3", "globex": "bge-base"}
	chunks := map[string]int{}
	for tenant, receipts := range c.receipts {
		u := asOn(t, p, tenant)
		for _, acc := range receipts {
			j := u.finished(acc.JobID)
			require.Equal(t, "succeeded", j.State, "%+v", j)
			d := u.document(acc.DocID)
			assert.Equal(t, 1, d.Generation)
			assert.Equal(t, 1, d.Searchable)
			assert.Equal(t, "indexed", d.State)
			chunks[tenant] += d.Chunks

			f := u.search("Which gardens get water?", map[string]any{"topK": 20, "filter": map[string]any{"docId": acc.DocID}})
			assert.Len(t, f.Sources, min(20, d.Chunks), acc.DocID)
			seen := map[string]bool{}
			for _, s := range f.Sources {
				assert.Equal(t, acc.DocID, s.DocID)
				assert.Equal(t, tenant, s.Title)
				assert.Contains(t, s.Text, " of "+tenant+", ")
				assert.False(t, seen[s.ChunkID], "%s twice", s.ChunkID)
				seen[s.ChunkID] = true
			}
		}
	}
	settled(t, p)
	for tenant, receipts := range c.receipts {
		assert.Equal(t, chunks[tenant], vectors(t, p, indexes[tenant]), "no vector is missing, none is there twice")
		of := map[string]int{}
		for key := range ledger(t, state, tenant) {
			kind, _, _ := strings.Cut(key, "/")
			of[kind]++
		}
		delete(of, "l") // who is watched is forgotten when it would have been due
		assert.Equal(t, map[string]int{"d": len(receipts), "j": len(receipts), "i": len(receipts), "tenant": 1, "turns": 1}, of, "and nothing waits to be sent")
		submitted := map[string]int{}
		for _, e := range trail(t, state, tenant) {
			if e.Type == events.TypeDocumentSubmitted {
				submitted[e.Subject]++
			}
		}
		assert.Len(t, submitted, len(receipts), "all of it is in the audit trail")
		for subject, n := range submitted {
			assert.Equal(t, 1, n, subject)
		}
	}
}
