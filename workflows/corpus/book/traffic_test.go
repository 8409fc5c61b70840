package book_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// traffic is all that may happen to a ledger, at random: documents and imports come, are cancelled, deleted and sent again,
// queues lose, repeat and reorder, answers are lost, consumers fail, and time goes by.
type traffic struct {
	*office
	queue    []message
	batches  []*batch
	jobs     []string
	told     map[string]int // events by type and subject
	resent   int
	stuck    int
	waited   int
	refusals int
}

// message is on its way to a consumer: a document to cut, or a slice to index.
type message struct {
	ev    events.Event
	slice int // -1: the document
}

// batch is an import and what is going to be taken of it.
type batch struct {
	id        string
	entries   []imports.Taking
	cancelled bool
	sealed    bool
}

func newTraffic(t *testing.T, seed uint64) *traffic {
	return &traffic{office: newOffice(t, "acme", rand.New(rand.NewPCG(seed, 5))), told: map[string]int{}}
}

func (w *traffic) pace() corpus.Pace {
	return corpus.Pace{Weight: 1 + w.rng.IntN(2), MaxWaiting: 20, Deadline: 10 * time.Minute}
}

func (w *traffic) draft() corpus.Submission {
	sub := w.submission(fmt.Sprint("d", w.rng.IntN(8)))
	sub.Bytes, sub.Pace = 10, w.pace()
	if w.rng.IntN(3) == 0 {
		sub.Bytes = w.rng.IntN(1 << 20)
	}
	if w.rng.IntN(3) == 0 {
		sub.TextKey, sub.SHA256, sub.Bytes, sub.Fetch = "", "", 0, &events.Fetch{URL: "https://a.example/"}
	}
	return sub
}

func (w *traffic) submitOne() {
	sub := w.draft()
	r, err := corpus.Submit(w.t.Context(), w, w.scope, sub)
	if fault.Is(err, fault.Limited) {
		w.refusals++
		return
	}
	require.NoError(w.t, err)
	w.jobs = append(w.jobs, r.JobID)
}

func (w *traffic) openOne() {
	w.desk.jobs++
	b := &batch{id: fmt.Sprintf("job-%04d", w.desk.jobs)}
	for range w.rng.IntN(25) {
		e := imports.Taking{Problem: &job.Problem{Code: "document_empty", Message: "no"}}
		if w.rng.IntN(6) > 0 {
			sub := w.draft()
			if w.rng.IntN(8) == 0 {
				sub.Model = ""
			} else {
				w.jobs = append(w.jobs, sub.JobID)
			}
			e = imports.Taking{Submission: &sub}
		}
		b.entries = append(b.entries, e)
	}
	_, err := w.OpenImport(w.t.Context(), w.scope, imports.Import{ID: b.id, Origin: imports.Origin{Prefix: "a/"}, Cause: events.Cause{ID: b.id}})
	require.NoError(w.t, err)
	w.batches = append(w.batches, b)
}

// feed takes some of an import, which may have been taken before, and seals it.
func (w *traffic) feed(b *batch) {
	at, err := w.Take(w.t.Context(), w.scope, b.id, 0, nil)
	require.NoError(w.t, err)
	if at.Cancelled || at.Entries == len(b.entries) || w.rng.IntN(8) == 0 {
		_, err := w.SealImport(w.t.Context(), w.scope, b.id, len(b.entries), nil)
		require.NoError(w.t, err)
		b.sealed = true
	}
	from := w.rng.IntN(at.Entries + 1)
	to := from + w.rng.IntN(len(b.entries)-from+1)
	_, err = w.Take(w.t.Context(), w.scope, b.id, from, b.entries[from:to])
	if fault.Is(err, fault.Limited) {
		w.refusals++
		return
	}
	require.NoError(w.t, err)
}

