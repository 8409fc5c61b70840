package memory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// recorded is the message that the audit queue carries of a tenant's entries of some places.
func recorded(t *testing.T, s tenants.Scope, from, to int) []byte {
	t.Helper()
	return recordedAs(t, s, happened(s, from, to))
}

func recordedAs(t *testing.T, s tenants.Scope, es []events.AuditEntry) []byte {
	t.Helper()
	ev, err := events.New(s, "test", events.Cause{ID: es[0].ID}, morning, events.EventRecorded{Entries: es})
	require.NoError(t, err)
	text, err := ev.MarshalJSON()
	require.NoError(t, err)
	return text
}

// requireRecorded checks that a tenant's trail has each of n entries once, in whatever order they came, and fits.
func (p *platform) requireRecorded(t *testing.T, s tenants.Scope, n int) {
	t.Helper()
	var want, got []string
	for _, e := range happened(s, 1, n) {
		want = append(want, e.ID)
	}
	for _, e := range p.trail.Entries(s) {
		got = append(got, e.ID)
	}
	assert.ElementsMatch(t, want, got, "%s", s.Tenant())
	_, err := chain(t, p.trail, s)
	assert.NoError(t, err)
}

// Messages that come twice, in any order and in batches of any size, of two tenants in one, leave each entry once in its own tenant's trail.
func TestMessagesOfTheTrailComeTwiceAndInAnyOrder(t *testing.T) {
	for seed := range uint64(5) {
		p := newPlatform(t)
		p.queues.Rand, p.queues.Duplicate = rand.New(rand.NewPCG(seed, 1)), 0.5
		acme, globex := scope(t, "acme"), scope(t, "globex")
		for i := 1; i <= 40; i += 2 {
			for _, s := range []tenants.Scope{acme, globex} {
				require.NoError(t, p.queues.Send(t.Context(), events.StageAudit, [][]byte{recorded(t, s, i, i+1), recorded(t, s, max(1, i-1), i)})) // which overlap
			}
		}
		p.run(acme, globex)
		p.requireRecorded(t, acme, 40)
		p.requireRecorded(t, globex, 40)
		assert.Empty(t, slices.Concat(p.kept(acme), p.kept(globex), p.unread.All()))
	}
}

// A tenant's trail that does not answer, or answers after it has taken what came, is asked again; the other tenant of the batch does not wait for it,
// and nothing is lost.
func TestATrailThatDoesNotAnswer(t *testing.T) {
	for _, after := range []bool{false, true} {
		p := newPlatform(t)
		acme, globex := scope(t, "acme"), scope(t, "globex")
		failures := 0
		fail := func(op string) error {
			if op == "append" && failures < 3 {
				failures++
				return fault.Unavailablef(nil, "object_unavailable", "busy")
			}
			return nil
		}
		if p.trail.Before = fail; after {
			p.trail.Before, p.trail.After = nil, fail
		}
		for i := 1; i <= 6; i++ {
			require.NoError(t, p.queues.Send(t.Context(), events.StageAudit, [][]byte{recorded(t, acme, i, i), recorded(t, globex, i, i)}))
		}
		p.run(acme, globex)
		assert.Equal(t, 3, failures)
		p.requireRecorded(t, acme, 6)
		p.requireRecorded(t, globex, 6)
		assert.Empty(t, slices.Concat(p.kept(acme), p.kept(globex)))
	}
}

// One that does not answer for good makes letters of what came, with the entries in them: sent again when it does, they are in the trail.
func TestATrailThatDoesNotAnswerForLong(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	down := true
	p.trail.Before = func(op string) error {
		if op == "append" && down {
			return fault.Unavailablef(nil, "object_unavailable", "down")
		}
		return nil
	}
	for i := 1; i <= 3; i++ {
		require.NoError(t, p.queues.Send(t.Context(), events.StageAudit, [][]byte{recorded(t, acme, i, i), recorded(t, globex, i, i)}))
	}
	p.run(acme, globex)
	down = false
	for _, s := range []tenants.Scope{acme, globex} {
		assert.Empty(t, p.trail.Entries(s))
		kept := p.kept(s)
		require.Len(t, kept, 3)
		for _, l := range kept {
			assert.Equal(t, []any{"audit", "object_unavailable", events.TypeEventRecorded, 4}, []any{l.Queue, l.Code, l.Type, l.Attempts})
			require.NoError(t, p.queues.Send(t.Context(), events.StageAudit, [][]byte{l.Body}))
		}
	}
	p.run(acme, globex)
	p.requireRecorded(t, acme, 3)
	p.requireRecorded(t, globex, 3)
}

// What nobody can read, or is not for the trail, becomes a letter with its reason, alone: what came with it is on record.
func TestPoisonInTheAuditQueue(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	change := func(text []byte, f func(m map[string]any)) []byte {
		var m map[string]any
		require.NoError(t, json.Unmarshal(text, &m))
		f(m)
		b, err := json.Marshal(m)
		require.NoError(t, err)
		return b
	}
	incomplete := happened(acme, 9, 9)[0]
	poison := map[string][]byte{
		"not JSON":     []byte("{"),
		"nobody's":     change(recorded(t, acme, 9, 9), func(m map[string]any) { delete(m, "tenantid") }),
		"another type": change(recorded(t, acme, 9, 9), func(m map[string]any) { m["type"] = "dev.levada.nothing.known.v1" }),
		"no entries":   change(recorded(t, acme, 9, 9), func(m map[string]any) { m["data"] = map[string]any{"entries": []any{}} }),
		"incomplete": change(recordedAs(t, acme, []events.AuditEntry{incomplete}), func(m map[string]any) {
			delete(m["data"].(map[string]any)["entries"].([]any)[0].(map[string]any), "sha256")
		}),
	}
	messages := [][]byte{recorded(t, acme, 1, 2), recorded(t, globex, 1, 2)}
	for _, text := range poison {
		messages = append(messages, text)
	}
	messages = append(messages, recorded(t, acme, 3, 4), recorded(t, globex, 3, 4))
	for range 2 { // and once more
		require.NoError(t, p.queues.Send(t.Context(), events.StageAudit, messages))
		p.run(acme, globex)
	}
	p.requireRecorded(t, acme, 4)
	p.requireRecorded(t, globex, 4)
	assert.Empty(t, p.kept(globex))
	codes := map[string]int{}
	for _, l := range slices.Concat(p.kept(acme), p.unread.All()) {
		codes[fmt.Sprintf("%s %s %d", l.Queue, l.Code, l.Attempts)]++
		assert.NotEmpty(t, l.Reason)
		assert.True(t, slices.ContainsFunc(messages, func(m []byte) bool { return string(m) == string(l.Body) }), "as it came")
	}
	assert.Equal(t, map[string]int{"audit event_invalid 1": 4, "audit event_unrouted 1": 2, "audit fact_invalid 1": 4}, codes, "at the first attempt")
}
