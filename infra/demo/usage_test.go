package demo

import (
	"os"

	"levada.dev/infra/client"
)

func Example_account() {
	account(os.Stdout, client.Usage{
		Lines: []client.UsageLine{
			{Day: "2026-11-22", Capability: "chat", Purpose: "chat", Model: "@cf/zai-org/glm-4.7-flash", Calls: 2, Prompt: 1840, Completion: 96, Neurons: 13.6144, Nanos: 148_800},
			{Day: "2026-11-22", Capability: "ingest", Purpose: "document", Model: "@cf/baai/bge-m3", Calls: 31, Prompt: 412_345, Neurons: 443.270875, Nanos: 4_948_140},
		},
		Budgets: []client.Budget{{Period: "day", Unit: "tokens", Limit: 100_000_000, Spent: 414_281}, {Period: "day", Unit: "nanoUSD", Limit: 50_000_000_000, Spent: 5_096_940}},
	})
	// Output:
	// ┌────────────┬──────────────────┬───────────────────────────┬───────┬───────────┬────────────┬─────────┬───────────┐
	// │ DAY        │ FOR              │ MODEL                     │ CALLS │ TOKENS IN │ TOKENS OUT │ NEURONS │      COST │
	// ├────────────┼──────────────────┼───────────────────────────┼───────┼───────────┼────────────┼─────────┼───────────┤
	// │ 2026-11-22 │ chat             │ @cf/zai-org/glm-4.7-flash │     2 │      1840 │         96 │   13.61 │ $0.000149 │
	// │ 2026-11-22 │ ingest: document │ @cf/baai/bge-m3           │    31 │    412345 │          0 │  443.27 │ $0.004948 │
	// ├────────────┼──────────────────┼───────────────────────────┼───────┼───────────┼────────────┼─────────┼───────────┤
	// │            │                  │                           │    33 │    414185 │         96 │  456.89 │ $0.005097 │
	// └────────────┴──────────────────┴───────────────────────────┴───────┴───────────┴────────────┴─────────┴───────────┘
	//   414281 of 100000000 tokens this day
	//   $0.005097 of $50.000000 spent this day
}

func Example_accountOfSpeech() {
	account(os.Stdout, client.Usage{
		Lines: []client.UsageLine{
			{Day: "2026-11-22", Capability: "chat", Purpose: "chat", Model: "@cf/zai-org/glm-4.7-flash", Calls: 2, Prompt: 1840, Completion: 96, Neurons: 13.6144, Nanos: 148_800},
			{Day: "2026-11-22", Capability: "speech", Purpose: "speech", Model: "@cf/deepgram/aura-1", Calls: 1, Chars: 412, Neurons: 561.81968, Nanos: 6_180_000},
		},
		Budgets: []client.Budget{{Period: "day", Unit: "characters", Limit: 10_000_000, Spent: 412}},
	})
	// Output:
	// ┌────────────┬────────┬───────────────────────────┬───────┬───────────┬────────────┬────────────┬─────────┬───────────┐
	// │ DAY        │ FOR    │ MODEL                     │ CALLS │ TOKENS IN │ TOKENS OUT │ CHARACTERS │ NEURONS │      COST │
	// ├────────────┼────────┼───────────────────────────┼───────┼───────────┼────────────┼────────────┼─────────┼───────────┤
	// │ 2026-11-22 │ chat   │ @cf/zai-org/glm-4.7-flash │     2 │      1840 │         96 │            │   13.61 │ $0.000149 │
	// │ 2026-11-22 │ speech │ @cf/deepgram/aura-1       │     1 │         0 │          0 │        412 │  561.82 │ $0.006180 │
	// ├────────────┼────────┼───────────────────────────┼───────┼───────────┼────────────┼────────────┼─────────┼───────────┤
	// │            │        │                           │     3 │      1840 │         96 │        412 │  575.43 │ $0.006329 │
	// └────────────┴────────┴───────────────────────────┴───────┴───────────┴────────────┴────────────┴─────────┴───────────┘
	//   412 of 10000000 characters this day
}
