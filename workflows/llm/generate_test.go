package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
	"levada.dev/workflows/llm/llmtest"
)

// world is a generator, the models it asks, and the gate it pays at.
type world struct {
	models   memory.Model
	gate     quotatest.Gate
	replaced []string
	llm.Generator
}

func newWorld(t *testing.T) *world {
	w := &world{}
	w.Generator = llm.NewGenerator(&w.models, &w.gate, &llm.Options{
		Replaced: func(_ context.Context, _ tenants.Scope, model string, err error) {
			w.replaced = append(w.replaced, model+" "+fault.As(err).Code)
		},
	})
	t.Cleanup(func() {
		w.gate.Check(t)
		assert.Zero(t, w.models.Open(), "every answer is closed")
	})
	return w
}

func scope(t testing.TB, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

func find(t testing.TB, names ...string) (out []llm.GenerationModel) {
	t.Helper()
	for _, name := range names {
		m, err := llm.FindGeneration(name)
		require.NoError(t, err)
		out = append(out, m)
	}
	return out
}

const (
	cheap = "@local/script" // 100 a token of the prompt, 1,000 of the answer
	other = "@local/script-openai"
	dear  = "@cf/moonshotai/kimi-k2.6" // 950 and 4,000
	small = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
)

func dictated(t testing.TB, script string, models ...string) llm.Order {
	return llm.Order{Models: find(t, models...), Prompt: llmtest.Script(script), Call: llm.Call{Purpose: llm.ForChat, RequestID: "r"}}
}

// ask reads an answer to its end and closes it.
func (w *world) ask(t *testing.T, s tenants.Scope, o llm.Order) (llmtest.Whole, llm.Answer, error) {
	t.Helper()
	a, err := w.Generate(t.Context(), s, o)
	if err != nil {
		require.Nil(t, a)
		return llmtest.Whole{}, nil, err
	}
	got, err := llmtest.Collect(t, a)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	return got, a, err
}

func TestAnAnswerIsPaidByItsTenant(t *testing.T) {
	w, acme, globex := newWorld(t), scope(t, "acme"), scope(t, "globex")
	o := dictated(t, `{"tokens":["a","b"],"usage":{"prompt":20,"completion":2}}`, cheap)
	got, a, err := w.ask(t, acme, o)
	require.NoError(t, err)
	assert.Equal(t, "ab", got.Text)
	assert.Equal(t, llm.FinishStop, got.Finish)
	assert.Equal(t, &llm.Usage{Prompt: 20, Completion: 2}, got.Usage)
	spent, nanos := a.Spent()
	assert.Equal(t, *got.Usage, spent)
	assert.Equal(t, int64(20*100+2*1000), nanos)
	assert.False(t, a.Cached())
	assert.Equal(t, cheap, a.Source().Model)
	assert.Equal(t, []quota.Use{{Capability: "chat", Purpose: "chat", Model: cheap, Prompt: 20, Completion: 2, Neurons: 20*9_091 + 2*90_909, Nanos: 4000}}, w.gate.Used(acme))
	assert.Empty(t, w.gate.Used(globex))

	o.Call.Purpose = llm.ForSummary
	_, _, err = w.ask(t, globex, o)
	require.NoError(t, err)
	assert.Equal(t, []string{"chat", "summary"}, []string{w.gate.Used(globex)[0].Capability, w.gate.Used(globex)[0].Purpose})
	assert.Len(t, w.gate.Used(acme), 1)
	assert.Equal(t, tenants.ID("globex"), w.models.Calls()[1].Tenant)
}

// What is reserved is an answer of full length of the dearest model that may be asked.
func TestReserve(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	o := dictated(t, `{"tokens":["a"]}`, cheap, dear)
	_, _, err := w.ask(t, acme, o)
	require.NoError(t, err)
	bound := llm.Bound(o.Prompt)
	assert.Equal(t, []quota.Ask{{Amount: quota.Amount{Tokens: bound + 100, Nanos: bound*950 + 100*4000}}}, w.gate.Asked(acme))
}

func TestTheNextModelIsAsked(t *testing.T) {
	const busy = `"error":{"code":3040,"status":429,"text":"busy"}`
	tests := []struct {
		name, script string
		fail         func(c llm.Call, p llm.Prompt) error
		replaced     []string
		want         string
	}{
		{"when one is busy", `{"tokens":["ok"],"times":1,` + busy + `}`, nil, []string{cheap + " model_busy"}, "ok"},
		{"when two are", `{"tokens":["ok"],"times":2,` + busy + `}`, nil, []string{cheap + " model_busy", other + " model_busy"}, "ok"},
		{"when one fails", `{"tokens":["ok"],"times":1,"error":{"code":3043,"status":500,"text":"x"}}`, nil, []string{cheap + " model_unavailable"}, "ok"},
		{"when it is too much for one", `{"tokens":["ok"],"times":1,"error":{"code":5021,"status":413,"text":"x"}}`, nil, []string{cheap + " prompt_too_long"}, "ok"},
		{"when the network fails", `{"tokens":["ok"]}`, func(c llm.Call, _ llm.Prompt) error {
			if c.Model == cheap {
				return fault.Unavailablef(io.EOF, "model_unavailable", "gone")
			}
			return nil
		}, []string{cheap + " model_unavailable"}, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, acme := newWorld(t), scope(t, "acme")
			w.models.Before = tt.fail
			got, a, err := w.ask(t, acme, dictated(t, tt.script, cheap, other, dear))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Text)
			assert.Equal(t, tt.replaced, w.replaced)
			calls := w.models.Calls()
			require.Len(t, calls, len(tt.replaced)+1)
			for i, name := range []string{cheap, other, dear}[:len(calls)] {
				assert.Equal(t, name, calls[i].Model)
				assert.Equal(t, i < 2, calls[i].Impatient, "only the last waits for its turn")
			}
			assert.Equal(t, calls[len(calls)-1].Model, a.Source().Model)
			require.Len(t, w.gate.Asked(acme), 1, "refusals cost nothing, so the hold serves the next")
			require.Len(t, w.gate.Used(acme), 1)
			assert.Equal(t, calls[len(calls)-1].Model, w.gate.Used(acme)[0].Model)
		})
	}
}

