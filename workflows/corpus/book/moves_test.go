package book_test

import (
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
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

var models = []string{"m", "n", "o"}

// vec is a vector in the index that all tenants share.
type vec struct {
	tenant     tenants.ID
	model      string
	doc        string
	generation int
	chunk      int
}

// house is a tenant whose embedding model is changed, by runs that die and begin a step again, while its documents come, change and go: queues repeat and
// reorder, answers are lost, consumers fail.
type house struct {
	*office
	index map[vec]bool
	queue []message
	runs  []*run
	later []func() // removals that somebody is at
	moves []string
	shown map[string]int // what was searchable
	met   map[string]int
}

func newHouse(t *testing.T, tenant string, index map[vec]bool, met map[string]int, rng *rand.Rand) *house {
	return &house{office: newOffice(t, tenant, rng), index: index, met: met, shown: map[string]int{}}
}

func (w *house) vec(model, doc string, generation, chunk int) vec {
	return vec{w.scope.Tenant(), model, doc, generation, chunk}
}

// run is a flow that does a job of the kind reembed, step by step.
type run struct {
	id    string
	fact  events.TenantEmbeddingRequested
	next  func(*run)
	batch reembed.Batch
	fails map[int]bool // works that cannot be made
	over  bool
}

// goOn does the next step of a run. One that dies after it does it once more.
func (w *house) goOn(r *run) {
	r.next(r)
	if r.over {
		w.runs = slices.DeleteFunc(w.runs, func(other *run) bool { return other == r })
	}
}

func (w *house) takeWorks(r *run) {
	b, err := w.TakeWorks(w.t.Context(), w.scope, reembed.Asked{JobID: r.id, Cursor: r.batch.Next, Chunks: 1 + w.rng.IntN(8)})
	if fault.Is(err, fault.NotFound) || b.Over {
		r.over = true
		return
	}
	require.NoError(w.t, err)
	r.batch, r.fails, r.next = b, map[int]bool{}, w.write
}

// write writes what was taken, or removes it.
func (w *house) write(r *run) {
	for i, work := range r.batch.Works {
		r.fails[i] = !r.fact.Drop && (r.fails[i] || w.seldom(25))
		for chunk := range work.Chunks {
			if r.fails[i] {
				break
			}
			if at := w.vec(r.fact.Model, work.DocID, work.Generation.Generation, chunk); r.fact.Drop {
				delete(w.index, at)
			} else {
				w.index[at] = true
			}
		}
	}
	if !w.seldom(6) {
		r.next = w.report
	}
}

func (w *house) report(r *run) {
	ds := make([]reembed.Done, len(r.batch.Works))
	for i, work := range r.batch.Works {
		ds[i] = reembed.Done{Generation: work.Generation, Cost: job.Cost{Tokens: 1}}
		if r.fails[i] {
			ds[i].Code = "model_refused"
		}
	}
	vs, err := w.Filled(w.t.Context(), w.scope, r.id, ds)
	require.NoError(w.t, err)
	for i, v := range vs {
		if v.Stale {
			w.met["stale work"]++
			gone := corpus.Retired{Generation: ds[i].Generation.Generation, Chunks: r.batch.Works[i].Chunks, Model: r.fact.Model}
			w.later = append(w.later, func() { w.remove(ds[i].DocID, gone) })
		}
		w.erase(ds[i].DocID, v.Retired)
	}
	if w.seldom(6) {
		return
	}
	if r.next = w.takeWorks; r.batch.Last {
		r.next = w.turnOn
	}
	if w.seldom(60) {
		r.next = w.giveUp
	}
}

// turnOn is what follows on the last works of a phase.
func (w *house) turnOn(r *run) {
	ctx := w.t.Context()
	var err error
	switch r.next = w.takeWorks; r.batch.Spaces.Phase {
	case reembed.Filling:
		if r.fact.Stay {
			r.next = w.finish
			return
		}
		err = w.Turn(ctx, w.scope, r.id)
	case reembed.Turning:
		err = w.Switch(ctx, w.scope, r.id)
		if err == nil {
			w.met["switched"]++
		}
	case reembed.Settling:
		n, err := w.Late(ctx, w.scope, r.id)
		if r.over = fault.Is(err, fault.NotFound); r.over {
			return
		}
		require.NoError(w.t, err)
		if n == 0 {
			r.next = w.finish
		} else {
			w.met["late"]++
		}
	case reembed.Dropping:
		r.next = w.finish
	}
	switch {
	case err == nil:
	case fault.As(err).Code == "embedding_over":
		r.over = true
	default:
		require.True(w.t, fault.As(err).Code == "space_incomplete" || fault.Is(err, fault.NotFound), "%v", err)
		w.met["incomplete"]++
		r.next = w.giveUp
	}
}

func (w *house) finish(r *run) { w.endMove(r, nil) }

func (w *house) giveUp(r *run) {
	w.endMove(r, &job.Problem{Stage: "embed", Code: "budget_exhausted", Message: "no"})
}

func (w *house) endMove(r *run, failed *job.Problem) {
	j, err := w.EndMove(w.t.Context(), w.scope, r.id, failed)
	if fault.Is(err, fault.NotFound) {
		r.over = true
		return
	}
	if fault.As(err).Code == "space_incomplete" { // something came in between
		r.next = w.takeWorks
		return
	}
	require.NoError(w.t, err)
	w.met[string(j.State)+" "+j.Stage]++
	r.over = true
}

// remove takes what was written for a generation out of the index, and erase says so.
func (w *house) remove(doc string, r corpus.Retired) {
	for _, model := range append([]string{r.Model}, r.Also...) {
		for chunk := range r.Chunks {
			delete(w.index, w.vec(model, doc, r.Generation, chunk))
		}
	}
}

func (w *house) erase(doc string, rs []corpus.Retired) {
	for _, r := range rs {
		w.remove(doc, r)
		if !w.seldom(4) {
			_, err := w.Advance(w.t.Context(), w.scope, []corpus.Progress{retired(events.DocumentRef{DocID: doc, Generation: r.Generation})})
			require.NoError(w.t, err)
		}
	}
}

// relay brings what waits in the outbox to the queues.
func (w *house) relay() {
	out, err := outbox.Pending(w.kept, 1+w.rng.IntN(20))
	require.NoError(w.t, err)
	var sent []string
	for _, o := range out {
		require.NoError(w.t, o.Err)
		if lost := (o.Event.Type == events.TypeDocumentSubmitted || o.Event.Type == events.TypeTenantEmbeddingRequested) && w.seldom(12); !lost {
			w.queue = append(w.queue, message{o.Event, -1})
		}
		if !w.seldom(12) {
			sent = append(sent, o.ID)
		}
	}
	require.NoError(w.t, outbox.Sent(w.kept, sent))
}

// deliver hands any message to its consumer; it may come again, also much later.
func (w *house) deliver() {
	i := w.rng.IntN(len(w.queue))
	m := w.queue[i]
	if !w.seldom(6) {
		w.queue[i] = w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
	}
	switch m.ev.Type {
	case events.TypeDocumentRequested:
		w.fetch(m)
	case events.TypeDocumentSubmitted:
		w.process(m)
	case events.TypeDocumentRetired:
		var f events.DocumentRetired
		require.NoError(w.t, m.ev.As(&f))
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageRetire, Left: &corpus.Left{}})
	case events.TypeDocumentDeleted:
		var f events.DocumentDeleted
		require.NoError(w.t, m.ev.As(&f))
		left := 0
		for _, g := range f.Generations {
			w.remove(f.DocID, corpus.Retired{Generation: g.Generation, Chunks: g.Chunks, Model: g.Model, Also: g.Also})
		}
		w.tell(corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageErase, Left: &corpus.Left{Vectors: left, Settled: true}, Cause: m.ev.Cause()})
	case events.TypeTenantEmbeddingRequested:
		var f events.TenantEmbeddingRequested
		require.NoError(w.t, m.ev.As(&f))
		if !slices.Contains(w.moves, f.JobID) { // a flow is begun once
			w.moves = append(w.moves, f.JobID)
			w.runs = append(w.runs, &run{id: f.JobID, fact: f, next: w.takeWorks})
		}
	}
}

