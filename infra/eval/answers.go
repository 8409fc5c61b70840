package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/client"
)

// Answers is how searches with an answer did on a collection: whether what they say stands where they say it does, and whether they
// know what they do not know.
type Answers struct {
	Model     string  `json:"model"`  // who wrote them
	Others    string  `json:"others"` // the collection whose questions are Foreign; empty when there was none
	Threshold float64 `json:"threshold"`

	Own     Tally `json:"own"`     // questions that the collection answers
	Without Tally `json:"without"` // the same, with a filter that leaves out the documents that answer them
	Foreign Tally `json:"foreign"` // another collection's

	Sentences int `json:"sentences"` // of all answers, those that claim something
	Supported int `json:"supported"` // that the platform calls supported by a source
	Verbatim  int `json:"verbatim"`  // of these, that stand word for word in a document that they cite
	Spans     int `json:"spans"`     // places that are cited
	Exact     int `json:"exact"`     // that have the words quoted, byte for byte
	OwnSpans  int `json:"ownSpans"`  // of these, that support an answer to an Own question
	Relevant  int `json:"relevant"`  // of these, that are of a document that answers it
	Right     int `json:"right"`     // answers to Own questions that have one of these

	Took Latency `json:"took"` // a search with an answer
}

// Tally counts the questions of a kind.
type Tally struct {
	Asked     int  `json:"asked"`
	Abstained int  `json:"abstained"`
	Sources   Bins `json:"sources"` // whether a document that answers was among the sources
	Given     Bins `json:"given"`   // of the answers, whether they rest on one
}

// Answerer answers a question from the documents that the filter leaves.
type Answerer func(ctx context.Context, question string, filter json.RawMessage) (client.Answered, error)

// Answer asks up to most questions of a collection, spread over all of it, as many of another one, and the first again without the
// documents that answer them. asked is told after each.
func Answer(ctx context.Context, c Collection, others *Collection, most int, answer Answerer, asked func()) (Answers, error) {
	var a Answers
	j := judge{answers: &a, texts: make(map[string]string, len(c.Documents))}
	for _, d := range c.Documents {
		j.texts[d.ID] = d.Text
	}
	ask := func(q Question, filter json.RawMessage, t *Tally) error {
		began := time.Now()
		got, err := answer(ctx, q.Text, filter)
		if err != nil {
			return fmt.Errorf("%s, question %s: %w", c.Name, q.ID, err)
		}
		j.take(got, q.Answers, t, time.Since(began))
		asked()
		return nil
	}
	for _, q := range spread(c.Questions, most) {
		if err := ask(q, nil, &a.Own); err != nil {
			return a, err
		}
		filter, fits := without(q.Answers)
		if !fits {
			asked()
			continue
		}
		q.Answers = nil
		if err := ask(q, filter, &a.Without); err != nil {
			return a, err
		}
	}
	if others != nil {
		a.Others = others.Name
		for _, q := range spread(others.Questions, most) {
			q.Answers = nil
			if err := ask(q, nil, &a.Foreign); err != nil {
				return a, err
			}
		}
	}
	a.Took = latency(j.took)
	return a, nil
}

// toAnswer is how many questions Answer asks.
func toAnswer(c Collection, others *Collection, most int) int {
	n := 2 * len(spread(c.Questions, most))
	if others != nil {
		n += len(spread(others.Questions, most))
	}
	return n
}

