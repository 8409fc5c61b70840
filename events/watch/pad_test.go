package watch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// sink takes batches as it promises: each number of a writer once, for each tenant.
type sink struct {
	t  *testing.T
	mu sync.Mutex

	before, after int // how many of the next calls fail, without and with their effect
	calls         int
	last          map[tenants.ID]int64
	sets          map[tenants.ID]*meter.Set
	spans         map[tenants.ID][]trace.Span
	batches       map[tenants.ID]int
	within        func() // while a batch is on its way
	writers       map[string]bool
}

func newSink(t *testing.T) *sink {
	return &sink{t: t, last: map[tenants.ID]int64{}, sets: map[tenants.ID]*meter.Set{}, spans: map[tenants.ID][]trace.Span{}, batches: map[tenants.ID]int{}, writers: map[string]bool{}}
}

var errSink = errors.New("the sink is away")

func (k *sink) Add(ctx context.Context, s tenants.Scope, b meter.Batch) error {
	if k.within != nil {
		k.within()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	assert.Nil(k.t, watch.Of(ctx), "what tells is not watched")
	assert.LessOrEqual(k.t, len(b.Spans), meter.MaxSpans)
	if k.before > 0 {
		k.before--
		return errSink
	}
	id := s.Tenant()
	if b.Number > k.last[id] {
		k.last[id] = b.Number
		k.batches[id]++
		k.writers[b.Writer] = true
		if k.sets[id] == nil {
			k.sets[id] = &meter.Set{}
		}
		k.sets[id].Add(b.Set)
		k.spans[id] = append(k.spans[id], b.Spans...)
	}
	if k.after > 0 {
		k.after--
		return errSink
	}
	return nil
}

// requests is how many requests of a tenant the sink has heard of.
func (k *sink) requests(id tenants.ID) (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets[id] == nil {
		return 0
	}
	for of, c := range k.sets[id].All() {
		if of.Metric == meter.Requests {
			n += c.Sum
		}
	}
	return n
}

// events are those of a Worker: one ends 30 s after its answer, and takes nothing any more.
type eventKey struct{}

func event(ctx context.Context) context.Context {
	over := time.Now().Add(30 * time.Second)
	return context.WithValue(ctx, eventKey{}, over)
}

func background(ctx context.Context, f func(context.Context)) error {
	over := ctx.Value(eventKey{}).(time.Time)
	if !time.Now().Before(over) {
		return errors.New("the event is over")
	}
	go func() {
		own, cancel := context.WithDeadline(context.WithoutCancel(ctx), over)
		defer cancel()
		f(own)
	}()
	return nil
}

// request is one that a tenant makes, in an event of its own.
func request(w *watch.Watch, ctx context.Context, s tenants.Scope) {
	place, _ := trace.New(rand.Reader)
	ctx, span := w.Begin(event(ctx), trace.Request, "/search", place, trace.Parent{})
	span.For(s)
	span.Note(func(f *trace.Facts) { f.Method, f.Status = "POST", 200 })
	_, part := watch.Start(ctx, trace.Search, "vectors")
	part.End(ctx, nil)
	span.End(ctx, nil)
}

func TestWhatIsNoticedIsToldOnce(t *testing.T) {
	for name, tc := range map[string]struct{ before, after int }{
		"at once":                           {},
		"after it was not taken":            {before: 2},
		"after it was taken without a word": {after: 2},
		"after both":                        {before: 1, after: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newSink(t)
				k.before, k.after = tc.before, tc.after
				w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
				acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
				for range 3 {
					request(w, t.Context(), acme)
				}
				request(w, t.Context(), globex)
				time.Sleep(time.Second)
				assert.Zero(t, k.requests("acme"), "more may come")
				time.Sleep(time.Minute)
				assert.Equal(t, int64(3), k.requests("acme"))
				assert.Equal(t, int64(1), k.requests("globex"))
				assert.Len(t, k.spans["acme"], 6)
				assert.Len(t, k.spans["globex"], 2)
				assert.Len(t, k.writers, 1)
				calls := k.calls
				time.Sleep(time.Hour)
				assert.Equal(t, calls, k.calls, "nothing is told when nothing happens")
			})
		})
	}
}

// What the object does not take in one event's turn is repeated in the next one's, as it was.
func TestATellingThatFailedIsRepeatedInTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		k.before = 1000
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		acme := tenantstest.Scope(t, "acme")
		request(w, t.Context(), acme)
		time.Sleep(time.Hour)
		assert.Zero(t, k.requests("acme"))
		assert.Less(t, k.calls, 10, "who is away is not asked each second")
		k.before, k.after = 0, 1
		request(w, t.Context(), acme)
		time.Sleep(time.Minute)
		assert.Equal(t, int64(2), k.requests("acme"))
	})
}

// A tenant that was silent for long is forgotten; what it does then is told under a number that it had not before.
func TestASilentTenantIsForgottenAndCountedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		for n := range int64(4) {
			for _, id := range []string{"acme", "globex"} {
				request(w, t.Context(), tenantstest.Scope(t, id))
				time.Sleep(time.Minute)
				assert.Zero(t, watch.Pads(w), "nothing is kept of who is silent")
				assert.Equal(t, n+1, k.requests(tenants.ID(id)))
			}
		}
	})
}

