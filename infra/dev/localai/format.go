package localai

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// format is a request's response_format where it asks for JSON.
// https://developers.cloudflare.com/workers-ai/features/json-mode/
type format struct {
	schema   json.RawMessage // nil where any object will do
	compiled *jsonschema.Schema
}

// readFormat answers nil where the answer may be prose. A schema stands in json_schema itself, as Workers AI documents it,
// or in its member schema beside a name, as OpenAI does.
func readFormat(raw json.RawMessage) (*format, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var f struct {
		Type   string
		Schema json.RawMessage `json:"json_schema"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, invalid("/response_format", "Type mismatch of '/response_format', 'object' with a type expected")
	}
	switch f.Type {
	case "text":
		return nil, nil
	case "json_object":
		return &format{}, nil
	case "json_schema":
		return readSchema(f.Schema)
	}
	return nil, invalid("/response_format/type", "'%s' is none of 'text', 'json_object', 'json_schema'", f.Type)
}

func readSchema(raw json.RawMessage) (*format, error) {
	const path = "/response_format/json_schema"
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil, invalid(path, "Type mismatch of '%s', 'object' expected", path)
	}
	if inner, wrapped := members["schema"]; wrapped {
		raw = inner
	} else if _, named := members["name"]; named {
		return &format{}, nil // OpenAI's, without the schema
	}
	compiled, err := compile(raw)
	if err != nil {
		return nil, invalid(path, "not a JSON Schema: %v", err)
	}
	return &format{raw, compiled}, nil
}

// schemaName is what a schema is called in errors; a relative name would become a path of this machine.
const schemaName = "urn:response_format"

func compile(schema []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // of no scheme: a schema reads no file
	if err := c.AddResource(schemaName, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaName)
}

// write is text as an answer of the format: of its schema, or {"answer": text}.
func (f *format) write(text string) (string, error) {
	if f.schema == nil {
		return `{"answer":` + string(asJSON(text)) + `}`, nil
	}
	made, err := instance(f.schema, text)
	if err != nil {
		return "", unmet(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
	if err != nil {
		return "", err
	}
	if err := f.compiled.Validate(value); err != nil {
		return "", unmet(err)
	}
	return string(made), nil
}

// unmet is what the platform answers where a model does not manage to fill a schema; the stand-in cannot fill every one.
func unmet(why error) error {
	return refuse(5006, 400, "JSON Mode couldn't be met: %s", strings.ReplaceAll(why.Error(), "\n", " "))
}

// asJSON is text as JSON, with < and & as they are.
func asJSON(text string) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always has a JSON form
	return bytes.TrimSpace(b.Bytes())
}
