package generate_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/generate"
)

type planner = func(generate.Options) (*generate.Plan, error)

// TestWhatIsRefusedIsRefusedBeforeAnythingIsWritten: in this very tree, forced, and each with its place and the next step.
func TestWhatIsRefusedIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	for _, c := range []struct {
		why  string
		plan planner
		code string
		says string
	}{
		{"a worker without a name", worker("", generate.HTTP), "name_invalid", "worker: has no name"},
		{"a worker of a path", worker("../api", generate.HTTP), "name_invalid", `worker: "../api" cannot be a name`},
		{"a worker that is there", worker("api", generate.HTTP), "name_invalid", `"api" is a name that code around it has`},
		{"a role that is there", worker("objects", generate.HTTP), "name_invalid", `"objects" is a name that code around it has`},
		{"a worker that would be a type", worker("bucket", generate.HTTP), "name_taken", "infra/stack/stack.go: Bucket: Bucket is something else in package stack"},
		{"a worker without a handler", worker("reports", "grpc"), "option_invalid", `handler: "grpc" is no handler (http or queue)`},
		{"an object of upper case", object("Visits", ""), "name_invalid", `object: "Visits" cannot be a name`},
		{"an object that is there", object("ledger", ""), "name_taken", "infra/cloudflare/objects/ledger_js.go: is there, and was not made by levada new object ledger (take another name)"},
		{"an object whose class is there", object("session", ""), "name_taken", "infra/cloudflare/objects/session_js.go: is there"},
		{"an object whose port is there", object("runs", ""), "name_taken", "infra/cloudflare/port/run_js.go: NewRuns: is declared here already (take another name)"},
		{"an object whose package is there", object("lexicon", ""), "name_taken", "workflows/lexicon: is there, and was not made by levada new object lexicon"},
		{"an object for no worker", object("visits", "apo"), "option_invalid", `worker: there is no Worker "apo" (one of api, consumers, mcp, objects, workflows)`},
		{"a workflow of a keyword", named(generate.NewWorkflow, "select"), "name_invalid", `workflow: "select" is a word of the language`},
		{"a workflow that is there", named(generate.NewWorkflow, "erasure"), "name_taken", "workflows/erasure: is there"},
		{"a consumer with a hyphen", named(generate.NewConsumer, "word-count"), "name_invalid", `consumer: "word-count" cannot be a name`},
		{"a consumer that is there", named(generate.NewConsumer, "audit"), "name_taken", "consumers/audit: is there"},
		{"a consumer whose fact is there", named(generate.NewConsumer, "document"), "name_taken", "events/document.go: "},
		{"a tool of a predeclared name", named(generate.NewTool, "print"), "name_invalid", `tool: "print" is a name that the language has`},
		{"a tool that is too long", named(generate.NewTool, strings.Repeat("long", 7)), "name_invalid", "has 28 characters"},
		{"a binding of small letters", binding(generate.Binding{Name: "files", Worker: "api", Kind: "kv"}), "name_invalid", `binding: "files" cannot be a name in a Worker's env`},
		{"a binding of no kind", binding(generate.Binding{Name: "FILES", Worker: "api", Kind: "d1"}), "option_invalid", `kind: "d1" is no kind of binding (one of ai, kv,`},
		{"a binding of no worker", binding(generate.Binding{Name: "FILES", Worker: "nobody", Kind: "kv"}), "option_invalid", `worker: there is no Worker "nobody" (one of api,`},
		{"a binding that is another", binding(generate.Binding{Name: "CACHE", Worker: "api", Kind: "kv", Target: "config"}), "name_taken", "infra/stack/levada.go: CACHE: the Worker has another binding of that name, in line "},
		{"a binding of a variable that is another", binding(generate.Binding{Name: "IMPORT", Worker: "consumers", Kind: "kv", Target: "cache"}), "name_taken", "IMPORT: the Worker has another binding"},
		{"a binding to no class", binding(generate.Binding{Name: "NOBODY", Worker: "api", Kind: "object"}), "option_invalid", `there is no class "Nobody" (make it: levada new object nobody)`},
		{"a binding to no workflow", binding(generate.Binding{Name: "NOBODY", Worker: "api", Kind: "workflow"}), "option_invalid", `there is no workflow "nobody" (one of import, erasure, reembed`},
		{"a binding to no worker", binding(generate.Binding{Name: "NOBODY", Worker: "api", Kind: "service"}), "option_invalid", `(make it: levada new worker nobody)`},
		{"a binding to no index", binding(generate.Binding{Name: "VECTORS_ADA", Worker: "api", Kind: "vectorize"}), "option_invalid", `there is no index "ada"`},
		{"ai with a target", binding(generate.Binding{Name: "MODELS", Worker: "objects", Kind: "ai", Target: "x"}), "option_invalid", "target: a binding to ai leads nowhere else"},
		{"a bucket that has no name", binding(generate.Binding{Name: "FILES", Worker: "api", Kind: "r2", Target: "../x"}), "name_invalid", `r2: "../x" cannot be a name`},
		{"a queue with a hyphen", binding(generate.Binding{Name: "THE_FILES", Worker: "api", Kind: "queue"}), "name_invalid", `queue: "the-files" cannot be a name`},
	} {
		t.Run(c.why, func(t *testing.T) {
			_, err := c.plan(generate.Options{Root: module, Force: true})
			var r *generate.Refused
			require.True(t, errors.As(err, &r), "%v", err)
			assert.Equal(t, c.code, r.Code)
			assert.ErrorContains(t, err, c.says)
			assert.NotEmpty(t, fault.As(err).Hint, err)
		})
	}
}

