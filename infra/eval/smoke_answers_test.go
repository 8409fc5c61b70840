package eval_test

import (
	"context"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/eval"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// strangers are questions that the small collection has no answer to, in some of its languages.
func strangers() *eval.Collection {
	c := &eval.Collection{Name: "strangers"}
	for i, text := range []string{
		"who won the cup final of last year", "how many moons does Jupiter have", "interest rate of the central bank", "what is the boiling point of nitrogen",
		"which vaccine protects against measles", "how to tune a guitar by ear", "salary of a junior accountant", "what causes migraine headaches",
		"recipe for chocolate cake", "when was the French Revolution", "Wie hoch ist die Mehrwertsteuer?", "Wer erfand den Dieselmotor?", "Wie lange schläft ein Koala?",
		"Quelle est la capitale de l'Australie ?", "¿Cuántos jugadores tiene un equipo de rugby?", "Qual è la ricetta della carbonara?", "какая валюта в Швейцарии", "日本の総理大臣は誰ですか",
	} {
		c.Questions = append(c.Questions, eval.Question{ID: "s" + strconv.Itoa(i), Text: text})
	}
	return c
}

// answerFloors are what answers had when they were last looked at, less a hundredth: see floors.
var answerFloors = struct{ Coverage, Supported, Exact, Relevant, Right, Precision, Recall, F1 float64 }{
	Coverage: 0.747, Supported: 0.981, Exact: 1, Relevant: 0.579, Right: 0.914, Precision: 0.787, Recall: 0.947, F1: 0.860,
}

// mostMiscalibrated is the calibration error of confidence then, and a hundredth.
const mostMiscalibrated = 0.129

func TestAnswersAreNoWorse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := eval.Load("testdata/smoke")
		require.NoError(t, err)
		models := newLocal(t)
		who := ingested(t, c, models, models)
		a, err := eval.Answer(t.Context(), c, strangers(), len(c.Questions), answers(who), func() {})
		require.NoError(t, err)
		precision, recall, f1 := a.Abstention()
		sources := a.OfSources()
		least := answerFloors
		for _, x := range []struct {
			what       string
			got, floor float64
		}{
			{"questions that are answered", a.Coverage(), least.Coverage},
			{"sentences that are supported", share(a.Supported, a.Sentences), least.Supported},
			{"citations whose words stand where it says", share(a.Exact, a.Spans), least.Exact},
			{"of which are of a document that answers", share(a.Relevant, a.OwnSpans), least.Relevant},
			{"answers that rest on one", share(a.Right, a.Own.Asked-a.Own.Abstained), least.Right},
			{"abstentions that are right", precision, least.Precision},
			{"questions without an answer that are told apart", recall, least.Recall},
			{"abstention F1", f1, least.F1},
		} {
			t.Logf("%-50s %.4f", x.what, x.got)
			assert.GreaterOrEqual(t, x.got, x.floor, x.what)
		}
		t.Logf("%-50s %.4f", "calibration error", sources.Error())
		assert.LessOrEqual(t, sources.Error(), mostMiscalibrated)
	})
}

func share(n, all int) float64 { return float64(n) / float64(max(1, all)) }

// answers asks as eval.Run does.
func answers(c *client.Client) eval.Answerer {
	return func(ctx context.Context, question string, filter json.RawMessage) (client.Answered, error) {
		return c.Answer(ctx, client.Question{Query: question, TopK: 10, Filter: filter})
	}
}

// dictated is a model that says what the test wants.
type dictated struct{ text string }

func (d *dictated) Generate(_ context.Context, _ tenants.Scope, c llm.Call, _ llm.Prompt) (llm.Stream, error) {
	return said{&once{d.text}, c.Model}, nil
}

// once is a text in one piece.
type once struct{ text string }

func (o *once) Next() (llm.Delta, error) {
	if o.text == "" {
		return llm.Delta{}, io.EOF
	}
	d := llm.Delta{Text: o.text, Finish: llm.FinishStop}
	o.text = ""
	return d, nil
}

var (
	anEnd    = regexp.MustCompile(`[.!?](\s|$)`)
	aNumber  = regexp.MustCompile(`\b[1-9][0-9]*\b`)
	anAssent = regexp.MustCompile(`\b(is|are|was|were|can|has)\b`)
)

// claims are what a model is made to say of a document: its first sentence as it stands, and what the document does not say.
func claims(text string) map[string]string {
	sentence := text
	if end := anEnd.FindStringIndex(text); end != nil {
		sentence = text[:end[0]+1]
	}
	all := map[string]string{
		"as it stands": sentence,
		"invented":     "A baker from Oslo sold it to the railways, who painted it green.",
	}
	if changed := aNumber.ReplaceAllString(sentence, "${0}7"); changed != sentence {
		all["a number changed"] = changed
	}
	if denied := anAssent.ReplaceAllString(sentence, "$0 not"); denied != sentence {
		all["denied"] = denied
	}
	return all
}

// What a model makes up is found out, as clients see it: marked, or not answered at all.
func TestWhatAModelMakesUpIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := eval.Load("testdata/smoke")
		require.NoError(t, err)
		texts := map[string]string{}
		for _, d := range c.Documents {
			texts[d.ID] = d.Text
		}
		model := &dictated{}
		who := ingested(t, c, newLocal(t), model)
		supported, all := map[string]int{}, map[string]int{}
		for _, q := range c.Questions {
			for id := range q.Answers {
				for kind, claim := range claims(texts[id]) {
					model.text = claim
					got, err := who.Answer(t.Context(), client.Question{Query: q.Text, TopK: 10})
					require.NoError(t, err)
					if got.Model == "" {
						continue // none was asked
					}
					all[kind]++
					if !got.Abstained && slices.ContainsFunc(got.Citations, func(c client.Citation) bool { return c.Supported }) {
						supported[kind]++
					}
				}
			}
		}
		t.Logf("supported %v of %v", supported, all)
		assert.Equal(t, map[string]int{"as it stands": all["as it stands"]}, supported, "what stands there, and nothing else")
		for kind, least := range map[string]int{"as it stands": 50, "invented": 50, "denied": 10, "a number changed": 5} {
			assert.GreaterOrEqual(t, all[kind], least, kind)
		}
	})
}
