package answer

import (
	"math"

	"levada.dev/workflows/corpus/terms"
)

// Features are what the sources tell of whether they answer a question.
type Features struct {
	Window float64 // the part of the question that stands in a few sentences of one source
	Source float64 // that stands in one source
	All    float64 // that stands in any
	Margin float64 // how much less of it than in the best source stands in the others
}

// Look finds the features of a question.
func (e *Evidence) Look(question string) Features {
	var f Features
	var c claimed
	var all mask
	sum := 0.0
	for i := range e.sources {
		s := &e.sources[i]
		if i == 0 || s.language != e.sources[i-1].language {
			c = e.read(question, s.language)
			all = mask{}
		}
		if !c.content {
			continue
		}
		own, near := c.maskOf(s.title), 0.0
		var windows [widest]mask
		for k := range s.sentences {
			m := c.maskOfWords(s.sentences[k].words)
			own = own.or(m)
			windows[k%widest] = m
			m = c.maskOf(s.title)
			for _, w := range windows {
				m = m.or(w)
			}
			near = max(near, c.weigh(m)/c.total)
		}
		f.Window = max(f.Window, near)
		sum += near
		all = all.or(own)
		f.Source = max(f.Source, c.weigh(own)/c.total)
		f.All = max(f.All, c.weigh(all)/c.total)
	}
	if others := float64(len(e.sources) - 1); f.Window > 0 {
		rest := sum - f.Window
		if others < compared { // what was not looked at is taken to be as usual
			rest += (compared - others) * usual * f.Window
			others = compared
		}
		f.Margin = 1 - rest/others/f.Window
	}
	return f
}

const (
	compared = 4   // sources besides the best
	usual    = 0.6 // what they mostly have of what the best one has
)

// What the features weigh: a logistic regression, whose making docs/design/search.md tells.
var weights = struct{ bias, window, source, all, margin float64 }{bias: -5.404, window: 3.254, source: 5.042, all: 0.728, margin: 2.538}

// Answerable is the probability that the sources hold the answer.
func (f Features) Answerable() float64 {
	w := weights
	x := w.bias + w.window*f.Window + w.source*f.Source + w.all*f.All + w.margin*f.Margin
	return 1 / (1 + math.Exp(-x))
}

// language is that of a question, by which it is answered where no model does.
func language(question string) string { return terms.LanguageOf(question).Code() }
