package loop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// model says what it is told to, an answer after the other.
type model struct {
	steps  [][]llm.Delta
	orders []llm.Order
	open   int
	broken error // instead of the last answer's end
}

func (m *model) Generate(_ context.Context, _ tenants.Scope, o llm.Order) (llm.Answer, error) {
	m.orders = append(m.orders, o)
	m.open++
	return &said{model: m, rest: m.steps[min(len(m.orders), len(m.steps))-1]}, nil
}

type said struct {
	model  *model
	rest   []llm.Delta
	closed bool
}

func (a *said) Next() (llm.Delta, error) {
	if len(a.rest) == 0 {
		if a.model.broken != nil && len(a.model.orders) == len(a.model.steps) {
			return llm.Delta{}, a.model.broken
		}
		return llm.Delta{}, io.EOF
	}
	d := a.rest[0]
	a.rest = a.rest[1:]
	return d, nil
}

func (a *said) Close() error {
	if !a.closed {
		a.closed = true
		a.model.open--
	}
	return nil
}
func (a *said) Ready() bool               { return true }
func (a *said) Source() llm.Source        { return llm.Source{Model: fmt.Sprint("m", len(a.model.orders))} }
func (a *said) Cached() bool              { return false }
func (a *said) Spent() (llm.Usage, int64) { return llm.Usage{Prompt: 3, Completion: 2}, 7 }

func text(s string) llm.Delta        { return llm.Delta{Text: s} }
func finish(f llm.Finish) llm.Delta  { return llm.Delta{Finish: f} }
func tool(t llm.ToolDelta) llm.Delta { return llm.Delta{Tool: &t} }
func echo(i int, arg string) llm.Delta {
	return tool(llm.ToolDelta{Index: i, ID: "c", Name: "echo", Arguments: arg})
}

func kit(steps int) *loop.Kit {
	return &loop.Kit{
		Tools: []llm.Tool{{Name: "echo"}}, Steps: steps, Time: time.Minute,
		Run: func(_ context.Context, c loop.Call) (loop.Done, error) { return loop.Done{Data: c.Input}, nil },
	}
}

func order(k *loop.Kit, own ...llm.Tool) loop.Order {
	return loop.Order{Kit: k, Mark: "mark", Order: llm.Order{
		Models: []llm.GenerationModel{{Window: 10_000}},
		Prompt: llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: "hi"}}, Tools: own, MaxTokens: 100},
	}}
}

// hear reads an answer to its end, and requires that all of it is closed.
func hear(t testing.TB, m *model, o loop.Order) ([]llm.Delta, llm.Answer, error) {
	t.Helper()
	a, err := loop.Generate(t.Context(), m, tenantstest.Scope(t, "acme"), o)
	require.NoError(t, err)
	var all []llm.Delta
	for {
		d, err := a.Next()
		if err != nil {
			require.NoError(t, a.Close())
			assert.Zero(t, m.open, "answers that nobody closed")
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return all, a, err
		}
		if d != (llm.Delta{}) {
			all = append(all, d)
		}
	}
}

// Calls of the client's tools pass with indexes of their own, and those of the platform's stay, however their pieces come.
func TestWhosePiecesPass(t *testing.T) {
	m := &model{steps: [][]llm.Delta{{
		text("Now."), echo(0, `{"a":`),
		tool(llm.ToolDelta{Index: 1, ID: "m1", Arguments: "{"}), // whose name comes late
		tool(llm.ToolDelta{Index: 0, Arguments: `1}`}),
		tool(llm.ToolDelta{Index: 1, Name: "mine", Arguments: `"b"`}), tool(llm.ToolDelta{Index: 1, Arguments: `:2}`}),
		tool(llm.ToolDelta{Index: 2, ID: "m2", Name: "mine", Arguments: `{}`}),
		finish(llm.FinishTools),
	}}}
	var made []string
	k := kit(3)
	k.Run = func(_ context.Context, c loop.Call) (loop.Done, error) {
		made = append(made, c.Tool+string(c.Input))
		return loop.Done{Data: c.Input}, nil
	}
	all, a, err := hear(t, m, order(k, llm.Tool{Name: "mine"}))
	require.NoError(t, err)
	assert.Equal(t, []llm.Delta{
		text("Now."),
		tool(llm.ToolDelta{Index: 0, ID: "m1", Name: "mine", Arguments: `{"b"`}), tool(llm.ToolDelta{Index: 0, Arguments: `:2}`}),
		tool(llm.ToolDelta{Index: 1, ID: "m2", Name: "mine", Arguments: `{}`}),
		finish(llm.FinishTools), {Usage: &llm.Usage{Prompt: 3, Completion: 2}},
	}, all)
	assert.Equal(t, []string{`echo{"a":1}`}, made)
	assert.Len(t, m.orders, 1, "the client has to call now")
	assert.Equal(t, "m1", a.Source().Model)
}

// A step that ended because of its length may have calls that are not whole: they are not made.
func TestCallsThatMayNotBeWhole(t *testing.T) {
	for _, why := range []llm.Finish{llm.FinishLength, llm.FinishFilter} {
		m := &model{steps: [][]llm.Delta{{text("Well."), echo(0, `{}`), finish(why)}}}
		all, _, err := hear(t, m, order(kit(3)))
		require.NoError(t, err)
		assert.Len(t, m.orders, 1)
		assert.Equal(t, why, all[1].Finish)
	}
}

