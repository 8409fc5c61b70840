package memory_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

func (p *platform) delete(s tenants.Scope, docID string) corpus.Receipt {
	p.t.Helper()
	p.ids++
	r, err := p.ledger.Delete(p.t.Context(), s, corpus.Deletion{
		DocID: docID, JobID: fmt.Sprintf("id-%06d", p.ids), Cause: events.Cause{ID: fmt.Sprint("delete-", p.ids)},
	})
	require.NoError(p.t, err)
	return r
}

func (p *platform) textsOf(s tenants.Scope, docID string) []string {
	p.t.Helper()
	keys, err := p.texts.List(p.t.Context(), s, corpus.TextPrefix(docID), 1000)
	require.NoError(p.t, err)
	return keys
}

func TestADeletedDocumentIsGoneFromEveryStore(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	p.submit(acme, draft("a", prose("rain", 20)))
	p.submit(acme, draft("a/b", prose("snow", 2)))
	p.submit(globex, draft("a", prose("hail", 2)))
	p.run(acme, globex)
	p.submit(acme, draft("a", prose("sun", 30)))
	p.run(acme, globex)
	chunks := p.document(acme, "a").Chunks
	require.Len(t, p.textsOf(acme, "a"), 1, "that of the version that was replaced is gone")

	r := p.delete(acme, "a")
	d := p.document(acme, "a")
	assert.Equal(t, []any{corpus.Deleted, 0, corpus.WhyDeleted, r.JobID}, []any{d.State, d.Searchable, d.Why.Code, d.JobID}, "at once")
	assert.Empty(t, d.Title+d.Source+d.SHA256, "a tombstone says nothing of what it was")
	assert.Equal(t, r, p.delete(acme, "a"), "it is being erased already")
	assert.Equal(t, job.Queued, p.job(acme, r.JobID).State)
	p.run(acme, globex)

	j := p.job(acme, r.JobID)
	require.Equal(t, job.Succeeded, j.State)
	assert.False(t, j.Erasure.CheckedAt.IsZero())
	j.Erasure.CheckedAt = time.Time{}
	assert.Equal(t, &job.Erasure{DocID: "a", Generations: 1, Vectors: chunks, Passages: chunks, Texts: 1}, j.Erasure)
	assert.Equal(t, []any{100, 2*chunks + 1, 2*chunks + 1}, []any{j.Percent, j.Counts.Total, j.Counts.Done})
	assert.Equal(t, r, p.delete(acme, "a"), "it was erased: there is its job")
	assert.Empty(t, p.textsOf(acme, "a"))
	p.exactly(acme, p.document(acme, "a/b"))
	p.exactly(globex, p.document(globex, "a"))
	assert.Len(t, p.textsOf(acme, "a/b"), 1, "the document below it")
	assert.Len(t, p.textsOf(globex, "a"), 1, "another's")
	told := 0
	for _, e := range p.trail.Entries(acme) {
		if e.Type == events.TypeDocumentErased {
			told++
		}
	}
	assert.Equal(t, 1, told)

	again := p.submit(acme, draft("a", prose("sun", 30)))
	assert.Equal(t, 3, again.Generation, "above all earlier ones")
	p.run(acme, globex)
	p.exactly(acme, p.document(acme, "a"), p.document(acme, "a/b"))
	assert.Len(t, p.document(acme, "a").Versions, 1, "of its new life")

	_, err := p.ledger.Delete(t.Context(), globex, corpus.Deletion{DocID: "a/b", JobID: "x", Cause: events.Cause{ID: "x"}})
	assert.Equal(t, "document_not_found", fault.As(err).Code, "another's is not there")
}

func TestADeletionInTheMiddleOfTheWayEndsIt(t *testing.T) {
	for stop := range 12 {
		t.Run(fmt.Sprint(stop), func(t *testing.T) {
			p := newPlatform(t)
			acme := scope(t, "acme")
			p.vectors.Lag = 20 * time.Millisecond
			r := p.submit(acme, draft("doc", prose("rain", 150))) // too long to travel
			for range stop {
				_, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
				require.NoError(t, err)
				for _, q := range []string{"ingest", "embed", "index"} {
					if batch := p.queues.Take(q, 1); len(batch) > 0 {
						p.queues.Settle(q, batch, p.router.Handle(t.Context(), q, batch))
						break
					}
				}
			}
			was := p.job(acme, r.JobID)
			erasure := p.delete(acme, "doc")
			p.router = patient(p)
			p.run(acme)
			if was.State.Final() {
				assert.Equal(t, was, p.job(acme, r.JobID))
			} else {
				assert.Equal(t, job.Cancelled, p.job(acme, r.JobID).State)
			}
			assert.Equal(t, job.Succeeded, p.job(acme, erasure.JobID).State)
			p.clock.advance(time.Second) // what was written last shows
			p.exactly(acme)
			assert.Zero(t, p.texts.Len(acme))
			assert.Empty(t, p.kept(acme), "nobody has failed")
		})
	}
}

