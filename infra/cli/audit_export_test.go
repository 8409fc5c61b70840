package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

// long puts n more entries on record for a tenant.
func (p *postbox) long(tenant string, n int) {
	p.Helper()
	s := tenantstest.Scope(p, tenant)
	var es []events.AuditEntry
	had := len(p.trail.Entries(s))
	for i := range n {
		es = append(es, events.AuditEntry{
			ID: fmt.Sprint(tenant, had+i), Type: events.TypeDocumentIndexed, Source: s.Source("test"), Subject: fmt.Sprint("documents/", i),
			Time: time.Date(2026, 11, 22, 8, 0, i, 0, time.UTC), SHA256: tenants.HashKey(tenant),
		})
	}
	require.NoError(p, p.trail.Append(p.Context(), s, es))
}

// flaky is the same behind a line that breaks after so many bytes of each answer from the nth on; it counts what it was asked.
func (p *postbox) flaky(bytes int64, from int) (behind *postbox, asked *int) {
	asked = new(int)
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		req, err := http.NewRequestWithContext(r.Context(), r.Method, p.url+r.URL.String(), nil)
		if !assert.NoError(p, err) {
			return
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if !assert.NoError(p, err) {
			return
		}
		defer resp.Body.Close()
		for name := range resp.Header {
			w.Header()[name] = resp.Header[name]
		}
		w.WriteHeader(resp.StatusCode)
		most := bytes
		if *asked < from {
			most = 1 << 30
		}
		if n, _ := io.CopyN(w, resp.Body, most); n == most {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	p.Cleanup(far.Close)
	q := *p
	q.url = far.URL
	return &q, asked
}

func (p *postbox) exports(tenant, folder string) (code int, stdout, stderr string) {
	p.Helper()
	return p.exits(tenant, "audit", "export", "--out", folder)
}

func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	found, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

// A trail is copied whole, in files that verify reads; called again, only what is new is asked for.
func TestATrailIsExported(t *testing.T) {
	p := newPostbox(t)
	folder := filepath.Join(t.TempDir(), "made", "here")
	code, out, _ := p.exports("acme", folder)
	assert.Equal(t, []any{0, "nothing on record\n"}, []any{code, out})
	p.long("acme", 2_300)
	p.long("globex", 2)
	code, out, stderr := p.exports("acme", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "acme: 2300 entries in "+folder+", 2300 of them new\nhead 2300:")
	want := []string{"000000000001-000000001000.ndjson", "000000001001-000000002000.ndjson", "000000002001-000000002300.ndjson"}
	assert.Equal(t, want, files(t, folder))
	for i, n := range []int{0, 5} { // the first time there is nothing new
		p.long("acme", n)
		code, out, stderr = p.exports("acme", folder)
		require.Zero(t, code, stderr)
		assert.Contains(t, out, fmt.Sprintf("%d of them new", n))
		assert.Len(t, files(t, folder), 3+i)
	}
	code, out, stderr = p.exits("acme", "audit", "verify", "--from-dir", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "4 segments, up to entry 2305, have the same")

	code, _, stderr = p.exports("globex", folder)
	assert.Equal(t, exitBroken, code, "another tenant's folder")
	assert.Contains(t, stderr, "another tenant's")
	other := t.TempDir()
	code, out, _ = p.exports("globex", other)
	assert.Zero(t, code)
	assert.Contains(t, out, "globex: 2 entries")
	assert.Equal(t, []string{"000000000001-000000000002.ndjson"}, files(t, other))
	code, _, stderr = p.exits("acme", "audit", "export")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--out is required")
}

// An answer that breaks off is asked for again from where it broke, and a command that gave up goes on where it was.
func TestAnExportThatIsCutOff(t *testing.T) {
	p := newPostbox(t)
	p.long("acme", 2_300)
	const piece = 200_000 // some 400 lines
	flaky, asked := p.flaky(piece, 0)
	folder := t.TempDir()
	code, out, stderr := flaky.exports("acme", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "2300 of them new")
	assert.Greater(t, *asked, 4)
	p.verifies("acme", "", "--from-dir", folder)

	p.long("acme", 1_500)
	flaky, _ = p.flaky(100, 2) // not one line
	code, _, stderr = flaky.exports("acme", folder)
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, stderr, "the answer is not whole")
	assert.Len(t, files(t, folder), 3, "nothing by halves")

	p.trail.Rows(tenantstest.Scope(t, "acme"), func(tx rows.Tx) { cut(tx, 3_500, 3_500) })
	code, _, stderr = p.exports("acme", folder)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "entry 3500: it is missing")
	assert.Equal(t, "000000003301-000000003499.ndjson", files(t, folder)[4], "what fits stays")
}

// A trail that was changed since does not go on from what was copied; one that was erased is another one.
func TestAnExportOfATrailThatWasChangedSince(t *testing.T) {
	p := newPostbox(t)
	s := tenantstest.Scope(t, "acme")
	p.long("acme", 10)
	p.long("globex", 10)
	folder := t.TempDir()
	code, _, stderr := p.exports("acme", folder)
	require.Zero(t, code, stderr)
	p.trail.Rows(s, func(tx rows.Tx) { anew(tx, s, 4); ended(tx) })
	p.long("acme", 2)
	code, _, stderr = p.exports("acme", folder)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "the trail, entry 11: it follows another entry than 10")

	erased := events.AuditEntry{
		ID: "erased", Type: events.TypeTenantErased, Source: s.Source("test"), Subject: "tenant", Time: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), SHA256: tenants.HashKey("x"),
	}
	require.NoError(t, p.trail.Append(t.Context(), s, []events.AuditEntry{erased}))
	code, _, stderr = p.exports("acme", folder)
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, stderr, "its trail goes on with entry 13, and "+folder+" has it up to 10; use another folder")
	other := t.TempDir()
	code, _, stderr = p.exports("acme", other)
	require.Zero(t, code, stderr)
	p.verifies("acme", "", "--from-dir", other)
	p.verifies("globex", "")
}

func TestTheProgressOfAnExport(t *testing.T) {
	var out bytes.Buffer
	m := newMeter(&out, "entries", 2_300, 100)
	for _, n := range []int{1_000, 2_300} {
		m.drawn = time.Time{}
		m.count(n, 2_300)
	}
	assert.Contains(t, out.String(), "(1000/2300")
	assert.Contains(t, out.String(), "(2300/2300")
	(&meter{}).count(1, 2)
}
