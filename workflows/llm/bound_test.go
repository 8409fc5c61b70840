package llm_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/llm"
)

func TestEstimateIsNeverAboveBound(t *testing.T) {
	require.NoError(t, quick.Check(func(contents []string, tool, arguments string) bool {
		var p llm.Prompt
		for _, c := range contents {
			p.Messages = append(p.Messages, llm.Message{Role: llm.User, Content: c, ToolCalls: []llm.ToolCall{{Name: tool, Arguments: arguments}}})
		}
		p.Tools = []llm.Tool{{Name: tool, Description: arguments, Parameters: json.RawMessage(arguments)}}
		n, bound := int64(llm.Estimate(p)), llm.Bound(p)
		bytes := int64(len(strings.Join(contents, "")))
		return n > 0 && n <= bound && bytes <= bound
	}, nil))
}

func TestEstimate(t *testing.T) {
	tests := []struct {
		text      string
		low, high int
	}{
		{"", 0, 0},
		{"a", 1, 1},
		{"The water of a levada is shared out by the hour, as it was five hundred years ago.", 17, 24},
		{"灌溉渠的水按小时分配", 8, 14},
		{"Вода в леваде делится по часам", 10, 22},
		{"🌊🌊🌊", 3, 6},
	}
	for _, tt := range tests {
		n := llm.EstimateText(tt.text)
		assert.True(t, n >= tt.low && n <= tt.high, "%q is %d tokens", tt.text, n)
		p := llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: tt.text}}}
		assert.InDelta(t, n, llm.Estimate(p), 8)
	}
}

// A template may write the schema of a tool again, indented and with every rare character escaped.
func TestBoundOfTools(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{"wo":{"type":"string","enum":["Höhe","<b>","it's","a & b"]},"n":{"type":"array","items":{"type":"object","properties":{}}}}}`)
	plain := llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: "x"}}}
	with := plain
	with.Tools = []llm.Tool{{Name: "look", Parameters: schema}}
	var written bytes.Buffer
	require.NoError(t, json.Indent(&written, schema, "", "\t"))
	assert.GreaterOrEqual(t, llm.Bound(with)-llm.Bound(plain), int64(written.Len()+5*6), "a tab is a token")
}
