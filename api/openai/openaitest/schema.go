package openaitest

import (
	"bytes"
	_ "embed"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// The schemas of answers, by OpenAI's names.
const (
	Completion = "CreateChatCompletionResponse"
	Chunk      = "CreateChatCompletionStreamResponse"
	Error      = "ErrorResponse"
	Model      = "Model"
	Models     = "ListModelsResponse"
	Embeddings = "CreateEmbeddingResponse"
)

//go:embed openai.schema.json
var own []byte

// Valid requires the JSON to be what the schema says, in every document there is.
func Valid(t testing.TB, schema string, json []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(json))
	require.NoError(t, err, "%s", json)
	for _, d := range documents() {
		s, err := d.compile(schema)
		require.NoError(t, err, d.name)
		require.NoError(t, s.Validate(v), "%s, by %s: %s", schema, d.name, json)
	}
}

// Beat is an event of a stream that is none: clients skip it.
const Beat = ":"

// Events requires a stream to be events of nothing but data, and heartbeats before the last, and returns the data: chunks, and after them [DONE] or
// an error.
func Events(t testing.TB, stream string) (chunks []string, end string) {
	t.Helper()
	blocks := strings.Split(strings.TrimSuffix(stream, "\n\n"), "\n\n")
	for i, block := range blocks {
		if block == Beat && i < len(blocks)-1 {
			continue
		}
		data, ok := strings.CutPrefix(block, "data: ")
		require.True(t, ok, "%q", block)
		switch {
		case i < len(blocks)-1:
			Valid(t, Chunk, []byte(data))
			chunks = append(chunks, data)
		default:
			if data != "[DONE]" {
				Valid(t, Error, []byte(data))
			}
			end = data
		}
	}
	return chunks, end
}

// document is one with schemas below components/schemas.
type document struct {
	name     string
	compiler *jsonschema.Compiler
	mu       sync.Mutex
}

func (d *document) compile(schema string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.compiler.Compile("file:///" + d.name + "#/components/schemas/" + schema)
}

// documents are our own and, where it is there, OpenAI's.
var documents = sync.OnceValue(func() []*document {
	all := []*document{newDocument("openai.schema.json", own)}
	_, file, _, _ := runtime.Caller(0)
	beside := filepath.Join(filepath.Dir(file), "..", "..", "..", "..", "shared", "data", "openai", "openapi.json")
	if b, err := os.ReadFile(beside); err == nil {
		all = append(all, newDocument("openapi.json", b))
	}
	return all
})

func newDocument(name string, content []byte) *document {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		panic(name + ": " + err.Error())
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("file:///"+name, nullable(v)); err != nil {
		panic(name + ": " + err.Error())
	}
	return &document{name: name, compiler: c}
}

// nullable writes OpenAPI 3.0's nullable, which OpenAI's document has kept, as JSON Schema has it.
func nullable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = nullable(e)
		}
		if v["nullable"] == true {
			delete(v, "nullable")
			return map[string]any{"anyOf": []any{v, map[string]any{"type": "null"}}}
		}
	case []any:
		for i, e := range v {
			v[i] = nullable(e)
		}
	}
	return v
}