func (w *traffic) relay() {
	out, err := outbox.Pending(w.kept, 1+w.rng.IntN(20))
	require.NoError(w.t, err)
	var sent []string
	for _, o := range out {
		require.NoError(w.t, o.Err)
		w.told[o.Event.Type+" "+o.Event.Subject]++
		if strings.Contains(o.Event.CausationID, "/") {
			w.resent++
		}
		if lost := (o.Event.Type == events.TypeDocumentSubmitted || o.Event.Type == events.TypeDocumentRequested) && w.rng.IntN(12) == 0; w.calm || !lost {
			w.queue = append(w.queue, message{o.Event, -1})
		}
		if w.calm || w.rng.IntN(12) > 0 {
			sent = append(sent, o.ID)
		} else {
			w.told[o.Event.Type+" "+o.Event.Subject]--
		}
	}
	require.NoError(w.t, outbox.Sent(w.kept, sent))
}

// deliver hands any message to its consumer; it may come again.
func (w *traffic) deliver() {
	i := w.rng.IntN(len(w.queue))
	m := w.queue[i]
	if w.calm || w.rng.IntN(6) > 0 {
		w.queue[i] = w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
	}
	switch m.ev.Type {
	case events.TypeDocumentRequested:
		w.fetch(m)
	case events.TypeDocumentSubmitted:
		w.process(m)
	case events.TypeDocumentDeleted:
		var f events.DocumentDeleted
		require.NoError(w.t, m.ev.As(&f))
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageErase, Left: &corpus.Left{Settled: true}, Cause: m.ev.Cause()})
	}
}

// fetch gets a document, which is another each time, or is what it was, or is not to be had.
func (w *traffic) fetch(m message) {
	var f events.DocumentRequested
	require.NoError(w.t, m.ev.As(&f))
	p := corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageFetch, Cause: m.ev.Cause()}
	switch w.rng.IntN(8) {
	case 0:
		p.Code = "fetch_refused"
	case 1:
		p.Unchanged = true
	default:
		sum := fmt.Sprint(w.rng.IntN(1000))
		p.Fetched = &corpus.Original{TextKey: corpus.TextKey(f.DocID, f.JobID, sum), ContentType: "text/html", SHA256: sum, Bytes: w.rng.IntN(1 << 16)}
	}
	vs, err := w.Advance(w.t.Context(), w.scope, []corpus.Progress{p})
	require.NoError(w.t, err)
	switch v := vs[0]; {
	case v.Fetched != nil && !v.Complete:
		ev, err := events.New(w.scope, "consumers", m.ev.Cause(), w.now, events.DocumentSubmitted{
			DocumentRef: f.DocumentRef, ContentType: v.Fetched.ContentType, TextKey: v.Fetched.TextKey, Model: f.Model,
		})
		require.NoError(w.t, err)
		w.queue = append(w.queue, message{ev, -1})
	case p.Unchanged && !v.Stale:
		w.queue = append(w.queue, m) // it is asked for once more
	}
}

func (w *traffic) process(m message) {
	var f events.DocumentSubmitted
	require.NoError(w.t, m.ev.As(&f))
	slices := 1 + f.Generation%3
	switch {
	case m.slice >= 0:
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageIndex, Cause: m.ev.Cause(), Slice: events.Slice{Slice: m.slice, Slices: slices, Chunks: slices}})
	case w.rng.IntN(15) == 0:
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageChunk, Code: "broken", Cause: m.ev.Cause()})
	default:
		for s := range slices {
			w.queue = append(w.queue, message{m.ev, s})
		}
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageChunk, Cause: m.ev.Cause(), Slice: events.Slice{Slices: slices, Chunks: slices}})
	}
}

func (w *traffic) tell(p corpus.Progress) {
	_, err := w.Advance(w.t.Context(), w.scope, []corpus.Progress{p})
	require.NoError(w.t, err)
}

// any is one of what there is, nothing when there is none.
func pick[T any](rng *rand.Rand, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[rng.IntN(len(all))], true
}

