package letterstest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/letters"
)

// Box is what the suite tests: a box that remembers requests, too.
type Box interface {
	letters.Box
	letters.Receipts
	letters.Forgetter
}

// TestBox checks the promises of letters.Box, letters.Receipts and letters.Forgetter. Each open returns boxes for tenants acme and globex, which
// may hold letters of earlier runs.
func TestBox(t *testing.T, open func(t *testing.T) Box) {
	for name, test := range map[string]func(*testing.T, shelf){
		"what was kept is found, newest first":          found,
		"a letter is found by its id":                   byID,
		"a letter that comes again replaces":            again,
		"a list has pages":                              pages,
		"a query lets pass what meets all of it":        queries,
		"a count is of what matches":                    counts,
		"what waits is read from the oldest on":         waits,
		"what is marked waits no longer":                marked,
		"what no document depends on must be readable":  unreadable,
		"a message that died again waits again":         diedAgain,
		"letters belong to a tenant":                    ownLetters,
		"bodies of the largest size":                    large,
		"many at once":                                  atOnce,
		"what is about a deleted document is forgotten": forgotten,
		"a request is answered once":                    receipts,
		"what is no page is refused":                    noPage,
		"nobody's call is refused":                      nobody,
	} {
		t.Run(name, func(t *testing.T) {
			x := shelf{T: t, box: open(t), doc: tenantstest.Fresh(t, "doc-")}
			x.acme, x.globex = tenantstest.Two(t)
			x.began = time.Now().UTC().Add(-time.Minute).Truncate(time.Millisecond)
			test(t, x)
		})
	}
}

// shelf is a box and the letters that one run puts there: they are about a document of its own.
type shelf struct {
	*testing.T
	box          Box
	doc          string
	began        time.Time
	acme, globex tenants.Scope
}

