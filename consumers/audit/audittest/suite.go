package audittest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers/audit"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/verify"
)

// Trail is an audit trail that can be read.
type Trail interface {
	audit.Trail
	trail.Reader
}

// TestTrail checks the promises of audit.Trail and trail.Reader. Each make returns a trail for tenants acme and globex, which may hold
// entries of earlier runs.
func TestTrail(t *testing.T, make func(t *testing.T) Trail) {
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")

	t.Run("what was appended is there, newest first", func(t *testing.T) {
		tr, es := make(t), entries(3)
		require.NoError(t, tr.Append(t.Context(), acme, es[:1]))
		require.NoError(t, tr.Append(t.Context(), acme, es[1:]))
		assert.Equal(t, []events.AuditEntry{es[2], es[1], es[0]}, newest(t, tr, acme, 3))
		assert.Equal(t, es[2:], newest(t, tr, acme, 1))
	})
	t.Run("an event is recorded once", func(t *testing.T) {
		tr, es := make(t), entries(3)
		require.NoError(t, tr.Append(t.Context(), acme, es[:2]))
		require.NoError(t, tr.Append(t.Context(), acme, []events.AuditEntry{es[1], es[2], es[2], es[0]}))
		assert.Equal(t, []events.AuditEntry{es[2], es[1], es[0]}, newest(t, tr, acme, 3))
	})
	t.Run("a tenant's entries are its own", func(t *testing.T) {
		tr, es := make(t), entries(2)
		require.NoError(t, tr.Append(t.Context(), acme, es[:1]))
		require.NoError(t, tr.Append(t.Context(), globex, es[1:]))
		assert.Equal(t, es[:1], newest(t, tr, acme, 1))
		assert.Equal(t, es[1:], newest(t, tr, globex, 1))
		assert.NotContains(t, newest(t, tr, globex, trail.MaxPage), es[0])
		require.NoError(t, tr.Append(t.Context(), globex, es[:1]), "the same id is another event there")
		assert.Equal(t, es[:1], newest(t, tr, globex, 1))
	})
	t.Run("nothing to append", func(t *testing.T) {
		tr := make(t)
		before := newest(t, tr, acme, trail.MaxPage)
		require.NoError(t, tr.Append(t.Context(), acme, nil))
		assert.Equal(t, before, newest(t, tr, acme, trail.MaxPage))
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		tr := make(t)
		assert.ErrorIs(t, tr.Append(t.Context(), tenants.Scope{}, entries(1)), tenants.ErrNoScope)
		assert.ErrorIs(t, tr.Append(t.Context(), tenants.Scope{}, nil), tenants.ErrNoScope)
		_, err := tr.List(t.Context(), tenants.Scope{}, trail.Query{}, "", 1)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = tr.Chain(t.Context(), tenants.Scope{}, 0, 1)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
	t.Run("at the same time", func(t *testing.T) {
		tr, es := make(t), entries(40)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { assert.NoError(t, tr.Append(t.Context(), acme, es[4*i:4*i+8])) }) // each overlaps the next
		}
		all.Wait()
		assert.ElementsMatch(t, es[:36], newest(t, tr, acme, 36))
		verified(t, tr, acme)
	})
	t.Run("each tenant's trail is a chain", func(t *testing.T) {
		tr := make(t)
		for _, s := range []tenants.Scope{acme, globex} {
			for range 3 {
				require.NoError(t, tr.Append(t.Context(), s, entries(5)))
			}
			first := verified(t, tr, s)
			es := entries(2)
			es[0].Subject, es[1].TraceParent, es[1].Act = "documents/<ü> & \"\\u2028\" \u2028\u2029\x01\x7f😀", "", &events.Act{
				Kind: events.ActTool, Name: "calculator", UserID: "a<b", Arguments: strings.Repeat("ab", 32), Outcome: events.OutcomeFailed, Code: "c", Tokens: 9_007_199_254_740_991,
			}
			require.NoError(t, tr.Append(t.Context(), s, es))
			then := verified(t, tr, s)
			assert.Equal(t, first.Seq+2, then.Seq)
			page, err := tr.List(t.Context(), s, trail.Query{}, "", 1)
			require.NoError(t, err)
			assert.Equal(t, then, page.Head)
		}
	})
	t.Run("what is asked for is found", func(t *testing.T) { testQueries(t, make(t), acme, globex) })
	t.Run("a list is told by pages", func(t *testing.T) {
		tr, es := make(t), entries(7)
		require.NoError(t, tr.Append(t.Context(), acme, es))
		page, err := tr.List(t.Context(), acme, trail.Query{}, "", 3)
		require.NoError(t, err)
		require.NoError(t, tr.Append(t.Context(), acme, entries(2)), "what is new does not move the pages")
		got := entriesOf(t, page.Entries)
		page, err = tr.List(t.Context(), acme, trail.Query{}, page.Next, 4)
		require.NoError(t, err)
		got = append(got, entriesOf(t, page.Entries)...)
		slices.Reverse(es)
		assert.Equal(t, es, got)
		for _, cursor := range []string{"!", "bm9uZQ"} {
			_, err = tr.List(t.Context(), acme, trail.Query{}, cursor, 1)
			assert.Equal(t, "cursor", fault.As(err).Field)
		}
		_, err = tr.List(t.Context(), acme, trail.Query{}, "", 0)
		assert.Equal(t, "limit", fault.As(err).Field)
		_, err = tr.List(t.Context(), acme, trail.Query{Kinds: []string{"other"}}, "", 1)
		assert.Equal(t, "kinds", fault.As(err).Field)
		_, err = tr.Chain(t.Context(), acme, 0, trail.MaxLines+1)
		assert.Equal(t, "limit", fault.As(err).Field)
	})
}

