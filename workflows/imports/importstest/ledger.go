package importstest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// Book is what keeps imports, with the documents that come with them.
type Book interface {
	imports.Ledger
	corpus.Ledger
	Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error)
}

// TestLedger checks the promises of imports.Ledger. Whether events reach the queue is not its business.
func TestLedger(t *testing.T, newBook func(t *testing.T) Book) {
	for name, test := range map[string]func(*desk){
		"an import's way":                            (*desk).way,
		"nothing is taken twice":                     (*desk).repeated,
		"an import is opened once":                   (*desk).opened,
		"an import belongs to a tenant":              (*desk).belonging,
		"what is refused is counted and listed":      (*desk).refused,
		"its end may come before its entries":        (*desk).sealedFirst,
		"each problem is told":                       (*desk).problems,
		"the rest cannot be had":                     (*desk).broken,
		"nothing came of it":                         (*desk).futile,
		"a newer document overtakes":                 (*desk).overtaken,
		"unchanged documents are done at once":       (*desk).unchanged,
		"a cancelled import takes and shows no more": (*desk).cancelled,
		"what waits is cancelled":                    (*desk).cancelledWaiting,
		"it takes what there is room for":            (*desk).full,
		"nobody's call is refused":                   (*desk).nobody,
	} {
		t.Run(name, func(t *testing.T) {
			test(&desk{T: t, Book: newBook(t), scope: tenant(t), other: tenant(t)})
		})
	}
}

// tenant is one whose ledger nobody has used: what others have left on its way would have its turn before.
func tenant(t *testing.T) tenants.Scope {
	return tenantstest.Scope(t, "t"+strings.ReplaceAll(tenantstest.Fresh(t, ""), "-", "")[4:])
}

// desk is one test's tenant.
type desk struct {
	*testing.T
	Book
	scope, other tenants.Scope
}

func (d *desk) open(edit ...func(*imports.Import)) string {
	d.Helper()
	im := imports.Import{
		ID: tenantstest.Fresh(d, ""), Origin: imports.Origin{Prefix: "docs/"}, Source: "wiki", Cause: events.Cause{ID: tenantstest.Fresh(d, "request-")},
	}
	for _, e := range edit {
		e(&im)
	}
	j, err := d.OpenImport(d.Context(), d.scope, im)
	require.NoError(d, err)
	require.Equal(d, im.ID, j.ID)
	return im.ID
}

func (d *desk) submission() corpus.Submission {
	id := tenantstest.Fresh(d, "doc-")
	return corpus.Submission{
		DocID: id, JobID: tenantstest.Fresh(d, ""), ContentType: "text/plain", TextKey: id + "/sum", Bytes: 12, SHA256: "sum", Model: "m",
		Cause: events.Cause{ID: "request", IdempotencyKey: "one for all"},
	}
}

// entries makes n entries that can be taken.
func (d *desk) entries(n int) ([]imports.Taking, []events.DocumentRef) {
	es, refs := make([]imports.Taking, n), make([]events.DocumentRef, n)
	for i := range es {
		sub := d.submission()
		es[i].Submission = &sub
		refs[i] = events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}
	}
	return es, refs
}

func (d *desk) take(id string, from int, es []imports.Taking) imports.Taken {
	d.Helper()
	taken, err := d.Take(d.Context(), d.scope, id, from, es)
	require.NoError(d, err)
	return taken
}

func (d *desk) seal(id string, entries int, failed *job.Problem) job.Job {
	d.Helper()
	j, err := d.SealImport(d.Context(), d.scope, id, entries, failed)
	require.NoError(d, err)
	return j
}

func (d *desk) job(id string) job.Job {
	d.Helper()
	j, err := d.Job(d.Context(), d.scope, id)
	require.NoError(d, err)
	return j
}