// letter is the nth of this run, a millisecond after the one before. Every third is about no document.
func (x shelf) letter(n int) letters.Letter {
	x.Helper()
	ref := events.DocumentRef{DocID: x.doc, Generation: n + 1, JobID: "j"}
	fact := events.Fact(events.DocumentChunked{
		DocumentRef: ref, Slice: events.Slice{Slices: 1, Chunks: 1}, Model: "m", Parts: []events.Chunk{{Start: 0, End: 2, Text: "ä"}},
	})
	l := letters.Letter{
		Queue: "embed", Tenant: "acme", Handler: "embed", Stage: "embed", DocID: x.doc, Generation: n + 1,
		Code: "model_refused", Message: "água ≠", Reason: "embed: model_refused: água ≠", Attempts: 4,
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	if n%3 == 2 {
		fact = events.DocumentIndexed{DocumentRef: ref, Chunks: 1, Model: "m"}
		l.Queue, l.Handler, l.Stage, l.Generation, l.Code = "audit", "audit", "", 0, "trail_full"
	}
	ev, err := events.New(x.acme, "suite", events.Cause{ID: fmt.Sprint(n)}, x.began, fact)
	require.NoError(x, err)
	l.Body, err = ev.MarshalJSON()
	require.NoError(x, err)
	l.ID = letters.NewID(l.Queue, fmt.Sprint(x.doc, n))
	l.EventID, l.Type, l.Subject, l.At = ev.ID, ev.Type, ev.Subject, x.began.Add(time.Duration(n)*time.Millisecond)
	return l
}

// fill keeps n letters and returns them, oldest first.
func (x shelf) fill(n int) (ls []letters.Letter) {
	x.Helper()
	for i := range n {
		ls = append(ls, x.letter(i))
	}
	require.NoError(x, x.box.Keep(x.Context(), x.acme, ls))
	return ls
}

// mine is a query for the letters of this run.
func (x shelf) mine() letters.Query { return letters.Query{DocID: x.doc} }

func (x shelf) list(s tenants.Scope, q letters.Query, bodies bool) []letters.Letter {
	x.Helper()
	return all(x, func(cursor string) (letters.Page, error) {
		return x.box.List(x.Context(), s, q, cursor, letters.MaxPage, bodies)
	})
}

func (x shelf) waiting(q letters.Query) []letters.Letter {
	x.Helper()
	return all(x, func(cursor string) (letters.Page, error) {
		return x.box.Waiting(x.Context(), x.acme, q, cursor, letters.MaxPage)
	})
}

// all reads every page.
func all(x shelf, read func(cursor string) (letters.Page, error)) []letters.Letter {
	x.Helper()
	ls, cursor := []letters.Letter{}, ""
	for {
		page, err := read(cursor)
		require.NoError(x, err)
		require.NotNil(x, page.Letters)
		ls = append(ls, page.Letters...)
		if cursor = page.Next; cursor == "" {
			return ls
		}
	}
}

func ids(ls []letters.Letter) []string {
	out := []string{}
	for _, l := range ls {
		out = append(out, l.ID)
	}
	return out
}

// reversed is ids of letters from the last to the first, without those left out.
func reversed(ls []letters.Letter, keep func(int) bool) []string {
	out := []string{}
	for i := len(ls) - 1; i >= 0; i-- {
		if keep(i) {
			out = append(out, ls[i].ID)
		}
	}
	return out
}

func every(int) bool { return true }

func found(t *testing.T, x shelf) {
	ls := x.fill(3)
	got := x.list(x.acme, x.mine(), true)
	require.Len(t, got, 3)
	for i, l := range ls {
		assert.Equal(t, l, got[2-i], "as it was")
	}
	for i, l := range x.list(x.acme, x.mine(), false) {
		assert.Empty(t, l.Body)
		l.Body = ls[2-i].Body
		assert.Equal(t, ls[2-i], l)
	}
}

func byID(t *testing.T, x shelf) {
	ls := x.fill(5)
	got := x.list(x.acme, letters.Query{IDs: []string{ls[1].ID, "embed-unknown", ls[4].ID, ls[1].ID}}, true)
	assert.Equal(t, []letters.Letter{ls[4], ls[1]}, got)
	assert.Empty(t, x.list(x.acme, letters.Query{IDs: []string{"embed-unknown"}}, true))
	assert.Empty(t, x.list(x.acme, letters.Query{IDs: []string{ls[1].ID}, Codes: []string{"other"}}, true))
	assert.Equal(t, []string{ls[1].ID, ls[4].ID}, ids(x.waiting(letters.Query{IDs: []string{ls[4].ID, ls[1].ID}})))
	page, err := x.box.List(t.Context(), x.acme, letters.Query{IDs: []string{ls[0].ID, ls[1].ID, ls[2].ID}}, "", 2, false)
	require.NoError(t, err)
	require.Equal(t, []string{ls[2].ID, ls[1].ID}, ids(page.Letters))
	page, err = x.box.List(t.Context(), x.acme, letters.Query{IDs: []string{ls[0].ID, ls[1].ID, ls[2].ID}}, page.Next, 2, false)
	require.NoError(t, err)
	require.Equal(t, []string{ls[0].ID}, ids(page.Letters))
	assert.Empty(t, page.Next)
}

func again(t *testing.T, x shelf) {
	ls := x.fill(3)
	l := ls[0]
	l.At, l.Attempts, l.Code, l.Body = ls[2].At.Add(time.Second), 5, "attempts_exhausted", []byte("another")
	for range 2 {
		require.NoError(t, x.box.Keep(t.Context(), x.acme, []letters.Letter{l}))
		got := x.list(x.acme, x.mine(), true)
		assert.Equal(t, []string{l.ID, ls[2].ID, ls[1].ID}, ids(got))
		assert.Equal(t, l, got[0])
		assert.Equal(t, []string{ls[1].ID, ls[2].ID, l.ID}, ids(x.waiting(x.mine())))
	}
}

func pages(t *testing.T, x shelf) {
	ls := x.fill(7)
	for _, limit := range []int{1, 3, 7, 8} {
		for name, read := range map[string]func(cursor string) (letters.Page, error){
			"list": func(cursor string) (letters.Page, error) {
				return x.box.List(t.Context(), x.acme, x.mine(), cursor, limit, false)
			},
			"waiting": func(cursor string) (letters.Page, error) {
				return x.box.Waiting(t.Context(), x.acme, x.mine(), cursor, limit)
			},
		} {
			got := all(x, func(cursor string) (letters.Page, error) {
				page, err := read(cursor)
				assert.LessOrEqual(t, len(page.Letters), limit)
				return page, err
			})
			want := reversed(ls, every)
			if name == "waiting" {
				want = ids(ls)
			}
			assert.Equal(t, want, ids(got), "%s, %d a page", name, limit)
		}
	}
}

func queries(t *testing.T, x shelf) {
	ls := x.fill(9)
	document, audit := events.TypeDocumentChunked, events.TypeDocumentIndexed
	yes, no := true, false
	for name, c := range map[string]struct {
		edit func(*letters.Query)
		keep func(int) bool
	}{
		"a type":           {func(q *letters.Query) { q.Types = []string{document} }, func(i int) bool { return i%3 != 2 }},
		"one of two types": {func(q *letters.Query) { q.Types = []string{audit, document} }, every},
		"a code":           {func(q *letters.Query) { q.Codes = []string{"trail_full"} }, func(i int) bool { return i%3 == 2 }},
		"a stage":          {func(q *letters.Query) { q.Stages = []string{"embed", "chunk"} }, func(i int) bool { return i%3 != 2 }},
		"no such":          {func(q *letters.Query) { q.Codes = []string{"no_such"} }, func(int) bool { return false }},
		"two that exclude each other": {func(q *letters.Query) { q.Types, q.Stages = []string{audit}, []string{"embed"} },
			func(int) bool { return false }},
		"from":              {func(q *letters.Query) { q.From = ls[4].At }, func(i int) bool { return i >= 4 }},
		"a little later":    {func(q *letters.Query) { q.From = ls[4].At.Add(time.Nanosecond) }, func(i int) bool { return i > 4 }},
		"to":                {func(q *letters.Query) { q.To = ls[4].At }, func(i int) bool { return i < 4 }},
		"to a little later": {func(q *letters.Query) { q.To = ls[4].At.Add(time.Nanosecond) }, func(i int) bool { return i <= 4 }},
		"from and to": {func(q *letters.Query) { q.From, q.To, q.Codes = ls[2].At, ls[6].At, []string{"model_refused"} },
			func(i int) bool { return i >= 2 && i < 6 && i%3 != 2 }},
		"not replayed": {func(q *letters.Query) { q.Replayed = &no }, every},
		"replayed":     {func(q *letters.Query) { q.Replayed = &yes }, func(int) bool { return false }},
	} {
		q := x.mine()
		c.edit(&q)
		assert.Equal(t, reversed(ls, c.keep), ids(x.list(x.acme, q, false)), name)
		n, err := x.box.Count(t.Context(), x.acme, q)
		require.NoError(t, err)
		assert.Equal(t, len(reversed(ls, c.keep)), n.Total, name)
		if q.Replayed == nil {
			want := reversed(ls, c.keep)
			waiting := x.waiting(q)
			assert.ElementsMatch(t, want, ids(waiting), name)
		}
	}
}

func counts(t *testing.T, x shelf) {
	ls := x.fill(6)
	no := false
	for _, replayed := range []*bool{nil, &no} {
		q := x.mine()
		q.Replayed = replayed
		n, err := x.box.Count(t.Context(), x.acme, q)
		require.NoError(t, err)
		assert.Equal(t, letters.Count{
			Total:  6,
			Types:  map[string]int{events.TypeDocumentChunked: 4, events.TypeDocumentIndexed: 2},
			Codes:  map[string]int{"model_refused": 4, "trail_full": 2},
			Stages: map[string]int{"embed": 4},
			Oldest: ls[0].At, Newest: ls[5].At,
		}, n)
	}
	n, err := x.box.Count(t.Context(), x.acme, letters.Query{DocID: "nobody's"})
	require.NoError(t, err)
	assert.Equal(t, letters.Count{Types: map[string]int{}, Codes: map[string]int{}, Stages: map[string]int{}}, n)
}

func waits(t *testing.T, x shelf) {
	ls := x.fill(4)
	page, err := x.box.Waiting(t.Context(), x.acme, x.mine(), "", 2)
	require.NoError(t, err)
	assert.Equal(t, ids(ls[:2]), ids(page.Letters))
	assert.Empty(t, page.Letters[0].Body)
	assert.Equal(t, ls[0].Reason, page.Letters[0].Reason)
	late := x.letter(4)
	require.NoError(t, x.box.Keep(t.Context(), x.acme, []letters.Letter{late}))
	page, err = x.box.Waiting(t.Context(), x.acme, x.mine(), page.Next, 10)
	require.NoError(t, err)
	assert.Equal(t, append(ids(ls[2:]), late.ID), ids(page.Letters), "what came meanwhile is at the end")
	assert.Empty(t, page.Next)
}

// marking asks for letters of this run to be marked.
func (x shelf) marking(ids ...string) letters.Marking {
	return letters.Marking{IDs: ids, Query: x.mine(), By: "suite", Cause: events.Cause{ID: tenantstest.Fresh(x, "request-")}}
}

func (x shelf) mark(ids ...string) letters.Marked {
	x.Helper()
	m, err := x.box.Mark(x.Context(), x.acme, x.marking(ids...))
	require.NoError(x, err)
	return m
}

func marked(t *testing.T, x shelf) {
	ls := x.fill(6)
	assert.Equal(t, letters.Marked{Replayed: 3}, x.mark(ls[0].ID, ls[2].ID, "embed-unknown", ls[4].ID, ls[0].ID))
	assert.Equal(t, []string{ls[1].ID, ls[3].ID, ls[5].ID}, ids(x.waiting(x.mine())))
	assert.Zero(t, x.mark(ls[0].ID, ls[2].ID).Replayed, "a letter is replayed once")
	got := x.list(x.acme, x.mine(), true)
	require.Equal(t, reversed(ls, every), ids(got), "and stays where it was")
	for i, l := range got {
		gone := i%2 == 1
		assert.Equal(t, gone, !l.Replayed.IsZero(), i)
		assert.Equal(t, ls[5-i].Body, l.Body)
	}
	yes, no := true, false
	q := x.mine()
	q.Replayed = &yes
	assert.Equal(t, []string{ls[4].ID, ls[2].ID, ls[0].ID}, ids(x.list(x.acme, q, false)))
	q.Replayed = &no
	n, err := x.box.Count(t.Context(), x.acme, q)
	require.NoError(t, err)
	assert.Equal(t, 3, n.Total)
	assert.Zero(t, x.mark().Replayed)
	_, err = x.box.Mark(t.Context(), x.acme, x.marking(make([]string, letters.MaxPage+1)...))
	assert.True(t, fault.Is(err, fault.Invalid))
}

func unreadable(t *testing.T, x shelf) {
	good, bad, foreign := x.letter(2), x.letter(5), x.letter(8)
	bad.Body = []byte("{")
	foreign.Body = []byte(strings.ReplaceAll(string(foreign.Body), "acme", "globex"))
	require.NoError(t, x.box.Keep(t.Context(), x.acme, []letters.Letter{good, bad, foreign}))
	m := x.mark(good.ID, bad.ID, foreign.ID)
	assert.Equal(t, 1, m.Replayed)
	require.Len(t, m.Skipped, 2)
	assert.Equal(t, []string{bad.ID, "event_invalid", foreign.ID, "tenant_mismatch"},
		[]string{m.Skipped[0].ID, m.Skipped[0].Code, m.Skipped[1].ID, m.Skipped[1].Code})
	assert.Equal(t, []string{bad.ID, foreign.ID}, ids(x.waiting(x.mine())), "they wait on")
}

func diedAgain(t *testing.T, x shelf) {
	ls := x.fill(2)
	assert.Equal(t, 2, x.mark(ls[0].ID, ls[1].ID).Replayed)
	require.NoError(t, x.box.Keep(t.Context(), x.acme, ls[:1]), "the same burial again")
	assert.Empty(t, x.waiting(x.mine()))
	ls[1].At = time.Now().UTC().Add(time.Minute).Truncate(time.Millisecond)
	require.NoError(t, x.box.Keep(t.Context(), x.acme, ls), "the message was delivered after it, and died")
	assert.Equal(t, []string{ls[1].ID}, ids(x.waiting(x.mine())))
	got := x.list(x.acme, x.mine(), false)
	require.Equal(t, []string{ls[1].ID, ls[0].ID}, ids(got))
	assert.Zero(t, got[0].Replayed)
	assert.NotZero(t, got[1].Replayed)
	assert.Equal(t, 1, x.mark(ls[1].ID).Replayed)
}

func ownLetters(t *testing.T, x shelf) {
	ls := x.fill(2)
	assert.Empty(t, x.list(x.globex, letters.Query{IDs: ids(ls)}, true))
	assert.Empty(t, x.list(x.globex, x.mine(), true))
	m, err := x.box.Mark(t.Context(), x.globex, x.marking(ids(ls)...))
	require.NoError(t, err)
	assert.Zero(t, m.Replayed)
	n, err := x.box.Count(t.Context(), x.globex, x.mine())
	require.NoError(t, err)
	assert.Zero(t, n.Total)
	err = x.box.Keep(t.Context(), x.globex, ls)
	assert.Equal(t, "tenant_mismatch", fault.As(err).Code)
	theirs := ls[0]
	theirs.Tenant, theirs.Code = "globex", "theirs"
	require.NoError(t, x.box.Keep(t.Context(), x.globex, []letters.Letter{theirs}))
	assert.Equal(t, "model_refused", x.list(x.acme, x.mine(), false)[1].Code, "the same id is another letter there")
	assert.Len(t, x.waiting(x.mine()), 2)
}

func large(t *testing.T, x shelf) {
	const n = 40
	var ls []letters.Letter
	for i := range n {
		l := x.letter(i)
		l.Body = []byte(strings.Repeat(fmt.Sprintf("%02d", i), 64_000))
		ls = append(ls, l)
	}
	require.NoError(t, x.box.Keep(t.Context(), x.acme, ls))
	got := x.list(x.acme, x.mine(), true)
	require.Equal(t, reversed(ls, every), ids(got))
	for i, l := range got {
		assert.True(t, string(ls[n-1-i].Body) == string(l.Body), i)
	}
	l := x.letter(n)
	l.Reason, l.Message, l.Code = strings.Repeat("ä", 5000), strings.Repeat("ä", 5000), strings.Repeat("a", 500)
	require.NoError(t, x.box.Keep(t.Context(), x.acme, []letters.Letter{l}))
	clipped := x.list(x.acme, letters.Query{IDs: []string{l.ID}}, false)[0]
	assert.Equal(t, []int{2000, 500, 64}, []int{len(clipped.Reason), len(clipped.Message), len(clipped.Code)})
}

func atOnce(t *testing.T, x shelf) {
	var group sync.WaitGroup
	for i := range 8 {
		var ls []letters.Letter
		for j := range 4 {
			ls = append(ls, x.letter(2*i+j)) // each overlaps the next
		}
		group.Go(func() { assert.NoError(t, x.box.Keep(t.Context(), x.acme, ls)) })
	}
	group.Wait()
	assert.Len(t, x.list(x.acme, x.mine(), false), 18)
	var mu sync.Mutex
	gone := 0
	for range 4 {
		group.Go(func() {
			for i := range 18 {
				m, err := x.box.Mark(t.Context(), x.acme, x.marking(x.letter(i).ID))
				assert.NoError(t, err)
				mu.Lock()
				gone += m.Replayed
				mu.Unlock()
			}
		})
	}
	group.Wait()
	assert.Equal(t, 18, gone, "each once")
}

func forgotten(t *testing.T, x shelf) {
	ls := x.fill(4) // generations 1, 2, and 4; the third is about no generation
	other := x.letter(0)
	other.ID, other.DocID = letters.NewID("embed", x.doc+"other"), x.doc+"/other"
	require.NoError(t, x.box.Keep(t.Context(), x.acme, []letters.Letter{other}))
	theirs := ls[0]
	theirs.Tenant = "globex"
	require.NoError(t, x.box.Keep(t.Context(), x.globex, []letters.Letter{theirs}))
	for range 2 {
		require.NoError(t, x.box.Forget(t.Context(), x.acme, x.doc, 2))
		assert.Equal(t, []string{ls[3].ID}, ids(x.list(x.acme, x.mine(), true)))
		assert.Equal(t, []string{ls[3].ID}, ids(x.waiting(x.mine())))
		assert.Empty(t, x.list(x.acme, letters.Query{IDs: ids(ls[:3])}, true))
		assert.Len(t, x.list(x.acme, letters.Query{IDs: []string{other.ID}}, true), 1)
		assert.Len(t, x.list(x.globex, x.mine(), true), 1)
	}
	require.NoError(t, x.box.Forget(t.Context(), x.acme, "nobody's", 9))
	assert.ErrorIs(t, x.box.Forget(t.Context(), tenants.Scope{}, x.doc, 9), tenants.ErrNoScope)
}

func receipts(t *testing.T, x shelf) {
	key := tenantstest.Fresh(t, "key/~ ")
	for range 2 {
		answer, err := x.box.Open(t.Context(), x.acme, key, "hash")
		require.NoError(t, err)
		assert.Nil(t, answer, "not answered yet")
	}
	for _, answer := range []string{"first", "second"} {
		require.NoError(t, x.box.Close(t.Context(), x.acme, key, []byte(answer)))
		got, err := x.box.Open(t.Context(), x.acme, key, "hash")
		require.NoError(t, err)
		assert.Equal(t, "first", string(got))
	}
	_, err := x.box.Open(t.Context(), x.acme, key, "another")
	assert.Equal(t, []any{fault.Conflict, "idempotency_conflict"}, []any{fault.KindOf(err), fault.As(err).Code})
	answer, err := x.box.Open(t.Context(), x.globex, key, "another")
	require.NoError(t, err, "another tenant's key")
	assert.Nil(t, answer)
	require.NoError(t, x.box.Close(t.Context(), x.acme, tenantstest.Fresh(t, ""), []byte("x")), "what was not opened")
}

func noPage(t *testing.T, x shelf) {
	for _, limit := range []int{0, letters.MaxPage + 1} {
		_, err := x.box.List(t.Context(), x.acme, letters.Query{}, "", limit, false)
		assert.Equal(t, "limit", fault.As(err).Field)
		_, err = x.box.Waiting(t.Context(), x.acme, letters.Query{}, "", limit)
		assert.Equal(t, "limit", fault.As(err).Field)
	}
	for _, cursor := range []string{"%", "AAAA", "nonsense"} {
		_, err := x.box.List(t.Context(), x.acme, letters.Query{}, cursor, 1, false)
		assert.Equal(t, []any{fault.Invalid, "cursor"}, []any{fault.KindOf(err), fault.As(err).Field}, cursor)
	}
	for _, spoil := range []func(*letters.Letter){
		func(l *letters.Letter) { l.ID = "" },
		func(l *letters.Letter) { l.ID = "a/b" },
		func(l *letters.Letter) { l.At = time.Time{} },
		func(l *letters.Letter) { l.At = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		l := x.letter(0)
		spoil(&l)
		err := x.box.Keep(t.Context(), x.acme, []letters.Letter{x.letter(1), l})
		assert.Equal(t, "letter_invalid", fault.As(err).Code)
	}
	assert.Empty(t, x.list(x.acme, x.mine(), false), "nothing of a call that fails")
}

func nobody(t *testing.T, x shelf) {
	var s tenants.Scope
	_, list := x.box.List(t.Context(), s, letters.Query{}, "", 1, false)
	_, waiting := x.box.Waiting(t.Context(), s, letters.Query{}, "", 1)
	_, count := x.box.Count(t.Context(), s, letters.Query{})
	_, mark := x.box.Mark(t.Context(), s, x.marking("a"))
	_, opened := x.box.Open(t.Context(), s, "k", "h")
	for _, err := range []error{
		x.box.Keep(t.Context(), s, []letters.Letter{x.letter(0)}), x.box.Keep(t.Context(), s, nil), list, waiting, count, mark, opened,
		x.box.Close(t.Context(), s, "k", nil),
	} {
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	}
	require.NoError(t, x.box.Keep(t.Context(), x.acme, nil), "nothing to keep")
}
