package reembed_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/reembed"
)

const model = "@cf/baai/bge-small-en-v1.5"

// desk is a ledger that names as many documents as it is told to, and notes what it is told.
type desk struct {
	reembed.Ledger
	batches [][]reembed.Work // taken one after the other; the last one again and again, when endless
	endless bool
	taken   int
	done    []reembed.Done
	ended   *job.Problem
	over    bool
	moves   bool // not only fills
	late    []int
	refused int // ends that are
	ends    int
	turned  bool
	settles []reembed.Work // named each time, after the switch
	gone    bool           // it has switched
	steps   int
	embed   llmtest.Embedder
}

func (d *desk) Turn(context.Context, tenants.Scope, string) error {
	d.turned = true
	return nil
}

func (d *desk) Switch(context.Context, tenants.Scope, string) error {
	d.gone = true
	return nil
}

// Late tells what the test says, the last of it for ever.
func (d *desk) Late(context.Context, tenants.Scope, string) (int, error) {
	n := d.late[0]
	if len(d.late) > 1 {
		d.late = d.late[1:]
	}
	return n, nil
}

func (d *desk) Missing(context.Context, tenants.Scope, string, string) (reembed.Missing, error) {
	return reembed.Missing{}, nil
}

func (d *desk) TakeWorks(_ context.Context, _ tenants.Scope, a reembed.Asked) (reembed.Batch, error) {
	if d.over {
		return reembed.Batch{Over: true}, nil
	}
	if d.gone {
		return reembed.Batch{Works: d.settles, Last: true}, nil
	}
	n := d.taken
	d.taken++
	if d.endless {
		n = 0
	}
	if n >= len(d.batches) {
		return reembed.Batch{Last: true}, nil
	}
	return reembed.Batch{Works: d.batches[n], Next: fmt.Sprint(n)}, nil
}

func (d *desk) Filled(_ context.Context, _ tenants.Scope, _ string, ds []reembed.Done) ([]corpus.Verdict, error) {
	d.done = append(d.done, ds...)
	return make([]corpus.Verdict, len(ds)), nil
}

func (d *desk) EndMove(_ context.Context, _ tenants.Scope, _ string, failed *job.Problem) (job.Job, error) {
	if d.ends++; failed == nil && d.refused > 0 {
		d.refused--
		return job.Job{}, fault.New(fault.Conflict, "space_incomplete", "something is late", nil)
	}
	d.ended = failed
	return job.Job{}, nil
}

// counted is a run whose steps are counted.
type counted struct {
	flow.Run
	steps *int
	names map[string]bool
}

func (r counted) Step(ctx context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	*r.steps++
	if r.names[name] {
		return nil, fault.New(fault.Internal, "name_twice", name, nil)
	}
	r.names[name] = true
	return r.Run.Step(ctx, name, f)
}

// run runs a flow that fills a space, or moves to it.
func (d *desk) run(t *testing.T, words *memory.Lexicon) {
	t.Helper()
	m := reembed.New(reembed.Ports{
		Ledger: d, Stores: corpus.Stores{Texts: &memory.Texts{}, Vectors: memory.NewVectors(time.Now), Lexicon: words}, Embedder: &d.embed,
	}, time.Now)
	pause := func(context.Context, time.Duration) error { return nil }
	f := func(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
		return m.Flow(ctx, s, counted{r, &d.steps, map[string]bool{}}, params)
	}
	require.NoError(t, flow.Inline(t.Context(), tenantstest.Scope(t, "acme"), f, "j", reembed.Order{Model: model, Stay: !d.moves}, &flow.InlineOptions{Pause: pause}))
	assert.LessOrEqual(t, d.steps, 10_000, "the platform would end it")
}

// works are documents with so many chunks each, which the lexicon has.
func works(t *testing.T, words *memory.Lexicon, chunks ...int) (ws []reembed.Work) {
	t.Helper()
	for i, n := range chunks {
		g := corpus.Generation{DocID: fmt.Sprint("doc-", i), Generation: 1}
		ws = append(ws, reembed.Work{Generation: g, Chunks: n})
		var ps []corpus.Passage
		for chunk := range n {
			ps = append(ps, corpus.Passage{Metadata: corpus.Metadata{DocID: g.DocID, Generation: 1, Chunk: chunk, Text: fmt.Sprint("Word ", chunk)}, Body: []string{"word"}})
			if len(ps) == corpus.MaxWrite || chunk == n-1 {
				require.NoError(t, words.Put(t.Context(), tenantstest.Scope(t, "acme"), ps))
				ps = nil
			}
		}
	}
	return ws
}