func TestNoOtherModelIsAsked(t *testing.T) {
	tests := []struct {
		name, script, code string
		calls              int
	}{
		{"the quota is everybody's", `{"error":{"code":3036,"status":429,"text":"x"}}`, "model_quota", 1},
		{"what one refuses, others would", `{"error":{"code":5006,"status":400,"text":"x"}}`, "model_refused", 1},
		{"nobody is left", `{"error":{"code":3040,"status":429,"text":"x"}}`, "model_busy", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, acme := newWorld(t), scope(t, "acme")
			_, _, err := w.ask(t, acme, dictated(t, tt.script, cheap, other))
			assert.Equal(t, tt.code, fault.As(err).Code)
			assert.Len(t, w.models.Calls(), tt.calls)
			assert.Len(t, w.replaced, tt.calls-1)
			assert.Empty(t, w.gate.Used(acme), "a refusal costs nothing")
			assert.Len(t, w.gate.Asked(acme), 1)
		})
	}
}

// breaking is a model whose answer ends after some pieces, by name.
type breaking struct {
	*memory.Model
	after map[string][]llm.Delta
	err   error
}

func (b breaking) Generate(ctx context.Context, s tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	a, err := b.Model.Generate(ctx, s, c, p)
	if pieces, ok := b.after[c.Model]; ok && err == nil {
		return &broken{a, pieces, b.err}, nil
	}
	return a, err
}

type broken struct {
	llm.Stream
	pieces []llm.Delta
	err    error
}

