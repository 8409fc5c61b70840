package book

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

func TestTheLikeliestAreThoseOfTheHighestGuesses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 255, 256, 257, 3000} {
		guessed := map[int64]float64{}
		for range size {
			guessed[r.Int64N(1<<40)] = float64(r.IntN(50)) // many are the same
		}
		var ids []int64
		for id := range guessed {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b int64) int {
			if guessed[a] != guessed[b] {
				return int(guessed[b] - guessed[a])
			}
			return int(a - b)
		})
		assert.ElementsMatch(t, ids[:min(256, len(ids))], likely(guessed, 256), "of %d", size)
	}
}

func TestAGuessIsTheScoreOfAnOrdinaryPassage(t *testing.T) {
	terms := []corpus.Term{{Text: "rare", Weight: 1}, {Text: "rarer", Weight: 0.5}}
	passage := lexicon.NewForward([]string{"rarer"}, []string{"rare", "x", "rare", "y"})
	of := lexicon.Corpus{Passages: 100, Head: 100, Body: 400} // all as long as this one
	s := search{scorer: lexicon.NewScorer(lexicon.Options{}, of, terms, []int{3, 1})}
	guessed := map[int64]float64{}
	require.NoError(t, s.guess(0, []byte("7,1048577,1048577,2097152"), guessed))
	require.NoError(t, s.guess(1, []byte("-1048577"), guessed))
	require.NoError(t, s.guess(1, nil, guessed), "a word that has gone meanwhile")
	assert.Len(t, guessed, 3)
	assert.InDelta(t, s.scorer.Score(passage), guessed[1048577], 1e-9)
	assert.InDelta(t, guessed[7], guessed[2097152], 1e-9)
	assert.Error(t, s.guess(0, []byte("7,x"), guessed))
}
