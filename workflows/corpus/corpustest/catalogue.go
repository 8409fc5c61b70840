package corpustest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// Ledger is both sides of a tenant's ledger.
type Ledger interface {
	corpus.Ledger
	corpus.Catalogue
}

// TestCatalogue checks the promises of corpus.Catalogue, and what corpus.Ledger says of documents that it changes.
func TestCatalogue(t *testing.T, newLedger func(t *testing.T) Ledger) {
	for name, test := range map[string]func(*testing.T, Ledger){
		"documents are listed in the order of their ids":      listing,
		"documents are listed by state and source":            filtering,
		"jobs are listed, newest first":                       listingJobs,
		"what is unchanged costs nothing":                     unchanged,
		"what was tried last is told until it gets on":        retrying,
		"also where it is fetched from the web":               retryingToFetch,
		"what the index has was paid for once":                costing,
		"versions are remembered":                             versions,
		"the same job is the same submission":                 repeating,
		"a job is cancelled":                                  cancelling,
		"a failed document is submitted again":                resubmitting,
		"a deleted document is shown by nobody":               deleting,
		"an erasure ends when nothing is left":                erasing,
		"an erasure that failed is begun anew":                erasingAgain,
		"a text is erased that was submitted by nobody":       barring,
		"a document lives again after its deletion":           living,
		"a catalogue is its tenant's":                         cataloguesBelong,
		"what is no question is refused":                      questions,
		"nobody's question is refused":                        nobodyAsks,
		"a late slice of a deleted document is told to leave": lateSlices,
		"the texts of what nobody will ask for are named":     retiring,
		"texts are kept that somebody may ask for":            sharing,
		"a text that was left behind is found":                straying,
		"an edition ends with what searches show":             editions,
	} {
		t.Run(name, func(t *testing.T) { test(t, newLedger(t)) })
	}
}

// indexedDocument is one that is searchable.
func indexedDocument(t *testing.T, l Ledger, s tenants.Scope, sub corpus.Submission) events.DocumentRef {
	t.Helper()
	r, err := corpus.Submit(t.Context(), l, s, sub)
	require.NoError(t, err)
	ref := events.DocumentRef{DocID: r.DocID, Generation: r.Generation, JobID: r.JobID}
	advance(t, l, s, chunked(ref, 1, 3), indexed(ref, 0, 1, 3))
	return ref
}

// list pages through all that is listed.
func list(t *testing.T, l Ledger, s tenants.Scope, q corpus.Listing) (ids []string, pages int) {
	t.Helper()
	for ; ; pages++ {
		require.Less(t, pages, 1000, "it never ends")
		page, err := l.List(t.Context(), s, q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Documents), q.Limit)
		for _, d := range page.Documents {
			ids = append(ids, d.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids, pages + 1
		}
	}
}

