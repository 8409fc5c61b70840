package llm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/llm"
)

// oracle answers every order alike and counts them.
type oracle struct {
	deltas []llm.Delta
	broken error                                    // what comes instead of the end
	model  string                                   // who answers, if not the first model of the order
	answer func(s tenants.Scope) []llm.Delta        // instead of deltas
	wait   func(ctx context.Context) (refuse error) // before the answer begins

	mu    sync.Mutex
	asked []string
}

func (g *oracle) Generate(ctx context.Context, s tenants.Scope, o llm.Order) (llm.Answer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.asked = append(g.asked, string(s.Tenant()))
	g.mu.Unlock()
	if g.wait != nil {
		if err := g.wait(ctx); err != nil {
			return nil, err
		}
	}
	a := &paid{source: llm.Source{Model: o.Models[0].Name, LogID: "log"}, rest: g.deltas, broken: g.broken}
	if g.model != "" {
		a.source.Model = g.model
	}
	if g.answer != nil {
		a.rest = g.answer(s)
	}
	return a, nil
}

// paid is an answer of the oracle.
type paid struct {
	source llm.Source
	rest   []llm.Delta
	broken error
}

func (a *paid) Next() (llm.Delta, error) {
	if len(a.rest) == 0 {
		if a.broken != nil {
			return llm.Delta{}, a.broken
		}
		return llm.Delta{}, io.EOF
	}
	d := a.rest[0]
	a.rest = a.rest[1:]
	return d, nil
}

func (a *paid) Close() error              { return nil }
func (a *paid) Source() llm.Source        { return a.source }
func (a *paid) Spent() (llm.Usage, int64) { return llm.Usage{Prompt: 5, Completion: 3}, 800 }
func (a *paid) Cached() bool              { return false }

// said is all that an answer told.
type said struct {
	text, reasoning string
	tools           []llm.ToolDelta
	finish          llm.Finish
	usage           llm.Usage
	pieces          int
	err             error
}

func listen(a llm.Answer) (out said) {
	for {
		d, err := a.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				out.err = err
			}
			return out
		}
		out.pieces++
		out.text += d.Text
		out.reasoning += d.Reasoning
		if d.Tool != nil {
			if n := len(out.tools); n > 0 && out.tools[n-1].Index == d.Tool.Index {
				out.tools[n-1].Arguments += d.Tool.Arguments
			} else {
				out.tools = append(out.tools, *d.Tool)
			}
		}
		if d.Finish != "" {
			out.finish = d.Finish
		}
		if d.Usage != nil {
			out.usage = *d.Usage
		}
	}
}

// ask makes an order and hears its answer to the end.
func ask(t *testing.T, g llm.Generator, s tenants.Scope, o llm.Order) (said, bool) {
	t.Helper()
	a, err := g.Generate(t.Context(), s, o)
	require.NoError(t, err)
	out := listen(a)
	require.NoError(t, a.Close())
	return out, a.Cached()
}

func scopeOf(t testing.TB, tenant string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	return s
}

func order(t testing.TB, question string) llm.Order {
	t.Helper()
	first, err := llm.FindGeneration("@local/script")
	require.NoError(t, err)
	second, err := llm.FindGeneration("@local/script-openai")
	require.NoError(t, err)
	return llm.Order{
		Models: []llm.GenerationModel{first, second}, Call: llm.Call{Purpose: llm.ForChat}, Cache: time.Hour,
		Prompt: llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: question}}, MaxTokens: 100},
	}
}

var (
	usage   = llm.Usage{Prompt: 5, Completion: 3, Cached: 1}
	spoken  = []llm.Delta{{Reasoning: "hm"}, {Text: "água "}, {Text: "<fria>"}, {Finish: llm.FinishStop}, {Usage: &usage}}
	callsTo = []llm.Delta{
		{Tool: &llm.ToolDelta{Index: 0, ID: "a", Name: "find", Arguments: `{"q":`}}, {Tool: &llm.ToolDelta{Index: 0, Arguments: `"x"}`}},
		{Tool: &llm.ToolDelta{Index: 1, ID: "b", Name: "open", Arguments: `{}`}}, {Finish: llm.FinishTools, Usage: &usage},
	}
)

