package memory_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers/audit/audittest"
	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/verify"
)

func TestTrail(t *testing.T) {
	audittest.TestTrail(t, func(*testing.T) audittest.Trail { return &memory.Trail{} })
}

var morning = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// happened are entries of a tenant: those of places from to to, a second apart.
func happened(s tenants.Scope, from, to int) (es []events.AuditEntry) {
	for i := from; i <= to; i++ {
		es = append(es, events.AuditEntry{
			ID: fmt.Sprintf("%s-%d", s.Tenant(), i), Type: events.TypeDocumentIndexed, Source: s.Source("test"), Subject: fmt.Sprint("documents/", i),
			Time: morning.Add(time.Duration(i) * time.Second), Bytes: i, SHA256: strings.Repeat("ab", 32),
		})
	}
	return es
}

// deed makes an entry tell an act.
func deed(e events.AuditEntry) events.AuditEntry {
	e.Act = &events.Act{Kind: events.ActAdmin, Name: "jobs.cancel", Outcome: events.OutcomeBegun}
	return e
}

func erased(s tenants.Scope, at int) events.AuditEntry {
	e := happened(s, at, at)[0]
	e.ID, e.Type, e.Subject = fmt.Sprintf("%s-erased-%d", s.Tenant(), at), events.TypeTenantErased, "tenant"
	e.Act = &events.Act{Kind: events.ActDeletion, Name: "tenant.erase", Actor: "operations", Target: "tenant", Outcome: events.OutcomeSucceeded}
	return e
}

// chain reads a trail from its beginning to its end, and holds it to its hashes.
func chain(t *testing.T, tr *memory.Trail, s tenants.Scope) (*verify.Chain, error) {
	t.Helper()
	c := verify.NewChain(s.Tenant(), "trail")
	for after := int64(0); ; {
		piece, err := tr.Chain(t.Context(), s, after, 100)
		require.NoError(t, err)
		if len(piece.Lines) == 0 {
			return c, c.Ends(piece.Head)
		}
		for _, line := range piece.Lines {
			if err := c.Add([]byte(line)); err != nil {
				return c, err
			}
		}
		after = c.Head().Seq
	}
}

func TestWhatAnEntryCosts(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	tr := &memory.Trail{}
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, 1)))
	before := tr.Written(acme)
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 2, 2)))
	assert.Equal(t, 3, tr.Written(acme)-before, "the line, its place by the event's id, and the head")
	before = tr.Written(acme)
	require.NoError(t, tr.Append(t.Context(), acme, []events.AuditEntry{deed(happened(acme, 3, 3)[0])}))
	assert.Equal(t, 4, tr.Written(acme)-before, "and that it tells an act")
	before = tr.Written(acme)
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 4, 13)))
	assert.Equal(t, 2*10+1, tr.Written(acme)-before, "of what is appended together one head")
	before = tr.Written(acme)
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, 3)))
	assert.Zero(t, tr.Written(acme)-before, "what is told again costs nothing")
	require.NoError(t, tr.Alarm(acme))
	assert.Equal(t, 2, tr.Written(acme)-before, "a segment: what is to be written, and that it is")
}

func TestWhatIsNewIsExported(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	tr := &memory.Trail{}
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, 2500)))
	require.NoError(t, tr.Append(t.Context(), globex, happened(globex, 1, 3)))
	for range 2 { // the second time there is nothing to do
		require.NoError(t, tr.Alarm(acme))
		require.NoError(t, tr.Alarm(globex))
	}
	assert.ElementsMatch(t, []string{
		"t/acme/audit/000000000001-000000001000.ndjson", "t/acme/audit/000000001001-000000002000.ndjson", "t/acme/audit/000000002001-000000002500.ndjson",
	}, keys(tr.Exported(acme)))
	assert.Equal(t, []string{"t/globex/audit/000000000001-000000000003.ndjson"}, keys(tr.Exported(globex)))
	require.NoError(t, tr.Append(t.Context(), globex, happened(globex, 4, 4)))
	require.NoError(t, tr.Alarm(globex))
	requireExported(t, tr, acme, 2500)
	requireExported(t, tr, globex, 4)
}

