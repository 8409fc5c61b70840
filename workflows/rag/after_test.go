package rag_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/rag"
)

// book gives each tenant a document of five chunks: the third overlaps the second, and two line breaks are before the fourth.
func book(t *testing.T, w *world) string {
	const text = "Alpha begins it. Beta comes second. Gamma is the third.\n\nDelta follows. Omega ends it."
	places := []string{"Alpha begins it. ", "Beta comes second. ", "second. Gamma is the third.", "Delta follows. ", "Omega ends it."}
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		w.ledger.set(s, "book", 1)
		for i, chunk := range places {
			start := strings.Index(text, chunk)
			w.both(t, s, float64(i), corpus.Metadata{DocID: "book", Generation: 1, Chunk: i, Start: start, End: start + len(chunk), Text: chunk})
		}
	}
	return text
}

func TestNeighbours(t *testing.T) {
	for name, tc := range map[string]struct {
		ask    string
		expand int
		want   string
	}{
		"at the beginning": {"0 alpha", 1, "Alpha begins it. Beta comes second. "},
		"at the end":       {"4 omega", 1, "Delta follows. Omega ends it."},
		"an overlap once":  {"2 gamma", 1, "Beta comes second. Gamma is the third.\n\nDelta follows. "},
		"all of it":        {"2 gamma", 3, "Alpha begins it. Beta comes second. Gamma is the third.\n\nDelta follows. Omega ends it."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			text := book(t, w)
			q := hybrid(tc.ask, 1)
			q.Expand = tc.expand
			for range 2 {
				r, err := w.Search(t.Context(), w.acme, q)
				require.NoError(t, err)
				c := r.Sources[0].Context
				require.NotNil(t, c)
				assert.Equal(t, tc.want, c.Text)
				assert.Equal(t, text[c.Start:c.End], c.Text, "byte for byte")
			}
			assert.Len(t, w.words.passages, 2, "one call a search")
		})
	}
}

func TestNoChunkIsShownTwice(t *testing.T) {
	w := newWorld(t, nil)
	book(t, w)
	q := hybrid("2 gamma beta omega alpha delta", 5)
	q.Expand = 3
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	require.Len(t, r.Sources, 5)
	for _, s := range r.Sources {
		assert.Nil(t, s.Context, "every neighbour is a source itself")
	}

	q.TopK = 2
	r, err = w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	shown := ""
	for _, s := range r.Sources {
		text, _ := s.Shown()
		shown += text
	}
	for _, word := range []string{"Alpha", "Beta", "Gamma", "Delta", "Omega"} {
		assert.LessOrEqual(t, strings.Count(shown, word), 1, word)
	}
}

func TestNeighboursThatCannotBeHad(t *testing.T) {
	down := fault.Unavailablef(nil, "lexicon_unreachable", "down")
	w := newWorld(t, nil)
	book(t, w)
	q := hybrid("2 gamma", 1)
	q.Expand = 1
	w.words.Before = func(op string) error {
		if op == "passages" {
			return down
		}
		return nil
	}
	r, err := w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []rag.Missing{{Part: rag.PartExpand, Code: "lexicon_unreachable"}}, r.Degraded)
	assert.Nil(t, r.Sources[0].Context)

	w.words.Before = func(string) error { return down }
	w.words.passages = nil
	r, err = w.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, []rag.Missing{{Part: rag.PartKeyword, Code: "lexicon_unreachable"}, {Part: rag.PartExpand, Code: "lexicon_unreachable"}}, r.Degraded)
	assert.Empty(t, w.words.passages, "it was not reached just now")

	q.Expand = rag.MaxExpand + 1
	_, err = w.Search(t.Context(), w.acme, q)
	assert.Equal(t, "expand", fault.As(err).Field)
}

func TestReranking(t *testing.T) {
	w := library(t, nil)
	model, gate := &llmtest.Reranker{}, &quotatest.Gate{}
	w.ports.Reranker = llm.NewPaidReranker(model, gate)
	r := rag.New(w.ports, nil)
	q := hybrid("5 maize on the roof of the house garden water", 2)
	q.Rerank, q.RequestID = true, "r-1"
	found, err := r.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	require.Len(t, found.Sources, 2)
	assert.Equal(t, "far#0", ids(found)[0])
	assert.Equal(t, found.Sources[0].Score, *found.Sources[0].Scores.Rerank)
	assert.GreaterOrEqual(t, found.Sources[0].Score, found.Sources[1].Score)
	require.Len(t, model.Calls(), 1)
	assert.Equal(t, llmtest.Call{Tenant: "acme", Texts: 3, Call: llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank, RequestID: "r-1"}}, model.Calls()[0])

	before, err := r.Search(t.Context(), w.acme, hybrid(q.Text, 2))
	require.NoError(t, err)
	busy := func(llm.Call, string, []string) error { return fault.Unavailablef(nil, "model_busy", "busy") }
	for name, fail := range map[string]func(){
		"before": func() { model.Before = busy }, "after": func() { model.Before, model.After = nil, busy },
	} {
		t.Run(name, func(t *testing.T) {
			fail()
			found, err := r.Search(t.Context(), w.acme, q)
			require.NoError(t, err)
			assert.Equal(t, []rag.Missing{{Part: rag.PartRerank, Code: "model_busy"}}, found.Degraded)
			assert.Equal(t, ids(before), ids(found), "the order before it")
			assert.Nil(t, found.Sources[0].Scores.Rerank)
		})
	}
}