func listing(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	prefix := tenantstest.Fresh(t, "list-") + "/"
	want := []string{prefix + "a", prefix + "a/b", prefix + "b", prefix + "~", prefix + "é"}
	for _, i := range []int{3, 1, 4, 0, 2} {
		submit(t, l, acme, want[i], 1)
	}
	submit(t, l, globex, prefix+"c", 1)
	for limit := 1; limit <= 6; limit++ {
		got, pages := list(t, l, acme, corpus.Listing{Prefix: prefix, Limit: limit})
		assert.Equal(t, want, got, "%d a page", limit)
		assert.LessOrEqual(t, pages, len(want)/limit+1)
	}
	got, _ := list(t, l, acme, corpus.Listing{Prefix: prefix + "a", Limit: 10})
	assert.Equal(t, want[:2], got)
	got, _ = list(t, l, acme, corpus.Listing{Prefix: prefix + "none", Limit: 10})
	assert.Empty(t, got)
	page, err := l.List(t.Context(), acme, corpus.Listing{Prefix: prefix, Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, document(t, l, acme, want[0]), page.Documents[0], "as it is shown alone")
}

func filtering(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	prefix := tenantstest.Fresh(t, "filter-") + "/"
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		sub := submission(t, prefix+name)
		sub.About.Source = []string{"x", "y"}[i%2]
		if i < 4 {
			indexedDocument(t, l, acme, sub)
			continue
		}
		_, err := corpus.Submit(t.Context(), l, acme, sub)
		require.NoError(t, err)
	}
	_, err := l.Delete(t.Context(), acme, corpus.Deletion{DocID: prefix + "b", JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "x"}})
	require.NoError(t, err)
	for _, c := range []struct {
		q    corpus.Listing
		want string
	}{
		{corpus.Listing{}, "a c d e f"},
		{corpus.Listing{State: corpus.Indexed}, "a c d"},
		{corpus.Listing{State: corpus.Submitted}, "e f"},
		{corpus.Listing{State: corpus.Deleted}, "b"},
		{corpus.Listing{State: corpus.Failed}, ""},
		{corpus.Listing{Source: "x"}, "a c e"},
		{corpus.Listing{Source: "y", State: corpus.Indexed}, "d"},
	} {
		c.q.Prefix = prefix
		for c.q.Limit = range 4 {
			if c.q.Limit == 0 {
				continue
			}
			got, _ := list(t, l, acme, c.q)
			assert.Equal(t, c.want, strings.ReplaceAll(strings.Join(got, " "), prefix, ""), "%+v", c.q)
		}
	}
}

func listingJobs(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	prefix := tenantstest.Fresh(t, "jobs-")
	var want []string
	add := func(s tenants.Scope, id string) string {
		sub := submission(t, id)
		sub.JobID = tenantstest.Fresh(t, "")
		_, err := corpus.Submit(t.Context(), l, s, sub)
		require.NoError(t, err)
		return sub.JobID
	}
	for _, name := range []string{"a", "b", "a", "c"} {
		want = append([]string{add(acme, prefix+name)}, want...)
	}
	add(globex, prefix+"d")
	r, err := l.Delete(t.Context(), acme, corpus.Deletion{DocID: prefix + "b", JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "x"}})
	require.NoError(t, err)
	want = append([]string{r.JobID}, want...)
	all := func(q corpus.JobListing) (ids []string) {
		for q.Limit = 3; ; {
			page, err := l.Jobs(t.Context(), acme, q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Jobs), q.Limit)
			for _, j := range page.Jobs {
				if strings.HasPrefix(j.DocID, prefix) {
					ids = append(ids, j.ID)
					one, err := l.Job(t.Context(), acme, j.ID)
					require.NoError(t, err)
					assert.Equal(t, one, j, "as it is shown alone")
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return ids
			}
		}
	}
	assert.Equal(t, want, all(corpus.JobListing{}))
	assert.Equal(t, want[:1], all(corpus.JobListing{Kind: job.Erase}))
	assert.Equal(t, []string{want[3]}, all(corpus.JobListing{State: job.Cancelled}))
	assert.Empty(t, all(corpus.JobListing{ImportID: "none"}))
}

