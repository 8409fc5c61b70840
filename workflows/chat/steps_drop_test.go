package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// calling is what a model says before it calls a tool.
func calling(says string) []piece {
	return append(words(says)[:1], piece{Delta: llm.Delta{Tool: &llm.ToolDelta{ID: "c", Name: "echo", Arguments: `{}`}}}, piece{Delta: llm.Delta{Finish: llm.FinishTools}})
}

// What is said before tools are called is checked before they are, and belongs to the calls; what parts it from what is said after them is told only
// between two that are told.
func TestWhatNoSourceSaysIsLeftOutBetweenCalls(t *testing.T) {
	const opened, walk, lie = "The levada was opened in 1816 [1].", "The walk takes four hours [2].", "It exports oil to Norway."
	for name, c := range map[string]struct {
		steps  [][]piece
		said   string
		before string // of it, before the call
	}{
		"both":           {[][]piece{calling(opened), words(walk)}, opened + "\n\n" + walk, opened},
		"only before":    {[][]piece{calling(opened), words(lie)}, opened, opened},
		"only after":     {[][]piece{calling(lie), words(walk)}, walk, ""},
		"what a tool is": {[][]piece{calling("Let me see."), words("The tool says 42 cubic metres.")}, "The documents do not answer this question.", ""},
		"nothing":        {[][]piece{calling(""), words("")}, "The documents do not answer this question.", ""},
		"in pieces":      {[][]piece{calling("The levada was opened in 1816 [1]. " + lie), words("The walk ", "takes four hours [2].")}, "The levada was opened in 1816 [1]. \n\n" + walk, "The levada was opened in 1816 [1]. "},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				guide(w)
				w.shelf.found["globex"] = w.shelf.found["acme"]
				for _, s := range []tenants.Scope{w.acme, w.globex} {
					asked := len(w.model.orders)
					w.model.gate = func(llm.Order) error {
						w.model.pieces = c.steps[min(len(w.model.orders)-1-asked, len(c.steps)-1)]
						return nil
					}
					r := w.dropping("s", "When was it opened?")
					r.Kit = kit(func(string, string) (string, error) { return `{"flow":"42 cubic metres"}`, nil })
					events := drain(t, w.start(s, r))
					assert.Equal(t, c.said, whole(t, events))
					var before []chat.Event
					for i, e := range events {
						if e.Type == chat.Token {
							assert.NotEmpty(t, strings.TrimSpace(text(t, []chat.Event{e})), "%s", e.Data)
						}
						if e.Type == chat.ToolCalled {
							before = events[:i]
						}
					}
					assert.Equal(t, c.before, text(t, before))
					script, err := w.sessions.Transcript(t.Context(), s, "s", "", 100)
					require.NoError(t, err)
					require.Len(t, script.Messages[1].ToolCalls, 1)
					assert.Equal(t, c.before, script.Messages[1].Content, "the session keeps what was told")
					for _, cited := range citations(t, events) {
						assert.True(t, cited.Supported)
					}
					assert.Equal(t, events, drain(t, w.follow(s, "s.1", 0)))
				}
			})
		})
	}
}

// However full the model's window is of what was said before, of sources and of calls, a turn whose tools were run ends well: what they brought is cut,
// then no tools are offered any more, and then it ends with what there is. No model is asked for what it has no room for.
func TestAWindowThatIsNearlyFull(t *testing.T) {
	finishes := map[string]int{}
	for _, drop := range []bool{false, true} {
		for _, beside := range []int{0, 4_000, 8_000, 9_000, 10_000, 11_000, 24_000} { // bytes of what was said before, and of a source
			inShop(t, func(t *testing.T, w *shop) {
				const room = 8_000 // tokens, beside the tools
				for _, s := range []tenants.Scope{w.acme, w.globex} {
					var calls []string
					for i := range 8 {
						calls = append(calls, fmt.Sprintf(`echo {"text":"%d %s"}`, i, strings.Repeat("levada ", 100)))
					}
					source := "The levada was opened in 1816. " + strings.Repeat("It carries water. ", beside/18)
					w.purse.shelf.found = map[tenants.ID][]rag.Source{s.Tenant(): {{DocID: "guide", ChunkID: "guide#0", Text: source}}}
					before := scripted(t, "s", `{"tokens":["Well."]}`)
					before.Messages[0].Content += strings.Repeat(" and so on", beside/10)
					w.turn(s, before)
					r := w.ask(s, script(step("The levada was opened in 1816 [1].", calls...), step("It carries water [1].")))
					r.Grounding = &chat.Grounding{TopK: 1, Model: "@cf/baai/bge-m3", Drop: drop}
					r.Kit.Tools = slices.DeleteFunc(r.Kit.Tools, func(tool llm.Tool) bool { return tool.Name != "echo" })
					r.Models = slices.Clone(r.Models)
					for i := range r.Models {
						r.Models[i].Window = room + llm.Estimate(llm.Prompt{Tools: r.Kit.Tools})
					}
					asked := len(w.purse.model.Calls())
					live, err := w.Start(t.Context(), s, r)
					if err != nil { // nothing was begun
						assert.Equal(t, "prompt_too_long", fault.As(err).Code)
						assert.Len(t, w.purse.model.Calls(), asked)
						finishes["refused"]++
						continue
					}
					events := drain(t, live)
					require.Empty(t, code(t, events), "%d: %s", beside, events[len(events)-1].Data)
					finishes[finish(t, events)]++
					assert.Contains(t, whole(t, events), "The levada was opened in 1816 [1].")
					assert.Len(t, came(t, events), 8)
					for _, c := range w.purse.model.Calls()[asked:] {
						assert.Less(t, llm.Estimate(c.Prompt)+c.Prompt.MaxTokens, r.Models[0].Window+1)
					}
				}
			})
		}
	}
	assert.Len(t, finishes, 3, "%v", finishes)
}
