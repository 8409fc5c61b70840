package reembedtest

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
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
)

// Book is what knows in which spaces documents are, with the documents.
type Book interface {
	reembed.Ledger
	corpus.Ledger
	Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error)
	Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error)
}

// TestLedger checks the promises of reembed.Ledger, each call made twice. Whether events reach the queue is not its business.
func TestLedger(t *testing.T, newBook func(t *testing.T) Book) {
	for name, test := range map[string]func(*desk){
		"a move's way": (*desk).way,
		"the space is that of the first document":       (*desk).first,
		"the way back is short":                         (*desk).back,
		"what is to be in both spaces waits for that":   (*desk).held,
		"a cancelled move lets go of what it held":      (*desk).cancelled,
		"what is on its way is taken along":             (*desk).settling,
		"a document that cannot be made":                (*desk).broken,
		"whoever removes a document reaches all spaces": (*desk).removed,
		"a space is emptied":                            (*desk).emptied,
		"one move at a time":                            (*desk).opened,
		"spaces belong to a tenant":                     (*desk).belonging,
		"nobody's call is refused":                      (*desk).nobody,
	} {
		t.Run(name, func(t *testing.T) {
			test(&desk{T: t, Book: newBook(t), scope: tenant(t), other: tenant(t)})
		})
	}
}

const from, to = "@cf/baai/bge-small-en-v1.5", "@cf/baai/bge-m3"

// tenant is one whose ledger nobody has used.
func tenant(t *testing.T) tenants.Scope {
	return tenantstest.Scope(t, "t"+strings.ReplaceAll(tenantstest.Fresh(t, ""), "-", "")[4:])
}

// desk is one test's tenant.
type desk struct {
	*testing.T
	Book
	scope, other tenants.Scope
}

// submit opens a generation.
func (d *desk) submit(s tenants.Scope, docID string) events.DocumentRef {
	d.Helper()
	jobID, sum := tenantstest.Fresh(d.T, ""), tenantstest.Fresh(d.T, "sum-")
	r, err := corpus.Submit(d.Context(), d, s, corpus.Submission{
		DocID: docID, JobID: jobID, ContentType: "text/plain", TextKey: corpus.TextKey(docID, jobID, sum), Bytes: 12, SHA256: sum, Model: from,
		About: events.About{Title: "Title"}, Cause: events.Cause{ID: jobID},
	})
	require.NoError(d, err)
	return events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
}

// index tells that a document of two chunks is in the index.
func (d *desk) index(s tenants.Scope, ref events.DocumentRef) (v corpus.Verdict) {
	d.Helper()
	for range 2 {
		vs, err := d.Advance(d.Context(), s, []corpus.Progress{{DocumentRef: ref, Stage: corpus.StageIndex, Slice: events.Slice{Slices: 1, Chunks: 2}}})
		require.NoError(d, err)
		v = vs[0]
	}
	return v
}

func (d *desk) searchable(ids ...string) {
	for _, id := range ids {
		require.True(d, d.index(d.scope, d.submit(d.scope, id)).Complete)
	}
}

// open opens a move, or the removal of a space.
func (d *desk) open(model string, drop bool) string {
	d.Helper()
	id := tenantstest.Fresh(d.T, "")
	for range 2 {
		r, err := d.OpenMove(d.Context(), d.scope, reembed.Request{JobID: id, Model: model, Drop: drop, Cause: events.Cause{ID: id}})
		require.NoError(d, err)
		require.Equal(d, id, r.JobID)
	}
	return id
}

func (d *desk) works(id, cursor string, chunks int) reembed.Batch {
	d.Helper()
	var b reembed.Batch
	for range 2 {
		again, err := d.TakeWorks(d.Context(), d.scope, reembed.Asked{JobID: id, Cursor: cursor, Chunks: chunks})
		require.NoError(d, err)
		if b.Works != nil {
			require.Equal(d, b.Works, again.Works, "what is not done is named again")
		}
		b = again
	}
	return b
}

func (d *desk) done(id string, ws []reembed.Work) (vs []corpus.Verdict) {
	d.Helper()
	ds := make([]reembed.Done, len(ws))
	for i, w := range ws {
		ds[i] = reembed.Done{Generation: w.Generation, Cost: job.Cost{Tokens: 3, Nanos: 4}}
	}
	for range 2 {
		var err error
		vs, err = d.Filled(d.Context(), d.scope, id, ds)
		require.NoError(d, err)
	}
	return vs
}

// fill fills until the phase needs no more.
func (d *desk) fill(id string) {
	d.Helper()
	cursor := ""
	for range 100 {
		b := d.works(id, cursor, 4)
		if d.done(id, b.Works); b.Last {
			return
		}
		cursor = b.Next
	}
	require.Fail(d, "it does not end")
}

