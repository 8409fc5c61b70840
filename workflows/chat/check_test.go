package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	verify "levada.dev/workflows/answer"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// guide is what each of the tenants has: documents of the same name that say different things.
func guide(w *world) {
	w.shelf.found = map[tenants.ID][]rag.Source{
		"acme": {
			{DocID: "guide", ChunkID: "guide#0", Text: "The levada was opened in 1816. It carries water to the coast.", Start: 100},
			{DocID: "walks", ChunkID: "walks#2", Text: "The walk takes four hours."},
		},
		"globex": {{DocID: "guide", ChunkID: "guide#0", Text: "The levada was opened in 1920.", Start: 7}},
	}
}

// citations are those of the one event that has them, which must come once, behind what was said and before the usage.
func citations(t testing.TB, events []chat.Event) (all []verify.Citation) {
	t.Helper()
	at := -1
	for i, e := range events {
		if e.Type == chat.Citations {
			require.Equal(t, -1, at, "citations come once")
			at = i
			var v struct{ Citations []verify.Citation }
			require.NoError(t, json.Unmarshal(e.Data, &v), "%s", e.Data)
			require.NotNil(t, v.Citations)
			all = v.Citations
		}
	}
	require.Equal(t, len(events)-3, at, "%v", types(events))
	require.Equal(t, chat.UsageEvent, events[at+1].Type)
	return all
}

// kept are the citations of a session's last message.
func kept(w *world, s tenants.Scope, session string) (all []verify.Citation) {
	w.Helper()
	synctest.Wait()
	script, err := w.sessions.Transcript(w.Context(), s, session, "", 100)
	require.NoError(w, err)
	require.NotEmpty(w, script.Messages)
	last := script.Messages[len(script.Messages)-1]
	require.NotNil(w, last.Citations)
	require.NoError(w, json.Unmarshal(last.Citations, &all))
	return all
}

func verdicts(cs []verify.Citation) (all []string) {
	for _, c := range cs {
		all = append(all, fmt.Sprintf("%d %v %s", c.Marker, c.Supported, c.Sentence))
	}
	return all
}

func TestWhatIsSaidIsHeldAgainstTheSources(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		guide(w)
		w.model.pieces = words("The levada was ", "opened in 1816 [1", "]. The walk takes four hours [1]. ", "It exports oil [9]. ", "Shall I go on?")
		said := "The levada was opened in 1816 [1]. The walk takes four hours [1]. It exports oil [9]. Shall I go on?"
		events := drain(t, w.start(w.acme, w.grounded("s", "When was it opened?")))
		assert.Equal(t, said, whole(t, events), "nothing is taken away")
		found := citations(t, events)
		assert.Equal(t, []string{
			"1 true The levada was opened in 1816.", "1 false The walk takes four hours.", "2 true The walk takes four hours.", "9 false It exports oil.",
		}, verdicts(found))
		assert.Equal(t, verify.Citation{
			Marker: 1, Source: "guide#0", DocID: "guide", Quote: "The levada was opened in 1816.", Start: 100, End: 130, Supported: true, Sentence: "The levada was opened in 1816.",
		}, found[0])
		assert.Equal(t, found, kept(w, w.acme, "s"))
		assert.Equal(t, said, w.sessions.outcome().Answer.Content)
		last := events[len(events)-1].ID
		for after := range last {
			again := drain(t, w.follow(w.acme, "s.1", after))
			assert.True(t, strings.HasSuffix(said, text(t, again)), "resumed after %d", after)
			if after < last-2 {
				assert.Equal(t, found, citations(t, again))
			} else {
				assert.NotContains(t, types(again), chat.Citations, "they had been seen")
			}
		}

		other := drain(t, w.start(w.globex, w.grounded("s", "When was it opened?")))
		assert.Equal(t, "1 false The levada was opened in 1816.", verdicts(citations(t, other))[0], "another tenant's document says another year")
		assert.NotContains(t, fmt.Sprint(citations(t, other)), "walks")
		assert.NotEqual(t, kept(w, w.acme, "s"), kept(w, w.globex, "s"))

		drain(t, w.start(w.acme, w.ask("s", "Sure?")))
		past := w.model.last(llm.ForChat).Prompt.Messages
		assert.Equal(t, said, past[len(past)-2].Content, "the next turn is shown what was said and nothing else")
		plain := drain(t, w.start(w.acme, w.ask("t", "Hello")))
		assert.NotContains(t, types(plain), chat.Citations, "what rests on nothing is not checked")
		script, err := w.sessions.Transcript(t.Context(), w.acme, "t", "", 100)
		require.NoError(t, err)
		assert.Nil(t, script.Messages[1].Citations)
	})
}

// dropping is a request of a tenant that wants nothing said that no source says.
func (w *world) dropping(session, message string) chat.Request {
	r := w.grounded(session, message)
	r.Grounding.Drop = true
	return r
}

