package bench

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"levada.dev/infra/build"
	"levada.dev/infra/glue"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// gateway is one way to stand between clients and a provider.
type gateway struct {
	name  string
	start func(ctx context.Context, root, dir, upstream string) (gatewayTarget, error)
}

// gatewayTarget is a gateway that runs.
type gatewayTarget struct {
	server    *Workerd
	path, key string
	body      func(stream bool) string // of a request
	ends      string                   // how a stream ends
}

// completion asks as OpenAI's clients do.
func completion(w *Workerd, path, key string) gatewayTarget {
	return gatewayTarget{w, path, key, func(stream bool) string {
		return fmt.Sprintf(`{"model":"default","messages":[{"role":"system","content":%q},{"role":"user","content":%q}],"max_tokens":64,"stream":%t}`,
			manner, question, stream)
	}, lastEvent}
}

// turn begins a conversation.
func turn(w *Workerd, key string) gatewayTarget {
	return gatewayTarget{w, "/chat", key, func(stream bool) string {
		return fmt.Sprintf(`{"message":%q,"system":%q,"maxTokens":64,"stream":%t}`, question, manner, stream)
	}, "}\n\n"}
}

const manner, question = "You are of few words.", "What is a levada, and how wide is one?"

// The gateways, the one that the others are held against first.
var gateways = []gateway{
	{"this platform", startLevada(func(w *Workerd, key string) gatewayTarget { return completion(w, "/v1/chat/completions", key) })},
	{"this platform, POST /chat, a new session each", startLevada(turn)},
	{"this runtime, passing on", startRelay},
	{"TypeScript: key and usage", startTypeScript("/v1/chat/completions")},
	{"TypeScript, passing on", startTypeScript("/plain/chat/completions")},
}

// upstreamService is the provider's name in a site.
const upstreamService = "upstream"

// aiBinding is the platform's own binding of Workers AI, asking the upstream.
const aiBinding = `wrapped=(moduleName="cloudflare-internal:ai-api", innerBindings=[(name="fetcher", service="` + upstreamService + `")])`

func startTypeScript(path string) func(ctx context.Context, root, dir, upstream string) (gatewayTarget, error) {
	return func(ctx context.Context, root, dir, upstream string) (gatewayTarget, error) {
		const key = "sk-bench"
		if err := bundle(ctx, root, "infra/bench/passthrough/worker.ts", dir); err != nil {
			return gatewayTarget{}, err
		}
		w, err := startSite(ctx, root, dir, site{
			services: []service{{
				name: "main", dir: dir, vars: map[string]string{"KEYS": tenants.HashKey(key)},
				bindings: map[string]string{"UPSTREAM": fmt.Sprintf("service=%q", upstreamService)},
			}},
			external: map[string]string{upstreamService: upstream},
		})
		return completion(w, path, key), err
	}
}

func startRelay(ctx context.Context, root, dir, upstream string) (gatewayTarget, error) {
	const role = "relay"
	_, err := build.Roles(ctx, build.Options{Root: root, Out: dir, Stack: stack.Stack{Workers: []stack.Worker{
		{Role: role, Package: "infra/bench/relay", MemoryMiB: 96},
	}}})
	if err != nil {
		return gatewayTarget{}, err
	}
	w, err := startSite(ctx, root, dir, site{
		services: []service{{
			name: role, dir: filepath.Join(dir, role), flags: glue.CompatibilityFlags(), bindings: map[string]string{"AI": aiBinding},
		}},
		external: map[string]string{upstreamService: upstream},
	})
	return completion(w, "/v1/chat/completions", ""), err
}

func startLevada(target func(w *Workerd, key string) gatewayTarget) func(ctx context.Context, root, dir, upstream string) (gatewayTarget, error) {
	return func(ctx context.Context, root, dir, upstream string) (gatewayTarget, error) {
		w, key, err := serveLevada(ctx, root, dir, upstream)
		return target(w, key), err
	}
}