func (d *desk) twice(f func(context.Context, tenants.Scope, string) error, id string) {
	d.Helper()
	for range 2 {
		require.NoError(d, f(d.Context(), d.scope, id))
	}
}

func (d *desk) end(id string) (j job.Job) {
	d.Helper()
	for range 2 {
		var err error
		j, err = d.EndMove(d.Context(), d.scope, id, nil)
		require.NoError(d, err)
	}
	return j
}

// moved moves to a model whole.
func (d *desk) moved(model string) job.Job {
	d.Helper()
	id := d.open(model, false)
	d.fill(id)
	d.twice(d.Turn, id)
	d.fill(id)
	d.twice(d.Switch, id)
	return d.end(id)
}

func (d *desk) spaces(s tenants.Scope) reembed.Spaces {
	d.Helper()
	sp, err := d.Spaces(d.Context(), s)
	require.NoError(d, err)
	return sp
}

func (d *desk) missing(model string) (m reembed.Missing) {
	d.Helper()
	m, err := d.Missing(d.Context(), d.scope, model, "")
	require.NoError(d, err)
	require.Empty(d, m.Next)
	return m
}

func (d *desk) state(id string) job.State {
	d.Helper()
	j, err := d.Job(d.Context(), d.scope, id)
	require.NoError(d, err)
	return j.State
}

func (d *desk) code(err error) string { return fault.As(err).Code }

func (d *desk) way() {
	ids := []string{"a", "b", "c", "d", "e"}
	d.searchable(ids...)
	assert.Equal(d, reembed.Missing{Documents: 5, Chunks: 10}, d.missing(to))
	assert.Zero(d, d.missing(from))
	id := d.open(to, false)
	assert.Equal(d, job.Queued, d.state(id))
	b := d.works(id, "", 4)
	require.Len(d, b.Works, 2)
	assert.Equal(d, []any{"a", 1, "Title", 2, false, false}, []any{b.Works[0].DocID, b.Works[0].Generation.Generation, b.Works[0].Title, b.Works[0].Chunks, b.Last, b.Over})
	assert.Contains(d, b.Works[0].TextKey, corpus.TextPrefix("a"))
	assert.Equal(d, reembed.Filling, b.Spaces.Phase)
	assert.Equal(d, "space_incomplete", d.code(d.Turn(d.Context(), d.scope, id)))
	assert.Equal(d, "space_incomplete", d.code(d.Switch(d.Context(), d.scope, id)))
	for _, v := range d.done(id, b.Works) {
		assert.True(d, v.Complete)
	}
	d.fill(id)
	assert.Zero(d, d.missing(to))
	before, err := d.Edition(d.Context(), d.scope)
	require.NoError(d, err)
	d.twice(d.Turn, id)
	d.fill(id)
	d.twice(d.Switch, id)
	after, err := d.Edition(d.Context(), d.scope)
	require.NoError(d, err)
	assert.Equal(d, []any{from, to}, []any{before.Space, after.Space})
	assert.Greater(d, after.Number, before.Number, "what was found is to be searched anew")
	_, err = d.Cancel(d.Context(), d.scope, id)
	assert.Equal(d, "job_not_cancellable", d.code(err))
	j := d.end(id)
	assert.Equal(d, []any{job.Reembed, job.Succeeded, to, 100, job.Counts{Total: 5, Done: 5}, &job.Cost{Tokens: 15, Nanos: 20}},
		[]any{j.Kind, j.State, j.Model, j.Percent, j.Counts, j.Cost})
	assert.Equal(d, reembed.Spaces{Active: to, Kept: []string{from}}, d.spaces(d.scope))
	assert.True(d, d.works(id, "", 4).Over)
	docs, err := d.Documents(d.Context(), d.scope, ids)
	require.NoError(d, err)
	for _, doc := range docs {
		assert.Equal(d, 1, doc.Searchable)
	}
}

func (d *desk) first() {
	assert.Zero(d, d.spaces(d.scope))
	_, err := d.OpenMove(d.Context(), d.scope, reembed.Request{JobID: "drop", Model: from, Drop: true, Cause: events.Cause{ID: "drop"}})
	assert.Equal(d, "space_empty", d.code(err), "the first document may come for it at any time")
	d.searchable("a")
	assert.Equal(d, reembed.Spaces{Active: from}, d.spaces(d.scope))
	d.moved(to)
	d.searchable("a", "b")
	docs, err := d.Documents(d.Context(), d.scope, []string{"a", "b"})
	require.NoError(d, err)
	for _, doc := range docs {
		assert.Equal(d, to, doc.Model, "whatever its submission says")
	}
}

