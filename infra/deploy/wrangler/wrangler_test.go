package wrangler

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

var update = flag.Bool("update", false, "write testdata/everything.jsonc and testdata/steps.txt")

// everything is a small pool with each kind of binding and setting there is.
func everything() Pool {
	s := stack.Stack{
		Pool: "acme",
		Workers: []stack.Worker{
			{
				Role: "front", Public: true, CompatibilityDate: "2026-11-01", CompatibilityFlags: []string{"nodejs_als"}, MemoryMiB: 64, BudgetKiB: 1, CPUMillis: 10_000,
				Assets: &stack.Assets{Folder: "site", Path: "/site/", HTMLHandling: "auto-trailing-slash", NotFoundHandling: "404-page"},
				Vars:   map[string]string{"ENVIRONMENT": "prod"}, Secrets: []string{"SEAL_KEY"}, Crons: []string{"*/5 * * * *"},
				Bindings: []stack.Binding{
					{Name: "CONFIG", Kind: stack.KV, Target: "config"}, {Name: "CACHE", Kind: stack.KV, Target: "cache"}, {Name: "TEXTS", Kind: stack.R2, Target: "texts"},
					{Name: "WORK", Kind: stack.Producer, Target: "work"}, {Name: "BOOK", Kind: stack.Class, Target: "Book"}, {Name: "METERS", Kind: stack.Class, Target: "Meters"}, {Name: "LONG", Kind: stack.Flow, Target: "long-run"},
					{Name: "VECTORS", Kind: stack.Vectorize, Target: "small"}, {Name: "AI", Kind: stack.AI}, {Name: "BEHIND", Kind: stack.Service, Target: "behind"},
					{Name: "GATEWAY", Kind: stack.GatewayID, Target: "models"}, {Name: "VERSION", Kind: stack.Version}, {Name: "COUNTS", Kind: stack.Analytics, Target: "counts"},
				},
			},
			{Role: "behind", CompatibilityDate: "2026-11-01", MemoryMiB: 64, BudgetKiB: 1, Bindings: []stack.Binding{{Name: "BOOK", Kind: stack.Class, Target: "Book"}}},
		},
		Queues: []stack.Queue{
			{Name: "work", Consumer: "behind", MaxBatchSize: 7, MaxWaitTime: 3 * time.Second, MaxRetries: 5, RetryDelay: time.Minute, MaxConcurrency: 2, DeadLetter: "work-dlq", Retention: 14 * 24 * time.Hour},
			{Name: "work-dlq"},
		},
		Objects:       []stack.Object{{Class: "Book", Role: "behind"}, {Class: "Page", Role: "behind"}, {Class: "Meters", Role: "behind"}},
		Workflows:     []stack.Workflow{{Name: "long-run", Class: "LongRun", Role: "behind"}},
		Namespaces:    []stack.Namespace{{Name: "config"}, {Name: "cache"}},
		Buckets:       []stack.Bucket{{Name: "texts"}},
		Indexes:       []stack.Index{{Name: "small", Dimensions: 384, Metric: "cosine", Metadata: []stack.Property{{Name: "docId", Type: "string"}}}},
		Gateway:       stack.Gateway{Name: "models", Spend: []stack.Spend{{Tenant: "acme", USD: 20, Window: 24 * time.Hour}, {USD: 300, Window: 31 * 24 * time.Hour}}},
		Observability: stack.Observability{Logs: 100, Traces: 5, LogsTo: "loki", TracesTo: "tempo"},
		Domains:       []string{"api.acme.example"}, Routes: []stack.Route{{Pattern: "acme.example/api/*", Zone: "acme.example"}}, WorkersDev: true,
	}
	return Pool{
		Unit: deploy.Unit{Pool: "acme", Env: "prod"}, Stack: s, Account: strings.Repeat("a", 32), Namespaces: map[string]string{"config": strings.Repeat("c", 32)},
		Dir: "bin/wrangler", Built: "../workers", Schema: "../../node_modules/wrangler/config-schema.json",
	}
}