// TestErasureAgainstStoresThatFail lets every call of every store fail before and after its effect. Either the erasure ends, or
// its job says that it did not, and the next deletion finishes it.
func TestErasureAgainstStoresThatFail(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 21))
			p := newPlatform(t)
			acme := scope(t, "acme")
			p.submit(acme, draft("doc", prose("rain", 40)))
			p.run(acme)
			chunks := p.document(acme, "doc").Chunks
			fail := func(string) error {
				if rng.IntN(3) == 0 {
					return fault.Unavailablef(nil, "test_failure", "a store failed")
				}
				return nil
			}
			hooks := memory.Hooks{Before: fail, After: fail}
			p.texts.Hooks, p.vectors.Hooks, p.words.Hooks, p.letters.Hooks, p.trail.Hooks = hooks, hooks, hooks, hooks, hooks
			r := p.delete(acme, "doc")
			p.run(acme)
			p.texts.Hooks, p.vectors.Hooks, p.words.Hooks, p.letters.Hooks, p.trail.Hooks = memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}
			j := p.job(acme, r.JobID)
			require.True(t, j.State.Final())
			if j.State == job.Failed {
				assert.NotEmpty(t, j.Errors[0].Code)
				again := p.delete(acme, "doc")
				assert.NotEqual(t, r.JobID, again.JobID)
				p.run(acme)
				j = p.job(acme, again.JobID)
			} else {
				assert.Equal(t, []int{chunks, 1}, []int{j.Erasure.Vectors, j.Erasure.Texts}, "counted before anything was removed")
			}
			assert.Equal(t, job.Succeeded, j.State)
			p.exactly(acme)
			assert.Zero(t, p.texts.Len(acme))
		})
	}
}

// ways is a client that submits, deletes and cancels documents of two tenants in any order, while consumers go on beside it
// at any moment: also between the storing of a text and its submission.
type ways struct {
	*platform
	rng     *rand.Rand
	scopes  []tenants.Scope
	last    map[string]corpus.Draft // what is there at the end, by tenant and document; without it, it is deleted
	known   map[string]int          // the generation at the last deletion
	jobs    map[string][]string     // by tenant
	erasing map[string][]string
	depth   int
}

func way(s tenants.Scope, doc string) string { return string(s.Tenant()) + " " + doc }

// move lets the outboxes and queues go on a little.
func (w *ways) move() {
	for range w.rng.IntN(6) {
		if w.rng.IntN(2) == 0 {
			_, _ = w.ledger.Relay(w.t.Context(), w.scopes[w.rng.IntN(2)], w.out, 1+w.rng.IntN(3))
			continue
		}
		q := []string{"ingest", "embed", "index", "ingest"}[w.rng.IntN(4)]
		if batch := w.queues.Take(q, 1+w.rng.IntN(3)); len(batch) > 0 {
			w.queues.Settle(q, batch, w.router.Handle(w.t.Context(), q, batch))
		}
	}
}

func (w *ways) act() {
	s, doc := w.scopes[w.rng.IntN(2)], fmt.Sprint("d", w.rng.IntN(2))
	switch n := w.rng.IntN(10); {
	case n < 4 && w.depth == 0:
		d := draft(doc, prose(fmt.Sprint("v", w.rng.IntN(3)), []int{1, 5, 20, 110}[w.rng.IntN(4)])) // the last is too long to travel
		w.depth++
		r := w.retried(func() (corpus.Receipt, error) { return w.intake.Submit(w.t.Context(), s, d) })
		w.depth--
		w.last[way(s, doc)] = d
		w.jobs[string(s.Tenant())] = append(w.jobs[string(s.Tenant())], r.JobID)
	case n < 7:
		w.ids++
		del := corpus.Deletion{DocID: doc, JobID: fmt.Sprintf("id-%06d", w.ids), Cause: events.Cause{ID: fmt.Sprint("delete-", w.ids)}}
		if _, known := w.known[way(s, doc)]; !known && len(w.jobs[string(s.Tenant())]) == 0 {
			return
		}
		r := w.retried(func() (corpus.Receipt, error) { return w.ledger.Delete(w.t.Context(), s, del) })
		if r.DocID == "" {
			return // there is none
		}
		delete(w.last, way(s, doc))
		w.known[way(s, doc)] = r.Generation
		w.erasing[string(s.Tenant())] = append(w.erasing[string(s.Tenant())], r.JobID)
	default:
		w.move()
	}
}

