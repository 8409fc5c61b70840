package memory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	eraser "levada.dev/consumers/erasure"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/metertest"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/speech/speechtest"
	"levada.dev/workflows/tools"
)

// holding is a platform in which two tenants have something in every store.
type holding struct {
	*platform
	parts           *memory.Parts
	files           *memory.Files
	cache           *memory.Cache
	money           *memory.Quota
	asleep          func() // besides
	sessions        *memory.Sessions
	shelf           *memory.Shelf
	calls           *memory.Calls
	desks           *memory.Speech
	sounds          *memory.Sounds
	meters          *memory.Meters
	batches         int64
	objects, cached *memory.Swept
	acme, globex    tenants.Scope
	receipt         corpus.Receipt
	before          string // all of globex
}

func newHolding(t *testing.T) *holding {
	p := &holding{platform: newPlatform(t), parts: &memory.Parts{}, files: &memory.Files{}, acme: scope(t, "acme"), globex: scope(t, "globex")}
	p.cache = memory.NewCache(p.clock.Now)
	p.money = memory.NewQuota(p.clock.Now)
	p.shelf = memory.NewShelf(p.clock.Now)
	p.sessions = memory.NewSessions(p.shelf, p.clock.Now)
	p.calls = memory.NewCalls(p.clock.Now)
	p.desks, p.sounds = memory.NewSpeech(p.clock.Now), &memory.Sounds{}
	p.meters = memory.NewMeters(p.clock.Now)
	p.objects, p.cached = memory.NewObjects(p.texts, p.claims, p.parts, p.files, p.sounds), memory.NewCached(p.cache)
	p.router = consumers.New(p.routes(), p.claims, consumers.NewUndertaker(p.ledger, p.stores(), p.letters, p.unread),
		&consumers.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: p.clock.Now})
	for _, s := range []tenants.Scope{p.acme, p.globex} {
		p.fill(s)
	}
	p.run(p.acme, p.globex)
	return p
}

// fill puts something into every store.
func (p *holding) fill(s tenants.Scope) {
	ctx, t := p.t.Context(), p.t
	for i := range 3 {
		p.submit(s, draft(fmt.Sprint("doc-", i), prose("rain of "+string(s.Tenant()), 1+i)))
	}
	require.NoError(t, p.texts.Put(ctx, s, "orphan/j/s", []byte("nobody knows of it"), "text/plain"))
	require.NoError(t, p.claims.Put(ctx, s, "claim", []byte("{}")))
	require.NoError(t, p.parts.Put(ctx, s, "import", 0, strings.NewReader("{}\n"), 3))
	p.files.Put(s, "a/b.txt", "text/plain", []byte("a file"))
	require.NoError(t, p.cache.Put(ctx, s, cache.Key{Kind: "k", Name: "n"}, []byte("answer"), 24*time.Hour))
	values := make([]float32, 384)
	values[7] = 1
	for i := range 60 { // more than a query shows
		require.NoError(t, p.vectors.Upsert(ctx, s, model, []corpus.Vector{{ID: fmt.Sprintf("%s-orphan-%d", s.Tenant(), i), Values: values}}))
		require.NoError(t, p.words.Put(ctx, s, []corpus.Passage{{Metadata: corpus.Metadata{DocID: fmt.Sprintf("%s-orphan-%d", s.Tenant(), i), Generation: 1}, Body: []string{"x"}}}))
	}
	require.NoError(t, p.letters.Keep(ctx, s, []letters.Letter{{Tenant: s.Tenant(), ID: "l", Queue: "audit", Code: "c", At: p.clock.Now(), Body: []byte("{}")}}))
	_, err := p.calls.Begin(ctx, s, tools.Opening{Key: "k", Hash: "h", ID: "c", Lease: time.Minute})
	require.NoError(t, err)
	require.NoError(t, speechtest.Fill(ctx, p.desks, s, 1))
	require.NoError(t, p.sounds.Put(ctx, s, "reel", "part", []byte("spoken")))
	require.NoError(t, metertest.Fill(ctx, p.meters, s, 1))
	p.noticed(s)
	_, err = p.sessions.Begin(ctx, s, opening())
	require.NoError(t, err)
}

