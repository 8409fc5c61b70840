package replay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/replay"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

var epoch = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// catalogue is documents by the newest generation of each, all of which have failed. A call may fail before or after it.
type catalogue struct {
	memory.Hooks
	newest  map[string]int
	begun   []corpus.Resubmission
	deleted []corpus.Deletion
}

func (c *catalogue) Delete(_ context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error) {
	out := corpus.Receipt{DocID: d.DocID, Generation: c.newest[string(s.Tenant())+"/"+d.DocID]}
	if out.Unchanged = d.Generation != out.Generation; !out.Unchanged {
		c.deleted = append(c.deleted, d)
	}
	return out, nil
}

func (c *catalogue) Resubmit(_ context.Context, s tenants.Scope, r corpus.Resubmission) (corpus.Receipt, error) {
	if c.Before != nil {
		if err := c.Before("resubmit"); err != nil {
			return corpus.Receipt{}, err
		}
	}
	newest, known := c.newest[string(s.Tenant())+"/"+r.DocID]
	if !known {
		return corpus.Receipt{}, fault.Missing("document_not_found", "no document %q", r.DocID)
	}
	out := corpus.Receipt{DocID: r.DocID, Generation: newest}
	if newest == r.Generation {
		out.Generation++
		c.newest[string(s.Tenant())+"/"+r.DocID]++
		c.begun = append(c.begun, r)
	}
	if c.After != nil {
		return out, c.After("resubmit")
	}
	return out, nil
}

// office is two tenants' letters, and who sends them again.
type office struct {
	*testing.T
	box          *memory.Letters
	docs         *catalogue
	replayer     *replay.Replayer
	acme, globex tenants.Scope
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, docs: &catalogue{newest: map[string]int{}}}
	o.acme, o.globex = tenantstest.Two(t)
	o.box = memory.NewLetters(func() time.Time { return epoch.Add(time.Hour) })
	jobs := 0
	o.replayer = replay.New(o.box, o.box, o.docs, &replay.Options{NewID: func() string {
		jobs++
		return fmt.Sprintf("job-%04d", jobs)
	}})
	return o
}

// letter has the nth message of a tenant die: one about a document's generation, or about none when it has no name.
func (o *office) letter(s tenants.Scope, n int, doc string, generation int) letters.Letter {
	o.Helper()
	ev, err := events.New(s, "test", events.Cause{ID: fmt.Sprint(n)}, epoch, events.DocumentIndexed{
		DocumentRef: events.DocumentRef{DocID: "x" + doc, Generation: 1, JobID: "j"}, Chunks: 1, Model: "m",
	})
	require.NoError(o, err)
	body, err := ev.MarshalJSON()
	require.NoError(o, err)
	l := letters.Letter{
		ID: fmt.Sprintf("l%04d", n), Queue: "embed", Tenant: s.Tenant(), Type: ev.Type, Code: "model_busy", Attempts: 4,
		At: epoch.Add(time.Duration(n) * time.Second), Body: body,
	}
	if doc != "" {
		l.Stage, l.DocID, l.Generation = "embed", doc, generation
	}
	require.NoError(o, o.box.Keep(o.Context(), s, []letters.Letter{l}))
	return l
}

// failed has a document's first generation fail, with letters of several of its slices.
func (o *office) failed(s tenants.Scope, n int, doc string, slices int) {
	o.Helper()
	o.docs.newest[string(s.Tenant())+"/"+doc] = 1
	for i := range slices {
		o.letter(s, n+i, doc, 1)
	}
}

func (o *office) replay(s tenants.Scope, a letters.Replay) letters.Replayed {
	o.Helper()
	if a.Cause.ID == "" {
		a.Cause.ID = "request"
	}
	out, err := o.replayer.Replay(o.Context(), s, a)
	require.NoError(o, err)
	return out
}

// sent is what leaves a tenant's box: types, and the ids of the letters that facts tell of.
func (o *office) sent(s tenants.Scope) (types []string, told []string) {
	o.Helper()
	out := &eventstest.Publisher{}
	for {
		n, err := o.box.Relay(o.Context(), s, out)
		require.NoError(o, err)
		if n == 0 {
			break
		}
	}
	for _, ev := range out.Events() {
		types = append(types, ev.Type)
		var f events.LettersReplayed
		if ev.Type == f.Type() {
			require.NoError(o, ev.As(&f))
			told = append(told, f.Letters...)
		}
	}
	return types, told
}

func numbers(r letters.Replayed) []int {
	return []int{r.Matched, r.Replayed, len(r.Skipped), r.Remaining}
}

