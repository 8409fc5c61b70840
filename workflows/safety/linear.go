package safety

import (
	_ "embed"
	"math"
	"sync"
)

// weights is what training wrote (train_test.go): a byte for the bias, one for the scale, and one for each bucket of features.
//
//go:embed weights.bin
var weights string

// buckets is how many features are told apart.
const buckets = 1 << 15

// linear is a model over hashed words, pairs of words, parts of words and concepts of a text.
type linear struct {
	w     string
	scale float64
	bias  float64
}

var learned struct {
	sync.Once
	linear
}

// model is the model, made when it is first asked.
func model() *linear {
	learned.Do(func() {
		if len(weights) == buckets+2 && weights[0] > 0 {
			learned.linear = linear{w: weights[2:], scale: float64(weights[0]) / 1024, bias: float64(int8(weights[1])) / 16}
		}
	})
	return &learned.linear
}

// span is how much of a text is judged as one: words.
const span = 40

// leastFeatures is what a text must have to be judged: one word alone says nothing.
const leastFeatures = 16

// most is the highest score of the text's parts, each of a sentence or two.
func (m *linear) most(text []byte, hits []hit) float64 {
	if m.w == "" {
		return 0
	}
	best := 0.0
	parts(text, hits, func(part []byte, inside []hit) {
		sum, n := 0.0, 0
		features(part, inside, func(f uint32) {
			sum += float64(int8(m.w[f]))
			n++
		})
		if n >= leastFeatures {
			best = max(best, 1/(1+math.Exp(-(m.bias+m.scale*sum/math.Sqrt(float64(n))))))
		}
	})
	return best
}

// parts divides a text into sentences, and long ones into spans; short sentences are read with what follows.
func parts(text []byte, hits []hit, each func([]byte, []hit)) {
	from, words := 0, 0
	h := 0
	for i := 0; i <= len(text); i++ {
		end := i == len(text)
		if !end && text[i] == ' ' {
			words++
		}
		stop := end || words >= span && text[i] == ' ' ||
			i+1 < len(text) && (text[i] == '.' || text[i] == '!' || text[i] == '?') && text[i+1] == ' ' && words >= 4
		if !stop || i == from {
			continue
		}
		first := h
		for h < len(hits) && int(hits[h].pos) < i {
			h++
		}
		each(text[from:i], hits[first:h])
		from, words = i, 0
	}
}

// features are the buckets of what is in a part.
func features(text []byte, hits []hit, each func(uint32)) {
	previous := uint32(0)
	for i := 0; i < len(text); {
		if !part(text[i]) {
			if c := text[i]; c != ' ' && c != '.' && c != ',' {
				each(mix(uint32(c), 7) % buckets)
			}
			i++
			continue
		}
		from, h := i, uint32(2166136261)
		for i < len(text) && part(text[i]) {
			h = (h ^ uint32(text[i])) * 16777619
			i++
		}
		each(mix(h, 1) % buckets)
		each(mix(h^previous*31, 2) % buckets)
		previous = h
		for k := from; k+5 <= i && k < from+24; k++ {
			g := uint32(2166136261)
			for _, c := range text[k : k+5] {
				g = (g ^ uint32(c)) * 16777619
			}
			each(mix(g, 3) % buckets)
		}
	}
	var seen uint64
	last := concept(0)
	for _, h := range hits {
		if seen>>h.means&1 == 0 {
			seen |= 1 << h.means
			for range 3 { // a concept is worth more than a word
				each(mix(uint32(h.means), 4) % buckets)
			}
		}
		each(mix(uint32(last)<<8|uint32(h.means), 5) % buckets)
		last = h.means
	}
}

// mix spreads a hash; different kinds of features have seeds of their own.
func mix(h, seed uint32) uint32 {
	h ^= seed * 0x9E3779B9
	h ^= h >> 16
	h *= 0x7FEB352D
	h ^= h >> 15
	h *= 0x846CA68B
	return h ^ h>>16
}
