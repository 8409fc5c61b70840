package client

import (
	"context"
	"encoding/json"
)

// Found is the answer to a search.
type Found struct {
	Mode      string             `json:"mode"`
	Intent    string             `json:"intent"`
	Rewritten string             `json:"rewrittenQuery,omitempty"`
	Degraded  []Missing          `json:"degraded,omitempty"`
	Sources   []Source           `json:"sources"`
	Cached    bool               `json:"cached,omitempty"` // an equal search found them
	Timings   map[string]float64 `json:"timings"`
}

// Missing is a part that a search was made without.
type Missing struct {
	Part string `json:"part"`
	Code string `json:"code"`
}

// Source is one passage.
type Source struct {
	DocID      string             `json:"docId"`
	ChunkID    string             `json:"chunkId"`
	Title      string             `json:"title"`
	URL        string             `json:"url,omitempty"`
	Text       string             `json:"text"`
	Score      float64            `json:"score"`
	Scores     map[string]float64 `json:"scores"`
	Duplicates int                `json:"duplicates,omitempty"`
}

// Question is a search. What is left out is the tenant's.
type Question struct {
	Query  string `json:"query"`
	TopK   int    `json:"topK,omitempty"`
	Mode   string `json:"mode,omitempty"` // "hybrid", "keyword" or "vector"
	Rerank bool   `json:"rerank,omitempty"`
	Expand int    `json:"expand,omitempty"`
	Answer bool   `json:"answer"`

	Filter json.RawMessage `json:"filter,omitempty"` // as POST /search has it
	// EmbeddingModel names the space that is read.
	EmbeddingModel string `json:"embeddingModel,omitempty"`
}

// Ask asks a question of the tenant's documents.
func (c *Client) Ask(ctx context.Context, q Question) (Found, error) {
	return post[Found](ctx, c, "/search", q)
}

// Search asks a question by meaning and by words.
func (c *Client) Search(ctx context.Context, query string, topK int) (Found, error) {
	return c.SearchBy(ctx, "hybrid", query, topK)
}

// SearchBy asks a question in a mode: "hybrid", "keyword" or "vector".
func (c *Client) SearchBy(ctx context.Context, mode, query string, topK int) (Found, error) {
	return c.Ask(ctx, Question{Query: query, TopK: topK, Mode: mode})
}

// Answered is a search with the answer made of what it found.
type Answered struct {
	Found
	Answer     string     `json:"answer"`
	Citations  []Citation `json:"citations"`
	Confidence float64    `json:"confidence"`
	Abstained  bool       `json:"abstained"` // there is none, and Answer says so
	FollowUps  []string   `json:"followUps"`
	Model      string     `json:"model,omitempty"` // none when no model was asked
}

// Citation is what a sentence of an answer rests on.
type Citation struct {
	Marker    int    `json:"marker"` // the number in the answer
	DocID     string `json:"docId"`
	Quote     string `json:"quote"` // the document's words
	Start     int    `json:"start"` // where they stand: bytes of its stored text
	End       int    `json:"end"`
	Supported bool   `json:"supported"` // they say it
	Sentence  string `json:"sentence"`
}

// Answer asks a question and has it answered from the passages.
func (c *Client) Answer(ctx context.Context, q Question) (Answered, error) {
	q.Answer = true
	return post[Answered](ctx, c, "/search", q)
}
