package builtin

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/tools"
)

// library is a retriever that answers with what it has, and keeps what it was asked.
type library struct {
	found rag.Result
	err   error
	asked map[tenants.ID]rag.Query
}

func (l *library) Search(_ context.Context, s tenants.Scope, q rag.Query) (rag.Result, error) {
	if l.asked == nil {
		l.asked = map[tenants.ID]rag.Query{}
	}
	l.asked[s.Tenant()] = q
	return l.found, l.err
}

func TestSearchDocs(t *testing.T) {
	acme, globex := two(t)
	l := &library{found: rag.Result{
		Sources: []rag.Source{
			{DocID: "a", ChunkID: "a#0", Title: "A", Source: "wiki", URL: "https://a.example/", Text: "Water.", Start: 3, End: 9, Score: 0.5},
			{DocID: "b", ChunkID: "b#1", Text: strings.Repeat("w ", sourceChars)},
		},
		Degraded: []rag.Missing{{Part: rag.PartVector, Code: "model_busy"}},
	}}
	for _, c := range []*tenants.Config{acme, globex} {
		got, err := call[searchDocsOutput](t, Deps{Retriever: l}, c, "search_docs", in{
			"query": "water?", "top_k": 2, "mode": "keyword", "filter": in{"category": "news"},
		})
		require.NoError(t, err)
		assert.Equal(t, foundSource{"a", "a#0", "A", "wiki", "https://a.example/", "Water.", 3, 9, 0.5}, got.Sources[0])
		assert.True(t, strings.HasSuffix(got.Sources[1].Text, " w…"))
		assert.Less(t, len(got.Sources[1].Text), sourceChars+len("…")+1)
		assert.Equal(t, []foundWithout{{"vector", "model_busy"}}, got.Degraded)
		asked := l.asked[c.ID]
		assert.Equal(t, []any{"water?", 2, rag.Keyword, c.Models.Embedding, "r-1"}, []any{asked.Text, asked.TopK, asked.Mode, asked.Model, asked.RequestID})
		assert.JSONEq(t, `{"category":"news"}`, string(asked.Filter))
	}
	l.found = rag.Result{}
	got, err := call[searchDocsOutput](t, Deps{Retriever: l}, acme, "search_docs", in{"query": "water"})
	require.NoError(t, err)
	assert.Equal(t, []foundSource{}, got.Sources)
	assert.Equal(t, acme.Search.TopK, l.asked["acme"].TopK)
	assert.Nil(t, l.asked["acme"].Filter)
}

func TestSearchesThatAreRefused(t *testing.T) {
	acme, _ := two(t)
	l := &library{}
	for field, input := range map[string]in{
		"params.query": {"query": ""}, "query": {"query": " "}, "params.top_k": {"query": "a", "top_k": 0}, "params.mode": {"query": "a", "mode": "magic"},
		"params.filter": {"query": "a", "filter": "b"}, "top_k": {"query": "a", "top_k": acme.Search.MaxTopK + 1},
	} {
		refused(t, Deps{Retriever: l}, "search_docs", input, field, "")
	}
	refused(t, Deps{Retriever: l}, "search_docs", in{"query": strings.Repeat("a", acme.Limits.QueryChars+1)}, "query", "characters long")
	assert.Empty(t, l.asked)
	l.err = fault.Invalidf("filter.colour", "filter_field", "is no field")
	refused(t, Deps{Retriever: l}, "search_docs", in{"query": "a", "filter": in{"colour": "red"}}, "filter.colour", "is no field")
	l.err = fault.Invalidf("topK", "value_out_of_range", "is too many")
	refused(t, Deps{Retriever: l}, "search_docs", in{"query": "a"}, "top_k", "is too many")
	l.err = fault.Unavailablef(nil, "lexicon_unreachable", "down")
	_, err := call[searchDocsOutput](t, Deps{Retriever: l}, acme, "search_docs", in{"query": "a"})
	assert.True(t, fault.Is(err, fault.Unavailable))
}

// office takes documents in: those with one key are one.
type office struct {
	drafts map[string]corpus.Draft
	body   map[string]any
	bytes  int

	readErr, affordErr, submitErr error
}

func (o *office) Submit(_ context.Context, s tenants.Scope, d corpus.Draft) (corpus.Receipt, error) {
	if o.submitErr != nil {
		return corpus.Receipt{}, o.submitErr
	}
	o.drafts[string(s.Tenant())+"/"+d.Cause.IdempotencyKey] = d
	return corpus.Receipt{DocID: d.DocID, JobID: "job-of-" + d.Cause.IdempotencyKey}, nil
}

