package front_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

// ask sends a request without a network, and reads the data that it answered.
func (p *platform) ask(tenant, method, path, body string, into any) {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.keys[tenants.ID(tenant)])
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	require.Equal(p.t, http.StatusOK, w.Code, "%s", w.Body)
	var answer struct{ Data json.RawMessage }
	require.NoError(p.t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.NoError(p.t, json.Unmarshal(answer.Data, into))
}

// spent is money, and tokens.
type spent struct{ Tokens, Nanos int64 }

// What a tool has models do is in the answer and on record as it is on the tenant's account, to the last nanodollar, and on nobody else's.
func TestTheTrailHasTheMoneyThatWasBooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := build(t, func(c *tenants.Config) {
			c.Tools.Enabled = []string{"search_docs", "classify_intent", "calculator"}
		})
		calls := map[string][]string{
			"acme": {
				`{"tool_name":"search_docs","params":{"query":"who dug the first levada of the island?","mode":"vector"}}`,
				`{"tool_name":"search_docs","params":{"query":"and who the second one?","mode":"vector"}}`,
				`{"tool_name":"classify_intent","params":{"text":"I want my money back"}}`,
				`{"tool_name":"calculator","params":{"operation":"add","a":1,"b":2}}`,
			},
			"globex": {`{"tool_name":"search_docs","params":{"query":"how long is it?","mode":"vector"}}`},
		}
		answered := map[string]spent{}
		for tenant, bodies := range calls {
			var sum spent
			for _, body := range bodies {
				var said struct {
					Metadata struct {
						Tokens    int64 `json:"tokens"`
						CostNanos int64 `json:"costNanos"`
					} `json:"metadata"`
				}
				p.ask(tenant, "POST", "/tools/execute", body, &said)
				assert.Equal(t, strings.Contains(body, "calculator"), said.Metadata.CostNanos == 0, body)
				sum.Tokens += said.Metadata.Tokens
				sum.Nanos += said.Metadata.CostNanos
			}
			answered[tenant] = sum
		}
		time.Sleep(10 * time.Second) // of the bubble's clock: by then the isolate has told what was used
		for tenant, want := range answered {
			var trail struct {
				Entries []struct {
					Act struct {
						Tokens    int64 `json:"tokens"`
						CostNanos int64 `json:"costNanos"`
					} `json:"act"`
				} `json:"entries"`
			}
			p.ask(tenant, "GET", "/audit?kind=tool", "", &trail)
			require.Len(t, trail.Entries, len(calls[tenant]))
			var recorded spent
			for _, e := range trail.Entries {
				recorded.Tokens += e.Act.Tokens
				recorded.Nanos += e.Act.CostNanos
			}
			var usage struct {
				Lines []struct {
					Capability string `json:"capability"`
					Prompt     int64  `json:"promptTokens"`
					Nanos      int64  `json:"nanoUSD"`
				} `json:"lines"`
			}
			p.ask(tenant, "GET", "/usage", "", &usage)
			var booked spent
			for _, l := range usage.Lines {
				assert.Equal(t, "tools", l.Capability)
				booked.Tokens += l.Prompt
				booked.Nanos += l.Nanos
			}
			assert.Positive(t, booked.Nanos)
			assert.Equal(t, booked, recorded, tenant)
			assert.Equal(t, booked, want, tenant)
		}
		assert.NotEqual(t, answered["acme"], answered["globex"])
		time.Sleep(time.Minute) // what the isolate has taken from the ledger it gives back
	})
}
