package embed_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/embed"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

const model = "@cf/baai/bge-small-en-v1.5"

func scope(t *testing.T) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	return s
}

// deliveries are slices of the given texts, one for each list.
func deliveries(t *testing.T, model string, slices ...[]string) (ds []consumers.Of[events.DocumentChunked]) {
	t.Helper()
	for i, texts := range slices {
		f := events.DocumentChunked{
			DocumentRef: events.DocumentRef{DocID: fmt.Sprint("doc", i), Generation: 1, JobID: "j"}, Model: model,
			About: events.About{Title: "T"}, Slice: events.Slice{Slices: 1, Chunks: len(texts)},
		}
		for k, text := range texts {
			f.Parts = append(f.Parts, events.Chunk{Index: k, Text: text, End: len(text)})
		}
		ev, err := events.New(scope(t), "consumers", events.Cause{ID: fmt.Sprint("cause", i)}, time.Unix(0, 0), f)
		require.NoError(t, err)
		ds = append(ds, consumers.Of[events.DocumentChunked]{Delivery: consumers.Delivery{Event: ev, Attempt: 1}, Fact: f})
	}
	return ds
}

func numbered(name string, n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%s text %d", name, i))
	}
	return texts
}

func TestTextsOfManySlicesFillCalls(t *testing.T) {
	e, out := &llmtest.Embedder{}, &eventstest.Publisher{}
	c := embed.New(e, corpus.Stores{}, nil, out, time.Now)
	ds := deliveries(t, model, numbered("a", 16), numbered("b", 90), numbered("c", 100), numbered("d", 1))
	for _, err := range c.Handle(t.Context(), scope(t), ds) {
		require.NoError(t, err)
	}
	assert.Len(t, e.Calls(), 3, "207 texts, 100 a call")
	evs := out.Events(events.TypeChunksEmbedded)
	require.Len(t, evs, 4)
	assert.Equal(t, 1, out.Calls(), "all are published together")
	for i, ev := range evs {
		var f events.ChunksEmbedded
		require.NoError(t, ev.As(&f))
		assert.Equal(t, ds[i].Fact.DocumentRef, f.DocumentRef)
		assert.Equal(t, ds[i].Fact.Parts, f.Parts)
		assert.Equal(t, ds[i].Event.ID, ev.CausationID)
		last := len(f.Parts) - 1
		want, _ := llmtest.Vector(corpus.ToEmbed("T", "", f.Parts[last].Text), 384)
		require.Equal(t, want, f.Vector(last))
	}
	again := c.Handle(t.Context(), scope(t), ds)
	require.Equal(t, make([]error, 4), again)
	assert.Equal(t, evs[0].ID, out.Events()[4].ID, "run twice, told once")
}

// What the calls took is found again in the slices, whichever calls their texts were in.
func TestTheTokensOfCallsAreSharedOutExactly(t *testing.T) {
	e, out := &llmtest.Embedder{}, &eventstest.Publisher{}
	took := 0
	counted := counter{e, func(n int) { took += n }}
	ds := deliveries(t, model, numbered("a", 16), append(numbered("b", 90), "one text that is much longer than all of the others"), numbered("c", 100))
	for _, err := range embed.New(counted, corpus.Stores{}, nil, out, time.Now).Handle(t.Context(), scope(t), ds) {
		require.NoError(t, err)
	}
	sum := int64(0)
	for _, ev := range out.Events(events.TypeChunksEmbedded) {
		var f events.ChunksEmbedded
		require.NoError(t, ev.As(&f))
		assert.Positive(t, f.Tokens)
		sum += f.Tokens
	}
	assert.Len(t, e.Calls(), 3, "slices share calls")
	assert.Equal(t, int64(took), sum)
}

// counter tells what its embedder says of tokens.
type counter struct {
	llm.Embedder
	took func(int)
}

func (c counter) Embed(ctx context.Context, s tenants.Scope, call llm.Call, texts []string) (llm.Embedded, error) {
	got, err := c.Embedder.Embed(ctx, s, call, texts)
	c.took(got.Tokens)
	return got, err
}

func TestOneBadTextFailsItsSliceAlone(t *testing.T) {
	e := &llmtest.Embedder{Before: func(_ llm.Call, texts []string) error {
		if slices.Contains(texts, "T\nbad") {
			return fault.Invalidf("texts", "text_refused", "no")
		}
		return nil
	}}
	out := &eventstest.Publisher{}
	ds := deliveries(t, model, numbered("a", 20), append(numbered("b", 19), "bad"), numbered("c", 20))
	errs := embed.New(e, corpus.Stores{}, nil, out, time.Now).Handle(t.Context(), scope(t), ds)
	assert.NoError(t, errs[0])
	assert.Equal(t, "text_refused", fault.As(errs[1]).Code)
	assert.NoError(t, errs[2])
	assert.Len(t, out.Events(), 2)
}

func TestWhatCanSucceedLaterIsNotSplit(t *testing.T) {
	calls := 0
	e := &llmtest.Embedder{Before: func(llm.Call, []string) error {
		calls++
		return fault.Unavailablef(nil, "model_busy", "later")
	}}
	errs := embed.New(e, corpus.Stores{}, nil, &eventstest.Publisher{}, time.Now).Handle(t.Context(), scope(t), deliveries(t, model, numbered("a", 9), numbered("b", 9)))
	assert.Equal(t, 1, calls)
	for _, err := range errs {
		assert.True(t, fault.Retryable(err))
	}
}

func TestModelsAreNotMixed(t *testing.T) {
	e, out := &llmtest.Embedder{}, &eventstest.Publisher{}
	ds := append(deliveries(t, model, []string{"x"}), deliveries(t, "@cf/baai/bge-m3", []string{"x"})...)
	ds = append(ds, deliveries(t, "no/model", []string{"x"})...)
	errs := embed.New(e, corpus.Stores{}, nil, out, time.Now).Handle(t.Context(), scope(t), ds)
	assert.NoError(t, errs[0])
	assert.NoError(t, errs[1])
	assert.Equal(t, "model_unknown", fault.As(errs[2]).Code)
	assert.Len(t, e.Calls(), 2)
}

// short answers with too little.
type short struct{ llm.Embedded }

func (s short) Embed(context.Context, tenants.Scope, llm.Call, []string) (llm.Embedded, error) {
	return s.Embedded, nil
}

func TestAnAnswerThatIsNoneIsNotPublished(t *testing.T) {
	for _, answer := range []llm.Embedded{{}, {Vectors: [][]float32{{1}}}} {
		out := &eventstest.Publisher{}
		errs := embed.New(short{answer}, corpus.Stores{}, nil, out, time.Now).Handle(t.Context(), scope(t), deliveries(t, model, []string{"x"}))
		assert.Equal(t, "embedder_answer", fault.As(errs[0]).Code)
		assert.Empty(t, out.Events())
	}
}
