package client

import "context"

// Found is the answer to a search.
type Found struct {
	Sources []Source           `json:"sources"`
	Timings map[string]float64 `json:"timings"`
}

// Source is one passage.
type Source struct {
	DocID string  `json:"docId"`
	Title string  `json:"title"`
	URL   string  `json:"url"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// Search asks for passages.
func (c *Client) Search(ctx context.Context, query string, topK int) (Found, error) {
	return c.SearchBy(ctx, "vector", query, topK)
}

// SearchBy asks a question in a mode: "hybrid", "keyword" or "vector".
func (c *Client) SearchBy(ctx context.Context, mode, query string, topK int) (Found, error) {
	return post[Found](ctx, c, "/search", map[string]any{"query": query, "topK": topK, "mode": mode, "answer": false})
}
