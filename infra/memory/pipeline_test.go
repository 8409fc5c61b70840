package memory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/audit"
	"levada.dev/consumers/chunk"
	"levada.dev/consumers/embed"
	"levada.dev/consumers/erase"
	"levada.dev/consumers/fetch"
	"levada.dev/consumers/index"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

const model = "@cf/baai/bge-small-en-v1.5"

// platform is the whole pipeline in memory.
type platform struct {
	t       testing.TB
	clock   *clock
	texts   *memory.Texts
	web     *memory.Web
	ledger  *memory.Ledger
	vectors *memory.Vectors
	words   *memory.Lexicon
	claims  *memory.Claims
	queues  *memory.Queues
	letters *memory.Letters
	unread  *memory.Unread
	trail   *memory.Trail
	model   *llmtest.Embedder
	out     events.Publisher
	intake  *intake.Intake
	router  *consumers.Router
	chunks  map[string]int // by job
	ids     int
}

// clock goes on by a millisecond each time it is asked.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func newPlatform(t testing.TB, middleware ...consumers.Middleware) *platform {
	return newPlatformWith(t, nil, middleware...)
}

func newPlatformWith(t testing.TB, o *events.Options, middleware ...consumers.Middleware) *platform {
	p := &platform{
		t: t, clock: &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)},
		texts: &memory.Texts{}, web: &memory.Web{}, claims: &memory.Claims{}, queues: &memory.Queues{}, unread: &memory.Unread{},
		trail: &memory.Trail{}, model: &llmtest.Embedder{},
	}
	p.ledger = memory.NewLedger(p.clock.Now)
	p.letters = memory.NewLetters(p.clock.Now)
	p.vectors, p.words = memory.NewVectors(p.clock.Now), memory.NewLexicon()
	p.chunks = map[string]int{}
	p.out = recorder{events.NewPublisher(p.queues, p.claims, o), new(sync.Mutex), p.chunks}
	p.intake = intake.New(p.texts, p.ledger, &intake.Options{NewID: func() string {
		p.ids++
		return fmt.Sprintf("id-%06d", p.ids)
	}})
	p.router = consumers.New(p.routes(), p.claims, consumers.NewUndertaker(p.ledger, p.stores(), p.letters, p.unread), &consumers.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: p.clock.Now, Middleware: middleware,
	})
	return p
}

func (p *platform) stores() corpus.Stores {
	return corpus.Stores{Texts: p.texts, Vectors: p.vectors, Lexicon: p.words}
}

// routes are the pipeline's.
func (p *platform) routes() []consumers.Route {
	return append([]consumers.Route{
		fetch.New(p.texts, p.ledger, p.web, p.out, p.clock.Now).Route(),
		chunk.New(p.texts, p.ledger, p.out, p.clock.Now).Route(),
		embed.New(p.model, p.stores(), p.ledger, p.out, p.clock.Now).Route(),
		index.New(p.stores(), p.ledger, p.out, p.clock.Now).Route(),
		audit.New(p.trail).Route(),
	}, erase.New(p.stores(), p.ledger, p.letters).Routes()...)
}

