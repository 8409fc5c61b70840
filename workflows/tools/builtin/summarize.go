package builtin

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/workflows/prose"
	"levada.dev/workflows/tools"
)

type summarizeInput struct {
	Text      string `json:"text" jsonschema:"minLength=1,maxLength=100000" jsonschema_description:"The text, in any language."`
	MaxLength int    `json:"max_length,omitempty" jsonschema:"minimum=50,maximum=5000,default=500" jsonschema_description:"How many characters the summary has at most."`
	Format    string `json:"format,omitempty" jsonschema:"enum=paragraph,enum=bullet_points,default=paragraph" jsonschema_description:"One paragraph, or a line with a dash for each sentence."`
}

type summarizeOutput struct {
	Summary string `json:"summary" jsonschema_description:"Sentences of the text, in their order."`
	Format  string `json:"format" jsonschema:"enum=paragraph,enum=bullet_points" jsonschema_description:"The format that the summary has."`
}

const bulletPoints = "bullet_points"

func summarizeTool() tool {
	return define(tools.Tool{
		Name: "summarize",
		Description: "Summarizes a text: takes the sentences out of it that say most of it, word for word and in their order, about two fifths of the " +
			"text and max_length characters at most. It asks no model, so the same text has the same summary.",
		Cost: tools.Compute, Effects: tools.NoEffects,
	}, summarize)
}

func summarize(ctx context.Context, _ *tools.Call, in summarizeInput) (summarizeOutput, error) {
	if in.MaxLength == 0 {
		in.MaxLength = 500
	}
	if in.Format == "" {
		in.Format = "paragraph"
	}
	summary, err := prose.Summarize(ctx, in.Text, prose.SummaryOptions{MaxChars: in.MaxLength, Bullets: in.Format == bulletPoints})
	if err != nil {
		return summarizeOutput{}, err
	}
	if summary == "" {
		return summarizeOutput{}, fault.Invalidf("text", tools.CodeInvalid, "has nothing to read in it")
	}
	return summarizeOutput{Summary: summary, Format: in.Format}, nil
}
