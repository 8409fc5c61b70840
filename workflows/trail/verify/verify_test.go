package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/verify"
)

// chained is a good trail of a tenant: lines 1 to n, each with every member.
func chained(t *testing.T, tenant tenants.ID, n int) (lines []string) {
	t.Helper()
	head := trail.Head{Hash: trail.Genesis(tenant)}
	for i := range n {
		e, line, err := trail.Link(head, events.AuditEntry{
			ID: fmt.Sprint("id-", i), Type: events.TypeActPerformed, Source: "/tenants/" + string(tenant) + "/api", Subject: "acts/jobs.cancel",
			Time: time.Unix(int64(i), 0).UTC(), TraceParent: "trace", CausationID: "request", Bytes: i + 1, SHA256: strings.Repeat("ab", 32),
			Act: &events.Act{
				Kind: events.ActAdmin, Name: "jobs.cancel", Actor: "ops", UserID: "ada", RequestID: "request", Target: "jobs/<1>", Arguments: strings.Repeat("cd", 32),
				Outcome: events.OutcomeFailed, Code: "c", DurationMS: 5, Tokens: 6, CostNanos: 7, Count: 8,
				Findings: []events.Finding{{In: events.InSources, Target: "documents/<1>", Category: "injection", Rule: "override", Score: float64(i%101) / 100, Blocked: true, Count: 2}},
			},
		})
		require.NoError(t, err)
		head = trail.Head{Seq: e.Seq, Hash: e.Hash}
		lines = append(lines, string(line))
	}
	return lines
}

// check is what a chain of the lines is found to be.
func check(tenant tenants.ID, lines []string) (*verify.Chain, error) {
	c := verify.NewChain(tenant, "trail")
	for _, line := range lines {
		if err := c.Add([]byte(line)); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Every score is written as RFC 8785 has it, or its line would not have its hash.
func TestEveryScoreFits(t *testing.T) {
	for _, tenant := range []tenants.ID{"acme", "globex"} {
		_, err := check(tenant, chained(t, tenant, 101))
		require.NoError(t, err)
	}
}

func requireBreak(t *testing.T, err error, seq int64, why string) {
	t.Helper()
	var b *verify.Break
	require.True(t, errors.As(err, &b), "%v", err)
	assert.Equal(t, seq, b.Seq, b.Why)
	assert.Contains(t, b.Error(), why)
}

func TestAGoodTrailFits(t *testing.T) {
	for _, tenant := range []tenants.ID{"acme", "globex"} {
		lines := chained(t, tenant, 5)
		c, err := check(tenant, lines)
		require.NoError(t, err)
		assert.Equal(t, []any{int64(1), 5, int64(5)}, []any{c.First(), c.Len(), c.Head().Seq})
		assert.NoError(t, c.Ends(c.Head()))
		assert.True(t, c.Has(c.Head().Hash))
		_, err = check("initech", lines)
		requireBreak(t, err, 1, "not the beginning of initech's trail")
	}
	c, err := check("acme", nil)
	require.NoError(t, err)
	assert.Equal(t, trail.Head{Hash: trail.Genesis("acme")}, c.Head())
}

func TestEveryMemberIsUnderTheHash(t *testing.T) {
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(chained(t, "acme", 3)[1]), &whole))
	act := whole["act"].(map[string]any)
	require.Len(t, whole, 13, "a test for each member")
	require.Len(t, act, 14)
	other := func(v any) any {
		if n, ok := v.(float64); ok {
			return n + 1
		}
		if list, ok := v.([]any); ok {
			list[0].(map[string]any)["score"] = 0.99
			return list
		}
		return v.(string) + "0"
	}
	changes := map[string]func(e, act map[string]any){
		"added":       func(e, _ map[string]any) { e["more"] = 1 },
		"added to it": func(_, act map[string]any) { act["more"] = 1 },
		"taken out":   func(e, _ map[string]any) { delete(e, "act") },
	}
	for name := range whole {
		if name != "act" {
			changes[name] = func(e, _ map[string]any) { e[name] = other(e[name]) }
		}
	}
	for name := range act {
		changes["act."+name] = func(_, act map[string]any) { act[name] = other(act[name]) }
		changes["without act."+name] = func(_, act map[string]any) { delete(act, name) }
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		lines := chained(t, "acme", 3)
		var e map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[1]), &e))
		changes[name](e, e["act"].(map[string]any))
		b, err := json.Marshal(e)
		require.NoError(t, err)
		lines[1] = string(b)
		_, err = check("acme", lines)
		requireBreak(t, err, 2, "entry 2")
	}
}