func TestADocumentOfManyLettersBeginsOnce(t *testing.T) {
	o := newOffice(t)
	o.failed(o.acme, 0, "a", 3)
	o.failed(o.globex, 0, "a", 3)
	o.letter(o.acme, 5, "", 0)
	assert.Equal(t, []int{4, 0, 0, 4}, numbers(o.replay(o.acme, letters.Replay{DryRun: true})))
	assert.Empty(t, o.docs.begun)

	out := o.replay(o.acme, letters.Replay{By: "operations"})
	assert.Equal(t, []int{4, 4, 0, 0}, numbers(out))
	assert.Empty(t, out.Next)
	require.Len(t, o.docs.begun, 1)
	assert.Equal(t, corpus.Resubmission{DocID: "a", Generation: 1, JobID: "job-0001", Cause: events.Cause{ID: "request"}}, o.docs.begun[0])
	types, told := o.sent(o.acme)
	assert.ElementsMatch(t, []string{events.TypeDocumentIndexed, events.TypeLettersReplayed}, types)
	assert.Equal(t, []string{"l0000", "l0001", "l0002", "l0005"}, told)

	assert.Equal(t, []int{0, 0, 0, 0}, numbers(o.replay(o.acme, letters.Replay{})))
	types, _ = o.sent(o.globex)
	assert.Empty(t, types)
	assert.Equal(t, []int{3, 0, 0, 3}, numbers(o.replay(o.globex, letters.Replay{DryRun: true})), "the other tenant's are as they were")
}

// An erasure that has failed begins anew, unless there is a newer generation, which is not to be erased.
func TestAnErasureBeginsAnew(t *testing.T) {
	o := newOffice(t)
	for i, doc := range []string{"gone", "back"} {
		l := o.letter(o.acme, i, doc, 1)
		l.Stage = "erase"
		require.NoError(t, o.box.Keep(t.Context(), o.acme, []letters.Letter{l}))
		o.docs.newest["acme/"+doc] = 1 + i
	}
	assert.Equal(t, []int{2, 2, 0, 0}, numbers(o.replay(o.acme, letters.Replay{})))
	assert.Equal(t, []corpus.Deletion{{DocID: "gone", Generation: 1, JobID: "job-0001", Cause: events.Cause{ID: "request"}}}, o.docs.deleted)
	assert.Empty(t, o.docs.begun)
	types, _ := o.sent(o.acme)
	assert.Equal(t, []string{events.TypeLettersReplayed}, types, "the message itself stays")
}

// A letter of a generation that is not the newest is settled: somebody submitted the document again.
func TestAnOldGenerationIsLeftAlone(t *testing.T) {
	o := newOffice(t)
	o.failed(o.acme, 0, "a", 1)
	o.docs.newest["acme/a"] = 7
	assert.Equal(t, []int{1, 1, 0, 0}, numbers(o.replay(o.acme, letters.Replay{})))
	assert.Empty(t, o.docs.begun)
}

func TestWhatCannotBeSentAgainIsSkipped(t *testing.T) {
	o := newOffice(t)
	o.letter(o.acme, 0, "gone", 1)
	unknown := o.letter(o.acme, 1, "a", 0)
	broken := o.letter(o.acme, 2, "", 0)
	broken.Body = []byte("{")
	require.NoError(t, o.box.Keep(t.Context(), o.acme, []letters.Letter{broken}))
	o.failed(o.acme, 3, "good", 1)
	speech := o.letter(o.acme, 4, "", 0)
	speech.Type = events.TypeSpeechRequested
	require.NoError(t, o.box.Keep(t.Context(), o.acme, []letters.Letter{speech}))
	for range 2 { // they are skipped again, and are in nobody's way
		out := o.replay(o.acme, letters.Replay{})
		codes := map[string]string{}
		for _, x := range out.Skipped {
			codes[x.ID] = x.Code
			assert.NotEmpty(t, x.Message)
		}
		assert.Equal(t, map[string]string{"l0000": "document_not_found", unknown.ID: "generation_unknown", broken.ID: "event_invalid", speech.ID: "speech_ended"}, codes)
		assert.Equal(t, 4, out.Remaining)
	}
	assert.Len(t, o.docs.begun, 1)
}

func TestThousandsByTheHundreds(t *testing.T) {
	o := newOffice(t)
	for i := range 130 {
		o.failed(o.acme, i, fmt.Sprintf("doc%03d", i), 1)
	}
	first := o.replay(o.acme, letters.Replay{Limit: 60})
	assert.Equal(t, []int{130, 60, 0, 70}, numbers(first))
	assert.Equal(t, "doc000", o.docs.begun[0].DocID, "the oldest first")
	assert.Equal(t, "doc059", o.docs.begun[59].DocID)
	second := o.replay(o.acme, letters.Replay{Limit: 60, Cursor: first.Next})
	assert.Equal(t, []int{70, 60, 0, 10}, numbers(second))
	third := o.replay(o.acme, letters.Replay{Limit: 60, Cursor: second.Next})
	assert.Equal(t, []int{10, 10, 0, 0}, numbers(third))
	assert.Empty(t, third.Next)
	assert.Len(t, o.docs.begun, 130)
}