func (w *traffic) step() {
	ctx := w.t.Context()
	switch w.rng.IntN(14) {
	case 0, 1, 2:
		w.submitOne()
	case 3:
		if len(w.batches) < 5 {
			w.openOne()
		}
	case 4, 5:
		if b, ok := pick(w.rng, w.batches); ok {
			w.feed(b)
		}
	case 6, 7:
		w.relay()
	case 8, 9, 10:
		if len(w.queue) > 0 {
			w.deliver()
		}
	case 11:
		w.now = w.now.Add(time.Duration(w.rng.IntN(int(4 * time.Minute))))
		if w.rng.IntN(2) == 0 {
			w.lookAfter()
		}
	case 12:
		w.interfere(ctx)
	case 13:
		docs, err := w.Documents(ctx, w.scope, []string{"d0", "d1", "d2"})
		require.NoError(w.t, err)
		for _, d := range docs {
			if d.Why != nil && d.Why.Code == corpus.WhyWaiting {
				w.waited++
			}
		}
	}
}

// interfere is what people do.
func (w *traffic) interfere(ctx context.Context) {
	w.desk.jobs++
	id, cause := fmt.Sprintf("job-%04d", w.desk.jobs), events.Cause{ID: fmt.Sprint("request-", w.desk.jobs)}
	doc := fmt.Sprint("d", w.rng.IntN(8))
	switch w.rng.IntN(5) {
	case 0:
		if b, ok := pick(w.rng, w.batches); ok {
			_, err := w.Cancel(ctx, w.scope, b.id)
			require.NoError(w.t, err)
			b.cancelled = true
		}
	case 1, 2:
		if j, ok := pick(w.rng, w.jobs); ok {
			_, err := w.Cancel(ctx, w.scope, j)
			if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) { // not taken yet, or an erasure
				require.NoError(w.t, err)
			}
		}
	case 3:
		r, err := w.Delete(ctx, w.scope, corpus.Deletion{DocID: doc, JobID: id, Cause: cause})
		if !fault.Is(err, fault.NotFound) {
			require.NoError(w.t, err)
			w.jobs = append(w.jobs, r.JobID)
		}
	case 4:
		docs, err := w.Documents(ctx, w.scope, []string{doc})
		require.NoError(w.t, err)
		if len(docs) > 0 {
			r, err := w.Resubmit(ctx, w.scope, corpus.Resubmission{DocID: doc, Generation: docs[0].Generation, JobID: id, Cause: cause})
			if !fault.Is(err, fault.Limited) {
				require.NoError(w.t, err)
				w.jobs = append(w.jobs, r.JobID)
			}
		}
	}
}

// settle lets all of it come to its end.
func (w *traffic) settle() {
	w.calm = true
	for range 100_000 {
		out, err := outbox.Pending(w.kept, 1)
		require.NoError(w.t, err)
		fed := true
		for _, b := range w.batches {
			at, err := w.Take(w.t.Context(), w.scope, b.id, 0, nil)
			require.NoError(w.t, err)
			if !b.sealed || !at.Cancelled && at.Entries < len(b.entries) {
				fed = false
				w.feed(b)
			}
		}
		switch {
		case len(out) > 0:
			w.relay()
		case len(w.queue) > 0:
			w.deliver()
		default:
			next := w.lookAfter()
			if out, err = outbox.Pending(w.kept, 1); next.IsZero() && fed && len(out) == 0 {
				require.NoError(w.t, err)
				return
			}
			if next.After(w.now) {
				w.now = next
			}
		}
	}
	require.Fail(w.t, "it does not end")
}

func TestWhateverHappensEverythingEndsAndIsCounted(t *testing.T) {
	seen := traffic{}
	for seed := range uint64(100) {
		w := newTraffic(t, seed)
		for range 250 {
			w.step()
		}
		w.settle()
		w.check(seed)
		seen.resent, seen.stuck, seen.waited, seen.refusals = seen.resent+w.resent, seen.stuck+w.stuck, seen.waited+w.waited, seen.refusals+w.refusals
	}
	for what, n := range map[string]int{"resent": seen.resent, "stuck": seen.stuck, "waited": seen.waited, "refused": seen.refusals} {
		assert.Positive(t, n, "the test has to meet what is %s", what)
	}
}

