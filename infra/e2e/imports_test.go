package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
	"levada.dev/workflows/imports"
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

// A batch that is several times what an instance has of memory comes in, and a line that is too long does not hold up the others.
func TestABatchOfAnySize(t *testing.T) {
	t.Parallel()
	const lines, tooLong = 3_000, 30 << 20
	bad := `{"docId": "x", "txet": "` + strings.Repeat("x", 50_000) + `"}` + "\n" // 150 MB of them
	good := `{"docId": "small", "text": "The channels carry water."}` + "\n"
	body := io.MultiReader(strings.NewReader(good), &repeated{text: bad, times: lines}, &repeated{text: "y", times: tooLong}, strings.NewReader("\n"+good))
	a := as(t, "maple").do(http.MethodPost, "/ingest/batch", body, "content-type", "application/x-ndjson")
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	var v importView
	a.into(t, &v)
	assert.Equal(t, []int{2, lines + 1}, []int{v.Entries, v.Refused})
	last := v.Errors[len(v.Errors)-1]
	assert.Equal(t, []any{lines + 2, "line_too_long"}, []any{last.Line, last.Code})
	assert.Equal(t, "succeeded", as(t, "maple").imported(v.JobID).State)

	var named []int
	for page := "/jobs/" + v.JobID + "/problems?limit=200"; page != ""; {
		var list struct {
			Problems []struct{ Line int }
			Next     string
		}
		as(t, "maple").do(http.MethodGet, page, nil).into(t, &list)
		for _, p := range list.Problems {
			named = append(named, p.Line)
		}
		if page = ""; list.Next != "" {
			page = "/jobs/" + v.JobID + "/problems?limit=200&cursor=" + list.Next
		}
	}
	require.Len(t, named, lines+1, "the job lists all")
	for i, line := range named {
		require.Equal(t, i+2, line)
	}
	assert.Equal(t, http.StatusNotFound, as(t, "acme").do(http.MethodGet, "/jobs/"+v.JobID+"/problems", nil).Status)
}

// What is refused before its body has been read is refused with a reason, although the platform reads no further and closes the connection.
func TestALargeBatchWithTheWrongKey(t *testing.T) {
	u := as(t, "acme")
	u.key = u.key[:len(u.key)-1] + string(u.key[len(u.key)-1]^1)
	for range 5 { // whether the answer or the end of the connection is seen first is a matter of luck
		a := u.do(http.MethodPost, "/ingest/batch", &repeated{text: `{"text": "The channels carry water."}` + "\n", times: 500_000}, "x-tenant-id", "acme", "content-type", "application/x-ndjson")
		assert.Equal(t, []any{http.StatusUnauthorized, "unauthorized"}, []any{a.Status, a.Error.Code})
	}
}

