package consumers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

// parish is a ledger, an index and a store of letters that note what the undertaker does.
type parish struct {
	corpus.Ledger
	corpus.Vectors
	mu       sync.Mutex
	calls    int // of Advance
	progress []corpus.Progress
	verdict  corpus.Verdict
	deleted  []string
	letters  []letters.Letter
	err      error
}

func (p *parish) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress = append(p.progress, ps...)
	p.calls++
	vs := make([]corpus.Verdict, len(ps))
	for i := range vs {
		vs[i] = p.verdict
	}
	return vs, p.err
}

func (p *parish) Delete(_ context.Context, _ tenants.Scope, _ string, ids []string) error {
	p.deleted = append(p.deleted, ids...)
	return p.err
}

func (p *parish) Keep(_ context.Context, _ tenants.Scope, ls []letters.Letter) error {
	p.letters = append(p.letters, ls...)
	return p.err
}

// unread is a parish's letters that name no tenant, beside the others.
type unread struct{ *parish }

func (u unread) Keep(ctx context.Context, ls []letters.Letter) error {
	return u.parish.Keep(ctx, tenants.Scope{}, ls)
}

func scope(t *testing.T, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

// message is one about a document of a tenant.
func message(t *testing.T, tenant, doc string, attempt int) consumers.Message {
	t.Helper()
	ev, err := events.New(scope(t, tenant), "test", events.Cause{ID: "request-" + doc}, time.Unix(0, 0), events.DocumentSubmitted{
		DocumentRef: events.DocumentRef{DocID: doc, Generation: 1, JobID: "job-" + doc}, ContentType: "text/plain", TextKey: "k", Model: "m",
	})
	require.NoError(t, err)
	b, err := ev.MarshalJSON()
	require.NoError(t, err)
	return consumers.Message{ID: tenant + "/" + doc, Body: b, Attempts: attempt}
}

func router(p *parish, o consumers.Options, h consumers.Handler) *consumers.Router {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return consumers.New([]consumers.Route{{Type: events.TypeDocumentSubmitted, Name: "test", Stage: corpus.StageChunk, Handle: h}},
		&eventstest.Claims{}, consumers.NewUndertaker(p, corpus.Stores{Texts: &memory.Texts{}, Vectors: p, Lexicon: memory.NewLexicon()}, p, unread{p}), &o)
}

func TestTenantsAreNeverMixed(t *testing.T) {
	var mu sync.Mutex
	calls := map[string][]string{}
	r := router(&parish{}, consumers.Options{}, func(_ context.Context, s tenants.Scope, ds []consumers.Delivery) []error {
		mu.Lock()
		defer mu.Unlock()
		for _, d := range ds {
			assert.Equal(t, s.Tenant(), d.Event.Tenant)
			calls[string(s.Tenant())] = append(calls[string(s.Tenant())], d.Event.Subject)
		}
		return make([]error, len(ds))
	})
	vs := r.Handle(t.Context(), "ingest", []consumers.Message{
		message(t, "acme", "a", 1), message(t, "globex", "b", 1), message(t, "acme", "c", 1), message(t, "globex", "d", 1),
	})
	for _, v := range vs {
		assert.Equal(t, consumers.Done, v.Outcome)
	}
	assert.Equal(t, map[string][]string{"acme": {"documents/a", "documents/c"}, "globex": {"documents/b", "documents/d"}}, calls)
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		attempt int
		want    consumers.Outcome
		delay   time.Duration // at least; a quarter more at most
	}{
		"done":                 {nil, 1, consumers.Done, 0},
		"first failure":        {fault.Unavailablef(nil, "x", "x"), 1, consumers.Retry, 2 * time.Second},
		"second failure":       {errors.New("nobody classified it"), 2, consumers.Retry, 4 * time.Second},
		"not before":           {fault.New(fault.Limited, "x", "x", nil).WithRetryAfter(time.Minute), 1, consumers.Retry, time.Minute},
		"next month":           {fault.New(fault.Limited, "x", "x", nil).WithRetryAfter(30 * 24 * time.Hour), 1, consumers.Retry, 24 * time.Hour},
		"the last attempt":     {fault.Unavailablef(nil, "x", "x"), 4, consumers.Dead, 0},
		"beyond the last":      {fault.Unavailablef(nil, "x", "x"), 9, consumers.Dead, 0},
		"wrong input":          {fault.Invalidf("", "x", "x"), 1, consumers.Dead, 0},
		"wrapped, wrong input": {fmt.Errorf("chunk: %w", fault.Missing("x", "x")), 1, consumers.Dead, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := &parish{}
			r := router(p, consumers.Options{}, func(context.Context, tenants.Scope, []consumers.Delivery) []error { return []error{c.err} })
			v := r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", c.attempt)})[0]
			assert.Equal(t, c.want, v.Outcome)
			assert.ErrorIs(t, v.Err, c.err)
			assert.GreaterOrEqual(t, v.Delay, c.delay)
			assert.LessOrEqual(t, v.Delay, c.delay*5/4)
			assert.Equal(t, c.want == consumers.Dead, len(p.letters) == 1)
			assert.Equal(t, c.want == consumers.Dead, len(p.progress) == 1 && p.progress[0].Retry.IsZero())
			assert.Equal(t, c.want == consumers.Retry && c.attempt > 1, len(p.progress) == 1 && !p.progress[0].Retry.IsZero(), "why, and when again")
		})
	}
}

