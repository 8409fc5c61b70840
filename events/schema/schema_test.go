package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/schema"
)

func TestEverySchemaIsOneOfDraft2020AndNamesItself(t *testing.T) {
	names, err := fs.Glob(schema.FS(), "*.json")
	require.NoError(t, err)
	require.Len(t, names, len(events.Specs())+1)
	for _, name := range names {
		typ := strings.TrimSuffix(name, ".json")
		b, err := schema.Of(typ)
		require.NoError(t, err)
		var head struct {
			Schema      string `json:"$schema"`
			ID          string `json:"$id"`
			Title       string
			Description string
		}
		require.NoError(t, json.Unmarshal(b, &head), name)
		require.Equal(t, "https://json-schema.org/draft/2020-12/schema", head.Schema, name)
		require.Equal(t, "https://levada.dev/events/"+name, head.ID)
		require.NotEmpty(t, head.Title, name)
		require.NotEmpty(t, head.Description, name)

		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		require.NoError(t, err)
		c := jsonschema.NewCompiler()
		require.NoError(t, c.AddResource(head.ID, doc))
		_, err = c.Compile(head.ID)
		require.NoError(t, err, name)
	}
}

func TestEveryTypeHasASchema(t *testing.T) {
	for _, spec := range events.Specs() {
		_, err := schema.Of(spec.Type)
		require.NoError(t, err)
	}
	_, err := schema.Of("dev.levada.nothing.happened.v1")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
