package index

import (
	"context"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
)

// put writes the passages of the slices whose vectors are written, gathered up to what one call takes. A slice is never divided, and
// one call's terms are in memory at a time.
func (c *Consumer) put(ctx context.Context, s tenants.Scope, ds []delivery, errs []error) {
	var call []int
	size := 0
	flush := func() {
		c.putAll(ctx, s, ds, call, errs)
		call, size = nil, 0
	}
	for i, d := range ds {
		if errs[i] != nil {
			continue
		}
		if n := len(d.Fact.Parts); size+n > maxPassages {
			flush()
		}
		call, size = append(call, i), size+len(d.Fact.Parts)
	}
	flush()
}

// maxPassages is how many passages are made before they are written: their terms take more room than their texts.
const maxPassages = 256

func (c *Consumer) putAll(ctx context.Context, s tenants.Scope, ds []delivery, call []int, errs []error) {
	var parts [][]corpus.Passage
	var of []int
	for _, i := range call {
		ps, err := passages(ds[i].Fact)
		if err != nil {
			errs[i] = err
			continue
		}
		parts, of = append(parts, ps), append(of, i)
	}
	for k, err := range fault.Isolate(len(parts), func(from, to int) error {
		var all []corpus.Passage
		for _, ps := range parts[from:to] {
			all = append(all, ps...)
		}
		return c.Lexicon.Put(ctx, s, all)
	}) {
		errs[of[k]] = err
	}
}

// passages are the chunks of a slice as the lexical index has them. All of a chunk's text is searched, also what of it is not shown.
func passages(f events.ChunksEmbedded) ([]corpus.Passage, error) {
	ps := make([]corpus.Passage, len(f.Parts))
	for i, p := range f.Parts {
		m, err := metadata(f, p)
		if err != nil {
			return nil, err
		}
		ps[i].Metadata = m
		ps[i].Head, ps[i].Body = terms.Passage(f.Title, p.Heading, p.Text)
	}
	return ps, nil
}