func TestDelaysAreBounded(t *testing.T) {
	r := router(&parish{}, consumers.Options{MaxAttempts: map[string]int{"ingest": 100}}, func(context.Context, tenants.Scope, []consumers.Delivery) []error {
		return []error{fault.Unavailablef(nil, "x", "x")}
	})
	last := time.Duration(0)
	for attempt := range 90 {
		v := r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", attempt+1)})[0]
		assert.GreaterOrEqual(t, v.Delay, last)
		assert.LessOrEqual(t, v.Delay, 5*time.Minute*5/4)
		last = v.Delay
	}
	other := r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "b", 90)})[0]
	assert.NotEqual(t, last, other.Delay, "what failed together does not come back together")
}

// A queue whose messages wait for a server that may be down for hours is tried for half a day, and no other for longer than before.
func TestAQueueHasALongestDelayOfItsOwn(t *testing.T) {
	r := router(&parish{}, consumers.Options{
		MaxAttempts: map[string]int{"notify": 17, "ingest": 17}, MaxDelays: map[string]time.Duration{"notify": 3 * time.Hour},
	}, func(context.Context, tenants.Scope, []consumers.Delivery) []error {
		return []error{fault.Unavailablef(nil, "server_down", "no")}
	})
	all := map[string]time.Duration{}
	for _, queue := range []string{"notify", "ingest"} {
		for attempt := 1; attempt < 17; attempt++ {
			v := r.Handle(t.Context(), queue, []consumers.Message{message(t, "acme", "a", attempt)})[0]
			require.Equal(t, consumers.Retry, v.Outcome)
			all[queue] += v.Delay
		}
	}
	assert.InDelta(t, 15*time.Hour, all["notify"], float64(3*time.Hour))
	assert.Less(t, all["ingest"], 2*time.Hour)
}

func TestAPanicIsOfItsEventAlone(t *testing.T) {
	r := router(&parish{}, consumers.Options{}, func(_ context.Context, _ tenants.Scope, ds []consumers.Delivery) []error {
		for _, d := range ds {
			if d.Event.Subject == "documents/bad" {
				_ = ds[len(ds)]
			}
		}
		return make([]error, len(ds))
	})
	vs := r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1), message(t, "acme", "bad", 1), message(t, "acme", "c", 1)})
	assert.Equal(t, []consumers.Outcome{consumers.Done, consumers.Retry, consumers.Done}, []consumers.Outcome{vs[0].Outcome, vs[1].Outcome, vs[2].Outcome})
	assert.Equal(t, "handler_panicked", fault.As(vs[1].Err).Code)

	short := router(&parish{}, consumers.Options{}, func(context.Context, tenants.Scope, []consumers.Delivery) []error { return nil })
	assert.Equal(t, consumers.Retry, short.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1)})[0].Outcome,
		"a handler that does not answer for each event has not done any")
}

