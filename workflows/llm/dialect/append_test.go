package dialect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/llm"
)

// FuzzAppendWritesWhatJSONDoes holds the input that is written by hand against encoding/json.
func FuzzAppendWritesWhatJSONDoes(f *testing.F) {
	f.Add("system", "You are\nbrief. \"\\ \u2028é\xff\x00\b\f<&>", "", "id", "high", 64, 0.7, int64(-1), true)
	f.Add("", "", "n", "", "", 0, 1e-7, int64(0), false)
	f.Fuzz(func(t *testing.T, role, content, name, call, effort string, tokens int, x float64, seed int64, yes bool) {
		in := input{
			Messages:  []message{{Role: llm.Role(role), Content: &content, Name: name, ToolCallID: call}, {Role: llm.User}},
			MaxTokens: tokens, MaxCompletionTokens: -tokens, Temperature: &x, ReasoningEffort: effort, Stream: yes,
		}
		if yes {
			y := x * 10
			in.TopP, in.FrequencyPenalty, in.PresencePenalty = nil, &y, &x
			in.Seed, in.Parallel, in.Stop, in.StreamOptions = &seed, &yes, []string{role, content}, &streamOptions{seed > 0}
		}
		got, ok := in.append(nil)
		if !ok {
			size := math.Abs(x)
			require.False(t, size >= 1e-6 && size <= 1e6, "it can write this")
			return
		}
		want, err := in.marshal()
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
	})
}

func TestAppendLeavesTheCallersJSONAlone(t *testing.T) {
	for _, in := range []input{
		{Tools: []tool{{}}}, {ToolChoice: []byte(`"auto"`)}, {ResponseFormat: []byte(`{}`)}, {Messages: []message{{ToolCalls: []toolCall{{}}}}},
	} {
		_, ok := in.append(nil)
		assert.False(t, ok)
	}
}
