package chattest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
)

// TestShelf checks the promises of chat.Shelf, by what sessions tell it.
func TestShelf(t *testing.T, open func(t *testing.T) Ports) {
	for name, test := range map[string]func(*testing.T, Ports){
		"a session is listed when it begins":        listed,
		"the most recently used is first":           recent,
		"a list has pages":                          listPages,
		"a tenant and a user see their own":         ownList,
		"a deleted session is off the list":         offTheShelf,
		"a title is the beginning of what was said": titles,
		"what is no page is refused":                noPage,
		"all sessions by their ids":                 places,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// moments is how often, and how long, a test looks whether the shelf knows.
const (
	moments = 500
	moment  = 10 * time.Millisecond
)

// eventually lists a user's sessions until they are as they should be, which they are within moments.
func eventually(t *testing.T, p Ports, s tenants.Scope, user string, want func([]chat.Listed) bool) []chat.Listed {
	t.Helper()
	var l chat.Listing
	for range moments {
		var err error
		l, err = p.Shelf.List(t.Context(), s, user, "", 100)
		require.NoError(t, err)
		if want(l.Sessions) {
			return l.Sessions
		}
		time.Sleep(moment)
	}
	require.FailNow(t, "the shelf does not know", "%+v", l.Sessions)
	return nil
}

func count(n int) func([]chat.Listed) bool {
	return func(l []chat.Listed) bool { return len(l) == n }
}

func ids(l []chat.Listed) []string {
	out := []string{}
	for _, s := range l {
		out = append(out, s.SessionID)
	}
	return out
}

func listed(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	name, user := tenantstest.Fresh(t, ""), tenantstest.Fresh(t, "user/ü ")
	turn := begin(t, p, acme, chat.Opening{Session: name, User: user, Messages: says("Hello there")})
	l := eventually(t, p, acme, user, count(1))[0]
	assert.Equal(t, name, l.SessionID)
	assert.Equal(t, user, l.UserID)
	assert.Equal(t, "Hello there", l.Title)
	assert.Equal(t, 1, l.Turns)
	assert.True(t, l.CreatedAt.Equal(turn.Started))
	script := transcript(t, p, acme, name)
	assert.True(t, l.UpdatedAt.Equal(script.UpdatedAt))
	tell(t, p, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{done(1)}, Outcome: answer("Hi")})
	converse(t, p, acme, chat.Opening{Session: name, User: user, Messages: says("again")}, "Hi again")
	l = eventually(t, p, acme, user, func(l []chat.Listed) bool { return len(l) == 1 && l[0].Turns == 2 })[0]
	assert.Equal(t, "Hello there", l.Title, "as it began")

	everybody := eventually(t, p, acme, "", func(l []chat.Listed) bool { return strings.Contains(fmt.Sprint(ids(l)), name) })
	assert.NotEmpty(t, everybody)
}

func recent(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	user := tenantstest.Fresh(t, "user-")
	a, b, c := tenantstest.Fresh(t, "a"), tenantstest.Fresh(t, "b"), tenantstest.Fresh(t, "c")
	for i, name := range []string{a, b, c} {
		converse(t, p, acme, chat.Opening{Session: name, User: user, Messages: says("x")}, "y")
		eventually(t, p, acme, user, count(i+1))
		time.Sleep(2 * time.Millisecond) // the order is by the millisecond
	}
	assert.Equal(t, []string{c, b, a}, ids(eventually(t, p, acme, user, count(3))))
	converse(t, p, acme, chat.Opening{Session: a, Messages: says("x")}, "y")
	l := eventually(t, p, acme, user, func(l []chat.Listed) bool { return l[0].SessionID == a })
	assert.Equal(t, []string{a, c, b}, ids(l))
	for i := range l[1:] {
		assert.False(t, l[i].UpdatedAt.Before(l[i+1].UpdatedAt))
	}
}

func listPages(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	user := tenantstest.Fresh(t, "user-")
	for range 7 {
		begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), User: user, Messages: says("x")})
	}
	whole := ids(eventually(t, p, acme, user, count(7)))
	for _, limit := range []int{1, 3, 7, 8} {
		got, cursor := []string{}, ""
		for {
			page, err := p.Shelf.List(t.Context(), acme, user, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Sessions), limit)
			got = append(got, ids(page.Sessions)...)
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		assert.Equal(t, whole, got)
	}
	page, err := p.Shelf.List(t.Context(), acme, "", "", 3)
	require.NoError(t, err)
	require.Len(t, page.Sessions, 3)
	require.NotEmpty(t, page.Cursor)
	next, err := p.Shelf.List(t.Context(), acme, "", page.Cursor, 3)
	require.NoError(t, err)
	require.Len(t, next.Sessions, 3)
	assert.NotContains(t, ids(page.Sessions), next.Sessions[0].SessionID)
}

func ownList(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name, user := tenantstest.Fresh(t, ""), tenantstest.Fresh(t, "user-")
	begin(t, p, acme, chat.Opening{Session: name, User: user, Messages: says("ours")})
	begin(t, p, globex, chat.Opening{Session: name, User: user, Messages: says("theirs")})
	begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), User: user + "-2", Messages: says("hers")})
	assert.Equal(t, "ours", eventually(t, p, acme, user, count(1))[0].Title)
	assert.Equal(t, "theirs", eventually(t, p, globex, user, count(1))[0].Title)
	assert.Equal(t, "hers", eventually(t, p, acme, user+"-2", count(1))[0].Title)
	assert.Empty(t, eventually(t, p, globex, user+"-2", count(0)))
}

func offTheShelf(t *testing.T, p Ports) {
	acme, globex := tenantstest.Two(t)
	name, user := tenantstest.Fresh(t, ""), tenantstest.Fresh(t, "user-")
	for _, s := range []tenants.Scope{acme, globex} {
		begin(t, p, s, chat.Opening{Session: name, User: user, Messages: says("x")})
		eventually(t, p, s, user, count(1))
	}
	require.NoError(t, p.Sessions.Delete(t.Context(), acme, name))
	eventually(t, p, acme, user, count(0))
	eventually(t, p, globex, user, count(1))
	begin(t, p, acme, chat.Opening{Session: name, User: user, Messages: says("anew")})
	l := eventually(t, p, acme, user, count(1))[0]
	assert.Equal(t, "anew", l.Title)
	assert.Equal(t, 1, l.Turns)
}

func titles(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	for said, want := range map[string]string{
		"  What\n\tis   this? ":             "What is this?",
		strings.Repeat("你好", 100):           strings.Repeat("你好", 39) + "你…",
		strings.Repeat("many words ", 2000): strings.Repeat("many words ", 7)[:76] + "…",
		"":                                  "",
	} {
		user := tenantstest.Fresh(t, "user-")
		begin(t, p, acme, chat.Opening{Session: tenantstest.Fresh(t, ""), User: user, Messages: says(said)})
		assert.Equal(t, want, eventually(t, p, acme, user, count(1))[0].Title)
	}
}

func noPage(t *testing.T, p Ports) {
	acme, _ := tenantstest.Two(t)
	_, err := p.Shelf.List(t.Context(), acme, "", "", 0)
	assert.True(t, fault.Is(err, fault.Invalid))
	for _, cursor := range []string{"nonsense", "%", "AAAA"} {
		_, err = p.Shelf.List(t.Context(), acme, "", cursor, 10)
		assert.True(t, fault.Is(err, fault.Invalid), cursor)
	}
}
