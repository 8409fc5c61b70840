package prose

import (
	"context"
	"math"

	"levada.dev/workflows/corpus/terms"
)

// bag is what a sentence or a chunk says: its terms by number, each once, rising, of unit length together.
type bag []weighed

type weighed struct {
	term   int32
	weight float64
}

// dot is the cosine of two bags.
func (b bag) dot(c bag) (sum float64) {
	for i, j := 0, 0; i < len(b) && j < len(c); {
		switch {
		case b[i].term == c[j].term:
			sum += b[i].weight * c[j].weight
			i, j = i+1, j+1
		case b[i].term < c[j].term:
			i++
		default:
			j++
		}
	}
	return sum
}

// vocabulary numbers the terms of a text.
type vocabulary struct {
	ids    map[string]int32
	counts []int // in how many parts each is
}

// patience is after how many parts it is asked whether anybody waits.
const patience = 64

// bags reads the parts of a text, in the language of the whole. lengths are their words, function words and numbers with them.
func bags(ctx context.Context, text string, parts []Span) (all []bag, count int, lengths []int, err error) {
	language := terms.LanguageOf(text)
	v := vocabulary{ids: map[string]int32{}}
	all, lengths = make([]bag, len(parts)), make([]int, len(parts))
	for i, p := range parts {
		if i%patience == 0 && ctx.Err() != nil {
			return nil, 0, nil, context.Cause(ctx)
		}
		all[i], lengths[i] = v.bag(p.Of(text), language)
	}
	for _, b := range all {
		v.weigh(b, len(parts))
	}
	return all, len(v.counts), lengths, nil
}

// bag is how often each term is in a text.
func (v *vocabulary) bag(text string, in terms.Language) (bag, int) {
	places := terms.Places(text, in)
	counts := map[int32]int{}
	var b bag
	for _, p := range places {
		if p.Function {
			continue
		}
		for _, term := range p.Terms {
			id, known := v.ids[term]
			if !known {
				id = int32(len(v.counts))
				v.ids[term] = id
				v.counts = append(v.counts, 0)
			}
			if counts[id] == 0 {
				v.counts[id]++
				b = append(b, weighed{term: id})
			}
			counts[id]++
		}
	}
	for i := range b {
		b[i].weight = 1 + math.Log(float64(counts[b[i].term]))
	}
	b.sort()
	return b, len(places)
}

// weigh makes rare terms count more, and brings the bag to unit length.
func (v *vocabulary) weigh(b bag, parts int) {
	sum := 0.0
	for i := range b {
		b[i].weight *= math.Log(1 + float64(parts)/float64(v.counts[b[i].term]))
		sum += b[i].weight * b[i].weight
	}
	if sum == 0 {
		return
	}
	for i := range b {
		b[i].weight /= math.Sqrt(sum)
	}
}
