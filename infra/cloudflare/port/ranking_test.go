package port

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScoresAreInTheOrderOfTheTexts(t *testing.T) {
	got, err := scores([]byte(`{"response":[{"id":2,"score":0.9},{"id":0,"score":0.5},{"id":1,"score":-3}],"usage":{}}`), 3)
	require.NoError(t, err)
	assert.Equal(t, []float64{0.5, -3, 0.9}, got)
	for _, bad := range []string{
		``, `[]`, `{}`, `{"response":null}`, `{"response":[{"id":0,"score":1}]}`, `{"response":[{"id":0,"score":1},{"id":0,"score":1}]}`,
		`{"response":[{"id":0,"score":1},{"id":2,"score":1}]}`, `{"response":[{"id":0,"score":1},{"id":-1,"score":1}]}`,
		`{"response":[{"id":0,"score":1},{"id":1}]}`, `{"response":[{"id":0,"score":1},{"score":1}]}`, `{"response":[{"id":"0","score":1},{"id":1,"score":1}]}`,
	} {
		_, err := scores([]byte(bad), 2)
		assert.Error(t, err, bad)
	}
}

func TestARankingAsksForAll(t *testing.T) {
	b, err := json.Marshal(ranking("q", []string{"a", "b"}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"query":"q","contexts":[{"text":"a"},{"text":"b"}],"top_k":2}`, string(b))
}