func (d *desk) back() {
	d.searchable("a", "b", "c")
	d.moved(to)
	d.searchable("d")
	assert.Equal(d, 1, d.missing(from).Documents)
	assert.Equal(d, job.Counts{Total: 1, Done: 1}, d.moved(from).Counts)
	assert.Equal(d, reembed.Spaces{Active: from, Kept: []string{to}}, d.spaces(d.scope))
}

// turning is a move from where on new documents are held.
func (d *desk) turning() string {
	d.searchable("old")
	id := d.open(to, false)
	d.fill(id)
	d.twice(d.Turn, id)
	return id
}

func (d *desk) held() {
	id := d.turning()
	ref := d.submit(d.scope, "old")
	assert.Zero(d, d.index(d.scope, ref), "neither stale nor complete")
	assert.Equal(d, job.Running, d.state(ref.JobID))
	b := d.works(id, "", 4)
	require.Len(d, b.Works, 1)
	assert.True(d, b.Last, "nothing that is searchable lacks the target")
	v := d.done(id, b.Works)[0]
	assert.True(d, v.Complete)
	require.Len(d, v.Retired, 1, "what it replaces is to be removed")
	assert.Equal(d, []any{1, 2, from, []string{to}}, []any{v.Retired[0].Generation, v.Retired[0].Chunks, v.Retired[0].Model, v.Retired[0].Also})
	assert.Equal(d, job.Succeeded, d.state(ref.JobID))
}

func (d *desk) cancelled() {
	id := d.turning()
	ref := d.submit(d.scope, "new")
	d.index(d.scope, ref)
	for range 2 {
		j, err := d.Cancel(d.Context(), d.scope, id)
		require.NoError(d, err)
		assert.Equal(d, job.Cancelled, j.State)
	}
	assert.Equal(d, job.Succeeded, d.state(ref.JobID))
	assert.Equal(d, reembed.Spaces{Active: from, Kept: []string{to}}, d.spaces(d.scope))
	assert.Equal(d, "embedding_over", d.code(d.Switch(d.Context(), d.scope, id)))
}

func (d *desk) settling() {
	id := d.turning()
	ref := d.submit(d.scope, "new")
	d.twice(d.Switch, id)
	_, err := d.EndMove(d.Context(), d.scope, id, nil)
	assert.Equal(d, "space_incomplete", d.code(err))
	late := func() int {
		n, err := d.Late(d.Context(), d.scope, id)
		require.NoError(d, err)
		return n
	}
	assert.Equal(d, 1, late())
	assert.Zero(d, d.index(d.scope, ref), "it is in the space before")
	assert.Equal(d, 1, late())
	d.fill(id)
	assert.Zero(d, late())
	assert.Equal(d, job.Succeeded, d.end(id).State)
	assert.Equal(d, job.Succeeded, d.state(ref.JobID))
}

func (d *desk) broken() {
	d.searchable("a", "b")
	id := d.open(to, false)
	b := d.works(id, "", 100)
	for range 2 {
		_, err := d.Filled(d.Context(), d.scope, id, []reembed.Done{{Generation: b.Works[0].Generation, Code: "model_refused", Message: "no"}})
		require.NoError(d, err)
	}
	d.fill(id)
	d.twice(d.Turn, id)
	assert.Equal(d, "space_incomplete", d.code(d.Switch(d.Context(), d.scope, id)))
	for range 2 {
		j, err := d.EndMove(d.Context(), d.scope, id, &job.Problem{Stage: "reembed", Code: "space_incomplete", Message: "no"})
		require.NoError(d, err)
		assert.Equal(d, []any{job.Failed, job.Counts{Total: 2, Done: 1, Failed: 1}, 2}, []any{j.State, j.Counts, len(j.Errors)})
		assert.Equal(d, []any{"a", "model_refused"}, []any{j.Errors[0].DocID, j.Errors[0].Code})
	}
	assert.Equal(d, job.Counts{Total: 1, Done: 1}, d.moved(to).Counts, "another move tries it again")
}

func (d *desk) removed() {
	d.searchable("a")
	id := d.open(to, false)
	b := d.works(id, "", 4)
	ref := d.submit(d.scope, "a")
	v := d.index(d.scope, ref)
	require.Len(d, v.Retired, 1)
	assert.Equal(d, []any{from, []string{to}}, []any{v.Retired[0].Model, v.Retired[0].Also}, "from when on it was taken")
	assert.True(d, d.done(id, b.Works)[0].Stale, "who comes late is told to remove it")
	d.fill(id)
	for i := range 2 {
		_, err := d.Delete(d.Context(), d.scope, corpus.Deletion{DocID: "a", JobID: fmt.Sprint("delete-", i), Cause: events.Cause{ID: "delete"}})
		require.NoError(d, err)
	}
	assert.Zero(d, d.missing(to))
}