// scorer is a reranker that says what it is told to say.
type scorer struct {
	out   llm.Reranked
	err   error
	texts [][]string
}

func (s *scorer) Rerank(_ context.Context, _ tenants.Scope, _ llm.Call, _ string, texts []string) (llm.Reranked, error) {
	s.texts = append(s.texts, texts)
	return s.out, s.err
}

// What a reranker says of other texts than it was given is no order: the one before it stays, and the answer says so.
func TestARerankThatCannotBeUsed(t *testing.T) {
	w := library(t, nil)
	model := &scorer{}
	w.ports.Reranker = model
	r := rag.New(w.ports, nil)
	q := hybrid("5 zorbulator", 2)
	before, err := r.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	q.Rerank = true
	for name, c := range map[string]struct {
		out  llm.Reranked
		err  error
		code string
	}{
		"none":         {code: "rerank_count"},
		"too few":      {out: llm.Reranked{Scores: []float64{1}}, code: "rerank_count"},
		"too many":     {out: llm.Reranked{Scores: []float64{1, 2, 3, 4}}, code: "rerank_count"},
		"no numbers":   {out: llm.Reranked{Scores: []float64{1, math.NaN(), 2}}, code: "rerank_count"},
		"endless":      {out: llm.Reranked{Scores: []float64{1, math.Inf(1), 2}}, code: "rerank_count"},
		"busy":         {err: fault.Unavailablef(nil, "model_busy", "busy"), code: "model_busy"},
		"another form": {err: fault.New(fault.Internal, "model_answer", "", nil), code: "model_answer"},
		"no money":     {err: fault.New(fault.Limited, "budget_exhausted", "", nil), code: "budget_exhausted"},
	} {
		t.Run(name, func(t *testing.T) {
			model.out, model.err = c.out, c.err
			for _, s := range []tenants.Scope{w.acme, w.globex} {
				found, err := r.Search(t.Context(), s, q)
				require.NoError(t, err)
				assert.Equal(t, []rag.Missing{{Part: rag.PartRerank, Code: c.code}}, found.Degraded)
				assert.Equal(t, ids(before), ids(found))
				assert.Nil(t, found.Sources[0].Scores.Rerank)
			}
		})
	}
}

// A reranker reads as many as its port takes, whatever the indexes have found, and none where nothing was found.
func TestARerankReadsTheBestAlone(t *testing.T) {
	w := newWorld(t, nil)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		for i := range 80 {
			doc := fmt.Sprintf("d%02d", i)
			w.ledger.set(s, doc, 1)
			// Half are found by their words, half by their places.
			text := fmt.Sprintf("Field %d lies behind the mill of farm %d", i, 1000+i)
			if i%2 == 0 {
				text = fmt.Sprintf("Zorbulator %d of %s stands at gate %d", i, s.Tenant(), 2000+i)
			}
			w.both(t, s, 5+float64(i%2)/10+float64(i)/1000, corpus.Metadata{DocID: doc, Generation: 1, End: len(text), Text: text})
		}
	}
	model := &llmtest.Reranker{}
	w.ports.Reranker = model
	r := rag.New(w.ports, nil)
	q := hybrid("5.1 zorbulator", 3)
	q.Rerank, q.KeepDuplicates = true, true
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		found, err := r.Search(t.Context(), s, q)
		require.NoError(t, err)
		assert.Empty(t, found.Degraded)
		assert.Len(t, found.Sources, 3)
		for _, src := range found.Sources {
			assert.NotNil(t, src.Scores.Rerank)
		}
	}
	calls := model.Calls()
	require.Len(t, calls, 2)
	for _, c := range calls {
		assert.Equal(t, llm.MaxContexts, c.Texts)
	}
	q.Filter = json.RawMessage(`{"docId":"no-such"}`)
	found, err := r.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Empty(t, found.Sources)
	assert.Empty(t, found.Degraded)
	assert.Len(t, model.Calls(), 2, "nothing to read")
}

// writer is a generator that answers with a text.
type writer struct {
	*memory.Model
	llm.Generator
}

func newWriter(gate *quotatest.Gate) writer {
	m := &memory.Model{}
	return writer{m, llm.NewGenerator(m, gate, nil)}
}

