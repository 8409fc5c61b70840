package builtin

import (
	"context"
	"encoding/json"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/tools"
)

// Deps is what the tools ask. All of it is needed by those that are called.
type Deps struct {
	Retriever Retriever    // for search_docs
	Documents Documents    // for ingest_docs
	Embedder  llm.Embedder // pays; for classify_intent

	// Draft reads a document as POST /ingest takes it, by the tenant's rules.
	Draft func(c *tenants.Config, body []byte) (corpus.Draft, error)
	// Afford refuses a text of so many bytes for which the tenant's budgets have no room.
	Afford func(ctx context.Context, s tenants.Scope, c *tenants.Config, bytes int) error
}

// Retriever finds places in a tenant's documents, as rag.Retriever does.
type Retriever interface {
	Search(ctx context.Context, s tenants.Scope, q rag.Query) (rag.Result, error)
}

// Documents takes documents in. Two drafts with one idempotency key are one document.
type Documents interface {
	Submit(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Receipt, error)
}

// All is every tool of the platform.
func All(d Deps) []tools.Tool {
	var list []tools.Tool
	for _, t := range all(d) {
		list = append(list, t.Tool)
	}
	return list
}

// Inputs are the schemas of what the tools take, by the tools' names.
func Inputs() map[string]json.RawMessage {
	inputs := map[string]json.RawMessage{}
	for _, t := range all(Deps{}) {
		inputs[t.Name] = t.Input.Text()
	}
	return inputs
}

// all is every tool with its types.
func all(d Deps) []tool {
	return []tool{
		calculatorTool(),
		classifyIntentTool(d),
		extractEntitiesTool(),
		ingestDocsTool(d),
		searchDocsTool(d),
		summarizeTool(),
		tagChunkDocsTool(),
	}
}