func TestAnEqualOrderGetsTheSameAnswer(t *testing.T) {
	for name, deltas := range map[string][]llm.Delta{"a text": spoken, "calls of tools": callsTo} {
		for _, stream := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				model := &oracle{deltas: deltas}
				g := llm.NewCached(model, memory.NewCache(time.Now), nil)
				acme, o := scopeOf(t, "acme"), order(t, "q")
				first, cached := ask(t, g, acme, o)
				assert.False(t, cached)
				o.Prompt.Stream = stream
				for range 2 {
					a, err := g.Generate(t.Context(), acme, o)
					require.NoError(t, err)
					assert.True(t, a.Cached())
					assert.Equal(t, llm.Source{Model: "@local/script", LogID: "log"}, a.Source())
					again := listen(a)
					require.NoError(t, a.Close())
					used, nanos := a.Spent()
					assert.Zero(t, used)
					assert.Zero(t, nanos)
					first.pieces, again.pieces = 0, 0
					assert.Equal(t, first, again)
					assert.Equal(t, usage, again.usage)
				}
				assert.Len(t, model.asked, 1)
			})
		}
	}
}

func TestALongAnswerComesInAFewPieces(t *testing.T) {
	model := &oracle{deltas: []llm.Delta{{Text: strings.Repeat("é水🌊", 500)}, {Finish: llm.FinishStop}}}
	g := llm.NewCached(model, memory.NewCache(time.Now), nil)
	acme, o := scopeOf(t, "acme"), order(t, "q")
	first, _ := ask(t, g, acme, o)
	whole, cached := ask(t, g, acme, o)
	assert.True(t, cached)
	assert.Equal(t, 3, whole.pieces, "the text, the reason of its end, the usage")
	o.Prompt.Stream = true
	a, err := g.Generate(t.Context(), acme, o)
	require.NoError(t, err)
	text, pieces := "", 0
	for d, err := a.Next(); err == nil; d, err = a.Next() {
		assert.Equal(t, strings.ToValidUTF8(d.Text, "?"), d.Text, "no character is cut")
		text += d.Text
		pieces++
	}
	assert.Equal(t, first.text, text)
	assert.InDelta(t, 10, pieces, 2)
}

func TestAnAnswerNeverReachesAnotherTenant(t *testing.T) {
	for name, store := range map[string]cache.Store{"on a store": memory.NewCache(time.Now), "on a store that mixes tenants up": leaky{memory.NewCache(time.Now), t}} {
		t.Run(name, func(t *testing.T) {
			model := &oracle{answer: func(s tenants.Scope) []llm.Delta {
				return []llm.Delta{{Text: "of " + string(s.Tenant())}, {Finish: llm.FinishStop}}
			}}
			g, o := llm.NewCached(model, store, nil), order(t, "q")
			for range 3 {
				for _, tenant := range []string{"acme", "globex"} {
					got, _ := ask(t, g, scopeOf(t, tenant), o)
					assert.Equal(t, "of "+tenant, got.text)
				}
			}
			assert.Equal(t, []string{"acme", "globex"}, model.asked, "each was asked for once")
		})
	}
}

// leaky keeps everything for one tenant, whoever asks.
type leaky struct {
	cache.Store
	t *testing.T
}

func (l leaky) Get(ctx context.Context, _ tenants.Scope, key cache.Key) ([]byte, error) {
	return l.Store.Get(ctx, scopeOf(l.t, "acme"), key)
}

func (l leaky) Put(ctx context.Context, _ tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	return l.Store.Put(ctx, scopeOf(l.t, "acme"), key, value, ttl)
}