// serveLevada serves the roles that a chat passes, with the bindings of the stack's table, and returns the key of its one
// tenant. What a chat does not touch is bound to a Worker that fails.
func serveLevada(ctx context.Context, root, dir, upstream string) (*Workerd, string, error) {
	table := stack.Levada(stack.Pool{Name: "bench"})
	roles := []stack.Role{stack.API, stack.Objects}
	if _, err := build.Roles(ctx, build.Options{Root: root, Out: dir, Stack: table, Roles: roles}); err != nil {
		return nil, "", err
	}
	entries, key, err := benchTenant()
	if err != nil {
		return nil, "", err
	}
	s := site{external: map[string]string{upstreamService: upstream}, state: filepath.Join(dir, "state")}
	if err := os.Mkdir(s.state, 0o755); err != nil {
		return nil, "", err
	}
	for _, role := range roles {
		w, _ := table.Worker(role)
		one := service{
			name: string(role), dir: filepath.Join(dir, string(role)), flags: w.CompatibilityFlags,
			vars: map[string]string{"VERSION": "bench", "ENVIRONMENT": "prod", "GATEWAY": stack.GatewayName}, bindings: map[string]string{},
		}
		for _, b := range w.Bindings {
			if b.Kind != stack.GatewayID && b.Kind != stack.Version {
				one.bindings[b.Name] = bindingTo(table, b)
			}
		}
		for _, o := range table.ObjectsOf(role) {
			one.classes = append(one.classes, o.Class)
		}
		s.services = append(s.services, one)
	}
	for name, source := range map[string]string{"config": configService(entries), "absent": absentService} {
		at := filepath.Join(dir, name)
		if err := os.Mkdir(at, 0o755); err != nil {
			return nil, "", err
		}
		if err := os.WriteFile(filepath.Join(at, "worker.mjs"), []byte(source), 0o600); err != nil {
			return nil, "", err
		}
		s.services = append(s.services, service{name: name, dir: at})
	}
	w, err := startSite(ctx, root, dir, s)
	return w, key, err
}

// bindingTo is a binding of the stack's table in workerd's language.
func bindingTo(table stack.Stack, b stack.Binding) string {
	switch b.Kind {
	case stack.Class:
		for _, o := range table.Objects {
			if o.Class == b.Target {
				return fmt.Sprintf("durableObjectNamespace=(className=%q, serviceName=%q)", o.Class, o.Role)
			}
		}
	case stack.AI:
		return aiBinding
	case stack.KV:
		if b.Target == "config" {
			return `kvNamespace="config"`
		}
		return `kvNamespace="absent"`
	case stack.R2:
		return `r2Bucket="absent"`
	case stack.Producer:
		return `service=(name="absent", entrypoint="Queue")`
	}
	return `service="absent"`
}

// benchTenant is a tenant whose limits are on and wide, as it is published, and its key.
func benchTenant() (tenants.Entries, string, error) {
	const id tenants.ID = "bench"
	key, err := tenants.NewKey(rand.Reader, id)
	if err != nil {
		return nil, "", err
	}
	wide := tenants.Rate{PerMinute: tenants.MaxPerMinute, Burst: tenants.MaxPerMinute}
	entries, err := tenants.Publish([]tenants.Config{{
		ID: id, Name: "Bench", Rates: tenants.Rates{Tenant: wide, User: wide},
		Budgets: tenants.Budgets{
			TokensPerDay: tenants.MaxTokens, TokensPerMonth: tenants.MaxTokens, USDPerDay: tenants.MaxUSD, USDPerMonth: tenants.MaxUSD,
			CharactersPerDay: tenants.MaxCharacters, CharactersPerMonth: tenants.MaxCharacters,
		},
	}}, tenants.Keys{id: key}.Grants("bench"), nil)
	return entries, key, err
}

// configService is a Worker that is the KV namespace of the published tenants.
func configService(entries tenants.Entries) string {
	values := map[string]string{}
	for k, v := range entries {
		values[k] = string(v)
	}
	text, _ := json.Marshal(values) // strings always marshal
	return strings.Replace(`const values = ENTRIES;
export default {
  fetch(request) {
    const value = values[decodeURIComponent(new URL(request.url).pathname.slice(1))];
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
`, "ENTRIES", string(text), 1)
}

// absentService is a Worker in place of the stores, queues and indexes that a chat completion does not need. Its queue
// takes what the objects tell: it would be counted as the platform's work elsewhere.
const absentService = `import { WorkerEntrypoint } from "cloudflare:workers";
export class Queue extends WorkerEntrypoint {
  send() {}
  sendBatch() {}
}
export default { fetch: () => new Response("there is none here\n", { status: 503 }) };
`
