package generate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/archtest"
	"levada.dev/infra/generate"
)

// TestWhatIsGeneratedIsWhole runs every generator in a copy of this tree, twice, and holds what came of it to what holds for everything here:
// it compiles for both targets, its tests pass, the table is valid, and the rules of the tree are kept.
func TestWhatIsGeneratedIsWhole(t *testing.T) {
	root := checkout(t)
	for _, plan := range []func(generate.Options) (*generate.Plan, error){
		worker("reports", generate.HTTP),
		worker("thumb-nails", generate.Queue),
		binding(generate.Binding{Name: "FILES", Worker: "reports", Kind: "r2"}),
		binding(generate.Binding{Name: "SEEN", Worker: "reports", Kind: "kv", Target: "seen-files"}),
		binding(generate.Binding{Name: "AI", Worker: "reports", Kind: "ai"}),
		binding(generate.Binding{Name: "VECTORS_BGE_M3", Worker: "reports", Kind: "vectorize"}),
		binding(generate.Binding{Name: "THUMB_NAILS", Worker: "api", Kind: "queue"}),
		binding(generate.Binding{Name: "PRINTS", Worker: "api", Kind: "queue"}),
		binding(generate.Binding{Name: "REPORTS", Worker: "api", Kind: "service"}),
		binding(generate.Binding{Name: "SESSION", Worker: "consumers", Kind: "object"}),
		binding(generate.Binding{Name: "IMPORT", Worker: "api", Kind: "workflow"}),
		object("page-visits", "api"),
		object("stars", ""),
		named(generate.NewWorkflow, "word-count"),
		named(generate.NewConsumer, "digest"),
		named(generate.NewConsumer, "thumbs"),
		named(generate.NewTool, "word-count"),
		named(generate.NewTool, "stars"),
	} {
		do(t, root, plan)
	}
	tree, err := archtest.Load(root)
	require.NoError(t, err)
	for _, rule := range archtest.Rules() {
		assert.Empty(t, rule.Check(tree), rule.Name)
	}
	native := []string{
		"./infra/stack", "./infra/app", "./infra/workers/...", "./events/...", "./consumers/digest", "./consumers/thumbs", "./workflows/pagevisits",
		"./workflows/stars", "./workflows/wordcount", "./workflows/tools/...",
	}
	goes(t, root, "", append([]string{"vet"}, native...)...)
	goes(t, root, "js/wasm", "vet", "./infra/workers/...", "./infra/cloudflare/objects", "./infra/cloudflare/port/...")
	goes(t, root, "", append([]string{"test"}, native...)...)
}

func worker(role string, h generate.Handler) func(generate.Options) (*generate.Plan, error) {
	return func(o generate.Options) (*generate.Plan, error) {
		return generate.NewWorker(o, generate.Worker{Role: role, Handler: h})
	}
}

func binding(b generate.Binding) func(generate.Options) (*generate.Plan, error) {
	return func(o generate.Options) (*generate.Plan, error) { return generate.NewBinding(o, b) }
}

func object(name, worker string) func(generate.Options) (*generate.Plan, error) {
	return func(o generate.Options) (*generate.Plan, error) {
		return generate.NewObject(o, generate.Object{Name: name, Worker: worker})
	}
}

func named(plan func(generate.Options, string) (*generate.Plan, error), name string) func(generate.Options) (*generate.Plan, error) {
	return func(o generate.Options) (*generate.Plan, error) { return plan(o, name) }
}
