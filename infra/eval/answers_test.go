package eval_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/eval"
)

// levadas is a collection of two documents and two questions.
func levadas() eval.Collection {
	return eval.Collection{
		Name: "levadas",
		Documents: []eval.Document{
			{ID: "a", Text: "A levada carries water.  It runs\ndownhill."}, {ID: "b", Text: "Paths run beside it."},
		},
		Questions: []eval.Question{{ID: "1", Text: "where to", Answers: map[string]int{"a": 1}}, {ID: "2", Text: "what beside", Answers: map[string]int{"b": 1}}},
	}
}

func TestAnswersAreHeldAgainstTheDocuments(t *testing.T) {
	c, others := levadas(), eval.Collection{Name: "bread", Questions: []eval.Question{{ID: "9", Text: "how to bake", Answers: map[string]int{"z": 1}}}}
	var asked []string
	a, err := eval.Answer(t.Context(), c, &others, 10, func(_ context.Context, q string, filter json.RawMessage) (client.Answered, error) {
		asked = append(asked, strings.TrimSpace(q+" "+string(filter)))
		found := client.Found{Sources: []client.Source{{DocID: "a"}}}
		switch {
		case filter != nil && q == "where to": // answered, though nothing is left that answers it, from a place that is not what it says
			return client.Answered{Found: found, Model: "m", Confidence: 0.5, Citations: []client.Citation{
				{DocID: "b", Quote: "Paths run", Start: 1, End: 10, Supported: true, Sentence: "Paths run."},
			}}, nil
		case filter != nil || q == "how to bake":
			return client.Answered{Abstained: true, Confidence: 0.1}, nil
		case q == "where to":
			return client.Answered{Found: found, Model: "m", Confidence: 0.9, Citations: []client.Citation{
				{DocID: "a", Quote: "It runs\ndownhill.", Start: 25, End: 42, Supported: true, Sentence: "It runs downhill."},
				{DocID: "b", Quote: "Paths run beside it.", Start: 0, End: 20, Supported: true, Sentence: "Paths are beside it."},
				{Sentence: "And uphill, too."},
			}}, nil
		}
		return client.Answered{Found: found, Abstained: true, Confidence: 0.35}, nil
	}, func() {})
	require.NoError(t, err)
	assert.Equal(t, []string{`where to`, `where to {"docId":{"$nin":["a"]}}`, `what beside`, `what beside {"docId":{"$nin":["b"]}}`, `how to bake`}, asked)
	assert.Equal(t, "m", a.Model)
	assert.Equal(t, "bread", a.Others)
	assert.Equal(t, [3]int{4, 3, 1}, [3]int{a.Sentences, a.Supported, a.Verbatim}, "two of the supported are in nobody's words")
	assert.Equal(t, [2]int{3, 2}, [2]int{a.Spans, a.Exact}, "a place that is off by one is none")
	assert.Equal(t, [3]int{2, 1, 1}, [3]int{a.OwnSpans, a.Relevant, a.Right})
	assert.Equal(t, 2, a.Took.N)
	assert.Equal(t, 0.5, a.Coverage())

	// Without an answer: of two taken away one was told apart, of one foreign all; each kind weighs as one question.
	precision, recall, f1 := a.Abstention()
	assert.InDelta(t, 1.5/2.5, precision, 1e-9)
	assert.InDelta(t, 1.5/2, recall, 1e-9)
	assert.InDelta(t, 2*0.6*0.75/1.35, f1, 1e-9)

	// Said 0.9 was right; 0.5 was wrong, and weighs a half; 0.35 was wrong; 0.1 twice, rightly so.
	sources := a.OfSources()
	assert.InDelta(t, (0.1+0.5*0.5+0.35+0.5*0.1+0.1)/4, sources.Error(), 1e-9)
	answers := a.OfAnswers()
	assert.InDelta(t, (0.1+0.5*0.5)/1.5, answers.Error(), 1e-9)
}

func TestAnswersThatFail(t *testing.T) {
	c := levadas()
	_, err := eval.Answer(t.Context(), c, nil, 10, func(context.Context, string, json.RawMessage) (client.Answered, error) {
		return client.Answered{}, errors.New("down")
	}, func() {})
	assert.ErrorContains(t, err, "levadas, question 1: down")
}

func TestAFewQuestionsAreOfAllOfTheCollection(t *testing.T) {
	c := levadas()
	c.Questions = nil
	for _, id := range strings.Split("a b c d e f g h", " ") {
		c.Questions = append(c.Questions, eval.Question{ID: id, Text: id, Answers: map[string]int{"a": 1}})
	}
	c.Questions[4].Answers = map[string]int{strings.Repeat("long", 20): 1} // no filter takes that
	var asked []string
	steps := 0
	a, err := eval.Answer(t.Context(), c, nil, 4, func(_ context.Context, q string, _ json.RawMessage) (client.Answered, error) {
		asked = append(asked, q)
		return client.Answered{Abstained: true}, nil
	}, func() { steps++ })
	require.NoError(t, err)
	assert.Equal(t, strings.Fields("a a c c e g g"), asked)
	assert.Equal(t, 8, steps, "what is left out is a step, too")
	precision, recall, f1 := a.Abstention()
	assert.InDeltaSlice(t, []float64{0.5, 1, 2.0 / 3}, []float64{precision, recall, f1}, 1e-9)
}
