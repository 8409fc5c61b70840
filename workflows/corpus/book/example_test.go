package book_test

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
)

// A ledger is a book, rows to keep it in, and something that carries bytes between it and its callers.
func Example() {
	kept, b := newRows(), book.New(func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) })
	ledger := book.NewClient(func(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
		reply, commit := b.Call(kept, method, body) // inside a transaction, which is rolled back unless commit
		_ = commit
		return reply, nil
	})
	acme, _ := tenants.Resume("acme")
	ctx := context.Background()
	r, _ := corpus.Submit(ctx, ledger, acme, corpus.Submission{DocID: "guide", JobID: "job-1", ContentType: "text/plain", TextKey: "k", Model: "m"})
	ref := events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
	verdicts, _ := ledger.Advance(ctx, acme, []corpus.Progress{
		{DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slice: 1, Slices: 2, Chunks: 20}},
		{DocumentRef: ref, Stage: corpus.StageChunk, Slice: events.Slice{Slices: 2, Chunks: 20}},
		{DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slice: 0, Slices: 2, Chunks: 20}},
	})
	fmt.Println(verdicts[0].Complete, verdicts[2].Complete)
	out, _ := outbox.Pending(kept, 10)
	fmt.Println(out[0].Event.Type)
	// Output:
	// false true
	// dev.levada.document.submitted.v1
}
