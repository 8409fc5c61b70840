package validate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What only a compiler of schemas finds is found before anything is published, at its place; and what another tenant has is left alone.
func TestSchemasOfToolsAreCompiled(t *testing.T) {
	for input, want := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"txt"}}}`:                                       "is no JSON Schema",
		`{"type":"object","required":"a"}`:                                                          "is no JSON Schema",
		`{"type":"object","properties":{"a":{"pattern":"("}}}`:                                      "is no JSON Schema",
		`{"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"}}}`:                "is not a part of the schema itself",
		`{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}`:                        "is not a part of the schema itself",
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/none"}}}`:                              "is no JSON Schema",
		`{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/x"}}}`: "",
		`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`:                     "",
	} {
		for _, member := range []string{"input", "output"} {
			members := fmt.Sprintf(`"%s":%s`, member, input)
			_, problems := Load(folder(map[string]string{
				"acme":   `{"id":"acme","name":"Acme",` + httpTool(members) + `}`,
				"globex": `{"id":"globex","name":"Globex",` + httpTool(``) + `}`,
			}), Rules{})
			if want == "" {
				assert.Empty(t, problems, input)
				continue
			}
			require.Len(t, problems, 1, input)
			assert.Equal(t, []string{"acme/tenant.config.json", "tools.http[0]." + member}, []string{problems[0].File, problems[0].Path})
			assert.Contains(t, problems[0].Message, want)
			assert.NotContains(t, problems[0].Message, "\n")
		}
	}
}

func TestProdCallsNothingPrivate(t *testing.T) {
	fsys := folder(map[string]string{"acme": `{"id":"acme","name":"Acme",` + httpTool(`"private":true,"url":"http://127.0.0.1:9000/"`) + `}`})
	_, problems := Load(fsys, Rules{Env: Prod})
	require.Len(t, problems, 1)
	assert.Equal(t, "acme/tenant.config.json: tools.http[0].private: calling private networks is refused in the environment prod (leave it out)", problems[0].String())
	_, problems = Load(fsys, Rules{Env: "dev"})
	assert.Empty(t, problems)
}

func TestLongSchemasAreRefused(t *testing.T) {
	long := func(n int) string { return `{"type":"object","description":"` + strings.Repeat("x", n-32) + `"}` }
	_, problems := Load(folder(map[string]string{"acme": `{"id":"acme","name":"Acme",` + httpTool(`"input":`+long(70_000)) + `}`}), Rules{})
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].String(), "tools.http[0].input: has 7")
	var all []string
	for i := range 5 {
		all = append(all, fmt.Sprintf(`{"name":"t%d","description":"d","url":"https://a.b/","input":%s}`, i, long(60_000)))
	}
	_, problems = Load(folder(map[string]string{"acme": `{"id":"acme","name":"Acme","tools":{"http":[` + strings.Join(all, ",") + `]}}`}), Rules{})
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].String(), "tools.http: has schemas of 3")
}

// What is short to write and large to compile is refused at its place; brackets in texts are none.
func TestSchemasOfManyPartsAreRefused(t *testing.T) {
	parts := func(part string, n int) string {
		return `{"type":"object","description":"\"[{ true","allOf":[` + part + strings.Repeat(","+part, n-3) + `]}` // n in all
	}
	globex := `{"id":"globex","name":"Globex",` + httpTool(`"input":`+parts(`{}`, 1_000)) + `}`
	for _, part := range []string{`{}`, `true`, `false`} {
		for _, member := range []string{"input", "output"} {
			_, problems := Load(folder(map[string]string{"acme": `{"id":"acme","name":"Acme",` + httpTool(`"`+member+`":`+parts(part, 1_001)) + `}`, "globex": globex}), Rules{})
			require.Len(t, problems, 1)
			assert.Equal(t, "acme/tenant.config.json: tools.http[0]."+member+": has 1001 parts, more than 1000 (each object, list, true and false in a schema is a part)", problems[0].String())
		}
	}
	var all []string
	for i := range 5 {
		all = append(all, fmt.Sprintf(`{"name":"t%d","description":"d","url":"https://a.b/","input":%s}`, i, parts(`{}`, 900)))
	}
	_, problems := Load(folder(map[string]string{"acme": `{"id":"acme","name":"Acme","tools":{"http":[` + strings.Join(all, ",") + `]}}`, "globex": globex}), Rules{})
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].String(), "acme/tenant.config.json: tools.http: has schemas of 4500 parts together, more than 4000")
}
