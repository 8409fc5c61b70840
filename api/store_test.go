package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// store is every port behind the handler at once, for several tenants: an intake that indexes nothing until finish
// says so, and an index in which every searchable document is as near as the next.
type store struct {
	now func() time.Time

	mu        sync.Mutex
	documents map[string]corpus.Document // by scope key
	jobs      map[string]job.Job
	texts     map[string][]byte
	receipts  map[string]receipt
	chunks    map[tenants.ID][]corpus.Match
	lag       time.Duration // of the index behind its writes
	fail      error         // of every call
	drafts    []corpus.Draft
	filters   []string
	looks     int // at jobs
}

type receipt struct {
	corpus.Receipt
	hash string
}

func newStore(now func() time.Time) *store {
	return &store{now: now, documents: map[string]corpus.Document{}, jobs: map[string]job.Job{}, texts: map[string][]byte{},
		receipts: map[string]receipt{}, chunks: map[tenants.ID][]corpus.Match{}}
}

// enter locks the store and says whether the call may go on.
func (s *store) enter(ctx context.Context, scope tenants.Scope) (unlock func(), err error) {
	if err := scope.Check(); err != nil {
		return func() {}, err
	}
	if err := ctx.Err(); err != nil {
		return func() {}, err
	}
	s.mu.Lock()
	return s.mu.Unlock, s.fail
}

// Submit implements api.Intake.
func (s *store) Submit(ctx context.Context, scope tenants.Scope, d corpus.Draft) (corpus.Receipt, error) {
	unlock, err := s.enter(ctx, scope)
	defer unlock()
	if err != nil {
		return corpus.Receipt{}, err
	}
	key := scope.Key("receipt", d.Cause.IdempotencyKey)
	if first, ok := s.receipts[key]; ok && d.Cause.IdempotencyKey != "" {
		if first.hash != d.RequestHash {
			return corpus.Receipt{}, fault.New(fault.Conflict, "idempotency_conflict", "the key was used for another request", nil)
		}
		first.Replayed = true
		return first.Receipt, nil
	}
	if d.DocID == "" {
		d.DocID = fmt.Sprintf("doc-%d", len(s.documents)+1)
	}
	s.drafts = append(s.drafts, d)
	sum := sha256.Sum256(d.Text)
	docKey := scope.Key("document", d.DocID)
	doc := corpus.Document{
		ID: d.DocID, About: d.About, ContentType: d.ContentType, State: corpus.Submitted, Model: d.Model,
		Generation: s.documents[docKey].Generation + 1, Searchable: s.documents[docKey].Searchable,
		Bytes: len(d.Text), SHA256: hex.EncodeToString(sum[:]), TextKey: d.DocID, CreatedAt: s.now(), UpdatedAt: s.now(),
	}
	doc.JobID = fmt.Sprintf("job-%d", len(s.jobs)+1)
	s.documents[docKey] = doc
	s.texts[scope.Key("text", doc.TextKey)] = d.Text
	s.jobs[scope.Key("job", doc.JobID)] = job.Job{ID: doc.JobID, Kind: "ingest", State: job.Queued, Stage: "chunk", DocID: doc.ID,
		CreatedAt: s.now(), UpdatedAt: s.now()}
	r := corpus.Receipt{DocID: doc.ID, JobID: doc.JobID, Generation: doc.Generation}
	s.receipts[key] = receipt{r, d.RequestHash}
	return r, nil
}