func TestQueriesChoose(t *testing.T) {
	o := newOffice(t)
	o.failed(o.acme, 0, "a", 1)
	o.failed(o.acme, 1, "b", 1)
	o.failed(o.acme, 2, "c", 1)
	assert.Equal(t, 1, o.replay(o.acme, letters.Replay{Query: letters.Query{DocID: "b"}}).Replayed)
	assert.Equal(t, 1, o.replay(o.acme, letters.Replay{Query: letters.Query{IDs: []string{"l0002", "l0001"}}}).Replayed)
	assert.Zero(t, o.replay(o.acme, letters.Replay{Query: letters.Query{Codes: []string{"other"}}}).Matched)
	replayed := true
	assert.Equal(t, 1, o.replay(o.acme, letters.Replay{Query: letters.Query{Replayed: &replayed}}).Matched, "what was sent again never is")
}

// TestEveryCallFails has each call of the box and of the ledger fail, before and after its effect, and repeats the replay until
// it goes through: each document has begun once, each message is out once, and each letter is told of once.
func TestEveryCallFails(t *testing.T) {
	lost := fault.Unavailablef(nil, "lost", "nobody knows")
	for _, after := range []bool{false, true} {
		for nth := 0; ; nth++ {
			o := newOffice(t)
			o.failed(o.acme, 0, "a", 2)
			o.failed(o.acme, 2, "b", 1)
			o.letter(o.acme, 3, "", 0)
			o.failed(o.globex, 0, "a", 1)
			calls, failures := 0, 0
			hook := func(string) error {
				if calls++; calls == nth+1 {
					failures++
					return lost
				}
				return nil
			}
			hooks := memory.Hooks{Before: hook}
			if after {
				hooks = memory.Hooks{After: hook}
			}
			o.box.Hooks, o.docs.Hooks = hooks, hooks
			tries := 0
			for ; tries < 5; tries++ {
				out, err := o.replayer.Replay(t.Context(), o.acme, letters.Replay{Cause: events.Cause{ID: fmt.Sprint("request", tries), IdempotencyKey: fmt.Sprint("key", tries)}})
				if err == nil && out.Stopped == "" && out.Remaining == 0 {
					break
				}
				if err != nil {
					require.ErrorContains(t, err, "lost")
				}
			}
			require.Less(t, tries, 5)
			o.box.Hooks = memory.Hooks{}
			require.Len(t, o.docs.begun, 2, "call %d, after %v", nth, after)
			types, told := o.sent(o.acme)
			assert.Equal(t, 1, strings.Count(strings.Join(types, " "), events.TypeDocumentIndexed))
			assert.ElementsMatch(t, []string{"l0000", "l0001", "l0002", "l0003"}, told)
			types, _ = o.sent(o.globex)
			assert.Empty(t, types)
			if failures == 0 {
				assert.Positive(t, nth)
				break
			}
		}
	}
}

func TestAKeyIsAnsweredOnce(t *testing.T) {
	o := newOffice(t)
	o.failed(o.acme, 0, "a", 1)
	a := letters.Replay{Cause: events.Cause{ID: "request", IdempotencyKey: "key"}}
	first := o.replay(o.acme, a)
	o.failed(o.acme, 1, "b", 1)
	again := o.replay(o.acme, a)
	assert.True(t, again.Repeated)
	again.Repeated = false
	assert.Equal(t, first, again)
	assert.Len(t, o.docs.begun, 1)
	a.Limit = 3
	_, err := o.replayer.Replay(t.Context(), o.acme, a)
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
	a.DryRun = true
	assert.Equal(t, 1, o.replay(o.acme, a).Matched, "who only counts needs no key")
	a.DryRun = false
	assert.Zero(t, o.replay(o.globex, a).Matched, "another tenant's key")
}

func TestWhatIsNoReplay(t *testing.T) {
	o := newOffice(t)
	for field, a := range map[string]letters.Replay{
		"limit":  {Limit: letters.MaxReplay + 1},
		"types":  {Query: letters.Query{Types: []string{""}}},
		"cursor": {Cursor: "nonsense"},
	} {
		_, err := o.replayer.Replay(t.Context(), o.acme, a)
		assert.Equal(t, []any{fault.Invalid, field}, []any{fault.KindOf(err), fault.As(err).Field})
	}
	_, err := o.replayer.Replay(t.Context(), tenants.Scope{}, letters.Replay{})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func Example() {
	acme, _ := tenants.Resume("acme")
	box := memory.NewLetters(func() time.Time { return epoch })
	docs := &catalogue{newest: map[string]int{"acme/guide": 1}}
	r := replay.New(box, box, docs, nil)
	_ = box.Keep(context.Background(), acme, []letters.Letter{{
		ID: letters.NewID("embed", "1"), Tenant: "acme", Stage: "embed", DocID: "guide", Generation: 1, Code: "model_busy", At: epoch,
	}})
	for _, dryRun := range []bool{true, false, false} {
		out, _ := r.Replay(context.Background(), acme, letters.Replay{Query: letters.Query{Codes: []string{"model_busy"}}, DryRun: dryRun})
		fmt.Println(out.Matched, "matched,", out.Replayed, "replayed;", len(docs.begun), "generations begun")
	}
	// Output:
	// 1 matched, 0 replayed; 0 generations begun
	// 1 matched, 1 replayed; 1 generations begun
	// 0 matched, 0 replayed; 1 generations begun
}
