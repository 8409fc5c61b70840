package safety

import (
	"context"
	"slices"

	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety/redact"
)

// NewGenerator gives the orders that want it (llm.Order.Redact) answers without personal data, as they come: a piece is held back by as much as
// what was found in it may go on. It stands behind a cache (llm.NewCached), so that what is kept is redacted, too. Calls of tools are left as they are, because the tool needs its arguments.
func NewGenerator(g llm.Generator) llm.Generator { return redacting{g} }

type redacting struct{ next llm.Generator }

// Generate implements llm.Generator.
func (r redacting) Generate(ctx context.Context, s tenants.Scope, o llm.Order) (llm.Answer, error) {
	a, err := r.next.Generate(ctx, s, o)
	if err != nil || !o.Redact {
		return a, err
	}
	return &redacted{Answer: a}, nil
}

// redacted is an answer without personal data.
type redacted struct {
	llm.Answer
	text, reasoning redact.Stream
	err             error // the end, told after what was held back
}

// Next implements llm.Stream.
func (r *redacted) Next() (llm.Delta, error) {
	for {
		if r.err != nil {
			return llm.Delta{}, r.err
		}
		d, err := r.Answer.Next()
		if err != nil {
			r.err = err
			if rest := r.rest(); rest.Text != "" || rest.Reasoning != "" {
				return rest, nil
			}
			return llm.Delta{}, err
		}
		if d.Finish != "" || d.Tool != nil || d.Usage != nil { // what was held back comes before them
			d.Text, d.Reasoning = r.text.Take(d.Text)+r.text.End(), r.reasoning.Take(d.Reasoning)+r.reasoning.End()
			return d, nil
		}
		d.Text, d.Reasoning = r.text.Take(d.Text), r.reasoning.Take(d.Reasoning)
		if d != (llm.Delta{}) {
			return d, nil
		}
	}
}

// rest is what was held back.
func (r *redacted) rest() llm.Delta {
	return llm.Delta{Text: r.text.End(), Reasoning: r.reasoning.End()}
}

// Ready serves llm.Ready.
func (r *redacted) Ready() bool { return r.err != nil || llm.Ready(r.Answer) }

// Redacted serves llm.Redacted.
func (r *redacted) Redacted() (kinds []string) {
	found := append(slices.Clone(r.text.Kinds()), r.reasoning.Kinds()...)
	slices.Sort(found)
	for _, k := range slices.Compact(found) {
		kinds = append(kinds, string(k))
	}
	return kinds
}
