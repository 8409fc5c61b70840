package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"gopkg.in/yaml.v3"

	"levada.dev/api"
)

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *api.Update {
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

// TestContractAndTableAgree fails for a route that only one of the two has.
func TestContractAndTableAgree(t *testing.T) {
	described := []string{}
	for path, item := range contract(t).Paths.Map() {
		for method, operation := range item.Operations() {
			described = append(described, method+" "+path)
			assert.NotEmpty(t, operation.OperationID, "%s %s", method, path)
			assert.ElementsMatch(t, api.Parameters(method, path), parameters(item, operation), "%s %s", method, path)
		}
	}
	assert.ElementsMatch(t, api.Routes(), described)
}

// parameters are those that the contract has in an operation's query.
func parameters(item *openapi3.PathItem, operation *openapi3.Operation) (names []string) {
	for _, p := range append(slices.Clone(item.Parameters), operation.Parameters...) {
		if p.Value.In == openapi3.ParameterInQuery {
			names = append(names, p.Value.Name)
		}
	}
	return names
}

// TestEveryRouteIsPlayed fails for a route that no file of testdata asks; the document itself is asked for here.
func TestEveryRouteIsPlayed(t *testing.T) { synctest.Test(t, everyRouteIsPlayed) }

func everyRouteIsPlayed(t *testing.T) {
	w := newWorld(t)
	document, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	assert.Equal(t, string(document), w.do("", "GET", "/openapi.json", "").Body.String())
	for _, file := range exchangeFiles(t) {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		for _, section := range archive.Files {
			if !strings.HasSuffix(section.Name, ": answer") && !strings.Contains(string(section.Data), "finish: ") {
				w.play(string(section.Data))
			}
		}
	}
	for _, route := range api.Routes() {
		assert.Contains(t, w.seen, route)
	}
}

// TestEveryEventIsPlayed fails for a kind of event that is promised and that no answer in testdata has.
func TestEveryEventIsPlayed(t *testing.T) {
	promised := map[string]any{}
	paths := contract(t).Paths
	for _, o := range []*openapi3.Operation{paths.Value("/chat").Post, paths.Value("/jobs/{id}/events").Get, paths.Value("/tools/execute").Post} {
		described, _ := o.Responses.Value("200").Value.Content["text/event-stream"].Extensions["x-event-data"].(map[string]any)
		require.NotEmpty(t, described)
		maps.Copy(promised, described)
	}
	var played strings.Builder
	for _, file := range exchangeFiles(t) {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		played.Write(b)
	}
	for event := range promised {
		assert.True(t, strings.Contains(played.String(), "\nevent: "+event+"\n"), event)
	}
}
