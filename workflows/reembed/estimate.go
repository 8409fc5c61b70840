package reembed

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

const (
	// estimatePages is how many pages of documents one estimate counts: a page is a call of the ledger.
	estimatePages = 20
	// totalPages is how many a run counts, for what it tells of itself.
	totalPages = 500
	// callTime is what a call of the model takes with what belongs to it, read and write.
	callTime = time.Second
)

// Counter counts what spaces lack; a Ledger does.
type Counter interface {
	Missing(ctx context.Context, s tenants.Scope, model, cursor string) (Missing, error)
}

// EstimateOf tells what a move of the tenant to a model would take. Chunks and documents are counted, tokens are those that were counted when they
// were embedded first, by another model perhaps, and the time is that of the calls as they come, with what the index takes to show them.
//
// It counts a bounded number of documents. Where there are more, Next is the cursor for another call, which counts on: the last one's estimate
// is of all of them.
func EstimateOf(ctx context.Context, l Counter, s tenants.Scope, from string, to llm.EmbeddingModel, cursor string) (Estimate, error) {
	all, err := parseCounted(cursor)
	if err != nil {
		return Estimate{}, err
	}
	if err := count(ctx, l, s, to.Name, estimatePages, &all); err != nil {
		return Estimate{}, err
	}
	calls := (all.Chunks + to.Batch - 1) / to.Batch
	took := time.Duration((calls+callsAtOnce-1)/callsAtOnce) * callTime
	if calls > 0 {
		took += corpus.Settling
	}
	e := Estimate{Missing: all, From: from, To: to.Name, Nanos: all.Tokens * to.Price, Time: took}
	e.Next, err = formCounted(all)
	return e, err
}

// count adds up what a space lacks from all.Next on, so many pages at most.
func count(ctx context.Context, l Counter, s tenants.Scope, model string, pages int, all *Missing) error {
	for range pages {
		page, err := l.Missing(ctx, s, model, all.Next)
		if err != nil {
			return err
		}
		all.Documents, all.Chunks, all.Tokens = all.Documents+page.Documents, all.Chunks+page.Chunks, all.Tokens+page.Tokens
		if all.Next = page.Next; all.Next == "" {
			break
		}
	}
	return nil
}

// A cursor of an estimate is what was counted, and where that goes on.
func formCounted(m Missing) (string, error) {
	if m.Next == "" {
		return "", nil
	}
	b, err := json.Marshal(m)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func parseCounted(cursor string) (m Missing, err error) {
	if cursor == "" {
		return m, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil || m.Next == "" || min(int64(m.Documents), int64(m.Chunks), m.Tokens) < 0 || max(int64(m.Documents), int64(m.Chunks), m.Tokens) > maxCounted {
		return m, fault.Invalidf("cursor", "invalid_value", "is not a cursor of an estimate")
	}
	return m, nil
}

// maxCounted is more than any tenant has, and little enough to be added to and multiplied by a price.
const maxCounted = 1 << 40