func TestRewriting(t *testing.T) {
	w := library(t, nil)
	gen := newWriter(&quotatest.Gate{})
	w.ports.Generator = gen.Generator
	r := rag.New(w.ports, nil)
	script, err := llm.FindGeneration("@local/script")
	require.NoError(t, err)
	history := map[tenants.ID][]llm.Message{"acme": {
		{Role: llm.User, Content: `Tell me of the zorbulator. {"script":{"tokens":["Where is ","the zorbulator kept?"]}}`}, {Role: llm.Assistant, Content: "It is a machine."},
	}}
	asked := 0
	q := hybrid("5 and where is it kept?", 3)
	with := func(s tenants.Scope) rag.Query {
		q := q
		q.Rewrite = &rag.Rewrite{Models: []llm.GenerationModel{script}, Session: "s", History: func(context.Context) ([]llm.Message, error) {
			asked++
			return history[s.Tenant()], nil
		}}
		return q
	}
	for range 2 {
		found, err := r.Search(t.Context(), w.acme, with(w.acme))
		require.NoError(t, err)
		assert.Equal(t, "Where is the zorbulator kept?", found.Rewritten)
		assert.Equal(t, "word#0", ids(found)[0])
		assert.Empty(t, found.Degraded)
	}
	calls := gen.Calls()
	require.Len(t, calls, 2)
	assert.Equal(t, llm.ForRewrite, calls[0].Purpose)
	assert.LessOrEqual(t, calls[0].Prompt.MaxTokens, 256)
	assert.Contains(t, calls[0].Prompt.Messages[1].Content, "assistant: It is a machine.")
	assert.Equal(t, calls[0].Prompt, calls[1].Prompt, "so that it can be remembered")
	assert.Zero(t, gen.Open(), "every answer is closed")

	found, err := r.Search(t.Context(), w.globex, with(w.globex))
	require.NoError(t, err)
	assert.Empty(t, found.Rewritten, "globex has said nothing")
	assert.Len(t, gen.Calls(), 2)

	asked = 0
	whole := with(w.acme)
	whole.Text = "5 how is maize dried on roofs of houses?"
	found, err = r.Search(t.Context(), w.acme, whole)
	require.NoError(t, err)
	assert.Empty(t, found.Rewritten)
	assert.Zero(t, asked, "a whole question asks for no history")
	whole.Text = "5 and " + strings.Repeat("o", 500)
	_, err = r.Search(t.Context(), w.acme, whole)
	require.NoError(t, err)
	assert.Zero(t, asked, "nor does one that is longer than what a model may make of it")

	gen.Before = func(llm.Call, llm.Prompt) error { return fault.Unavailablef(nil, "model_busy", "busy") }
	found, err = r.Search(t.Context(), w.acme, with(w.acme))
	require.NoError(t, err)
	assert.Equal(t, []rag.Missing{{Part: rag.PartRewrite, Code: "model_busy"}}, found.Degraded)
	assert.Empty(t, found.Rewritten)
	assert.NotEmpty(t, found.Sources, "the question as it is")

	lost := with(w.acme)
	lost.Rewrite.History = func(context.Context) ([]llm.Message, error) { return nil, errors.New("gone") }
	found, err = r.Search(t.Context(), w.acme, lost)
	require.NoError(t, err)
	assert.Equal(t, []rag.Missing{{Part: rag.PartRewrite, Code: "internal"}}, found.Degraded)
}

func TestARewriteThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := library(t, nil)
		q := hybrid("5 and it?", 3)
		q.Rewrite = &rag.Rewrite{History: func(ctx context.Context) ([]llm.Message, error) { <-ctx.Done(); return nil, ctx.Err() }}
		found, err := w.Search(t.Context(), w.acme, q)
		require.NoError(t, err)
		assert.Equal(t, []rag.Missing{{Part: rag.PartRewrite, Code: "search_late"}}, found.Degraded)
	})
}

func TestLeans(t *testing.T) {
	for _, q := range []string{"And in winter?", "How old is it?", "why?", "What about those", "Und wie teuer sind diese?", "Wie alt ist er?", "Et pourquoi ?", "¿Y cuándo?", "E lui?", "Is there any use for them?"} {
		assert.True(t, rag.Leans(q), q)
	}
	for _, q := range []string{"", "?!", "How old is the levada of Caldeirão Verde?", "levada rules", "Is there a levada in Santana?", "Wie alt ist die Levada?", "Quel est le prix du vin ?", "なぜですか", strings.Repeat("it is so ", 20)} {
		assert.False(t, rag.Leans(q), q)
	}
}

func TestIntents(t *testing.T) {
	for want, texts := range map[rag.Intent][]string{
		rag.IntentQuestion:   {"How old are levadas?", "how old are levadas", "Is maize dried on roofs", "Wie alt ist das", "où est le vin", "¿Cuándo abre?", "水是什么", "Tell me how it works", "show me how it works?"},
		rag.IntentLookup:     {"levada rules", "maize", "the question of water", "water; garden", ""},
		rag.IntentNavigation: {"open the handbook", "go to settings", "flow.md", "https://example.com/a", "Öffne das Handbuch", "show me the price list"},
		rag.IntentChitchat:   {"hi", "Thank you very much!", "Danke schön", "Hello there"},
	} {
		for _, text := range texts {
			assert.Equal(t, want, rag.IntentOf(text), text)
		}
	}
}
