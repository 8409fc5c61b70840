package llm

import (
	"sync"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm/price"
)

// EmbeddingModel is what the platform must know of an embedding model.
type EmbeddingModel struct {
	Name       string // the provider's
	Slug       string // in names of indexes and bindings: "bge-m3"
	Dimensions int
	Tokens     int   // what the model reads of one text
	Batch      int   // texts a call
	Price      int64 // billionths of a US dollar a token
	Neurons    int64 // millionths of one a token
	// Weight is what a cosine of 1 counts in a search beside a passage with every word of the question, 0 to 1 (rag.FuseOptions.Vector). How far
	// cosines lie apart is a model's own, so this is, too: docs/design/search.md tells how it is measured.
	Weight float64
}

// embeddingModels is every model the platform can index with. Sizes from
// https://developers.cloudflare.com/workers-ai/models/. The weights are those of the local platform's encoder, which stands in for all of them;
// with the models themselves none has been measured yet.
var embeddingModels = sync.OnceValue(func() []EmbeddingModel {
	models := []EmbeddingModel{
		{Name: "@cf/baai/bge-m3", Slug: "bge-m3", Dimensions: 1024, Tokens: 512, Batch: 100, Weight: 0.3},
		{Name: "@cf/baai/bge-base-en-v1.5", Slug: "bge-base", Dimensions: 768, Tokens: 512, Batch: 100, Weight: 0.3},
		{Name: "@cf/baai/bge-small-en-v1.5", Slug: "bge-small", Dimensions: 384, Tokens: 512, Batch: 100, Weight: 0.3},
	}
	for i, m := range models {
		p := price.Of(m.Name)
		models[i].Price, models[i].Neurons = p.USD.Input, p.Neurons.Input
	}
	return models
})

// EmbeddingModels lists the models, the default first.
func EmbeddingModels() []EmbeddingModel { return append([]EmbeddingModel(nil), embeddingModels()...) }

// EmbeddingNames lists the models' names, the default first.
func EmbeddingNames() []string {
	names := make([]string, len(embeddingModels()))
	for i, m := range embeddingModels() {
		names[i] = m.Name
	}
	return names
}

// FindEmbedding looks a model up by its name.
func FindEmbedding(name string) (EmbeddingModel, error) {
	for _, m := range embeddingModels() {
		if m.Name == name {
			return m, nil
		}
	}
	return EmbeddingModel{}, fault.Invalidf("models.embedding", "model_unknown", "no embedding model %q", name)
}
