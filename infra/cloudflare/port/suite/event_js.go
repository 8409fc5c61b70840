package main

import (
	"context"
	"io"
	"time"

	"levada.dev/consumers/audit/audittest"
	"levada.dev/events"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/trail"
)

// event is the event that runs a suite. The context of a test comes from no event, and the bindings work in one only,
// so what a suite tests is wrapped: each call is made in the event, for as long as the test's context says.
type event struct{ ctx context.Context }

func (ev event) in(test context.Context) context.Context { return joined{test, ev.ctx} }

// joined ends when the first context does and has the values of both.
type joined struct {
	context.Context
	event context.Context
}

// Value implements context.Context.
func (j joined) Value(key any) any {
	if v := j.Context.Value(key); v != nil {
		return v
	}
	return j.event.Value(key)
}

type ledger struct {
	event
	port *book.Client
}

func (x ledger) SubmitAll(ctx context.Context, s tenants.Scope, subs []corpus.Submission) ([]corpus.Outcome, error) {
	return x.port.SubmitAll(x.in(ctx), s, subs)
}

func (x ledger) Advance(ctx context.Context, s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	return x.port.Advance(x.in(ctx), s, ps)
}

func (x ledger) Documents(ctx context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	return x.port.Documents(x.in(ctx), s, ids)
}

func (x ledger) Shown(ctx context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	return x.port.Shown(x.in(ctx), s, ids)
}

func (x ledger) Edition(ctx context.Context, s tenants.Scope) (corpus.Edition, error) {
	return x.port.Edition(x.in(ctx), s)
}

func (x ledger) Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error) {
	return x.port.Job(x.in(ctx), s, id)
}

func (x ledger) Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error) {
	return x.port.Cancel(x.in(ctx), s, jobID)
}

func (x ledger) OpenImport(ctx context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	return x.port.OpenImport(x.in(ctx), s, im)
}

func (x ledger) Take(ctx context.Context, s tenants.Scope, id string, n int, entries []imports.Taking) (imports.Taken, error) {
	return x.port.Take(x.in(ctx), s, id, n, entries)
}

func (x ledger) NoteImport(ctx context.Context, s tenants.Scope, id string, note job.Problem) (job.Job, error) {
	return x.port.NoteImport(x.in(ctx), s, id, note)
}

func (x ledger) SealImport(ctx context.Context, s tenants.Scope, id string, entries int, failed *job.Problem) (job.Job, error) {
	return x.port.SealImport(x.in(ctx), s, id, entries, failed)
}

func (x ledger) Problems(ctx context.Context, s tenants.Scope, l imports.Listing) (imports.Page, error) {
	return x.port.Problems(x.in(ctx), s, l)
}

func (x ledger) List(ctx context.Context, s tenants.Scope, q corpus.Listing) (corpus.DocumentPage, error) {
	return x.port.List(x.in(ctx), s, q)
}

func (x ledger) Jobs(ctx context.Context, s tenants.Scope, q corpus.JobListing) (corpus.JobPage, error) {
	return x.port.Jobs(x.in(ctx), s, q)
}

func (x ledger) Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error) {
	return x.port.Delete(x.in(ctx), s, d)
}

func (x ledger) Resubmit(ctx context.Context, s tenants.Scope, r corpus.Resubmission) (corpus.Receipt, error) {
	return x.port.Resubmit(x.in(ctx), s, r)
}

type texts struct {
	event
	port corpus.Texts
}

func (x texts) Put(ctx context.Context, s tenants.Scope, key string, text []byte, contentType string) error {
	return x.port.Put(x.in(ctx), s, key, text, contentType)
}

func (x texts) Get(ctx context.Context, s tenants.Scope, key string) ([]byte, error) {
	return x.port.Get(x.in(ctx), s, key)
}

func (x texts) Delete(ctx context.Context, s tenants.Scope, keys ...string) error {
	return x.port.Delete(x.in(ctx), s, keys...)
}

func (x texts) List(ctx context.Context, s tenants.Scope, prefix string, limit int) ([]string, error) {
	return x.port.List(x.in(ctx), s, prefix, limit)
}

type vectors struct {
	event
	port corpus.Vectors
}

func (x vectors) Upsert(ctx context.Context, s tenants.Scope, model string, vs []corpus.Vector) error {
	return x.port.Upsert(x.in(ctx), s, model, vs)
}

func (x vectors) Delete(ctx context.Context, s tenants.Scope, model string, ids []string) error {
	return x.port.Delete(x.in(ctx), s, model, ids)
}

func (x vectors) Query(ctx context.Context, s tenants.Scope, model string, q corpus.VectorQuery) ([]corpus.Match, error) {
	return x.port.Query(x.in(ctx), s, model, q)
}

func (x vectors) Stored(ctx context.Context, s tenants.Scope, model string, ids []string) (int, error) {
	return x.port.Stored(x.in(ctx), s, model, ids)
}

func (x vectors) Processed(ctx context.Context, model string) (time.Time, error) {
	return x.port.Processed(x.in(ctx), model)
}

type embedder struct {
	event
	port llm.Embedder
}

func (x embedder) Embed(ctx context.Context, s tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	return x.port.Embed(x.in(ctx), s, c, texts)
}