func TestWhatIsNotKept(t *testing.T) {
	broke := fault.Unavailablef(nil, "model_broke_off", "gone")
	stop := llm.Delta{Finish: llm.FinishStop}
	for name, c := range map[string]struct {
		model *oracle
		heard int // deltas until the client leaves; 0: to the end
		order func(*llm.Order)
	}{
		"cut by its length":              {model: &oracle{deltas: []llm.Delta{{Text: "x"}, {Finish: llm.FinishLength}}}},
		"filtered":                       {model: &oracle{deltas: []llm.Delta{{Text: "x"}, {Finish: llm.FinishFilter}}}},
		"without a reason of its end":    {model: &oracle{deltas: []llm.Delta{{Text: "x"}}}},
		"broken off":                     {model: &oracle{deltas: []llm.Delta{{Text: "x"}}, broken: broke}},
		"broken off after its last word": {model: &oracle{deltas: []llm.Delta{{Text: "x"}, stop}, broken: broke}},
		"closed before its end":          {model: &oracle{deltas: spoken}, heard: 4},
		"empty":                          {model: &oracle{deltas: []llm.Delta{stop}}},
		"tools, but none":                {model: &oracle{deltas: []llm.Delta{{Text: "x"}, {Finish: llm.FinishTools}}}},
		"no UTF-8":                       {model: &oracle{deltas: []llm.Delta{{Text: "\xff"}, stop}}},
		"too long":                       {model: &oracle{deltas: []llm.Delta{{Text: strings.Repeat("x", 101)}, stop}}},
		"by another model":               {model: &oracle{deltas: spoken, model: "@local/script-openai"}},
		"not allowed by the order":       {model: &oracle{deltas: spoken}, order: func(o *llm.Order) { o.Cache = 0 }},
		"for too short a time":           {model: &oracle{deltas: spoken}, order: func(o *llm.Order) { o.Cache = cache.MinTTL - 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			store := memory.NewCache(time.Now)
			g := llm.NewCached(c.model, store, &llm.CachedOptions{MaxBytes: 100})
			o := order(t, "q")
			if c.order != nil {
				c.order(&o)
			}
			for range 2 {
				a, err := g.Generate(t.Context(), scopeOf(t, "acme"), o)
				require.NoError(t, err)
				assert.False(t, a.Cached())
				if c.heard == 0 {
					listen(a)
				}
				for range c.heard {
					_, err := a.Next()
					require.NoError(t, err)
				}
				require.NoError(t, a.Close())
				require.NoError(t, a.Close(), "again")
			}
			assert.Zero(t, store.Len())
			assert.Len(t, c.model.asked, 2)
		})
	}
}

func TestARefusalPassesThrough(t *testing.T) {
	refusal := fault.New(fault.Limited, "budget_exhausted", "no", nil)
	store := memory.NewCache(time.Now)
	g := llm.NewCached(&oracle{wait: func(context.Context) error { return refusal }}, store, nil)
	_, err := g.Generate(t.Context(), scopeOf(t, "acme"), order(t, "q"))
	assert.ErrorIs(t, err, refusal)
	_, err = g.Generate(t.Context(), tenants.Scope{}, order(t, "q"))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	assert.Zero(t, store.Len())
}

// TestAPoisonedEntryIsAMiss writes over what was kept, and finds it replaced.
func TestAPoisonedEntryIsAMiss(t *testing.T) {
	var other []byte
	for name, poison := range map[string]func(good []byte) []byte{
		"garbage":              func([]byte) []byte { return []byte("\x00\xffgarbage") },
		"empty":                func([]byte) []byte { return []byte{} },
		"null":                 func([]byte) []byte { return []byte("null") },
		"cut":                  func(good []byte) []byte { return good[:len(good)/2] },
		"to another question":  func([]byte) []byte { return other },
		"a text is a number":   func(good []byte) []byte { return replace(good, `"text":"`, `"text":1,"was":"`) },
		"an end that is none":  func(good []byte) []byte { return replace(good, `"finish":"stop"`, `"finish":"length"`) },
		"nothing of an answer": func(good []byte) []byte { return replace(good, `"text"`, `"nothing"`) },
	} {
		t.Run(name, func(t *testing.T) {
			model, store := &oracle{deltas: spoken}, &spied{Store: memory.NewCache(time.Now)}
			g, acme := llm.NewCached(model, store, nil), scopeOf(t, "acme")
			ask(t, g, acme, order(t, "another question"))
			other = store.value
			ask(t, g, acme, order(t, "q"))
			require.NoError(t, store.Store.Put(t.Context(), acme, store.key, poison(store.value), time.Hour))
			got, cached := ask(t, g, acme, order(t, "q"))
			assert.False(t, cached)
			assert.Equal(t, "água <fria>", got.text)
			got, cached = ask(t, g, acme, order(t, "q"))
			assert.True(t, cached)
			assert.Equal(t, "água <fria>", got.text)
			assert.Len(t, model.asked, 3)
		})
	}
}

func replace(b []byte, old, with string) []byte {
	return []byte(strings.Replace(string(b), old, with, 1))
}

// spied remembers what was put last.
type spied struct {
	cache.Store
	key   cache.Key
	value []byte
}

func (s *spied) Put(ctx context.Context, scope tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	s.key, s.value = key, value
	return s.Store.Put(ctx, scope, key, value, ttl)
}

