package archtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/archtest"
)

// src is a file of both builds in a package named after nothing in particular.
func src(path string, imports ...string) archtest.File {
	return archtest.File{Path: path, Package: "p", Native: true, JS: true, Imports: imports}
}

// js is a file for js only.
func js(path, pkg string, imports ...string) archtest.File {
	return archtest.File{Path: path, Package: pkg, JS: true, Imports: imports}
}

func tree(files ...archtest.File) archtest.Tree { return archtest.Tree{Files: files} }

// check is a row of a table: a tree and the faults that a rule has to find in it.
type check struct {
	name string
	tree archtest.Tree
	want []string
}

func run(t *testing.T, rule func(archtest.Tree) []string, checks []check) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, rule(c.tree)) })
	}
}

func TestDirection(t *testing.T) {
	run(t, archtest.Direction, []check{
		{"downwards, sideways in the room, and outside", tree(
			src("events/fault/fault.go", "errors", "levada.dev/events/fault/x"),
			src("tenants/id.go", "levada.dev/events/fault", "github.com/google/uuid"),
			src("events/event.go", "levada.dev/tenants", "levada.dev/events/trace"),
			src("workflows/rag/rag.go", "levada.dev/events", "levada.dev/workflows/llm"),
			src("api/api.go", "levada.dev/workflows/rag", "levada.devious/infra"),
			src("infra/app/app.go", "levada.dev/api", "levada.dev/consumers", "levada.dev/producers/intake", "levada.dev/infra/stack"),
		), nil},
		{"upwards", tree(
			src("events/fault/fault.go", "levada.dev/tenants"),
			src("tenants/id.go", "levada.dev/events"),
			src("tenants/id.go", "levada.dev/events/trace"),
			src("events/event.go", "levada.dev/workflows/llm"),
			src("workflows/rag/rag.go", "levada.dev/api"),
			src("consumers/router.go", "levada.dev/infra/memory"),
		), []string{
			"events/fault/fault.go: events/fault must not import levada.dev/tenants",
			"tenants/id.go: tenants must not import levada.dev/events",
			"tenants/id.go: tenants must not import levada.dev/events/trace",
			"events/event.go: events must not import levada.dev/workflows/llm",
			"workflows/rag/rag.go: workflows must not import levada.dev/api",
			"consumers/router.go: consumers must not import levada.dev/infra/memory",
		}},
		{"the three that do not know each other", tree(
			src("producers/p.go", "levada.dev/consumers"),
			src("consumers/c.go", "levada.dev/api"),
			src("api/a.go", "levada.dev/producers/intake"),
		), []string{
			"producers/p.go: producers must not import levada.dev/consumers",
			"consumers/c.go: consumers must not import levada.dev/api",
			"api/a.go: api must not import levada.dev/producers/intake",
		}},
		{"an external test is free", tree(archtest.File{
			Path: "api/api_test.go", Package: "api_test", Imports: []string{"levada.dev/infra/memory", "levada.dev/producers/intake"},
		}), nil},
		{"a test in the package is not", tree(src("workflows/corpus/book/book_test.go", "levada.dev/infra/memory")),
			[]string{"workflows/corpus/book/book_test.go: workflows must not import levada.dev/infra/memory"}},
		{"no layer", tree(src("docs/x.go"), src("infrastructure/x.go"), src("infra/x.go", "levada.dev/pkg/x", "levada.dev")), []string{
			"docs/x.go: its folder is in no layer",
			"infrastructure/x.go: its folder is in no layer",
			"infra/x.go: imports levada.dev/pkg/x, which is in no layer",
			"infra/x.go: imports levada.dev, which is in no layer",
		}},
	})
}