func unchanged(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	sub.About.Metadata = map[string]any{"year": 2026.0, "tags": []any{"a", "b"}, "draft": false}
	sub.Chunking = events.Chunking{MaxTokens: 100}
	ref := indexedDocument(t, l, acme, sub)
	again := func(s tenants.Scope, change func(*corpus.Submission)) corpus.Receipt {
		next := sub
		next.JobID = tenantstest.Fresh(t, "")
		next.TextKey = corpus.TextKey(sub.DocID, next.JobID, sub.SHA256)
		change(&next)
		r, err := corpus.Submit(t.Context(), l, s, next)
		require.NoError(t, err)
		assert.Equal(t, next.JobID, r.JobID)
		return r
	}
	for range 2 {
		r := again(acme, func(*corpus.Submission) {})
		assert.Equal(t, []any{true, ref.Generation}, []any{r.Unchanged, r.Generation})
		j, err := l.Job(t.Context(), acme, r.JobID)
		require.NoError(t, err)
		assert.Equal(t, []any{job.Succeeded, true, 100, job.Counts{Total: 1, Done: 1, Unchanged: 1}}, []any{j.State, j.Unchanged, j.Percent, j.Counts})
		d := document(t, l, acme, sub.DocID)
		assert.Equal(t, []any{1, sub.TextKey, ref.JobID}, []any{d.Generation, d.TextKey, d.JobID}, "the document is what it was")
	}
	assert.False(t, again(globex, func(*corpus.Submission) {}).Unchanged, "another's document is another's")
	assert.True(t, again(acme, func(s *corpus.Submission) { s.Model = "other" }).Unchanged, "which model embeds documents the ledger says")
	generation := 1
	for name, change := range map[string]func(*corpus.Submission){
		"text":         func(s *corpus.Submission) { s.SHA256 = "other" },
		"content type": func(s *corpus.Submission) { s.ContentType = "text/markdown" },
		"chunking":     func(s *corpus.Submission) { s.Chunking.OverlapTokens = 7 },
		"title":        func(s *corpus.Submission) { s.About.Title = "other" },
		"metadata":     func(s *corpus.Submission) { s.About.Metadata = map[string]any{"year": 2027.0} },
	} {
		r := again(acme, change)
		assert.False(t, r.Unchanged, name)
		generation++
		require.Equal(t, generation, r.Generation, name)
		back := again(acme, func(*corpus.Submission) {})
		assert.False(t, back.Unchanged, "%s: another one is on its way, and would be shown at last", name)
		generation++
		ref = events.DocumentRef{DocID: back.DocID, Generation: back.Generation, JobID: back.JobID}
		advance(t, l, acme, chunked(ref, 1, 3), indexed(ref, 0, 1, 3))
		assert.True(t, again(acme, func(*corpus.Submission) {}).Unchanged, name)
	}
}

func retrying(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	due := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	note := func(stage corpus.Stage, slice, attempt int) corpus.Progress {
		return corpus.Progress{DocumentRef: ref, Stage: stage, Slice: events.Slice{Slice: slice, Slices: 2, Chunks: 20}, Attempts: attempt,
			Code: "model_busy", Message: "out of capacity", Retry: due}
	}
	why := func() corpus.NotSearchable {
		w := document(t, l, acme, ref.DocID).Why
		require.NotNil(t, w)
		assert.False(t, w.Since.IsZero())
		w.Since = time.Time{}
		return *w
	}
	assert.Equal(t, corpus.WhyInProgress, why().Code)
	assert.Equal(t, corpus.StageChunk, why().Stage)
	assert.Equal(t, nothing, advance(t, l, acme, note(corpus.StageChunk, 0, 2)), "it is not a failure")
	want := corpus.NotSearchable{Code: corpus.WhyRetrying, Message: "out of capacity", Error: "model_busy", Stage: corpus.StageChunk, Attempts: 2, Next: due}
	assert.Equal(t, want, why())
	advance(t, l, acme, note(corpus.StageChunk, 0, 3), note(corpus.StageChunk, 0, 2))
	want.Attempts = 3
	assert.Equal(t, want, why(), "what is late changes nothing")
	assert.Equal(t, job.Queued, jobOf(t, l, acme, ref).State)

	advance(t, l, acme, chunked(ref, 2, 20))
	assert.Equal(t, []any{corpus.WhyInProgress, corpus.StageEmbed}, []any{why().Code, why().Stage}, "it got on")
	advance(t, l, acme, note(corpus.StageChunk, 0, 4))
	assert.Equal(t, corpus.WhyInProgress, why().Code, "the stage is behind it")
	advance(t, l, acme, note(corpus.StageEmbed, 1, 2))
	assert.Equal(t, []any{corpus.WhyRetrying, corpus.StageEmbed}, []any{why().Code, why().Stage})
	advance(t, l, acme, indexed(ref, 1, 2, 20))
	assert.Equal(t, []any{corpus.WhyInProgress, corpus.StageIndex}, []any{why().Code, why().Stage})
	advance(t, l, acme, note(corpus.StageIndex, 1, 2))
	assert.Equal(t, corpus.WhyInProgress, why().Code, "the slice is in")
	advance(t, l, acme, note(corpus.StageIndex, 0, 2), indexed(ref, 0, 2, 20))
	assert.Nil(t, document(t, l, acme, ref.DocID).Why)
	advance(t, l, acme, note(corpus.StageIndex, 0, 3))
	assert.Nil(t, document(t, l, acme, ref.DocID).Why, "it is searchable")
}

