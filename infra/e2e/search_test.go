package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hits is a search's answer as far as these tests look at it.
type hits struct {
	Mode     string `json:"mode"`
	Degraded []struct{ Part, Code string }
	Sources  []struct {
		DocID      string `json:"docId"`
		Text       string `json:"text"`
		Start, End int    `json:",omitempty"`
		Context    *struct {
			Text       string
			Start, End int
		}
		Scores     map[string]float64 `json:"scores"`
		Score      float64            `json:"score"`
		Duplicates int                `json:"duplicates"`
	} `json:"sources"`
	Timings map[string]float64 `json:"timings"`
}

func (h hits) docs() (ids []string) {
	for _, s := range h.Sources {
		ids = append(ids, s.DocID)
	}
	return ids
}

// ask searches in a mode, the default for "".
func (u user) ask(query, mode string, more map[string]any) hits {
	u.t.Helper()
	body := map[string]any{"query": query, "answer": false, "filter": map[string]any{"source": "halves"}}
	if mode != "" {
		body["mode"] = mode
	}
	for k, v := range more {
		body[k] = v
	}
	var h hits
	u.do(http.MethodPost, "/search", body, "cache-control", "no-cache").into(u.t, &h)
	return h
}

// halvesOf gives a tenant documents of which one half finds what the other misses.
func halvesOf(u user) {
	u.t.Helper()
	const rambling = "The council met on Tuesday and spoke about roads, the market, two dogs and the weather of the last month. " +
		"Nobody could say who had left the gate open, and the bakery will be closed for a week. A letter from the bishop was read aloud. " +
		"The zorbulator was mended. Then there was coffee, and a song about the sea that nobody knew by heart. " +
		"The treasurer counted the chairs, and the youngest member drew a ship on the back of the agenda. It rained until the evening."
	for id, text := range map[string]string{
		"rare":     rambling,
		"meaning":  "Somebody who cannot log in any more may choose new credentials: the link for it is sent to the registered e-mail address.",
		"machine1": "The incubator.",
		"machine2": "An oscillator.",
		"machine3": "A generator.",
		"sheep":    "Sheep graze on the high plain from May to October.",
	} {
		u.index(document{DocID: "halves-" + id, Text: text, Source: "halves"})
	}
}

// A word that is in one document alone is found by words, what is said in other words by meaning, and both by both.
func TestAHybridSearchFindsWhatEitherHalfMisses(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	halvesOf(acme)
	const rare, meaning = "Zorbulator?", "forgotten password"
	three := map[string]any{"topK": 3}

	v := acme.ask(rare, "vector", three)
	assert.NotContains(t, v.docs(), "halves-rare", "vectors miss it: %+v", v)
	assert.Equal(t, "halves-rare", acme.ask(rare, "keyword", three).docs()[0])
	assert.Empty(t, acme.ask(meaning, "keyword", three).Sources, "words miss it")
	assert.Equal(t, "halves-meaning", acme.ask(meaning, "vector", three).docs()[0])

	h := acme.ask(rare, "", three)
	assert.Equal(t, "hybrid", h.Mode)
	assert.Empty(t, h.Degraded)
	assert.Contains(t, h.docs(), "halves-rare", "%+v", h)
	for _, s := range h.Sources {
		assert.Contains(t, s.Scores, "fused")
	}
	assert.Contains(t, acme.ask(meaning, "", three).docs(), "halves-meaning")
	assert.Empty(t, globex.ask(rare, "", nil).Sources)

	platform.Vectors().SetDown(true)
	defer platform.Vectors().SetDown(false)
	h = acme.ask(rare, "", three)
	require.Len(t, h.Degraded, 1)
	assert.Equal(t, "vector", h.Degraded[0].Part)
	assert.Equal(t, "index_unavailable", h.Degraded[0].Code)
	assert.Contains(t, h.docs(), "halves-rare", "the other half answers")
	a := acme.do(http.MethodPost, "/search", map[string]any{"query": rare, "mode": "vector", "answer": false}, "cache-control", "no-cache")
	assert.Equal(t, http.StatusServiceUnavailable, a.Status)
	assert.Equal(t, "index_unavailable", a.Error.Code)
}

// All that can be asked of a search, on the real runtime.
func TestASearchWithNeighboursAndRerank(t *testing.T) {
	u := as(t, "acme")
	text := ""
	for i := range 5 {
		text += fmt.Sprintf("Chapter %d is about the village of Vila-%d, whose levada was dug in the year 18%d2 by the people of the valley.\n\n", i, i, i)
	}
	u.index(document{DocID: "chapters", Text: text, Source: "chapters", Chunking: map[string]int{"maxTokens": 50}})
	more := map[string]any{"filter": map[string]any{"source": "chapters"}, "topK": 1, "expand": 1, "rerank": true}
	for range 2 {
		h := u.ask("What is chapter 2 about, Vila-2?", "", more)
		require.Len(t, h.Sources, 1)
		assert.Empty(t, h.Degraded)
		s := h.Sources[0]
		assert.Contains(t, s.Scores, "rerank")
		assert.Contains(t, s.Text, "Vila-2")
		require.NotNil(t, s.Context)
		assert.Equal(t, text[s.Context.Start:s.Context.End], s.Context.Text, "byte for byte")
		assert.Greater(t, len(s.Context.Text), len(s.Text))
		assert.Positive(t, h.Timings["rerankMs"])
	}
}
