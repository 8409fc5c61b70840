package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/tenants"
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

// An equal question is answered again without any model: the gateway, which sees every call, sees none. A document that comes, and a prompt that
// changes, have it asked anew, of their tenant alone.
func TestAnEqualQuestionCostsNoModelCall(t *testing.T) {
	t.Parallel()
	const own = "Answer in {{language}} from what stands in <{{fence}}> alone, and cite it like [1].\n---\n{{sources}}\nQuestion: {{question}}\n"
	talks := func(c *tenants.Config) { c.Models.Chat = platform.Tenants[0].Models.Chat }
	ones := map[string]user{}
	for _, name := range []string{"asks", "beside"} {
		u := newcomer(t, name)
		u.publish(talks)
		u.index(document{DocID: "mill", Text: "The mill of " + u.tenant + " was built in 1834. It grinds maize."})
		ones[name] = u
	}
	// ask asks, and answers which models were called for it.
	ask := func(u user) (a answeredAgain, routes []string) {
		id := uuid.NewString()
		u.do(http.MethodPost, "/search", map[string]any{"query": "When was the mill built?"}, "x-request-id", id).into(t, &a)
		require.False(t, a.Abstained, "%+v", a)
		for _, c := range calls(t, id) {
			routes = append(routes, fmt.Sprint(c.Metadata["route"]))
		}
		slices.Sort(routes)
		return a, routes
	}
	free := func(u user, prompt string) (a answeredAgain) {
		eventually(t, "an equal question is answered from what is kept", func() bool {
			var routes []string
			a, routes = ask(u)
			require.Equal(t, prompt, a.Prompt)
			return len(routes) == 0
		})
		assert.True(t, a.Cached)
		assert.Zero(t, a.Usage.Prompt)
		assert.NotEmpty(t, a.Citations, "they are checked each time")
		return a
	}
	paid := []string{"answer", "embed.query"}
	for _, u := range ones {
		first, routes := ask(u)
		assert.Equal(t, paid, routes)
		assert.Positive(t, first.Usage.Prompt)
		again := free(u, tenants.DefaultPrompt)
		assert.Equal(t, first.Answer, again.Answer)
		assert.Equal(t, first.Citations, again.Citations)
	}

	u, other := ones["asks"], ones["beside"]
	u.index(document{DocID: "forge", Text: "The forge beside the mill was built in 1840."})
	_, routes := ask(u)
	assert.Equal(t, paid, routes, "a document has come")
	free(u, tenants.DefaultPrompt)

	u.publish(func(c *tenants.Config) {
		talks(c)
		c.Prompts, c.Answers.Prompt = map[string]string{"mine@1": own}, "mine@1"
	})
	eventually(t, "the tenant's own prompt is gone by", func() bool {
		a, routes := ask(u)
		if a.Prompt == tenants.DefaultPrompt {
			return false
		}
		assert.Equal(t, "mine@1", a.Prompt)
		assert.Contains(t, routes, "answer", "what was kept was said to another prompt")
		return true
	})
	free(u, "mine@1")
	assert.Contains(t, *free(other, tenants.DefaultPrompt).Answer, "1834", "the other tenant's is what it was")
}

// answeredAgain is an answer that may have been given before.
type answeredAgain struct {
	answered
	Cached bool
	Prompt string
}