func scope(t *testing.T, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

func draft(docID, text string) corpus.Draft {
	return corpus.Draft{
		DocID: docID, Text: []byte(text), ContentType: "text/plain", Model: model,
		About: events.About{Title: "On " + docID, Source: "test", Metadata: map[string]any{"year": 2026.0}},
		Cause: events.Cause{ID: "request-" + docID, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	}
}

// prose is a text of n paragraphs, each a chunk of its own at 32 tokens.
func prose(word string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Paragraph %d tells about %s. ", i, word)
		b.WriteString(strings.Repeat("The water goes down the field. ", 4) + "\n\n")
	}
	return b.String()
}

func (p *platform) submit(s tenants.Scope, d corpus.Draft) corpus.Receipt {
	p.t.Helper()
	d.Chunking = events.Chunking{MaxTokens: 32}
	r, err := p.intake.Submit(p.t.Context(), s, d)
	require.NoError(p.t, err)
	return r
}

// run relays the outboxes and delivers until nothing is left.
func (p *platform) run(ss ...tenants.Scope) {
	p.t.Helper()
	for idle := 0; idle < 3; {
		moved := p.queues.Pump(p.t.Context(), p.router)
		for _, s := range ss {
			n, err := p.ledger.Relay(p.t.Context(), s, p.out, 10)
			moved += n
			if err != nil {
				moved++
			}
		}
		if idle++; moved > 0 {
			idle = 0
		}
	}
}

func (p *platform) document(s tenants.Scope, id string) corpus.Document {
	p.t.Helper()
	docs, err := p.ledger.Documents(p.t.Context(), s, []string{id})
	require.NoError(p.t, err)
	require.Len(p.t, docs, 1)
	return docs[0]
}

// kept is a tenant's letters, newest first.
func (p *platform) kept(s tenants.Scope) []letters.Letter {
	p.t.Helper()
	page, err := p.letters.List(p.t.Context(), s, letters.Query{}, "", letters.MaxPage, true)
	require.NoError(p.t, err)
	return page.Letters
}

func (p *platform) job(s tenants.Scope, id string) job.Job {
	p.t.Helper()
	j, err := p.ledger.Job(p.t.Context(), s, id)
	require.NoError(p.t, err)
	return j
}

// exactly asserts that the tenant's index holds the given generations of documents, whole, and nothing else.
func (p *platform) exactly(s tenants.Scope, docs ...corpus.Document) {
	p.t.Helper()
	var want []string
	for _, d := range docs {
		for i := range d.Chunks {
			want = append(want, corpus.VectorID(s, d.ID, d.Generation, i))
		}
	}
	slices.Sort(want)
	assert.Equal(p.t, want, p.vectors.IDs(s, model), "vectors of %s", s.Tenant())
	assert.Equal(p.t, want, p.words.IDs(s), "passages of %s", s.Tenant())
}

func TestADocumentBecomesSearchable(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	r := p.submit(acme, draft("guide", prose("levadas", 40)))
	other := p.submit(globex, draft("guide", prose("transistors", 3)))
	assert.Equal(t, job.Queued, p.job(acme, r.JobID).State)
	p.run(acme, globex)

	d := p.document(acme, "guide")
	assert.Equal(t, corpus.Indexed, d.State)
	assert.Equal(t, 1, d.Searchable)
	assert.Greater(t, d.Chunks, 40)
	slices := (d.Chunks + 15) / 16
	assert.Equal(t, []corpus.Stage{corpus.StageSubmit, corpus.StageChunk, corpus.StageEmbed, corpus.StageIndex}, stages(d))
	j := p.job(acme, r.JobID)
	assert.Equal(t, job.Succeeded, j.State)
	assert.Equal(t, 100, j.Percent)
	assert.Equal(t, job.Counts{Total: slices, Done: slices}, j.Counts)
	p.exactly(acme, d)
	p.exactly(globex, p.document(globex, "guide"))
	assert.Equal(t, job.Succeeded, p.job(globex, other.JobID).State)

	question, _ := llmtest.Vector("what is there about levadas", 384)
	found, err := p.vectors.Query(t.Context(), acme, model, corpus.VectorQuery{Values: question, TopK: 3, Filter: []byte(`{"meta.year":{"$gte":2026}}`)})
	require.NoError(t, err)
	require.Len(t, found, 3)
	assert.Contains(t, found[0].Metadata.Text, "levadas")

	assert.Empty(t, p.kept(acme))
	for _, s := range []tenants.Scope{acme, globex} {
		types := map[string]int{}
		for _, e := range p.trail.Entries(s) {
			types[e.Type]++
			assert.Contains(t, e.TraceParent, "4bf92f3577b34da6a3ce929d0e0e4736", "one trace from the request to the end")
		}
		assert.Equal(t, 1, types[events.TypeDocumentSubmitted])
		assert.Equal(t, 1, types[events.TypeDocumentIndexed])
	}
	_, err = p.ledger.Job(t.Context(), globex, r.JobID)
	assert.Equal(t, "job_not_found", fault.As(err).Code, "another tenant's job is no job")
}

func stages(d corpus.Document) (out []corpus.Stage) {
	for _, s := range d.Stages {
		out = append(out, s.Stage)
	}
	return out
}

func TestTextsOfManyDocumentsShareCalls(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	for i := range 50 {
		p.submit(acme, draft(fmt.Sprintf("a%d", i), prose("rain", 1)))
		p.submit(globex, draft(fmt.Sprintf("g%d", i), prose("snow", 1)))
	}
	for _, s := range []tenants.Scope{acme, globex} {
		_, err := p.ledger.Relay(t.Context(), s, p.out, 100)
		require.NoError(t, err)
	}
	p.run(acme, globex)
	calls := p.model.Calls()
	require.Len(t, calls, 2, "one call for each tenant, never one for both")
	assert.Equal(t, 100, calls[0].Texts)
	assert.NotEqual(t, calls[0].Tenant, calls[1].Tenant)
}

func TestAPoisonDocumentFailsAlone(t *testing.T) {
	p := newPlatform(t, func(r consumers.Route, next consumers.Handler) consumers.Handler {
		return func(ctx context.Context, s tenants.Scope, ds []consumers.Delivery) []error {
			for _, d := range ds {
				if r.Name == "chunk" && d.Event.Subject == "documents/panic" {
					panic("poison")
				}
			}
			return next(ctx, s, ds)
		}
	})
	p.model.Before = func(_ llm.Call, texts []string) error {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "cyanide") }) {
			return fault.Invalidf("texts", "text_refused", "no")
		}
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "never") }) {
			return fault.Unavailablef(nil, "model_busy", "later")
		}
		return nil
	}
	acme, globex := scope(t, "acme"), scope(t, "globex")
	good := p.submit(acme, draft("good", prose("rain", 20)))
	poison := p.submit(acme, draft("poison", prose("rain", 20)+"This one holds cyanide."))
	panics := p.submit(acme, draft("panic", prose("rain", 2)))
	blank := draft("empty", "<script>nothing that a reader sees</script>")
	blank.ContentType = "text/html"
	empty := p.submit(acme, blank)
	never := p.submit(globex, draft("never", prose("never", 2)))
	p.run(acme, globex)

	assert.Equal(t, job.Succeeded, p.job(acme, good.JobID).State)
	for _, c := range []struct {
		s          tenants.Scope
		r          corpus.Receipt
		stage      corpus.Stage
		code       string
		attempts   int
		handlerOff bool
	}{
		{s: acme, r: poison, stage: corpus.StageEmbed, code: "text_refused", attempts: 1},
		{s: acme, r: panics, stage: corpus.StageChunk, code: "handler_panicked", attempts: 4},
		{s: acme, r: empty, stage: corpus.StageChunk, code: "document_has_no_text", attempts: 1},
		{s: globex, r: never, stage: corpus.StageEmbed, code: "model_busy", attempts: 4},
	} {
		j := p.job(c.s, c.r.JobID)
		require.Equal(t, job.Failed, j.State, c.r.DocID)
		assert.Equal(t, c.code, j.Errors[0].Code)
		d := p.document(c.s, c.r.DocID)
		assert.Equal(t, corpus.Failed, d.State)
		assert.Equal(t, c.code, d.Why.Error)
		last := d.Stages[len(d.Stages)-1]
		assert.Equal(t, c.stage, last.Stage)
		assert.Equal(t, c.attempts, last.Attempts, c.r.DocID)
		i := slices.IndexFunc(p.kept(c.s), func(l letters.Letter) bool { return l.Subject == "documents/"+c.r.DocID })
		require.GreaterOrEqual(t, i, 0, "a letter for %s", c.r.DocID)
		letter := p.kept(c.s)[i]
		assert.Equal(t, []any{string(c.stage), c.r.DocID, 1}, []any{letter.Stage, letter.DocID, letter.Generation})
		assert.Equal(t, c.code, letter.Code)
		assert.Equal(t, string(c.stage), letter.Handler)
		assert.Equal(t, c.attempts, letter.Attempts)
		assert.NotEmpty(t, letter.TraceParent)
		_, err := events.Decode(letter.Body)
		assert.NoError(t, err, "a letter can be sent again")
		failed := 0
		for _, e := range p.trail.Entries(c.s) {
			if e.Type == events.TypeDocumentFailed && e.Subject == "documents/"+c.r.DocID {
				failed++
			}
		}
		assert.Equal(t, 1, failed, "document.failed of %s", c.r.DocID)
	}
	p.exactly(acme, p.document(acme, "good"))
	p.exactly(globex)
}

