package memory_test

import (
	"fmt"
	"testing"

	"levada.dev/tenants"
)

// BenchmarkPipeline takes documents of about 2 KB (two chunks and more) all the way, with an embedder that costs little.
func BenchmarkPipeline(b *testing.B) {
	acme, err := tenants.Resume("acme")
	if err != nil {
		b.Fatal(err)
	}
	text := prose("levadas", 14)
	b.ReportAllocs()
	docs := 0
	for b.Loop() {
		p := newPlatform(b)
		for i := range 200 {
			d := draft(fmt.Sprint("doc", i), text)
			if _, err := p.intake.Submit(b.Context(), acme, d); err != nil {
				b.Fatal(err)
			}
		}
		p.run(acme)
		docs += 200
		if p.document(acme, "doc0").Searchable != 1 {
			b.Fatal("not searchable")
		}
	}
	b.ReportMetric(float64(docs)/b.Elapsed().Seconds(), "documents/s")
}