type reranker struct {
	event
	port llm.Reranker
}

func (x reranker) Rerank(ctx context.Context, s tenants.Scope, c llm.Call, question string, texts []string) (llm.Reranked, error) {
	return x.port.Rerank(x.in(ctx), s, c, question, texts)
}

type model struct {
	event
	port llm.Model
}

func (x model) Generate(ctx context.Context, s tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	return x.port.Generate(x.in(ctx), s, c, p)
}

type claims struct {
	event
	port events.Claims
}

func (x claims) Put(ctx context.Context, s tenants.Scope, name string, data []byte) error {
	return x.port.Put(x.in(ctx), s, name, data)
}

func (x claims) Get(ctx context.Context, s tenants.Scope, name string) ([]byte, error) {
	return x.port.Get(x.in(ctx), s, name)
}

type cached struct {
	event
	port cache.Store
}

func (x cached) Get(ctx context.Context, s tenants.Scope, key cache.Key) ([]byte, error) {
	return x.port.Get(x.in(ctx), s, key)
}

func (x cached) Put(ctx context.Context, s tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	return x.port.Put(x.in(ctx), s, key, value, ttl)
}

type sender struct {
	event
	port events.Sender
}

func (x sender) Send(ctx context.Context, to events.Stage, messages [][]byte) error {
	return x.port.Send(x.in(ctx), to, messages)
}

type record struct {
	event
	port audittest.Trail
}

func (x record) Append(ctx context.Context, s tenants.Scope, entries []events.AuditEntry) error {
	return x.port.Append(x.in(ctx), s, entries)
}

func (x record) List(ctx context.Context, s tenants.Scope, q trail.Query, cursor string, limit int) (trail.Page, error) {
	return x.port.List(x.in(ctx), s, q, cursor, limit)
}

func (x record) Chain(ctx context.Context, s tenants.Scope, after int64, limit int) (trail.Lines, error) {
	return x.port.Chain(x.in(ctx), s, after, limit)
}

type money struct {
	event
	port quotatest.Ledger
}

func (x money) Exchange(ctx context.Context, s tenants.Scope, r quota.Report) (quota.Grant, error) {
	return x.port.Exchange(x.in(ctx), s, r)
}

func (x money) Statement(ctx context.Context, s tenants.Scope, q quota.Query) (quota.Statement, error) {
	return x.port.Statement(x.in(ctx), s, q)
}

func (x money) Bar(ctx context.Context, s tenants.Scope, by string) (bool, error) {
	return x.port.Bar(x.in(ctx), s, by)
}

func (x money) Unbar(ctx context.Context, s tenants.Scope, by string) error {
	return x.port.Unbar(x.in(ctx), s, by)
}

func (x money) Still(ctx context.Context, s tenants.Scope, still bool) error {
	return x.port.Still(x.in(ctx), s, still)
}

func (x money) StandsStill(ctx context.Context, s tenants.Scope) (bool, error) {
	return x.port.StandsStill(x.in(ctx), s)
}

type published struct {
	event
	port tenants.Reader
}

func (x published) Read(ctx context.Context, key string) ([]byte, error) {
	return x.port.Read(x.in(ctx), key)
}

type runs struct {
	event
	port flow.Runs
}

func (x runs) Start(ctx context.Context, s tenants.Scope, k flow.Kind, id string, params any) error {
	return x.port.Start(x.in(ctx), s, k, id, params)
}

func (x runs) Signal(ctx context.Context, s tenants.Scope, k flow.Kind, id, signal string, payload any) error {
	return x.port.Signal(x.in(ctx), s, k, id, signal, payload)
}

type parts struct {
	event
	port imports.Parts
}

func (x parts) Put(ctx context.Context, s tenants.Scope, id string, part int, ndjson io.Reader, size int64) error {
	return x.port.Put(x.in(ctx), s, id, part, ndjson, size)
}

func (x parts) Get(ctx context.Context, s tenants.Scope, id string, part int, limit int64) ([]byte, error) {
	return x.port.Get(x.in(ctx), s, id, part, limit)
}

func (x parts) Drop(ctx context.Context, s tenants.Scope, id string) error {
	return x.port.Drop(x.in(ctx), s, id)
}

type files struct {
	event
	port   imports.Files
	bucket r2.Bucket
}

func (x files) List(ctx context.Context, s tenants.Scope, prefix, cursor string, limit int) ([]imports.File, string, error) {
	return x.port.List(x.in(ctx), s, prefix, cursor, limit)
}

func (x files) Get(ctx context.Context, s tenants.Scope, name string, limit int64) ([]byte, error) {
	return x.port.Get(x.in(ctx), s, name, limit)
}

func (x files) Put(s tenants.Scope, name, contentType string, data []byte) {
	key := "t/" + string(s.Tenant()) + "/files/" + name // as the documentation tells owners
	if _, err := x.bucket.Put(x.in(context.Background()), key, data, &r2.PutOptions{ContentType: contentType}); err != nil {
		panic(err)
	}
}

type witness struct {
	event
	port corpus.Witness
}

func (x witness) Attest(ctx context.Context, s tenants.Scope, name, digest string) error {
	return x.port.Attest(x.in(ctx), s, name, digest)
}