func TestWhatCannotBeReadIsBuried(t *testing.T) {
	p := newPlatform(t)
	ms := []consumers.Message{{ID: "a", Body: []byte("{"), Attempts: 1}, {ID: "b", Body: nil, Attempts: 1}}
	for _, v := range p.router.Handle(t.Context(), "ingest", ms) {
		assert.Equal(t, consumers.Dead, v.Outcome)
	}
	require.Len(t, p.unread.All(), 2)
	assert.Equal(t, "{", string(p.unread.All()[0].Body))

	p.unread.Before = func(string) error { return errors.New("no space") }
	for _, v := range p.router.Handle(t.Context(), "ingest", ms) {
		assert.Equal(t, consumers.Retry, v.Outcome, "what could not be kept comes again")
		assert.Positive(t, v.Delay)
	}
}

func TestTheDeadLetterQueueFailsWhatNobodyLivedToBury(t *testing.T) {
	p := newPlatform(t)
	acme := scope(t, "acme")
	r := p.submit(acme, draft("killer", prose("rain", 2)))
	_, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
	require.NoError(t, err)
	for range 4 { // the isolate dies each time: no verdicts
		batch := p.queues.Take("ingest", 10)
		require.Len(t, batch, 1)
		p.queues.Settle("ingest", batch, nil)
	}
	require.Equal(t, 1, p.queues.Len("ingest-dlq"))
	p.run(acme)
	j := p.job(acme, r.JobID)
	assert.Equal(t, job.Failed, j.State)
	assert.Equal(t, "attempts_exhausted", j.Errors[0].Code)
}

