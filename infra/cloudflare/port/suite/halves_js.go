package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/vectorize"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon/book"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// nowhere is a binding that this Worker does not have, so that each call of it fails.
const nowhere = "NOWHERE"

// one is a corpus of one document, whose vector and words are in the platform's own indexes.
type one struct {
	corpus.Ledger
	doc string
}

func (o one) Edition(context.Context, tenants.Scope) (corpus.Edition, error) {
	return corpus.Edition{Number: 1}, nil
}

func (o one) Shown(_ context.Context, _ tenants.Scope, ids []string) (ds []corpus.Document, err error) {
	for _, id := range ids {
		if id == o.doc {
			ds = append(ds, corpus.Document{ID: id, Searchable: 1})
		}
	}
	return ds, nil
}

// ahead is a model that finds each question where the document is.
type ahead struct{ size int }

func (a ahead) Embed(_ context.Context, _ tenants.Scope, _ llm.Call, texts []string) (e llm.Embedded, err error) {
	for range texts {
		v := make([]float32, a.size)
		v[0] = 1
		e.Vectors = append(e.Vectors, v)
	}
	return e, nil
}

// halves searches while one of the two indexes cannot be reached: the other answers, and the answer says which is missing. Where it is the only one
// that is asked, or both are away, there is no answer.
func halves(t *testing.T, ev event, model llm.EmbeddingModel) {
	acme, globex := tenantstest.Two(t)
	doc := tenantstest.Fresh(t, "doc-")
	there, thereToo := vectors{ev, port.Indexes()}, words{ev, newLexicon(1)}
	away := vectors{ev, port.NewVectors(map[string]vectorize.Index{model.Name: vectorize.Open(nowhere)})}
	awayToo := words{ev, port.NewLexicon(object.Open(nowhere), book.Shards(func(context.Context, tenants.Scope) (int, error) { return 2, nil }))}
	values := make([]float32, model.Dimensions)
	values[0] = 1
	for _, s := range []tenants.Scope{acme, globex} {
		m := corpus.Metadata{DocID: doc, Generation: 1, Text: "Water of " + string(s.Tenant())}
		require.NoError(t, thereToo.Put(t.Context(), s, []corpus.Passage{{Metadata: m, Body: []string{"water"}}}))
		require.NoError(t, there.Upsert(t.Context(), s, model.Name, []corpus.Vector{{ID: corpus.VectorID(s, doc, 1, 0), Values: values, Metadata: m}}))
	}
	search := func(s tenants.Scope, v corpus.Vectors, w corpus.Lexicon, mode rag.Mode) (rag.Result, error) {
		r := rag.New(rag.Ports{Embedder: ahead{model.Dimensions}, Vectors: v, Lexicon: w, Ledger: one{doc: doc}}, nil)
		return r.Search(t.Context(), s, rag.Query{Text: "water", TopK: 3, Mode: mode, Model: model.Name})
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // until the index shows what it has taken
		a, errA := search(acme, there, nil, rag.Vector)
		g, errG := search(globex, there, nil, rag.Vector)
		require.NoError(t, errA)
		require.NoError(t, errG)
		if len(a.Sources) == 1 && len(g.Sources) == 1 {
			break
		}
		require.True(t, time.Now().Before(deadline), "the vectors are not shown")
	}
	for name, c := range map[string]struct {
		vectors corpus.Vectors
		words   corpus.Lexicon
		missing []rag.Missing
	}{
		"both are there":         {there, thereToo, nil},
		"the lexicon is away":    {there, awayToo, []rag.Missing{{Part: rag.PartKeyword, Code: "object_unavailable"}}},
		"the vectors are away":   {away, thereToo, []rag.Missing{{Part: rag.PartVector, Code: "index_unavailable"}}},
		"neither can be reached": {away, awayToo, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range []tenants.Scope{acme, globex} {
				r, err := search(s, c.vectors, c.words, rag.Hybrid)
				if name == "neither can be reached" {
					assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, c.missing, r.Degraded)
				require.Len(t, r.Sources, 1)
				assert.Equal(t, "Water of "+string(s.Tenant()), r.Sources[0].Text)
				assert.Equal(t, lacks(c.missing, rag.PartVector), r.Sources[0].Scores.Vector == nil)
				assert.Equal(t, lacks(c.missing, rag.PartKeyword), r.Sources[0].Scores.Keyword == nil)
			}
		})
	}
	t.Run("asked alone", func(t *testing.T) {
		_, err := search(acme, away, thereToo, rag.Vector)
		assert.Equal(t, "index_unavailable", fault.As(err).Code)
		_, err = search(acme, there, awayToo, rag.Keyword)
		assert.Equal(t, "object_unavailable", fault.As(err).Code)
	})
}

func lacks(missing []rag.Missing, part rag.Part) bool {
	return slices.ContainsFunc(missing, func(m rag.Missing) bool { return m.Part == part })
}
