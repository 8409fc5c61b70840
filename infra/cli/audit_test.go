package cli

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

// happened puts n entries on record for a tenant: every third tells an act.
func (p *postbox) happened(tenant string, n int) {
	p.Helper()
	s := tenantstest.Scope(p, tenant)
	for i := range n {
		e := events.AuditEntry{
			ID: fmt.Sprint(tenant, i), Type: events.TypeDocumentIndexed, Source: s.Source("test"), Subject: fmt.Sprint("documents/", i),
			Time: time.Date(2026, 11, 22, 8, i, 0, 0, time.UTC), SHA256: strings.Repeat("ab", 32),
		}
		if i%3 == 0 {
			e.Act = &events.Act{Kind: events.ActAdmin, Name: "jobs.cancel", Actor: "ops", UserID: "ada", Target: fmt.Sprint("jobs/", i), Outcome: events.OutcomeRefused, Code: "job_not_found", Count: 2}
		}
		require.NoError(p, p.trail.Append(p.Context(), s, []events.AuditEntry{e}))
	}
}

// exported has the trail of a tenant exported, and is a folder with its segments.
func (p *postbox) exported(tenant string) string {
	p.Helper()
	s, folder := tenantstest.Scope(p, tenant), p.TempDir()
	require.NoError(p, p.trail.Alarm(s))
	for key, body := range p.trail.Exported(s) {
		require.NoError(p, os.WriteFile(filepath.Join(folder, path.Base(key)), []byte(body), 0o600))
	}
	return folder
}

// exits runs a command and returns how it ends.
func (p *postbox) exits(tenant string, args ...string) (code int, stdout, stderr string) {
	p.Helper()
	var out, errs bytes.Buffer
	code = execute(p.Context(), &globals{}, append(args, "--url", p.url, "--tenant", tenant, "--state-dir", p.state), &out, &errs)
	return code, out.String(), errs.String()
}

func (p *postbox) headOf(tenant string) string {
	p.Helper()
	_, out, _ := p.exits(tenant, "audit", "verify")
	_, head, found := strings.Cut(out, "\nhead ")
	require.True(p, found, out)
	return strings.TrimSpace(head)
}

func TestWhatIsOnRecordIsListed(t *testing.T) {
	p := newPostbox(t)
	p.happened("acme", 7)
	p.happened("globex", 1)
	code, out, _ := p.exits("acme", "audit")
	require.Zero(t, code)
	for _, want := range []string{"jobs.cancel", "jobs/6", "ops for ada", "refused, job_not_found, 2 times", "2026-11-22 08:06:00"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "document.indexed")
	_, out, _ = p.exits("acme", "audit", "--events")
	assert.Contains(t, out, "document.indexed.v1")
	_, out, _ = p.exits("acme", "audit", "--kind", "event", "--since", "2026-11-22T08:05:00Z", "--until", "2026-11-23")
	assert.Contains(t, out, "documents/5")
	assert.NotContains(t, out, "documents/4")
	_, out, stderr := p.exits("acme", "audit", "--limit", "1", "--json")
	assert.Equal(t, 1, strings.Count(out, `"prev"`))
	assert.Empty(t, stderr)
	_, _, stderr = p.exits("acme", "audit", "--limit", "1")
	assert.Contains(t, stderr, "there are more")
	_, out, _ = p.exits("globex", "audit", "--actor", "nobody")
	assert.Equal(t, "nothing on record\n", out)
	for _, args := range [][]string{
		{"--kind", "other"}, {"--outcome", "good"}, {"--since", "soon"}, {"--limit", "-1"}, {"--since", "2026-11-22", "--until", "2026-11-21"}, {"--name", ""},
	} {
		code, _, stderr := p.exits("acme", append([]string{"audit"}, args...)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Contains(t, stderr, "--", args)
	}
}

func TestAGoodTrailIsVerified(t *testing.T) {
	p := newPostbox(t)
	code, out, _ := p.exits("acme", "audit", "verify")
	require.Zero(t, code)
	assert.Contains(t, out, "acme: 0 entries fit")
	p.happened("acme", 7)
	p.happened("globex", 2)
	folder := p.exported("acme")
	p.happened("acme", 9)
	code, out, stderr := p.exits("acme", "audit", "verify", "--from-dir", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "acme: 9 entries fit, from 1 to 9\n1 segment, up to entry 7, have the same\nhead ")
	head := p.headOf("acme")
	for _, args := range [][]string{{"--head", head}, {"--head", head, "--from-dir", folder}, {"--from-dir", folder, "--offline"}} {
		code, _, stderr = p.exits("acme", append([]string{"audit", "verify"}, args...)...)
		assert.Zero(t, code, stderr)
	}
	_, out, _ = p.exits("acme", "audit", "verify", "--json")
	assert.Contains(t, out, `"hash": "`+head+`"`)
	_, out, _ = p.exits("globex", "audit", "verify")
	assert.Contains(t, out, "globex: 2 entries fit")
	code, _, stderr = p.exits("globex", "audit", "verify", "--from-dir", folder)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "another tenant's")
	code, _, stderr = p.exits("globex", "audit", "verify", "--head", head)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "no entry has the hash")

	for _, args := range [][]string{{"--head", "2f1b"}, {"--offline"}, {"more"}} {
		code, _, _ := p.exits("acme", append([]string{"audit", "verify"}, args...)...)
		assert.Equal(t, exitUsage, code, args)
	}
	code, _, stderr = p.exits("acme", "audit", "verify", "--from-dir", t.TempDir())
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, stderr, "has no segments")
}

