package meter_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
)

func TestASetIsReadAsItWasWritten(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 12))
		var s, back meter.Set
		for _, n := range notes(rng, rng.IntN(500), 3) {
			n.in(&s)
		}
		text, err := json.Marshal(&s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &back))
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(again))
		assert.Equal(t, totals(&s), totals(&back))
		assert.Equal(t, s.Len(), back.Len())
	}
}

// What is kept is read for as long as it is kept, also by the version after the next.
func TestTheFormIsStable(t *testing.T) {
	var s meter.Set
	s.Count(meter.Of(meter.Requests, "POST /search", "POST", "200"), 3)
	s.Observe(meter.Of(meter.RequestDuration, "POST /search", "POST"), 1200)
	s.Observe(meter.Of(meter.RequestDuration, "POST /search", "POST"), 700)
	text, err := json.Marshal(&s)
	require.NoError(t, err)
	assert.Equal(t, `[{"m":"levada_request_duration_seconds","l":["POST /search","POST"],"n":2,"s":1900,"b":[[1,1],[3,1]]},`+
		`{"m":"levada_requests","l":["POST /search","POST","200"],"s":3}]`, string(text))

	empty, err := json.Marshal(&meter.Set{})
	require.NoError(t, err)
	assert.Equal(t, "[]", string(empty))
}

func TestWhatIsNotKnownIsPassedOver(t *testing.T) {
	for name, text := range map[string]string{
		"a metric of a later version":       `[{"m":"levada_from_the_future","l":["a"],"s":9},{"m":"levada_searches","l":["fresh"],"s":2}]`,
		"a metric that has other labels":    `[{"m":"levada_requests","l":["a"],"s":9},{"m":"levada_searches","l":["fresh"],"s":2}]`,
		"a field of a later version":        `[{"m":"levada_searches","l":["fresh"],"s":2,"max":7}]`,
		"a series that comes in two pieces": `[{"m":"levada_searches","l":["fresh"],"s":1},{"m":"levada_searches","l":["fresh"],"s":1}]`,
	} {
		s := meter.Set{}
		s.Count(meter.Of(meter.DeadLetters, "what was there before"), 1)
		require.NoError(t, json.Unmarshal([]byte(text), &s), name)
		assert.Equal(t, map[meter.Metric]meter.Cell{meter.Searches: {Sum: 2}}, totals(&s), name)
	}
}

func TestWhatIsNoSetIsRefused(t *testing.T) {
	for _, text := range []string{
		`{}`, `"x"`, `[{"m":7}]`, `[{"m":"levada_tool_duration_seconds","l":["t"],"n":1,"s":1,"b":[[200,1]]}]`,
		`[{"m":"levada_tool_duration_seconds","l":["t"],"n":1,"s":1,"b":[[-1,1]]}]`,
	} {
		var s meter.Set
		assert.Error(t, json.Unmarshal([]byte(text), &s), text)
	}
}
