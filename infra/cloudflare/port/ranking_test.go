package port

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
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

// What the provider refuses, or says in another form, is the fault that a search can be told of.
func TestARankingThatFailed(t *testing.T) {
	refusal := func(code int) string {
		return fmt.Sprintf(`{"success":false,"errors":[{"code":%d,"message":"no"}],"internalCode":%[1]d,"description":"no"}`, code)
	}
	for _, c := range []struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		{429, refusal(3040), fault.Unavailable, "model_busy"},
		{429, refusal(3036), fault.Limited, "model_quota"},
		{500, refusal(3043), fault.Unavailable, "model_unavailable"},
		{408, refusal(3007), fault.Unavailable, "model_unavailable"},
		{400, refusal(5006), fault.Invalid, "model_refused"},
		{502, "bad gateway", fault.Unavailable, "model_unavailable"},
		{200, `{"response":[{"id":0,"score":1}]}`, fault.Internal, "model_answer"},
		{200, `{"response":[{"id":0,"score":1},{"id":1,"score":1},{"id":2,"score":1}]}`, fault.Internal, "model_answer"},
		{200, `{"response":[{"id":0,"sc`, fault.Internal, "model_answer"},
	} {
		out, err := reranked("m", c.status, "log", []byte(c.body), 2)
		assert.Equal(t, c.kind, fault.KindOf(err), "%d %s", c.status, c.body)
		assert.Equal(t, c.code, fault.As(err).Code, "%d %s", c.status, c.body)
		assert.Zero(t, out)
	}
	out, err := reranked("m", 200, "log", []byte(`{"response":[{"id":1,"score":0.9},{"id":0,"score":0.1}]}`), 2)
	require.NoError(t, err)
	assert.Equal(t, llm.Reranked{Scores: []float64{0.1, 0.9}, LogID: "log"}, out)
}

func TestARankingAsksForAll(t *testing.T) {
	b, err := json.Marshal(ranking("q", []string{"a", "b"}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"query":"q","contexts":[{"text":"a"},{"text":"b"}],"top_k":2}`, string(b))
}