func TestWhatNobodyHandlesIsDead(t *testing.T) {
	p := &parish{}
	r := router(p, consumers.Options{}, func(_ context.Context, _ tenants.Scope, ds []consumers.Delivery) []error {
		return make([]error, len(ds))
	})
	indexed, err := events.New(scope(t, "acme"), "test", events.Cause{ID: "x"}, time.Unix(0, 0), events.DocumentIndexed{
		DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"}, Chunks: 1, Model: "m",
	})
	require.NoError(t, err)
	unrouted, err := indexed.MarshalJSON()
	require.NoError(t, err)
	good := message(t, "acme", "a", 1)
	forged := []byte(strings.Replace(string(good.Body), `"tenantid":"acme"`, `"tenantid":"globex"`, 1))
	require.NotEqual(t, string(good.Body), string(forged))
	vs := r.Handle(t.Context(), "ingest", []consumers.Message{{ID: "1", Body: unrouted, Attempts: 1}, {ID: "2", Body: []byte("no"), Attempts: 1}, {ID: "3", Body: forged, Attempts: 1}, good})
	assert.Equal(t, consumers.Done, vs[3].Outcome)
	require.Len(t, p.letters, 3)
	assert.Equal(t, "event_unrouted", p.letters[0].Code)
	assert.Equal(t, tenants.ID("acme"), p.letters[0].Tenant)
	assert.Equal(t, "event_invalid", p.letters[1].Code)
	assert.Equal(t, "event_invalid", p.letters[2].Code, "an envelope of two tenants is of none")
	assert.Empty(t, p.progress)
}

func TestNothingIsAcknowledgedHalfBuried(t *testing.T) {
	p := &parish{err: errors.New("down")}
	r := router(p, consumers.Options{}, func(context.Context, tenants.Scope, []consumers.Delivery) []error {
		return []error{fault.Invalidf("", "text_bad", "x")}
	})
	v := r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1)})[0]
	assert.Equal(t, consumers.Retry, v.Outcome)
	assert.ErrorContains(t, v.Err, "down")

	p.err = nil
	p.verdict = corpus.Verdict{Stale: true, Retired: []corpus.Retired{{Generation: 1, Chunks: 2, Model: "m"}}}
	v = r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1)})[0]
	assert.Equal(t, consumers.Dead, v.Outcome)
	acme := scope(t, "acme")
	assert.Equal(t, []string{corpus.VectorID(acme, "a", 1, 0), corpus.VectorID(acme, "a", 1, 1)}, p.deleted)
	last := p.progress[len(p.progress)-1]
	assert.Equal(t, corpus.StageRetire, last.Stage, "the removal is confirmed")
	require.Len(t, p.letters, 1)
	assert.Equal(t, "text_bad", p.letters[0].Code)
}

func TestAWholeBatchThatDied(t *testing.T) {
	p := &parish{}
	r := router(p, consumers.Options{}, func(context.Context, tenants.Scope, []consumers.Delivery) []error {
		t.Fatal("nothing is tried again")
		return nil
	})
	vs := r.HandleDead(t.Context(), "ingest-dlq", []consumers.Message{message(t, "acme", "a", 1), message(t, "globex", "b", 1), {ID: "x", Body: []byte("no"), Attempts: 1}})
	for _, v := range vs {
		assert.Equal(t, consumers.Dead, v.Outcome)
	}
	require.Len(t, p.progress, 2)
	assert.Equal(t, "attempts_exhausted", p.progress[0].Code)
	require.Len(t, p.letters, 3)
	for _, l := range p.letters {
		assert.Equal(t, 4, l.Attempts, "those of the queue that gave it up, not of the one that it was moved to")
	}
}

// When a tenant's ledger is silent to the last, its letter is kept with those that nobody can read. One that may come again comes again.
func TestALetterThatNobodyTakesIsNotLost(t *testing.T) {
	p, last := &parish{}, &memory.Unread{}
	p.err = fault.Unavailablef(nil, "ledger_unavailable", "silent")
	r := consumers.New([]consumers.Route{{Type: events.TypeDocumentSubmitted, Name: "test", Stage: corpus.StageChunk}},
		&eventstest.Claims{}, consumers.NewUndertaker(p, corpus.Stores{Texts: &memory.Texts{}, Vectors: p}, p, last), &consumers.Options{DeadAttempts: 3})
	ms := []consumers.Message{message(t, "acme", "a", 2), message(t, "globex", "b", 3)}
	vs := r.HandleDead(t.Context(), "ingest", ms)
	assert.Equal(t, []consumers.Outcome{consumers.Retry, consumers.Dead}, []consumers.Outcome{vs[0].Outcome, vs[1].Outcome})
	require.Len(t, last.All(), 1)
	l := last.All()[0]
	assert.Equal(t, []any{tenants.ID("globex"), "documents/b", ms[1].Body}, []any{l.Tenant, l.Subject, l.Body})
	assert.Contains(t, l.Reason, "attempts_exhausted")
	assert.Contains(t, l.Reason, "silent")

	last.Hooks.Before = func(string) error { return p.err }
	assert.Equal(t, consumers.Retry, r.HandleDead(t.Context(), "ingest", ms[1:])[0].Outcome, "nobody says that it is kept")
}