func (d *desk) emptied() {
	d.searchable("a", "b", "c")
	d.moved(to)
	id := d.open(from, true)
	assert.Equal(d, 3, d.missing(from).Documents, "half of it is none of it")
	_, err := d.Cancel(d.Context(), d.scope, id)
	assert.Equal(d, "job_not_cancellable", d.code(err))
	n, cursor := 0, ""
	for {
		b := d.works(id, cursor, 2)
		d.done(id, b.Works[:0])
		_, err := d.Filled(d.Context(), d.scope, id, done(b.Works))
		require.NoError(d, err)
		n += len(b.Works)
		if cursor = b.Next; b.Last {
			break
		}
	}
	assert.Equal(d, 3, n)
	assert.Equal(d, job.Counts{Total: 3, Done: 3}, d.end(id).Counts)
	assert.Equal(d, reembed.Spaces{Active: to}, d.spaces(d.scope))
	assert.Equal(d, 3, d.moved(from).Counts.Done)
}

func done(ws []reembed.Work) []reembed.Done {
	ds := make([]reembed.Done, len(ws))
	for i, w := range ws {
		ds[i].Generation = w.Generation
	}
	return ds
}

func (d *desk) opened() {
	d.searchable("a")
	id := tenantstest.Fresh(d.T, "")
	ask := func(r reembed.Request) (corpus.Receipt, error) { return d.OpenMove(d.Context(), d.scope, r) }
	first := reembed.Request{JobID: id, Model: to, Cause: events.Cause{ID: id, IdempotencyKey: "key"}}
	for i, r := range []reembed.Request{first, first, {JobID: "other", Model: to, Cause: events.Cause{ID: "r"}}} {
		rec, err := ask(r)
		require.NoError(d, err)
		assert.Equal(d, corpus.Receipt{JobID: id, Replayed: i > 0}, rec)
	}
	for code, r := range map[string]reembed.Request{
		"idempotency_conflict": {JobID: "other", Model: "m", Cause: events.Cause{ID: "r", IdempotencyKey: "key"}},
		"embedding_moving":     {JobID: "other", Model: to, Drop: true},
		"submission_invalid":   {JobID: "other"},
	} {
		_, err := ask(r)
		assert.Equal(d, code, d.code(err))
	}
	_, err := d.Cancel(d.Context(), d.scope, id)
	require.NoError(d, err)
	for _, drop := range []bool{false, true} {
		_, err = ask(reembed.Request{JobID: "other", Model: from, Drop: drop})
		assert.Equal(d, "embedding_active", d.code(err))
	}
}

func (d *desk) belonging() {
	d.searchable("a")
	id := d.open(to, false)
	_, err := d.TakeWorks(d.Context(), d.other, reembed.Asked{JobID: id, Chunks: 1})
	assert.Equal(d, "job_not_found", d.code(err))
	for _, call := range []func(context.Context, tenants.Scope, string) error{d.Turn, d.Switch} {
		assert.Equal(d, "job_not_found", d.code(call(d.Context(), d.other, id)))
	}
	_, err = d.EndMove(d.Context(), d.other, id, nil)
	assert.Equal(d, "job_not_found", d.code(err))
	assert.Zero(d, d.spaces(d.other))
	assert.True(d, d.index(d.other, d.submit(d.other, "a")).Complete)
	assert.Equal(d, reembed.Spaces{Active: from}, d.spaces(d.other))
	d.fill(id)
	vs, err := d.Filled(d.Context(), d.other, id, []reembed.Done{{Generation: corpus.Generation{DocID: "a", Generation: 1}}})
	require.NoError(d, err)
	assert.True(d, vs[0].Stale, "a job that is not known has nothing to keep")
}

func (d *desk) nobody() {
	ctx, none := d.Context(), tenants.Scope{}
	_, err := d.Spaces(ctx, none)
	assert.Error(d, err)
	_, err = d.Missing(ctx, none, to, "")
	assert.Error(d, err)
	_, err = d.OpenMove(ctx, none, reembed.Request{JobID: "j", Model: to})
	assert.Error(d, err)
	_, err = d.TakeWorks(ctx, none, reembed.Asked{JobID: "j", Chunks: 1})
	assert.Error(d, err)
	_, err = d.Filled(ctx, none, "j", nil)
	assert.Error(d, err)
	assert.Error(d, d.Turn(ctx, none, "j"))
	assert.Error(d, d.Switch(ctx, none, "j"))
	_, err = d.Late(ctx, none, "j")
	assert.Error(d, err)
	_, err = d.EndMove(ctx, none, "j", nil)
	assert.Error(d, err)
}
