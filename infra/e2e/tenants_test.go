package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// talkers are tenants that only these tests have: their models answer what the request itself dictates. Some of them have documents
// fetched from this machine, one of those from nowhere but a host that does not exist.
func talkers() []tenants.Config {
	wide := tenants.Rate{PerMinute: tenants.MaxPerMinute, Burst: tenants.MaxPerMinute}
	free := tenants.Rates{Tenant: wide, User: wide}
	both := tenants.Models{Chat: "@local/script", ChatAllowed: []string{"@local/script-openai"}, ChatFallback: []string{"@local/script-openai"}}
	one := tenants.Models{Chat: "@local/script-openai"}
	rich := tenants.Budgets{TokensPerDay: 1_000_000_000, TokensPerMonth: 1_000_000_000, USDPerDay: 1000, USDPerMonth: 1000}
	return []tenants.Config{
		{ID: "alder", Models: both, Rates: free},
		{ID: "birch", Models: one, Rates: free},
		{ID: "elm", Models: tenants.Models{Chat: "@local/script"}, Rates: free},
		{ID: "fir", Models: one, Rates: free},
		{ID: "fern", Rates: free, Ingest: tenants.Ingest{Fetch: tenants.Fetch{Private: true}}},
		{ID: "hazel", Models: one, Rates: free},
		{ID: "larch", Models: tenants.Models{Chat: "@local/script"}, Rates: free, Tools: tenants.Tools{Enabled: callable, InChat: callable}},
		{ID: "linden", Models: one, Rates: free, Tools: tenants.Tools{Enabled: callable,
			Policies: []tenants.Policy{{Tool: "calculator", Argument: "operation", Allowed: []string{"add"}}}}},
		{ID: "maple", Rates: free, Ingest: tenants.Ingest{Fetch: tenants.Fetch{Private: true}}, // its web is on this machine
			Sources: []tenants.Source{{ID: "shelf", Sync: &tenants.Sync{Prefix: "synced/", EveryMinutes: 5}}}},
		{ID: "orchard", Models: one, Rates: free, Ingest: tenants.Ingest{Fetch: tenants.Fetch{Private: true}}, Limits: tenants.Limits{BodyBytes: 15_000_000, DocumentBytes: 11_000_000}, Budgets: rich},
		{ID: "quince", Models: one, Rates: free, Ingest: tenants.Ingest{Fetch: tenants.Fetch{Private: true, Hosts: []string{"docs.example.com"}}}},
		{ID: "rowan", Models: one, Rates: free, Ingest: tenants.Ingest{Fetch: tenants.Fetch{Private: true}}, Budgets: rich}, // it moves between pools of this machine
		{ID: "strict", Models: one, Rates: tenants.Rates{Tenant: tenants.Rate{PerMinute: 60, Burst: allowance}, User: wide}},
		{ID: "thrifty", Models: one, Rates: free, Budgets: tenants.Budgets{TokensPerDay: allowance * thriftyCall().Tokens}},
	}
}

// callable are tools of tenants whose models call some: one that computes, one that asks a model, one that writes.
var callable = []string{"calculator", "classify_intent", "ingest_docs"}

// allowance is how many requests the tenants have that must not have more.
const allowance = 100

// withTalkers is a checkout's tenants and the talkers.
func withTalkers(root string) (fs.FS, error) {
	all := fstest.MapFS{}
	shipped := os.DirFS(filepath.Join(root, "tenants"))
	files, err := fs.Glob(shipped, "*/tenant.config.json")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		b, err := fs.ReadFile(shipped, file)
		if err != nil {
			return nil, err
		}
		all[file] = &fstest.MapFile{Data: b}
	}
	for _, c := range talkers() {
		c.Name = string(c.ID)
		b, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		all[string(c.ID)+"/tenant.config.json"] = &fstest.MapFile{Data: b}
	}
	return all, nil
}

// newcomer is a user of a new tenant of the shared platform, who may do everything, and whose equal requests may have the same answer. What is
// published is the tenant's own: the list of the pool's tenants is everybody's, and stays as it is.
func newcomer(t *testing.T, name string) user {
	t.Helper()
	id := tenants.ID(name + "-" + uuid.NewString()[:8])
	u := user{t, platform.URL, string(id), ""}
	u.key = u.publish(nil)
	return u
}

// publish publishes the configuration of a newcomer, changed, and answers its key. Whoever has read an earlier one goes by it for half a minute.
func (u user) publish(change func(*tenants.Config)) (key string) {
	t, id := u.t, tenants.ID(u.tenant)
	t.Helper()
	config := platform.Tenants[slices.IndexFunc(platform.Tenants, func(c tenants.Config) bool { return c.ID == "acme" })]
	config.ID, config.AllowedHosts, config.Sources = id, nil, nil
	config.Models.Chat, config.Models.ChatFallback = "@local/script-openai", nil
	config.Chat.CacheTTLSeconds = 600
	if change != nil {
		change(&config)
	}
	key, err := tenants.NewKey(strings.NewReader(strings.Repeat(string(id), 10)), id)
	require.NoError(t, err)
	hash := tenants.HashKey(key)
	entries, err := tenants.Publish([]tenants.Config{config}, map[string]tenants.Grant{hash: {Tenant: id, Name: t.Name(), Scopes: tenants.AllScopes}}, nil)
	require.NoError(t, err)
	names := []string{"config/" + string(id), "key/" + hash}
	for name := range config.Prompts {
		names = append(names, "prompt/"+string(id)+"/"+name)
	}
	for _, name := range names {
		require.Contains(t, entries, name)
		require.NoError(t, platform.KV(stack.API, "CONFIG").Put(t.Context(), name, entries[name]))
	}
	return key
}

// thriftyAnswer is how many tokens an answer to thrifty may have.
const thriftyAnswer = 50

// thriftyMessage is what thrifty asks. Its answer takes all that was reserved for it, so that nothing is given back and the
// budget lasts for as many calls as it was made for, however they overlap.
func thriftyMessage(prompt int64) string {
	return script(map[string]any{"tokens": []string{"enough"}, "usage": map[string]int64{"prompt": prompt, "completion": thriftyAnswer}})
}

// thriftyCall is what is reserved for it: what the usage says is as long as the usage that says so.
func thriftyCall() (a struct{ Prompt, Tokens int64 }) {
	model, err := llm.FindGeneration("@local/script-openai")
	if err != nil {
		panic(err) // the table has no such model: every test is wrong
	}
	for prompt := int64(100); ; prompt++ {
		p := llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: thriftyMessage(prompt)}}, MaxTokens: thriftyAnswer}
		most := llm.Order{Models: []llm.GenerationModel{model}, Prompt: p}.Most()
		if most.Tokens == prompt+thriftyAnswer {
			a.Prompt, a.Tokens = prompt, most.Tokens
			return a
		}
	}
}

// script is a message that dictates its answer: see infra/dev/localai.
func script(turn any) string {
	b, err := json.Marshal(map[string]any{"script": turn})
	if err != nil {
		panic(err) // what the tests script is JSON
	}
	return string(b)
}
