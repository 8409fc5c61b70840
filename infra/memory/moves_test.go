package memory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/reembed"
)

var there = reembed.Request{JobID: "move-1", Model: other}

func TestATenantMovesToAnotherModel(t *testing.T) {
	p := newMoving(t)
	before := p.documents()
	chunks := len(p.ids(before))
	calls := len(p.model.Calls())
	m, err := llm.FindEmbedding(other)
	require.NoError(t, err)
	e, err := reembed.EstimateOf(t.Context(), p.ledger, p.acme, model, m, "")
	require.NoError(t, err)
	assert.Equal(t, []int{len(before), chunks}, []int{e.Documents, e.Chunks})
	assert.Positive(t, e.Tokens)
	assert.Equal(t, e.Tokens*m.Price, e.Nanos)
	assert.Greater(t, e.Time, corpus.Settling)

	j := p.move(there)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, []any{job.Reembed, other, 100, job.Counts{Total: len(before), Done: len(before)}}, []any{j.Kind, j.Model, j.Percent, j.Counts})
	p.spaces(t, model, other)
	p.searched(t, other)
	for _, d := range p.documents() {
		assert.Equal(t, p.found(t, d.ID, model), p.found(t, d.ID, other))
	}
	after := p.documents()
	for i := range before {
		assert.Equal(t, []int{before[i].Generation, before[i].Searchable}, []int{after[i].Generation, after[i].Searchable}, "nothing is cut anew")
	}
	texts := 0
	for _, c := range p.model.Calls()[calls:] {
		if c.Purpose == llm.ForDocument {
			texts += c.Texts
			assert.Equal(t, []any{tenants.ID("acme"), other, "move-1"}, []any{c.Tenant, c.Model, c.RequestID})
		}
	}
	assert.Equal(t, chunks, texts, "each is embedded once")
	assert.Equal(t, e.Tokens, j.Cost.Tokens, "as it counts words as the other does")
	assert.Equal(t, e.Nanos, j.Cost.Nanos)
	told := 0
	for _, entry := range p.trail.Entries(p.acme) {
		if entry.Type == events.TypeTenantEmbeddingSwitched {
			told++
		}
	}
	assert.Equal(t, 1, told)

	again, err := p.ledger.OpenMove(t.Context(), p.acme, reembed.Request{JobID: "x", Model: other, Cause: events.Cause{ID: "r"}})
	assert.Equal(t, "embedding_active", fault.As(err).Code, "%+v", again)
}

// What is embedded again is what was embedded first: the same text below the same title and headings, also where an index has only its beginning.
func TestTheSameIsEmbeddedAgain(t *testing.T) {
	p := newMoving(t)
	var mu sync.Mutex
	seen := map[string][]string{} // by model
	p.model.Before = func(c llm.Call, texts []string) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Purpose == llm.ForDocument {
			seen[c.Model] = append(seen[c.Model], texts...)
		}
		return nil
	}
	for _, d := range []corpus.Draft{draft("titled", prose("snow", 3)), draft("long", strings.Repeat("hail"+wide, 900))} {
		_, err := p.intake.Submit(t.Context(), p.acme, d)
		require.NoError(t, err)
	}
	untitled := draft("untitled", "# The heading\n\nA text.\n\n## Another\n\nMore.")
	untitled.About.Title, untitled.ContentType = "", "text/markdown"
	_, err := p.intake.Submit(t.Context(), p.acme, untitled)
	require.NoError(t, err)
	p.run(p.acme)
	first := slices.Sorted(slices.Values(seen[model]))
	require.NotEmpty(t, first)
	cut := false
	for _, hit := range p.passages(p.document(p.acme, "long")) {
		cut = cut || hit.Cut
	}
	require.True(t, cut, "nothing is cut")
	j := p.move(there)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	for _, text := range first {
		assert.Contains(t, seen[other], text)
	}
	for _, d := range p.documents() {
		for _, passage := range p.passages(d) {
			v := p.vector(d.ID, corpus.VectorID(p.acme, d.ID, d.Searchable, passage.Chunk))
			assert.Equal(t, passage.Metadata, v, "the same metadata")
		}
	}
}

