package llm_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/events/watch/watchtest"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

// Each model that was asked is a span: the one that was busy, and the one that answered in its place, with what was booked.
func TestEachModelThatIsAskedIsNoticed(t *testing.T) {
	var log bytes.Buffer
	w, acme := newWorld(t), scope(t, "acme")
	seer, seen := watchtest.New("api", &log)
	ctx, end := watchtest.Request(t, seer, acme)
	a, err := w.Generate(ctx, acme, dictated(t, `{"tokens":["o","k"],"usage":{"prompt":20,"completion":2},"times":1,"error":{"code":3040,"status":429,"text":"busy"}}`, cheap, other))
	require.NoError(t, err)
	assert.Len(t, seen.Spans("acme", trace.Model), 1, "the answer has not ended")
	_, err = llmtest.Collect(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Close())
	end()

	spans := seen.Spans("acme", trace.Model)
	require.Len(t, spans, 2)
	assert.Equal(t, []any{cheap, trace.Failed, "model_busy", trace.Use{}}, []any{spans[0].Name, spans[0].Outcome, spans[0].Code, spans[0].Use})
	use := w.gate.Used(acme)[0]
	assert.Equal(t, trace.Use{Prompt: use.Prompt, Completion: use.Completion, Nanos: use.Nanos}, spans[1].Use, "what is noticed is what is booked")
	assert.Equal(t, []any{other, trace.OK, "chat", "r"}, []any{spans[1].Name, spans[1].Outcome, spans[1].Purpose, spans[1].RequestID})
	assert.Positive(t, spans[1].FirstByte)
	request := seen.Spans("acme", trace.Request)[0]
	assert.Equal(t, []any{request.ID, request.ID, spans[1].Use}, []any{spans[0].Parent, spans[1].Parent, request.Use})
	assert.Equal(t, use.Nanos, seen.Sums("acme")["levada_model_cost_usd ["+other+" chat]"])
	assert.Empty(t, seen.Sums("globex"))

	var levels []any
	for line := range bytes.Lines(log.Bytes()) {
		var m map[string]any
		require.NoError(t, json.Unmarshal(line, &m))
		levels = append(levels, m["msg"], m["level"])
	}
	assert.Equal(t, []any{"model call", "WARN", "model call", "INFO", "request", "INFO"}, levels)
}

// However an answer ends its span does, once, with what it took.
func TestASpanEndsAsItsAnswerDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		read    int // pieces, and then it is closed
		breaks  bool
		outcome trace.Outcome
		code    string
	}{
		"to its end":         {9, false, trace.OK, ""},
		"closed before it":   {1, false, trace.Left, ""},
		"closed unread":      {0, false, trace.Left, ""},
		"broken off":         {9, true, trace.Failed, llm.CodeBrokeOff},
		"broken off, unread": {1, true, trace.Left, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, acme := newWorld(t), scope(t, "acme")
			if tc.breaks {
				w.Generator = llm.NewGenerator(breaking{&w.models, map[string][]llm.Delta{cheap: {{Text: "x"}, {Text: "y"}}}, brokeOff}, &w.gate, nil)
			}
			seer, seen := watchtest.New("api", nil)
			ctx, end := watchtest.Request(t, seer, acme)
			a, err := w.Generate(ctx, acme, dictated(t, `{"tokens":["on","tw","th"],"usage":{"prompt":20,"completion":3}}`, cheap))
			require.NoError(t, err)
			for range tc.read {
				if _, err := a.Next(); err != nil {
					assert.True(t, err == io.EOF || tc.breaks)
					break
				}
			}
			require.NoError(t, a.Close())
			require.NoError(t, a.Close())
			end()
			spans := seen.Spans("acme", trace.Model)
			require.Len(t, spans, 1)
			use := w.gate.Used(acme)
			require.Len(t, use, 1)
			assert.Equal(t, []any{tc.outcome, tc.code, use[0].Nanos, use[0].Estimated}, []any{spans[0].Outcome, spans[0].Code, spans[0].Nanos, spans[0].Estimated})
		})
	}
}

// What breaks off before its first word was paid, and is noticed with what was booked.
func TestAReplacedModelThatWasPaid(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	w.Generator = llm.NewGenerator(breaking{&w.models, map[string][]llm.Delta{cheap: {}}, brokeOff}, &w.gate, nil)
	seer, seen := watchtest.New("api", nil)
	ctx, end := watchtest.Request(t, seer, acme)
	a, err := w.Generate(ctx, acme, dictated(t, `{"tokens":["ok"]}`, cheap, dear))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	end()
	spans, used := seen.Spans("acme", trace.Model), w.gate.Used(acme)
	require.Len(t, spans, 2)
	require.Len(t, used, 2)
	for i := range used {
		assert.Equal(t, []any{used[i].Model, used[i].Nanos}, []any{spans[i].Name, spans[i].Nanos})
	}
	assert.Equal(t, used[0].Nanos+used[1].Nanos, seen.Spans("acme", trace.Request)[0].Nanos)
}

func TestEmbeddingsAndRerankingsAreNoticed(t *testing.T) {
	for name, tc := range map[string]struct {
		refuse, fail error
		spans        int
		outcome      trace.Outcome
	}{
		"done":      {nil, nil, 2, trace.OK},
		"busy":      {nil, fault.Unavailablef(nil, "model_busy", ""), 2, trace.Failed},
		"no budget": {fault.New(fault.Limited, "budget_exhausted", "", nil), nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			gate, globex := &quotatest.Gate{Refuse: func(tenants.Scope, quota.Ask) error { return tc.refuse }}, tenantstest.Scope(t, "globex")
			seer, seen := watchtest.New("consumers", nil)
			ctx, end := watchtest.Request(t, seer, globex)
			fails := func(llm.Call, []string) error { return tc.fail }
			_, err := llm.NewPaidEmbedder(&llmtest.Embedder{Before: fails}, gate).Embed(ctx, globex, llm.Call{Model: "@cf/baai/bge-m3", Purpose: llm.ForDocument}, []string{"water"})
			assert.Equal(t, tc.spans > 0 && tc.fail == nil, err == nil)
			_, err = llm.NewPaidReranker(&llmtest.Reranker{}, gate).Rerank(ctx, globex, llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank}, "water", []string{"fire"})
			assert.Equal(t, tc.spans > 0, err == nil)
			end()
			spans := seen.Spans("globex", trace.Model)
			require.Len(t, spans, tc.spans)
			var nanos int64
			for _, u := range gate.Used(globex) {
				nanos += u.Nanos
			}
			assert.Equal(t, nanos, seen.Spans("globex", trace.Request)[0].Nanos)
			if tc.spans > 0 {
				assert.Equal(t, []any{"@cf/baai/bge-m3", "document", tc.outcome}, []any{spans[0].Name, spans[0].Purpose, spans[0].Outcome})
				assert.Equal(t, "rerank", spans[1].Purpose)
			}
		})
	}
}

// Nobody watches: nothing is different.
func TestModelsWithoutAWatch(t *testing.T) {
	assert.Nil(t, watch.Of(t.Context()))
	w, acme := newWorld(t), scope(t, "acme")
	_, _, err := w.ask(t, acme, dictated(t, `{"tokens":["ok"]}`, cheap))
	assert.NoError(t, err)
}
