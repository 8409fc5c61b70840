package llm

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// NewPaidEmbedder makes an embedder that asks e and pays from the tenant's ledger: the most the texts may cost is reserved
// before the call, and what the call took is booked after it, by the purpose of the call. It adds fault.Limited, code
// budget_exhausted, to what an Embedder may return.
func NewPaidEmbedder(e Embedder, gate quota.Gate) Embedder {
	return paidEmbedder{e, gate}
}

type paidEmbedder struct {
	embedder Embedder
	gate     quota.Gate
}

// Embed implements Embedder.
func (e paidEmbedder) Embed(ctx context.Context, s tenants.Scope, c Call, texts []string) (_ Embedded, err error) {
	if err := s.Check(); err != nil {
		return Embedded{}, err
	}
	m, err := FindEmbedding(c.Model)
	if err != nil {
		return Embedded{}, err
	}
	bound := boundTexts(texts)
	hold, err := e.gate.Acquire(ctx, s, quota.Ask{Amount: quota.Amount{Tokens: bound, Nanos: bound * m.Price}})
	if err != nil {
		return Embedded{}, err
	}
	ctx, span, done := Paying(ctx, hold, m.Name, c)
	var used []quota.Use
	defer func() { done(err, used...) }()
	out, err := e.embedder.Embed(ctx, s, c, texts)
	logged(span, out.LogID)
	if err == nil || Begun(ctx, err) {
		used = append(used, embedding(ctx, m, c, texts, out.Tokens))
	}
	return out, err
}

// embedding is a call as it is booked; 0 tokens are estimated.
func embedding(ctx context.Context, m EmbeddingModel, c Call, texts []string, tokens int) quota.Use {
	u := UseOf(ctx, c, m.Name)
	u.Prompt = int64(tokens)
	if u.Prompt <= 0 {
		u.Estimated = true
		for _, text := range texts {
			u.Prompt += estimateEmbedded(text)
		}
	}
	u.Nanos, u.Neurons = u.Prompt*m.Price, quota.Neurons(u.Prompt*m.Neurons)
	return u
}

const (
	// TextMarks is how many tokens a model adds to a text that it embeds: the marks at its beginning and end.
	TextMarks = 2
	// TextBound is how many more tokens than bytes a text has at most: its marks, and a space that a first text may get before it.
	TextBound = TextMarks + 1
)

// boundTexts is more tokens than any model makes of the texts.
func boundTexts(texts []string) int64 {
	n := int64(0)
	for _, text := range texts {
		n += int64(len(text)) + TextBound
	}
	return n
}
