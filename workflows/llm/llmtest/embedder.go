package llmtest

import (
	"context"
	"hash/fnv"
	"math"
	"strings"
	"sync"
	"unicode"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Embedder is an llm.Embedder without a model: words fall into dimensions by their hash, so texts with words in common
// are near each other, and the same text always has the same vector. It refuses what the port does not allow. The zero
// value is ready. Set the functions before it is used.
type Embedder struct {
	// Before runs before a call does anything; its error is the call's.
	Before func(c llm.Call, texts []string) error
	// After runs when the call has been made; its error is the call's, and the money is spent.
	After func(c llm.Call, texts []string) error

	mu    sync.Mutex
	calls []Call
}

var _ llm.Embedder = (*Embedder)(nil)

// Call is a call that was made.
type Call struct {
	Tenant tenants.ID
	llm.Call
	Texts int
}

// Embed implements llm.Embedder.
func (e *Embedder) Embed(ctx context.Context, s tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	model, err := check(ctx, s, c, texts)
	if err != nil {
		return llm.Embedded{}, err
	}
	if e.Before != nil {
		if err := e.Before(c, texts); err != nil {
			return llm.Embedded{}, err
		}
	}
	e.mu.Lock()
	e.calls = append(e.calls, Call{Tenant: s.Tenant(), Call: c, Texts: len(texts)})
	e.mu.Unlock()
	out := llm.Embedded{LogID: "test"}
	for _, t := range texts {
		v, words := Vector(t, model.Dimensions)
		out.Vectors = append(out.Vectors, v)
		out.Tokens += words
	}
	if e.After != nil {
		if err := e.After(c, texts); err != nil {
			return llm.Embedded{}, err
		}
	}
	return out, nil
}

func check(ctx context.Context, s tenants.Scope, c llm.Call, texts []string) (llm.EmbeddingModel, error) {
	if err := s.Check(); err != nil {
		return llm.EmbeddingModel{}, err
	}
	if err := ctx.Err(); err != nil {
		return llm.EmbeddingModel{}, fault.Unavailablef(err, "model_unreachable", "the model was not reached")
	}
	model, err := llm.FindEmbedding(c.Model)
	if err != nil {
		return model, err
	}
	if len(texts) < 1 || len(texts) > model.Batch {
		return model, fault.Invalidf("texts", "embed_batch", "%d texts in one call; 1 to %d are allowed", len(texts), model.Batch)
	}
	if c.Purpose != llm.ForDocument && c.Purpose != llm.ForQuery && c.Purpose != llm.ForEmbeddings && c.Purpose != llm.ForTools {
		return model, fault.Invalidf("purpose", "embed_purpose", "%q is no purpose", c.Purpose)
	}
	return model, nil
}

// Vector is the vector of a text, of unit length, and how many words made it.
func Vector(text string, dimensions int) ([]float32, int) {
	v := make([]float32, dimensions)
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		h := fnv.New64a()
		h.Write([]byte(w))
		sum := h.Sum64()
		v[sum%uint64(dimensions)] += 1 - 2*float32(sum>>63)
	}
	var length float64
	for _, x := range v {
		length += float64(x) * float64(x)
	}
	if length == 0 {
		v[0] = 1
		return v, len(words)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(length))
	}
	return v, len(words)
}

// Calls is the calls that were made, oldest first.
func (e *Embedder) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Call(nil), e.calls...)
}
