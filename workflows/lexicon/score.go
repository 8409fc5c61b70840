package lexicon

import (
	"cmp"
	"math"
	"slices"

	"levada.dev/workflows/corpus"
)

// Options are the parameters of BM25. The zero value of each is its default; docs/design/search.md has what they were chosen by.
type Options struct {
	K1   float64 // how soon a term that comes again stops to count; default 1.2
	B    float64 // how much a long passage has to have more of it; default 0.75
	Head float64 // how often a term of the head counts; default 2
}

// Defaults is o with what it leaves open.
func (o Options) Defaults() Options {
	o.K1, o.B, o.Head = cmp.Or(o.K1, 1.2), cmp.Or(o.B, 0.75), cmp.Or(o.Head, 2)
	return o
}

// Corpus is what a score compares a passage with: all passages of the index.
type Corpus struct {
	Passages int
	Head     int // terms in all heads
	Body     int // terms in all bodies
}

// Scorer scores passages for one question.
type Scorer struct {
	o       Options
	asked   []asked // by hash
	average float64 // length of a passage
	most    float64
	worth   []float64 // of the terms by their place
}

// asked is a term of a question.
type asked struct {
	place  int // in the question
	hash   uint32
	worth  float64 // its weight and how rare it is
	weight float64
}

// NewScorer makes the scorer of a question. found is, for each of its terms, how many passages have it.
func NewScorer(o Options, c Corpus, terms []corpus.Term, found []int) *Scorer {
	s := &Scorer{o: o.Defaults(), asked: make([]asked, len(terms))}
	if c.Passages > 0 {
		s.average = (s.o.Head*float64(c.Head) + float64(c.Body)) / float64(c.Passages)
	}
	for i, t := range terms {
		worth := t.Weight * rarity(found[i], c.Passages)
		s.worth = append(s.worth, worth)
		s.asked[i] = asked{place: i, hash: hash(Clip(t.Text)), worth: worth, weight: t.Weight}
	}
	s.most = (s.o.K1 + 1) * most(s.asked, terms, found)
	slices.SortFunc(s.asked, func(a, b asked) int { return cmp.Compare(a.hash, b.hash) })
	return s
}

// most is what all words of a question are worth, each by the form that is worth most, of those that are found where there are any.
func most(as []asked, terms []corpus.Term, found []int) float64 {
	sum := 0.0
	for i, t := range terms {
		if t.Word == 0 && found[i] > 0 || t.Word != 0 && !slices.ContainsFunc(as, func(o asked) bool {
			k := o.place
			if terms[k].Word != t.Word || k == i {
				return false
			}
			if (found[k] > 0) != (found[i] > 0) {
				return found[k] > 0
			}
			return o.worth > as[i].worth || o.worth == as[i].worth && k < i
		}) {
			sum += as[i].worth
		}
	}
	return sum
}

// rarity is Lucene's idf, which is never below 0. A count that is out of date may be above the passages there are.
func rarity(found, passages int) float64 {
	n, df := float64(passages), float64(min(found, passages))
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

// Guess is what a term of the question, by its place there, is worth to a passage of ordinary length that has it so often.
func (s *Scorer) Guess(place, head, body int) float64 {
	tf := s.o.Head*float64(head) + float64(body)
	return s.worth[place] * tf * (s.o.K1 + 1) / (tf + s.o.K1)
}

// Most is what corpus.Found says of it.
func (s *Scorer) Most() float64 { return s.most }

// Score is what a passage is worth.
func (s *Scorer) Score(f Forward) float64 {
	head, body := f.Lengths()
	length := 1.0
	if s.average > 0 {
		length = 1 - s.o.B + s.o.B*(s.o.Head*float64(head)+float64(body))/s.average
	}
	score := 0.0
	s.each(f, func(a asked, head, body int) {
		tf := s.o.Head*float64(head) + float64(body)
		score += a.worth * tf * (s.o.K1 + 1) / (tf + s.o.K1*length)
	})
	return score
}

// Matched are the terms of the question that a passage has, by their place.
func (s *Scorer) Matched(f Forward) []int {
	var places []int
	s.each(f, func(a asked, _, _ int) { places = append(places, a.place) })
	slices.Sort(places)
	return places
}

// each goes through the terms that passage and question have in common: both are in the order of their hashes.
func (s *Scorer) each(f Forward, do func(a asked, head, body int)) {
	i, n := 0, f.terms()
	for _, a := range s.asked {
		i = f.seek(a.hash, i, n)
		if i == n {
			return
		}
		if h, head, body := f.at(i); h == a.hash {
			do(a, head, body)
		}
	}
}