func (o *office) deps() Deps {
	return Deps{
		Documents: o,
		Draft: func(c *tenants.Config, body []byte) (corpus.Draft, error) {
			o.body = nil
			if err := json.Unmarshal(body, &o.body); err != nil || o.readErr != nil {
				return corpus.Draft{}, o.readErr
			}
			return corpus.Draft{DocID: o.body["docId"].(string), Text: []byte(o.body["text"].(string)), Model: c.Models.Embedding}, nil
		},
		Afford: func(_ context.Context, _ tenants.Scope, _ *tenants.Config, bytes int) error {
			o.bytes = bytes
			return o.affordErr
		},
	}
}

func TestIngestDocs(t *testing.T) {
	acme, globex := two(t)
	o := &office{drafts: map[string]corpus.Draft{}}
	for range 2 { // the second with the same call id
		for _, c := range []*tenants.Config{acme, globex} {
			got, err := call[ingestDocsOutput](t, o.deps(), c, "ingest_docs", in{
				"content": guide, "doc_id": strings.Repeat("d", 256), "source": "wiki", "title": "Levadas", "chunk_size": 400, "metadata": in{"year": 2026},
			})
			require.NoError(t, err)
			assert.Equal(t, ingestDocsOutput{DocID: strings.Repeat("d", 256), JobID: "job-of-call-1"}, got)
			assert.Equal(t, len(guide), o.bytes)
			assert.Equal(t, events.Cause{IdempotencyKey: "call-1"}, o.drafts[string(c.ID)+"/call-1"].Cause)
		}
	}
	assert.Len(t, o.drafts, 2, "one for each tenant")
	tokens := o.body["chunking"].(map[string]any)["maxTokens"].(float64)
	assert.InDelta(t, 100, tokens, 30)
	delete(o.body, "chunking")
	assert.Equal(t, map[string]any{
		"docId": strings.Repeat("d", 256), "text": guide, "contentType": "text/markdown", "title": "Levadas", "source": "wiki", "metadata": map[string]any{"year": 2026.0},
	}, o.body)
	_, err := call[ingestDocsOutput](t, o.deps(), acme, "ingest_docs", in{"content": strings.Repeat("水", 10_000), "doc_id": "a", "chunk_size": 10_000})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"maxTokens": 512.0}, o.body["chunking"], "what the model reads")
	assert.Equal(t, "text/plain", o.body["contentType"])
}

func TestDocumentsThatAreRefused(t *testing.T) {
	acme, _ := two(t)
	o := &office{drafts: map[string]corpus.Draft{}}
	for field, input := range map[string]in{
		"params.content": {"content": "", "doc_id": "a"}, "params.doc_id": {"content": "a", "doc_id": strings.Repeat("a", 257)},
		"params.chunk_size": {"content": "a", "doc_id": "a", "chunk_size": 99}, "params.metadata": {"content": "a", "doc_id": "a", "metadata": []any{}},
		"params.title": {"content": "a", "doc_id": "a", "title": strings.Repeat("a", 501)}, "params.url": {"content": "a", "doc_id": "a", "url": "https://a.example"},
	} {
		refused(t, o.deps(), "ingest_docs", input, field, "")
	}
	o.readErr = fault.Invalidf("metadata.year", "metadata_type", "searches filter on this field as a number")
	refused(t, o.deps(), "ingest_docs", in{"content": "a", "doc_id": "a"}, "metadata.year", "as a number")
	o.readErr = nil
	for field, member := range map[string]string{"docId": "doc_id", "text": "content", "chunking.maxTokens": "chunk_size"} {
		o.submitErr = fault.Invalidf(field, "wrong", "is wrong").WithHint("another")
		refused(t, o.deps(), "ingest_docs", in{"content": "a", "doc_id": "a"}, member, "is wrong")
	}
	o.submitErr = nil
	o.affordErr = fault.New(fault.Limited, "budget_exhausted", "", nil)
	_, err := call[ingestDocsOutput](t, o.deps(), acme, "ingest_docs", in{"content": "a", "doc_id": "a"})
	assert.True(t, fault.Is(err, fault.Limited))
	assert.Empty(t, o.drafts)
}

func TestWhatTheyNeed(t *testing.T) {
	needs := map[string][]tenants.APIScope{"search_docs": {tenants.ScopeSearch}, "ingest_docs": {tenants.ScopeIngest}}
	effects := map[string]tools.Effects{"search_docs": tools.Reads, "classify_intent": tools.Reads, "ingest_docs": tools.Writes}
	for _, tool := range All(Deps{}) {
		assert.Equal(t, needs[tool.Name], tool.Needs, tool.Name)
		want := effects[tool.Name]
		if want == "" {
			want = tools.NoEffects
		}
		assert.Equal(t, want, tool.Effects, tool.Name)
	}
}
