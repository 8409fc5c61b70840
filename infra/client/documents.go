package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"levada.dev/workflows/corpus"
)

// Document asks what is known of a document.
func (c *Client) Document(ctx context.Context, id string) (corpus.Document, error) {
	return get[corpus.Document](ctx, c, documentPath(id), nil)
}

func documentPath(id string) string { return "/documents/" + url.PathEscape(id) }

// DocumentQuery says which documents; what is empty is any.
type DocumentQuery struct{ State, Source, Prefix string }

// Documents lists documents by their ids, a page at a time as they are asked for.
func (c *Client) Documents(ctx context.Context, q DocumentQuery) iter.Seq2[corpus.Document, error] {
	return pages(ctx, c, "/documents", url.Values{"state": {q.State}, "source": {q.Source}, "prefix": {q.Prefix}},
		func(p corpus.DocumentPage) ([]corpus.Document, string) { return p.Documents, p.Next })
}

// EraseTenant begins the erasure of everything that is stored of the tenant, whose id confirms it. The job follows it.
func (c *Client) EraseTenant(ctx context.Context, confirm string) (Accepted, error) {
	return call[Accepted](ctx, c, request{method: http.MethodDelete, path: "/tenant", query: url.Values{"confirm": {confirm}}})
}

// DeleteDocument takes a document out of every search and begins its erasure, which the job follows.
func (c *Client) DeleteDocument(ctx context.Context, id string) (Accepted, error) {
	return call[Accepted](ctx, c, request{method: http.MethodDelete, path: documentPath(id)})
}