func (w *traffic) check(seed uint64) {
	t, ctx := w.t, w.t.Context()
	raw, err := w.kept.Get("turns")
	require.NoError(t, err)
	var turns struct {
		InFlight int `json:"f"`
		Docs     int `json:"n"`
		Fetches  int `json:"fe"`
		Lanes    []struct {
			Waiting int `json:"w"`
		} `json:"l"`
		Watched []any    `json:"g"`
		Empty   []string `json:"em"`
	}
	if raw != nil {
		require.NoError(t, json.Unmarshal(raw, &turns))
	}
	require.Zero(t, turns.InFlight, "seed %d: units in flight", seed)
	require.Zero(t, turns.Docs, "seed %d: documents in flight", seed)
	require.Zero(t, turns.Fetches, "seed %d: documents that are being fetched", seed)
	require.Empty(t, turns.Watched, "seed %d", seed)
	st, err := w.Standing(ctx, w.scope)
	require.NoError(t, err)
	require.Zero(t, st.OnTheirWay+st.Imports, "seed %d: %+v", seed, st)
	require.Empty(t, turns.Empty, "seed %d", seed)
	for _, l := range turns.Lanes {
		require.Zero(t, l.Waiting, "seed %d", seed)
	}
	for _, prefix := range []string{"w/", "l/", "o/"} {
		left, err := w.kept.Scan(prefix, 1)
		require.NoError(t, err)
		require.Empty(t, left, "seed %d: rows %s", seed, prefix)
	}

	counts := map[string]job.Counts{}
	slices.Sort(w.jobs)
	for _, id := range slices.Compact(w.jobs) {
		j, err := w.Job(ctx, w.scope, id)
		if fault.Is(err, fault.NotFound) {
			continue // its import was cancelled before it was taken, or its document has only newer generations
		}
		require.NoError(t, err)
		require.True(t, j.State.Final(), "seed %d: job %s is %s", seed, id, j.State)
		for _, p := range j.Errors {
			if p.Code == "stuck" {
				w.stuck++
			}
		}
		c := counts[j.ImportID]
		switch j.State {
		case job.Succeeded:
			c.Done++
			if j.Unchanged {
				c.Unchanged++
			}
		case job.Failed:
			c.Failed++
		case job.Cancelled:
			c.Cancelled++
		}
		counts[j.ImportID] = c
	}
	for _, b := range w.batches {
		j, err := w.Job(ctx, w.scope, b.id)
		require.NoError(t, err)
		require.True(t, j.State.Final(), "seed %d: import %s is %s, %+v", seed, b.id, j.State, j.Counts)
		want, at := counts[b.id], taken(t, w, b.id)
		for _, e := range b.entries[:at] {
			if e.Submission == nil || e.Submission.Model == "" {
				want.Failed++
				want.Refused++
			}
		}
		want.Total = at
		require.Equal(t, want, j.Counts, "seed %d: import %s", seed, b.id)
		require.Len(t, problems(t, w, b.id), want.Failed, "seed %d: import %s", seed, b.id)
		require.Positive(t, w.told[events.TypeImportStarted+" imports/"+b.id], "seed %d", seed)
		require.Equal(t, 1, w.told[events.TypeImportCompleted+" imports/"+b.id], "seed %d", seed)
		if !b.cancelled {
			require.Len(t, b.entries, at)
		}
	}
}

// problems are all that an import lists.
func problems(t testing.TB, w *traffic, id string) (all []job.Problem) {
	for cursor, first := "", true; first || cursor != ""; first = false {
		page, err := w.Problems(t.Context(), w.scope, imports.Listing{JobID: id, Cursor: cursor, Limit: 7})
		require.NoError(t, err)
		all, cursor = append(all, page.Problems...), page.Next
	}
	return all
}

func taken(t testing.TB, w *traffic, id string) int {
	at, err := w.Take(t.Context(), w.scope, id, 0, nil)
	require.NoError(t, err)
	return at.Entries
}