// retried does what a client does until it has an answer.
func (w *ways) retried(f func() (corpus.Receipt, error)) corpus.Receipt {
	for range 1000 {
		r, err := f()
		switch {
		case err == nil:
			return r
		case fault.As(err).Code == "document_not_found":
			return corpus.Receipt{}
		case !fault.Retryable(err):
			require.Equal(w.t, "text_erased", fault.As(err).Code)
		}
	}
	w.t.Fatal("no answer")
	return corpus.Receipt{}
}

func TestDeletionsAndSubmissionsInAnyOrder(t *testing.T) {
	erased, alive := 0, 0
	for seed := range uint64(80) {
		w := &ways{
			platform: newPlatform(t), rng: rand.New(rand.NewPCG(seed, 31)), scopes: []tenants.Scope{scope(t, "acme"), scope(t, "globex")},
			last: map[string]corpus.Draft{}, known: map[string]int{}, jobs: map[string][]string{}, erasing: map[string][]string{},
		}
		w.queues.Rand, w.queues.Duplicate, w.queues.MaxAttempts = rand.New(rand.NewPCG(seed, 32)), 0.1, 1<<20
		w.vectors.Lag = time.Duration(seed%3) * 30 * time.Millisecond
		w.router = patient(w.platform)
		budget := 60
		fail := func(string) error {
			if budget > 0 && w.rng.IntN(12) == 0 {
				budget--
				return fault.Unavailablef(nil, "test_failure", "a store failed")
			}
			return nil
		}
		hooks := memory.Hooks{Before: fail, After: fail}
		w.vectors.Hooks, w.words.Hooks, w.ledger.Hooks, w.claims.Hooks = hooks, hooks, hooks, hooks
		w.texts.Before = fail
		w.texts.After = func(op string) error {
			if op == "put" && w.depth == 1 { // between store and ledger
				for range w.rng.IntN(6) {
					w.depth++
					w.act()
					w.move()
					w.depth--
				}
			}
			return fail(op)
		}
		for range 30 {
			w.act()
		}
		w.run(w.scopes...)
		w.texts.Hooks, w.vectors.Hooks, w.words.Hooks, w.ledger.Hooks = memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}

		w.clock.now = w.clock.now.Add(time.Second) // what was written shows

		for _, s := range w.scopes {
			var there []corpus.Document
			for _, doc := range []string{"d0", "d1"} {
				want, lives := w.last[way(s, doc)]
				keys := w.textsOf(s, doc)
				if !lives {
					assert.Empty(t, keys, "seed %d: texts of %s", seed, way(s, doc))
					erased++
					continue
				}
				alive++
				d := w.document(s, doc)
				require.Equal(t, corpus.Indexed, d.State, "seed %d: %s: %+v", seed, way(s, doc), d.Why)
				require.Equal(t, d.Generation, d.Searchable)
				text, err := w.texts.Get(t.Context(), s, d.TextKey)
				require.NoError(t, err, "seed %d: a document is whole that was submitted after its deletion", seed)
				assert.Equal(t, string(want.Text), string(text))
				for _, v := range d.Versions {
					assert.Greater(t, v.Generation, w.known[way(s, doc)])
				}
				there = append(there, d)
			}
			w.exactly(s, there...)
			for _, id := range w.erasing[string(s.Tenant())] {
				j := w.job(s, id)
				require.Equal(t, job.Succeeded, j.State, "seed %d: erasure %s: %+v", seed, id, j)
				require.Zero(t, j.Erasure.Remaining)
			}
			for _, id := range w.jobs[string(s.Tenant())] {
				require.True(t, w.job(s, id).State.Final(), "seed %d: %s", seed, id)
			}
			assert.Empty(t, w.kept(s), "seed %d: nobody has failed", seed)
		}
		if t.Failed() {
			return
		}
	}
	assert.Positive(t, erased)
	assert.Positive(t, alive)
}