// repeated is a text so many times.
type repeated struct {
	text  string
	at    int
	times int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.times > 0 {
		k := copy(p[n:], r.text[r.at:])
		n += k
		if r.at += k; r.at == len(r.text) {
			r.at = 0
			r.times--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
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

// site is a web site on this machine: an index of sitemaps, one of which is packed, and pages. What is not there is a 404.
func site(t *testing.T) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	serve := func(path, contentType, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		})
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprintf(z, "<urlset><url><loc>%s/c?lang=en&amp;x=1</loc></url></urlset>", srv.URL)
	require.NoError(t, z.Close())
	serve("/sitemap.xml", "application/xml", fmt.Sprintf("<sitemapindex><sitemap><loc>%[1]s/1.xml</loc></sitemap><sitemap><loc>%[1]s/2.xml.gz</loc></sitemap><sitemap><loc>%[1]s/3.xml</loc></sitemap></sitemapindex>", srv.URL))
	serve("/1.xml", "text/xml", fmt.Sprintf("<urlset><url><loc>%[1]s/a</loc></url><url><loc>%[1]s/b</loc></url><url><loc>%[1]s/gone</loc></url></urlset>", srv.URL))
	serve("/2.xml.gz", "application/gzip", packed.String())
	for _, page := range []string{"a", "b", "c"} {
		serve("/"+page, "text/html; charset=utf-8", fmt.Sprintf("<html><head><title>Page %[1]s</title></head><body><main><h1>Page %[1]s</h1><p>The channels of page %[1]s carry water to the gardens below the village.</p></main></body></html>", page))
	}
	return srv.URL
}

func (u user) imports(body any) (v importView) {
	u.t.Helper()
	a := u.do(http.MethodPost, "/imports", body)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	a.into(u.t, &v)
	return v
}

func TestImportsOfTheWeb(t *testing.T) {
	t.Parallel()
	u, web := as(t, "maple"), site(t)
	v := u.imported(u.imports(map[string]any{"sitemap": web + "/sitemap.xml", "source": "site"}).JobID)
	assert.Equal(t, "succeeded", v.State, "%+v", v)
	assert.Equal(t, []int{5, 3, 2, 1}, []int{v.Counts.Total, v.Counts.Done, v.Counts.Failed, v.Counts.Refused}, "%+v", v.Errors)
	for _, page := range []string{"a", "b", "c?lang=en&x=1"} {
		d := u.document(imports.DocID(web + "/" + page))
		assert.Equal(t, []any{"indexed", 1, 1}, []any{d.State, d.Generation, d.Searchable}, page)
	}
	f := u.search("Which page has channels?", map[string]any{"topK": 3, "filter": map[string]any{"source": "site"}})
	require.Len(t, f.Sources, 3)

	again := u.imports(map[string]any{"urls": []string{web + "/a", "mailto:a@b.example", web + "/b"}, "source": "site"})
	assert.Equal(t, []any{1, 2, "url_invalid"}, []any{again.Refused, again.Errors[0].Line, again.Errors[0].Code})
	v = u.imported(again.JobID)
	assert.Equal(t, []int{3, 2, 2, 1}, []int{v.Counts.Total, v.Counts.Done, v.Counts.Unchanged, v.Counts.Refused}, "%+v", v)

	a := as(t, "acme").do(http.MethodPost, "/imports", map[string]any{"urls": []string{web + "/a"}})
	require.Equal(t, http.StatusBadRequest, a.Status, "only maple may look at this machine")
	assert.Contains(t, string(a.Body), `"address_denied"`)
}

// A source is imported when its time has come, once, however often the schedule runs.
func TestASourceIsSynced(t *testing.T) {
	t.Parallel()
	u, bucket := as(t, "maple"), platform.R2(stack.Workflows, "CORPUS")
	for name, text := range map[string]string{"synced/a.md": "# Synced\n\nThe first of the shelf.", "synced/deep/b.txt": "The second of the shelf.", "other/c.txt": "not below the prefix"} {
		require.NoError(t, bucket.Put(t.Context(), "t/maple/files/"+name, text))
	}
	next := time.Now().Add(5 * time.Minute) // the platform's own schedule may have opened the import of this slot before the files were there
	for range 3 {
		require.NoError(t, platform.Cron(t.Context(), stack.Workflows, stack.SyncCron, next))
	}
	for _, id := range []string{"synced/a.md", "synced/deep/b.txt"} {
		eventually(t, id+" is searchable", func() bool {
			a, err := u.try(http.MethodGet, "/documents/"+url.PathEscape(id), nil)
			var d documentView
			return err == nil && a.OK && a.decode(&d) == nil && d.Searchable > 0
		})
	}
	assert.Equal(t, http.StatusNotFound, u.do(http.MethodGet, "/documents/"+url.PathEscape("other/c.txt"), nil).Status)
	f := u.search("What is on the shelf?", map[string]any{"filter": map[string]any{"source": "shelf"}})
	require.Len(t, f.Sources, 2)
	// The import of a slot is its own cause. The platform's own schedule, which may have run for long, has opened some as well.
	opened := map[string]int{}
	eventually(t, "its import is in the audit trail", func() bool {
		clear(opened)
		for _, e := range trail(t, sharedState, "maple") {
			if e.Type == events.TypeImportStarted && strings.HasPrefix(e.CausationID, strings.TrimPrefix(e.Subject, "imports/")) {
				opened[e.Subject]++
			}
		}
		return len(opened) > 0
	})
	for subject, n := range opened {
		assert.Equal(t, 1, n, subject)
	}
}