// testQueries appends acts of one actor that no earlier run has, among events.
func testQueries(t *testing.T, tr Trail, acme, globex tenants.Scope) {
	actor, request := uuid.NewString(), uuid.NewString()
	es := entries(7)
	for i, act := range []events.Act{
		{Kind: events.ActAdmin, Name: "jobs.cancel", Outcome: events.OutcomeBegun},
		{Kind: events.ActAdmin, Name: "jobs.cancel", Outcome: events.OutcomeSucceeded},
		{Kind: events.ActDeletion, Name: "documents.delete", Outcome: events.OutcomeRefused, RequestID: request},
		{Kind: events.ActTool, Name: "calculator", Outcome: events.OutcomeTimeout},
		{Kind: events.ActSafety, Name: "POST /chat", Outcome: events.OutcomeFlagged, Findings: []events.Finding{
			{In: events.InInput, Category: "injection", Rule: "override", Score: 0.97}, {In: events.InResults, Category: "unsafe", Rule: "S9", Score: 1, Count: 2},
		}},
	} {
		act.Actor = actor
		es[i+1].Act = &act
	}
	require.NoError(t, tr.Append(t.Context(), acme, es))
	require.NoError(t, tr.Append(t.Context(), globex, es))
	only := func(q trail.Query) trail.Query {
		q.Actors = []string{actor}
		return q
	}
	for name, c := range map[string]struct {
		query trail.Query
		want  []int
	}{
		"actor":         {only(trail.Query{}), []int{5, 4, 3, 2, 1}},
		"safety":        {only(trail.Query{Kinds: []string{"safety"}, Outcomes: []string{"flagged"}}), []int{5}},
		"kind":          {only(trail.Query{Kinds: []string{"admin"}}), []int{2, 1}},
		"kinds":         {only(trail.Query{Kinds: []string{"admin", "tool"}}), []int{4, 2, 1}},
		"name":          {only(trail.Query{Names: []string{"documents.delete", "calculator"}}), []int{4, 3}},
		"outcome":       {only(trail.Query{Outcomes: []string{"succeeded", "timeout"}}), []int{4, 2}},
		"from":          {only(trail.Query{From: es[3].Time}), []int{5, 4, 3}},
		"to":            {only(trail.Query{To: es[3].Time}), []int{2, 1}},
		"request":       {trail.Query{RequestID: request}, []int{3}},
		"cause":         {trail.Query{RequestID: es[0].CausationID}, []int{6, 5, 4, 3, 2, 1, 0}},
		"event":         {trail.Query{Kinds: []string{trail.KindEvent}, RequestID: es[0].CausationID}, []int{6, 0}},
		"event's name":  {trail.Query{Names: []string{events.TypeDocumentIndexed}, RequestID: es[0].CausationID}, []int{6, 0}},
		"none":          {only(trail.Query{Outcomes: []string{"cancelled"}}), nil},
		"nobody's kind": {only(trail.Query{Kinds: []string{trail.KindEvent}}), nil},
	} {
		for _, s := range []tenants.Scope{acme, globex} {
			var got []events.AuditEntry
			for cursor := ""; ; {
				page, err := tr.List(t.Context(), s, c.query, cursor, 2)
				require.NoError(t, err, name)
				got = append(got, entriesOf(t, page.Entries)...)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			var want []events.AuditEntry
			for _, i := range c.want {
				want = append(want, es[i])
			}
			assert.Equal(t, want, got, name)
		}
	}
}

// verified reads the whole chain of a tenant, and holds it to its hashes.
func verified(t *testing.T, tr Trail, s tenants.Scope) trail.Head {
	t.Helper()
	c := verify.NewChain(s.Tenant(), "trail")
	for {
		piece, err := tr.Chain(t.Context(), s, c.Head().Seq, 7)
		require.NoError(t, err)
		for _, line := range piece.Lines {
			require.NoError(t, c.Add([]byte(line)))
			again, err := verify.Canonical([]byte(line))
			require.NoError(t, err)
			require.Equal(t, string(again), line, "as it was chained, byte for byte")
		}
		if len(piece.Lines) == 0 {
			require.NoError(t, c.Ends(piece.Head))
			return c.Head()
		}
	}
}

func newest(t *testing.T, tr Trail, s tenants.Scope, limit int) []events.AuditEntry {
	t.Helper()
	page, err := tr.List(t.Context(), s, trail.Query{}, "", limit)
	require.NoError(t, err)
	return entriesOf(t, page.Entries)
}

func entriesOf(t *testing.T, lines []string) (all []events.AuditEntry) {
	t.Helper()
	for _, line := range lines {
		var e trail.Entry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		all = append(all, e.AuditEntry)
	}
	return all
}

// entries are n entries that no earlier run has used.
func entries(n int) []events.AuditEntry {
	es, cause := make([]events.AuditEntry, n), uuid.NewString()
	for i := range es {
		es[i] = events.AuditEntry{
			ID: uuid.NewString(), Type: events.TypeDocumentIndexed, Source: "/tenants/suite/suite", Subject: fmt.Sprintf("documents/água %d", i),
			Time: time.Date(2026, 11, 22, 8, 0, i, 0, time.UTC), TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			CausationID: cause, Bytes: i, SHA256: strings.Repeat("ab", 32),
		}
	}
	return es
}
