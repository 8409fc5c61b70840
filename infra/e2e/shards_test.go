package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

// A tenant whose lexical index is divided has its documents found by their words wherever they fell, once each, and not any more when they are
// deleted. The other tenant, whose documents have the same ids, has one shard.
func TestAnIndexInShards(t *testing.T) {
	const documents, few = 12, 4
	many, one := newcomer(t, "many"), newcomer(t, "one")
	many.key = many.publish(func(c *tenants.Config) { c.Search.Shards = 4 }) // before anybody has read that it is one
	write := func(u user, n int) {
		for i := range n {
			u.index(document{DocID: fmt.Sprint("shard-", i), Text: fmt.Sprintf("The zorbulator of %s, number w%dx, stands in a shed.", u.tenant, i), Source: "halves"})
		}
	}
	finds := func(u user, query string, topK int) []string {
		h := u.ask(query, "keyword", map[string]any{"topK": topK, "keepDuplicates": true})
		assert.Empty(t, h.Degraded)
		for _, s := range h.Sources {
			assert.Contains(t, s.Text, "zorbulator of "+u.tenant)
		}
		return h.docs()
	}
	write(many, documents)
	write(one, few)
	all := make([]string, documents)
	for i := range all {
		all[i] = fmt.Sprint("shard-", i)
		assert.Equal(t, all[i:i+1], finds(many, fmt.Sprintf("w%dx", i), 5), "in whichever shard it is")
	}
	assert.ElementsMatch(t, all, finds(many, "zorbulator", 20), "of all shards")
	assert.ElementsMatch(t, all[:few], finds(one, "zorbulator", 20))
	h := many.ask("w7x zorbulator", "", map[string]any{"topK": 3})
	assert.Empty(t, h.Degraded)
	assert.Equal(t, "shard-7", h.docs()[0])
	assert.Contains(t, h.Sources[0].Scores, "keyword")

	for _, i := range []int{1, 7, 11} {
		a := many.do(http.MethodDelete, fmt.Sprint("/documents/shard-", i), nil)
		require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
		var acc accepted
		a.into(t, &acc)
		require.Equal(t, "succeeded", many.finished(acc.JobID).State)
		assert.Empty(t, finds(many, fmt.Sprintf("w%dx", i), 5))
	}
	assert.Len(t, finds(many, "zorbulator", 20), documents-3)
	assert.Equal(t, []string{"shard-1"}, finds(one, "w1x", 5), "another tenant's stays")
}