// noticed counts something of the tenant, as each isolate does, whatever fails.
func (p *holding) noticed(s tenants.Scope) {
	p.batches++
	for p.meters.Add(p.t.Context(), s, meter.Batch{Writer: "isolate", Number: p.batches, Set: metertest.Set(1)}) != nil {
	}
}

// all is everything that can be seen of a tenant, as text.
func (p *holding) all(s tenants.Scope) string {
	ctx, t := p.t.Context(), p.t
	t.Helper()
	docs, err := p.ledger.List(ctx, s, corpus.Listing{Limit: 200})
	require.NoError(t, err)
	jobs, err := p.ledger.Jobs(ctx, s, corpus.JobListing{Limit: 200})
	require.NoError(t, err)
	list, err := p.shelf.List(ctx, s, "", "", 100)
	require.NoError(t, err)
	var texts []string
	for _, d := range docs.Documents {
		text, err := p.texts.Get(ctx, s, d.TextKey)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	files, _, err := p.files.List(ctx, s, "", "", 10)
	require.NoError(t, err)
	objects, err := p.objects.Left(ctx, s)
	require.NoError(t, err)
	cached, err := p.cached.Left(ctx, s)
	require.NoError(t, err)
	spoken, err := p.desks.Jobs(ctx, s, "", 10)
	require.NoError(t, err)
	counted, err := p.meters.Count(ctx, s, 100)
	require.NoError(t, err)
	text, err := json.MarshalIndent([]any{docs, jobs, list, texts, files, objects, cached, spoken, counted, p.vectors.IDs(s, model), p.words.IDs(s), p.kept(s)}, "", " ")
	require.NoError(t, err)
	return string(text)
}

// begin asks for the erasure of acme and makes its run, which the test runs itself. While it sleeps the world goes on.
func (p *holding) begin() *flowtest.Engine {
	p.before = p.all(p.globex)
	p.submit(p.acme, draft("on-its-way", prose("haste", 30)))
	p.submit(p.acme, draft("doc-1", prose("haste", 2)))
	_, err := p.ledger.Relay(p.t.Context(), p.acme, p.out, 10)
	require.NoError(p.t, err)
	for _, queue := range []string{"ingest", "embed"} {
		if batch := p.queues.Take(queue, 1); len(batch) > 0 {
			p.queues.Settle(queue, batch, p.router.Handle(p.t.Context(), queue, batch))
		}
	}
	return p.ask("erasure-1")
}

func (p *holding) ask(id string) *flowtest.Engine {
	var err error
	for range 3 {
		if p.receipt, err = p.ledger.OpenErasure(p.t.Context(), p.acme, erasure.Request{JobID: id, Cause: events.Cause{ID: "request", IdempotencyKey: "key-" + id}}); err == nil {
			break
		}
	}
	require.NoError(p.t, err)
	require.Equal(p.t, id, p.receipt.JobID)
	flowOf := erasure.New(erasure.Ports{
		Ledger: p.ledger, Catalogue: p.ledger, Shelf: p.shelf, Sessions: p.sessions, Gate: erasure.Gates{p.money, p.meters},
		Stores: []erasure.Store{p.objects, p.cached, erasure.NewVectors(p.vectors), erasure.NewLexicon(p.words), erasure.NewLetters(p.letters), erasure.NewCalls(p.calls), erasure.NewSpeech(p.desks), erasure.NewMeters(p.meters)},
	}).Flow
	return &flowtest.Engine{
		Flow: flowOf, Scope: p.acme, ID: id, Params: erasure.Order{Cause: events.Cause{ID: "request"}},
		Asleep: func(d time.Duration) {
			p.clock.advance(d)
			for range 3 {
				_, _ = p.sessions.Alarm(p.t.Context(), p.acme) // what fails is tried again
			}
			_, err := corpus.Submit(p.t.Context(), p.ledger, p.acme, corpus.Submission{DocID: "x", JobID: "x", ContentType: "text/plain", TextKey: "x/x/x", Model: model})
			if code := fault.As(err).Code; code != "flaky" {
				assert.Equal(p.t, "tenant_erasing", code)
			}
			assert.Equal(p.t, "tenant_erasing", p.asks(p.acme, true), "what writes is not let in")
			assert.Empty(p.t, p.asks(p.acme, false), "who reads is")
			assert.Empty(p.t, p.asks(p.globex, true), "and so is another tenant")
			p.noticed(p.acme) // the erasure itself
			if p.asleep != nil {
				p.asleep()
			}
			p.run(p.acme, p.globex)
		},
	}
}

var limits = quota.Limits{
	Tenant: tenants.Rate{PerMinute: 6000, Burst: 6000}, User: tenants.Rate{PerMinute: 6000, Burst: 6000},
	Day: quota.Amount{Tokens: 1000, Nanos: 1000}, Month: quota.Amount{Tokens: 1000, Nanos: 1000},
}

// asks asks for a permit and is told why there is none, if so.
func (p *holding) asks(s tenants.Scope, writes bool) string {
	g, err := p.money.Exchange(p.t.Context(), s, quota.Report{
		Limits: limits, Rates: []quota.Rate{{}}, Wants: []quota.Want{{Count: 1, Tenant: 1, Writes: writes}},
	})
	if fault.As(err).Code == "flaky" {
		return p.asks(s, writes)
	}
	require.NoError(p.t, err)
	if f := g.Wants[0].Refused; f != nil {
		return f.Code
	}
	return ""
}

// holds has a purse hold so much money, as a call in flight does.
func (p *holding) holds(s tenants.Scope, seq, held, wanted int64) {
	r := quota.Report{Purse: "purse", Seq: seq, Limits: limits, Rates: []quota.Rate{{}}, Held: quota.Amount{Tokens: held, Nanos: held}}
	if wanted > 0 {
		r.Wants = []quota.Want{{Count: 1, Amount: quota.Amount{Tokens: wanted, Nanos: wanted}}}
	}
	_, err := p.money.Exchange(p.t.Context(), s, r)
	require.NoError(p.t, err)
}

// What was let in before the erasure began goes on for long after it: an answer is told to its session and cached, an upload has its parts,
// after every store could have been found empty. It is waited for.
func TestWritersThatRunWhenAnErasureBeginsAreWaitedFor(t *testing.T) {
	p := newHolding(t)
	e := p.begin()
	p.holds(p.acme, 1, 0, 5)
	slept := 0
	p.asleep = func() {
		switch slept++; {
		case slept < 60:
			if slept%3 == 0 {
				p.holds(p.acme, 1+int64(slept), 5, 0) // it is heard of
			}
		case slept == 60:
			_, err := p.sessions.Begin(t.Context(), p.acme, opening())
			require.NoError(t, err)
			require.NoError(t, p.parts.Put(t.Context(), p.acme, "late", 0, strings.NewReader("{}\n"), 3))
			p.holds(p.acme, 61, 0, 0)
		case slept == 61: // an answer is cached after its call is settled
			require.NoError(t, p.cache.Put(t.Context(), p.acme, cache.Key{Kind: "k", Name: "late"}, []byte("answer"), 24*time.Hour))
		}
	}
	require.NoError(t, e.Run(t.Context()))
	assert.Greater(t, slept, 61)
	p.gone(t)
	assert.Empty(t, p.asks(p.acme, true), "it is open again")
}

// Somebody who calls a model for ever ends the erasure, and it is open again.
func TestAnErasureDoesNotWaitForever(t *testing.T) {
	p := newHolding(t)
	e := p.begin()
	seq := int64(1)
	p.holds(p.acme, seq, 0, 5)
	p.asleep = func() {
		seq++
		p.holds(p.acme, seq, 5, 0)
	}
	require.NoError(t, e.Run(t.Context()))
	j := p.job(p.acme, p.receipt.JobID)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "erasure_busy", j.Errors[0].Code)
	assert.Empty(t, p.asks(p.acme, true))
}