// passages are those of a document.
func (p *moving) passages(d corpus.Document) []corpus.Passage {
	p.t.Helper()
	var at []corpus.Place
	for chunk := range d.Chunks {
		at = append(at, corpus.Place{Generation: corpus.Generation{DocID: d.ID, Generation: d.Searchable}, Chunk: chunk})
	}
	found, err := p.words.Passages(p.t.Context(), p.acme, at)
	require.NoError(p.t, err)
	return found
}

// vector is the metadata of one in the other space.
func (p *moving) vector(docID, id string) corpus.Metadata {
	p.t.Helper()
	anywhere, _ := llmtest.Vector("water", 768)
	found, err := p.vectors.Query(p.t.Context(), p.acme, other, corpus.VectorQuery{
		Values: anywhere, TopK: corpus.MaxTopK, Filter: json.RawMessage(fmt.Sprintf(`{"docId":{"$eq":%q}}`, docID)),
	})
	require.NoError(p.t, err)
	for _, m := range found {
		if m.ID == id {
			return m.Metadata
		}
	}
	p.t.Fatalf("no vector %s", id)
	return corpus.Metadata{}
}

// Documents are replaced, added, deleted and cancelled in every phase, and whatever dies dies.
func TestAMoveSurvivesWhateverDies(t *testing.T) {
	flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
		p := newMoving(t)
		p.disturbed()
		return p.begin(there), func(t *testing.T) {
			p.calm()
			p.run(p.acme, p.globex)
			j := p.job(p.acme, there.JobID)
			require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
			p.target(t)
		}
	})
}

// target asserts that all of acme is in the other space, and searched there, and that the one before has nothing that it should not.
func (p *moving) target(t testing.TB) {
	t.Helper()
	missing, extra := p.differs(other)
	assert.Empty(t, missing, "what the target lacks")
	assert.Empty(t, extra, "what the target has and should not")
	p.kept(t, model)
	p.stayed(t)
	p.searched(t, other)
	assert.Equal(t, p.ids(p.documents()), p.words.IDs(p.acme))
}

// disturbed has documents come, change and go while a move goes on: some at each of its first takes, each time with some of the pipeline in between.
func (p *moving) disturbed() {
	takes, calls := 0, 0
	p.model.Before = func(c llm.Call, _ []string) error {
		if c.Model != other || c.Purpose != llm.ForDocument {
			return nil
		}
		if calls++; calls == 1 { // what is being embedded is gone, from every store, before it is written
			p.delete(p.acme, "doc-5")
			p.submit(p.acme, draft("doc-1", prose("meanwhile", 2)))
			p.run(p.acme)
		}
		return nil
	}
	p.ledger.After = func(op string) error {
		if op != "takeWorks" {
			return nil
		}
		takes++
		switch takes {
		case 1:
			p.submit(p.acme, draft("doc-0", prose("first change", 3)))
			p.submit(p.acme, draft("new-1", prose("news", 2)))
			p.delete(p.acme, "doc-2")
			p.run(p.acme)
		case 2:
			p.submit(p.acme, draft("doc-1", prose("second change", 4)))
			p.relay(2)
		case 3:
			p.submit(p.acme, draft("a-first", prose("early", 2)))
			p.submit(p.acme, draft("zz-last", prose("late", 2)))
			p.delete(p.acme, "doc-3")
			p.run(p.acme)
		case 4, 5:
			p.submit(p.acme, draft("doc-4", prose(fmt.Sprint("change ", takes), 2)))
			p.relay(1)
		}
		return nil
	}
}