// spread takes up to n questions at even distances.
func spread(all []Question, n int) []Question {
	if n >= len(all) {
		return all
	}
	out := make([]Question, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// What a filter of the vector index may be: so long in all, and so long a text.
const longestFilter, longestText = 1800, 64

// without is a filter that leaves out documents, unless they are too many for one.
func without(documents map[string]int) (json.RawMessage, bool) {
	ids := slices.Sorted(maps.Keys(documents))
	b, err := json.Marshal(map[string]any{"docId": map[string]any{"$nin": ids}})
	tooLong := slices.ContainsFunc(ids, func(id string) bool { return len(id) > longestText })
	return b, err == nil && len(b) <= longestFilter && !tooLong
}

// judge holds answers against the documents themselves: it believes nothing that the platform says of them.
type judge struct {
	answers *Answers
	texts   map[string]string
	took    []time.Duration
}

// take counts an answer to a question that the documents of right answer.
func (j *judge) take(got client.Answered, right map[string]int, t *Tally, took time.Duration) {
	t.Asked++
	t.Sources.add(got.Confidence, slices.ContainsFunc(got.Sources, func(s client.Source) bool { return right[s.DocID] > 0 }))
	if got.Abstained {
		t.Abstained++
		return
	}
	a := j.answers
	a.Model = cmp.Or(a.Model, got.Model)
	j.took = append(j.took, took)
	relevant := false
	sentences := map[string]standing{}
	for _, c := range got.Citations {
		s := sentences[c.Sentence]
		s.supported = s.supported || c.Supported
		s.verbatim = s.verbatim || c.Supported && strings.Contains(plain(j.texts[c.DocID]), plain(c.Sentence))
		sentences[c.Sentence] = s
		if c.Quote == "" {
			continue
		}
		exact := j.stands(c)
		a.Spans++
		count(&a.Exact, exact)
		if exact && c.Supported && right != nil {
			a.OwnSpans++
			count(&a.Relevant, right[c.DocID] > 0)
			relevant = relevant || right[c.DocID] > 0
		}
	}
	for _, s := range sentences {
		a.Sentences++
		count(&a.Supported, s.supported)
		count(&a.Verbatim, s.verbatim)
	}
	count(&a.Right, relevant)
	t.Given.add(got.Confidence, relevant)
}

// standing is how a sentence stands to the documents.
type standing struct{ supported, verbatim bool }

// stands reports whether the words of a citation are where it says they are.
func (j *judge) stands(c client.Citation) bool {
	text, there := j.texts[c.DocID]
	return there && c.Start >= 0 && c.Start < c.End && c.End <= len(text) && text[c.Start:c.End] == c.Quote
}

// plain is a text with single spaces.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// Coverage is the part of the questions that have an answer that got one.
func (a *Answers) Coverage() float64 { return part(a.Own.Asked-a.Own.Abstained, a.Own.Asked) }

// weights are what a question of each kind counts: those without an answer as much as those with one, half of it each kind of them.
func (a *Answers) weights() (own, without, foreign float64) {
	kinds := 0
	count(&kinds, a.Without.Asked > 0)
	count(&kinds, a.Foreign.Asked > 0)
	each := func(t Tally) float64 {
		if t.Asked == 0 {
			return 0
		}
		return float64(a.Own.Asked) / float64(kinds*t.Asked)
	}
	return 1, each(a.Without), each(a.Foreign)
}

// Abstention is how well the questions are told that have no answer: of those that were not answered the part that has none, of those
// that have none the part that was not answered, and the harmonic mean of both.
func (a *Answers) Abstention() (precision, recall, f1 float64) {
	own, without, foreign := a.weights()
	right := without*float64(a.Without.Abstained) + foreign*float64(a.Foreign.Abstained)
	wrong := own * float64(a.Own.Abstained)
	all := without*float64(a.Without.Asked) + foreign*float64(a.Foreign.Asked)
	if right == 0 {
		return 0, 0, 0
	}
	precision, recall = right/(right+wrong), right/all
	return precision, recall, 2 * precision * recall / (precision + recall)
}

// OfSources is what confidence said and what was, of all questions; OfAnswers of those that were answered.
func (a *Answers) OfSources() Bins {
	return a.join(func(t *Tally) Bins { return t.Sources })
}

// OfAnswers is what OfSources says.
func (a *Answers) OfAnswers() Bins {
	return a.join(func(t *Tally) Bins { return t.Given })
}

func (a *Answers) join(of func(*Tally) Bins) (b Bins) {
	own, without, foreign := a.weights()
	b.join(of(&a.Own), own)
	b.join(of(&a.Without), without)
	b.join(of(&a.Foreign), foreign)
	return b
}

// part is n of all; nothing of nothing.
func part(n, all int) float64 { return float64(n) / float64(max(1, all)) }
