package letterstest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/letters"
)

// Post is a box, and what has reached the queue of a stage of what it sends for acme. Receive waits for the next message; it
// may come with messages of others.
type Post struct {
	letters.Box
	Receive func(ctx context.Context, stage events.Stage) ([]byte, error)
}

// TestOutbox checks what letters.Box promises of messages that no document depends on: they go out again as they were, each
// once for each time that its letter is marked, and so does the fact.
func TestOutbox(t *testing.T, open func(t *testing.T) Post) {
	t.Run("a message goes out as it came, and it is told", func(t *testing.T) { goesOut(t, open(t)) })
}

func goesOut(t *testing.T, p Post) {
	x := shelf{T: t, doc: tenantstest.Fresh(t, "doc-")}
	x.acme, x.globex = tenantstest.Two(t)
	x.began = time.Now().UTC().Truncate(time.Millisecond)
	var ls []letters.Letter
	bodies := map[string]string{}
	for i := range 3 {
		l := x.letter(i)
		l.Stage = "" // nobody handled it, so that no document has failed with it
		ls = append(ls, l)
		bodies[l.EventID] = string(l.Body)
	}
	ls = ls[:2] // to be embedded; the third is for the trail alone
	require.NoError(t, p.Keep(t.Context(), x.acme, ls))
	for range 2 {
		_, err := p.Mark(t.Context(), x.acme, letters.Marking{IDs: ids(ls), By: "suite", Cause: events.Cause{ID: x.doc}})
		require.NoError(t, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range ls {
		ev := next(ctx, t, p, events.StageEmbed, func(ev events.Event) bool { return bodies[ev.ID] != "" })
		b, err := ev.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, bodies[ev.ID], string(b), "as it was")
		delete(bodies, ev.ID)
	}
	assert.Len(t, bodies, 1, "each once")
	next(ctx, t, p, events.StageAudit, func(ev events.Event) bool {
		var told events.EventRecorded
		return ev.As(&told) == nil && slices.ContainsFunc(told.Entries, func(e events.AuditEntry) bool {
			return e.Type == events.TypeLettersReplayed && e.CausationID == x.doc
		})
	})
}

// next is the next event of a stage that is wanted.
func next(ctx context.Context, t *testing.T, p Post, stage events.Stage, wanted func(events.Event) bool) events.Event {
	t.Helper()
	for {
		b, err := p.Receive(ctx, stage)
		require.NoError(t, err)
		ev, err := events.Decode(b)
		require.NoError(t, err)
		if wanted(ev) {
			return ev
		}
	}
}

// Pile is letters of nobody, and all of them that are there.
type Pile struct {
	letters.Pile
	Read func(ctx context.Context) ([]letters.Letter, error)
}

// TestUnread checks the promises of letters.Unread.
func TestUnread(t *testing.T, open func(t *testing.T) Pile) {
	t.Run("the same message is the same letter", func(t *testing.T) { sameLetter(t, open(t)) })
	t.Run("letters of tenants are stranded", func(t *testing.T) { stranded(t, open(t)) })
}

// stranded keeps letters of two tenants, which neither sees of the other, until they are dropped.
func stranded(t *testing.T, p Pile) {
	one, other := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	var all []letters.Letter
	for i, s := range []tenants.Scope{one, one, one, other} {
		all = append(all, letters.Letter{
			ID: letters.NewID("ingest-dlq", string(rune('a'+i))), Queue: "ingest-dlq", Tenant: s.Tenant(), Stage: "chunk", Code: "attempts_exhausted", At: at, Body: []byte("{\x00"),
		})
	}
	require.NoError(t, p.Keep(t.Context(), all))
	require.NoError(t, p.Keep(t.Context(), all[:1]), "again")
	found := func(s tenants.Scope, limit int) []letters.Letter {
		ls, err := p.Stranded(t.Context(), s, limit)
		require.NoError(t, err)
		return ls
	}
	assert.ElementsMatch(t, all[:3], found(one, 10))
	assert.Equal(t, all[3:], found(other, 10))
	assert.Len(t, found(one, 2), 2)
	for range 2 {
		require.NoError(t, p.Drop(t.Context(), other, all[:3]), "those of another are not there")
		require.NoError(t, p.Drop(t.Context(), one, all[:2]))
	}
	assert.Equal(t, all[2:3], found(one, 10))
	assert.Equal(t, all[3:], found(other, 10))
	require.NoError(t, p.Drop(t.Context(), one, nil))
	_, err := p.Stranded(t.Context(), tenants.Scope{}, 1)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func sameLetter(t *testing.T, p Pile) {
	name := tenantstest.Fresh(t, "")
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	make := func(queue, message, code string) letters.Letter {
		return letters.Letter{ID: letters.NewID(queue, name+message), Queue: queue, Code: code, Message: "água", Reason: "why", Attempts: 1, At: at, Body: []byte("{\x00\xff")}
	}
	read := func() map[string]letters.Letter {
		all, err := p.Read(t.Context())
		require.NoError(t, err)
		found := map[string]letters.Letter{}
		for _, l := range all {
			found[l.ID] = l
		}
		return found
	}
	a, b := make("ingest", "/1 ?", "event_invalid"), make("embed", "/1 ?", "event_invalid")
	require.NoError(t, p.Keep(t.Context(), []letters.Letter{a, b}))
	assert.Equal(t, a, read()[a.ID], "as it was")
	assert.Equal(t, b, read()[b.ID], "the message of another queue is another letter")
	before := len(read())
	a.Attempts, a.Code = 2, "attempts_exhausted"
	require.NoError(t, p.Keep(t.Context(), []letters.Letter{a}))
	require.NoError(t, p.Keep(t.Context(), nil))
	assert.Equal(t, a, read()[a.ID], "the same message is the same letter")
	assert.Len(t, read(), before)
}