func retryingToFetch(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	sub.TextKey, sub.SHA256, sub.Bytes, sub.Fetch = "", "", 0, &events.Fetch{URL: "https://example.com/page"}
	_, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	ref := events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}
	note := func(attempt int, due time.Time) corpus.Progress {
		return corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Attempts: attempt, Code: "fetch_failed", Message: "503", Retry: due}
	}
	due := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	advance(t, l, acme, note(3, due), note(2, due.Add(-time.Hour)))
	w := document(t, l, acme, sub.DocID).Why
	assert.Equal(t, []any{corpus.WhyRetrying, corpus.StageFetch, 3, due}, []any{w.Code, w.Stage, w.Attempts, w.Next})
	advance(t, l, acme, note(2, due.Add(time.Hour)))
	assert.Equal(t, due.Add(time.Hour), document(t, l, acme, sub.DocID).Why.Next, "it was sent again from the beginning")
	fetched := &corpus.Original{TextKey: corpus.TextKey(sub.DocID, sub.JobID, "x"), ContentType: "text/html", SHA256: "x", Bytes: 1}
	advance(t, l, acme, corpus.Progress{DocumentRef: ref, Stage: corpus.StageFetch, Fetched: fetched})
	w = document(t, l, acme, sub.DocID).Why
	assert.Equal(t, []any{corpus.WhyInProgress, corpus.StageChunk}, []any{w.Code, w.Stage})
	advance(t, l, acme, note(4, due.Add(2*time.Hour)))
	assert.Equal(t, corpus.WhyInProgress, document(t, l, acme, sub.DocID).Why.Code)
}

func costing(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	paid := func(slice int, tokens int64) corpus.Progress {
		p := indexed(ref, slice, 3, 40)
		p.Cost = job.Cost{Tokens: tokens, Nanos: 12 * tokens}
		return p
	}
	advance(t, l, acme, paid(0, 100), paid(2, 7), paid(0, 100))
	advance(t, l, acme, paid(0, 90), chunked(ref, 3, 40))
	assert.Equal(t, job.Cost{Tokens: 107, Nanos: 1284}, document(t, l, acme, ref.DocID).Cost, "a slice is counted once")
	assert.Equal(t, &job.Cost{Tokens: 107, Nanos: 1284}, jobOf(t, l, acme, ref).Cost)
	advance(t, l, acme, paid(1, 3))
	assert.Equal(t, &job.Cost{Tokens: 110, Nanos: 1320}, jobOf(t, l, acme, ref).Cost)
	next := submit(t, l, acme, ref.DocID, 2)
	assert.Zero(t, document(t, l, acme, ref.DocID).Cost, "of the newest")
	assert.Nil(t, jobOf(t, l, acme, next).Cost)
}