// relay brings what was submitted some queues further, and leaves it there.
func (p *moving) relay(queues int) {
	p.t.Helper()
	_, err := p.ledger.Relay(p.t.Context(), p.acme, p.out, 10)
	require.NoError(p.t, err)
	for _, queue := range []string{"ingest", "embed", "index"}[:queues] {
		if batch := p.queues.Take(queue, 10); len(batch) > 0 {
			p.queues.Settle(queue, batch, p.router.Handle(p.t.Context(), queue, batch))
		}
	}
}

// At each moment of a move a search finds all that it found before.
func TestSearchesAreWholeWhileAMoveGoesOn(t *testing.T) {
	p := newMoving(t)
	p.vectors.Lag = 20 * time.Second
	p.clock.advance(time.Minute)
	stay := slices.DeleteFunc(p.documents(), func(d corpus.Document) bool {
		return slices.Contains([]string{"doc-0", "doc-1", "doc-2", "doc-3", "doc-4", "doc-5"}, d.ID)
	})
	p.disturbed()
	e := p.begin(there)
	spaces := []string{}
	e.Die = func(flowtest.Point) bool {
		p.whole(t, stay)
		at, err := p.ledger.Edition(t.Context(), p.acme)
		require.NoError(t, err)
		if len(spaces) == 0 || spaces[len(spaces)-1] != at.Space {
			spaces = append(spaces, at.Space)
		}
		return false
	}
	require.NoError(t, e.Run(t.Context()))
	p.clock.advance(time.Minute)
	assert.Equal(t, []string{model, other}, spaces, "there is one switch")
	p.calm()
	p.run(p.acme, p.globex)
	p.target(t)
}

func TestAMoveSurvivesWhateverFails(t *testing.T) {
	for name := range newMoving(t).hooks() {
		for _, when := range []string{"before", "after"} {
			t.Run(name+" "+when, func(t *testing.T) {
				p := newMoving(t)
				e := p.begin(there)
				p.submit(p.acme, draft("doc-0", prose("change", 3)))
				flaky(p.hooks()[name], when, 5)
				require.NoError(t, e.Run(t.Context()))
				p.calm()
				p.run(p.acme, p.globex)
				require.Equal(t, job.Succeeded, p.job(p.acme, there.JobID).State, "%+v", p.job(p.acme, there.JobID).Errors)
				p.spaces(t, model, other)
				p.searched(t, other)
			})
		}
	}
}

// A budget that is spent ends a move where it is; searches stay where they were, and the same request goes on.
func TestABudgetIsSpent(t *testing.T) {
	p := newMoving(t)
	for i := range 140 {
		p.submit(p.acme, draft(fmt.Sprintf("more-%03d", i), prose("more", 12)))
	}
	p.run(p.acme, p.globex)
	total := len(p.ids(p.documents()))
	require.Greater(t, total, 2*corpus.MaxWrite)
	var mu sync.Mutex
	texts, most := 0, corpus.MaxWrite+150
	p.model.Before = func(c llm.Call, ts []string) error {
		mu.Lock()
		defer mu.Unlock()
		if c.Model != other {
			return nil
		}
		if texts+len(ts) > most {
			return fault.New(fault.Limited, "budget_exhausted", "the day's tokens are spent", nil).WithRetryAfter(time.Hour)
		}
		texts += len(ts)
		return nil
	}
	slept := time.Duration(0)
	e := p.begin(there)
	e.Asleep = func(d time.Duration) { slept += d }
	require.NoError(t, e.Run(t.Context()))
	assert.Zero(t, slept, "waiting does not help")
	j := p.job(p.acme, there.JobID)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "budget_exhausted", j.Errors[len(j.Errors)-1].Code)
	at, err := p.ledger.Spaces(t.Context(), p.acme)
	require.NoError(t, err)
	assert.Equal(t, reembed.Spaces{Active: model, Kept: []string{other}}, at)
	p.submit(p.acme, draft("doc-0", prose("goes on", 2)))
	p.run(p.acme)
	assert.Equal(t, corpus.Indexed, p.document(p.acme, "doc-0").State)

	first := texts
	most = 1 << 30
	require.Equal(t, job.Succeeded, p.move(reembed.Request{JobID: "move-2", Model: other}).State)
	assert.Less(t, texts-first, total-corpus.MaxWrite/2, "what is there is not embedded again")
	p.spaces(t, model, other)
}