// Requests that come all the time: each event looks after the pad for its turn, and nothing is left in between.
func TestSteadyRequestsAreToldInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		acme := tenantstest.Scope(t, "acme")
		for range 1000 {
			request(w, t.Context(), acme)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		assert.Equal(t, int64(1000), k.requests("acme"))
		assert.Len(t, k.spans["acme"], 2000)
		assert.Less(t, k.batches["acme"], 60, "of 300 s")
	})
}

// What comes while an event's last telling is on its way is told in the event that brought it.
func TestWhatComesAtTheEndOfATurnIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		acme := tenantstest.Scope(t, "acme")
		began, late := time.Now(), false
		k.within = func() {
			if !late && time.Since(began) >= 24*time.Second { // the last one of the first event
				late = true
				request(w, t.Context(), acme)
			}
		}
		n := int64(0)
		for time.Since(began) < 24*time.Second {
			request(w, t.Context(), acme)
			n++
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		require.True(t, late)
		assert.Equal(t, n+1, k.requests("acme"))
		assert.Zero(t, watch.Pads(w))
	})
}

func TestSpansAreBoundedAndCountsAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		acme := tenantstest.Scope(t, "acme")
		for range meter.MaxSpans {
			request(w, t.Context(), acme)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, int64(meter.MaxSpans), k.requests("acme"), "it does not wait for more than it can keep")
		assert.Len(t, k.spans["acme"], meter.MaxSpans)
		dropped := int64(0)
		for of, c := range k.sets["acme"].All() {
			if of.Metric == meter.SpansDropped {
				dropped += c.Sum
			}
		}
		assert.Equal(t, int64(meter.MaxSpans), dropped, "of two spans a request")
		time.Sleep(time.Minute)
	})
}

func TestOnlySampledTracesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet(), Skip: 100})
		acme := tenantstest.Scope(t, "acme")
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		for _, p := range []trace.Parent{w.Begins(place), place} { // ours, and one that a caller has sampled
			ctx, span := w.Begin(event(t.Context()), trace.Request, "/search", p, trace.Parent{})
			span.For(acme)
			_, part := watch.Start(ctx, trace.Search, "words")
			part.End(ctx, nil)
			span.End(ctx, nil)
		}
		ctx, span := w.Begin(event(t.Context()), trace.Request, "/search", place, trace.Parent{})
		span.For(acme)
		span.Unkept()
		_, part := watch.Start(ctx, trace.Search, "words")
		part.End(ctx, nil)
		span.End(ctx, nil)
		time.Sleep(time.Minute)
		assert.Equal(t, int64(3), k.requests("acme"))
		assert.Len(t, k.spans["acme"], 2)
	})
}

// Whoever has no key is one series of the tenant's, wherever they went, and in no trace; what a request waited for because it was asked to is no time that it took.
func TestStrangersAreOneSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSink(t)
		w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		send := func(tenant string, status int, stranger bool) {
			ctx, span := w.Begin(event(t.Context()), trace.Request, "/"+strconv.Itoa(status), place, trace.Parent{})
			span.For(tenantstest.Scope(t, tenant))
			if stranger {
				span.Stranger()
			}
			span.Note(func(f *trace.Facts) { f.Method, f.Status, f.Cache, f.Wait = "GET", status, "hit", 3*time.Second })
			time.Sleep(4 * time.Second)
			span.End(ctx, nil)
		}
		for status := 400; status < 430; status++ {
			send("acme", status, true)
		}
		send("acme", 503, true)
		send("globex", 200, false)
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]int64{"levada_requests [_stranger _other 4xx]": 30, "levada_requests [_stranger _other 5xx]": 1}, sums(k.sets["acme"]))
		assert.Empty(t, k.spans["acme"])
		assert.Equal(t, map[string]int64{
			"levada_requests [/200 GET 200]": 1, "levada_request_duration_seconds [/200 GET]": 1e6, "levada_searches [hit]": 1, "levada_search_duration_seconds [hit]": 4e6,
		}, sums(k.sets["globex"]))
		assert.Len(t, k.spans["globex"], 1)
	})
}

func TestSkipIsAPartOfTheTraces(t *testing.T) {
	w, kept := watch.New("api", &watch.Options{Skip: 90}), 0
	for range 10_000 {
		place, err := trace.New(rand.Reader)
		require.NoError(t, err)
		p := w.Begins(place)
		assert.Equal(t, p, watch.New("consumers", &watch.Options{Skip: 90}).Begins(place), "all decide alike")
		kept += int(p.Flags & trace.Sampled)
	}
	assert.InDelta(t, 1000, kept, 150)
}

// Without a sink nobody waits for anything.
func TestNothingLiesWhereNobodyTakesIt(t *testing.T) {
	w := watch.New("api", &watch.Options{Log: quiet(), Background: func(context.Context, func(context.Context)) error {
		t.Error("there is nothing to do")
		return nil
	}})
	request(w, t.Context(), tenantstest.Scope(t, "acme"))
	w.Count(t.Context(), tenantstest.Scope(t, "acme"), meter.Of(meter.DeadLetters, "embed"), 1)
	assert.Zero(t, watch.Pads(w))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// lines reads what was logged.
func lines(t *testing.T, b *bytes.Buffer) (all []map[string]any) {
	for line := range bytes.Lines(b.Bytes()) {
		var m map[string]any
		require.NoError(t, json.Unmarshal(line, &m))
		all = append(all, m)
	}
	return all
}
