package llm

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Each is what became of a text of EmbedEach: its vector and the tokens it took, or why it has none.
type Each struct {
	Vector []float32
	Tokens int64
	Err    error
}

// EmbedEach embeds any number of texts in as few calls as the model allows. A text that cannot be embedded fails alone; what may succeed
// later fails the rest of its call.
func EmbedEach(ctx context.Context, e Embedder, s tenants.Scope, c Call, texts []string) ([]Each, error) {
	m, err := FindEmbedding(c.Model)
	if err != nil {
		return nil, err
	}
	out := make([]Each, len(texts))
	for from := 0; from < len(texts); from += m.Batch {
		to := min(from+m.Batch, len(texts))
		for k, err := range fault.Isolate(to-from, func(a, b int) error {
			return embedInto(ctx, e, s, c, m, texts[from+a:from+b], out[from+a:from+b])
		}) {
			out[from+k].Err = err
		}
	}
	return out, nil
}

// embedInto makes one call.
func embedInto(ctx context.Context, e Embedder, s tenants.Scope, c Call, m EmbeddingModel, texts []string, out []Each) error {
	got, err := e.Embed(ctx, s, c, texts)
	if err != nil {
		return err
	}
	if len(got.Vectors) != len(texts) {
		return fault.New(fault.Internal, "embedder_answer", fmt.Sprintf("%d vectors for %d texts", len(got.Vectors), len(texts)), nil)
	}
	for i, v := range got.Vectors {
		if len(v) != m.Dimensions {
			return fault.New(fault.Internal, "embedder_answer", fmt.Sprintf("%d dimensions instead of %d", len(v), m.Dimensions), nil)
		}
		out[i].Vector = v
	}
	for i, tokens := range got.Shares(texts) {
		out[i].Tokens = tokens
	}
	return nil
}