func (d *desk) advance(ps ...corpus.Progress) []corpus.Verdict {
	d.Helper()
	vs, err := d.Advance(d.Context(), d.scope, ps)
	require.NoError(d, err)
	return vs
}

func indexed(refs ...events.DocumentRef) (ps []corpus.Progress) {
	for _, ref := range refs {
		ps = append(ps, corpus.Progress{
			DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slices: 1, Chunks: 1}, Attempts: 1, Cause: events.Cause{ID: "event"},
		})
	}
	return ps
}

func failed(ref events.DocumentRef) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: corpus.StageChunk, Code: "broken", Message: "it broke", Attempts: 1, Cause: events.Cause{ID: "event"}}
}

func (d *desk) way() {
	id := d.open(func(im *imports.Import) { im.Entries = 3 })
	j := d.job(id)
	assert.Equal(d, []any{job.Import, job.Queued, "wiki", job.Counts{Total: 3}}, []any{j.Kind, j.State, j.Source, j.Counts})
	es, refs := d.entries(3)
	assert.Equal(d, imports.Taken{Entries: 2}, d.take(id, 0, es[:2]))
	assert.Equal(d, job.Running, d.job(id).State)
	assert.Equal(d, id, d.job(refs[1].JobID).ImportID, "its documents name it")
	d.advance(indexed(refs[0])...)
	d.advance(indexed(refs[0])...)
	assert.Equal(d, job.Counts{Total: 3, Done: 1}, d.job(id).Counts, "told twice, counted once")
	assert.Equal(d, imports.Taken{Entries: 3}, d.take(id, 2, es[2:]))
	d.advance(append(indexed(refs[2]), failed(refs[1]), failed(refs[1]))...)
	j = d.job(id)
	assert.Equal(d, job.Running, j.State, "there may be more")
	assert.Equal(d, 99, j.Percent)

	j = d.seal(id, 3, nil)
	assert.Equal(d, job.Succeeded, j.State)
	assert.Equal(d, job.Counts{Total: 3, Done: 2, Failed: 1}, j.Counts)
	assert.Equal(d, 100, j.Percent)
	require.Len(d, j.Errors, 1)
	assert.Equal(d, []any{refs[1].DocID, "broken", "chunk"}, []any{j.Errors[0].DocID, j.Errors[0].Code, j.Errors[0].Stage})
	assert.Equal(d, j, d.seal(id, 3, nil), "again")
	assert.Equal(d, imports.Taken{Entries: 3}, d.take(id, 2, es[2:]), "late")
	d.advance(indexed(refs...)...)
	assert.Equal(d, j, d.job(id), "it has ended")
}

func (d *desk) repeated() {
	id := d.open()
	es, refs := d.entries(10)
	assert.Equal(d, imports.Taken{Entries: 4}, d.take(id, 0, es[:4]))
	assert.Equal(d, imports.Taken{Entries: 4}, d.take(id, 0, es[:4]), "again")
	assert.Equal(d, imports.Taken{Entries: 4}, d.take(id, 1, es[1:3]), "a part of it")
	assert.Equal(d, imports.Taken{Entries: 7}, d.take(id, 2, es[2:7]), "and some more")
	assert.Equal(d, imports.Taken{Entries: 7}, d.take(id, 0, nil), "how far it is")
	assert.Equal(d, imports.Taken{Entries: 7}, d.take(id, 99, nil))
	_, err := d.Take(d.Context(), d.scope, id, 8, es[8:])
	assert.Equal(d, "import_gap", fault.As(err).Code)
	assert.Equal(d, imports.Taken{Entries: 10}, d.take(id, 7, es[7:]))
	d.advance(indexed(refs...)...)
	j := d.seal(id, 10, nil)
	assert.Equal(d, job.Counts{Total: 10, Done: 10}, j.Counts)
	docs, err := d.Documents(d.Context(), d.scope, []string{refs[2].DocID})
	require.NoError(d, err)
	assert.Equal(d, 1, docs[0].Generation, "one generation of each")
}

