package builtin

import (
	"context"
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
)

type classifyIntentInput struct {
	Text       string   `json:"text" jsonschema:"minLength=1,maxLength=10000" jsonschema_description:"What somebody wrote."`
	Categories []string `json:"categories,omitempty" jsonschema:"maxItems=50,uniqueItems=true,minLength=1,maxLength=200" jsonschema_description:"The intents to choose from, in words that say what they are: \"refund request\", or with more: \"refund request: wants money back\". Left out or empty: greeting, question, request, complaint, feedback, purchase, cancellation, billing, technical_support, account, shipping, farewell."`
}

type classifyIntentOutput struct {
	Intent               string   `json:"intent" jsonschema_description:"The nearest of the categories, as it was given."`
	Confidence           float64  `json:"confidence" jsonschema:"minimum=0,maximum=1" jsonschema_description:"How sure that is among the categories, 0 to 1: one of n that are equally near has 1/n."`
	CategoriesConsidered []string `json:"categories_considered" jsonschema_description:"The categories that it was chosen from."`
}

func classifyIntentTool(d Deps) tool {
	return define(tools.Tool{
		Name: "classify_intent",
		Description: "Says which of some intents a text has: that whose meaning is nearest to the text's, by the tenant's embedding model and by their " +
			"words. Without categories it chooses among common ones.",
		Cost: tools.Models, Effects: tools.Reads,
	}, d.classifyIntent)
}

func (d Deps) classifyIntent(ctx context.Context, c *tools.Call, in classifyIntentInput) (classifyIntentOutput, error) {
	if strings.TrimSpace(in.Text) == "" {
		return classifyIntentOutput{}, fault.Invalidf("text", tools.CodeInvalid, "is blank")
	}
	all := intents()
	if len(in.Categories) > 0 {
		all = nil
		for i, name := range in.Categories {
			if strings.TrimSpace(name) == "" {
				return classifyIntentOutput{}, fault.Invalidf(fmt.Sprintf("categories[%d]", i), tools.CodeInvalid, "is blank")
			}
			all = append(all, ownIntent(name))
		}
	}
	scores := wordScores(in.Text, all)
	near, err := d.cosines(ctx, c, in.Text, all)
	if err != nil {
		return classifyIntentOutput{}, err
	}
	for i := range near {
		scores[i] = weightOfMeaning*near[i] + (1-weightOfMeaning)*scores[i]
	}
	best, confidence := nearest(scores)
	out := classifyIntentOutput{Intent: all[best].name, Confidence: confidence, CategoriesConsidered: make([]string, len(all))}
	for i := range all {
		out.CategoriesConsidered[i] = all[i].name
	}
	return out, nil
}

// readChars is how much of a text a model is shown: its beginning, which says what somebody wants.
const readChars = 1500

// cosines is how near a text is to each intent, by the tenant's embedding model. When that does not answer there are none: the words have to do.
func (d Deps) cosines(ctx context.Context, c *tools.Call, text string, all []intent) ([]float64, error) {
	if d.Embedder == nil {
		return nil, nil
	}
	texts := []string{string([]rune(text)[:min(readChars, len([]rune(text)))])}
	for _, x := range all {
		texts = append(texts, x.meaning)
	}
	call := llm.Call{Model: c.Config.Models.Embedding, Purpose: llm.ForTools, RequestID: c.RequestID}
	each, err := llm.EmbedEach(ctx, d.Embedder, c.Scope, call, texts)
	if err != nil {
		return nil, err
	}
	near := make([]float64, len(all))
	for i, e := range each {
		if e.Err != nil {
			if fault.Is(e.Err, fault.Unavailable) && ctx.Err() == nil {
				return nil, nil
			}
			return nil, e.Err
		}
		if i > 0 {
			near[i-1] = dot(each[0].Vector, e.Vector)
		}
	}
	return near, nil
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