func TestAStoreThatFailsFailsNobody(t *testing.T) {
	broken := fault.Unavailablef(nil, "cache_unavailable", "broken")
	for _, failing := range []string{"get", "put"} {
		for _, when := range []string{"before", "after"} {
			t.Run(failing+" "+when, func(t *testing.T) {
				store, model := memory.NewCache(time.Now), &oracle{deltas: spoken}
				fail := func(op string) error {
					if op == failing {
						return broken
					}
					return nil
				}
				if when == "before" {
					store.Before = fail
				} else {
					store.After = fail
				}
				g := llm.NewCached(model, store, nil)
				for range 2 {
					got, _ := ask(t, g, scopeOf(t, "acme"), order(t, "q"))
					assert.Equal(t, "água <fria>", got.text)
				}
				want := 2 // a put that has happened is a hit, whatever was said of it
				if failing == "put" && when == "after" {
					want = 1
				}
				assert.Len(t, model.asked, want)
			})
		}
	}
}

// hanging answers when the time is up.
type hanging struct{}

func (hanging) Get(ctx context.Context, _ tenants.Scope, _ cache.Key) ([]byte, error) {
	<-ctx.Done()
	return nil, fault.Unavailablef(ctx.Err(), "cache_unavailable", "hangs")
}

func (hanging) Put(ctx context.Context, _ tenants.Scope, _ cache.Key, _ []byte, _ time.Duration) error {
	<-ctx.Done()
	return fault.Unavailablef(ctx.Err(), "cache_unavailable", "hangs")
}

func TestAStoreThatHangsCostsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var background sync.WaitGroup
		g := llm.NewCached(&oracle{deltas: spoken}, hanging{}, &llm.CachedOptions{
			Patience: 100 * time.Millisecond, PutPatience: 5 * time.Second,
			Background: func(ctx context.Context, f func(context.Context)) error {
				background.Go(func() { f(context.WithoutCancel(ctx)) })
				return nil
			},
		})
		start := time.Now()
		got, _ := ask(t, g, scopeOf(t, "acme"), order(t, "q"))
		assert.Equal(t, "água <fria>", got.text)
		assert.Equal(t, 100*time.Millisecond, time.Since(start), "of the look-up, and nothing of the storing")
		background.Wait()
		assert.Equal(t, 5100*time.Millisecond, time.Since(start))
	})
}

func TestAnAnswerIsNotKeptWhenTheEventIsOver(t *testing.T) {
	store, model := memory.NewCache(time.Now), &oracle{deltas: spoken}
	g := llm.NewCached(model, store, &llm.CachedOptions{
		Background: func(context.Context, func(context.Context)) error { return errors.New("the event is over") },
	})
	got, _ := ask(t, g, scopeOf(t, "acme"), order(t, "q"))
	assert.Equal(t, "água <fria>", got.text)
	assert.Zero(t, store.Len())
}

func TestAnAnswerLivesAsLongAsTheOrderSaid(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	model := &oracle{deltas: spoken}
	g := llm.NewCached(model, memory.NewCache(func() time.Time { return now }), nil)
	acme, o := scopeOf(t, "acme"), order(t, "q")
	ask(t, g, acme, o)
	now = now.Add(o.Cache - time.Second)
	_, cached := ask(t, g, acme, o)
	assert.True(t, cached)
	now = now.Add(time.Second)
	_, cached = ask(t, g, acme, o)
	assert.False(t, cached, "a hit does not prolong it")
}

func TestEqualOrdersAtTheSameTimeMayBothAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := &oracle{deltas: spoken, wait: func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}}
		g := llm.NewCached(model, memory.NewCache(time.Now), nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				a, err := g.Generate(t.Context(), scopeOf(t, "acme"), order(t, "q"))
				if assert.NoError(t, err) {
					assert.Equal(t, "água <fria>", listen(a).text)
					assert.NoError(t, a.Close())
				}
			})
		}
		wg.Wait()
		assert.Len(t, model.asked, 8)
		_, cached := ask(t, g, scopeOf(t, "acme"), order(t, "q"))
		assert.True(t, cached)
	})
}

func BenchmarkAHit(b *testing.B) {
	acme, o := scopeOf(b, "acme"), order(b, strings.Repeat("What flows? ", 100))
	o.Prompt.Stream = true
	answer := []llm.Delta{{Text: strings.Repeat("Water flows. ", 150)}, {Finish: llm.FinishStop}, {Usage: &usage}}
	g := llm.NewCached(&oracle{deltas: answer}, memory.NewCache(time.Now), nil)
	for b.Loop() {
		a, err := g.Generate(b.Context(), acme, o)
		if err != nil {
			b.Fatal(err)
		}
		listen(a)
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