// A model that is dead is waited for, hours as long as nobody waits for the move, and minutes where documents do.
func TestADeadModelEndsAMove(t *testing.T) {
	for _, after := range []reembed.Phase{reembed.Filling, reembed.Turning} {
		t.Run(string(after), func(t *testing.T) {
			p := newMoving(t)
			e := p.begin(there)
			dead, slept := false, time.Duration(0)
			p.ledger.After = func(op string) error {
				if op == "turn" {
					p.submit(p.acme, draft("waits", prose("patience", 2)))
					p.run(p.acme)
				}
				dead = dead || after == reembed.Filling || op == "turn"
				return nil
			}
			p.model.Before = func(c llm.Call, _ []string) error {
				if dead && c.Model == other {
					return fault.Unavailablef(nil, "model_busy", "dead")
				}
				return nil
			}
			e.Asleep = func(d time.Duration) { slept += d; p.clock.advance(d) }
			require.NoError(t, e.Run(t.Context()))
			j := p.job(p.acme, there.JobID)
			require.Equal(t, job.Failed, j.State)
			assert.Equal(t, "model_busy", j.Errors[len(j.Errors)-1].Code)
			if after == reembed.Filling {
				assert.Greater(t, slept, 7*time.Hour)
			} else {
				assert.Less(t, slept, 10*time.Minute)
				p.calm()
				p.run(p.acme)
				assert.Equal(t, corpus.Indexed, p.document(p.acme, "waits").State, "nothing waits for it any more")
			}
			p.calm()
			p.searched(t, model)
			require.Equal(t, job.Succeeded, p.move(reembed.Request{JobID: "move-2", Model: other}).State)
			p.spaces(t, model, other)
			p.searched(t, other)
		})
	}
}

// A document that the model refuses is named, and searches are not switched to a space in which it is missing.
func TestADocumentThatCannotBeEmbeddedIsNamed(t *testing.T) {
	p := newMoving(t)
	p.submit(p.acme, draft("poison", prose("cyanide", 4)))
	p.run(p.acme)
	p.model.Before = func(c llm.Call, texts []string) error {
		if c.Model == other && slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "cyanide") }) {
			return fault.Invalidf("texts", "text_refused", "no")
		}
		return nil
	}
	j := p.move(there)
	require.Equal(t, job.Failed, j.State)
	require.Len(t, j.Errors, 2)
	assert.Equal(t, []string{"poison", "text_refused", "space_incomplete"}, []string{j.Errors[0].DocID, j.Errors[0].Code, j.Errors[1].Code})
	assert.Equal(t, 1, j.Counts.Failed)
	p.searched(t, model)

	p.delete(p.acme, "poison")
	p.run(p.acme)
	before := len(p.model.Calls())
	require.Equal(t, job.Succeeded, p.move(reembed.Request{JobID: "move-2", Model: other}).State)
	for _, c := range p.model.Calls()[before:] {
		assert.NotEqual(t, llm.ForDocument, c.Purpose, "everything else is there")
	}
	p.spaces(t, model, other)
}

