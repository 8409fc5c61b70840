package builtin

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/tools"
)

// What a tool would refuse of an id its schema refuses before, so that a dry run tells it; a list that may be left out may be empty.
func TestSchemasHoldToWhatToolsHoldTo(t *testing.T) {
	registry, err := tools.New(All(Deps{})...)
	require.NoError(t, err)
	ingest, err := registry.Find("ingest_docs")
	require.NoError(t, err)
	for id, fits := range map[string]bool{
		"a": true, "guides/one.md": true, "A._~:/@+=,-9": true, strings.Repeat("a", 256): true,
		"": false, "_x": false, "/a": false, "a b": false, "é": false, "a\n": false, `a\`: false, "a'": false, strings.Repeat("a", 257): false,
	} {
		input, err := json.Marshal(in{"content": "a", "doc_id": id})
		require.NoError(t, err)
		err = ingest.Input.Check(input, "params", tools.CodeInvalid)
		assert.Equal(t, fits, err == nil, "%q: %v", id, err)
	}
	acme, globex := two(t)
	all, err := call[extractEntitiesOutput](t, Deps{}, acme, "extract_entities", in{"text": "ada@example.com on 2026-11-23"})
	require.NoError(t, err)
	none, err := call[extractEntitiesOutput](t, Deps{}, globex, "extract_entities", in{"text": "ada@example.com on 2026-11-23", "entity_types": []string{}})
	require.NoError(t, err)
	assert.Equal(t, all, none)
	assert.Equal(t, 2, none.Count)
	left, err := call[classifyIntentOutput](t, Deps{}, acme, "classify_intent", in{"text": "thank you, bye"})
	require.NoError(t, err)
	empty, err := call[classifyIntentOutput](t, Deps{}, globex, "classify_intent", in{"text": "thank you, bye", "categories": []string{}})
	require.NoError(t, err)
	assert.Equal(t, left, empty)
}
