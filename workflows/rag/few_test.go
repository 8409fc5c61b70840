package rag_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

func named(doc, text string) corpus.Metadata { return passage(doc, 0, text) }

// Of few passages the farthest is no ordinary one: beside it whatever looks like the question would stand out, and the one passage that has the
// question's rare word, a long one of many things, would fall behind.
func TestTheLastOfFewIsNotOrdinary(t *testing.T) {
	vectors := []corpus.Match{near(0.72, "short1"), near(0.70, "short2"), near(0.68, "short3"), near(0.15, "long")}
	words := corpus.Found{Most: 100, Hits: []corpus.Hit{hit(35, "long"), hit(16, "short1"), hit(16, "short2"), hit(16, "short3")}}
	cs := rag.Fuse(vectors, words, nil)
	assert.Equal(t, "long", cs[0].DocID, "%+v", cs)
	for i := range cs {
		cs[i].Text = map[bool]string{true: "The zorbulator is kept behind the mill, beside ropes and lamps.", false: "Where is the pool of the house?"}[cs[i].DocID == "long"]
	}
	rag.RaiseAlike(cs, nil)
	assert.Equal(t, "long", cs[0].DocID, "%+v", cs)

	// With as many as the window the last one is what the parameters were chosen with.
	for i := len(vectors); i < rag.FuseWindow; i++ {
		vectors = append(vectors, near(0.15, fmt.Sprint("other", i)))
	}
	cs = rag.Fuse(vectors, words, nil)
	assert.Equal(t, "short1", cs[0].DocID)
	assert.InDelta(t, 0.3*(0.72-0.15)+0.7*0.16, cs[0].Fused, 1e-12)
	assert.Zero(t, rag.Fuse(vectors[:1], corpus.Found{}, nil)[0].Fused, "of one there is nothing to tell")
}

// What few passages have in common says little of what is common, so likeness to the best of few does not carry others past one that scores better.
func TestLikenessToTheBestOfFewCountsLess(t *testing.T) {
	few := func(others int) []rag.Candidate {
		cs := []rag.Candidate{
			{Metadata: named("best", "How is the pool of the house cleaned in winter?"), Fused: 0.30},
			{Metadata: named("rare", "The zorbulator is rinsed on Mondays, then dried behind the mill."), Fused: 0.28},
			{Metadata: named("alike", "How is the pool of the house cleaned in summer?"), Fused: 0.18},
		}
		for i := range others {
			cs = append(cs, rag.Candidate{Metadata: named(fmt.Sprint("other", i), fmt.Sprintf("Ferry %d leaves at %d for island %d.", i, 100+i, 200+i)), Fused: 0.01})
		}
		return cs
	}
	cs := few(0)
	rag.RaiseAlike(cs, nil)
	assert.Equal(t, []string{"best", "rare", "alike"}, docs(cs))
	cs = few(21)
	rag.RaiseAlike(cs, nil)
	assert.Equal(t, []string{"best", "alike", "rare"}, docs(cs)[:3], "among many it does")
}

// The weight of vectors is that of the model whose space is read, whichever the tenant's configuration names.
func TestVectorsWeighWhatTheirModelSays(t *testing.T) {
	for _, m := range llm.EmbeddingModels() {
		assert.True(t, m.Weight > 0 && m.Weight < 1, "%s has no weight of its own", m.Name)
	}
	var asked []string
	weights := map[string]float64{model: 0.9, other: 0.01}
	w := moved(t)
	r := rag.New(w.ports, &rag.Options{Weight: func(model string) float64 {
		asked = append(asked, model)
		return weights[model]
	}})
	for space, first := range map[string]string{model: "near#0", other: "word#0"} {
		asked = nil
		q := hybrid("5 zorbulator", 3)
		q.Space = space
		found, err := r.Search(t.Context(), w.acme, q)
		require.NoError(t, err)
		require.NotEmpty(t, found.Sources)
		assert.Equal(t, []string{space}, asked)
		assert.Equal(t, first, found.Sources[0].ChunkID, "%s: %+v", space, ids(found))
	}
	q := hybrid("5 zorbulator", 3)
	q.Space = model
	set := rag.New(w.ports, &rag.Options{Fuse: &rag.FuseOptions{Vector: 0.01}, Weight: func(string) float64 { return 0.9 }})
	found, err := set.Search(t.Context(), w.acme, q)
	require.NoError(t, err)
	assert.Equal(t, "word#0", found.Sources[0].ChunkID, "what is set counts")
}

// What was found is kept under the version of the fusion, so one that orders otherwise needs another version, and its sum here.
func TestTheVersionOfTheFusionStandsForWhatItSays(t *testing.T) {
	var said strings.Builder
	r := rand.New(rand.NewPCG(3, 4))
	word := func() string { return fmt.Sprintf("word%d", int(r.ExpFloat64()*12)) }
	for n := range 120 {
		var vectors []corpus.Match
		words := corpus.Found{Most: 10}
		for i := range n {
			doc, text := fmt.Sprint(i), ""
			for range 12 {
				text += word() + " "
			}
			m := corpus.Match{ID: doc, Score: r.Float64(), Metadata: named(doc, text)}
			if i%3 != 0 && len(vectors) < rag.FuseWindow {
				vectors = append(vectors, m)
			}
			if i%3 != 1 && len(words.Hits) < rag.FuseWindow {
				words.Hits = append(words.Hits, corpus.Hit{Passage: corpus.Passage{Metadata: m.Metadata}, Score: 10 * r.Float64()})
			}
		}
		cs := rag.Fuse(vectors, words, &rag.FuseOptions{Vector: 0.3})
		fmt.Fprintln(&said, docs(cs))
		rag.RaiseAlike(cs, nil)
		fmt.Fprintln(&said, docs(cs))
		for i := 1; i < len(cs); i++ {
			if rag.Sign(cs[i].Text).Twins(rag.Sign(cs[i-1].Text)) {
				fmt.Fprint(&said, i, " ")
			}
		}
	}
	for _, q := range []string{"Where is it?", "password reset", "docs", "thanks!", "Wie geht das?"} {
		fmt.Fprintln(&said, rag.IntentOf(q))
	}
	sum := sha256.Sum256([]byte(said.String()))
	assert.Equal(t, map[int]string{2: "c46aa187e7511d72"}[rag.FuseVersion], hex.EncodeToString(sum[:8]), "another order is another FuseVersion")
}
