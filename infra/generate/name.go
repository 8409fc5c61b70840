package generate

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// name is what something is called, in every form that it is needed in.
type name struct {
	Kebab string   // word-count: a role, a queue, a class of the platform
	words []string // word, count
}

// maxName is the most characters of a name: a queue's has 63 with the pool, the environment and "-dlq"
// (https://developers.cloudflare.com/queues/platform/limits/).
const maxName = 24

const nameHint = "use 2 to 24 lower-case letters and digits, a letter first"

// reserved are names that code around the generated has, that tools give a meaning, or that a file must not have on some system.
var reserved = []string{
	"api", "app", "assert", "all", "book", "call", "client", "cloudflare", "consumers", "context", "doc", "docs", "embed", "encoding", "errors", "events", "fault", "flow",
	"flowtest", "fmt", "infra", "internal", "isolate", "js", "json", "kv", "levada", "log", "main", "memory", "msgs", "object", "objects", "pool", "port", "ports", "queue", "r2", "require",
	"rows", "shared", "slices", "strings", "slog", "http", "logline", "dev", "devtest", "filepath", "io", "build",
	"acme", "globex", "items", "kept", "lost", "pad", "count", "body", "commit", "reply", "order", "errs", "broken", "got", "want", "delivery", "sample", "scope", "stack", "suite", "table", "tenants", "tenantstest", "test", "testdata", "testing", "time", "tool", "tools", "vendor", "workflow", "workflows",
	"aux", "con", "nul", "prn",
}

// parseName checks what something is to be called. Hyphens part words where the kind's names may have some.
func parseName(kind, s string, hyphens bool) (name, error) {
	hint := nameHint
	if hyphens {
		hint = strings.Replace(hint, "letters and digits", "letters, digits and single hyphens", 1)
	}
	bad := func(format string, args ...any) (name, error) {
		return name{}, refuse(codeName, "", kind, hint, format, args...)
	}
	switch {
	case s == "":
		return bad("has no name")
	case len(s) < 2 || len(s) > maxName:
		return bad("%.40q has %d characters", s, len(s))
	}
	n := name{Kebab: s, words: strings.Split(s, "-")}
	for i, word := range n.words {
		if word == "" || i == 0 && (s[0] < 'a' || s[0] > 'z') || !plain(word) || i > 0 && !hyphens {
			return bad("%.40q cannot be a name", s)
		}
	}
	pkg := n.Package()
	hint = "take another name"
	switch {
	case token.IsKeyword(pkg):
		return bad("%q is a word of the language", s)
	case types.Universe.Lookup(pkg) != nil:
		return bad("%q is a name that the language has", s)
	case slices.Contains(reserved, pkg):
		return bad("%q is a name that code around it has", s)
	}
	return n, nil
}

func plain(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// Go is the name as an exported identifier: WordCount.
func (n name) Go() string {
	var b strings.Builder
	for _, word := range n.words {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// Package is the name of a package and of its folder: wordcount.
func (n name) Package() string { return strings.Join(n.words, "") }

// Local is the name as an identifier of a file: wordCount.
func (n name) Local() string { return n.words[0] + n.Go()[len(n.words[0]):] }

// Env is the name of a binding: WORD_COUNT.
func (n name) Env() string { return strings.ToUpper(strings.Join(n.words, "_")) }

// Words is the name for people: word count.
func (n name) Words() string { return strings.Join(n.words, " ") }

// Snake is the name where models read it: word_count.
func (n name) Snake() string { return strings.Join(n.words, "_") }