func (b *broken) Next() (llm.Delta, error) {
	if len(b.pieces) == 0 {
		return llm.Delta{}, b.err
	}
	d := b.pieces[0]
	b.pieces = b.pieces[1:]
	return d, nil
}

var brokeOff = fault.New(fault.Unavailable, llm.CodeBrokeOff, "broke off", nil)

// A model that began and broke off before its first word is paid for, and replaced on a hold of its own.
func TestAModelThatBreaksOffBeforeItsFirstWord(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	m := breaking{&w.models, map[string][]llm.Delta{cheap: {}, other: {{Usage: &llm.Usage{Prompt: 9, Completion: 1}}}}, brokeOff}
	w.Generator = llm.NewGenerator(m, &w.gate, nil)
	o := dictated(t, `{"tokens":["ok"],"usage":{"prompt":20,"completion":1}}`, cheap, other, dear)
	got, _, err := w.ask(t, acme, o)
	require.NoError(t, err)
	assert.Equal(t, "ok", got.Text)
	estimate := int64(llm.Estimate(o.Prompt))
	assert.Equal(t, []quota.Use{
		{Capability: "chat", Purpose: "chat", Model: cheap, Prompt: estimate, Neurons: quota.Neurons(estimate * 9_091), Nanos: estimate * 100, Estimated: true},
		{Capability: "chat", Purpose: "chat", Model: other, Prompt: 9, Completion: 1, Neurons: 9*9_091 + 90_909, Nanos: 1900, Estimated: true},
		{Capability: "chat", Purpose: "chat", Model: dear, Prompt: 20, Completion: 1, Neurons: 20*86_364 + 363_636, Nanos: 20*950 + 4000},
	}, w.gate.Used(acme))
	assert.Len(t, w.gate.Asked(acme), 3)

	w.gate.Refuse = func(tenants.Scope, quota.Ask) error {
		if len(w.gate.Asked(acme)) == 4 {
			return fault.New(fault.Limited, "budget_exhausted", "no more", nil)
		}
		return nil
	}
	_, _, err = w.ask(t, acme, o)
	assert.Equal(t, "budget_exhausted", fault.As(err).Code, "what broke off is spent, and the next one would be too much")
	assert.Len(t, w.gate.Used(acme), 4)
}