func TestWhatWasDoneToATrailIsFound(t *testing.T) {
	good := chained(t, "acme", 6)
	others := chained(t, "globex", 6)
	forged := func(lines []string, at int) []string { // the chain is made anew from there on
		prefix, err := check("acme", lines[:at])
		require.NoError(t, err)
		out, head := slices.Clone(lines[:at]), prefix.Head()
		for i, line := range lines[at:] {
			e, err := trail.Read([]byte(line))
			require.NoError(t, err)
			if i == 0 {
				e.Act.Actor = "somebody else"
			}
			e, l, err := trail.Link(head, e.AuditEntry)
			require.NoError(t, err)
			out, head = append(out, string(l)), trail.Head{Seq: e.Seq, Hash: e.Hash}
		}
		return out
	}
	for name, c := range map[string]struct {
		lines []string
		seq   int64
		why   string
	}{
		"removed":       {slices.Concat(good[:2], good[3:]), 3, "missing"},
		"first removed": {good[1:], 1, "missing"},
		"swapped":       {[]string{good[0], good[2], good[1], good[3]}, 2, "missing"},
		"twice":         {[]string{good[0], good[1], good[1]}, 3, "2 is in its place"},
		"another's":     {slices.Concat(good[:2], others[2:]), 3, "follows another"},
		"not JSON":      {slices.Concat(good[:2], []string{"{"}), 3, "cannot be read"},
		"said twice":    {[]string{good[0], strings.Replace(good[1], `"bytes":`, `"bytes":9,"bytes":`, 1)}, 2, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := check("acme", c.lines)
			requireBreak(t, err, c.seq, c.why)
		})
	}
	whole, err := check("acme", good)
	require.NoError(t, err)

	t.Run("a tail that was cut off", func(t *testing.T) {
		cut, err := check("acme", good[:4])
		require.NoError(t, err, "what is left fits")
		requireBreak(t, cut.Ends(whole.Head()), 5, "missing")
		assert.False(t, cut.Has(whole.Head().Hash))
		requireBreak(t, cut.Against(pieceOf(t, good[2:])), 5, "gone")
	})
	t.Run("a chain that was made anew", func(t *testing.T) {
		anew, err := check("acme", forged(good, 2))
		require.NoError(t, err, "it fits in itself")
		requireBreak(t, anew.Ends(whole.Head()), 6, "another one")
		assert.False(t, anew.Has(whole.Head().Hash))
		requireBreak(t, anew.Against(pieceOf(t, good)), 3, "not the one that was exported")
	})
}

func pieceOf(t *testing.T, lines []string) *verify.Chain {
	t.Helper()
	c := verify.NewPiece("acme", "piece", 0)
	for _, line := range lines {
		require.NoError(t, c.Add([]byte(line)))
	}
	return c
}

