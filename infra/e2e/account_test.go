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
	"levada.dev/infra/dev/localai"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm/price"
)

// capabilities are those of the account, by what calls say to the gateway that they are for.
var capabilities = map[any]string{"chat": "chat", "speech": "speech", "embed.document": "ingest", "embed.query": "search", "rerank": "search", "embed.embeddings": "embeddings", "embed.tools": "tools"}

// taken is what calls took.
type taken struct {
	calls, prompt, completion, chars, nanos int64
	neurons                                 quota.Neurons
}

func (a taken) plus(b taken) taken {
	return taken{a.calls + b.calls, a.prompt + b.prompt, a.completion + b.completion, a.chars + b.chars, a.nanos + b.nanos, a.neurons + b.neurons}
}

// loggedAs is what a call took by the log of the gateway, which knows tokens and money: what is spoken has no tokens, and its characters are what the money buys.
func loggedAs(call localai.Log) taken {
	m := price.Of(call.Model)
	out := taken{calls: 1, prompt: int64(call.TokensIn), completion: int64(call.TokensOut), nanos: int64(math.Round(call.Cost * 1e9))}
	if m.USD.Character > 0 {
		out.chars = out.nanos / m.USD.Character
	}
	out.neurons = out.worth(call.Model)
	return out
}

// worth is what it all is in neurons, by the list of prices: the rate of each by how much there was.
func (a taken) worth(model string) quota.Neurons {
	rate := price.Of(model).Neurons
	return quota.Neurons(a.prompt*rate.Input + a.completion*rate.Output + a.chars*rate.Character)
}

// bookedAs is what a line of the account says.
func bookedAs(l client.UsageLine) taken {
	return taken{l.Calls, l.Prompt, l.Completion, l.Chars, l.Nanos, quota.Neurons(math.Round(l.Neurons * 1e6))}
}

// Two tenants ingest, search, chat, embed, have a tool read, and have texts of some cents spoken, the one more than the other. What their accounts say of each capability is what the gateway has logged of
// the tenant: to the token, the character, the millionth of a neuron and the billionth of a dollar where the provider says what a call took; and to the cent in all, as the tokens of embeddings, of which
// Workers AI says nothing, are estimated: of these texts not below by a fifth, and not by much above. GET /metrics/cost says the same as the account.
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
		said, logged := map[string]taken{}, map[string]taken{}
		var all, billed int64
		var lines json.RawMessage
		eventually(t, "all calls are settled, and told to the ledger", func() bool {
			clear(said)
			clear(logged)
			all, billed = 0, 0
			for _, call := range gatewayLog(t, u.tenant) {
				of, known := capabilities[call.Metadata["route"]]
				require.True(t, known && call.Success && !call.Cached, "%+v", call)
				logged[of] = logged[of].plus(loggedAs(call))
				billed += loggedAs(call).nanos
			}
			var account struct{ Lines []client.UsageLine }
			a := u.do(http.MethodGet, "/usage", nil)
			a.into(t, &account)
			lines = a.Data
			for _, l := range account.Lines {
				said[l.Capability] = said[l.Capability].plus(bookedAs(l))
				all += l.Nanos
			}
			for of, a := range logged {
				if said[of].calls != a.calls {
					return false
				}
			}
			_, _, reserved := u.account().tokensToday()
			return len(said) == len(logged) && reserved == 0
		})
		for _, of := range capabilities {
			require.Contains(t, logged, of, "all capabilities: %s", lines)
		}
		for _, exact := range []string{"chat", "speech"} {
			assert.Equal(t, logged[exact], said[exact], "%s: %s", exact, lines)
			assert.GreaterOrEqual(t, said[exact].calls, int64(i+1))
			assert.Positive(t, said[exact].neurons)
		}
		assert.Positive(t, said["chat"].prompt)
		assert.Positive(t, said["chat"].completion)
		assert.Positive(t, said["speech"].chars)
		for _, estimated := range []string{"ingest", "search", "embeddings", "tools"} {
			assert.Greater(t, 5*said[estimated].nanos, 4*logged[estimated].nanos, "%s: %s", estimated, lines)
			assert.Less(t, said[estimated].nanos, 5*logged[estimated].nanos, "%s: %s", estimated, lines)
		}
		var cost struct{ Lines []client.UsageLine }
		u.do(http.MethodGet, "/metrics/cost", nil).into(t, &cost)
		shown := map[string]taken{}
		for _, l := range cost.Lines {
			shown[l.Capability] = shown[l.Capability].plus(bookedAs(l))
			assert.Equal(t, bookedAs(l).worth(l.Model), bookedAs(l).neurons, "%s by %s", l.Capability, l.Model)
		}
		assert.Equal(t, said, shown)
		const cent = 10_000_000
		require.Greater(t, billed, int64(cent), "it is more than nothing")
		assert.Equal(t, (billed+cent/2)/cent, (all+cent/2)/cent)
		assert.InDelta(t, billed, all, cent/1000, "and far better")
	}
}
