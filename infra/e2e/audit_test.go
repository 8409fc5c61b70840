package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/cli"
	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/trail/book"
	"levada.dev/workflows/trail/verify"
)

// auditing is a platform of a test's own, and what stands in its trails.
type auditing struct {
	*testing.T
	*local.Local
	state string
}

func newAuditing(t *testing.T) *auditing {
	state := newState(t)
	t.Cleanup(func() {
		if t.Failed() {
			explain(os.Stderr, filepath.Join(state, "workers.log"))
		}
	})
	return &auditing{t, own(t, state), state}
}

// entries are entries of a tenant's, those of places from to to.
func (a *auditing) entries(tenant string, from, to int) (es []events.AuditEntry) {
	a.Helper()
	s := tenantstest.Scope(a, tenant)
	for i := from; i <= to; i++ {
		es = append(es, events.AuditEntry{
			ID: fmt.Sprintf("%s-%d", tenant, i), Type: events.TypeDocumentIndexed, Source: s.Source("test"), Subject: fmt.Sprint("documents/", i),
			Time: time.Date(2026, 11, 1, 8, 0, i, 0, time.UTC), Bytes: i, SHA256: strings.Repeat("ab", 32),
		})
	}
	return es
}

// message is what the audit queue carries of entries.
func (a *auditing) message(tenant string, es []events.AuditEntry) string {
	a.Helper()
	ev, err := events.New(tenantstest.Scope(a, tenant), "test", events.Cause{ID: es[0].ID}, es[0].Time, events.EventRecorded{Entries: es})
	require.NoError(a, err)
	text, err := ev.MarshalJSON()
	require.NoError(a, err)
	return string(text)
}

// records puts entries into the audit queue, and waits until the tenant's trail ends with the last.
func (a *auditing) records(tenant string, from, to int) {
	a.Helper()
	for at := from; at <= to; at += 100 {
		require.NoError(a, a.Queue("audit").Send(a.Context(), a.message(tenant, a.entries(tenant, at, min(at+99, to)))))
	}
	a.reaches(tenant, int64(to))
}

func (a *auditing) reaches(tenant string, seq int64) {
	a.Helper()
	eventually(a.T, fmt.Sprintf("%s's trail has %d entries", tenant, seq), func() bool { return a.page(tenant).Head.Seq >= seq })
}

func (a *auditing) page(tenant string) (page client.TrailPage) {
	a.Helper()
	asOn(a.T, a.Local, tenant).do(http.MethodGet, "/audit?limit=1", nil).into(a.T, &page)
	return page
}

// segments is what the bucket has of a tenant's trail, by the names of the files.
func (a *auditing) segments(tenant string) map[string]string {
	a.Helper()
	bucket, found := a.R2(stack.Consumers, "CORPUS"), map[string]string{}
	keys, err := bucket.Keys(a.Context(), "t/"+tenant+"/audit/")
	require.NoError(a, err)
	for _, key := range keys {
		text, there, err := bucket.Get(a.Context(), key)
		require.NoError(a, err)
		if there {
			found[path.Base(key)] = string(text)
		}
	}
	return found
}

