package memory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// keeps asserts that the stores have of a tenant's documents what their newest and their searchable versions have, all of that, and
// nothing else but what came of these versions beside it: a page that was fetched twice stays as long as its version.
func (p *platform) keeps(s tenants.Scope) {
	p.t.Helper()
	list, err := p.ledger.List(p.t.Context(), s, corpus.Listing{Limit: corpus.MaxListed})
	require.NoError(p.t, err)
	var vectors []string
	needed := map[string]bool{} // texts, and whether they are there
	for _, d := range list.Documents {
		jobs := []string{d.JobID}
		if d.TextKey != "" {
			needed[d.TextKey] = false
		}
		if d.Derived != nil {
			needed[d.Derived.TextKey] = false
		}
		for _, v := range d.Versions {
			if !v.Searchable {
				continue
			}
			if v.Generation != d.Generation {
				needed[corpus.TextPrefix(d.ID)+"*"+v.SHA256] = false // its job's, or the one's that it was begun again from
				jobs = append(jobs, v.JobID)
			}
			for i := range v.Chunks {
				vectors = append(vectors, corpus.VectorID(s, d.ID, v.Generation, i))
			}
		}
		for _, key := range p.textsOf(s, d.ID) {
			_, whole := needed[key]
			original := strings.Join(strings.Split(key, "/")[:3], "/")
			sum := corpus.TextPrefix(d.ID) + "*" + original[strings.LastIndex(original, "/")+1:]
			_, searchable := needed[sum]
			beside := slices.Contains(jobs, corpus.TextJob(key)) || d.TextKey != "" && strings.HasPrefix(key, d.TextKey+"/")
			require.True(p.t, whole || searchable || beside, "%s of %s is left of %s: %+v", key, s.Tenant(), d.ID, d.Versions)
			if whole {
				needed[key] = true
			}
			if searchable {
				needed[sum] = true
			}
		}
	}
	for key, there := range needed {
		assert.True(p.t, there, "%s of %s is gone", key, s.Tenant())
	}
	slices.Sort(vectors)
	assert.Equal(p.t, vectors, p.vectors.IDs(s, model), "vectors of %s", s.Tenant())
	assert.Equal(p.t, vectors, p.words.IDs(s), "passages of %s", s.Tenant())
}

// later lets the watchdog look, as often as it takes.
func (p *platform) later(ss ...tenants.Scope) {
	p.t.Helper()
	for range 3 {
		p.clock.advance(corpus.DefaultDeadline + time.Second)
		for _, s := range ss {
			for range 50 {
				next, err := p.ledger.Watch(s)
				if err == nil && (next.IsZero() || next.After(p.clock.Now())) {
					break
				}
			}
		}
		p.run(ss...)
	}
	p.clock.advance(time.Second)
}

func TestAReplacedVersionLeavesNothing(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	versions := []corpus.Draft{draft("a", prose("rain", 3)), draft("a", prose("sun", 150)), draft("a", string(pageOf("snow", 4))), draft("a", prose("hail", 1))}
	versions[2].ContentType = "text/html"
	p.submit(globex, versions[0])
	for _, d := range versions {
		p.submit(acme, d)
		p.run(acme, globex)
		p.keeps(acme)
	}
	assert.Len(t, p.textsOf(acme, "a"), 1)
	assert.Len(t, p.textsOf(globex, "a"), 1)
	text, err := p.texts.Get(t.Context(), acme, p.document(acme, "a").TextKey)
	require.NoError(t, err)
	assert.Equal(t, versions[3].Text, text)
	for _, e := range p.trail.Entries(acme) {
		assert.NotEqual(t, events.TypeDocumentRetired, e.Type, "whoever made the next one searchable has removed it")
	}
}

// What fails stays until something newer is there: then nobody will ask for it again.
func TestAVersionThatNeverBecameSearchableLeavesNothing(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	p.submit(acme, draft("a", prose("rain", 3)))
	p.submit(globex, draft("a", prose("rain", 3)))
	p.run(acme, globex)
	p.model.Before = func(_ llm.Call, texts []string) error {
		if strings.Contains(texts[0], "sun") {
			return fault.Invalidf("texts", "text_refused", "no")
		}
		return nil
	}
	p.submit(acme, draft("a", prose("sun", 40)))
	p.run(acme)
	p.keeps(acme)
	assert.Len(t, p.textsOf(acme, "a"), 2, "the one that searches show, and the newest, which may be tried again")
	cancelled := p.submit(acme, draft("a", prose("snow", 40)))
	_, err := p.ledger.Cancel(t.Context(), acme, cancelled.JobID)
	require.NoError(t, err)
	p.run(acme)
	later := p.submit(acme, draft("a", prose("sun", 2)))
	p.later(acme, globex)
	assert.Equal(t, corpus.Failed, p.document(acme, "a").State)
	assert.Len(t, p.textsOf(acme, "a"), 2, "those of before have had a newer one")
	p.keeps(acme)
	p.model.Before = nil
	r, err := p.ledger.Resubmit(t.Context(), acme, corpus.Resubmission{DocID: "a", Generation: later.Generation, JobID: "again", Cause: events.Cause{ID: "again"}})
	require.NoError(t, err)
	p.run(acme)
	assert.Equal(t, r.Generation, p.document(acme, "a").Searchable)
	assert.Len(t, p.textsOf(acme, "a"), 1, "which is that of the one that failed")
	p.keeps(acme)
	p.keeps(globex)
}

