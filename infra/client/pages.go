package client

import (
	"context"
	"iter"
	"maps"
	"net/url"
)

// pages asks for one page after another. A page may be empty and still have a next one.
func pages[P, T any](ctx context.Context, c *Client, path string, query url.Values, of func(P) ([]T, string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := maps.Clone(query)
		maps.DeleteFunc(query, func(_ string, values []string) bool { return values[0] == "" })
		for {
			p, err := get[P](ctx, c, path, query)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			items, next := of(p)
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			query.Set("cursor", next)
		}
	}
}
