package lexicon_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

func Example() {
	terms := []corpus.Term{{Text: "levada", Weight: 1}, {Text: "water", Weight: 1}}
	have := []int{1, 90} // passages that have them
	scorer := lexicon.NewScorer(lexicon.Options{}, lexicon.Corpus{Passages: 100, Body: 400}, terms, have)
	for _, text := range []string{"a levada in the hills", "water and water and water", "stone"} {
		forward := lexicon.NewForward(nil, strings.Fields(text))
		fmt.Printf("%.2f %v\n", scorer.Score(forward), scorer.Matched(forward))
	}
	// Output:
	// 3.82 [0]
	// 0.16 [1]
	// 0.00 []
}

func TestScoreIsBM25(t *testing.T) {
	o := lexicon.Options{K1: 1.2, B: 0.75, Head: 3}
	terms := []corpus.Term{{Text: "a", Weight: 0.5}, {Text: "b", Weight: 2}, {Text: "c", Weight: 1}}
	s := lexicon.NewScorer(o, lexicon.Corpus{Passages: 10, Head: 20, Body: 100}, terms, []int{4, 1, 0})
	idf := func(df float64) float64 { return math.Log(1 + (10-df+0.5)/(df+0.5)) }
	average, length := (3*20+100)/10.0, 3*2+4.0
	part := func(w, df, tf float64) float64 {
		return w * idf(df) * tf * 2.2 / (tf + 1.2*(0.25+0.75*length/average))
	}
	f := lexicon.NewForward([]string{"a", "x"}, []string{"a", "b", "b", "y"})
	assert.InDelta(t, part(0.5, 4, 4)+part(2, 1, 2), s.Score(f), 1e-9)
	assert.Equal(t, []int{0, 1}, s.Matched(f))
	assert.InDelta(t, 2.2*(0.5*idf(4)+2*idf(1)), s.Most(), 1e-9)
	assert.Less(t, s.Score(lexicon.NewForward(nil, []string{"a", "b"})), s.Most(), "a term that no passage has is not missed")
}

func TestMostCountsEachWordOnce(t *testing.T) {
	terms := []corpus.Term{
		{Text: "carri", Weight: 1, Word: 1}, {Text: "carries", Weight: 1, Word: 1}, // a form that is found stands for one that is not
		{Text: "stone", Weight: 1, Word: 2}, {Text: "stones", Weight: 1, Word: 2}, // of two that are found, the rarer
		{Text: "river", Weight: 1, Word: 3}, // none is: it is missed
		{Text: "·river", Weight: 1},         // nobody misses it
		{Text: "·stone", Weight: 1},
	}
	s := lexicon.NewScorer(lexicon.Options{K1: 1}, lexicon.Corpus{Passages: 10, Body: 100}, terms, []int{4, 0, 5, 2, 0, 0, 3})
	idf := func(df float64) float64 { return math.Log(1 + (10-df+0.5)/(df+0.5)) }
	assert.InDelta(t, 2*(idf(4)+idf(2)+idf(0)+idf(3)), s.Most(), 1e-9)
}

func TestACountThatIsOutOfDate(t *testing.T) {
	terms := []corpus.Term{{Text: "a", Weight: 1}}
	s := lexicon.NewScorer(lexicon.Options{}, lexicon.Corpus{Passages: 2, Body: 4}, terms, []int{50})
	score := s.Score(lexicon.NewForward(nil, []string{"a"}))
	assert.Positive(t, score)
	s = lexicon.NewScorer(lexicon.Options{}, lexicon.Corpus{}, terms, []int{0})
	assert.False(t, math.IsNaN(s.Score(lexicon.NewForward(nil, []string{"a"}))))
}

func TestForward(t *testing.T) {
	many := strings.Fields(strings.Repeat("x ", 40) + "y")
	f := lexicon.NewForward([]string{"y", "z"}, many)
	head, body := f.Lengths()
	assert.Equal(t, []int{2, 41}, []int{head, body})
	assert.Len(t, f, 4+3*5)
	assert.Empty(t, lexicon.NewScorer(lexicon.Options{}, lexicon.Corpus{}, nil, nil).Matched(f))
	for _, broken := range []lexicon.Forward{nil, {1}, f[:9], f[:10]} { // what was cut is read as far as it goes
		s := lexicon.NewScorer(lexicon.Options{}, lexicon.Corpus{Passages: 1, Body: 41}, []corpus.Term{{Text: "x", Weight: 1}}, []int{1})
		assert.GreaterOrEqual(t, s.Score(broken), 0.0)
	}
}

func TestEncode(t *testing.T) {
	seen := map[string]string{}
	for _, term := range []string{"a", "A", "a-b", "ab", "a b", "a.b", "ä", "水", `"`, "*", "\x00", "a\x00", "_"} {
		e := string(lexicon.Encode(nil, term))
		for _, c := range []byte(e) {
			assert.True(t, c >= 0x80 || c >= 'a' && c <= 'z' || c >= '0' && c <= '9', "%q", term)
		}
		assert.Empty(t, seen[e], "%q", term)
		seen[e] = term
	}
	assert.Equal(t, "a b2", lexicon.EncodeAll([]string{"a", "b2"}))
}

func TestClip(t *testing.T) {
	assert.Equal(t, "short", lexicon.Clip("short"))
	for _, long := range []string{strings.Repeat("x", 500), strings.Repeat("é", 500), "x" + strings.Repeat("水", 200), strings.Repeat("\x80", 500)} {
		c := lexicon.Clip(long)
		assert.LessOrEqual(t, len(c), lexicon.MaxTerm)
		assert.GreaterOrEqual(t, len(c), lexicon.MaxTerm-4)
		assert.True(t, strings.HasPrefix(long, c))
	}
}