func TestJavaScript(t *testing.T) {
	wasm := js("infra/cloudflare/isolate/call.go", "isolate")
	wasm.Wasm = true
	const notAtTheEdge = ": is for js, which only infra/cloudflare, infra/workers and commands of infra/bench are"
	const notByName = ": uses syscall/js or go:wasm..., and is no *_js.go file"
	run(t, archtest.JavaScript, []check{
		{"at the edge", tree(
			js("infra/cloudflare/kv/kv_js.go", "kv", "syscall/js"),
			js("infra/cloudflare/kv/kv_js_test.go", "kv", "syscall/js"),
			js("infra/workers/api/main_js.go", "main", "syscall/js"),
			js("infra/bench/stock/main_js.go", "main"),
			src("infra/cloudflare/kv/key.go", "strings"),
			archtest.File{Path: "infra/glue/host.js"},
		), nil},
		{"by another name", tree(js("infra/cloudflare/kv/kv.go", "kv", "syscall/js"), wasm),
			[]string{"infra/cloudflare/kv/kv.go" + notByName, "infra/cloudflare/isolate/call.go" + notByName}},
		{"elsewhere", tree(
			js("events/event_js.go", "events", "syscall/js"),
			js("infra/bench/route_js.go", "bench"),
			js("infra/workersish/main_js.go", "main"),
		), []string{"events/event_js.go" + notAtTheEdge, "infra/bench/route_js.go" + notAtTheEdge, "infra/workersish/main_js.go" + notAtTheEdge}},
	})
}

func TestNativeBuild(t *testing.T) {
	tagged := js("infra/cloudflare/r2/doc.go", "r2")
	run(t, archtest.NativeBuild, []check{
		{"library and command", tree(
			src("infra/cloudflare/kv/doc.go"), js("infra/cloudflare/kv/kv_js.go", "p"),
			js("infra/workers/api/main_js.go", "main"), src("infra/workers/api/main_test.go"),
			src("infra/stack/stack.go"),
		), nil},
		{"library without doc.go", tree(js("infra/cloudflare/kv/kv_js.go", "kv"), src("infra/cloudflare/kv/key.go")),
			[]string{"infra/cloudflare/kv: has *_js.go files and no doc.go without build constraint"}},
		{"library with a tagged doc.go", tree(tagged, js("infra/cloudflare/r2/r2_js.go", "r2")),
			[]string{"infra/cloudflare/r2: has *_js.go files and no doc.go without build constraint"}},
		{"command with a native file", tree(
			js("infra/workers/api/main_js.go", "main"), archtest.File{Path: "infra/workers/api/doc.go", Package: "main", Native: true, JS: true},
		), []string{"infra/workers/api/doc.go: a command for js has only *_js.go files"}},
	})
}

func TestTopLevel(t *testing.T) {
	run(t, archtest.TopLevel, []check{
		{"what belongs there", archtest.Tree{Top: []string{
			".ci/", ".git/", "api/", "bin/", "consumers/", "docs/", "events/", "infra/", "node_modules/", "producers/", "tenants/", "workflows/", "go.mod", "README.md",
		}}, nil},
		{"what does not", archtest.Tree{Top: []string{"api/", "main.go", "pkg/", "README.md"}},
			[]string{"main.go: Go at the root", "pkg/: not one of the top-level folders"}},
	})
}

func TestFileSize(t *testing.T) {
	run(t, archtest.FileSize, []check{{"long", tree(
		archtest.File{Path: "api/a.go", Lines: 600},
		archtest.File{Path: "api/b.go", Lines: 601},
		archtest.File{Path: "api/c.go", Lines: 9000, Generated: true},
		archtest.File{Path: "infra/glue/host.mjs", Lines: 601},
	), []string{"api/b.go: 601 lines, allowed are 600", "infra/glue/host.mjs: 601 lines, allowed are 600"}}})
}

func TestPackageComments(t *testing.T) {
	doc := func(path, pkg, text string) archtest.File { return archtest.File{Path: path, Package: pkg, Doc: text} }
	run(t, archtest.PackageComments, []check{
		{"there", tree(
			doc("api/doc.go", "api", "Package api is how outsiders ask.\n"), doc("api/a.go", "api", ""), doc("api/a_test.go", "api_test", ""),
			doc("infra/cmd/levada/main.go", "main", "Command levada runs it.\n"),
			archtest.File{Path: "infra/glue/host.mjs"},
		), nil},
		{"missing or wrong", tree(
			doc("api/a.go", "api", ""),
			doc("events/doc.go", "events", "Package event is another.\n"),
			doc("infra/cmd/levada/main.go", "main", "Package main runs it.\n"),
			doc("tenants/a_test.go", "tenants_test", "Package tenants_test is no package to anybody.\n"),
		), []string{
			`api: no package comment that starts with "Package api "`,
			`events: no package comment that starts with "Package events "`,
			`infra/cmd/levada: no package comment that starts with "Command levada "`,
		}},
	})
}