func TestEverythingIsWritten(t *testing.T) {
	p := everything()
	files, err := p.Files()
	require.NoError(t, err)
	var all strings.Builder
	for _, f := range files {
		all.WriteString("-- " + f.Path + " --\n" + string(f.Data))
	}
	golden(t, "everything.txtar", all.String())

	steps, err := p.Deploy()
	require.NoError(t, err)
	var lines strings.Builder
	for _, s := range append(p.Create(), steps...) {
		lines.WriteString(s.String() + "\n")
	}
	golden(t, "steps.txt", lines.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// Every configuration is right by wrangler's own schema, in which nothing unknown may be.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "node_modules/wrangler/config-schema.json"))
	require.NoError(t, err)
	all := []Pool{everything()}
	for _, env := range []string{"dev", "stage", "prod"} {
		all = append(all, pools(env)...)
	}
	for _, p := range all {
		files, err := p.Files()
		require.NoError(t, err)
		for _, f := range files {
			assert.NoError(t, schema.Validate(parse(t, f.Data)), f.Script)
		}
	}
	wrong := parse(t, []byte(`{"name": "x", "kv_namespaces": [{"id": "1"}]}`))
	assert.Error(t, schema.Validate(wrong), "a namespace without a binding")
	wrong = parse(t, []byte(`{"name": "x", "kv_namespace": []}`))
	assert.Error(t, schema.Validate(wrong), "an unknown member")
}

// parse reads JSON with comments on lines of their own.
func parse(t *testing.T, data []byte) any {
	t.Helper()
	var plain strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			plain.WriteString(line)
		}
	}
	var v any
	require.NoError(t, json.Unmarshal([]byte(plain.String()), &v))
	return v
}

func TestWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Pool)
		want   string
	}{
		"no pool":        {func(p *Pool) { p.Unit.Pool = "" }, `"" is not the name of a pool`},
		"no environment": {func(p *Pool) { p.Unit.Env = "" }, `there is no environment ""`},
		"wrong table":    {func(p *Pool) { p.Stack.Queues[0].MaxBatchSize = 1000 }, "max_batch_size is 1000"},
		"an id of nothing": {func(p *Pool) { p.Namespaces["confg"] = "1" },
			`there is no KV namespace "confg" to have an id; there are config, cache`},
		"a circle": {func(p *Pool) {
			p.Stack.Workers[1].Bindings = append(p.Stack.Workers[1].Bindings, stack.Binding{Name: "FRONT", Kind: stack.Service, Target: "front"})
		}, "front -> behind -> front bind each other in a circle"},
		"two of AI": {func(p *Pool) {
			p.Stack.Workers[0].Bindings = append(p.Stack.Workers[0].Bindings, stack.Binding{Name: "AI2", Kind: stack.AI})
		}, `bindings "AI" and "AI2": wrangler knows one`},
		"a name that is taken": {func(p *Pool) { p.Stack.Workers[1].Vars = map[string]string{"LONG_RUN": "x"} },
			`workflow "long-run": wrangler makes it by a binding, and "LONG_RUN" is the name of another`},
	} {
		t.Run(name, func(t *testing.T) {
			p := everything()
			c.change(&p)
			_, err := p.Files()
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// Two pools and two environments have no name in common, so that they can be in one account.
func TestNothingIsShared(t *testing.T) {
	seen := map[string]string{}
	for _, env := range []string{"stage", "prod"} {
		for _, p := range pools(env) {
			whose := p.Unit.String()
			for _, s := range p.Create() {
				if len(s.Args) == 0 || s.What == "metadata index" {
					continue
				}
				made := s.What + " " + strings.Join(s.Args, " ")
				assert.Empty(t, seen[made], "%s: %s is also of", whose, made)
				seen[made] = whose
			}
			files, err := p.Files()
			require.NoError(t, err)
			for _, f := range files {
				assert.Empty(t, seen[f.Script], "%s: %s is also of", whose, f.Script)
				seen[f.Script] = whose
			}
		}
	}
}
