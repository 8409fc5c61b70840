package localai

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"unicode"

	"github.com/kljensen/snowball/english"

	"levada.dev/infra/dev/localai/encoder"
)

// composite makes vectors of any size from two halves of equal weight: what the
// text means (the encoder) and which words it has (hashed, weighted stems).
// Either alone ranks worse: docs/design/local-ai.md has the figures.
type composite struct {
	encoder *encoder.Encoder

	mu sync.RWMutex
	// weights remembers the surprisals of the first stems seen, and matrices the
	// projections by size: both are pure functions of their keys.
	weights  map[string]float64
	matrices map[int][]float32
}

func newComposite(e *encoder.Encoder) *composite {
	return &composite{encoder: e, weights: map[string]float64{}, matrices: map[int][]float32{}}
}

// embed answers one unit vector a text, and the tokens read. Tokens past window
// are not read.
func (c *composite) embed(texts []string, dimensions, window int) ([][]float32, int) {
	pieces, tokens := make([][]int32, len(texts)), 0
	for i, t := range texts {
		pieces[i] = c.encoder.Pieces(t)
		pieces[i] = pieces[i][:min(len(pieces[i]), window)]
		tokens += len(pieces[i])
	}
	meanings := c.encoder.Embed(pieces)
	vectors := make([][]float32, len(texts))
	for i, meaning := range meanings {
		if dimensions < encoder.Dim*3/2 {
			meaning = c.project(meaning, dimensions/2)
		}
		v := append(make([]float32, 0, dimensions), meaning...)
		v = append(v, c.lexical(texts[i], dimensions-len(meaning))...)
		vectors[i] = encoder.Unit(v)
	}
	return vectors, tokens
}

// lexical hashes a text's stems into size signed buckets, as a unit vector. The
// weight is (1 + log count) times surprisal, which depends on the text alone.
func (c *composite) lexical(text string, size int) []float32 {
	counts := map[string]int{}
	var order []string
	for _, s := range stems(text) {
		if counts[s]++; counts[s] == 1 {
			order = append(order, s)
		}
	}
	v := make([]float32, size)
	for _, s := range order {
		weight := float32((1 + math.Log(float64(counts[s]))) * c.surprisal(s))
		for salt := range byte(2) {
			h := hash(s, salt)
			if h>>63 == 1 {
				v[h%uint64(size)] -= weight
			} else {
				v[h%uint64(size)] += weight
			}
		}
	}
	return encoder.Unit(v)
}

const maxWeights = 1 << 16

// surprisal is a stem's rarity in English, from the encoder's own vocabulary: an
// inverse document frequency that needs no documents.
func (c *composite) surprisal(stem string) float64 {
	c.mu.RLock()
	w, known := c.weights[stem]
	c.mu.RUnlock()
	if known {
		return w
	}
	bits := 0.0
	for _, id := range c.encoder.Pieces(stem) {
		if id == 0 {
			bits += 14
		} else {
			bits -= c.encoder.LogProb(id)
		}
	}
	// The commonest words weigh nothing, and no word more than sixteen.
	w = max(0, min(16, bits)-4)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.weights) < maxWeights {
		c.weights[stem] = w
	}
	return w
}

// project narrows a meaning with a fixed random matrix, which keeps angles nearly.
func (c *composite) project(v []float32, size int) []float32 {
	c.mu.Lock()
	matrix := c.matrices[size]
	if matrix == nil {
		random := rand.New(rand.NewPCG(12345, uint64(size)))
		matrix = make([]float32, size*encoder.Dim)
		for i := range matrix {
			matrix[i] = float32(random.NormFloat64())
		}
		c.matrices[size] = matrix
	}
	c.mu.Unlock()
	out := make([]float32, size)
	for i := range out {
		out[i] = dot(matrix[i*encoder.Dim:(i+1)*encoder.Dim], v)
	}
	return encoder.Unit(out)
}

// stems are a text's words without stop words, by Porter2, in order.
func stems(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	out := words[:0]
	for _, w := range words {
		if !stop[w] {
			out = append(out, english.Stem(w, false))
		}
	}
	return out
}

var stop = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with what which who how when where why do does did has have had from can could should would") {
		words[w] = true
	}
	return words
}()

func hash(s string, salt byte) uint64 {
	f := fnv.New64a()
	f.Write([]byte{salt})
	f.Write([]byte(s))
	h := f.Sum64()
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

func dot(a, b []float32) (sum float32) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
