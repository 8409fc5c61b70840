package chunk

import "levada.dev/workflows/llm"

// specialTokens is what a model adds to each text: a beginning and an end.
const specialTokens = 2

// ForModel is the size of pieces for an embedding model: all that it reads of a text.
func ForModel(m llm.EmbeddingModel) Options { return Options{MaxTokens: m.Tokens - specialTokens} }