func (d *desk) opened() {
	key := tenantstest.Fresh(d, "key-")
	with := func(hash string) func(*imports.Import) {
		return func(im *imports.Import) { im.Cause.IdempotencyKey, im.RequestHash = key, hash }
	}
	id := d.open(with("h1"))
	for _, c := range []struct {
		origin imports.Origin
		of     job.Origin
	}{
		{imports.Origin{Batch: 2}, job.Origin{Kind: "batch"}},
		{imports.Origin{URLs: []string{"https://a.example/1", "https://a.example/2"}}, job.Origin{Kind: "urls", URL: "https://a.example/1"}},
		{imports.Origin{Sitemap: "https://a.example/map.xml"}, job.Origin{Kind: "sitemap", URL: "https://a.example/map.xml"}},
		{imports.Origin{Prefix: "docs/"}, job.Origin{Kind: "prefix", Prefix: "docs/"}},
	} {
		assert.Equal(d, &c.of, d.job(d.open(func(im *imports.Import) { im.Origin = c.origin })).Of)
	}
	again := imports.Import{ID: id, Origin: imports.Origin{Prefix: "docs/"}, Cause: events.Cause{ID: "request"}}
	j, err := d.OpenImport(d.Context(), d.scope, again)
	require.NoError(d, err)
	assert.Equal(d, "wiki", j.Source, "the first counts")

	again.ID = tenantstest.Fresh(d, "")
	with("h1")(&again)
	j, err = d.OpenImport(d.Context(), d.scope, again)
	require.NoError(d, err)
	assert.Equal(d, id, j.ID, "the same key, the same import")
	with("h2")(&again)
	_, err = d.OpenImport(d.Context(), d.scope, again)
	assert.Equal(d, "idempotency_conflict", fault.As(err).Code)
	_, err = d.Job(d.Context(), d.scope, again.ID)
	assert.Equal(d, "job_not_found", fault.As(err).Code)

	sub := d.submission()
	sub.Cause.IdempotencyKey = tenantstest.Fresh(d, "key-")
	_, err = corpus.Submit(d.Context(), d.Book, d.scope, sub)
	require.NoError(d, err)
	again.ID, again.Cause.IdempotencyKey = sub.JobID, ""
	_, err = d.OpenImport(d.Context(), d.scope, again)
	assert.Equal(d, "job_exists", fault.As(err).Code, "a document's job is no import")
	_, err = d.Take(d.Context(), d.scope, sub.JobID, 0, nil)
	assert.Equal(d, "job_not_found", fault.As(err).Code)
	for _, origin := range []imports.Origin{{}, {Batch: 1, Prefix: "a"}} {
		_, err = d.OpenImport(d.Context(), d.scope, imports.Import{ID: tenantstest.Fresh(d, ""), Origin: origin, Cause: again.Cause})
		assert.Equal(d, fault.Invalid, fault.KindOf(err), "%v", origin)
	}
}

func (d *desk) belonging() {
	id := d.open()
	es, _ := d.entries(1)
	for _, of := range []struct {
		s  tenants.Scope
		id string
	}{{d.other, id}, {d.scope, tenantstest.Fresh(d, "")}} {
		_, err := d.Take(d.Context(), of.s, of.id, 0, es)
		assert.Equal(d, []any{fault.NotFound, "job_not_found"}, []any{fault.KindOf(err), fault.As(err).Code})
		_, err = d.SealImport(d.Context(), of.s, of.id, 0, nil)
		assert.Equal(d, "job_not_found", fault.As(err).Code)
		_, err = d.Job(d.Context(), of.s, of.id)
		assert.Equal(d, "job_not_found", fault.As(err).Code)
	}
	_, err := d.OpenImport(d.Context(), d.other, imports.Import{ID: id, Origin: imports.Origin{Prefix: "b/"}, Cause: events.Cause{ID: "r"}})
	require.NoError(d, err)
	_, err = d.Take(d.Context(), d.other, id, 0, es)
	require.NoError(d, err)
	assert.Zero(d, d.job(id).Counts.Total, "the other's import of this name is another")
}