func TestWhatNoSourceSaysIsLeftOut(t *testing.T) {
	const lie = "It exports oil to Norway"
	for name, c := range map[string]struct {
		pieces  []piece
		unknown string
		said    string
		cited   []string
	}{
		"in the middle": {
			words("The levada was opened in 1816 [1]. "+lie, " [1]. The walk ", "takes four hours [1]."), "",
			"The levada was opened in 1816 [1]. The walk takes four hours. [2]",
			[]string{"1 true The levada was opened in 1816.", "1 false The walk takes four hours.", "2 true The walk takes four hours."},
		},
		"at the end":      {words("The levada was opened in 1816 [1]. ", lie), "", "The levada was opened in 1816 [1]. ", []string{"1 true The levada was opened in 1816."}},
		"all of it":       {words(lie, " [1]."), "", "The documents do not answer this question.", nil},
		"in other words":  {words(lie, " [1]."), "Ask us.", "Ask us.", nil},
		"nothing at all":  {words(""), "", "The documents do not answer this question.", nil},
		"beside a call":   {append(words(lie + ".")[:1], piece{Delta: llm.Delta{Tool: &llm.ToolDelta{ID: "c", Name: "f", Arguments: "{}"}}}, piece{Delta: llm.Delta{Finish: llm.FinishTools}}), "", "", nil},
		"before it fails": {append(words("The levada was opened in 1816 [1]. " + lie + ". The walk")[:1], piece{err: fault.Unavailablef(nil, "model_broke_off", "gone")}), "", "The levada was opened in 1816 [1]. ", []string{"1 true The levada was opened in 1816."}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				guide(w)
				w.model.pieces = c.pieces
				r := w.dropping("s", "When was it opened?")
				r.Grounding.Unknown = c.unknown
				events := drain(t, w.start(w.acme, r))
				assert.Equal(t, c.said, whole(t, events))
				assert.Equal(t, c.cited, verdicts(citations(t, events)))
				assert.Equal(t, c.said, w.sessions.outcome().Answer.Content)
				assert.Equal(t, citations(t, events), kept(w, w.acme, "s"))
				for _, e := range drain(t, w.follow(w.acme, "s.1", 0)) {
					assert.NotContains(t, string(e.Data), "Norway")
				}
			})
		})
	}
}

// However a turn ends or its client leaves, there are citations of what was said, once.
func TestCitationsOfATurnThatGoesWrong(t *testing.T) {
	said := []string{"The levada was opened in 1816 [1]. ", "The walk takes four hours [2]. ", "It exports oil [1]. ", "It carries water to the coast [1]."}
	for _, drop := range []bool{false, true} {
		for at := range len(said) + 1 {
			for _, how := range []piece{{err: fault.Unavailablef(nil, "model_broke_off", "gone")}, {panic: true}, {Delta: llm.Delta{Finish: llm.FinishLength}}} {
				inWorld(t, func(t *testing.T, w *world) {
					guide(w)
					w.model.pieces = append(words(said[:at]...)[:at:at], how)
					r := w.grounded("s", "When?")
					r.Grounding.Drop = drop
					events := drain(t, w.start(w.acme, r))
					text := whole(t, events)
					found := citations(t, events)
					assert.Equal(t, found, kept(w, w.acme, "s"))
					for _, c := range found {
						assert.Contains(t, strings.ReplaceAll(text, " [", "["), strings.TrimSuffix(c.Sentence, "."))
						assert.True(t, c.Supported || !drop)
					}
					again := drain(t, w.follow(w.acme, "s.1", 0))
					assert.Equal(t, text, whole(t, again))
					assert.Equal(t, found, citations(t, again))
				})
			}
		}
		for seen := range 8 {
			inWorld(t, func(t *testing.T, w *world) {
				guide(w)
				w.model.pieces = words(said...)
				for i := range w.model.pieces {
					w.model.pieces[i].after = 700 * time.Millisecond
				}
				r := w.grounded("s", "When?")
				r.Grounding.Drop = drop
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				live, err := w.Start(ctx, w.acme, r)
				require.NoError(t, err)
				events, err := read(ctx, live, max(seen, 1))
				if err != nil {
					require.Len(t, events, seen-1)
				}
				cancel()
				events = append(events, drain(t, w.follow(w.acme, live.Stream(), events[len(events)-1].ID))...)
				whole(t, events)
				citations(t, events)
			})
		}
	}
}

// An answer may be made of markers. What is told of it has its bounds, and the turn its end.
func TestCitationsHaveBounds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		guide(w)
		long := strings.Repeat("the levada carries much water and more ", 400)
		markers := ""
		for i := range 999 {
			markers += fmt.Sprintf("[%d]", i+1)
		}
		w.model.pieces = words("The levada was opened in 1816 [1]. ", long, markers+".", " <&>\u2028")
		events := drain(t, w.start(w.acme, w.grounded("s", "When?")))
		assert.Empty(t, code(t, events))
		found := citations(t, events)
		assert.Greater(t, len(found), 1)
		assert.True(t, found[0].Supported)
		assert.Equal(t, found, kept(w, w.acme, "s"))
		for _, e := range events {
			assert.LessOrEqual(t, len(e.Data), chat.MaxCitations+64)
		}
	})
}
