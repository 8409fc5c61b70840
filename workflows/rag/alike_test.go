package rag

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
)

// plainLikeFirst is likeFirst as it is said: what it does faster must come to the same number, to the last digit.
func plainLikeFirst(cs []Candidate) []float64 {
	type entry struct {
		word   uint32
		weight float64
	}
	passages := make([][]entry, len(cs))
	having := map[uint32]int{}
	for i, c := range cs {
		words := append(terms.Sketch(c.Title), terms.Sketch(c.Text)...)
		slices.Sort(words)
		for k := 0; k < len(words); {
			n := k + 1
			for n < len(words) && words[n] == words[k] {
				n++
			}
			passages[i] = append(passages[i], entry{words[k], float64(n-k) / (float64(n-k) + 1)})
			having[words[k]]++
			k = n
		}
	}
	like := make([]float64, len(cs))
	for i, p := range passages {
		square := 0.0
		for k := range p {
			p[k].weight *= math.Log(float64(len(cs)) / float64(having[p[k].word]))
			square += p[k].weight * p[k].weight
		}
		if square > 0 {
			for k := range p {
				p[k].weight /= math.Sqrt(square)
			}
		}
		for _, a := range passages[0] {
			if k, there := slices.BinarySearchFunc(p, a.word, func(e entry, w uint32) int { return int(int64(e.word) - int64(w)) }); there {
				like[i] += a.weight * p[k].weight
			}
		}
		like[i] = min(like[i], 1)
	}
	like[0] = 1
	return like
}

// prose is a text of so many words, some of them common, in several scripts.
func prose(r *rand.Rand, words int) string {
	var b strings.Builder
	for range words {
		switch n := int(200 * math.Pow(r.Float64(), 3)); r.IntN(12) {
		case 0:
			fmt.Fprintf(&b, "%d.%d, ", n, n%7)
		case 1:
			b.WriteString([]string{"水が流れる", "Straße", "ЛЕВАДА", "ทางน้ำ", "e\u0301te", "\xff", "٣٤"}[n%7])
		default:
			fmt.Fprintf(&b, "Word%c%d ", 'a'+n%26, n/9)
		}
		if r.IntN(9) == 0 {
			b.WriteString("; ")
		}
	}
	return b.String()
}

func TestLikenessIsToTheLastDigit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		cs := make([]Candidate, 3+r.IntN(22))
		for i := range cs {
			cs[i] = Candidate{Title: prose(r, r.IntN(4)), Metadata: corpus.Metadata{Text: prose(r, r.IntN(300))}}
			if i > 0 && r.IntN(6) == 0 {
				cs[i].Text = cs[0].Text
			}
		}
		require.Equal(t, plainLikeFirst(cs), likeFirst(cs))
	}
	none := make([]Candidate, 5)
	require.Equal(t, plainLikeFirst(none), likeFirst(none), "of texts without a word")
}

func TestWordsAreSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 600 {
		words := make([]uint32, n)
		for i := range words {
			if words[i] = r.Uint32(); r.IntN(3) == 0 {
				words[i] = uint32(r.IntN(5)) << (8 * r.IntN(4))
			}
		}
		want := slices.Sorted(slices.Values(words))
		sortWords(words, make([]uint32, n))
		require.Equal(t, want, append([]uint32(nil), words...))
	}
}

func TestNumbersOfAText(t *testing.T) {
	plain := func(text string) (sum uint32) {
		const start = uint32(2166136261)
		h := start
		for _, r := range text + " " {
			if unicode.IsDigit(r) {
				h = (h ^ uint32(r)) * 16777619
			} else if h != start {
				sum, h = sum+h, start
			}
		}
		return sum
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		text := prose(r, r.IntN(40))
		assert.Equal(t, plain(text), numbersIn(text), "%q", text)
	}
	assert.Equal(t, numbersIn("1,000"), numbersIn("1 000"))
	assert.NotEqual(t, numbersIn("12"), numbersIn("1 2"))
}