// routes are the pipeline's, and that of the erasure, whose run is the test's.
func (p *holding) routes() []consumers.Route {
	return append(p.platform.routes(), eraser.New(started{}).Route())
}

// gone asserts that acme has nothing anywhere but the receipt, and that globex has all that it had.
func (p *holding) gone(t *testing.T) {
	t.Helper()
	p.calm()
	p.run(p.acme, p.globex)
	j := p.job(p.acme, p.receipt.JobID)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	require.Len(t, j.Erasure.Stores, 10)
	for _, st := range j.Erasure.Stores {
		assert.Zero(t, st.Remaining, st.Name)
	}
	assert.False(t, j.Erasure.CheckedAt.IsZero())
	ctx := t.Context()
	page, err := p.ledger.Jobs(ctx, p.acme, corpus.JobListing{Limit: 200})
	require.NoError(t, err)
	assert.Len(t, page.Jobs, 1, "the receipt")
	deleted, err := p.ledger.List(ctx, p.acme, corpus.Listing{State: corpus.Deleted, Limit: 200})
	require.NoError(t, err)
	assert.Empty(t, deleted.Documents)
	list, err := p.ledger.List(ctx, p.acme, corpus.Listing{Limit: 200})
	require.NoError(t, err)
	assert.Empty(t, list.Documents)
	for _, st := range []erasure.Store{p.objects, p.cached, erasure.NewVectors(p.vectors), erasure.NewLexicon(p.words), erasure.NewLetters(p.letters), erasure.NewCalls(p.calls), erasure.NewSpeech(p.desks), erasure.NewMeters(p.meters)} {
		n, err := st.Left(ctx, p.acme)
		require.NoError(t, err)
		assert.Zero(t, n, st.Name())
	}
	shelf, err := p.shelf.List(ctx, p.acme, "", "", 10)
	require.NoError(t, err)
	assert.Empty(t, shelf.Sessions)
	assert.Equal(t, p.before, p.all(p.globex), "another tenant's")
	told := 0
	for _, e := range p.trail.Entries(p.acme) {
		if e.Type == events.TypeTenantErased {
			told++
		}
	}
	assert.Equal(t, 1, told)
}

