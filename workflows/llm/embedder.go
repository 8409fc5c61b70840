package llm

import (
	"context"

	"levada.dev/tenants"
)

// Embedder turns texts into vectors.
//
// One call embeds at most the model's Batch of texts and returns a vector for each, in order, of the model's
// dimensions, of unit length. A text beyond the model's tokens is cut or averaged by the model, never refused, so
// callers size their texts. The call is made through the gateway with the tenant and the purpose on record. It
// retries nothing: fault.Unavailable (busy, code model_busy) may be retried by the caller, fault.Limited (quota
// used up, code model_quota) not before its RetryAfter. Safe for concurrent use.
type Embedder interface {
	Embed(ctx context.Context, s tenants.Scope, c Call, texts []string) (Embedded, error)
}

// Call says which model a call is for, and why it is made; route and request id go on the gateway's record.
type Call struct {
	Model     string
	Purpose   Purpose
	RequestID string
	Session   string // calls of the same one find their beginning in the provider's cache
	Impatient bool   // there is another model to ask: model_busy at once, instead of waiting for this one's turn
}

// Purpose is what a call is for. An embedding model may treat documents and queries differently; the ledger books by it.
type Purpose string

// The purposes.
const (
	ForDocument   Purpose = "document"
	ForQuery      Purpose = "query"
	ForEmbeddings Purpose = "embeddings" // of a caller who uses them elsewhere
	ForChat       Purpose = "chat"
	ForAnswer     Purpose = "answer"  // of a search
	ForSummary    Purpose = "summary" // of a conversation that has grown too long
	ForRerank     Purpose = "rerank"
	ForSafety     Purpose = "safety"  // whether a text may be answered
	ForRewrite    Purpose = "rewrite" // of a question that leans on what was said before
	ForTools      Purpose = "tools"   // what a tool asks a model
	ForSpeech     Purpose = "speech"
)

// Embedded is the outcome of one call.
type Embedded struct {
	Vectors [][]float32
	Tokens  int    // as the provider counts them, 0 when it does not say
	LogID   string // the gateway's log entry
}