// A document of any length is brought in steps of a bounded size, and is one work.
func TestALongDocumentIsBroughtInParts(t *testing.T) {
	words := memory.NewLexicon()
	d := &desk{}
	d.batches = [][]reembed.Work{works(t, words, 3, 2500, 700)}
	d.run(t, words)
	require.Nil(t, d.ended)
	require.Len(t, d.done, 3)
	sum := int64(0)
	for i, n := range []int64{3, 2500, 700} {
		assert.Empty(t, d.done[i].Code)
		assert.InDelta(t, 2*n, d.done[i].Cost.Tokens, 5, "its part of what the calls took")
		sum += d.done[i].Cost.Tokens
	}
	assert.EqualValues(t, 2*3203, sum, "each word once")
}

// A chunk that the lexical index does not have fails its document, of which nothing more is paid, and no other.
func TestAChunkThatIsNotThere(t *testing.T) {
	words := memory.NewLexicon()
	d := &desk{}
	ws := works(t, words, 2, 1500, 2)
	ws[1].Chunks, ws[0].Chunks = 2600, 2
	d.batches = [][]reembed.Work{ws}
	d.run(t, words)
	assert.Equal(t, []string{"", "passage_missing", ""}, []string{d.done[0].Code, d.done[1].Code, d.done[2].Code})
	assert.Less(t, d.done[1].Cost.Tokens, int64(2*1500))
}

// A run ends by itself before the platform ends it.
func TestARunThatIsTooLongEnds(t *testing.T) {
	words := memory.NewLexicon()
	d := &desk{endless: true}
	d.batches = [][]reembed.Work{works(t, words, 1)}
	d.run(t, words)
	require.NotNil(t, d.ended)
	assert.Equal(t, "move_too_long", d.ended.Code)
	assert.Equal(t, d.taken, len(d.done), "and what it took it has done")
}

// A job that is over is left alone.
func TestAJobThatIsOverIsNotEnded(t *testing.T) {
	d := &desk{over: true, ended: &job.Problem{Code: "before"}}
	d.run(t, memory.NewLexicon())
	assert.Equal(t, "before", d.ended.Code)
}

// However many steps the filling took, there are enough for what follows on the switch, and a move that is too long ends before it.
func TestTheEndOfAMoveHasItsSteps(t *testing.T) {
	words := memory.NewLexicon()
	one := works(t, words, 1)
	t.Run("a long one", func(t *testing.T) {
		d := &desk{moves: true, late: []int{1}, settles: one}
		for range 2400 {
			d.batches = append(d.batches, one)
		}
		d.run(t, words)
		require.NotNil(t, d.ended)
		assert.Equal(t, "stuck", d.ended.Code, "what is late for ever is given up, and not for want of steps")
		assert.Greater(t, d.steps, 3*2400+4*399)
	})
	t.Run("one too long", func(t *testing.T) {
		d := &desk{moves: true, endless: true, batches: [][]reembed.Work{one}}
		d.run(t, words)
		require.NotNil(t, d.ended)
		assert.Equal(t, []any{"move_too_long", false}, []any{d.ended.Code, d.turned})
	})
}

// What becomes late after the last look refuses the end of a move, which looks again then.
func TestWhatBecomesLateAfterTheLastLook(t *testing.T) {
	words := memory.NewLexicon()
	d := &desk{moves: true, late: []int{0, 1, 0}, refused: 1, settles: works(t, words, 1)}
	d.run(t, words)
	assert.Nil(t, d.ended)
	assert.Equal(t, []int{2, 3}, []int{d.ends, len(d.done)}, "three looks, each of which brings what there is")

	d = &desk{moves: true, late: []int{0}, refused: 1 << 20}
	d.run(t, words)
	require.NotNil(t, d.ended, "and ends, whatever comes")
	assert.Equal(t, "stuck", d.ended.Code)
}

// A run that fails fails none of the documents that it has brought.
func TestWhatWasBroughtBeforeAFailureIsDone(t *testing.T) {
	words := memory.NewLexicon()
	d := &desk{}
	d.batches = [][]reembed.Work{works(t, words, 3, 2500, 700)}
	var mu sync.Mutex
	texts := 0
	d.embed.Before = func(_ llm.Call, ts []string) error {
		mu.Lock()
		defer mu.Unlock()
		if texts += len(ts); texts > corpus.MaxWrite {
			return fault.New(fault.Limited, "budget_exhausted", "it is spent", nil)
		}
		return nil
	}
	d.run(t, words)
	require.NotNil(t, d.ended)
	assert.Equal(t, "budget_exhausted", d.ended.Code)
	require.Len(t, d.done, 3)
	assert.Equal(t, []string{"", "budget_exhausted", "budget_exhausted"}, []string{d.done[0].Code, d.done[1].Code, d.done[2].Code})
	assert.Positive(t, d.done[0].Cost.Tokens)
}
