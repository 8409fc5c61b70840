// Package llmtest helps to test what calls models: an embedder without a model, which checks the rules of its port, and
// the suite that every embedder runs.
package llmtest
