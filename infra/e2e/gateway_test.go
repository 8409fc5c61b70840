package e2e

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai"
)

// Every call of a model passes the gateway, and says there for whom, what for, and on whose request it was made.
func TestEveryModelCallPassesTheGateway(t *testing.T) {
	const requestID = "5f0f6a3e-6f0e-4b53-9c53-0d3ad8f0c1a7"
	for _, tenant := range []string{"acme", "globex"} {
		u := as(t, tenant)
		u.index(document{DocID: "gated", Text: "Sluices let the water of " + tenant + " pass, and count it."})
		a := u.do("POST", "/search", map[string]any{"query": "What counts the water of " + tenant + "?", "answer": false}, "x-request-id", requestID)
		require.True(t, a.OK, "%s", a.Body)

		var log struct{ Result []localai.Log }
		filters := `[{"key":"metadata.key","operator":"eq","value":["tenant_id"]},{"key":"metadata.value","operator":"eq","value":["` + tenant + `"]}]`
		getJSON(t, platform.GatewayURL()+"/gateways/levada/logs?per_page=50&filters="+url.QueryEscape(filters), &log)
		routes := map[any]int{}
		asked := 0
		for _, call := range log.Result {
			assert.Equal(t, tenant, call.Metadata["tenant_id"])
			assert.NotEmpty(t, call.Metadata["request_id"])
			routes[call.Metadata["route"]]++
			if call.Metadata["request_id"] == requestID {
				asked++
				assert.Equal(t, "embed.query", call.Metadata["route"])
			}
		}
		assert.NotZero(t, routes["embed.document"], tenant)
		assert.Equal(t, 1, asked, "one search is one call")
	}
	var past struct {
		Info struct {
			Total *int `json:"total_count"`
		} `json:"result_info"`
	}
	getJSON(t, platform.GatewayURL()+"/ungated", &past)
	require.NotNil(t, past.Info.Total)
	assert.Zero(t, *past.Info.Total, "calls past the gateway, of all tests so far")
}
