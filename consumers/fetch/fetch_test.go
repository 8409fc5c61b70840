package fetch_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/fetch"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// world is a page, a store and a ledger that says what it is told to.
type world struct {
	corpus.Texts
	corpus.Ledger
	page     corpus.Fetched
	fault    error
	asked    []corpus.FetchOptions
	verdicts []corpus.Verdict // in order; the last remains
	told     []corpus.Progress
	stored   map[string]string
}

func (w *world) Fetch(_ context.Context, _ tenants.Scope, _ string, o corpus.FetchOptions) (corpus.Fetched, error) {
	w.asked = append(w.asked, o)
	if w.page.ETag != "" && w.page.ETag == o.ETag {
		return corpus.Fetched{Unchanged: true}, nil
	}
	return w.page, w.fault
}

func (w *world) Put(_ context.Context, _ tenants.Scope, key string, b []byte, _ string) error {
	w.stored[key] = string(b)
	return nil
}

func (w *world) List(context.Context, tenants.Scope, string, int) ([]string, error) {
	return slices.Collect(maps.Keys(w.stored)), nil
}

func (w *world) Delete(_ context.Context, _ tenants.Scope, keys ...string) error {
	for _, key := range keys {
		delete(w.stored, key)
	}
	return nil
}

func (w *world) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	w.told = append(w.told, ps...)
	if left := ps[0].Left; left != nil {
		return []corpus.Verdict{{Texts: left.Texts}}, nil
	}
	v := w.verdicts[0]
	if len(w.verdicts) > 1 {
		w.verdicts = w.verdicts[1:]
	}
	if v.Fetched != nil && v.Fetched.TextKey == "" { // what came is what counts
		v.Fetched = ps[0].Fetched
	}
	return []corpus.Verdict{v}, nil
}

func handle(t *testing.T, w *world, attempt int) ([]events.Event, error) {
	t.Helper()
	w.stored = map[string]string{}
	acme, _ := tenantstest.Two(t)
	f := events.DocumentRequested{
		DocumentRef: events.DocumentRef{DocID: "page", Generation: 2, JobID: "job"}, About: events.About{Title: "T"},
		ContentType: corpus.OctetStream, Model: "m", Fetch: events.Fetch{URL: "https://example.com/", ETag: `"1"`, SHA256: corpus.Sum([]byte("as it was"))},
	}
	ev, err := events.New(acme, "ledger", events.Cause{ID: "request"}, time.Unix(0, 0), f)
	require.NoError(t, err)
	out := &eventstest.Publisher{}
	errs := fetch.New(w, w, w, out, func() time.Time { return time.Unix(0, 0) }).Handle(t.Context(), acme,
		[]consumers.Of[events.DocumentRequested]{{Delivery: consumers.Delivery{Event: ev, Attempt: attempt}, Fact: f}})
	return out.Events(), errs[0]
}

var (
	page  = corpus.Fetched{Body: []byte("new"), ContentType: "text/html", ETag: `"2"`}
	taken = corpus.Verdict{Fetched: &corpus.Original{}}
)

func TestAPageBecomesADocument(t *testing.T) {
	w := &world{page: page, verdicts: []corpus.Verdict{{}, taken}}
	evs, err := handle(t, w, 3)
	require.NoError(t, err)
	require.Len(t, evs, 1)
	var f events.DocumentSubmitted
	require.NoError(t, evs[0].As(&f))
	assert.Equal(t, []any{"page", 2, "T", "text/html", 3, "m"}, []any{f.DocID, f.Generation, f.Title, f.ContentType, f.Bytes, f.Model})
	assert.Equal(t, map[string]string{f.TextKey: "new"}, w.stored)
	assert.Equal(t, []any{`"1"`, 15 * time.Second}, []any{w.asked[0].ETag, w.asked[0].Patience})
	assert.Equal(t, []any{corpus.StageSubmit, corpus.StageFetch, 3}, []any{w.told[0].Stage, w.told[1].Stage, w.told[1].Attempts})
}

// TestTheLedgerIsAskedFirst: nothing is fetched that nobody waits for, or that is here.
func TestTheLedgerIsAskedFirst(t *testing.T) {
	here := &corpus.Original{TextKey: "k", ContentType: "text/plain", SHA256: "s", Bytes: 7}
	for name, c := range map[string]struct {
		verdict corpus.Verdict
		events  int
	}{
		"cancelled": {corpus.Verdict{Stale: true, Unwanted: true}, 0},
		"failed":    {corpus.Verdict{Stale: true}, 0},
		"here":      {corpus.Verdict{Fetched: here}, 1},
		"done":      {corpus.Verdict{Complete: true, Fetched: here}, 0},
	} {
		w := &world{page: page, verdicts: []corpus.Verdict{c.verdict}}
		evs, err := handle(t, w, 1)
		require.NoError(t, err, name)
		assert.Len(t, evs, c.events, name)
		assert.Empty(t, w.asked, name)
		if len(evs) > 0 {
			var f events.DocumentSubmitted
			require.NoError(t, evs[0].As(&f))
			assert.Equal(t, []any{"k", 7}, []any{f.TextKey, f.Bytes})
		}
	}
}

func TestWhatIsNotNewIsAskedForOnceMoreWhenItIsNeeded(t *testing.T) {
	same := page
	same.ETag = `"1"`
	w := &world{page: same, verdicts: []corpus.Verdict{{}, {}, taken}}
	evs, err := handle(t, w, 1)
	require.NoError(t, err)
	assert.Len(t, evs, 1)
	assert.Equal(t, []any{`"1"`, ""}, []any{w.asked[0].ETag, w.asked[1].ETag})
	assert.True(t, w.told[1].Unchanged)

	w = &world{page: same, verdicts: []corpus.Verdict{{}, {Stale: true}}}
	evs, err = handle(t, w, 1)
	require.NoError(t, err)
	assert.Empty(t, evs, "it ended as unchanged")
	assert.Len(t, w.asked, 1)
}

func TestWhatIsStoredForNobodyGoesAgain(t *testing.T) {
	first := &corpus.Original{TextKey: "first", ContentType: "text/html", SHA256: "s", Bytes: 1}
	for name, v := range map[string]corpus.Verdict{"cancelled meanwhile": {Stale: true}, "another was first": {Fetched: first}} {
		w := &world{page: page, verdicts: []corpus.Verdict{{}, v}}
		_, err := handle(t, w, 1)
		require.NoError(t, err, name)
		assert.Empty(t, w.stored, name)
	}
}

func TestWhatCannotBeFetched(t *testing.T) {
	w := &world{fault: fault.Invalidf("url", "fetch_refused", "404"), verdicts: []corpus.Verdict{{}}}
	_, err := handle(t, w, 1)
	assert.Equal(t, "fetch_refused", fault.As(err).Code)
	film := page
	film.ContentType = "video/mp4"
	w = &world{page: film, verdicts: []corpus.Verdict{{}}}
	_, err = handle(t, w, 1)
	assert.Equal(t, "content_type_unsupported", fault.As(err).Code)
	assert.Empty(t, w.stored)
}
