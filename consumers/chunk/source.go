package chunk

import (
	"context"
	"fmt"
	"runtime"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/extract"
)

// largeDocument is from where on a document is a good part of a Worker's memory.
const largeDocument = 1 << 20

// text is what is to be cut of a document: itself, or what is taken out of it, which is stored beside it.
func (c *Consumer) text(ctx context.Context, s tenants.Scope, f events.DocumentSubmitted) (text []byte, contentType string, d *corpus.Derived, err error) {
	if f.Text != "" { // it travelled
		return []byte(f.Text), f.ContentType, nil, nil
	}
	data, err := c.texts.Get(ctx, s, f.TextKey)
	if err != nil {
		return nil, "", nil, err
	}
	if corpus.Ready(f.ContentType, data) {
		return data, f.ContentType, nil, nil
	}
	large := len(data) > largeDocument
	if large {
		runtime.GC() // what the last one has left goes now: a few allocations of this size outrun the collector
	}
	t, err := extract.Extract(f.ContentType, data)
	if err != nil {
		return nil, "", nil, err
	}
	if data = nil; large {
		runtime.GC()
	}
	sum := corpus.Sum(t.Body)
	d = &corpus.Derived{TextKey: corpus.DerivedKey(f.TextKey, sum), ContentType: t.ContentType, SHA256: sum, Bytes: len(t.Body), Title: t.Title}
	if err := c.texts.Put(ctx, s, d.TextKey, t.Body, t.ContentType); err != nil {
		return nil, "", nil, fmt.Errorf("store the text: %w", err)
	}
	return t.Body, t.ContentType, d, nil
}