// Whatever is done to the rows or to a segment is found, with the first entry that does not fit; the other tenant's trail fits.
func TestATrailThatWasTamperedWith(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf("e/%012d", i) }
	swap := func(tx rows.Tx, change func(line string) string, i int) {
		line, _ := tx.Get(row(i))
		_ = tx.Put(row(i), []byte(change(string(line))))
	}
	for name, c := range map[string]struct {
		tamper func(tx rows.Tx)
		file   func(text string) string // what is done to the segment
		why    string
	}{
		"a row is edited": {tamper: func(tx rows.Tx) {
			swap(tx, func(l string) string { return strings.Replace(l, `"ops"`, `"eve"`, 1) }, 4)
		}, why: "entry 4: it was changed"},
		"a row is removed":       {tamper: func(tx rows.Tx) { _ = tx.Delete(row(4)) }, why: "entry 4: it is missing"},
		"a row is unreadable":    {tamper: func(tx rows.Tx) { _ = tx.Put(row(4), []byte("{")) }, why: "entry 4: it cannot be read"},
		"the last is unreadable": {tamper: func(tx rows.Tx) { _ = tx.Put(row(9), []byte("?")) }, why: "entry 9: it cannot be read"},
		"the first is removed":   {tamper: func(tx rows.Tx) { _ = tx.Delete(row(1)) }, why: "entry 1: it is missing"},
		"the tail is cut":        {tamper: func(tx rows.Tx) { _ = tx.Delete(row(8)); _ = tx.Delete(row(9)) }, why: "no entry has the hash that was noted"},
		"more of it is cut": {tamper: func(tx rows.Tx) {
			for i := 6; i <= 9; i++ {
				_ = tx.Delete(row(i))
			}
		}, why: "entry 6: it is missing"},
		"rows are swapped": {tamper: func(tx rows.Tx) {
			a, _ := tx.Get(row(2))
			b, _ := tx.Get(row(3))
			_ = tx.Put(row(2), b)
			_ = tx.Put(row(3), a)
		}, why: "entry 2: it is missing: 3 comes instead"},
		"a segment is edited": {file: func(text string) string { return strings.Replace(text, `"jobs/3"`, `"jobs/4"`, 1) }, why: "entry 4: it was changed"},
		"a segment is cut":    {file: func(text string) string { return text[:strings.LastIndex(text[:len(text)-1], "\n")+1] }, why: "its name says 7"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPostbox(t)
			for _, tenant := range []string{"acme", "globex"} {
				p.happened(tenant, 7)
			}
			folder := p.exported("acme")
			p.happened("acme", 9)
			head := p.headOf("acme")
			if c.tamper != nil {
				p.trail.Rows(tenantstest.Scope(t, "acme"), c.tamper)
			}
			if c.file != nil {
				file := filepath.Join(folder, "000000000001-000000000007.ndjson")
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(file, []byte(c.file(string(text))), 0o600))
			}
			code, _, stderr := p.exits("acme", "audit", "verify", "--from-dir", folder, "--head", head)
			assert.Equal(t, exitBroken, code)
			assert.Contains(t, stderr, c.why)
			code, out, _ := p.exits("acme", "audit", "verify", "--from-dir", folder, "--head", head, "--json")
			assert.Equal(t, exitBroken, code)
			assert.Contains(t, out, `"broken"`)
			code, _, stderr = p.exits("globex", "audit", "verify")
			assert.Zero(t, code, stderr)
		})
	}
}
