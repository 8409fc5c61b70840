package e2e

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/tenants"
)

// capabilities are those of the account, by what calls say to the gateway that they are for.
var capabilities = map[any]string{"chat": "chat", "speech": "speech", "embed.document": "ingest", "embed.query": "search", "rerank": "search", "embed.embeddings": "embeddings", "embed.tools": "tools"}

// Two tenants ingest, search, chat, embed, have a tool read, and have texts of some cents spoken, the one more than the other. What their accounts say of each capability is what the gateway has logged of
// the tenant: to the billionth of a dollar where the provider says what a call took; and to the cent in all, as the tokens of embeddings, of which Workers AI says nothing,
// are estimated: of these texts not below by a fifth, and not by much above.
func TestTheAccountIsWhatTheGatewayLogged(t *testing.T) {
	for i, name := range []string{"mill", "lock"} {
		u := newcomer(t, name)
		u.key = u.publish(func(c *tenants.Config) {
			c.Models.Chat = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
			c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1"}
			c.Tools = tenants.Tools{Enabled: callable}
		})
		ask := func(path string, body map[string]any) {
			a := u.do(http.MethodPost, path, body)
			require.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
		}
		for n := range i + 1 {
			about := "the wheel of the " + name + []string{"", ", and its gate"}[n]
			u.index(document{DocID: name + string(rune('a'+n)), Text: "The water of the levada turns " + about + ", day and night."})
			ask("/search", map[string]any{"query": "What turns " + about + "?", "answer": false, "rerank": true})
			ask("/tools/execute", map[string]any{"tool_name": "classify_intent", "params": map[string]any{"text": "Please refund what I paid for " + about}})
			ask("/chat", map[string]any{"message": "Tell me of " + about, "stream": n > 0})
			ask("/v1/embeddings", map[string]any{"model": "default", "input": about})
			ask("/v1/audio/speech", map[string]any{"model": "default", "voice": "angus", "input": strings.Repeat("The water turns "+about+". ", 20*(n+1)), "response_format": "wav"})
		}
		type amount struct{ calls, nanos int64 }
		said, logged := map[string]amount{}, map[string]amount{}
		var all, billed int64
		var lines json.RawMessage
		eventually(t, "all calls are settled, and told to the ledger", func() bool {
			clear(said)
			clear(logged)
			all, billed = 0, 0
			for _, call := range gatewayLog(t, u.tenant) {
				of, known := capabilities[call.Metadata["route"]]
				require.True(t, known && call.Success && !call.Cached, "%+v", call)
				a, nanos := logged[of], int64(math.Round(call.Cost*1e9))
				logged[of] = amount{a.calls + 1, a.nanos + nanos}
				billed += nanos
			}
			var account struct{ Lines []client.UsageLine }
			a := u.do(http.MethodGet, "/usage", nil)
			a.into(t, &account)
			lines = a.Data
			calls := map[string]int64{}
			for _, l := range account.Lines {
				a := said[l.Capability]
				said[l.Capability] = amount{a.calls + l.Calls, a.nanos + l.Nanos}
				calls[l.Capability] += l.Calls
				all += l.Nanos
			}
			for of, a := range logged {
				if calls[of] != a.calls {
					return false
				}
			}
			_, _, reserved := u.account().tokensToday()
			return len(calls) == len(logged) && reserved == 0
		})
		for _, of := range capabilities {
			require.Contains(t, logged, of, "all capabilities: %s", lines)
		}
		for _, exact := range []string{"chat", "speech"} {
			assert.Equal(t, logged[exact], said[exact], "%s: %s", exact, lines)
			assert.GreaterOrEqual(t, said[exact].calls, int64(i+1))
		}
		for _, estimated := range []string{"ingest", "search", "embeddings", "tools"} {
			assert.Greater(t, 5*said[estimated].nanos, 4*logged[estimated].nanos, "%s: %s", estimated, lines)
			assert.Less(t, said[estimated].nanos, 5*logged[estimated].nanos, "%s: %s", estimated, lines)
		}
		const cent = 10_000_000
		require.Greater(t, billed, int64(cent), "it is more than nothing")
		assert.Equal(t, (billed+cent/2)/cent, (all+cent/2)/cent)
		assert.InDelta(t, billed, all, cent/1000, "and far better")
	}
}