func TestAnAnswerThatEndsEarly(t *testing.T) {
	const slow = `{"tokens":["on","tw","th"],"usage":{"prompt":20,"completion":3}}`
	o := dictated(t, slow, cheap, other)
	estimate := int64(llm.Estimate(o.Prompt))
	booked := func(completion int64) []quota.Use {
		return []quota.Use{{
			Capability: "chat", Purpose: "chat", Model: cheap, Prompt: estimate, Completion: completion,
			Neurons: quota.Neurons(estimate*9_091 + completion*90_909), Nanos: estimate*100 + completion*1000, Estimated: true,
		}}
	}
	acme := scope(t, "acme")
	for read := range 4 {
		t.Run(fmt.Sprintf("closed after %d pieces", read), func(t *testing.T) {
			w := newWorld(t)
			a, err := w.Generate(t.Context(), acme, o)
			require.NoError(t, err)
			for range read {
				_, err := a.Next()
				require.NoError(t, err)
			}
			require.NoError(t, a.Close())
			_, err = a.Next()
			require.ErrorIs(t, err, io.ErrClosedPipe)
			assert.Equal(t, booked(int64(max(read, 1))), w.gate.Used(acme), "the first piece is there before it is asked for")
		})
		t.Run(fmt.Sprintf("broken off after %d pieces", read+1), func(t *testing.T) {
			w := newWorld(t)
			pieces := make([]llm.Delta, read+1)
			for i := range pieces {
				pieces[i] = llm.Delta{Text: "x"}
			}
			w.Generator = llm.NewGenerator(breaking{&w.models, map[string][]llm.Delta{cheap: pieces}, brokeOff}, &w.gate, nil)
			got, a, err := w.ask(t, acme, o)
			assert.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
			assert.Len(t, got.Pieces, read+1)
			assert.Nil(t, got.Usage)
			assert.Equal(t, booked(int64(read+1)), w.gate.Used(acme))
			spent, nanos := a.Spent()
			assert.Equal(t, llm.Usage{Prompt: int(estimate), Completion: read + 1, Estimated: true}, spent)
			assert.Equal(t, estimate*100+int64(read+1)*1000, nanos)
			assert.Len(t, w.models.Calls(), 1, "an answer that has begun is not begun again")
		})
	}
	t.Run("the caller leaves in the middle", func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		a, err := w.Generate(ctx, acme, o)
		require.NoError(t, err)
		cancel()
		_, err = llmtest.Collect(t, a)
		require.Error(t, err)
		assert.Equal(t, booked(1), w.gate.Used(acme), "settled although nobody has closed it yet")
		require.NoError(t, a.Close())
	})
	for _, stream := range []bool{true, false} {
		t.Run(fmt.Sprintf("the caller leaves before the first word, stream %v", stream), func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			w.models.Before = func(llm.Call, llm.Prompt) error { cancel(); return nil }
			o := dictated(t, `{"tokens":["never"],"firstDelayMs":600000}`, cheap, other)
			o.Prompt.Stream = stream
			_, err := w.Generate(ctx, acme, o)
			require.Error(t, err)
			require.Len(t, w.gate.Used(acme), 1, "the model may have been at work")
			assert.NotZero(t, w.gate.Used(acme)[0].Prompt)
			assert.Len(t, w.models.Calls(), 1)
		})
	}
	t.Run("the caller panics", func(t *testing.T) {
		w := newWorld(t)
		assert.Panics(t, func() {
			a, err := w.Generate(t.Context(), acme, o)
			require.NoError(t, err)
			defer a.Close()
			panic("oops")
		})
		assert.Len(t, w.gate.Used(acme), 1)
	})
	t.Run("the model panics", func(t *testing.T) {
		w := newWorld(t)
		w.models.Before = func(llm.Call, llm.Prompt) error { panic("oops") }
		assert.Panics(t, func() { _, _ = w.Generate(t.Context(), acme, o) })
		assert.Len(t, w.gate.Asked(acme), 1)
	})
	t.Run("the model says what nobody understands", func(t *testing.T) {
		w := newWorld(t)
		w.models.Before = func(llm.Call, llm.Prompt) error { return fault.New(fault.Internal, "model_answer", "what?", nil) }
		_, _, err := w.ask(t, acme, o)
		assert.Equal(t, "model_answer", fault.As(err).Code)
		assert.Len(t, w.gate.Used(acme), 1, "it was at work")
	})
}

// A provider that does not say what it took is booked by estimate, and the caller is told before the end all the same.
func TestUsageIsEstimated(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	w.models.Silent = true
	o := dictated(t, `{"tokens":["The terraced fields ","above the sea."],"toolCalls":[{"id":"c","name":"look","arguments":{"at":"sea"}}]}`, cheap)
	for _, stream := range []bool{true, false} {
		o.Prompt.Stream = stream
		got, _, err := w.ask(t, acme, o)
		require.NoError(t, err)
		require.NotNil(t, got.Usage)
		assert.True(t, got.Usage.Estimated)
		assert.Equal(t, llm.Estimate(o.Prompt), got.Usage.Prompt)
		assert.InDelta(t, 12, got.Usage.Completion, 4)
	}
	for _, u := range w.gate.Used(acme) {
		assert.True(t, u.Estimated)
		assert.Equal(t, u.Prompt*100+u.Completion*1000, u.Nanos)
	}
	t.Run("no more than was allowed", func(t *testing.T) {
		o.Prompt.MaxTokens = 2
		got, _, err := w.ask(t, acme, o)
		require.NoError(t, err)
		assert.Equal(t, 2, got.Usage.Completion)
	})
}