func (w *house) fetch(m message) {
	var f events.DocumentRequested
	require.NoError(w.t, m.ev.As(&f))
	p := corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageFetch, Cause: m.ev.Cause()}
	if p.Unchanged = w.seldom(4); !p.Unchanged {
		sum := fmt.Sprint(w.rng.IntN(1000))
		p.Fetched = &corpus.Original{TextKey: corpus.TextKey(f.DocID, f.JobID, sum), ContentType: "text/html", SHA256: sum, Bytes: w.rng.IntN(1 << 16)}
	}
	switch v := w.tell(p); {
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

// process cuts a document, or writes one of its slices to the index and then says so. Each slice is one chunk.
func (w *house) process(m message) {
	var f events.DocumentSubmitted
	require.NoError(w.t, m.ev.As(&f))
	all := 1 + f.Generation%3
	p := corpus.Progress{DocumentRef: f.DocumentRef, Stage: corpus.StageChunk, Cause: m.ev.Cause(), Slice: events.Slice{Slices: all, Chunks: all}}
	if m.slice < 0 {
		if w.seldom(15) {
			p.Code = "broken"
		} else {
			for s := range all {
				w.queue = append(w.queue, message{m.ev, s})
			}
		}
		w.tell(p)
		return
	}
	at := w.vec(f.Model, f.DocID, f.Generation, m.slice)
	w.index[at] = true
	if w.seldom(10) { // it dies, and the message comes again
		w.queue = append(w.queue, m)
		return
	}
	p.Stage, p.Slice.Slice = corpus.StageIndex, m.slice
	if w.tell(p).Stale {
		delete(w.index, at)
	}
}

// tell tells the ledger, and removes what it names.
func (w *house) tell(p corpus.Progress) corpus.Verdict {
	vs, err := w.Advance(w.t.Context(), w.scope, []corpus.Progress{p})
	require.NoError(w.t, err)
	w.erase(p.DocID, vs[0].Retired)
	return vs[0]
}

func (w *house) step() {
	switch w.rng.IntN(16) {
	case 0, 1:
		w.submitOne()
	case 2, 3, 4:
		w.relay()
	case 5, 6, 7, 8, 9:
		if len(w.queue) > 0 {
			w.deliver()
		}
		if len(w.later) > 0 && w.rng.IntN(40) == 0 {
			w.later[0]()
			w.later = w.later[1:]
		}
	case 10, 11, 12:
		if r, ok := pick(w.rng, w.runs); ok {
			w.goOn(r)
		}
	case 13:
		w.now = w.now.Add(time.Duration(w.rng.IntN(int(time.Minute))))
		if w.rng.IntN(2) == 0 {
			w.lookAfter()
		}
	default:
		w.interfere()
	}
}

func (w *house) submitOne() {
	sub := w.submission(fmt.Sprint("d", w.rng.IntN(8)))
	sub.Model, sub.Pace = models[w.rng.IntN(3)], corpus.Pace{MaxWaiting: 20, Deadline: 10 * time.Minute}
	switch w.rng.IntN(4) {
	case 0:
		sub.Bytes = w.rng.IntN(1 << 20)
	case 1:
		sub.TextKey, sub.SHA256, sub.Bytes, sub.Fetch = "", "", 0, &events.Fetch{URL: "https://a.example/"}
	}
	_, err := corpus.Submit(w.t.Context(), w, w.scope, sub)
	require.True(w.t, err == nil || fault.Is(err, fault.Limited), "%v", err)
}

// interfere is what people do.
func (w *house) interfere() {
	ctx := w.t.Context()
	w.desk.jobs++
	id, doc := fmt.Sprintf("job-%04d", w.desk.jobs), fmt.Sprint("d", w.rng.IntN(8))
	cause := events.Cause{ID: "request-" + id}
	switch w.rng.IntN(12) {
	case 0, 1, 2, 3:
		req := reembed.Request{JobID: id, Model: models[w.rng.IntN(3)], Cause: cause}
		switch w.rng.IntN(6) {
		case 0:
			req.Stay = true
		case 1, 2:
			req.Drop = true
		}
		_, err := w.OpenMove(ctx, w.scope, req)
		if err != nil {
			require.Contains(w.t, []string{"embedding_moving", "embedding_active", "space_empty"}, fault.As(err).Code)
		}
	case 4:
		if sp, err := w.Spaces(ctx, w.scope); err == nil && sp.JobID != "" && w.rng.IntN(3) == 0 {
			_, err := w.Cancel(ctx, w.scope, sp.JobID)
			require.Equal(w.t, sp.Phase == reembed.Settling || sp.Phase == reembed.Dropping, fault.As(err).Code == "job_not_cancellable", "%v", err)
			if err == nil {
				w.met["cancelled "+string(sp.Phase)]++
			}
		}
	case 5, 6:
		_, err := w.Delete(ctx, w.scope, corpus.Deletion{DocID: doc, JobID: id, Cause: cause})
		require.True(w.t, err == nil || fault.Is(err, fault.NotFound), "%v", err)
		delete(w.shown, doc)
	case 7, 8:
		docs, err := w.Documents(ctx, w.scope, []string{doc})
		require.NoError(w.t, err)
		if len(docs) > 0 && w.rng.IntN(2) == 0 {
			_, err = w.Resubmit(ctx, w.scope, corpus.Resubmission{DocID: doc, Generation: docs[0].Generation, JobID: id, Cause: cause})
			require.True(w.t, err == nil || fault.Is(err, fault.Limited), "%v", err)
		} else if len(docs) > 0 {
			_, err = w.Cancel(ctx, w.scope, docs[0].JobID)
			require.True(w.t, err == nil || fault.Is(err, fault.Conflict), "%v", err)
		}
	case 9:
		if w.rng.IntN(8) == 0 {
			w.eraseAll(id)
		}
	}
}

// eraseAll erases the tenant, while what is on its way stays so.
func (w *house) eraseAll(id string) {
	ctx := w.t.Context()
	_, err := w.OpenErasure(ctx, w.scope, erasure.Request{JobID: id, Cause: events.Cause{ID: id}})
	require.NoError(w.t, err)
	for at := range w.index {
		if at.tenant == w.scope.Tenant() {
			delete(w.index, at)
		}
	}
	for more := true; more; {
		more, err = w.DropErased(ctx, w.scope, id, 10)
		require.NoError(w.t, err)
	}
	_, err = w.NoteErasure(ctx, w.scope, erasure.Note{JobID: id, Stage: "check", Stores: []job.Store{{Name: "cache"}}, Checked: true})
	require.NoError(w.t, err)
	_, err = w.EndErasure(ctx, w.scope, id, nil)
	require.NoError(w.t, err)
	w.shown = map[string]int{}
	w.met["erased"]++
}

// look checks what has to be so at all times: what searches show is whole in the one space that they use, and stays until it is deleted.
func (w *house) look() {
	tx := w.kept.Begin()
	edition, err := w.book.Edition(tx)
	require.NoError(w.t, err)
	docs, err := w.book.Documents(tx, []string{"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"})
	require.NoError(w.t, err)
	for _, d := range docs {
		require.GreaterOrEqual(w.t, d.Searchable, w.shown[d.ID], "document %s disappears", d.ID)
		w.shown[d.ID] = d.Searchable
		for chunk := range 1 + d.Searchable%3 {
			if d.Searchable > 0 {
				require.True(w.t, w.index[w.vec(edition.Space, d.ID, d.Searchable, chunk)], "chunk %d of %s/%d is not in %s", chunk, d.ID, d.Searchable, edition.Space)
			}
		}
		if d.Why != nil && strings.Contains(d.Why.Message, "next embedding model") {
			w.met["held"]++
		}
	}
}

// settle lets all of it come to its end.
func (w *house) settle() {
	w.calm = true
	for range 20_000 {
		w.look()
		out, err := outbox.Pending(w.kept, 1)
		require.NoError(w.t, err)
		switch {
		case len(out) > 0:
			w.relay()
		case len(w.queue) > 0 && w.rng.IntN(2) == 0:
			w.deliver()
		case len(w.runs) > 0 && w.rng.IntN(10) > 0: // else it waits
			w.goOn(w.runs[w.rng.IntN(len(w.runs))])
		case len(w.queue) > 0:
			w.deliver()
		case len(w.later) > 0:
			w.later[0]()
			w.later = w.later[1:]
		default:
			next := w.lookAfter()
			if out, err = outbox.Pending(w.kept, 1); next.IsZero() && len(out)+len(w.runs) == 0 {
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

// end checks that nothing goes on, and that whoever removes documents removes all there is.
func (w *house) end() {
	t, ctx := w.t, w.t.Context()
	sp, err := w.Spaces(ctx, w.scope)
	require.NoError(t, err)
	require.Equal(t, reembed.Spaces{Active: sp.Active, Kept: sp.Kept}, sp)
	raw, err := w.kept.Get("turns")
	require.NoError(t, err)
	var turns struct {
		Docs    int `json:"n"`
		Fetches int `json:"fe"`
		Spaces  struct {
			Late   map[string]int `json:"l"`
			Ending bool           `json:"x"`
		} `json:"sp"`
	}
	if raw != nil {
		require.NoError(t, json.Unmarshal(raw, &turns))
	}
	require.Zero(t, turns.Docs)
	require.Zero(t, turns.Fetches)
	require.Empty(t, turns.Spaces.Late)
	require.False(t, turns.Spaces.Ending)
	for _, prefix := range []string{"w/", "l/", "o/", "m/"} {
		left, err := w.kept.Scan(prefix, 1)
		require.NoError(t, err)
		require.Empty(t, left, "rows %s", prefix)
	}
	for _, id := range w.moves {
		if j, err := w.Job(ctx, w.scope, id); !fault.Is(err, fault.NotFound) {
			require.NoError(t, err)
			require.True(t, j.State.Final(), "job %s is %s", id, j.State)
		}
	}
	for at := range w.index {
		if at.tenant == w.scope.Tenant() {
			require.Equal(t, w.shown[at.doc], at.generation, "%+v is what nobody needs", at)
		}
	}
	for doc := range w.shown {
		_, err := w.Delete(ctx, w.scope, corpus.Deletion{DocID: doc, JobID: "last-" + doc, Cause: events.Cause{ID: doc}})
		require.NoError(t, err)
	}
	clear(w.shown)
	w.settle()
	for at := range w.index {
		require.NotEqual(t, w.scope.Tenant(), at.tenant, "%+v: nobody named it", at)
	}
}

func TestWhateverHappensSearchesUseOneSpaceWhole(t *testing.T) {
	met := map[string]int{}
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng, index := rand.New(rand.NewPCG(seed, 11)), map[vec]bool{}
			all := []*house{newHouse(t, "acme", index, met, rng), newHouse(t, "globex", index, met, rng)}
			for range 800 {
				w := all[rng.IntN(2)]
				w.step()
				w.look()
			}
			for _, w := range all {
				w.settle()
			}
			for _, w := range all {
				w.end()
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Log(met)
	for _, what := range []string{
		"switched", "late", "held", "stale work", "incomplete", "erased", "cancelled filling", "cancelled turning", "failed filling", "failed turning",
		"failed settling", "succeeded filling", "succeeded settling", "succeeded dropping",
	} {
		assert.Positive(t, met[what], "the test has to meet what is %s", what)
	}
}