func segment(lines []string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

func TestSegments(t *testing.T) {
	good := chained(t, "acme", 6)
	folder := func() fstest.MapFS {
		return fstest.MapFS{
			"000000000001-000000000002.ndjson": segment(good[:2]), "000000000003-000000000005.ndjson": segment(good[2:5]), "README": segment(nil),
		}
	}
	c, n, err := verify.Segments("acme", folder())
	require.NoError(t, err)
	assert.Equal(t, []any{2, 5, int64(5)}, []any{n, c.Len(), c.Head().Seq})
	whole, err := check("acme", good)
	require.NoError(t, err)
	require.NoError(t, whole.Against(c))
	later := folder()
	delete(later, "000000000001-000000000002.ndjson")
	c, _, err = verify.Segments("acme", later)
	require.NoError(t, err, "the first ones need not be there")
	require.NoError(t, whole.Against(c))
	_, _, err = verify.Segments("globex", later)
	requireBreak(t, err, 3, "another tenant's")

	for name, x := range map[string]struct {
		change func(f fstest.MapFS)
		seq    int64
		why    string
	}{
		"forged": {func(f fstest.MapFS) { f["000000000003-000000000005.ndjson"] = segment(chained(t, "globex", 5)[2:]) }, 3, "follows another"},
		"edited": {func(f fstest.MapFS) { f["000000000001-000000000002.ndjson"].Data[10] ^= 1 }, 1, ""},
		"cut":    {func(f fstest.MapFS) { f["000000000003-000000000005.ndjson"] = segment(good[2:4]) }, 5, "its name says 5"},
		"removed": {func(f fstest.MapFS) {
			f["000000000001-000000000001.ndjson"] = segment(good[:1])
			delete(f, "000000000001-000000000002.ndjson")
		}, 2, "no segment has it"},
		"too much":  {func(f fstest.MapFS) { f["000000000001-000000000002.ndjson"] = segment(good[:3]) }, 4, "its name says 2"},
		"elsewhere": {func(f fstest.MapFS) { f["000000000006-000000000006.ndjson"] = segment(good[4:5]) }, 6, "5 is in its place"},
	} {
		t.Run(name, func(t *testing.T) {
			f := folder()
			x.change(f)
			_, _, err := verify.Segments("acme", f)
			requireBreak(t, err, x.seq, x.why)
		})
	}
	odd := folder()
	odd["notes.ndjson"] = segment(nil)
	_, _, err = verify.Segments("acme", odd)
	assert.ErrorContains(t, err, "not the name of a segment")
}

// After an erasure a trail begins with the entry that tells it, which has the head of what went.
func TestATrailAfterAnErasure(t *testing.T) {
	was, err := check("acme", chained(t, "acme", 4))
	require.NoError(t, err)
	e, line, err := trail.Link(was.Head(), events.AuditEntry{ID: "e", Type: events.TypeTenantErased, Source: "/tenants/acme/objects", Subject: "tenant", SHA256: strings.Repeat("0", 64)})
	require.NoError(t, err)
	c, err := check("acme", []string{string(line)})
	require.NoError(t, err)
	assert.Equal(t, int64(5), c.First())
	assert.True(t, c.Has(e.Hash) && c.Has(was.Head().Hash))
	assert.NoError(t, c.Against(pieceOf(t, chained(t, "acme", 4))), "what went is not missed")
	erased, ok := c.Erased()
	assert.True(t, ok)
	assert.Equal(t, e.Hash, erased.Hash)
	_, ok = was.Erased()
	assert.False(t, ok)

	// An erasure that is made up hides a trail that does not end as it says.
	for _, before := range []trail.Head{{Seq: 4, Hash: strings.Repeat("a", 64)}, {Seq: 4, Hash: trail.Genesis("acme")}} {
		_, forged, err := trail.Link(before, events.AuditEntry{ID: "e", Type: events.TypeTenantErased, Source: "/tenants/acme/objects", Subject: "tenant", SHA256: strings.Repeat("0", 64)})
		require.NoError(t, err)
		c, err = check("acme", []string{string(forged)})
		require.NoError(t, err, "alone it fits")
		requireBreak(t, c.Against(pieceOf(t, chained(t, "acme", 4))), 5, "the erasure is made up")
	}
	assert.NoError(t, c.Against(pieceOf(t, chained(t, "acme", 3))), "of what follows the segments nobody knows")
}

// What was noted is looked for at its place; the first that is not there is named.
func TestWhatWasNotedIsHeld(t *testing.T) {
	lines := chained(t, "acme", 6)
	whole, err := check("acme", lines)
	require.NoError(t, err)
	three, err := check("acme", lines[:3])
	require.NoError(t, err)
	other := chained(t, "globex", 6)
	theirs, err := check("globex", other)
	require.NoError(t, err)
	e, line, err := trail.Link(three.Head(), events.AuditEntry{ID: "e", Type: events.TypeTenantErased, Source: "/tenants/acme/objects", Subject: "tenant", SHA256: strings.Repeat("0", 64)})
	require.NoError(t, err)
	after, err := check("acme", []string{string(line)})
	require.NoError(t, err)
	first, err := check("acme", lines[:1])
	require.NoError(t, err)

	for _, head := range []trail.Head{whole.Head(), three.Head(), {Hash: three.Head().Hash}} {
		assert.NoError(t, whole.Holds(head))
	}
	assert.NoError(t, after.Holds(three.Head()), "its hash is in the entry that tells of the erasure")
	assert.NoError(t, after.Holds(trail.Head{Seq: 4, Hash: e.Hash}))
	requireBreak(t, three.Holds(whole.Head()), 4, "6 was noted")
	requireBreak(t, whole.Holds(theirs.Head()), 6, "not the one that was noted")
	requireBreak(t, whole.Holds(trail.Head{Hash: theirs.Head().Hash}), 7, "no entry has the hash")
	requireBreak(t, after.Holds(trail.Head{Seq: 3, Hash: theirs.Head().Hash}), 3, "not the one that was noted")
	requireBreak(t, after.Holds(first.Head()), 1, "the tenant was erased")
	requireBreak(t, pieceOf(t, lines[3:]).Holds(first.Head()), 1, "begins with 4")
}

// A piece that begins after a place has the next entry first, whatever came before.
func TestAPieceAfterAPlace(t *testing.T) {
	lines := chained(t, "acme", 6)
	whole, err := check("acme", lines)
	require.NoError(t, err)
	c := verify.NewPiece("acme", "piece", 3)
	require.NoError(t, c.Ends(trail.Head{Seq: 3, Hash: "whatever it is"}), "there may be nothing after it")
	for _, line := range lines[3:] {
		require.NoError(t, c.Add([]byte(line)))
	}
	assert.Equal(t, []any{int64(4), 3, whole.Head()}, []any{c.First(), c.Len(), c.Head()})
	three, err := check("acme", lines[:3])
	require.NoError(t, err)
	assert.NoError(t, c.Holds(three.Head()))
	assert.NoError(t, c.Against(whole))
	requireBreak(t, verify.NewPiece("acme", "piece", 3).Add([]byte(lines[4])), 4, "missing")
	requireBreak(t, verify.NewPiece("acme", "piece", 3).Add([]byte(lines[2])), 4, "3 is in its place")
	requireBreak(t, verify.NewPiece("globex", "piece", 3).Add([]byte(lines[3])), 4, "another tenant's")
}