// Of a version that ended while nobody worked on it nobody can be told: the watchdog has it removed.
func TestWhatNobodyIsToldOfIsRemovedLater(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	for _, s := range []tenants.Scope{acme, globex} {
		p.submit(s, draft("a", prose("rain", 3)))
		p.run(s)
		for range 2 {
			r := p.submit(s, draft("a", prose("snow", 3)))
			_, err := p.ledger.Cancel(t.Context(), s, r.JobID)
			require.NoError(t, err)
			_, err = p.ledger.Relay(t.Context(), s, p.out, 10)
			require.NoError(t, err)
			require.Len(t, p.queues.Take("ingest", 10), 1) // and lost
		}
		require.Len(t, p.textsOf(s, "a"), 3)
	}
	failing := true
	p.texts.After = func(string) error {
		if failing {
			failing = false
			return fault.Unavailablef(nil, "test_failure", "a store failed")
		}
		return nil
	}
	p.later(acme)
	assert.Len(t, p.textsOf(acme, "a"), 2, "what searches show, and the newest")
	assert.Len(t, p.textsOf(globex, "a"), 3, "whose watchdog has not looked")
	p.keeps(acme)
	p.later(globex)
	p.keeps(globex)
}

// A page that changed between two attempts to fetch it was stored twice, and nobody knows of the first. It goes with its version.
func TestAPageThatWasFetchedTwiceGoesWithItsVersion(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	const url = "https://example.com/a"
	p.web.Serve(url, memory.Page{Body: []byte(prose("rain", 2)), ContentType: "text/plain"})
	p.submit(globex, fetched("a", url))
	p.run(globex)
	p.submit(acme, fetched("a", url))
	failed := false
	p.ledger.Before = func(op string) error {
		if op != "advance" || failed || len(p.textsOf(acme, "a")) == 0 { // until the page is stored
			return nil
		}
		failed = true
		p.web.Serve(url, memory.Page{Body: []byte(prose("sun", 2)), ContentType: "text/plain"})
		return fault.Unavailablef(nil, "test_failure", "the ledger failed")
	}
	p.run(acme)
	require.True(t, failed)
	assert.Equal(t, 1, p.document(acme, "a").Searchable)
	assert.Len(t, p.textsOf(acme, "a"), 2)
	p.keeps(acme)
	p.submit(acme, draft("a", prose("snow", 1)))
	p.run(acme)
	assert.Equal(t, 2, p.document(acme, "a").Searchable)
	assert.Len(t, p.textsOf(acme, "a"), 1)
	p.keeps(acme)
	assert.Len(t, p.textsOf(globex, "a"), 1)
	p.keeps(globex)
}

// TestWhatIsLeftOfALargeDocumentIsNotEmbedded once nobody waits for it: it was cancelled, deleted, or replaced by another that was first. Another
// tenant's document of the same name goes on.
func TestWhatIsLeftOfALargeDocumentIsNotEmbedded(t *testing.T) {
	for name, end := range map[string]func(*platform, tenants.Scope, corpus.Receipt){
		"cancelled": func(p *platform, s tenants.Scope, r corpus.Receipt) {
			_, err := p.ledger.Cancel(t.Context(), s, r.JobID)
			require.NoError(t, err)
		},
		"deleted": func(p *platform, s tenants.Scope, r corpus.Receipt) {
			_, err := p.ledger.Delete(t.Context(), s, corpus.Deletion{DocID: r.DocID, JobID: "erasure"})
			require.NoError(t, err)
		},
		"replaced": func(p *platform, s tenants.Scope, r corpus.Receipt) {
			p.submit(s, draft(r.DocID, "The field is dry."))
			_, err := p.ledger.Relay(t.Context(), s, p.out, 10)
			require.NoError(t, err)
			p.deliver("ingest", 10)
			queue := p.queues.Take("embed", 1000) // the short one is first, as it is where the queue has more than one consumer
			p.queues.Settle("embed", queue[len(queue)-1:], p.router.Handle(t.Context(), "embed", queue[len(queue)-1:]))
			p.queues.Settle("embed", queue[:len(queue)-1], slices.Repeat([]consumers.Verdict{{Outcome: consumers.Retry}}, len(queue)-1))
			p.deliver("index", 100)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			acme, globex := scope(t, "acme"), scope(t, "globex")
			var receipts []corpus.Receipt
			for _, s := range []tenants.Scope{acme, globex} { // acme's slices are before those of the other
				receipts = append(receipts, p.submit(s, draft("large", prose("rain", 300))))
				_, err := p.ledger.Relay(t.Context(), s, p.out, 10)
				require.NoError(t, err)
				p.deliver("ingest", 10)
			}
			large, theirs := receipts[0], receipts[1]
			p.deliver("embed", 3) // some of it is in the index
			p.deliver("index", 3)
			require.NotEmpty(t, p.vectors.IDs(acme, model))
			end(p, acme, large)
			before := p.embedded("acme")
			p.run(acme, globex)
			assert.Equal(t, before, p.embedded("acme"), "texts that a model was called for")
			assert.Equal(t, job.Succeeded, p.job(globex, theirs.JobID).State)
			p.exactly(globex, p.document(globex, "large"))
			if name == "replaced" {
				p.exactly(acme, p.document(acme, "large"))
			} else {
				p.exactly(acme)
			}
		})
	}
}

// deliver hands out the first messages of a queue.
func (p *platform) deliver(queue string, n int) {
	p.t.Helper()
	batch := p.queues.Take(queue, n)
	p.queues.Settle(queue, batch, p.router.Handle(p.t.Context(), queue, batch))
}

// embedded is how many texts of a tenant's documents models were called for.
func (p *platform) embedded(tenant tenants.ID) (n int) {
	for _, c := range p.model.Calls() {
		if c.Tenant == tenant {
			n += c.Texts
		}
	}
	return n
}