// Whatever fails, before or after its effect, each entry is exported once, in segments that follow each other, though more comes meanwhile.
func TestAnExportThatFails(t *testing.T) {
	boom := errors.New("boom")
	for _, after := range []bool{false, true} {
		acme, _ := tenantstest.Two(t)
		tr, failures := &memory.Trail{}, 0
		fail := func(op string) error {
			if op == "put" && failures < 2 {
				failures++
				return boom
			}
			return nil
		}
		if tr.Before = fail; after {
			tr.Before, tr.After = nil, fail
		}
		n, first := 10, ""
		require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, n)))
		for {
			err := tr.Alarm(acme)
			if err == nil {
				break
			}
			require.ErrorIs(t, err, boom)
			if after {
				require.Len(t, tr.Exported(acme), 1)
				body := tr.Exported(acme)["t/acme/audit/000000000001-000000000010.ndjson"]
				require.NotEmpty(t, body)
				if first != "" {
					require.Equal(t, first, body, "a repetition writes the same")
				}
				first = body
			}
			require.NoError(t, tr.Append(t.Context(), acme, happened(acme, n+1, n+5)))
			n += 5
		}
		assert.Equal(t, 2, failures)
		assert.ElementsMatch(t, []string{"t/acme/audit/000000000001-000000000010.ndjson", "t/acme/audit/000000000011-000000000020.ndjson"}, keys(tr.Exported(acme)))
		requireExported(t, tr, acme, n)
	}
}

// A place that was exported is not given to another entry, also when the rows have lost their tail.
func TestATailThatWasCutOffIsNotGrownAgain(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	tr := &memory.Trail{}
	for _, s := range []tenants.Scope{acme, globex} {
		require.NoError(t, tr.Append(t.Context(), s, happened(s, 1, 10)))
		require.NoError(t, tr.Alarm(s))
	}
	tr.Rows(acme, func(tx rows.Tx) {
		for i := 8; i <= 10; i++ {
			require.NoError(t, tx.Delete(fmt.Sprintf("e/%012d", i)))
		}
	})
	_, err := chain(t, tr, acme)
	requireBreak(t, err, 8)
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 11, 12)))
	_, err = chain(t, tr, acme)
	requireBreak(t, err, 8)
	_, err = chain(t, tr, globex)
	require.NoError(t, err)
}

// An erasure takes the trail with it, and what was exported of it, but for the entry that tells so; the other tenant's stays. What
// comes late and was before it stays out, and the chain goes on.
func TestAnErasureTakesTheTrail(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	boom := errors.New("boom")
	tr := &memory.Trail{}
	for _, s := range []tenants.Scope{acme, globex} {
		require.NoError(t, tr.Append(t.Context(), s, happened(s, 1, 700)))
		require.NoError(t, tr.Append(t.Context(), s, []events.AuditEntry{deed(happened(s, 701, 701)[0])}))
		require.NoError(t, tr.Alarm(s))
		require.NoError(t, tr.Append(t.Context(), s, happened(s, 702, 710)))
	}
	was, err := chain(t, tr, acme)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, tr.Append(t.Context(), acme, []events.AuditEntry{erased(acme, 800), happened(acme, 711, 711)[0], happened(acme, 801, 801)[0]}))
		c, err := chain(t, tr, acme)
		require.NoError(t, err)
		assert.Equal(t, []any{int64(711), 2}, []any{c.First(), c.Len()}, "at once")
		assert.True(t, c.Has(was.Head().Hash))
		page, err := tr.List(t.Context(), acme, trail.Query{Kinds: []string{"admin", "deletion"}}, "", 10)
		require.NoError(t, err)
		require.Len(t, page.Entries, 1)
		assert.Contains(t, page.Entries[0], `"actor":"operations"`)
		require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, 20)), "told again")
	}
	fails := 0
	tr.Before = func(op string) error {
		if op == "remove" && fails < 1 {
			fails++
			return boom
		}
		return nil
	}
	require.ErrorIs(t, tr.Alarm(acme), boom)
	require.NoError(t, tr.Alarm(acme))
	assert.Equal(t, []string{"t/acme/audit/000000000711-000000000712.ndjson"}, keys(tr.Exported(acme)))
	tr.Rows(acme, func(tx rows.Tx) {
		left, err := tx.Range("", "\xff", 5000)
		require.NoError(t, err)
		var names []string
		for _, row := range left {
			names = append(names, row.Key)
		}
		assert.Equal(t, []string{"a/000000000711", "e/000000000711", "e/000000000712", "i/acme-801", "i/acme-erased-800", "s", "tenant"}, names)
	})
	c, err := chain(t, tr, globex)
	require.NoError(t, err)
	assert.Equal(t, 710, c.Len())
	assert.Len(t, tr.Exported(globex), 1)

	require.NoError(t, tr.Append(t.Context(), acme, []events.AuditEntry{erased(acme, 900)}))
	require.NoError(t, tr.Alarm(acme))
	c, err = chain(t, tr, acme)
	require.NoError(t, err)
	assert.Equal(t, []any{int64(713), 1}, []any{c.First(), c.Len()}, "of two erasures the last is told")
}