func (d *desk) refused() {
	id := d.open(func(im *imports.Import) {
		im.LeftOut = 7
	})
	es, refs := d.entries(3)
	es[1].Submission.JobID, es[1].Submission.Line = "", 3
	var many []imports.Taking
	for i := range imports.MaxProblems {
		many = append(many, imports.Taking{Problem: &job.Problem{Line: 10 + i, Code: "document_empty", Message: "no"}})
	}
	d.take(id, 0, append(es, many...))
	j := d.job(id)
	assert.Equal(d, job.Counts{Total: 7 + 3 + imports.MaxProblems, Failed: 8 + imports.MaxProblems, Refused: 8 + imports.MaxProblems}, j.Counts)
	assert.Len(d, j.Errors, imports.MaxProblems, "not all are listed")
	d.advance(indexed(refs[0], refs[2])...)
	j = d.seal(id, 3+imports.MaxProblems, nil)
	assert.Equal(d, job.Succeeded, j.State)
	require.Len(d, j.Errors, imports.MaxProblems)
	assert.Equal(d, []any{3, refs[1].DocID, "jobId", "submission_invalid"}, []any{j.Errors[0].Line, j.Errors[0].DocID, j.Errors[0].Field, j.Errors[0].Code})
	assert.Equal(d, 10, j.Errors[1].Line)
}

// page lists problems from a cursor on.
func (d *desk) page(l imports.Listing) imports.Page {
	d.Helper()
	page, err := d.Problems(d.Context(), d.scope, l)
	require.NoError(d, err)
	require.NotNil(d, page.Problems)
	return page
}

// all are the problems of a job, page by page.
func (d *desk) all(id string, limit int) (all []job.Problem) {
	d.Helper()
	for cursor := ""; ; {
		page := d.page(imports.Listing{JobID: id, Cursor: cursor, Limit: limit})
		if cursor = page.Next; cursor != "" {
			require.Len(d, page.Problems, limit)
		}
		if all = append(all, page.Problems...); cursor == "" {
			return all
		}
	}
}

func (d *desk) problems() {
	id := d.open()
	assert.Empty(d, d.all(id, 7), "nothing is wrong yet")
	const refused = 2*imports.MaxProblems + 50
	es, refs := d.entries(2)
	es[0].Submission.Line, es[1].Submission.Line = 1, 2
	for line := 3; line < 3+refused; line++ {
		es = append(es, imports.Taking{Problem: &job.Problem{Stage: "submit", Line: line, Field: "text", Code: "document_empty", Message: strings.Repeat("no ", 400)}})
	}
	for n := 0; n < len(es); n += 90 { // not in the measure of the rows
		d.take(id, n, es[n:min(n+90, len(es))])
		d.take(id, n, es[n:min(n+90, len(es))])
	}
	failed := corpus.Progress{DocumentRef: refs[1], Stage: corpus.StageEmbed, Attempts: 3, Code: "model_refused", Message: "too odd", Cause: events.Cause{ID: "event"}}
	d.advance(append(indexed(refs[0]), failed, failed)...)

	var lines []int
	for _, p := range d.all(id, 99) {
		lines = append(lines, p.Line)
		assert.False(d, p.At.IsZero())
		assert.LessOrEqual(d, len(p.Message), 500)
	}
	want := []int{}
	for line := range refused {
		want = append(want, 3+line)
	}
	assert.Equal(d, append(want, 2), lines, "each once, as they were found")
	for _, limit := range []int{1, imports.MaxProblems, corpus.MaxListed} {
		assert.Len(d, d.all(id, limit), refused+1)
	}
	running := d.all(id, corpus.MaxListed)
	last := running[refused]
	assert.Equal(d, []any{refs[1].DocID, "embed", "model_refused"}, []any{last.DocID, last.Stage, last.Code})

	assert.Equal(d, job.Succeeded, d.seal(id, len(es), nil).State)
	assert.Equal(d, running, d.all(id, 30), "they are as they were when the job has ended")
	assert.Equal(d, running[:imports.MaxProblems], d.job(id).Errors, "the first ones are the job's")

	assert.Equal(d, "model_refused", d.page(imports.Listing{JobID: refs[1].JobID, Limit: 5}).Problems[0].Code, "a document's job has its own")
	assert.Empty(d, d.page(imports.Listing{JobID: refs[0].JobID, Limit: 5}).Problems)
	for _, l := range []imports.Listing{{JobID: id}, {JobID: id, Limit: corpus.MaxListed + 1}, {JobID: id, Limit: 5, Cursor: "%"}, {JobID: id, Limit: 5, Cursor: "LTE"}} {
		_, err := d.Problems(d.Context(), d.scope, l)
		assert.Equal(d, "invalid_query", fault.As(err).Code, "%+v", l)
	}
	_, err := d.Problems(d.Context(), d.other, imports.Listing{JobID: id, Limit: 5})
	assert.Equal(d, "job_not_found", fault.As(err).Code)
	_, err = d.Problems(d.Context(), d.scope, imports.Listing{JobID: "none", Limit: 5})
	assert.Equal(d, "job_not_found", fault.As(err).Code)
}

