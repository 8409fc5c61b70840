package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/rag"
)

type searchRequest struct {
	Query  string          `json:"query"`
	TopK   *int            `json:"topK"`
	Filter json.RawMessage `json:"filter"`
	Mode   string          `json:"mode"`
	Answer *bool           `json:"answer"` // default true
	Stream bool            `json:"stream"`
}

var searchForm = formOf[searchRequest]()

type searchAnswer struct {
	Answer  *string      `json:"answer"` // null: none was asked for
	Sources []rag.Source `json:"sources"`
	Timings rag.Timings  `json:"timings"`
}

// search answers with the places in the tenant's documents that are nearest to the question, and with an answer made of them.
func search(c *call) error {
	req, err := searchForm.decode(c.body)
	if err != nil {
		return err
	}
	query, err := req.query(c)
	if err != nil {
		return err
	}
	result, err := c.Retriever.Search(c.ctx(), c.scope, query)
	if err != nil {
		return err
	}
	c.timed("embed", result.Timings.Embed)
	c.timed("vectors", result.Timings.Vectors)
	c.timed("ledger", result.Timings.Ledger)
	found := searchAnswer{Sources: result.Sources, Timings: result.Timings}
	if req.wantsAnswer() {
		return c.answerFrom(&req, found)
	}
	return c.ok(http.StatusOK, found)
}

// wantsAnswer reports whether the request is not for sources alone.
func (req *searchRequest) wantsAnswer() bool { return req.Answer == nil || *req.Answer }

// query checks the request against the tenant's limits.
func (req *searchRequest) query(c *call) (rag.Query, error) {
	limits, maxChars := c.config.Search, c.config.Limits.QueryChars
	topK := limits.TopK
	if req.TopK != nil {
		topK = *req.TopK
	}
	switch chars := utf8.RuneCountInString(req.Query); {
	case strings.TrimSpace(req.Query) == "":
		return rag.Query{}, fault.Invalidf("query", "field_required", "is required")
	case chars > maxChars:
		return rag.Query{}, fault.Invalidf("query", "value_out_of_range", "is %d characters long, above %d", chars, maxChars)
	case topK < 1 || topK > limits.MaxTopK:
		return rag.Query{}, fault.Invalidf("topK", "value_out_of_range", "%d is not between 1 and %d", topK, limits.MaxTopK)
	case req.Stream && !req.wantsAnswer():
		return rag.Query{}, fault.Invalidf("stream", "invalid_value", "needs an answer to tell")
	}
	switch req.Mode {
	case "", "vector":
	case "hybrid", "keyword":
		return rag.Query{}, fault.Invalidf("mode", "mode_not_available", "the mode %q is not available, only \"vector\" is", req.Mode)
	default:
		return rag.Query{}, fault.Invalidf("mode", "invalid_value", "%.40q is not a mode", req.Mode)
	}
	return rag.Query{
		Text: req.Query, TopK: topK, Filter: req.Filter, Fields: limits.Filterable,
		Model: c.config.Models.Embedding, RequestID: c.requestID,
	}, nil
}
