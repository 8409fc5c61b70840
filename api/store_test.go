package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

// store is the ports behind the handler, in memory, with the real intake in front. Consumers there are none: a job
// ends when finish says so.
type store struct {
	*intake.Intake
	ledger   *memory.Ledger
	texts    *memory.Texts
	parts    *memory.Parts
	vectors  *memory.Vectors
	lexicon  *memory.Lexicon
	embedder *llmtest.Embedder
	reranker *llmtest.Reranker

	mu     sync.Mutex
	fail   func(op string) error // before calls of the ledger
	looks  int                   // at jobs
	drafts []corpus.Draft
}

func newStore(now func() time.Time) *store {
	s := &store{ledger: memory.NewLedger(now), texts: &memory.Texts{}, parts: &memory.Parts{}, vectors: memory.NewVectors(now), lexicon: memory.NewLexicon(), embedder: &llmtest.Embedder{}, reranker: &llmtest.Reranker{}}
	s.ledger.Before = func(op string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if op == "job" {
			s.looks++
		}
		if s.fail == nil {
			return nil
		}
		return s.fail(op)
	}
	s.embedder.Before = func(_ llm.Call, texts []string) error {
		if strings.Contains(texts[0], "panic") {
			panic("a secret of the embedder")
		}
		return nil
	}
	ids := 0
	s.Intake = intake.New(s.texts, s.ledger, &intake.Options{NewID: func() string {
		ids++
		return fmt.Sprintf("id-%d", ids)
	}})
	return s
}

// Submit implements api.Intake.
func (s *store) Submit(ctx context.Context, scope tenants.Scope, d corpus.Draft) (corpus.Receipt, error) {
	s.drafts = append(s.drafts, d)
	return s.Intake.Submit(ctx, scope, d)
}

func (s *store) failing(f func(op string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// finish ends a job as the consumers would: the document is one chunk.
func (w *world) finish(tenant, jobID string, state job.State) {
	w.t.Helper()
	ctx, scope := context.Background(), w.scope(tenant)
	j, err := w.store.ledger.Job(ctx, scope, jobID)
	require.NoError(w.t, err)
	found, err := w.store.ledger.Documents(ctx, scope, []string{j.DocID})
	require.NoError(w.t, err)
	d := found[0]
	p := corpus.Progress{
		DocumentRef: events.DocumentRef{DocID: d.ID, Generation: d.Generation, JobID: jobID},
		Slice:       events.Slice{Slices: 1, Chunks: 1}, Cause: events.Cause{ID: "test"},
	}
	if state == job.Failed {
		p.Stage, p.Code, p.Message, p.Attempts = corpus.StageEmbed, "model_busy", "gave up", 3
		_, err = w.store.ledger.Advance(ctx, scope, []corpus.Progress{p})
		require.NoError(w.t, err)
		return
	}
	text, err := w.store.texts.Get(ctx, scope, d.TextKey)
	require.NoError(w.t, err)
	model, err := llm.FindEmbedding(d.Model)
	require.NoError(w.t, err)
	values, _ := llmtest.Vector(string(text), model.Dimensions)
	m := corpus.Metadata{DocID: d.ID, Generation: d.Generation, End: len(text), Text: string(text), Source: d.Source, Meta: d.Metadata}
	require.NoError(w.t, w.store.vectors.Upsert(ctx, scope, d.Model, []corpus.Vector{{
		ID: corpus.VectorID(scope, d.ID, d.Generation, 0), Values: values, Metadata: m,
	}}))
	head, body := terms.Passage(d.Title, "", m.Text)
	require.NoError(w.t, w.store.lexicon.Put(ctx, scope, []corpus.Passage{{Metadata: m, Head: head, Body: body}}))
	chunked, indexed := p, p
	chunked.Stage, indexed.Stage, indexed.Embedded = corpus.StageChunk, corpus.StageIndex, w.opts.Now()
	_, err = w.store.ledger.Advance(ctx, scope, []corpus.Progress{chunked, indexed})
	require.NoError(w.t, err)
}