// A segment that was being written when the tenant was erased does not stay.
func TestASegmentThatCameTooLate(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	tr := &memory.Trail{}
	require.NoError(t, tr.Append(t.Context(), acme, happened(acme, 1, 5)))
	tr.Before = func(op string) error {
		if op == "put" {
			tr.Before = nil
			return tr.Append(context.Background(), acme, []events.AuditEntry{erased(acme, 100)})
		}
		return nil
	}
	require.NoError(t, tr.Alarm(acme))
	require.NoError(t, tr.Alarm(acme), "which was set for what the erasure took")
	assert.Equal(t, []string{"t/acme/audit/000000000006-000000000006.ndjson"}, keys(tr.Exported(acme)))
}

func keys(segments map[string]string) (all []string) {
	for key := range segments {
		all = append(all, key)
	}
	return all
}

// requireExported checks that the segments of a tenant are its chain, from the first entry to the nth.
func requireExported(t *testing.T, tr *memory.Trail, s tenants.Scope, n int) {
	t.Helper()
	whole, err := chain(t, tr, s)
	require.NoError(t, err)
	folder := folderOf(tr.Exported(s))
	c, _, err := verify.Segments(s.Tenant(), folder)
	require.NoError(t, err)
	assert.Equal(t, []any{int64(1), n, whole.Head()}, []any{c.First(), c.Len(), c.Head()})
	require.NoError(t, whole.Against(c))
}

func requireBreak(t *testing.T, err error, seq int64) {
	t.Helper()
	var b *verify.Break
	require.True(t, errors.As(err, &b), "%v", err)
	assert.Equal(t, seq, b.Seq, b.Why)
}

func folderOf(segments map[string]string) fstest.MapFS {
	folder := fstest.MapFS{}
	for key, body := range segments {
		folder[path.Base(key)] = &fstest.MapFile{Data: []byte(body)}
	}
	return folder
}

// How long lines are, in bytes, of facts as they are in production: with ids of usual length, a trace, an actor and a user.
func TestHowLongLinesAre(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	const id, span = "0197a1b2-0000-7000-8000-000000000001", "00f067aa0ba902b7"
	act := events.Act{Kind: events.ActDeletion, Name: "documents.delete", Actor: "operations", UserID: "ada", RequestID: id, Target: "documents/guide.md", Outcome: events.OutcomeBegun}
	ended, refused := act, events.Act{Kind: events.ActAccess, Name: "GET /documents/{id}", RequestID: id, Outcome: events.OutcomeRefused, Code: "unauthorized", Count: 100}
	ended.Outcome, ended.DurationMS = events.OutcomeSucceeded, 25
	call := events.ToolCall{CallID: id, Tool: "calculator", Via: "http", Actor: "operations", UserID: "ada", RequestID: id, Arguments: strings.Repeat("ab", 32)}
	lengths := map[string]int{}
	for name, fact := range map[string]events.Fact{
		"an event":                  events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "guide.md", Generation: 1, JobID: id}, Chunks: 3, Model: "@cf/baai/bge-m3"},
		"an act that is begun":      events.ActAttempted{What: act, Span: span},
		"how it ended":              events.ActPerformed{What: ended, Span: span},
		"a call of a tool":          events.ToolExecuted{ToolCall: call, Outcome: events.OutcomeSucceeded, DurationMS: 25},
		"refused access, 100 times": events.AccessRefused{What: refused, Span: span},
	} {
		tr := &memory.Trail{}
		ev, err := events.New(acme, "api", events.Cause{ID: id, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, morning, fact)
		require.NoError(t, err)
		require.NoError(t, tr.Publisher().Publish(t.Context(), acme, ev))
		piece, err := tr.Chain(t.Context(), acme, 0, 2)
		require.NoError(t, err)
		require.Len(t, piece.Lines, 1)
		lengths[name] = len(piece.Lines[0])
	}
	assert.Equal(t, map[string]int{
		"an event": 544, "an act that is begun": 731, "how it ended": 751, "a call of a tool": 871, "refused access, 100 times": 688,
	}, lengths, "docs/design/audit.md has them")
}