func (d *desk) sealedFirst() {
	id := d.open()
	assert.Equal(d, job.Counts{Total: 5}, d.seal(id, 5, nil).Counts)
	es, refs := d.entries(6)
	d.take(id, 0, es[:2])
	d.advance(indexed(refs[:2]...)...)
	assert.Equal(d, job.Running, d.job(id).State)
	_, err := d.Take(d.Context(), d.scope, id, 2, es[2:])
	assert.Equal(d, "import_sealed", fault.As(err).Code)
	assert.Equal(d, job.Counts{Total: 3, Done: 2}, d.seal(id, 3, nil).Counts, "it may turn out to be fewer")
	d.take(id, 2, es[2:3])
	d.advance(indexed(refs[2])...)
	assert.Equal(d, job.Succeeded, d.job(id).State)

	empty := d.open()
	j := d.seal(empty, 0, nil)
	assert.Equal(d, []any{job.Succeeded, job.Counts{}, 100}, []any{j.State, j.Counts, j.Percent})
}

func (d *desk) broken() {
	id := d.open(func(im *imports.Import) { im.Entries = 9 })
	es, refs := d.entries(2)
	d.take(id, 0, es)
	problem := &job.Problem{Stage: "import", Code: "store_unavailable", Message: "it is gone"}
	d.seal(id, 0, problem)
	j := d.seal(id, 0, problem)
	assert.Equal(d, job.Running, j.State, "what was taken goes on")
	assert.Equal(d, job.Counts{Total: 2}, j.Counts)
	d.advance(indexed(refs...)...)
	j = d.job(id)
	assert.Equal(d, []any{job.Failed, job.Counts{Total: 2, Done: 2}}, []any{j.State, j.Counts})
	require.Len(d, j.Errors, 1)
	assert.Equal(d, "store_unavailable", j.Errors[0].Code)
}

