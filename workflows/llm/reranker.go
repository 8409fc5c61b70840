package llm

import (
	"context"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm/price"
)

// Reranker tells how well texts answer a question, by reading each of them together with it.
//
// One call takes 1 to MaxContexts texts, none of them empty, and returns a score for each, in their order: the higher the better,
// comparable within one call alone. What a text has beyond the model's tokens is not read. Faults are those of an Embedder. Safe for
// concurrent use.
type Reranker interface {
	Rerank(ctx context.Context, s tenants.Scope, c Call, question string, texts []string) (Reranked, error)
}

// MaxContexts is how many texts one call of a reranker takes.
const MaxContexts = 50

// Reranked is the outcome of one call.
type Reranked struct {
	Scores []float64
	Tokens int    // as the provider counts them, 0 when it does not say
	LogID  string // the gateway's log entry
}

// RerankModel is what the platform must know of a model that reranks.
type RerankModel struct {
	Name    string // the provider's
	Tokens  int    // what it reads of a question and a text together
	Price   int64  // billionths of a US dollar a token
	Neurons int64  // millionths of one a token
}

// DefaultReranker is the name of the model that reranks: https://developers.cloudflare.com/workers-ai/models/bge-reranker-base/.
const DefaultReranker = "@cf/baai/bge-reranker-base"

// FindReranker looks a model up by its name.
func FindReranker(name string) (RerankModel, error) {
	if name == DefaultReranker {
		p := price.Of(name)
		return RerankModel{Name: name, Tokens: 512, Price: p.USD.Input, Neurons: p.Neurons.Input}, nil
	}
	return RerankModel{}, fault.Invalidf("models.rerank", "model_unknown", "no model %q that reranks", name)
}

// CheckContexts reports what no reranker takes.
func CheckContexts(question string, texts []string) error {
	if len(texts) < 1 || len(texts) > MaxContexts {
		return fault.Invalidf("texts", "value_out_of_range", "%d texts in one call; 1 to %d are allowed", len(texts), MaxContexts)
	}
	if question == "" || slices.Contains(texts, "") {
		return fault.Invalidf("texts", "invalid_value", "the question or a text is empty")
	}
	return nil
}

// NewPaidReranker makes a reranker that asks r and pays from the tenant's ledger, as NewPaidEmbedder does.
func NewPaidReranker(r Reranker, gate quota.Gate) Reranker {
	return paidReranker{r, gate}
}

type paidReranker struct {
	reranker Reranker
	gate     quota.Gate
}

// Rerank implements Reranker.
func (r paidReranker) Rerank(ctx context.Context, s tenants.Scope, c Call, question string, texts []string) (_ Reranked, err error) {
	if err := s.Check(); err != nil {
		return Reranked{}, err
	}
	m, err := FindReranker(c.Model)
	if err != nil {
		return Reranked{}, err
	}
	if err := CheckContexts(question, texts); err != nil {
		return Reranked{}, err
	}
	bound := boundTexts(texts) + int64(len(texts))*boundTexts([]string{question}) // which is read with each of them
	hold, err := r.gate.Acquire(ctx, s, quota.Ask{Amount: quota.Amount{Tokens: bound, Nanos: bound * m.Price}})
	if err != nil {
		return Reranked{}, err
	}
	ctx, span, done := Paying(ctx, hold, m.Name, c)
	var used []quota.Use
	defer func() { done(err, used...) }()
	out, err := r.reranker.Rerank(ctx, s, c, question, texts)
	logged(span, out.LogID)
	if err == nil || Begun(ctx, err) {
		used = append(used, reranking(ctx, m, c, question, texts, out.Tokens))
	}
	return out, err
}

// reranking is a call as it is booked; 0 tokens are estimated.
func reranking(ctx context.Context, m RerankModel, c Call, question string, texts []string, tokens int) quota.Use {
	u := UseOf(ctx, c, m.Name)
	u.Prompt = int64(tokens)
	if u.Prompt <= 0 {
		u.Estimated = true
		for _, text := range texts {
			u.Prompt += min(estimateEmbedded(text)+estimateEmbedded(question), int64(m.Tokens))
		}
	}
	u.Nanos, u.Neurons = u.Prompt*m.Price, quota.Neurons(u.Prompt*m.Neurons)
	return u
}
