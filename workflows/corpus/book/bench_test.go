package book_test

import (
	"context"
	"fmt"
	"testing"

	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
)

// BenchmarkDocument is the whole way of a document of one slice through the wire: submit, chunked, indexed, sent.
func BenchmarkDocument(b *testing.B) {
	d := newDesk(b)
	client := book.NewClient(func(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
		reply, _ := d.book.Call(d.rows, method, body)
		return reply, nil
	})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprint("doc", i%1000)
		r, err := corpus.Submit(b.Context(), client, d.scope, d.submission(id))
		if err != nil {
			b.Fatal(err)
		}
		if err := outbox.Sent(d.rows, []string{r.JobID + ".dev.levada.document.submitted.v1"}); err != nil {
			b.Fatal(err)
		}
		var ps []corpus.Progress
		ref := d.document(id)
		p := indexed(refOf(ref), 0, 1, 2)
		ps = append(ps, p)
		if _, err := client.Advance(b.Context(), d.scope, []corpus.Progress{chunked(refOf(ref), 1, 2)}); err != nil {
			b.Fatal(err)
		}
		vs, err := client.Advance(b.Context(), d.scope, ps)
		if err != nil {
			b.Fatal(err)
		}
		for _, old := range vs[0].Retired {
			p := retired(refOf(ref))
			p.Generation = old.Generation
			d.advance(p)
		}
	}
}