// A provider may count more than could be foreseen. The ledger is told the truth.
func TestTheTruthIsBooked(t *testing.T) {
	models, gate, acme := &memory.Model{}, &quotatest.Gate{}, scope(t, "acme")
	a, err := llm.NewGenerator(models, gate, nil).Generate(t.Context(), acme, dictated(t, `{"tokens":["a"],"usage":{"prompt":999999,"completion":5000}}`, cheap))
	require.NoError(t, err)
	defer a.Close()
	_, err = llmtest.Collect(t, a)
	require.NoError(t, err)
	assert.Equal(t, quota.Amount{Tokens: 1_004_999, Nanos: 999999*100 + 5000*1000}, gate.Used(acme)[0].Amount())
	assert.Less(t, gate.Asked(acme)[0].Amount.Tokens, int64(1_004_999))
}

// Who leaves before a model was asked pays nothing.
func TestACallerWhoHasLeft(t *testing.T) {
	models, gate, acme := &memory.Model{}, &quotatest.Gate{}, scope(t, "acme")
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := llm.NewGenerator(models, gate, nil).Generate(ctx, acme, dictated(t, `{"tokens":["a"]}`, cheap))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, models.Calls())
	assert.Empty(t, gate.Used(acme))
	gate.Check(t)
}

// What no model can have taken is not booked: one number that is wrong would cost the tenant the month's budget.
func TestAnImpossibleUsageIsEstimated(t *testing.T) {
	for _, count := range []string{"1000001", "1000000000000000", "9000000000000000000"} {
		models, gate, acme := &memory.Model{}, &quotatest.Gate{}, scope(t, "acme")
		o := dictated(t, `{"tokens":["a"],"usage":{"prompt":`+count+`,"completion":`+count+`}}`, cheap)
		a, err := llm.NewGenerator(models, gate, nil).Generate(t.Context(), acme, o)
		require.NoError(t, err)
		got, err := llmtest.Collect(t, a)
		require.NoError(t, err)
		require.NoError(t, a.Close())
		assert.Equal(t, llm.Usage{Prompt: llm.Estimate(o.Prompt), Completion: 1, Estimated: true}, *got.Usage)
		assert.Equal(t, int64(got.Usage.Total()), gate.Used(acme)[0].Amount().Tokens)
		assert.True(t, gate.Used(acme)[0].Estimated)
	}
}

func TestRefusedOrders(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	o := dictated(t, `{"tokens":["a"]}`, cheap)
	_, err := w.Generate(t.Context(), tenants.Scope{}, o)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = w.Generate(t.Context(), acme, llm.Order{Prompt: o.Prompt})
	assert.Equal(t, "order_invalid", fault.As(err).Code)
	unlimited := o
	unlimited.Prompt.MaxTokens = 0
	_, err = w.Generate(t.Context(), acme, unlimited)
	assert.Equal(t, "order_invalid", fault.As(err).Code)
	w.gate.Refuse = func(tenants.Scope, quota.Ask) error { return errors.New("closed") }
	_, err = w.Generate(t.Context(), acme, o)
	assert.EqualError(t, err, "closed")
	assert.Empty(t, w.models.Calls(), "nothing passes unpaid")
}

func TestPromptsBeyondTheWindow(t *testing.T) {
	w, acme := newWorld(t), scope(t, "acme")
	o := dictated(t, `{"tokens":["a"]}`, small, cheap)
	o.Prompt.Messages = append(o.Prompt.Messages, llm.Message{Role: llm.Assistant, Content: string(make([]byte, 4*30_000))})
	got, a, err := w.ask(t, acme, o)
	require.NoError(t, err)
	assert.Equal(t, "a", got.Text)
	assert.Equal(t, cheap, a.Source().Model, "the first one's window is too small")
	assert.Len(t, w.models.Calls(), 1)

	o.Models = find(t, small)
	_, _, err = w.ask(t, acme, o)
	assert.Equal(t, "prompt_too_long", fault.As(err).Code)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))

	o.Prompt.Messages[2].Content = string(make([]byte, 4*23_950))
	_, _, err = w.ask(t, acme, o)
	require.NoError(t, err)
	calls := w.models.Calls()
	assert.Less(t, calls[len(calls)-1].Prompt.MaxTokens, 100, "the answer gets what is left of the window")
	assert.Positive(t, calls[len(calls)-1].Prompt.MaxTokens)
}

