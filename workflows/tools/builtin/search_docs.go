package builtin

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/prose"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/tools"
)

type searchDocsInput struct {
	Query  string         `json:"query" jsonschema:"minLength=1" jsonschema_description:"The question, or words. As long as the tenant's questions may be."`
	TopK   int            `json:"top_k,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"How many sources at most, up to the tenant's limit. Left out: the tenant's default."`
	Filter map[string]any `json:"filter,omitempty" jsonschema_description:"What the documents have to be, in the filter language of POST /search: {\"category\": \"news\", \"year\": {\"$gte\": 2020}}."`
	Mode   string         `json:"mode,omitempty" jsonschema:"enum=hybrid,enum=vector,enum=keyword,default=hybrid" jsonschema_description:"Which of the indexes answer: both, that of meanings, or that of words."`
}

type searchDocsOutput struct {
	Sources  []foundSource  `json:"sources" jsonschema_description:"Places in the tenant's documents that answer the question, the best first."`
	Degraded []foundWithout `json:"degraded,omitempty" jsonschema_description:"What the search was made without, though it was to be part of it."`
}

type foundSource struct {
	DocID       string  `json:"doc_id" jsonschema_description:"The document's id."`
	ChunkID     string  `json:"chunk_id" jsonschema_description:"The id of the place."`
	Title       string  `json:"title" jsonschema_description:"The document's title."`
	Source      string  `json:"source" jsonschema_description:"Where the document is from."`
	URL         string  `json:"url,omitempty" jsonschema_description:"Its address."`
	Text        string  `json:"text" jsonschema_description:"What stands there. What is too long is cut, and ends with an ellipsis."`
	StartOffset int     `json:"start_offset" jsonschema:"minimum=0" jsonschema_description:"Where the place begins: bytes of the document's stored text, as in POST /search."`
	EndOffset   int     `json:"end_offset" jsonschema:"minimum=0" jsonschema_description:"Where it ends, in bytes of the stored text."`
	Score       float64 `json:"score" jsonschema_description:"How well it answers."`
}

type foundWithout struct {
	Part string `json:"part" jsonschema_description:"The part of the search: vector, keyword."`
	Code string `json:"code" jsonschema_description:"Why it could not be had."`
}

func searchDocsTool(d Deps) tool {
	return define(tools.Tool{
		Name: "search_docs",
		Description: "Searches the tenant's documents and returns the passages that answer the question best, with their documents. Use it for anything " +
			"that the documents may know.",
		Needs: []tenants.APIScope{tenants.ScopeSearch}, Cost: tools.Models, Effects: tools.Reads,
	}, d.searchDocs)
}

// sourceChars is how much of a place is told at most. With the most sources that is well below what a result may have.
const sourceChars = 4000

func (d Deps) searchDocs(ctx context.Context, c *tools.Call, in searchDocsInput) (searchDocsOutput, error) {
	query, err := in.query(c)
	if err != nil {
		return searchDocsOutput{}, err
	}
	found, err := d.Retriever.Search(ctx, c.Scope, query)
	if err != nil {
		return searchDocsOutput{}, renamed(err, "topK", "top_k")
	}
	out := searchDocsOutput{Sources: make([]foundSource, len(found.Sources))}
	for i, s := range found.Sources {
		text := prose.Shorten(s.Text, sourceChars)
		if len(text) < len(s.Text) {
			text += "…"
		}
		out.Sources[i] = foundSource{s.DocID, s.ChunkID, s.Title, s.Source, s.URL, text, s.Start, s.End, s.Score}
	}
	for _, m := range found.Degraded {
		out.Degraded = append(out.Degraded, foundWithout{string(m.Part), m.Code})
	}
	return out, nil
}

// query checks the call against the tenant's limits, as POST /search does.
func (in searchDocsInput) query(c *tools.Call) (rag.Query, error) {
	limits, most := c.Config.Search, c.Config.Limits.QueryChars
	if in.TopK == 0 {
		in.TopK = limits.TopK
	}
	switch chars := utf8.RuneCountInString(in.Query); {
	case strings.TrimSpace(in.Query) == "":
		return rag.Query{}, fault.Invalidf("query", tools.CodeInvalid, "is blank")
	case chars > most:
		return rag.Query{}, fault.Invalidf("query", tools.CodeInvalid, "is %d characters long, above the tenant's %d", chars, most)
	case in.TopK > limits.MaxTopK:
		return rag.Query{}, fault.Invalidf("top_k", tools.CodeInvalid, "is above the tenant's %d", limits.MaxTopK)
	}
	var filter json.RawMessage
	if in.Filter != nil {
		var err error
		if filter, err = json.Marshal(in.Filter); err != nil {
			return rag.Query{}, fault.Invalidf("filter", tools.CodeInvalid, "is not JSON")
		}
	}
	return rag.Query{
		Text: in.Query, TopK: in.TopK, Mode: rag.Mode(in.Mode), Filter: filter, Fields: limits.Filterable, Boosts: limits.Boosts,
		Model: c.Config.Models.Embedding, RequestID: c.RequestID, Purpose: llm.ForTools, Cache: limits.CacheTTL(),
	}, nil
}