func (d *desk) futile() {
	id := d.open()
	es, refs := d.entries(1)
	d.take(id, 0, es)
	d.seal(id, 1, nil)
	d.advance(failed(refs[0]))
	assert.Equal(d, job.Failed, d.job(id).State)
	assert.Nil(d, d.job(id).Note)

	// There was nothing.
	for field, origin := range map[string]imports.Origin{"prefix": {Prefix: "none/"}, "sitemap": {Sitemap: "https://a.example/map.xml"}} {
		id := d.open(func(im *imports.Import) { im.Origin = origin })
		assert.Nil(d, d.job(id).Note, "there may be something")
		j := d.seal(id, 0, nil)
		assert.Equal(d, []any{job.Succeeded, job.Counts{}, 100}, []any{j.State, j.Counts, j.Percent})
		require.NotNil(d, j.Note)
		assert.Equal(d, []any{job.FoundNothing, field}, []any{j.Note.Code, j.Note.Field})
		assert.Contains(d, j.Note.Message, origin.Prefix+origin.Sitemap)
		assert.Empty(d, j.Errors)
		assert.Equal(d, j, d.job(id))
	}
	id = d.open()
	assert.Nil(d, d.seal(id, 0, &job.Problem{Stage: "import", Code: "sitemap_invalid", Message: "no"}).Note, "it has failed")
}

func (d *desk) overtaken() {
	id := d.open()
	es, refs := d.entries(2)
	es[1].Submission.DocID = refs[0].DocID
	d.take(id, 0, es)
	d.seal(id, 2, nil)
	newer := refs[1]
	newer.DocID, newer.Generation = refs[0].DocID, 2
	d.advance(indexed(newer)...)
	j := d.job(id)
	assert.Equal(d, []any{job.Succeeded, job.Counts{Total: 2, Done: 1, Cancelled: 1}}, []any{j.State, j.Counts})
}

func (d *desk) unchanged() {
	sub := d.submission()
	sub.Cause.IdempotencyKey = ""
	r, err := corpus.Submit(d.Context(), d.Book, d.scope, sub)
	require.NoError(d, err)
	d.advance(indexed(events.DocumentRef{DocID: r.DocID, Generation: 1, JobID: r.JobID})...)
	id := d.open()
	sub.JobID = tenantstest.Fresh(d, "")
	d.take(id, 0, []imports.Taking{{Submission: &sub}})
	j := d.seal(id, 1, nil)
	assert.Equal(d, []any{job.Succeeded, job.Counts{Total: 1, Done: 1, Unchanged: 1}}, []any{j.State, j.Counts})
	assert.Equal(d, id, d.job(sub.JobID).ImportID)
}

func (d *desk) cancelled() {
	id := d.open(func(im *imports.Import) { im.Entries = 9 })
	es, refs := d.entries(3)
	d.take(id, 0, es[:2])
	d.advance(indexed(refs[0])...)
	_, err := d.Cancel(d.Context(), d.scope, id)
	require.NoError(d, err)
	_, err = d.Cancel(d.Context(), d.scope, id)
	require.NoError(d, err)
	assert.Equal(d, imports.Taken{Entries: 2, Cancelled: true, Unused: []string{es[2].Submission.TextKey}}, d.take(id, 2, es[2:]))
	d.seal(id, 9, nil)

	assert.True(d, d.advance(indexed(refs[1])...)[0].Stale, "what is on its way is not shown")
	assert.True(d, d.advance(indexed(refs[0])...)[0].Complete, "what is shown stays")
	j := d.job(id)
	assert.Equal(d, []any{job.Cancelled, job.Counts{Total: 2, Done: 1, Cancelled: 1}}, []any{j.State, j.Counts})
	assert.Equal(d, job.Cancelled, d.job(refs[1].JobID).State)
	_, err = d.Job(d.Context(), d.scope, refs[2].JobID)
	assert.Equal(d, "job_not_found", fault.As(err).Code)
	again, err := d.Cancel(d.Context(), d.scope, id)
	require.NoError(d, err)
	assert.Equal(d, j, again)
	assert.Equal(d, imports.Taken{Entries: 2, Cancelled: true, Unused: []string{es[2].Submission.TextKey}}, d.take(id, 2, es[2:]))

	none := d.open()
	j, err = d.Cancel(d.Context(), d.scope, none)
	require.NoError(d, err)
	assert.Equal(d, job.Cancelled, j.State, "before it has begun")
}