// wired is a model that answers with the bytes of a provider, until they end.
type wired struct{ body string }

func (m wired) Generate(_ context.Context, _ tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	return wire{dialect.NewStream(strings.NewReader(m.body), dialect.Answer{Model: c.Model, MaxTokens: p.MaxTokens}), c.Model}, nil
}

type wire struct {
	*dialect.Stream
	model string
}

func (wire) Close() error         { return nil }
func (w wire) Source() llm.Source { return llm.Source{Model: w.model, LogID: "l"} }

// Wherever the connection breaks, what was said is told once, and paid once.
func TestAConnectionCutAtEveryByte(t *testing.T) {
	const body = "data: {\"response\":\"a\"}\n\ndata: {\"response\":\"b\"}\n\n" +
		"data: {\"response\":\"\",\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"
	acme := scope(t, "acme")
	for i := range len(body) + 1 {
		gate := &quotatest.Gate{}
		o := dictated(t, `{}`, cheap)
		var got llmtest.Whole
		a, err := llm.NewGenerator(wired{body[:i]}, gate, nil).Generate(t.Context(), acme, o)
		if err == nil {
			got, err = llmtest.Collect(t, a)
			require.NoError(t, a.Close())
		}
		gate.Check(t)
		require.Len(t, gate.Used(acme), 1, "cut after %d", i)
		used := gate.Used(acme)[0]
		require.Positive(t, used.Prompt, "the provider had begun")
		require.Equal(t, int64(len(got.Text)), used.Completion)
		if strings.HasSuffix(strings.TrimSpace(body[:i]), "[DONE]") {
			require.NoError(t, err)
			require.Equal(t, "ab", got.Text)
			require.False(t, used.Estimated)
			continue
		}
		require.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
		require.True(t, strings.HasPrefix("ab", got.Text))
		require.True(t, used.Estimated)
	}
}

// However many answers of two tenants there are at once, and whichever way they end, each is paid once by its own tenant, and
// by no more than was held.
func TestManyAnswersAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Generator = llm.NewGenerator(&w.models, &w.gate, nil)
	scripts := []string{
		`{"tokens":["a","b","c"],"usage":{"prompt":20,"completion":3}}`,
		`{"tokens":["a"],"error":{"code":3040,"status":429,"text":"busy"},"times":150}`,
		`{"tokens":["a","b"],"cutAfter":1}`,
		`{"error":{"code":3036,"status":429,"text":"quota"}}`,
		`{"tokens":["a","never"],"delayMs":600000}`,
	}
	var wg sync.WaitGroup
	var paid [2]atomic.Int64
	for i := range 500 {
		side := i % 2
		s := scope(t, []string{"acme", "globex"}[side])
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			a, err := w.Generate(ctx, s, dictated(t, scripts[i%len(scripts)], cheap, other))
			if err != nil {
				return
			}
			defer func() {
				_ = a.Close()
				_, nanos := a.Spent()
				paid[side].Add(nanos)
			}()
			for {
				if _, err := a.Next(); err != nil {
					return
				}
				if i%3 == 0 {
					return
				}
				if i%5 == 4 {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	for side, tenant := range []string{"acme", "globex"} {
		booked := int64(0)
		for _, u := range w.gate.Used(scope(t, tenant)) {
			booked += u.Nanos
		}
		assert.Equal(t, paid[side].Load(), booked)
		assert.Positive(t, booked)
	}
}