// A move is cancelled at each of its moments: then it ends, and nothing is half moved; or it has switched already.
func TestAMoveIsCancelledAtAnyTime(t *testing.T) {
	for n := 0; ; n++ {
		p := newMoving(t)
		p.disturbed()
		e := p.begin(there)
		call, cancelled := 0, false
		e.Die = func(at flowtest.Point) bool {
			if call++; call != n+1 {
				return false
			}
			_, err := p.ledger.Cancel(t.Context(), p.acme, there.JobID)
			cancelled = err == nil
			if err != nil {
				assert.Equal(t, "job_not_cancellable", fault.As(err).Code, at)
			}
			return false
		}
		require.NoError(t, e.Run(t.Context()))
		p.calm()
		p.run(p.acme, p.globex)
		j := p.job(p.acme, there.JobID)
		if call <= n {
			require.Equal(t, job.Succeeded, j.State)
			break
		}
		if !cancelled {
			require.Equal(t, job.Succeeded, j.State, "cancelled at %d", n)
			p.searched(t, other)
			continue
		}
		if j.State == job.Succeeded { // it had ended
			continue
		}
		require.Equal(t, job.Cancelled, j.State, "cancelled at %d", n)
		p.searched(t, model)
		p.watched() // nobody was there to be told what became searchable when the move ended, and what that replaced
		back := p.move(reembed.Request{JobID: "drop", Model: other, Drop: true})
		require.Equal(t, job.Succeeded, back.State, "%+v", back.Errors)
		p.spaces(t, model)
		if t.Failed() {
			return
		}
	}
}

// watched has the ledger look after what should have ended.
func (p *moving) watched() {
	p.t.Helper()
	for range 3 {
		p.clock.advance(time.Hour)
		_, err := p.ledger.Watch(p.acme)
		require.NoError(p.t, err)
		p.run(p.acme, p.globex)
	}
}

// There, back, and the space emptied: what came since is all that the way back embeds.
func TestThereAndBackAgain(t *testing.T) {
	p := newMoving(t)
	require.Equal(t, job.Succeeded, p.move(there).State)
	p.submit(p.acme, draft("new", prose("news", 3)))
	p.submit(p.acme, draft("doc-1", prose("other", 2)))
	p.delete(p.acme, "doc-2")
	p.run(p.acme, p.globex)
	assert.NotContains(t, p.vectors.IDs(p.acme, model), corpus.VectorID(p.acme, "doc-2", 1, 0), "what is deleted goes from both")
	assert.NotContains(t, p.vectors.IDs(p.acme, model), corpus.VectorID(p.acme, "doc-1", 1, 0), "and what is replaced")
	p.searched(t, other)

	calls := len(p.model.Calls())
	j := p.move(reembed.Request{JobID: "back", Model: model})
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	texts := 0
	for _, c := range p.model.Calls()[calls:] {
		if c.Purpose == llm.ForDocument {
			texts += c.Texts
		}
	}
	assert.Equal(t, p.document(p.acme, "new").Chunks+p.document(p.acme, "doc-1").Chunks, texts)
	p.spaces(t, model, other)
	p.searched(t, model)

	_, err := p.ledger.OpenMove(t.Context(), p.acme, reembed.Request{JobID: "x", Model: model, Drop: true, Cause: events.Cause{ID: "r"}})
	assert.Equal(t, "embedding_active", fault.As(err).Code)
	stray := corpus.Vector{ID: "stray", Values: make([]float32, 768)}
	require.NoError(t, p.vectors.Upsert(t.Context(), p.acme, other, []corpus.Vector{stray}))
	require.NoError(t, p.vectors.Upsert(t.Context(), p.globex, other, []corpus.Vector{stray}))
	j = p.move(reembed.Request{JobID: "drop", Model: other, Drop: true})
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, []string{"stray"}, p.vectors.IDs(p.globex, other), "another tenant's")
	require.NoError(t, p.vectors.Delete(t.Context(), p.globex, other, []string{"stray"}))
	p.spaces(t, model)
	p.searched(t, model)
	at, err := p.ledger.Spaces(t.Context(), p.acme)
	require.NoError(t, err)
	assert.Equal(t, reembed.Spaces{Active: model}, at)

	require.Equal(t, job.Succeeded, p.move(reembed.Request{JobID: "again", Model: other}).State, "it is filled anew")
	p.spaces(t, model, other)
	p.searched(t, other)
}