func TestALostClaimFailsItsDocument(t *testing.T) {
	p := newPlatformWith(t, &events.Options{MessageBytes: 1200})
	acme := scope(t, "acme")
	r := p.submit(acme, draft("lost", prose("rain", 10)))
	_, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
	require.NoError(t, err)
	batch := p.queues.Take("ingest", 10)
	p.queues.Settle("ingest", batch, p.router.Handle(t.Context(), "ingest", batch))
	p.claims.Drop() // what chunk told is gone
	p.run(acme)
	j := p.job(acme, r.JobID)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "claim_not_found", j.Errors[0].Code)
	assert.Equal(t, string(corpus.StageEmbed), j.Errors[0].Stage)
}

func TestAFactThatCannotBeReadFailsItsDocument(t *testing.T) {
	for name, spoil := range map[string][2]string{
		"its chunks":   {`"parts":[`, `"parts":5,"were":[`},
		"its document": {`"docId":"spoiled"`, `"docId":5`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			acme := scope(t, "acme")
			r := p.submit(acme, draft("spoiled", prose("rain", 2)))
			_, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
			require.NoError(t, err)
			batch := p.queues.Take("ingest", 10)
			p.queues.Settle("ingest", batch, p.router.Handle(t.Context(), "ingest", batch))
			batch = p.queues.Take("embed", 10)
			for i := range batch {
				body := strings.Replace(string(batch[i].Body), spoil[0], spoil[1], 1)
				require.NotEqual(t, string(batch[i].Body), body)
				batch[i].Body = []byte(body)
			}
			p.queues.Settle("embed", batch, p.router.Handle(t.Context(), "embed", batch))
			p.run(acme)
			assert.Equal(t, job.Failed, p.job(acme, r.JobID).State)
		})
	}
}

// TestEverythingFailsAndEndsTheSame runs documents of two tenants with two generations each in flight through queues
// that shuffle and repeat, while calls of every store fail before or after their work. In the end it is as if
// nothing had failed.
func TestEverythingFailsAndEndsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			p := newPlatform(t)
			acme, globex := scope(t, "acme"), scope(t, "globex")
			p.queues.Rand, p.queues.Duplicate = rand.New(rand.NewPCG(seed, 8)), 0.2
			var receipts []corpus.Receipt
			for gen := range 2 {
				for doc := range 3 {
					d := draft(fmt.Sprint("d", doc), prose(fmt.Sprint("g", gen), 1+rng.IntN(40)))
					receipts = append(receipts, p.submit(acme, d), p.submit(globex, d))
				}
			}
			failing := fault.Unavailablef(nil, "test_failure", "a store failed")
			budget := 300 // failures in all, so that it ends
			var mu sync.Mutex
			fail := func(string) error {
				mu.Lock()
				defer mu.Unlock()
				if budget > 0 && rng.IntN(6) == 0 {
					budget--
					return failing
				}
				return nil
			}
			hooks := memory.Hooks{Before: fail, After: fail}
			p.texts.Hooks, p.ledger.Hooks, p.vectors.Hooks, p.words.Hooks, p.claims.Hooks = hooks, hooks, hooks, hooks, hooks
			p.queues.Hooks, p.letters.Hooks, p.trail.Hooks = hooks, hooks, hooks
			p.model.Before = func(llm.Call, []string) error { return fail("") }
			p.queues.MaxAttempts = 1000
			p.router = patient(p)
			p.run(acme, globex)
			p.texts.Hooks, p.ledger.Hooks, p.vectors.Hooks, p.words.Hooks, p.letters.Hooks = memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}

			assert.Empty(t, p.kept(acme))
			assert.Empty(t, p.kept(globex))
			assert.Empty(t, p.unread.All())
			for _, s := range []tenants.Scope{acme, globex} {
				var docs []corpus.Document
				for doc := range 3 {
					d := p.document(s, fmt.Sprint("d", doc))
					assert.Equal(t, corpus.Indexed, d.State)
					assert.Equal(t, 2, d.Searchable)
					docs = append(docs, d)
				}
				p.exactly(s, docs...)
				for i, r := range receipts {
					if tenant := []tenants.Scope{acme, globex}[i%2]; tenant != s {
						continue
					}
					j := p.job(s, r.JobID)
					assert.True(t, j.State == job.Succeeded || r.Generation == 1 && j.State == job.Cancelled, "%s: %s", r.JobID, j.State)
				}
				seen := map[string]bool{}
				for _, e := range p.trail.Entries(s) {
					if e.Type == events.TypeDocumentIndexed {
						seen[e.Subject] = true
					}
				}
				assert.Len(t, seen, 3)
			}
		})
	}
}

