package reembed

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

const (
	// maxPages is how many pages of documents are counted.
	maxPages = 500
	// callTime is what a call of the model takes with what belongs to it, read and write.
	callTime = time.Second
)

// Counter counts what spaces lack; a Ledger does.
type Counter interface {
	Missing(ctx context.Context, s tenants.Scope, model, cursor string) (Missing, error)
}

// EstimateOf tells what a move of the tenant to a model would take. Chunks and documents are counted, tokens are those that were counted when they
// were embedded first, by another model perhaps, and the time is that of the calls as they come, with what the index takes to show them.
func EstimateOf(ctx context.Context, l Counter, s tenants.Scope, from string, to llm.EmbeddingModel) (Estimate, error) {
	all, err := count(ctx, l, s, to.Name)
	if err != nil {
		return Estimate{}, err
	}
	calls := (all.Chunks + to.Batch - 1) / to.Batch
	took := time.Duration((calls+callsAtOnce-1)/callsAtOnce) * callTime
	if calls > 0 {
		took += corpus.Settling
	}
	return Estimate{Missing: all, From: from, To: to.Name, Nanos: all.Tokens * to.Price, Time: took}, nil
}

// count sums up what a space lacks. Where that is more than anybody has, Next says that there is more.
func count(ctx context.Context, l Counter, s tenants.Scope, model string) (all Missing, err error) {
	for range maxPages {
		page, err := l.Missing(ctx, s, model, all.Next)
		if err != nil {
			return all, err
		}
		all.Documents, all.Chunks, all.Tokens = all.Documents+page.Documents, all.Chunks+page.Chunks, all.Tokens+page.Tokens
		if all.Next = page.Next; all.Next == "" {
			break
		}
	}
	return all, nil
}
