package validate

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inputs are schemas of tools of all kinds of arguments.
var inputs = map[string]json.RawMessage{"calculator": json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{
	"text":{"type":"string","minLength":2,"maxLength":4},
	"top_k":{"type":"integer","minimum":1,"maximum":100},
	"format":{"enum":["short","long"]},
	"exact":{"type":"boolean"},
	"tags":{"type":"array","items":{"type":"string","enum":["a","b"]}},
	"filter":{"type":"object"},
	"where":{"type":"object","additionalProperties":false,"properties":{"year":{"type":"number"}}},
	"open":{}
}}`)}

// A policy that bounds nothing or lets no call pass is found at its place in the one tenant that has it.
func TestPoliciesAreHeldAgainstTheArguments(t *testing.T) {
	for members, want := range map[string]string{
		`"argument":"topK","max":3`:                        `tools.policies[0].argument: "topK" is not an argument of calculator (did you mean "top_k"?)`,
		`"argument":"txt","maxChars":10`:                   `tools.policies[0].argument: "txt" is not an argument of calculator (did you mean "text"?)`,
		`"argument":"everything","maxChars":10`:            `tools.policies[0].argument: "everything" is not an argument of calculator (one of exact, filter, format, open, tags, text, top_k, where)`,
		`"argument":"text.length","max":10`:                `tools.policies[0].argument: "text.length" is not an argument of calculator (name the argument itself)`,
		`"argument":"where.month","max":10`:                `tools.policies[0].argument: "where.month" is not an argument of calculator (one of year)`,
		`"argument":"text","min":3`:                        `tools.policies[0].min: bounds numbers, and calculator.text is of the type string: no call would pass (maxChars bounds how long it is, allowed what it may be)`,
		`"argument":"tags","max":3`:                        `tools.policies[0].max: bounds numbers, and calculator.tags is of the type string: no call would pass (maxChars bounds how long it is, allowed what it may be)`,
		`"argument":"top_k","max":0`:                       `tools.policies[0].max: is below 1, the least that calculator takes: no call would pass`,
		`"argument":"top_k","min":101`:                     `tools.policies[0].min: is above 100, the most that calculator takes: no call would pass`,
		`"argument":"top_k","maxChars":1`:                  `tools.policies[0].maxChars: bounds texts, and calculator.top_k is of the type integer (min, max and allowed bound it)`,
		`"argument":"top_k","allowed":["5","five"]`:        `tools.policies[0].allowed[1]: "five" is no number, and calculator does not take it`,
		`"argument":"top_k","allowed":["500"]`:             `tools.policies[0].allowed[0]: "500" is out of its bounds, and calculator does not take it`,
		`"argument":"format","allowed":["short","shrt"]`:   `tools.policies[0].allowed[1]: "shrt" is none of its values, and calculator does not take it`,
		`"argument":"tags","allowed":["c"]`:                `tools.policies[0].allowed[0]: "c" is none of its values, and calculator does not take it`,
		`"argument":"exact","allowed":["yes"]`:             `tools.policies[0].allowed[0]: "yes" is neither true nor false, and calculator does not take it`,
		`"argument":"filter","allowed":["x"]`:              `tools.policies[0].allowed[0]: "x" is no object, and calculator does not take it`,
		`"argument":"text","allowed":["abcde"]`:            `tools.policies[0].allowed[0]: "abcde" is not as long as it has to be, and calculator does not take it`,
		`"argument":"top_k","min":1,"max":100`:             ``,
		`"argument":"top_k","allowed":["1","100"]`:         ``,
		`"argument":"text","maxChars":3,"allowed":["abc"]`: ``,
		`"argument":"format","allowed":["long"]`:           ``,
		`"argument":"exact","allowed":["true"]`:            ``,
		`"argument":"tags","allowed":["b"],"maxChars":1`:   ``,
		`"argument":"filter","maxChars":100`:               ``,
		`"argument":"filter.category","min":1`:             ``,
		`"argument":"where.year","min":2020`:               ``,
		`"argument":"open","min":1,"maxChars":5`:           ``,
	} {
		fsys := folder(map[string]string{
			"acme":   `{"id":"acme","name":"Acme",` + policy(members) + `}`,
			"globex": `{"id":"globex","name":"Globex",` + policy(`"argument":"top_k","max":3`) + `}`,
		})
		_, problems := Load(fsys, Rules{Tools: inputs})
		if want == "" {
			assert.Empty(t, problems, members)
			continue
		}
		require.Len(t, problems, 1, members)
		assert.Equal(t, "acme/tenant.config.json: "+want, problems[0].String())
		_, problems = Load(fsys, Rules{})
		assert.Empty(t, problems, "nothing is known of the tools")
	}
}

// A tenant's own tool has its own schema; the other tenant's of the same name has another.
func TestPoliciesOfHTTPTools(t *testing.T) {
	own := func(id, argument string) string {
		return `{"id":"` + id + `","name":"n","tools":{"enabled":["order_status"],"policies":[{"tool":"order_status","argument":"order","maxChars":5}],"http":[{"name":"order_status","description":"d",` +
			`"url":"https://a.b/","input":{"type":"object","additionalProperties":false,"properties":{"` + argument + `":{"type":"string"}}}}]}}`
	}
	_, problems := Load(folder(map[string]string{"acme": own("acme", "number"), "globex": own("globex", "order")}), Rules{})
	require.Len(t, problems, 1)
	assert.Equal(t, `acme/tenant.config.json: tools.policies[0].argument: "order" is not an argument of order_status (one of number)`, problems[0].String())
}

func TestPoliciesOfUnknownToolsAreNotLookedAtTwice(t *testing.T) {
	_, problems := Load(folder(map[string]string{
		"acme": `{"id":"acme","name":"Acme","tools":{"enabled":["calculator"],"policies":[{"tool":"calculatr","argument":"x","min":1},{"tool":"calculator","argument":"text","min":2,"max":1}]}}`,
	}), Rules{Tools: inputs})
	require.Len(t, problems, 2)
	assert.Contains(t, problems[0].String(), "calculatr")
	assert.Contains(t, problems[1].String(), "nothing would be allowed")
}
