package localai

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The stand-in of the reranker answers in the model's form, best first, and says that it is one.
func TestRerank(t *testing.T) {
	c := start(t, Options{})
	contexts := []object{{"text": "Penguins swim in cold seas"}, {"text": "Changing a forgotten password of your account"}, {"text": "Sheep"}}
	for range 2 {
		r := c.run("@cf/baai/bge-reranker-base", object{"query": "How do I reset my password?", "contexts": contexts, "top_k": 3}, acme(nil))
		require.Equal(t, 200, r.status, r.body)
		var a struct {
			Response []score
			Model    string
		}
		require.NoError(t, json.Unmarshal([]byte(r.body), &a))
		require.Len(t, a.Response, 3)
		assert.Equal(t, 1, a.Response[0].ID)
		assert.Equal(t, "@local/rerank-composite", a.Model)
		for i, s := range a.Response {
			assert.True(t, s.Score >= 0 && s.Score <= 1)
			assert.True(t, i == 0 || s.Score <= a.Response[i-1].Score)
		}
	}
	log := c.last()
	assert.Equal(t, "rerank", log.ModelType)
	assert.Positive(t, log.TokensIn)
	assert.Positive(t, log.Cost)
	for _, bad := range []object{{"contexts": contexts}, {"query": "q"}, {"query": "q", "contexts": []object{}}, {"query": "q", "contexts": []object{{"text": ""}}}, {"query": "q", "contexts": contexts, "top_k": 0}} {
		assert.Equal(t, 400, c.run("@cf/baai/bge-reranker-base", bad, acme(nil)).status)
	}
}