// calm has nothing fail any more.
func (p *holding) calm() {
	for _, h := range p.hooks() {
		h.Before, h.After = nil, nil
	}
}

func (p *holding) hooks() map[string]*memory.Hooks {
	return map[string]*memory.Hooks{
		"ledger": &p.ledger.Hooks, "texts": &p.texts.Hooks, "vectors": &p.vectors.Hooks, "words": &p.words.Hooks, "letters": &p.letters.Hooks,
		"sessions": &p.sessions.Hooks, "shelf": &p.shelf.Hooks, "objects": &p.objects.Hooks, "cached": &p.cached.Hooks,
		"money": &p.money.Hooks, "calls": &p.calls.Hooks, "desks": &p.desks.Hooks, "meters": &p.meters.Hooks,
	}
}

func TestATenantIsErasedWhateverDies(t *testing.T) {
	flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
		p := newHolding(t)
		return p.begin(), p.gone
	})
}

func TestATenantIsErasedWhateverFails(t *testing.T) {
	for name := range newHolding(t).hooks() {
		for _, when := range []string{"before", "after"} {
			t.Run(name+" "+when, func(t *testing.T) {
				p := newHolding(t)
				e := p.begin()
				flaky(p.hooks()[name], when, 7)
				require.NoError(t, e.Run(t.Context()))
				p.gone(t)
			})
		}
	}
}

