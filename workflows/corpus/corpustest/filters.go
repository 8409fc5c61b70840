package corpustest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// TestFilters checks that both indexes let the same chunks pass, whatever a filter says. Searches of the vectors' index have to know
// docId, source and the number meta.year.
func TestFilters(t *testing.T, model llm.EmbeddingModel, vectors corpus.Vectors, words corpus.Lexicon) {
	acme, _ := tenantstest.Two(t)
	sp := &space{t: t, x: vectors, model: model, doc: tenantstest.Fresh(t, "doc-")}
	sh := &shelf{t: t, x: words, doc: sp.doc, mark: "m"}
	long := strings.Repeat("é", 31) // 62 bytes
	sources := []string{"", "a", "A", "b0", "é", "s", long + "a", long + "ab", long + "abc", long + "é", strings.Repeat("x", 64), strings.Repeat("x", 65), "水", `"q"`}
	years := []any{nil, 0.0, 1.0, -1.5, 2026.0, 1e21, "1", true, false, []any{1.0}, map[string]any{"a": 1.0}}
	var vs []corpus.Vector
	var ps []corpus.Passage
	for i, source := range sources {
		v := sp.vector(acme, i, 0)
		v.Metadata.Source, v.Metadata.Meta = source, nil
		vs = append(vs, v)
	}
	for i, year := range years {
		v := sp.vector(acme, len(sources)+i, 0)
		v.Metadata.Source, v.Metadata.Meta = "a", map[string]any{"year": year}
		vs = append(vs, v)
	}
	for _, v := range vs {
		ps = append(ps, corpus.Passage{Metadata: v.Metadata, Body: sh.words("water")})
	}
	sp.upsert(acme, vs...)
	sh.put(acme, ps...)
	most := 0
	for _, filter := range filters(sources) {
		byVectors := chunks(sp.filtered(acme, 0, corpus.MaxTopK, filter))
		q := sh.query("water")
		q.TopK, q.Filter = corpus.MaxTopK, sh.inDocument(filter)
		byWords := chunksOf(sh.ask(acme, q))
		slices.Sort(byVectors)
		slices.Sort(byWords)
		assert.Equal(t, byVectors, byWords, filter)
		most = max(most, len(byWords))
	}
	assert.Greater(t, most, len(sources))
}

// filters are all operators with values that a filter may have: those of the field's kind. What documents have there is of any.
func filters(sources []string) []string {
	var all []string
	add := func(field, operator string, v any) {
		b, err := json.Marshal(map[string]any{field: map[string]any{operator: v}})
		if err != nil {
			panic(err)
		}
		all = append(all, string(b))
	}
	texts := []any{}
	for _, s := range sources {
		if s != "" && len(s) <= 64 {
			texts = append(texts, s)
		}
	}
	for field, values := range map[string][]any{"source": texts, "meta.year": {0, 1, -1.5, 2026, 1e21}} {
		for i, v := range values {
			add(field, "$eq", v)
			add(field, "$ne", v)
			add(field, "$in", []any{v, values[(i+3)%len(values)]})
			add(field, "$nin", []any{v, values[(i+3)%len(values)]})
			for _, operator := range []string{"$lt", "$lte", "$gt", "$gte"} {
				add(field, operator, v)
			}
		}
	}
	return append(all, `{"meta.year":{"$gte":0,"$lt":2026}}`, `{"source":{"$gt":"A","$lte":"é"},"meta.year":{"$ne":1}}`, `{"source":"a","meta.year":1}`)
}

// inDocument is a filter on the test's own document, too.
func (sh *shelf) inDocument(filter string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"docId":%q,%s`, sh.doc, filter[1:]))
}