func versions(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	var refs []events.DocumentRef
	for n := 1; n <= corpus.MaxVersions+3; n++ {
		ref := submit(t, l, acme, id, n)
		refs = append(refs, ref)
		switch n % 3 {
		case 0:
			advance(t, l, acme, corpus.Progress{DocumentRef: ref, Stage: corpus.StageEmbed, Code: "broken", Cause: events.Cause{ID: "event"}})
		case 1:
			p := indexed(ref, 0, 1, n)
			p.Cost.Tokens = int64(n)
			vs := advance(t, l, acme, p)
			for _, r := range vs[0].Retired { // as the consumer does
				advance(t, l, acme, corpus.Progress{DocumentRef: events.DocumentRef{DocID: id, Generation: r.Generation}, Stage: corpus.StageRetire})
			}
		case 2:
			_, err := l.Cancel(t.Context(), acme, ref.JobID)
			require.NoError(t, err)
		}
	}
	d := document(t, l, acme, id)
	require.Len(t, d.Versions, corpus.MaxVersions)
	for i, v := range d.Versions {
		n := len(refs) - i
		assert.Equal(t, []any{n, refs[n-1].JobID, 12}, []any{v.Generation, v.JobID, v.Bytes})
		assert.NotEmpty(t, v.SHA256)
		assert.False(t, v.At.IsZero())
		want := []any{corpus.Failed, "broken", 0, int64(0), false}
		switch n % 3 {
		case 1:
			want = []any{corpus.Replaced, "", n, int64(n), false}
			if n == d.Searchable {
				want = []any{corpus.Indexed, "", n, int64(n), true}
			}
		case 2:
			want = []any{corpus.Cancelled, "cancelled", 0, int64(0), false}
		}
		assert.Equal(t, want, []any{v.State, v.Reason, v.Chunks, v.Tokens, v.Searchable}, "version %d", n)
	}
}

func repeating(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	first, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	again, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	assert.Equal(t, first, again, "the answer was lost, and the call is made again")
	assert.Equal(t, 1, document(t, l, acme, sub.DocID).Generation)
	other := submission(t, tenantstest.Fresh(t, "doc-"))
	other.JobID = sub.JobID
	_, err = corpus.Submit(t.Context(), l, acme, other)
	assert.Equal(t, "job_exists", fault.As(err).Code)
}

func cancelling(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	advance(t, l, acme, chunked(one, 1, 2), indexed(one, 0, 1, 2))
	two := submit(t, l, acme, id, 2)
	advance(t, l, acme, chunked(two, 2, 20), indexed(two, 1, 2, 20))
	j, err := l.Cancel(t.Context(), acme, two.JobID)
	require.NoError(t, err)
	assert.Equal(t, []any{job.Cancelled, "cancelled"}, []any{j.State, j.Errors[0].Code})
	again, err := l.Cancel(t.Context(), acme, two.JobID)
	require.NoError(t, err)
	assert.Equal(t, j, again)
	d := document(t, l, acme, id)
	assert.Equal(t, []any{corpus.Cancelled, 1, corpus.WhyCancelled}, []any{d.State, d.Searchable, d.Why.Code}, "what was shown is shown")
	want := []corpus.Verdict{{Stale: true, Unwanted: true, Retired: []corpus.Retired{{Generation: 2, Chunks: 20, Model: model}}}}
	assert.Equal(t, want, advance(t, l, acme, indexed(two, 0, 2, 20)), "what comes of it is removed")
	done, err := l.Cancel(t.Context(), acme, one.JobID)
	require.NoError(t, err)
	assert.Equal(t, job.Succeeded, done.State, "one that has ended stays as it is")
	assert.Equal(t, 1, document(t, l, acme, id).Searchable)
}