// patient is the platform's router, with more routes, and with attempts without end.
func patient(p *platform, more ...consumers.Route) *consumers.Router {
	n := 1 << 20
	return consumers.New(append(p.routes(), more...), p.claims, consumers.NewUndertaker(p.ledger, p.stores(), p.letters, p.unread), &consumers.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: p.clock.Now,
		MaxAttempts: map[string]int{"fetch": n, "ingest": n, "embed": n, "index": n, "audit": n},
	})
}

// TestFailuresForGoodLeaveNothingBehind lets attempts run out at random, so that documents fail at every point. Whatever
// happened, the index holds exactly what is searchable.
func TestFailuresForGoodLeaveNothingBehind(t *testing.T) {
	failedOnce := false
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 9))
			p := newPlatform(t)
			acme := scope(t, "acme")
			p.queues.Rand, p.queues.Duplicate = rand.New(rand.NewPCG(seed, 10)), 0.1
			var receipts []corpus.Receipt
			for range 3 {
				for doc := range 3 {
					receipts = append(receipts, p.submit(acme, draft(fmt.Sprint("d", doc), prose("rain", 1+rng.IntN(60)))))
				}
			}
			budget := 60
			fail := func(string) error {
				if budget > 0 && rng.IntN(3) == 0 {
					budget--
					return fault.Unavailablef(nil, "test_failure", "a store failed")
				}
				return nil
			}
			p.vectors.Before, p.vectors.After, p.texts.Before = fail, fail, fail
			p.words.Before, p.words.After = fail, fail
			p.model.Before = func(llm.Call, []string) error { return fail("") }
			p.run(acme)
			p.vectors.Hooks, p.words.Hooks = memory.Hooks{}, memory.Hooks{}
			for _, q := range []string{"ingest", "embed", "index"} {
				require.Zero(t, p.queues.Len(q+"-dlq-dlq"), q)
			}

			want := []string{}
			for doc := range 3 {
				d := p.document(acme, fmt.Sprint("d", doc))
				assert.Contains(t, []corpus.State{corpus.Indexed, corpus.Failed}, d.State)
				failedOnce = failedOnce || d.State == corpus.Failed
				for _, r := range receipts {
					j := p.job(acme, r.JobID)
					require.True(t, j.State.Final(), "job %s of %s/%d is %s", j.ID, r.DocID, r.Generation, j.State)
					if r.DocID == d.ID && r.Generation == d.Searchable {
						require.Equal(t, job.Succeeded, j.State)
						for i := range p.chunks[r.JobID] {
							want = append(want, corpus.VectorID(acme, d.ID, r.Generation, i))
						}
					}
				}
			}
			slices.Sort(want)
			assert.Equal(t, want, append([]string{}, p.vectors.IDs(acme, model)...))
			assert.Equal(t, want, append([]string{}, p.words.IDs(acme)...))
		})
	}
	assert.True(t, failedOnce, "the test has to make documents fail")
}

// recorder notes how many chunks each job's generation was cut into.
type recorder struct {
	events.Publisher
	mu     *sync.Mutex
	chunks map[string]int
}

func (r recorder) Publish(ctx context.Context, s tenants.Scope, evs ...events.Event) error {
	for _, e := range evs {
		var f events.DocumentChunked
		if e.Type == events.TypeDocumentChunked && e.As(&f) == nil {
			r.mu.Lock()
			r.chunks[f.JobID] = f.Chunks
			r.mu.Unlock()
		}
	}
	return r.Publisher.Publish(ctx, s, evs...)
}
