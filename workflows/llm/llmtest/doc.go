// Package llmtest helps to test what calls models: an embedder and a reranker without a model, which check the rules of their ports, and
// the suites that every embedder, every reranker and every model runs.
package llmtest
