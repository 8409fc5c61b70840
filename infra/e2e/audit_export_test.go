package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/trail/book"
)

// What is much is exported at once, to the bucket, in segments that are the chain. A platform that died between the write of a segment and the note of it
// writes the same again, whether the write was lost or the note; an erasure takes a tenant's segments, and leaves the other tenants'.
func TestSegmentsOfATrail(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	long := []string{"acme", "globex", "alder", "birch"}
	first := map[string]string{}
	for _, tenant := range long {
		a.records(tenant, 1, book.SegmentLines)
	}
	for _, tenant := range long {
		a.exported(tenant, book.SegmentLines)
		first[tenant] = a.segments(tenant)[firstSegment]
		assert.Equal(t, book.SegmentLines, strings.Count(first[tenant], "\n"))
		for _, other := range long {
			assert.Equal(t, other == tenant, strings.Contains(first[tenant], "/tenants/"+other+"/"), "nothing of another tenant")
		}
		a.verifies(tenant, "", "--from-dir", a.copied(tenant))
	}
	const planned = `UPDATE rows SET v = CAST('{"p":1000}' AS BLOB) WHERE k = 's'`
	require.NoError(t, a.R2(stack.Consumers, "CORPUS").Delete(t.Context(), "t/globex/audit/"+firstSegment))
	a.restarted(func() {
		a.tamper("acme", planned)   // it was written, and not noted
		a.tamper("globex", planned) // it was to be written
	})
	for _, tenant := range []string{"acme", "globex"} {
		a.records(tenant, book.SegmentLines+1, book.SegmentLines+3)
		a.exported(tenant, book.SegmentLines+3)
		kept := a.segments(tenant)
		require.Len(t, kept, 2, tenant)
		assert.Equal(t, first[tenant], kept[firstSegment], "the same bytes in the same place")
		a.verifies(tenant, "", "--from-dir", a.copied(tenant))
	}

	s := tenantstest.Scope(t, "alder")
	erased := a.entries("alder", 5_000, 5_000)
	erased[0].ID, erased[0].Type, erased[0].Subject, erased[0].Source = "alder-erased", events.TypeTenantErased, "tenant", s.Source("test")
	head := a.verifies("alder", "")
	for range 2 { // told again
		require.NoError(t, a.Queue("audit").Send(t.Context(), a.message("alder", erased)))
	}
	eventually(t, "the tenant's segments are gone", func() bool {
		for name := range a.segments("alder") {
			if name < "000000001001" {
				return false
			}
		}
		return len(a.segments("alder")) == 1
	})
	kept := a.segments("alder")["000000001001-000000001001.ndjson"]
	assert.Equal(t, 1, strings.Count(kept, "\n"))
	assert.Contains(t, kept, events.TypeTenantErased)
	a.verifies("alder", "", "--head", head, "--from-dir", a.copied("alder"))
	assert.Equal(t, map[string]string{firstSegment: first["birch"]}, a.segments("birch"))
	a.verifies("birch", "", "--from-dir", a.copied("birch"))
}