// copied is a folder with a tenant's segments, as somebody copies them from the bucket.
func (a *auditing) copied(tenant string) string {
	a.Helper()
	folder := a.TempDir()
	for name, text := range a.segments(tenant) {
		require.NoError(a, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder
}

// exported waits until a tenant's trail is exported up to a place.
func (a *auditing) exported(tenant string, to int64) {
	a.Helper()
	eventually(a.T, fmt.Sprintf("%s's trail is exported up to %d", tenant, to), func() bool {
		for name := range a.segments(tenant) {
			if strings.HasSuffix(strings.TrimSuffix(name, ".ndjson"), fmt.Sprintf("-%012d", to)) {
				return true
			}
		}
		return false
	})
}

// verifies runs levada audit verify for a tenant, and checks what it says, to people and to programs: why the trail does not fit, or that it does.
func (a *auditing) verifies(tenant, why string, flags ...string) (head string) {
	a.Helper()
	args := append([]string{"audit", "verify", "--url", a.URL, "--tenant", tenant, "--key", asOn(a.T, a.Local, tenant).key}, flags...)
	var out, text, errs bytes.Buffer
	code := cli.Execute(a.Context(), args, &out, &errs)
	assert.Equal(a, code, cli.Execute(a.Context(), append(args, "--json"), &text, &errs))
	var said struct{ Broken *verify.Break }
	require.NoError(a, json.Unmarshal(text.Bytes(), &said), "%s", &text)
	if why == "" {
		assert.Zero(a, code, "%s: %s", tenant, &errs)
		_, head, _ = strings.Cut(out.String(), "\nhead ")
		return strings.TrimSpace(head)
	}
	assert.Equal(a, 3, code, "%s: %s", tenant, &out)
	assert.Contains(a, errs.String(), why, tenant)
	if assert.NotNil(a, said.Broken, tenant) {
		assert.Contains(a, said.Broken.Error(), why, tenant)
	}
	return ""
}

// restarted runs f while the platform does not run.
func (a *auditing) restarted(f func()) {
	a.Helper()
	require.NoError(a, a.Stop())
	f()
	a.Local = own(a.T, a.state)
}

// tamper changes what a tenant's audit object has stored. No platform may run.
func (a *auditing) tamper(tenant string, sql ...string) {
	a.Helper()
	a.change(filepath.Join("do", "objects-Audit"), tenant, sql...)
}

// change changes databases below a folder of workerd's.
func (a *auditing) change(folder, tenant string, sql ...string) {
	a.Helper()
	cmd := exec.CommandContext(a.Context(), filepath.Join("..", "..", "node_modules", ".bin", "node"), append([]string{"--disable-warning=ExperimentalWarning",
		filepath.Join("testdata", "tamper.mjs"), filepath.Join(a.state, "workerd", folder), tenant}, sql...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(a, err, errs.String())
	changed, err := strconv.Atoi(string(out))
	require.NoError(a, err)
	require.Positive(a, changed, "of %s nothing was changed: %v", tenant, sql)
}

// The rows of an object, in SQL.
func rowOf(i int) string { return fmt.Sprintf("k = 'e/%012d'", i) }

func edited(i int, old, new string) string {
	return fmt.Sprintf("UPDATE rows SET v = CAST(replace(CAST(v AS TEXT), '%s', '%s') AS BLOB) WHERE %s", old, new, rowOf(i))
}

func copiedRow(from, to int) string {
	return fmt.Sprintf("INSERT OR REPLACE INTO rows (k, v) SELECT 'e/%012d', v FROM rows WHERE %s", to, rowOf(from))
}

func cutFrom(i int) string {
	return fmt.Sprintf("DELETE FROM rows WHERE k >= 'e/%012d' AND k < 'e0'", i)
}

const (
	forgotten = "UPDATE rows SET v = CAST('{}' AS BLOB) WHERE k = 's'" // that anything was exported
	boasting  = `INSERT OR REPLACE INTO rows (k, v) VALUES ('s', CAST('{"x":{"seq":12,"hash":"00"}}' AS BLOB))`
)

// Acts and refused access are on record, each tenant's in its own chain, which is told as it is kept.
func TestActsAreOnRecord(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	for _, tenant := range []string{"acme", "globex"} {
		u := asOn(t, a.Local, tenant)
		for range 3 {
			require.Equal(t, http.StatusNotFound, u.do(http.MethodDelete, "/jobs/none", nil, "x-user-id", "ada").Status)
		}
		u.key = "no key of theirs"
		require.Equal(t, http.StatusUnauthorized, u.do(http.MethodGet, "/usage", nil, "x-tenant-id", tenant).Status)
	}
	for _, tenant := range []string{"acme", "globex"} {
		u := asOn(t, a.Local, tenant)
		found := func(query string) (page client.TrailPage) {
			u.do(http.MethodGet, "/audit?"+query, nil).into(t, &page)
			return page
		}
		eventually(t, "what was done is on record", func() bool {
			return len(found("name=jobs.cancel").Entries) == 6 && len(found("kind=access").Entries) == 1
		})
		begun := found("name=jobs.cancel&outcome=begun").Entries
		require.Len(t, begun, 3)
		assert.Equal(t, []string{"ada", "jobs/none"}, []string{begun[0].Act.UserID, begun[0].Act.Target})
		assert.Equal(t, "unauthorized", found("kind=access").Entries[0].Act.Code)
		a.verifies(tenant, "")
	}
}

// tampering is what is done to a tenant's trail by somebody who has the disk and the bucket, and what is said of it: with nothing else, with the
// segments that were copied before, and those that are in the bucket now, and with the head that was noted.
type tampering struct {
	long   bool // 1,000 entries were exported, and 5 more are there; else there are 9
	sql    func(a *auditing, tenant string) []string
	bucket func(a *auditing, tenant string)

	alone, copied, now, noted string
}

const firstSegment = "000000000001-000000001000.ndjson"

var tamperings = map[string]tampering{
	"alder": {sql: func(*auditing, string) []string { return []string{edited(4, "documents/4", "documents/5")} },
		alone: "the trail, entry 4: it was changed", noted: "entry 4: it was changed"},
	"birch": {sql: func(*auditing, string) []string { return []string{"DELETE FROM rows WHERE " + rowOf(3)} },
		alone: "entry 3: it is missing: 4 comes instead", noted: "entry 3: it is missing"},
	"elm": {sql: func(*auditing, string) []string { // swapped
		return []string{copiedRow(5, 99), copiedRow(6, 5), copiedRow(99, 6), "DELETE FROM rows WHERE " + rowOf(99)}
	}, alone: "entry 5: it is missing: 6 comes instead", noted: "entry 5: it is missing"},
	"fir": {sql: func(*auditing, string) []string { // one is put in between
		return []string{copiedRow(9, 10), copiedRow(8, 9), copiedRow(7, 8), copiedRow(6, 7)}
	}, alone: "entry 7: 6 is in its place", noted: "entry 7"},
	"fern": {sql: func(a *auditing, _ string) []string { // another tenant's, of the same place
		row := objectRows(a.T, a.state, "Audit", "alder")[fmt.Sprintf("e/%012d", 5)]
		return []string{fmt.Sprintf("UPDATE rows SET v = X'%s' WHERE %s", hex.EncodeToString([]byte(row)), rowOf(5))}
	}, alone: "entry 5: it follows another entry than 4", noted: "entry 5"},
	"hazel": {sql: func(*auditing, string) []string { return []string{cutFrom(8)} },
		alone: "entry 8: it is missing, and so is all that follows: the trail ends with 9", noted: "entry 8: it is missing, and so is all that follows: 9 was noted"},
	"larch": {sql: func(*auditing, string) []string { return []string{boasting} },
		alone: "entry 10: it is missing, and so is all that follows: the trail ends with 12", noted: "entry 10"},

	"linden": {long: true, sql: func(*auditing, string) []string { return []string{cutFrom(999)} },
		alone: "entry 999: it is missing, and so is all that follows: the trail ends with 100", copied: "entry 999", now: "entry 999", noted: "entry 999"},
	"orchard": {long: true, sql: func(*auditing, string) []string { return []string{cutFrom(999), forgotten} },
		copied: "the trail, entry 999: it was exported, and is gone", now: "entry 999: it was exported", noted: "entry 999: it is missing, and so is all that follows: 1005 was noted"},
	"quince": {long: true, bucket: func(a *auditing, tenant string) {
		require.NoError(a, a.R2(stack.Consumers, "CORPUS").Put(a.Context(), "t/"+tenant+"/audit/"+firstSegment,
			strings.Replace(a.segments(tenant)[firstSegment], "documents/500", "documents/501", 1)))
	}, now: "segment " + firstSegment + ", entry 500: it was changed"},
	"rowan": {long: true, bucket: func(a *auditing, tenant string) {
		require.NoError(a, a.R2(stack.Consumers, "CORPUS").Put(a.Context(), "t/"+tenant+"/audit/"+firstSegment, a.segments("linden")[firstSegment]))
	}, now: "segment " + firstSegment + ", entry 1: it is another tenant's"},
	"thrifty": {long: true, bucket: func(a *auditing, tenant string) {
		text := a.segments(tenant)[firstSegment]
		require.NoError(a, a.R2(stack.Consumers, "CORPUS").Put(a.Context(), "t/"+tenant+"/audit/"+firstSegment, text[:strings.LastIndexByte(text[:len(text)-1], '\n')+1]))
	}, now: "segment " + firstSegment + ", entry 1000: the segment ends with 999, and its name says 1000"},

	"acme": {}, "globex": {long: true}, // nobody has touched them
}

// Whatever is done to rows, to segments and to what the object says of its end is found, with the first entry that does not fit, as far as it can be; trails
// that nobody has touched fit.
func TestWhatIsDoneToATrailIsFound(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	noted, before := map[string]string{}, map[string]string{}
	for tenant, c := range tamperings {
		if !c.long {
			a.records(tenant, 1, 9)
			continue
		}
		a.records(tenant, 1, book.SegmentLines)
		a.exported(tenant, book.SegmentLines)
		a.records(tenant, book.SegmentLines+1, book.SegmentLines+5)
	}
	for tenant, c := range tamperings {
		noted[tenant] = a.verifies(tenant, "")
		require.NotEmpty(t, noted[tenant])
		if c.long {
			before[tenant] = a.copied(tenant)
			a.verifies(tenant, "", "--from-dir", before[tenant])
		}
	}
	for tenant, c := range tamperings {
		if c.bucket != nil {
			c.bucket(a, tenant)
		}
	}
	a.restarted(func() {
		for tenant, c := range tamperings {
			if c.sql != nil {
				a.tamper(tenant, c.sql(a, tenant)...)
			}
		}
	})
	for tenant, c := range tamperings {
		a.verifies(tenant, c.alone)
		a.verifies(tenant, c.noted, "--head", noted[tenant])
		if c.long {
			a.verifies(tenant, c.copied, "--from-dir", before[tenant])
			a.verifies(tenant, c.now, "--from-dir", a.copied(tenant))
		}
	}
}
