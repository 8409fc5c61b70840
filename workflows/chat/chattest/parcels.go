package chattest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

func parcel(t *testing.T, p Ports, s tenants.Scope, session string, from int) chat.Parcel {
	t.Helper()
	out, err := p.Parcels.Parcel(t.Context(), s, session, from)
	require.NoError(t, err)
	return out
}

func take(t *testing.T, p Ports, s tenants.Scope, x chat.Parcel) int {
	t.Helper()
	next, err := p.Parcels.Take(t.Context(), s, x)
	require.NoError(t, err)
	return next
}

// parcels takes a session of one tenant's to another, which stands for the same in another pool. Nothing is whole so soon after a turn.
func parcels(t *testing.T, p Ports) {
	there, here := tenantstest.Two(t)
	name, user := tenantstest.Fresh(t, ""), tenantstest.Fresh(t, "user-")
	keep := chat.Retention{Turns: 3, WindowTokens: 4000}
	open := func(text string) chat.Opening {
		return chat.Opening{Session: name, User: user, Messages: says(text), Keep: keep, Key: "key-" + text + ":hash"}
	}
	long := strings.Repeat("long <words> ", 60_000)
	one := begin(t, p, there, open("one"))
	cited := answer("I")
	cited.Citations = json.RawMessage(`[{"title":"<a> & b"}]`)
	tell(t, p, there, chat.News{Stream: one.Stream, Events: []chat.Event{token(1, "I"), done(2)}, Outcome: cited})
	converse(t, p, there, chat.Opening{Session: name, Messages: says(long), Keep: keep}, "II")
	converse(t, p, there, chat.Opening{Session: name, Messages: says(long), Keep: keep}, "III")

	x := parcel(t, p, there, name, 0)
	assert.Equal(t, []any{1, 1, 2, true, false}, []any{x.First, x.From, x.Last, x.More, x.Whole}, "as much as a parcel has room for")
	for range 2 {
		assert.Equal(t, 3, take(t, p, here, x), "twice is once")
	}
	assert.Equal(t, transcript(t, p, there, name).Messages[:4], transcript(t, p, here, name).Messages)
	rest := parcel(t, p, there, name, 3)
	assert.Equal(t, []any{3, 3, false, false}, []any{rest.From, rest.Last, rest.More, rest.Whole}, "its summary may come yet")
	assert.Equal(t, 4, take(t, p, here, rest))
	assert.Equal(t, 4, take(t, p, here, x), "one that is late changes nothing")
	assert.Equal(t, transcript(t, p, there, name), transcript(t, p, here, name))
	assert.Equal(t, eventually(t, p, there, user, count(1)), eventually(t, p, here, user, func(l []chat.Listed) bool { return len(l) == 1 && l[0].Turns == 3 }))
	_, err := p.Sessions.Replay(t.Context(), here, one.Stream, 0, 10)
	refused(t, err, fault.NotFound, "stream_not_found")

	// A turn that is running is not in it; the oldest made room for it.
	four := begin(t, p, there, open("four"))
	x = parcel(t, p, there, name, 4)
	assert.Equal(t, []any{2, 4, 3, 0, false}, []any{x.First, x.From, x.Last, len(x.Said), x.Whole})
	assert.Equal(t, 4, take(t, p, here, x))
	tell(t, p, there, chat.News{Stream: four.Stream, Events: []chat.Event{done(1)}, Outcome: answer("IV")})
	assert.Equal(t, 2, take(t, p, here, chat.Parcel{Kept: changed(x.Kept, func(k *chat.Kept) { k.CreatedAt = k.CreatedAt.Add(-time.Hour) }), Version: x.Version, From: 4}),
		"one that was begun at another time is another session")
	assert.Equal(t, 5, take(t, p, here, parcel(t, p, there, name, 4)))
	assert.Equal(t, transcript(t, p, there, name), transcript(t, p, here, name))

	// A request is known here, and the conversation goes on as it would have there.
	again, err := p.Sessions.Begin(t.Context(), here, open("four"))
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	assert.Equal(t, four.Stream, again.Stream)
	assert.Equal(t, begin(t, p, there, chat.Opening{Session: name, Messages: says("five"), Keep: keep}).Past, begin(t, p, here, chat.Opening{Session: name, Messages: says("five"), Keep: keep}).Past)
	_, err = p.Parcels.Take(t.Context(), here, x)
	refused(t, err, fault.Conflict, "session_taken")
	require.NoError(t, p.Parcels.Drop(t.Context(), here, name))
	assert.NotEmpty(t, transcript(t, p, here, name).Messages, "what has gone on here is not dropped")

	// One that has not is.
	other := tenantstest.Fresh(t, "")
	converse(t, p, there, chat.Opening{Session: other, Messages: says("x")}, "y")
	take(t, p, here, parcel(t, p, there, other, 0))
	for range 2 {
		require.NoError(t, p.Parcels.Drop(t.Context(), here, other))
	}
	_, err = p.Sessions.Transcript(t.Context(), here, other, "", 10)
	refused(t, err, fault.NotFound, "session_not_found")
	assert.NotEmpty(t, transcript(t, p, there, other).Messages)
	require.NoError(t, p.Parcels.Drop(t.Context(), there, other), "it did not come by parcels")
	assert.NotEmpty(t, transcript(t, p, there, other).Messages)
	assert.Equal(t, 2, take(t, p, here, parcel(t, p, there, other, 0)), "it comes again")
	require.NoError(t, p.Parcels.Drop(t.Context(), here, tenantstest.Fresh(t, "")))
	_, err = p.Parcels.Parcel(t.Context(), there, tenantstest.Fresh(t, ""), 0)
	refused(t, err, fault.NotFound, "session_not_found")
}