// While the bucket takes no segments the trail goes on, and says in the log that it is not exported; when it takes them again it has all of it.
func TestABucketThatTakesNoSegments(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	require.NoError(t, a.R2(stack.Consumers, "CORPUS").Put(t.Context(), "t/acme/something", "so that there is a bucket"))
	a.restarted(func() {
		a.change("r2", "", `CREATE TRIGGER full BEFORE INSERT ON _mf_objects WHEN NEW.key LIKE '%/audit/%' BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	})
	for _, tenant := range []string{"acme", "globex"} {
		a.records(tenant, 1, book.SegmentLines+1)
	}
	eventually(t, "the log says that it is not exported", func() bool {
		log, err := os.ReadFile(filepath.Join(a.state, "workers.log"))
		require.NoError(t, err)
		return strings.Count(string(log), "audit trail not exported; it is tried again") >= 2
	})
	for _, tenant := range []string{"acme", "globex"} {
		assert.Empty(t, a.segments(tenant))
		a.verifies(tenant, "")
	}
	a.restarted(func() { a.change("r2", "", "DROP TRIGGER full") })
	for _, tenant := range []string{"acme", "globex"} {
		a.records(tenant, book.SegmentLines+2, book.SegmentLines+2) // at the latest then; or it was tried again by itself before
		eventually(t, "what the bucket did not take is exported", func() bool {
			lines := 0
			for _, text := range a.segments(tenant) {
				lines += strings.Count(text, "\n")
			}
			return lines > book.SegmentLines
		})
		assert.Contains(t, a.segments(tenant), firstSegment)
		a.verifies(tenant, "", "--from-dir", a.copied(tenant))
	}
}

// A trail that an older version began, as a table without a chain, is chained in its order when its object is used first, and goes on; what it has is not
// taken twice. Each tenant's is its own.
func TestATrailOfBeforeTheChain(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	old := []string{"acme", "globex"}
	for _, tenant := range old {
		a.records(tenant, 1, 1) // so that there is an object
	}
	a.restarted(func() {
		for _, tenant := range old {
			sql := []string{"CREATE TABLE entries (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL)"}
			for i, e := range a.entries(tenant, 1, 4) {
				text, err := json.Marshal(e)
				require.NoError(t, err)
				sql = append(sql, fmt.Sprintf("INSERT INTO entries (seq, id, entry) VALUES (%d, '%s', '%s')", 3+2*i, e.ID, text)) // some ids came twice
			}
			a.tamper(tenant, append(sql, "DROP TABLE rows")...)
		}
	})
	for range 2 { // the second time there is no such table
		for _, tenant := range old {
			require.NoError(t, a.Queue("audit").Send(t.Context(), a.message(tenant, append(a.entries(tenant, 4, 6), a.entries(tenant, 1, 1)...))))
			a.reaches(tenant, 6)
			settled(t, a.Local)
			assert.Contains(t, a.verifies(tenant, ""), "6:")
			var ids []string
			for _, e := range trail(t, a.state, tenant) {
				ids = append(ids, e.ID)
			}
			assert.Equal(t, []string{tenant + "-1", tenant + "-2", tenant + "-3", tenant + "-4", tenant + "-5", tenant + "-6"}, ids)
		}
		a.restarted(func() {})
	}
}

// Messages that come twice and in any order, some of them poison, and a tenant's object that does not open: what can be recorded is, once; what nobody can
// read is a letter with its reason; and what the object could not take it has when it opens again.
func TestTheAuditQueueInTrouble(t *testing.T) {
	t.Parallel()
	a := newAuditing(t)
	queue := a.Queue("audit")
	require.NoError(t, queue.Disturb(t.Context(), dev.Faults{Duplicate: 2, Shuffle: true, Pause: true}))
	poison := strings.Replace(a.message("acme", a.entries("acme", 90, 90)), events.TypeEventRecorded, "dev.levada.nothing.known.v1", 1)
	for i := 1; i <= 20; i++ {
		for _, tenant := range []string{"acme", "globex", "elm"} { // in one batch
			text := a.message(tenant, a.entries(tenant, i, i+1)) // which overlap
			require.NoError(t, queue.Send(t.Context(), text))
		}
		if i%10 == 0 {
			require.NoError(t, queue.Send(t.Context(), poison))
			require.NoError(t, queue.Send(t.Context(), "{"))
		}
	}
	require.NoError(t, queue.Disturb(t.Context(), dev.Faults{Duplicate: 2, Shuffle: true}))
	for _, tenant := range []string{"acme", "globex", "elm"} {
		a.reaches(tenant, 21)
	}
	settled(t, a.Local)
	for _, tenant := range []string{"acme", "globex", "elm"} {
		a.recordedOnce(tenant, 21)
	}
	var page letters.Page
	asOn(t, a.Local, "acme").do(http.MethodGet, "/events?code=event_unrouted", nil).into(t, &page)
	require.Len(t, page.Letters, 2)
	assert.Equal(t, []string{"audit", "dev.levada.nothing.known.v1"}, []string{page.Letters[0].Queue, page.Letters[0].Type})
	asOn(t, a.Local, "globex").do(http.MethodGet, "/events", nil).into(t, &page)
	assert.Empty(t, page.Letters)
	keys, err := a.R2(stack.Consumers, "CORPUS").Keys(t.Context(), "letters/")
	require.NoError(t, err)
	assert.Len(t, keys, 2, "what names no tenant")

	a.restarted(func() {
		a.tamper("elm", "CREATE TABLE entries (seq INTEGER PRIMARY KEY, id TEXT, entry TEXT)", "INSERT INTO entries (seq, id, entry) VALUES (1, 'x', 'not JSON')")
	})
	queue = a.Queue("audit")
	require.NoError(t, queue.Disturb(t.Context(), dev.Faults{Pause: true}))
	for _, tenant := range []string{"elm", "globex"} {
		require.NoError(t, queue.Send(t.Context(), a.message(tenant, a.entries(tenant, 22, 23))))
	}
	require.NoError(t, queue.Disturb(t.Context(), dev.Faults{}))
	a.reaches("globex", 23) // which does not wait for elm
	eventually(t, "the object was asked, and did not open", func() bool {
		waiting, err := queue.Peek(t.Context(), 10)
		require.NoError(t, err)
		return len(waiting) == 1 && waiting[0].Attempts >= 1
	})
	a.restarted(func() { a.tamper("elm", "DELETE FROM entries") })
	a.reaches("elm", 23)
	settled(t, a.Local)
	for _, tenant := range []string{"elm", "globex"} {
		a.recordedOnce(tenant, 23)
	}
	asOn(t, a.Local, "elm").do(http.MethodGet, "/events", nil).into(t, &page)
	assert.Empty(t, page.Letters)
}

// recordedOnce checks that a tenant's trail has each of n entries once, and fits.
func (a *auditing) recordedOnce(tenant string, n int) {
	a.Helper()
	var want, got []string
	for _, e := range a.entries(tenant, 1, n) {
		want = append(want, e.ID)
	}
	for _, e := range trail(a.T, a.state, tenant) {
		if e.Time.Before(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)) { // the test's
			got = append(got, e.ID)
		}
	}
	assert.ElementsMatch(a, want, got, tenant)
	a.verifies(tenant, "")
}
