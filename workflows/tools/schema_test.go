package tools_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/tools"
)

// A mistake is told with its place, and nothing of the value is in the message.
func TestAMistakeHasAPlace(t *testing.T) {
	s := tools.NewSchema(`{"type":"object","additionalProperties":false,"required":["text"],"properties":{
		"text":{"type":"string","minLength":2,"maxLength":5},
		"n":{"type":"number","minimum":0.5,"exclusiveMaximum":10,"multipleOf":0.5},
		"how":{"enum":["paragraph","bullet_points"]},
		"code":{"type":"string","pattern":"^[a-z]+$"},
		"items":{"type":"array","minItems":1,"maxItems":2,"uniqueItems":true,"items":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}},
		"either":{"anyOf":[{"type":"string"},{"type":"null"}]}
	}}`)
	require.NoError(t, s.Err())
	for value, want := range map[string]string{
		`{"text":"good","n":1.5,"how":"paragraph","items":[{"id":1}]}`: "",
		`{}`:                                          "params.text: is required",
		`{"text":7}`:                                  "params.text: is number, not string",
		`{"text":"s"}`:                                "params.text: has 1 characters, below 2",
		`{"text":"secret"}`:                           "params.text: has 6 characters, above 5",
		`{"text":"日本語日本"}`:                            "",
		`{"text":"good","secret":1}`:                  "params.secret: is not known",
		`{"text":"good","n":0.25}`:                    "params.n: is below 0.5",
		`{"text":"good","n":10}`:                      "params.n: is not below 10",
		`{"text":"good","n":0.75}`:                    "params.n: is no multiple of 0.5",
		`{"text":"good","how":"secret"}`:              `params.how: is none of "paragraph", "bullet_points"`,
		`{"text":"good","code":"S3cret"}`:             `params.code: does not match "^[a-z]+$"`,
		`{"text":"good","items":[]}`:                  "params.items: has 0 items, below 1",
		`{"text":"good","items":[{}]}`:                "params.items[0].id: is required",
		`{"text":"good","items":[{"id":1.5}]}`:        "params.items[0].id: is number, not integer",
		`{"text":"good","items":[{"id":1},{"id":1}]}`: "params.items: has the same item twice, at 0 and 1",
		`{"text":"good","either":5}`:                  "params.either: is none of what the schema allows",
		`[]`:                                          "params: is array, not object",
		`{`:                                           "params: is not JSON",
	} {
		err := s.Check(json.RawMessage(value), "params", tools.CodeInvalid)
		if want == "" {
			assert.NoError(t, err, value)
			continue
		}
		f := fault.As(err)
		assert.Equal(t, want, f.Field+": "+f.Message, value)
		assert.Equal(t, tools.CodeInvalid, f.Code)
		assert.NotContains(t, strings.ToLower(f.Message), "secret")
	}
}

func TestWhatIsNoSchema(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                "is not JSON",
		`{"type":"string"}`:                "of an object",
		`[]`:                               "of an object",
		`{"type":"object","properties":7}`: "is no JSON Schema",
		`{"type":"object","properties":{"a":{"pattern":"("}}}`:          "is no JSON Schema",
		`{"type":"object","$ref":"https://example.com/schema.json"}`:    "is no JSON Schema",
		`{"type":"object","properties":{"a":{"$ref":"file:///etc/x"}}}`: "is no JSON Schema",
	} {
		s := tools.NewSchema(text)
		f := fault.As(s.Err())
		assert.Equal(t, "schema_invalid", f.Code, text)
		assert.Contains(t, f.Message, want)
		assert.Error(t, s.Check(json.RawMessage(`{}`), "params", tools.CodeInvalid))
	}
	require.NoError(t, tools.NewSchema(`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"type":"string"}}}`).Err())
}
