package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
)

// TestErrorsPage holds docs/errors.md to the table.
func TestErrorsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Errors\n\n" +
		"Every failure carries one of these codes, in `error.code` of the envelope or `code` of a problem. They are stable: match on them, never on messages.\n" +
		"`error.details.field` is the JSON path of a mistake in the body, `error.details.hint` the next step, `error.traceId` what to tell the operators.\n\n" +
		"| code | status | meaning |\n|---|---|---|\n")
	for _, c := range api.Codes() {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", c.Name, c.Status, c.Meaning)
	}
	b.WriteString("\nA turn of a conversation that fails when its stream has begun says so in its last event, `error`, with the same codes.\n")
	b.WriteString("\nA 503 with a code that is not listed means that something the platform depends on does not answer: try again after `Retry-After`.\n" +
		"\nThis page is made from `api/codes.go` by `go test ./api -update`.\n")
	golden(t, "../docs/errors.md", []byte(b.String()))
}

func TestCodesAreDistinctAndReal(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range api.Codes() {
		assert.Regexp(t, `^([a-z][a-z0-9_]*|[A-Z][A-Z_]*)$`, c.Name)
		assert.False(t, seen[c.Name], c.Name)
		assert.GreaterOrEqual(t, c.Status, 400, c.Name)
		assert.NotEmpty(t, c.Meaning, c.Name)
		assert.True(t, http.StatusText(c.Status) != "" || c.Status == 499, c.Name)
		seen[c.Name] = true
	}
}

// TestEveryCodeIsInTheTable reads the sources for codes that clients can get and nobody told them about.
func TestEveryCodeIsInTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, c := range api.Codes() {
		known[c.Name] = true
	}
	found := 0
	for _, pattern := range []string{"*.go", "../workflows/rag/*.go", "../producers/intake/*.go", "../producers/batch/*.go", "../workflows/imports/*.go", "../producers/webhook/*.go", "../workflows/corpus/format.go", "../workflows/corpus/address/*.go", "../workflows/corpus/web/*.go", "../workflows/corpus/extract/*.go",
		"../workflows/llm/*.go", "../workflows/llm/dialect/*.go", "../workflows/chat/*.go", "../workflows/chat/book/*.go", "../workflows/cache/*.go", "../workflows/corpus/book/*.go",
		"../workflows/erasure/*.go", "../workflows/reembed/*.go", "../workflows/letters/*.go", "../workflows/letters/book/*.go", "../producers/replay/*.go", "../consumers/*.go", "../consumers/*/*.go",
		"../events/meter/view/*.go", "../events/meter/alert/*.go", "../events/meter/book/*.go", "../tenants/*.go", "../tenants/call/*.go", "../tenants/quota/*.go", "../tenants/quota/book/*.go",
		"../workflows/speech/*.go", "../workflows/speech/audio/*.go", "../workflows/speech/book/*.go", "../workflows/speech/cut/*.go", "../workflows/speech/narrate/*.go", "../workflows/speech/play/*.go", "../workflows/speech/record/*.go", "../infra/cloudflare/port/*.go", "../infra/cloudflare/objects/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, code := range codesIn(t, file) {
				found++
				assert.True(t, known[code] || between[code], "%s makes %q, which is not in codes.go", file, code)
			}
		}
	}
	assert.Greater(t, found, 20, "the sources were read")
}

// between is the codes of what our own parts tell each other or an operator, which no client causes or sees.
var between = map[string]bool{
	"batch_invalid": true, "step_invalid": true, "limit_invalid": true, // what is counted, to its object
	"turn_over": true, "events_invalid": true, "news_too_large": true, // a session to a turn
	"ask_invalid": true, "exchange_late": true, "report_invalid": true, "day_invalid": true, "days_invalid": true, // a ledger of money to a purse
	"submission_invalid": true, "job_exists": true, "import_invalid": true, "import_gap": true, "import_sealed": true, "request_invalid": true, "method_unknown": true, // an object to its callers
	"cache_key": true, "cache_value": true, "cache_ttl": true, "cache_miss": true, "cache_unavailable": true, // a cache, which may fail
	"queue_unavailable": true, "vectors_count": true, "top_k_invalid": true, // queues and the index to consumers
	"key_not_found": true, "config_unavailable": true, "entry_not_found": true, // what is behind the directory
	"tenant_invalid": true, "config_invalid": true, "keys_invalid": true, "scope_unknown": true, "grant_invalid": true, // what is published
	"secret_invalid": true, "secret_not_found": true, "vault_invalid": true, // likewise
	"run_not_found": true, "step_failed": true, "workflow_unavailable": true, // runs of flows to who starts them, and to flows
	"take_over": true, "take_busy": true, "take_unshared": true, "part_invalid": true, "tape_differs": true, "tape_incomplete": true, "job_invalid": true, "narrate_order": true, "audio_mixed": true, // whoever makes a take to its desk, a join to who makes it
	"part_not_found": true, "part_too_large": true, "import_order": true, // an import to its flow
	"erasure_order": true, "reembed_order": true, "embedding_over": true, "letter_invalid": true, "fact_invalid": true, // an erasure to its flow, a consumer to the box of letters, consumers to each other
}

// codesIn finds the codes of the faults a file makes, except those of internal ones, which no client sees.
func codesIn(t *testing.T, file string) []string {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	require.NoError(t, err)
	position := map[string]int{"New": 1, "Invalidf": 1, "Missing": 0, "Unavailablef": 1}
	var found []string
	take := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			code, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			found = append(found, code)
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok { // of a constant such as CodeBusy
			for i, v := range spec.Values {
				if name := spec.Names[i].Name; len(name) > len("Code") && strings.HasPrefix(name, "Code") {
					take(v)
				}
			}
		}
		if field, ok := n.(*ast.KeyValueExpr); ok {
			if name, ok := field.Key.(*ast.Ident); ok && name.Name == "Code" { // of a job.Problem, a corpus.Progress
				take(field.Value)
			}
			return true
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if fn, ok := call.Fun.(*ast.SelectorExpr); ok && fn.Sel.Name == "cancel" && len(call.Args) == 4 { // of a version, in the ledger
			take(call.Args[2])
			return true
		}
		fn, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := fn.X.(*ast.Ident)
		at, known := position[fn.Sel.Name]
		if !ok || pkg.Name != "fault" || !known || len(call.Args) <= at {
			return true
		}
		if kind, ok := call.Args[0].(*ast.SelectorExpr); ok && kind.Sel.Name == "Internal" {
			return true
		}
		take(call.Args[at])
		return true
	})
	return found
}