func resubmitting(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	sub.About.Metadata = map[string]any{"year": 2026.0}
	sub.Chunking = events.Chunking{MaxTokens: 100}
	_, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	ref := events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}
	re := corpus.Resubmission{DocID: sub.DocID, Generation: 1, JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "replay"}}
	r, err := l.Resubmit(t.Context(), acme, re)
	require.NoError(t, err)
	assert.Equal(t, corpus.Receipt{DocID: sub.DocID, JobID: sub.JobID, Generation: 1, Unchanged: true}, r, "it has not failed")

	advance(t, l, acme, corpus.Progress{DocumentRef: ref, Stage: corpus.StageEmbed, Code: "broken", Cause: events.Cause{ID: "event"}})
	want := corpus.Receipt{DocID: sub.DocID, JobID: re.JobID, Generation: 2}
	for range 2 {
		r, err = l.Resubmit(t.Context(), acme, re)
		require.NoError(t, err)
		assert.Equal(t, want, r)
	}
	d := document(t, l, acme, sub.DocID)
	assert.Equal(t, []any{2, sub.TextKey, sub.SHA256, sub.About, sub.Model, corpus.Submitted}, []any{d.Generation, d.TextKey, d.SHA256, d.About, d.Model, d.State})
	re.JobID = tenantstest.Fresh(t, "")
	r, err = l.Resubmit(t.Context(), acme, re)
	require.NoError(t, err)
	assert.True(t, r.Unchanged, "another one is the newest")
	_, err = l.Resubmit(t.Context(), acme, corpus.Resubmission{DocID: tenantstest.Fresh(t, "none-"), Generation: 1, JobID: tenantstest.Fresh(t, "")})
	assert.Equal(t, "document_not_found", fault.As(err).Code)
}

func cataloguesBelong(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	_, err := l.Delete(t.Context(), globex, corpus.Deletion{DocID: ref.DocID, JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "x"}})
	assert.Equal(t, "document_not_found", fault.As(err).Code)
	_, err = l.Cancel(t.Context(), globex, ref.JobID)
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	_, err = l.Resubmit(t.Context(), globex, corpus.Resubmission{DocID: ref.DocID, Generation: 1, JobID: tenantstest.Fresh(t, "")})
	assert.Equal(t, "document_not_found", fault.As(err).Code)
	none, _ := list(t, l, globex, corpus.Listing{Prefix: ref.DocID, Limit: 10})
	assert.Empty(t, none)
	assert.Equal(t, job.Queued, jobOf(t, l, acme, ref).State, "nothing has happened to it")
}

func questions(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	for _, limit := range []int{-1, 0, corpus.MaxListed + 1} {
		_, err := l.List(t.Context(), acme, corpus.Listing{Limit: limit})
		assert.Equal(t, []any{fault.Invalid, "limit"}, []any{fault.KindOf(err), fault.As(err).Field})
		_, err = l.Jobs(t.Context(), acme, corpus.JobListing{Limit: limit})
		assert.Equal(t, []any{fault.Invalid, "limit"}, []any{fault.KindOf(err), fault.As(err).Field})
	}
	_, err := l.List(t.Context(), acme, corpus.Listing{Limit: 1, Cursor: "!"})
	assert.Equal(t, []any{fault.Invalid, "cursor"}, []any{fault.KindOf(err), fault.As(err).Field})
	_, err = l.Jobs(t.Context(), acme, corpus.JobListing{Limit: 1, Cursor: "!"})
	assert.Equal(t, []any{fault.Invalid, "cursor"}, []any{fault.KindOf(err), fault.As(err).Field})
	_, err = l.Delete(t.Context(), acme, corpus.Deletion{DocID: "doc"})
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	_, err = l.Resubmit(t.Context(), acme, corpus.Resubmission{DocID: "doc"})
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
}

func nobodyAsks(t *testing.T, l Ledger) {
	none := tenants.Scope{}
	_, err := l.List(t.Context(), none, corpus.Listing{Limit: 1})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Jobs(t.Context(), none, corpus.JobListing{Limit: 1})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Delete(t.Context(), none, corpus.Deletion{DocID: "doc", JobID: "job"})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Cancel(t.Context(), none, "job")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = l.Resubmit(t.Context(), none, corpus.Resubmission{DocID: "doc", JobID: "job"})
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}
