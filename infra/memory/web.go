package memory

import (
	"bytes"
	"context"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Web is pages by address, as all tenants see them: a corpus.Fetcher that follows no rules. The zero value is empty and ready.
type Web struct {
	Hooks
	mu    sync.Mutex
	pages map[string]Page
	asked int
}

// Page is what is found at an address.
type Page struct {
	Body        []byte
	ContentType string
	ETag        string
	Fault       *fault.Error // instead of a page
}

var _ corpus.Fetcher = (*Web)(nil)

// Serve puts a page at an address.
func (w *Web) Serve(url string, p Page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages == nil {
		w.pages = map[string]Page{}
	}
	w.pages[url] = p
}

// Asked is how many pages were asked for.
func (w *Web) Asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

// Fetch implements corpus.Fetcher.
func (w *Web) Fetch(_ context.Context, s tenants.Scope, url string, o corpus.FetchOptions) (got corpus.Fetched, err error) {
	err = w.do(s, "fetch", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked++
		p, ok := w.pages[url]
		switch {
		case !ok:
			return fault.Invalidf("url", "fetch_refused", "the server answered 404")
		case p.Fault != nil:
			return p.Fault
		case p.ETag != "" && p.ETag == o.ETag:
			got = corpus.Fetched{Unchanged: true, URL: url}
			return nil
		case o.Limit > 0 && int64(len(p.Body)) > o.Limit:
			return fault.Invalidf("url", "fetch_too_large", "the document is longer than %d bytes", o.Limit)
		}
		got = corpus.Fetched{Body: bytes.Clone(p.Body), ContentType: p.ContentType, ETag: p.ETag, URL: url}
		return nil
	})
	return got, err
}
