package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
)

// asked asks a tenant's model, and reports what was answered and whether it was a hit.
func (u user) asked(script string, stream bool) (answer, bool) {
	u.t.Helper()
	a := u.do(http.MethodPost, "/v1/chat/completions", map[string]any{
		"model": "default", "stream": stream, "messages": []map[string]string{{"role": "user", "content": script}},
	}, "x-tenant-id", u.tenant)
	require.Equal(u.t, http.StatusOK, a.Status, "%s", a.Body)
	require.Contains(u.t, []string{"HIT", "MISS"}, a.Header.Get("x-levada-cache"))
	return a, a.Header.Get("x-levada-cache") == "HIT"
}

// kept is the names of the answers that are kept for the tenant.
func (u user) kept() []string {
	names, err := platform.KV(stack.API, "CACHE").Keys(u.t.Context(), "t/"+u.tenant+"/cache/answer/")
	require.NoError(u.t, err)
	return names
}

// Equal requests of a tenant get the same answer when the tenant has said so, in either form, and pay once. Another tenant's
// equal request asks the model.
func TestEqualRequestsHaveTheSameAnswer(t *testing.T) {
	one, two := newcomer(t, "cached"), newcomer(t, "cached")
	const script = `{"script": {"tokens": ["The ", "water ", "flows."]}}`
	_, hit := one.asked(script, true)
	assert.False(t, hit)
	eventually(t, "the answer is kept", func() bool { return len(one.kept()) == 1 })
	whole, hit := one.asked(script, false)
	assert.True(t, hit)
	assert.Contains(t, string(whole.Body), "The water flows.")
	streamed, hit := one.asked(script, true)
	assert.True(t, hit)
	assert.Contains(t, string(streamed.Body), "data: [DONE]")

	_, hit = two.asked(script, false)
	assert.False(t, hit, "another tenant's")
	_, hit = one.asked(script+" ", false)
	assert.False(t, hit, "another prompt")

	calls := func(u user) (n int) {
		var usage struct {
			Totals struct{ Calls int }
		}
		u.do(http.MethodGet, "/usage", nil, "x-tenant-id", u.tenant).into(t, &usage)
		return usage.Totals.Calls
	}
	eventually(t, "what was asked is booked", func() bool { return calls(one) >= 2 && calls(two) >= 1 })
	assert.Equal(t, 2, calls(one), "hits cost nothing")
	assert.Equal(t, 1, calls(two))
}

// What was cut short is nobody else's answer.
func TestAnAnswerThatWasCutIsNotKept(t *testing.T) {
	u := newcomer(t, "cached")
	for _, script := range []string{
		`{"script": {"tokens": ["a ", "b ", "c"], "cutAfter": 1}}`, `{"script": {"tokens": ["a ", "b ", "c"], "finish": "length"}}`,
	} {
		for range 2 {
			_, hit := u.asked(script, true)
			assert.False(t, hit, script)
		}
	}
	_, hit := u.asked(`{"script": {"tokens": ["whole"]}}`, true)
	assert.False(t, hit)
	eventually(t, "the one that was whole is kept", func() bool { return len(u.kept()) > 0 })
	assert.Len(t, u.kept(), 1)
}

// A search that was made before is answered from the cache, whole, until what searches show has changed. Another tenant's equal search finds that
// tenant's documents.
func TestEqualSearchesAreAnsweredFromTheCache(t *testing.T) {
	one, two := newcomer(t, "searches"), newcomer(t, "searches")
	const query = "Where does the water of the levadas come from?"
	again := func(u user) (f found) {
		eventually(t, "an equal search is answered from the cache", func() bool {
			f = u.search(query, nil)
			return f.Cached
		})
		return f
	}
	for _, u := range []user{one, two} {
		u.index(document{DocID: "levadas", Text: "The levadas of " + u.tenant + " carry water from the rainy north."})
		first := u.search(query, nil)
		require.False(t, first.Cached)
		require.Len(t, first.Sources, 1)
		assert.Contains(t, first.Sources[0].Text, u.tenant)
		assert.Equal(t, first.Sources, again(u).Sources)
	}

	one.index(document{DocID: "springs", Text: "Springs in the mountains feed the levadas with water."})
	fresh := one.search(query, nil)
	assert.False(t, fresh.Cached, "a document has come")
	assert.Len(t, fresh.Sources, 2)
	assert.Len(t, again(one).Sources, 2)
	assert.True(t, two.search(query, nil).Cached, "not of the other tenant")

	one.do(http.MethodDelete, "/documents/levadas", nil)
	fresh = one.search(query, nil)
	assert.False(t, fresh.Cached, "a document has gone")
	require.Len(t, fresh.Sources, 1)
	assert.Equal(t, "springs", fresh.Sources[0].DocID)
}