// Groups that take much go one after the other, and one that gets no room comes again, also after the last attempt.
func TestHandlersShareARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside, most, done int
		proceed := make(chan struct{})
		room := consumers.NewRoom(100)
		r := consumers.New([]consumers.Route{{Type: events.TypeDocumentSubmitted, Name: "test", Stage: corpus.StageChunk, Memory: 1, Handle: func(_ context.Context, _ tenants.Scope, ds []consumers.Delivery) []error {
			inside++
			most = max(most, inside)
			<-proceed
			inside--
			done++
			return make([]error, len(ds))
		}}}, &eventstest.Claims{}, consumers.NewUndertaker(&parish{}, corpus.Stores{}, nil, nil), &consumers.Options{Room: room, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		over := make(chan []consumers.Verdict)
		go func() {
			over <- r.Handle(t.Context(), "ingest", []consumers.Message{message(t, "acme", "a", 1), message(t, "globex", "b", 1)})
		}()
		synctest.Wait()
		assert.Equal(t, 1, inside, "each is more than the room has, and has all of it")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		vs := r.Handle(ctx, "ingest", []consumers.Message{message(t, "acme", "c", 4)})
		assert.Equal(t, consumers.Retry, vs[0].Outcome)
		assert.Equal(t, "memory_busy", fault.As(vs[0].Err).Code)
		close(proceed)
		for _, v := range <-over {
			assert.Equal(t, consumers.Done, v.Outcome)
		}
		assert.Equal(t, []int{1, 2}, []int{most, done})
	})
}

func TestTraceContinues(t *testing.T) {
	var seen []string
	r := router(&parish{}, consumers.Options{}, func(_ context.Context, _ tenants.Scope, ds []consumers.Delivery) []error {
		seen = append(seen, ds[0].Event.TraceParent)
		return []error{nil}
	})
	m := message(t, "acme", "a", 1)
	r.Handle(t.Context(), "ingest", []consumers.Message{m})
	r.Handle(t.Context(), "ingest", []consumers.Message{m})
	require.Len(t, seen, 2)
	assert.Len(t, seen[0], 55, "one is begun where there is none")
	assert.Equal(t, seen[0], seen[1], "a second run tells the same")
}

// What went wrong can be found by tenant, event and trace, and nobody's text is in the log.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	r := router(&parish{}, consumers.Options{Log: log}, func(context.Context, tenants.Scope, []consumers.Delivery) []error {
		return []error{nil, fault.New(fault.Unavailable, "model_busy", "out of capacity", nil)}
	})
	good, bad := message(t, "acme", "a", 1), message(t, "acme", "b", 2)
	for _, m := range []*consumers.Message{&good, &bad} {
		m.Body = bytes.Replace(m.Body, []byte(`"contentType"`), []byte(`"title":"whispered","contentType"`), 1)
		require.Contains(t, string(m.Body), "whispered")
	}
	r.Handle(t.Context(), "ingest", []consumers.Message{good, bad})

	var lines []map[string]any
	for dec := json.NewDecoder(bytes.NewReader(out.Bytes())); dec.More(); {
		var line map[string]any
		require.NoError(t, dec.Decode(&line))
		lines = append(lines, line)
	}
	require.Len(t, lines, 2)
	ev, err := events.Decode(bad.Body)
	require.NoError(t, err)
	for key, want := range map[string]any{
		"level": "WARN", "tenantId": "acme", "handler": "test", "eventId": ev.ID, "type": ev.Type, "subject": "documents/b",
		"attempt": 2.0, "code": "model_busy",
	} {
		assert.Equal(t, want, lines[0][key], key)
	}
	assert.Len(t, lines[0]["traceId"], 32)
	assert.Equal(t, []any{"INFO", "acme", 2.0, 1.0}, []any{lines[1]["level"], lines[1]["tenantId"], lines[1]["events"], lines[1]["failed"]})
	assert.Contains(t, lines[1], "latencyMs")
	assert.Len(t, lines[1]["traceIds"], 2)
	assert.Contains(t, lines[1]["traceIds"], lines[0]["traceId"])
	assert.NotContains(t, out.String(), "whispered")
}