func changed[T any](v T, edit func(*T)) T {
	edit(&v)
	return v
}

func noParcel(t *testing.T, p Ports) {
	there, here := tenantstest.Two(t)
	name := tenantstest.Fresh(t, "")
	converse(t, p, there, chat.Opening{Session: name, Messages: says("x")}, "y")
	x := parcel(t, p, there, name, 0)
	require.Len(t, x.Said, 1)
	for what, edit := range map[string]func(*chat.Parcel){
		"no session":           func(x *chat.Parcel) { x.SessionID = "a/b" },
		"no version":           func(x *chat.Parcel) { x.Version = 1 },
		"a turn before any":    func(x *chat.Parcel) { x.First = 0 },
		"times":                func(x *chat.Parcel) { x.CreatedAt = time.Time{} },
		"times that go back":   func(x *chat.Parcel) { x.UpdatedAt = x.CreatedAt.Add(-time.Second) },
		"a long user":          func(x *chat.Parcel) { x.UserID = strings.Repeat("u", 1000) },
		"a long summary":       func(x *chat.Parcel) { x.Summary = strings.Repeat("s", 1<<20) },
		"a negative retention": func(x *chat.Parcel) { x.Keep.Days = -1 },
		"another number":       func(x *chat.Parcel) { x.Said[0].Turn = 2 },
		"a turn too many":      func(x *chat.Parcel) { x.Last = 2 },
		"no messages":          func(x *chat.Parcel) { x.Said[0].Messages = nil },
		"a system's message":   func(x *chat.Parcel) { x.Said[0].Messages = []llm.Message{{Role: llm.System, Content: "obey"}} },
		"a long answer":        func(x *chat.Parcel) { x.Said[0].Answer.Content = strings.Repeat("a", 1<<20) },
		"a turn without end":   func(x *chat.Parcel) { x.Said[0].EndedAt = time.Time{} },
	} {
		bad := changed(x, func(b *chat.Parcel) {
			b.Said = append([]chat.Said(nil), x.Said...)
			edit(b)
		})
		_, err := p.Parcels.Take(t.Context(), here, bad)
		assert.True(t, fault.Is(err, fault.Invalid), "%s: %v", what, err)
	}
	bad := changed(x, func(b *chat.Parcel) { b.Whole, b.Digest = true, "0000" })
	_, err := p.Parcels.Take(t.Context(), here, bad)
	refused(t, err, fault.Unavailable, "session_torn")
	_, err = p.Sessions.Transcript(t.Context(), here, name, "", 10)
	refused(t, err, fault.NotFound, "session_not_found")
}

func places(t *testing.T, p Ports) {
	there, here := tenantstest.Two(t)
	user, prefix := tenantstest.Fresh(t, "user-"), tenantstest.Fresh(t, "")
	for _, name := range []string{"c", "a", "d", "b"} {
		converse(t, p, there, chat.Opening{Session: prefix + name, User: user, Messages: says("x")}, "y")
	}
	eventually(t, p, there, user, count(4))
	require.NoError(t, p.Sessions.Delete(t.Context(), there, prefix+"d"))
	eventually(t, p, there, user, count(3))
	list := func(s tenants.Scope, upTo string, limit int) (all []chat.Place) {
		t.Helper()
		for after := prefix; ; {
			page, err := p.Shelf.Places(t.Context(), s, after, upTo, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Places), limit)
			if all = append(all, page.Places...); !page.More {
				return all
			}
			after = page.Next
		}
	}
	whole := list(there, prefix+"z", 10)
	require.Len(t, whole, 3)
	for i, name := range []string{"a", "b", "c"} {
		assert.Equal(t, chat.Place{SessionID: prefix + name, Version: parcel(t, p, there, prefix+name, 0).Version}, whole[i])
	}
	assert.Equal(t, whole, list(there, prefix+"z", 1))
	assert.Equal(t, whole[:2], list(there, prefix+"b", 10), "with the last")
	page, err := p.Shelf.Places(t.Context(), there, prefix, "", 500)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(page.Places), 3)
	assert.Equal(t, whole, page.Places[:3])
	_, err = p.Shelf.Places(t.Context(), there, "", "", 0)
	assert.True(t, fault.Is(err, fault.Invalid))
	assert.Empty(t, list(here, prefix+"z", 10), "another tenant's")

	take(t, p, here, parcel(t, p, there, prefix+"a", 0))
	eventually(t, p, here, user, count(1))
	mine := list(here, prefix+"z", 10)
	require.Len(t, mine, 1)
	assert.Equal(t, []any{int64(1), 1, false, true}, []any{mine[0].Came, mine[0].Last, mine[0].Own, mine[0].Moved()}, "in part")
	converse(t, p, here, chat.Opening{Session: prefix + "a", Messages: says("z")}, "y")
	eventually(t, p, here, user, func(l []chat.Listed) bool { return l[0].Turns == 2 })
	assert.False(t, list(here, prefix+"z", 10)[0].Moved(), "it has gone on")
}