// A store that is gone for good ends the erasure, which says so; the ledger is open again, and the next erasure does the rest.
func TestAnErasureThatFailsSaysSo(t *testing.T) {
	p := newHolding(t)
	e := p.begin()
	p.cached.Before = func(string) error { return fault.Invalidf("", "cache_broken", "no") }
	require.NoError(t, e.Run(t.Context()))
	j := p.job(p.acme, p.receipt.JobID)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "cache_broken", j.Errors[0].Code)
	p.calm()
	p.submit(p.acme, draft("again", "It is open."))
	e = p.ask("erasure-2")
	require.NoError(t, e.Run(t.Context()))
	p.gone(t)
}

// The request twice is one erasure, while it goes on and after it; and what comes late of before is nobody's.
func TestAfterItsErasureATenantBeginsAnew(t *testing.T) {
	p := newHolding(t)
	e := p.begin()
	held := p.queues.Take("index", 10)
	ask := func(key, id string) corpus.Receipt {
		r, err := p.ledger.OpenErasure(t.Context(), p.acme, erasure.Request{JobID: id, Cause: events.Cause{ID: "request", IdempotencyKey: key}})
		require.NoError(t, err)
		return r
	}
	assert.Equal(t, corpus.Receipt{JobID: "erasure-1", Replayed: true}, ask("key-erasure-1", "other"))
	assert.Equal(t, corpus.Receipt{JobID: "erasure-1"}, ask("another key", "other"))
	_, err := p.ledger.OpenImport(t.Context(), p.acme, imports.Import{ID: "i", Origin: imports.Origin{Prefix: "a"}, Cause: events.Cause{ID: "r"}})
	assert.Equal(t, "tenant_erasing", fault.As(err).Code)
	stored := p.texts.Len(p.acme)
	_, err = p.intake.Submit(t.Context(), p.acme, draft("late", "Comes too late."))
	assert.Equal(t, []any{fault.Conflict, "tenant_erasing"}, []any{fault.KindOf(err), fault.As(err).Code})
	assert.Equal(t, stored, p.texts.Len(p.acme), "its text is taken away again")
	_, err = p.ledger.Resubmit(t.Context(), p.acme, corpus.Resubmission{DocID: "doc-1", Generation: 2, JobID: "j", Cause: events.Cause{ID: "r"}})
	assert.Equal(t, "tenant_erasing", fault.As(err).Code)
	_, err = p.ledger.Cancel(t.Context(), p.acme, "erasure-1")
	assert.Equal(t, "job_not_cancellable", fault.As(err).Code)
	_, err = p.ledger.NoteErasure(t.Context(), p.globex, erasure.Note{JobID: "erasure-1", Stage: "x"})
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	more, err := p.ledger.DropErased(t.Context(), p.globex, "erasure-1", 100)
	require.NoError(t, err)
	assert.False(t, more)
	require.NoError(t, e.Run(t.Context()))
	p.gone(t)
	assert.Equal(t, "erasure-1", ask("key-erasure-1", "other").JobID, "it has ended")

	r := p.submit(p.acme, draft("doc-1", prose("calm", 2)))
	assert.Greater(t, r.Generation, 2, "above all that there were")
	p.run(p.acme, p.globex)
	d := p.document(p.acme, "doc-1")
	assert.Equal(t, corpus.Indexed, d.State)
	p.queues.Settle("index", held, p.router.Handle(t.Context(), "index", held))
	p.run(p.acme, p.globex)
	p.exactly(p.acme, d)
	assert.Equal(t, p.before, p.all(p.globex))
	assert.NotContains(t, strings.ToLower(p.all(p.acme)), "haste")
}

// started starts nothing: the test runs the flow.
type started struct{ flow.Runs }

func (started) Start(context.Context, tenants.Scope, flow.Kind, string, any) error { return nil }

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// flaky has calls fail before their effect or after it: the first of each kind, and one of so many.
func flaky(h *memory.Hooks, when string, every int) {
	seen, mu := map[string]int{}, sync.Mutex{}
	fail := func(op string) error {
		mu.Lock()
		defer mu.Unlock()
		if seen[op]++; seen[op]%every == 1 {
			return fault.Unavailablef(nil, "flaky", "not now")
		}
		return nil
	}
	if when == "before" {
		h.Before = fail
	} else {
		h.After = fail
	}
}
