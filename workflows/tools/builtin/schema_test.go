package builtin

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/tools"
)

var update = flag.Bool("update", false, "derive the schemas again")

// derived is the schema of a type, as its file has it.
func derived(t *testing.T, of reflect.Type) string {
	t.Helper()
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true}
	s := r.ReflectFromType(of)
	s.Version = "" // each is read as 2020-12, and models do without
	text, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	return string(text) + "\n"
}

func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	files := map[string]bool{}
	for _, tool := range all(Deps{}) {
		for side, of := range map[string]reflect.Type{"input": tool.in, "output": tool.out} {
			file, want := schemaFile(tool.Name, side), derived(t, of)
			files[file] = true
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
				continue
			}
			got, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./workflows/tools/builtin -update derives it")
			assert.Equal(t, want, string(got), "go test ./workflows/tools/builtin -update derives it again")
			assert.NoError(t, tools.NewSchema(want).Err(), file)
		}
	}
	require.NoError(t, fs.WalkDir(os.DirFS("."), "schema", func(file string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			assert.Contains(t, files, file, "of no tool")
		}
		return err
	}))
}

// Every member says what it is: a model has nothing else to go by. Nothing but what is named is taken, and told.
func TestSchemasTellAll(t *testing.T) {
	for _, tool := range all(Deps{}) {
		for side, s := range map[string]*tools.Schema{"input": tool.Input, "output": tool.Output} {
			var doc map[string]any
			require.NoError(t, json.Unmarshal(s.Text(), &doc))
			described(t, tool.Name+" "+side, doc)
		}
	}
}

func described(t *testing.T, at string, schema map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if properties != nil {
		assert.Equal(t, false, schema["additionalProperties"], at)
	}
	for name, p := range properties {
		member := p.(map[string]any)
		assert.NotEmpty(t, member["description"], at+"."+name)
		described(t, at+"."+name, member)
		if items, ok := member["items"].(map[string]any); ok {
			described(t, at+"."+name+"[]", items)
		}
	}
}
