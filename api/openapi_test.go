package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write the generated files instead of comparing them")

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./api -update writes it")
	assert.Equal(t, string(want), string(got), "%s is stale: go test ./api -update writes it", path)
}

// TestOpenAPIJSON holds openapi.json, which is served, to openapi.yaml, which is written.
func TestOpenAPIJSON(t *testing.T) {
	source, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var doc any
	require.NoError(t, yaml.Unmarshal(source, &doc))
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	require.NoError(t, enc.Encode(doc))
	golden(t, "openapi.json", b.Bytes())
}

func TestOpenAPIIsValid(t *testing.T) { require.NoError(t, contract(t).Validate(t.Context())) }

// contract is the document as it is served.
func contract(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	require.NoError(t, err)
	return doc
}