// Which tool is to be called holds for the first step: or it would be called for ever.
func TestAChoiceHoldsOnce(t *testing.T) {
	for choice, later := range map[string]string{`"required"`: "", `{"type":"function","function":{"name":"echo"}}`: "", `"auto"`: `"auto"`, "": ""} {
		m := &model{steps: [][]llm.Delta{{echo(0, `{}`), finish(llm.FinishTools)}, {text("Done."), finish(llm.FinishStop)}}}
		o := order(kit(3))
		o.Prompt.ToolChoice = json.RawMessage(choice)
		_, _, err := hear(t, m, o)
		require.NoError(t, err)
		assert.Equal(t, []string{choice, later}, []string{string(m.orders[0].Prompt.ToolChoice), string(m.orders[1].Prompt.ToolChoice)})
	}
}

// A model that breaks off in a later step is an answer that breaks off, and all of it is told what it took.
func TestAModelThatBreaksOffLater(t *testing.T) {
	broken := errors.New("broke off")
	m := &model{steps: [][]llm.Delta{{echo(0, `{}`), finish(llm.FinishTools)}, {text("Do")}}, broken: broken}
	all, a, err := hear(t, m, order(kit(3)))
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []llm.Delta{text("Do")}, all)
	usage, nanos := a.Spent()
	assert.Equal(t, llm.Usage{Prompt: 6, Completion: 4}, usage)
	assert.Equal(t, int64(14), nanos)
	_, err = a.Next()
	assert.Error(t, err)
}

// Whoever leaves while tools run is not answered any more, and what was asked is settled.
func TestACallerThatLeavesWhileToolsRun(t *testing.T) {
	m := &model{steps: [][]llm.Delta{{echo(0, `{}`), finish(llm.FinishTools)}, {text("Never.")}}}
	ctx, cancel := context.WithCancel(t.Context())
	k := kit(3)
	k.Run = func(ctx context.Context, _ loop.Call) (loop.Done, error) {
		cancel()
		<-ctx.Done()
		return loop.Done{}, ctx.Err()
	}
	a, err := loop.Generate(ctx, m, tenantstest.Scope(t, "acme"), order(k))
	require.NoError(t, err)
	d, err := a.Next()
	require.NoError(t, err)
	assert.Equal(t, llm.Delta{}, d, "whoever listens may send what there is, before tools take their time")
	assert.False(t, llm.Ready(a))
	_, err = a.Next()
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, a.Close())
	assert.Len(t, m.orders, 1)
	assert.Zero(t, m.open)
}

// What the screen does not let through is shown to nobody, and a tool that breaks down is one that failed.
func TestWhatIsNotShown(t *testing.T) {
	k := kit(1)
	k.Screen = func(_ context.Context, tool, text string) (string, error) {
		if strings.Contains(text, "ignore") {
			return "", errors.New("secret reason")
		}
		return strings.ReplaceAll(text, "bad", "[left out]"), nil
	}
	assert.Equal(t, "a [left out] word", k.Make(t.Context(), llm.ToolCall{Name: "echo", Arguments: "a bad word"}, loop.Call{}, 100).Content)
	o := k.Make(t.Context(), llm.ToolCall{ID: "c", Name: "echo", Arguments: `"ignore all"`}, loop.Call{}, 100)
	assert.False(t, o.OK)
	assert.NotContains(t, o.Content, "ignore")
	assert.NotContains(t, o.Content, "secret")
	assert.True(t, k.Make(t.Context(), llm.ToolCall{Name: "echo", Arguments: " "}, loop.Call{}, 100).OK, "no arguments are none")
	k.Run = func(context.Context, loop.Call) (loop.Done, error) { panic("secret") }
	o = k.Make(t.Context(), llm.ToolCall{Name: "echo"}, loop.Call{}, 100)
	assert.Equal(t, `{"error":{"code":"internal","message":"the tool broke down"}}`, o.Content)
}

func FuzzCut(f *testing.F) {
	f.Add("water flows", 5)
	f.Add("éé日本", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 0 || most > 1000 || !utf8.ValidString(text) {
			return
		}
		cut := loop.Cut(text, most)
		assert.True(t, utf8.ValidString(cut))
		assert.LessOrEqual(t, len(cut), max(most, 64), "the note is shorter than the least that is shown")
		if len(text) <= most {
			assert.Equal(t, text, cut)
		}
	})
}

func ExampleGenerate() {
	m := &model{steps: [][]llm.Delta{
		{text("Let me see."), echo(0, `{"water":"flows"}`), finish(llm.FinishTools)},
		{text("It flows."), finish(llm.FinishStop)},
	}}
	acme, _ := tenants.Resume("acme")
	a, err := loop.Generate(context.Background(), m, acme, order(kit(3)))
	for err == nil {
		var d llm.Delta
		d, err = a.Next()
		fmt.Print(d.Text)
	}
	fmt.Println()
	fmt.Println(m.orders[1].Prompt.Messages[2].Content)
	// Output:
	// Let me see.
	//
	// It flows.
	// <result-mark>
	// {"water":"flows"}
	// </result-mark>
}
