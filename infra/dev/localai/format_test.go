package localai

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rows are schemas as Zod, Pydantic and people write them, each with what comes of it.
func TestInstances(t *testing.T) {
	for name, row := range map[string]struct{ schema, want string }{
		"the first string has the text": {
			`{"type":"object","properties":{"city":{"type":"string"},"country":{"type":"string"}},"required":["city","country"]}`,
			`{"city":"noon","country":""}`},
		"in the order of the schema": {
			`{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}},"required":["a","z"]}`,
			`{"z":"noon","a":""}`},
		"also where nothing is required": {
			`{"type":"object","properties":{"n":{"type":"number"},"city":{"type":"string"},"more":{"type":"string"}}}`,
			`{"city":"noon"}`},
		"each type": {
			`{"type":"object","properties":{"kind":{"type":"string","enum":["sea","land"]},"n":{"type":"number"},"i":{"type":"integer","minimum":3},"b":{"type":"boolean"},
			"nothing":{"type":"null"},"list":{"type":"array","items":{"type":"string"}},"text":{"type":"string"},"only":{"const":7}},
			"required":["kind","n","i","b","nothing","list","text","only"],"additionalProperties":false}`,
			`{"kind":"sea","n":0,"i":3,"b":false,"nothing":null,"list":[],"text":"noon","only":7}`},
		"numbers": {
			`{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0},"b":{"type":"number","minimum":0.5},"c":{"type":"integer","maximum":-2},
			"d":{"type":"integer","multipleOf":5,"minimum":7},"e":{"type":"number","exclusiveMaximum":0},"f":{"type":"number","minimum":-5,"maximum":5}},"required":["a","b","c","d","e","f"]}`,
			`{"a":1,"b":0.5,"c":-2,"d":10,"e":-1,"f":0}`},
		"lists": {
			`{"type":"object","properties":{"list":{"type":"array","minItems":2,"items":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}},
			"pair":{"type":"array","prefixItems":[{"type":"string"},{"type":"boolean"}]}},"required":["list","pair"]}`,
			`{"list":[{"n":0},{"n":0}],"pair":["noon",false]}`},
		"a tuple of draft 7": {
			`{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"number"},{"type":"string"}],"minItems":2}`,
			`[0,"noon"]`},
		"strings": {
			`{"type":"object","properties":{"day":{"type":"string","format":"date"},"short":{"type":"string","maxLength":2},"long":{"type":"string","minLength":3}},"required":["day","short","long"]}`,
			`{"day":"1970-01-01","short":"no","long":"..."}`},
		"nested": {
			`{"type":"object","properties":{"place":{"type":"object","properties":{"n":{"type":"number"},"name":{"type":"string"}},"required":["name"]}},"required":["place"]}`,
			`{"place":{"name":"noon"}}`},
		"references": {
			`{"$defs":{"Place":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}},"type":"object","properties":{"from":{"$ref":"#/$defs/Place"},"to":{"allOf":[{"$ref":"#/$defs/Place"}]}},"required":["from","to"]}`,
			`{"from":{"name":"noon"},"to":{"name":""}}`},
		"a list that goes on": {
			`{"$defs":{"Node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]},"name":{"type":"string"}},"required":["name","next"]}},"$ref":"#/$defs/Node"}`,
			`{"next":null,"name":"noon"}`},
		"one or nothing": {
			`{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"anyOf":[{"type":"number"},{"type":"null"}]}},"required":["a","b"]}`,
			`{"a":"noon","b":0}`},
		"required and not described": {`{"type":"object","required":["what"]}`, `{"what":"noon"}`},
		"a record":                   {`{"type":"object","additionalProperties":{"type":"string"}}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := readSchema(json.RawMessage(row.schema))
			require.NoError(t, err)
			made, err := f.write("noon")
			require.NoError(t, err)
			assert.Equal(t, row.want, made)
			fits(t, row.schema, made)
		})
	}
}

// fits validates an answer as a client would.
func fits(t *testing.T, schema, answer string) {
	t.Helper()
	read := func(text string) any {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		require.NoError(t, err, text)
		return v
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("answer.json", read(schema)))
	compiled, err := c.Compile("answer.json")
	require.NoError(t, err)
	assert.NoError(t, compiled.Validate(read(answer)), answer)
}

// A schema that the stand-in cannot fill is refused: it never answers what does not fit.
func TestUnmetSchemas(t *testing.T) {
	for name, schema := range map[string]string{
		"a pattern":        `{"type":"string","pattern":"^[A-Z]{2}[0-9]{4}$"}`,
		"without end":      `{"$defs":{"N":{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"required":["n"]}},"$ref":"#/$defs/N"}`,
		"without end, all": `{"$defs":{"N":{"allOf":[{"$ref":"#/$defs/N"}]}},"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"required":["n"]}`,
		"unlike items":     `{"type":"array","items":{"type":"number"},"minItems":2,"uniqueItems":true}`,
		"nothing fits":     `{"type":"object","properties":{"n":false},"required":["n"]}`,
		"far too much":     `{"type":"array","items":{"type":"array","items":{"type":"number"},"minItems":9000},"minItems":9000}`,
	} {
		t.Run(name, func(t *testing.T) {
			f, err := readSchema(json.RawMessage(schema))
			require.NoError(t, err)
			_, err = f.write("noon")
			assert.ErrorContains(t, err, "JSON Mode couldn't be met")
			assert.NotContains(t, err.Error(), "file:")
		})
	}
}

// Both dialects answer JSON, whole and streamed; whole, the classic one has the value and not its text.
func TestJSONMode(t *testing.T) {
	c := start(t, Options{})
	const schema = `{"type":"object","properties":{"when":{"type":"string"},"sure":{"type":"boolean"}},"required":["when","sure"],"additionalProperties":false}`
	const free = `{"type":"object","properties":{"answer":{"type":"string","pattern":"noon"}},"required":["answer"],"additionalProperties":false}`
	for name, row := range map[string]struct {
		format object
		fits   string
	}{
		"json_object":   {object{"type": "json_object"}, free},
		"a bare schema": {object{"type": "json_schema", "json_schema": json.RawMessage(schema)}, schema},
		"a named one":   {object{"type": "json_schema", "json_schema": object{"name": "tide", "strict": true, "schema": json.RawMessage(schema)}}, schema},
		"only a name":   {object{"type": "json_schema", "json_schema": object{"name": "tide"}}, free},
	} {
		t.Run(name, func(t *testing.T) {
			asked := func() object { return object{"messages": tides["messages"], "response_format": row.format} }

			value, err := json.Marshal(c.run(llama, asked(), acme(nil)).json(t)["response"])
			require.NoError(t, err)
			fits(t, row.fits, string(value))
			assert.Contains(t, string(value), "highest at noon")

			data, done := readEvents(t, c.run(llama, streaming(asked()), acme(nil)).body)
			require.True(t, done)
			var text strings.Builder
			for _, d := range data {
				text.WriteString(d["response"].(string))
			}
			assert.JSONEq(t, string(value), text.String())

			choice := c.run(gemma, asked(), acme(nil)).json(t)["choices"].([]any)[0].(object)
			assert.JSONEq(t, string(value), choice["message"].(object)["content"].(string))

			data, done = readEvents(t, c.run(gemma, streaming(asked()), acme(nil)).body)
			require.True(t, done)
			text.Reset()
			for _, d := range data {
				for _, choice := range d["choices"].([]any) {
					piece, _ := choice.(object)["delta"].(object)["content"].(string)
					text.WriteString(piece)
				}
			}
			assert.JSONEq(t, string(value), text.String())
		})
	}
	t.Run("text is prose", func(t *testing.T) {
		r := c.run(llama, object{"messages": tides["messages"], "response_format": object{"type": "text"}}, acme(nil)).json(t)
		assert.IsType(t, "", r["response"])
	})
	t.Run("an unmet schema is no stream", func(t *testing.T) {
		asked := object{"messages": tides["messages"], "response_format": object{"type": "json_schema", "json_schema": object{"type": "string", "pattern": "^[A-Z]$"}}}
		r := c.run(llama, streaming(asked), acme(nil))
		assert.Equal(t, http.StatusBadRequest, r.status)
		assert.Contains(t, r.body, "couldn't be met")
	})
}

// An OpenAI-compatible server gets the schema with a name, whichever way it was written.
func TestUpstreamSchema(t *testing.T) {
	const named = `{"type":"json_schema","json_schema":{"name":"tide","strict":true,"schema":{"type":"object"}}}`
	for raw, want := range map[string]string{
		named: named,
		`{"type":"json_schema","json_schema":{"type":"object"}}`: `{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}`,
		`{"type":"json_object"}`:                                 `{"type":"json_object"}`,
	} {
		c, err := readChat(model{}, json.RawMessage(`{"prompt":"hi","response_format":`+raw+`}`))
		require.NoError(t, err)
		request, err := OpenAI{BaseURL: "http://localhost/v1"}.request(t.Context(), c)
		require.NoError(t, err)
		var sent bytes.Buffer
		_, err = sent.ReadFrom(request.Body)
		require.NoError(t, err)
		var body struct {
			Format json.RawMessage `json:"response_format"`
		}
		require.NoError(t, json.Unmarshal(sent.Bytes(), &body))
		assert.JSONEq(t, want, string(body.Format))
	}
}
