package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
)

type searchRequest struct {
	Query     string          `json:"query"`
	TopK      *int            `json:"topK"`
	Filter    json.RawMessage `json:"filter"`
	Mode      string          `json:"mode"`
	Answer    *bool           `json:"answer"` // default true
	Stream    bool            `json:"stream"`
	Rerank    bool            `json:"rerank"`
	Expand    int             `json:"expand"`
	SessionID string          `json:"sessionId"`
	Rewrite   *bool           `json:"rewrite"` // absent: when there is a session
	Keep      bool            `json:"keepDuplicates"`
	Model     string          `json:"embeddingModel"` // whose space is read; absent: that which the tenant uses
}

var searchForm = formOf[searchRequest]()

type searchAnswer struct {
	Answer    *string       `json:"answer"` // null: none was asked for
	Mode      rag.Mode      `json:"mode"`
	Intent    rag.Intent    `json:"intent"`
	Rewritten string        `json:"rewrittenQuery,omitempty"`
	Degraded  []rag.Missing `json:"degraded,omitempty"`
	Sources   []rag.Source  `json:"sources"`
	Cached    bool          `json:"cached,omitempty"`
	Safety    *safety.Told  `json:"safety,omitempty"` // with an answer: what was found by the tenant's policy
	Timings   rag.Timings   `json:"timings"`

	delimiter rag.Delimiter // of a result that equal searches may have
}

// search answers with the places in the tenant's documents that answer the question best, and with an answer made of them.
func search(c *call) error {
	req, err := searchForm.decode(c.body)
	if err != nil {
		return err
	}
	query, err := req.query(c)
	if err != nil {
		return err
	}
	if req.wantsAnswer() {
		if err := c.screen(req.Query); err != nil {
			return inText(err, "query")
		}
		if err := c.guarded(req.Query); err != nil {
			return inText(err, "query")
		}
	}
	result, err := c.Retriever.Search(c.ctx(), c.scope, query)
	if err != nil {
		return err
	}
	t := result.Timings
	if c.cache = result.Cache; c.cache != "" {
		c.timed("cache;desc="+string(c.cache), t.Cache)
	}
	c.timed("embed", t.Embed)
	c.timed("vectors", t.Vectors)
	c.timed("lexicon", t.Lexicon)
	c.timed("ledger", t.Ledger)
	found := searchAnswer{
		Mode: result.Mode, Intent: result.Intent, Rewritten: result.Rewritten, Degraded: result.Degraded, Sources: result.Sources,
		Cached: result.Cache == rag.Hit, Timings: t, delimiter: result.Delimiter,
	}
	if req.wantsAnswer() {
		return c.answerFrom(&req, found)
	}
	found.Rewritten = c.redacted(found.Rewritten)
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
	case req.Mode != "" && !slices.Contains(rag.Modes, rag.Mode(req.Mode)):
		return rag.Query{}, fault.Invalidf("mode", "invalid_value", "%.40q is not a mode", req.Mode).WithHint("modes are hybrid, vector, keyword")
	case req.Expand < 0 || req.Expand > rag.MaxExpand:
		return rag.Query{}, fault.Invalidf("expand", "value_out_of_range", "%d is not between 0 and %d", req.Expand, rag.MaxExpand)
	}
	rewrite, err := req.rewrite(c)
	if err != nil {
		return rag.Query{}, err
	}
	space, err := c.readable(req.Model)
	if err != nil {
		return rag.Query{}, err
	}
	ttl := limits.CacheTTL()
	if req.SessionID != "" || wantsFresh(c.r.Header.Get("Cache-Control")) {
		ttl = 0
	}
	return rag.Query{
		Cache: ttl, Text: req.Query, TopK: topK, Mode: rag.Mode(req.Mode), Filter: req.Filter, Fields: limits.Filterable, Boosts: limits.Boosts,
		Expand: req.Expand, Rerank: req.Rerank, Rewrite: rewrite, Model: c.config.Models.Embedding, RequestID: c.requestID,
		KeepDuplicates: req.Keep, Space: space,
	}, nil
}

// rewrite is how the question is made whole from its session; nil when it is asked as it is.
func (req *searchRequest) rewrite(c *call) (*rag.Rewrite, error) {
	wanted := req.Rewrite == nil || *req.Rewrite
	if req.SessionID == "" {
		if req.Rewrite != nil && wanted {
			return nil, fault.Invalidf("sessionId", "field_required", "is required with rewrite: the session that the question belongs to")
		}
		return nil, nil
	}
	if err := chat.CheckSessionID(req.SessionID); err != nil {
		return nil, err
	}
	if !wanted {
		return nil, nil
	}
	models, err := llm.Candidates(c.config.Models, "")
	if err != nil {
		return nil, err
	}
	return &rag.Rewrite{Models: models, Session: req.SessionID, History: func(ctx context.Context) ([]llm.Message, error) {
		return c.said(ctx, req.SessionID)
	}}, nil
}

// recalled is how many messages of a session a question is made whole from at most. Calls of tools and their outcomes are among them, of
// which nothing is shown.
const recalled = 32

// said is what was said last in a session.
func (c *call) said(ctx context.Context, session string) ([]llm.Message, error) {
	return c.Sessions.Last(ctx, c.scope, session, recalled)
}