// large is a document beside which no other has a turn.
const large = 1 << 30

func (d *desk) cancelledWaiting() {
	id := d.open()
	es, refs := d.entries(8)
	es[0].Submission.Bytes = large
	d.take(id, 0, es)
	docs, err := d.Documents(d.Context(), d.scope, []string{refs[7].DocID})
	require.NoError(d, err)
	require.NotNil(d, docs[0].Why)
	assert.Equal(d, []any{corpus.WhyWaiting, 6}, []any{docs[0].Why.Code, docs[0].Why.Before})
	_, err = d.Cancel(d.Context(), d.scope, id)
	require.NoError(d, err)
	assert.Equal(d, job.Cancelled, d.job(refs[7].JobID).State)
	assert.Equal(d, job.Counts{Total: 8, Cancelled: 7}, d.job(id).Counts)
	assert.True(d, d.advance(indexed(refs[0])...)[0].Stale)
	assert.Equal(d, job.Cancelled, d.job(id).State)

	next, after := d.open(), []imports.Taking(nil)
	after, refs = d.entries(2)
	d.take(next, 0, after)
	d.advance(indexed(refs...)...)
	assert.Equal(d, job.Succeeded, d.seal(next, 2, nil).State, "others have their turn")
}

func (d *desk) full() {
	id := d.open()
	es, refs := d.entries(6)
	for i := range es {
		es[i].Submission.Pace.MaxWaiting = 4
		es[i].Submission.Bytes = large
	}
	assert.Equal(d, imports.Taken{Entries: 4}, d.take(id, 0, es), "one goes, three wait, and what is left is not for imports")
	_, err := d.Take(d.Context(), d.scope, id, 4, es[4:])
	assert.Equal(d, []any{fault.Limited, "backlog_full"}, []any{fault.KindOf(err), fault.As(err).Code})
	assert.Positive(d, fault.As(err).RetryAfter)
	singles := []corpus.Submission{d.submission(), d.submission()}
	for i := range singles {
		singles[i].Pace.MaxWaiting, singles[i].Bytes, singles[i].Cause.IdempotencyKey = 4, large, ""
	}
	outs, err := d.SubmitAll(d.Context(), d.scope, singles)
	require.NoError(d, err)
	assert.Nil(d, outs[0].Fault, "an import of the tenant's own keeps no single document out")
	require.NotNil(d, outs[1].Fault)
	assert.Equal(d, "backlog_full", outs[1].Fault.Code)
	d.advance(indexed(events.DocumentRef{DocID: singles[0].DocID, Generation: 1, JobID: singles[0].JobID})...)
	es[4].Submission = nil
	es[4].Problem = &job.Problem{Code: "document_empty", Message: "no"}
	assert.Equal(d, imports.Taken{Entries: 5}, d.take(id, 4, es[4:]), "a problem needs no room")
	for i := range 4 {
		d.advance(indexed(refs[i])...)
	}
	assert.Equal(d, imports.Taken{Entries: 6}, d.take(id, 4, es[4:]))
	d.advance(indexed(refs[5])...)
	j := d.seal(id, 6, nil)
	assert.Equal(d, []any{job.Succeeded, job.Counts{Total: 6, Done: 5, Failed: 1, Refused: 1}}, []any{j.State, j.Counts}, fmt.Sprint(j.Errors))
}

func (d *desk) nobody() {
	none := tenants.Scope{}
	_, err := d.OpenImport(d.Context(), none, imports.Import{})
	assert.ErrorIs(d, err, tenants.ErrNoScope)
	_, err = d.Take(d.Context(), none, "a", 0, nil)
	assert.ErrorIs(d, err, tenants.ErrNoScope)
	_, err = d.SealImport(d.Context(), none, "a", 0, nil)
	assert.ErrorIs(d, err, tenants.ErrNoScope)
}