// A space that is being emptied is, whatever dies, and whoever writes to it late takes that away again.
func TestASpaceIsEmptiedWhateverDies(t *testing.T) {
	flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
		p := newMoving(t)
		require.Equal(t, job.Succeeded, p.move(reembed.Request{JobID: "fill", Model: other, Stay: true}).State)
		p.searched(t, model)
		drop := reembed.Request{JobID: "drop", Model: other, Drop: true}
		e := p.begin(drop)
		p.submit(p.acme, draft("doc-0", prose("change", 2)))
		return e, func(t *testing.T) {
			j := p.job(p.acme, drop.JobID)
			require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
			p.spaces(t, model)
			p.searched(t, model)
		}
	})
}

// A tenant that is erased in the middle of a move has nothing in either space after it, and the move ends.
func TestATenantIsErasedInTheMiddleOfAMove(t *testing.T) {
	for n := 0; ; n += 2 {
		p := newHolding(t)
		p.before = p.all(p.globex)
		_, err := p.ledger.OpenMove(t.Context(), p.acme, reembed.Request{JobID: there.JobID, Model: other, Cause: events.Cause{ID: "r"}})
		require.NoError(t, err)
		flowOf := reembed.New(reembed.Ports{Ledger: p.ledger, Documents: p.ledger, Stores: p.stores(), Embedder: p.model}, p.clock.Now).Flow
		calls, erased := 0, false
		e := &flowtest.Engine{Flow: flowOf, Scope: p.acme, ID: there.JobID, Params: reembed.Order{Model: other}, Asleep: func(d time.Duration) {
			p.clock.advance(d)
			p.run(p.acme, p.globex)
		}}
		e.Die = func(flowtest.Point) bool {
			if calls++; calls == n+1 {
				require.NoError(t, p.ask("erasure-1").Run(t.Context()))
				erased = true
			}
			return false
		}
		err = e.Run(t.Context())
		if !erased {
			require.NoError(t, err)
			require.Greater(t, n, 10)
			return
		}
		if err != nil {
			assert.Equal(t, "job_not_found", fault.As(err).Code, "its job is forgotten")
		}
		p.gone(t)
		if t.Failed() {
			t.Fatalf("erased at moment %d", n)
		}
	}
}

// A removal whose tenant is erased in its middle takes nothing of what comes after that to the space that it empties.
func TestARemovalEndsWithAnErasure(t *testing.T) {
	p := newMoving(t)
	require.Equal(t, job.Succeeded, p.move(there).State)
	drop := reembed.Request{JobID: "drop", Model: model, Drop: true}
	e := p.begin(drop)
	asleep, erased := e.Asleep, false
	e.Asleep = func(d time.Duration) {
		if !erased {
			erased = true
			p.eraseAll("erasure-1")
			p.submit(p.acme, draft("first", prose("rain", 3)))
		}
		asleep(d)
	}
	assert.Equal(t, "job_not_found", fault.As(e.Run(t.Context())).Code, "its job is forgotten")
	require.True(t, erased)
	assert.Equal(t, p.ids(p.documents()), p.vectors.IDs(p.acme, model))
	assert.NotEmpty(t, p.vectors.IDs(p.acme, model))
}

// eraseAll erases acme, but for its texts and passages.
func (p *moving) eraseAll(id string) {
	p.t.Helper()
	ctx := p.t.Context()
	_, err := p.ledger.OpenErasure(ctx, p.acme, erasure.Request{JobID: id, Cause: events.Cause{ID: id}})
	require.NoError(p.t, err)
	for _, m := range []string{model, other} {
		if ids := p.vectors.IDs(p.acme, m); len(ids) > 0 {
			require.NoError(p.t, p.vectors.Delete(ctx, p.acme, m, ids))
		}
	}
	for more := true; more; {
		more, err = p.ledger.DropErased(ctx, p.acme, id, 10)
		require.NoError(p.t, err)
	}
	_, err = p.ledger.NoteErasure(ctx, p.acme, erasure.Note{JobID: id, Stage: "check", Stores: []job.Store{{Name: "cache"}}, Checked: true})
	require.NoError(p.t, err)
	_, err = p.ledger.EndErasure(ctx, p.acme, id, nil)
	require.NoError(p.t, err)
}
