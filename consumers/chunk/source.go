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

// weight is how much room a document needs; 0: it is small. A large one needs all of it, one that may become large half of it, so that the
// other stages go on meanwhile.
func (c *Consumer) weight(f events.DocumentSubmitted) int64 {
	if f.Text != "" {
		return 0
	}
	format, _ := corpus.FormatOf(f.ContentType) // what is none takes no room either: it fails
	switch half := c.room.Bytes() / 2; {
	case f.Bytes > largeDocument:
		return c.room.Bytes()
	case format.Binary() || format == corpus.Unknown: // packed a thousand times, perhaps
		return half
	case format == corpus.JSON || format == corpus.CSV: // each value gets its name
		return min(half, 32*int64(f.Bytes))
	}
	return 0
}

// reserveFor is where the text of a large document is written to. It stays for ever: a piece of that size would not be found again between what
// other work has left. Large documents follow each other, so each has it to itself, until its pieces are in the queue.
func (c *Consumer) reserveFor(f events.DocumentSubmitted) []byte {
	if c.room == nil || c.weight(f) < c.room.Bytes() {
		return nil
	}
	if c.reserve == nil {
		c.reserve = make([]byte, 0, extract.MaxText)
	}
	return c.reserve
}

// text is what is to be cut of a document: itself, or what is taken out of it, which is stored beside it.
func (c *Consumer) text(ctx context.Context, s tenants.Scope, f events.DocumentSubmitted) (text []byte, contentType string, d *corpus.Derived, err error) {
	if f.Text != "" { // it travelled
		return []byte(f.Text), f.ContentType, nil, nil
	}
	large := f.Bytes > largeDocument
	if large {
		runtime.GC() // what other work has left goes now: a few allocations of this size outrun the collector
	}
	data, err := c.texts.Get(ctx, s, f.TextKey)
	if err != nil {
		return nil, "", nil, err
	}
	if corpus.Ready(f.ContentType, data) {
		return data, f.ContentType, nil, nil
	}
	t, err := extract.Into(c.reserveFor(f), f.ContentType, data)
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