// finish ends a job as consumers would.
func (s *store) finish(scope tenants.Scope, jobID string, state job.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[scope.Key("job", jobID)]
	j.State, j.Stage, j.UpdatedAt = state, "index", s.now()
	d := s.documents[scope.Key("document", j.DocID)]
	d.UpdatedAt = s.now()
	if state == job.Succeeded {
		j.Percent, j.Counts = 100, job.Counts{Total: 1, Done: 1}
		d.State, d.Searchable, d.Chunks = corpus.Indexed, d.Generation, 1
		d.Stages = []corpus.StageTimes{{Stage: corpus.StageIndex, At: s.now(), Done: 1, Total: 1}}
		s.chunks[scope.Tenant()] = append(s.chunks[scope.Tenant()], corpus.Match{Score: 0.5, Metadata: corpus.Metadata{
			DocID: d.ID, Generation: d.Generation, End: d.Bytes, Text: string(s.texts[scope.Key("text", d.TextKey)]), Meta: d.Metadata}})
	} else {
		j.Errors = []job.Problem{{Stage: "embed", Code: "model_busy", Message: "gave up", At: s.now()}}
		d.State, d.Reason = corpus.Failed, "gave up"
	}
	s.jobs[scope.Key("job", jobID)], s.documents[scope.Key("document", j.DocID)] = j, d
}

// ledger, texts, vectors and embedder are the store as one port each.
type (
	ledger   struct{ *store }
	texts    struct{ *store }
	vectors  struct{ *store }
	embedder struct{ *store }
)

func (l ledger) Submit(context.Context, tenants.Scope, corpus.Submission) (corpus.Receipt, error) {
	panic("the api submits to the intake")
}

func (l ledger) Advance(context.Context, tenants.Scope, []corpus.Progress) ([]corpus.Verdict, error) {
	panic("the api advances nothing")
}

func (l ledger) Documents(ctx context.Context, scope tenants.Scope, ids []string) ([]corpus.Document, error) {
	unlock, err := l.enter(ctx, scope)
	defer unlock()
	var found []corpus.Document
	for _, id := range ids {
		if d, ok := l.documents[scope.Key("document", id)]; ok {
			found = append(found, d)
		}
	}
	return found, err
}

func (l ledger) Job(ctx context.Context, scope tenants.Scope, id string) (job.Job, error) {
	unlock, err := l.enter(ctx, scope)
	defer unlock()
	if err != nil {
		return job.Job{}, err
	}
	l.looks++
	j, ok := l.jobs[scope.Key("job", id)]
	if !ok {
		return job.Job{}, fault.Missing("job_not_found", "there is no such job")
	}
	return j, nil
}

func (t texts) Get(ctx context.Context, scope tenants.Scope, key string) ([]byte, error) {
	unlock, err := t.enter(ctx, scope)
	defer unlock()
	if err != nil {
		return nil, err
	}
	text, ok := t.texts[scope.Key("text", key)]
	if !ok {
		return nil, fault.Missing("text_not_found", "there is no such text")
	}
	return text, nil
}

func (t texts) Put(context.Context, tenants.Scope, string, []byte, string) error {
	panic("the api stores nothing")
}

func (t texts) Delete(context.Context, tenants.Scope, string) error { panic("the api removes nothing") }

func (v vectors) Query(ctx context.Context, scope tenants.Scope, _ string, q corpus.VectorQuery) ([]corpus.Match, error) {
	unlock, err := v.enter(ctx, scope)
	defer unlock()
	v.filters = append(v.filters, string(q.Filter))
	all := v.chunks[scope.Tenant()]
	return all[:min(len(all), q.TopK)], err
}

func (v vectors) Processed(context.Context, string) (time.Time, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now().Add(-v.lag), v.fail
}

func (v vectors) Upsert(context.Context, tenants.Scope, string, []corpus.Vector) error {
	panic("the api writes no vectors")
}

func (v vectors) Delete(context.Context, tenants.Scope, string, []string) error {
	panic("the api removes no vectors")
}

func (e embedder) Embed(ctx context.Context, scope tenants.Scope, _ llm.Call, texts []string) (llm.Embedded, error) {
	unlock, err := e.enter(ctx, scope)
	defer unlock()
	if strings.Contains(strings.Join(texts, ""), "panic") {
		panic("a secret of the embedder")
	}
	return llm.Embedded{Vectors: make([][]float32, len(texts))}, err
}