func TestARegistryOfAnotherFormIsNamedWithTheRow(t *testing.T) {
	root := checkout(t)
	table := filepath.Join(root, "infra", "stack", "levada.go")
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(table, []byte(strings.Replace(string(text), "stages := []Queue{", "stages := Stages{", 1)), 0o644))
	before := snapshot(t, root)
	_, err = generate.NewConsumer(generate.Options{Root: root}, "digest")
	require.EqualError(t, err, `infra/stack/levada.go: levadaQueues: the place for it was not found (add by hand: {Name: "digest", MaxBatchSize: 10, MaxConcurrency: 2})`)
	require.NoError(t, os.WriteFile(table, text[:len(text)/2], 0o644))
	_, err = generate.NewConsumer(generate.Options{Root: root}, "digest")
	require.ErrorContains(t, err, "infra/stack/levada.go: is not Go: ")
	require.NoError(t, os.WriteFile(table, []byte(strings.Replace(string(text), "stages := []Queue{", "stages := Stages{", 1)), 0o644))
	assert.Equal(t, before, snapshot(t, root), "nothing was written")
}

func TestGeneratedFilesThatWereEditedAreLeftAlone(t *testing.T) {
	root := checkout(t)
	plan := named(generate.NewConsumer, "digest")
	do(t, root, plan)
	handler := filepath.Join(root, "consumers", "digest", "digest.go")
	made, err := os.ReadFile(handler)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(handler, append(made, "\n// mine\n"...), 0o644))
	_, err = plan(generate.Options{Root: root})
	require.EqualError(t, err, "consumers/digest/digest.go: was edited since it was made, or is another's (keep it, or write over it with --force)")

	p, err := plan(generate.Options{Root: root, Force: true})
	require.NoError(t, err)
	require.Len(t, p.Changed(), 1)
	assert.Contains(t, p.Diff(), "--- a/consumers/digest/digest.go\n+++ b/consumers/digest/digest.go\n")
	assert.Contains(t, p.Diff(), "-// mine\n")
	require.NoError(t, p.Apply(root))

	require.NoError(t, os.WriteFile(handler, []byte("package digest // no generator's\n"), 0o644))
	_, err = plan(generate.Options{Root: root, Force: true})
	require.EqualError(t, err, "consumers/digest/digest.go: is there, and was not made by levada new consumer digest (take another name)", "force or not")
}

func TestWhoeverWasInterruptedBeginsAgain(t *testing.T) {
	root := checkout(t)
	plan := named(generate.NewWorkflow, "digest")
	p, err := plan(generate.Options{Root: root})
	require.NoError(t, err)
	require.NoError(t, p.Apply(root))
	whole := snapshot(t, root)
	for _, f := range p.Changed() { // each as if it had not been written
		if f.Action == generate.Make {
			require.NoError(t, os.Remove(filepath.Join(root, f.Path)))
		}
		again, err := plan(generate.Options{Root: root})
		require.NoError(t, err, f.Path)
		require.NoError(t, again.Apply(root))
		assert.Equal(t, whole, snapshot(t, root), f.Path)
	}
}

// snapshot is every file of a checkout.
func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(file)
		all[file] = string(b)
		return err
	}))
	return all
}
