package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// importView is the job of an import, or the answer to who began one.
type importView struct {
	JobID   string `json:"jobId"`
	State   string `json:"state"`
	Entries int    `json:"entries"`
	Refused int    `json:"refused"`
	Counts  struct {
		Total, Done, Failed, Refused, Unchanged, Cancelled int
	} `json:"counts"`
	Errors []struct {
		Line                 int
		Code, Message, Field string
	} `json:"errors"`
}

// batchOf is n lines of a tenant, of which three are no document.
func batchOf(tenant, name string, n int) string {
	var b strings.Builder
	for i := range n {
		switch i {
		case 10:
			b.WriteString(`{"docId": "broken", "text": ` + "\n")
		case n / 2:
			b.WriteString(`{"docId": "not an id", "text": "x"}` + "\n")
		case n - 1:
			b.WriteString(`{"docId": "misspelt", "txet": "x"}` + "\n")
		default:
			fmt.Fprintf(&b, `{"docId": "%s/%d", "title": %q, "text": "Line %d of %s: the channels of the upper village carry water."}`+"\n", name, i, tenant, i, tenant)
		}
	}
	return b.String()
}

func (u user) batch(body string, headers ...string) (v importView) {
	u.t.Helper()
	a := u.do(http.MethodPost, "/ingest/batch", strings.NewReader(body), append(headers, "content-type", "application/x-ndjson")...)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	a.into(u.t, &v)
	return v
}

// imported waits for the end of an import.
func (u user) imported(jobID string) (v importView) {
	u.t.Helper()
	u.finished(jobID)
	u.do(http.MethodGet, "/jobs/"+jobID, nil).into(u.t, &v)
	return v
}

// wholeBatch requires of each good line of a batch that it is searchable, once, in its tenant, and of each bad one that it is named.
func wholeBatch(t *testing.T, p *local.Local, tenant, name string, begun importView, n int) {
	t.Helper()
	u := asOn(t, p, tenant)
	assert.Equal(t, []int{n - 3, 3}, []int{begun.Entries, begun.Refused})
	v := u.imported(begun.JobID)
	require.Equal(t, "succeeded", v.State, "%+v", v)
	assert.Equal(t, []int{n, n - 3, 3, 3}, []int{v.Counts.Total, v.Counts.Done, v.Counts.Failed, v.Counts.Refused})
	for _, errs := range [][]struct {
		Line                 int
		Code, Message, Field string
	}{begun.Errors, v.Errors} {
		require.Len(t, errs, 3)
		for i, want := range []string{"11 invalid_json ", fmt.Sprintf("%d doc_id_invalid docId", n/2+1), fmt.Sprintf("%d unknown_field txet", n)} {
			assert.Equal(t, want, fmt.Sprintf("%d %s %s", errs[i].Line, errs[i].Code, errs[i].Field))
		}
	}
	for i := range n {
		if i == 10 || i == n/2 || i == n-1 {
			continue
		}
		d := u.document(fmt.Sprintf("%s/%d", name, i))
		require.Equal(t, []any{"indexed", 1, 1}, []any{d.State, d.Generation, d.Searchable}, d.DocID)
	}
	f := u.search("Which village has channels?", map[string]any{"topK": 5, "filter": map[string]any{"docId": name + "/7"}})
	require.Len(t, f.Sources, 1)
	assert.Equal(t, tenant, f.Sources[0].Title)
	assert.Contains(t, f.Sources[0].Text, "Line 7 of "+tenant)
}

func TestABatchBecomesSearchable(t *testing.T) {
	t.Parallel()
	const n = 300
	begun := map[string]importView{}
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		begun[tenant] = u.batch(batchOf(tenant, "batch", n), "idempotency-key", "nightly")
		again := u.batch(batchOf(tenant, "batch", n), "idempotency-key", "nightly")
		assert.Equal(t, begun[tenant].JobID, again.JobID)
		a := u.do(http.MethodPost, "/ingest/batch", strings.NewReader(batchOf(tenant, "other", n)), "idempotency-key", "nightly", "content-type", "application/x-ndjson")
		assert.Equal(t, "idempotency_conflict", a.Error.Code)
	}
	for tenant, b := range begun {
		wholeBatch(t, platform, tenant, "batch", b, n)
	}
	assert.Equal(t, http.StatusNotFound, as(t, "globex").do(http.MethodGet, "/jobs/"+begun["acme"].JobID, nil).Status)

	a := as(t, "acme").do(http.MethodPost, "/ingest/batch", strings.NewReader("[]\n{}\n"), "content-type", "application/x-ndjson")
	assert.Equal(t, []any{http.StatusBadRequest, "batch_refused"}, []any{a.Status, a.Error.Code})
}

// Whatever dies in the middle of imports, they end whole: workerd alone, which is started again at once, and then everything.
func TestKilledInTheMiddleOfImports(t *testing.T) {
	t.Parallel()
	const n = 700 // two parts
	state := newState(t)
	p := own(t, state)
	begun := map[string]importView{}
	for _, tenant := range []string{"acme", "globex"} {
		begun[tenant] = asOn(t, p, tenant).batch(batchOf(tenant, "batch", n))
	}
	eventually(t, "something is searchable", func() bool { return vectors(t, p, "bge-m3") > 0 })
	killed := 0
	for _, pid := range children(t, p.PID()) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		killed++
	}
	require.NotZero(t, killed)
	eventually(t, "a quarter is searchable", func() bool { return vectors(t, p, "bge-m3") > n/4 })
	require.NoError(t, p.Kill())
	p = own(t, state)
	for tenant, b := range begun {
		wholeBatch(t, p, tenant, "batch", b, n)
	}
	settled(t, p)
	assert.Equal(t, n-3, vectors(t, p, "bge-m3"), "no vector is missing, none is there twice")
	eventually(t, "the parts are gone", func() bool { return len(objects(t, p, "imports")) == 0 })
	for tenant := range begun {
		of := map[string]int{}
		for key := range ledger(t, state, tenant) {
			of[key[:2]]++
		}
		assert.Equal(t, n-3, of["d/"], "documents of %s", tenant)
		assert.Zero(t, of["o/"], "nothing waits to be sent")
	}
}

// objects are the keys of both tenants' objects of a kind.
func objects(t *testing.T, p *local.Local, kind string) (keys []string) {
	t.Helper()
	for _, tenant := range []string{"acme", "globex"} {
		all, err := p.R2(stack.Workflows, "CORPUS").Keys(t.Context(), "t/"+tenant+"/"+kind+"/")
		require.NoError(t, err)
		keys = append(keys, all...)
	}
	return keys
}
