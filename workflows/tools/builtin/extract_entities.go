package builtin

import (
	"context"
	"slices"

	"levada.dev/workflows/prose"
	"levada.dev/workflows/prose/entity"
	"levada.dev/workflows/tools"
)

type extractEntitiesInput struct {
	Text        string   `json:"text" jsonschema:"minLength=1,maxLength=100000" jsonschema_description:"The text."`
	EntityTypes []string `json:"entity_types,omitempty" jsonschema:"maxItems=14,uniqueItems=true,enum=PERSON,enum=ORGANIZATION,enum=LOCATION,enum=EMAIL,enum=URL,enum=IP_ADDRESS,enum=IBAN,enum=CREDIT_CARD,enum=PHONE,enum=DATE,enum=TIME,enum=MONEY,enum=PERCENT,enum=NUMBER" jsonschema_description:"The types to look for. Left out or empty: all of them."`
}

type extractEntitiesOutput struct {
	Entities []foundEntity `json:"entities" jsonschema:"maxItems=5000" jsonschema_description:"What was found, in the order of the text. Of more than 5000 the first."`
	Count    int           `json:"count" jsonschema:"minimum=0" jsonschema_description:"How many were found."`
}

type foundEntity struct {
	Text        string `json:"text" jsonschema_description:"The entity, as it stands in the text."`
	Type        string `json:"type" jsonschema:"enum=PERSON,enum=ORGANIZATION,enum=LOCATION,enum=EMAIL,enum=URL,enum=IP_ADDRESS,enum=IBAN,enum=CREDIT_CARD,enum=PHONE,enum=DATE,enum=TIME,enum=MONEY,enum=PERCENT,enum=NUMBER" jsonschema_description:"What it is."`
	StartOffset int    `json:"start_offset" jsonschema:"minimum=0" jsonschema_description:"Where in the text it begins: characters (Unicode code points) before it."`
	EndOffset   int    `json:"end_offset" jsonschema:"minimum=0" jsonschema_description:"Where it ends: characters before what follows it."`
}

// mostEntities are told at most, so that a text of nothing but numbers has a result.
const mostEntities = 5000

func extractEntitiesTool() tool {
	return define(tools.Tool{
		Name: "extract_entities",
		Description: "Finds persons, organizations, locations, dates, times, amounts of money, percentages, numbers, and addresses and numbers of mail, " +
			"web, telephone, bank account and card in a text, by rules and checks, with their places.",
		Cost: tools.Compute, Effects: tools.NoEffects,
	}, extractEntities)
}

func extractEntities(ctx context.Context, _ *tools.Call, in extractEntitiesInput) (extractEntitiesOutput, error) {
	found, err := entity.Find(ctx, in.Text)
	if err != nil {
		return extractEntitiesOutput{}, err
	}
	out, ruler := extractEntitiesOutput{Entities: []foundEntity{}}, prose.NewRuler(in.Text)
	for _, e := range found {
		if len(in.EntityTypes) > 0 && !slices.Contains(in.EntityTypes, string(e.Type)) {
			continue
		}
		if out.Count++; out.Count <= mostEntities {
			out.Entities = append(out.Entities, foundEntity{
				Text: in.Text[e.From:e.To], Type: string(e.Type), StartOffset: ruler.At(e.From), EndOffset: ruler.At(e.To),
			})
		}
	}
	return out, nil
}
