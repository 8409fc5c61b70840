package nx_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cli"
)

var update = flag.Bool("update", false, "write the schemas anew from the levada command")

// mirror is a generator or executor whose options are the arguments and flags of a command.
type mirror struct {
	Name      string   // "executors/deploy"
	Command   string   // "deploy"
	Arguments []string // of the command, in order
	Required  bool     // the arguments have to be given
	Always    []string // what is always passed
	Not       []string // flags that make no sense here
}

var mirrors = []mirror{
	{Name: "executors/dev", Command: "dev"},
	{Name: "executors/deploy", Command: "deploy", Arguments: []string{"tenant"}},
	{Name: "executors/deploy-all", Command: "deploy", Always: []string{"--all"}, Not: []string{"all"}},
	{Name: "executors/drift", Command: "drift", Arguments: []string{"tenant"}},
	{Name: "generators/tenant", Command: "new tenant", Arguments: []string{"id"}, Required: true, Always: planned, Not: planning("yes")},
	{Name: "generators/worker", Command: "new worker", Arguments: []string{"name"}, Required: true, Always: planned, Not: planning()},
	{Name: "generators/binding", Command: "new binding", Arguments: []string{"name"}, Required: true, Always: planned, Not: planning()},
}

// planned is what a generator asks a command for: the plan, to do it in Nx's tree.
var planned = []string{"--dry-run", "--json"}

// planning are the flags that a generator does not have: what is always passed, and what makes no sense without a terminal.
func planning(more ...string) []string { return append(more, "dry-run", "json") }

// TestSchemasAreWhatTheCommandTakes holds every schema against the command line, in both directions: names, types, words.
func TestSchemasAreWhatTheCommandTakes(t *testing.T) {
	commands := commands(t)
	for _, m := range mirrors {
		t.Run(m.Name, func(t *testing.T) {
			c, there := commands[m.Command]
			require.True(t, there, "levada has no command %q", m.Command)
			for _, argument := range m.Arguments {
				assert.Contains(t, strings.ToUpper(c.Use), strings.ToUpper(argument), "the command takes no such argument")
			}
			for _, name := range m.Not {
				assert.True(t, slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Name == name }), "there is no flag %s to leave out", name)
			}
			want := schemaOf(m, c)
			file := filepath.Join("schemas", filepath.FromSlash(m.Name)+".json")
			if *update {
				require.NoError(t, os.WriteFile(file, want, 0o644))
			}
			got, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./infra/nx -update writes it")
			assert.Equal(t, string(want), string(got), "levada %s has changed: go test ./infra/nx -update", m.Command)
		})
	}
}

// TestEveryGeneratorAndExecutorHasItsSchema finds what is published and is held against nothing.
func TestEveryGeneratorAndExecutorHasItsSchema(t *testing.T) {
	known := []string{"generators/init", "executors/test"} // their own
	for _, m := range mirrors {
		known = append(known, m.Name)
	}
	var published []string
	for _, kind := range []string{"generators", "executors"} {
		var file map[string]map[string]struct{ Implementation, Schema, Description string }
		text, err := os.ReadFile(kind + ".json")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &file))
		for name, entry := range file[kind] {
			published = append(published, kind+"/"+name)
			assert.Equal(t, "./dist/"+kind+"/"+name, entry.Implementation)
			assert.Equal(t, "./schemas/"+kind+"/"+name+".json", entry.Schema)
			assert.NotEmpty(t, entry.Description)
		}
	}
	assert.ElementsMatch(t, known, published)
}

// commands are those of levada commands --json, by name.
func commands(t *testing.T) map[string]cli.Command {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Zero(t, cli.Execute(t.Context(), []string{"commands", "--json"}, &stdout, &stderr), "%s", &stderr)
	var all []cli.Command
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &all))
	byName := map[string]cli.Command{}
	for _, c := range all {
		byName[c.Name] = c
	}
	return byName
}

// object is a JSON object that keeps its order.
type object []member

type member struct {
	Key   string
	Value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(m.Value); err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", m.Key, bytes.TrimSpace(text.Bytes()))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// schemaOf is the schema of a command. It has no defaults: what is not given is not passed, so that the command's own apply.
func schemaOf(m mirror, c cli.Command) []byte {
	properties := object{}
	for i, name := range m.Arguments {
		p := object{{"type", "string"}, {"description", strings.ToUpper(name) + ", as in: " + c.Use}, {"$default", object{{"$source", "argv"}, {"index", i}}}}
		if m.Required {
			p = append(p, member{"x-prompt", "Which " + name + "?"})
		}
		properties = append(properties, member{camel(name), p})
	}
	for _, f := range c.Flags {
		if !slices.Contains(m.Not, f.Name) {
			properties = append(properties, member{camel(f.Name), property(f)})
		}
	}
	arguments := []string{}
	for _, name := range m.Arguments {
		arguments = append(arguments, camel(name))
	}
	schema := object{
		{"$schema", "https://json-schema.org/schema"},
		{"$id", "levada-nx-" + strings.ReplaceAll(m.Name, "/", "-")},
		{"title", "levada " + c.Name},
		{"description", c.Short + "."},
		{"type", "object"},
		{"x-command", append(append([]string{"levada"}, strings.Fields(c.Name)...), m.Always...)},
		{"x-arguments", arguments},
		{"properties", properties},
	}
	if required := required(m, c, arguments); len(required) > 0 {
		schema = append(schema, member{"required", required})
	}
	schema = append(schema, member{"additionalProperties", false})
	var text bytes.Buffer
	compact, err := schema.MarshalJSON()
	if err != nil {
		panic(err) // strings and lists of them
	}
	if err := json.Indent(&text, compact, "", "  "); err != nil {
		panic(err)
	}
	return append(text.Bytes(), '\n')
}

// required are the options that have to be given.
func required(m mirror, c cli.Command, arguments []string) (names []string) {
	if m.Required {
		names = append(names, arguments...)
	}
	for _, f := range c.Flags {
		if f.Required {
			names = append(names, camel(f.Name))
		}
	}
	return names
}

// property is a flag as an option of Nx.
func property(f cli.Flag) object {
	usage := f.Usage
	if !slices.Contains([]string{"", "false", "[]", "0", "0s"}, f.Default) && !strings.Contains(usage, "(default") {
		usage += " (default " + f.Default + ")"
	}
	described := member{"description", usage}
	list := func(of string) object {
		return object{{"type", "array"}, {"items", object{{"type", of}}}, described}
	}
	switch f.Type {
	case "bool":
		return object{{"type", "boolean"}, described}
	case "int", "int64", "uint", "uint16":
		return object{{"type", "integer"}, described}
	case "float64":
		return object{{"type", "number"}, described}
	case "stringSlice", "stringArray":
		return list("string")
	case "intSlice":
		// Nx takes one number for a number, also where a list is wanted.
		return object{{"oneOf", []object{{{"type", "integer"}}, {{"type", "array"}, {"items", object{{"type", "integer"}}}}}}, described}
	default: // a string, or what is written as one: a duration, a size
		return object{{"type", "string"}, described}
	}
}

// camel is how Nx spells the name of a flag.
func camel(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// TestTheLockIsForEveryMachine: npm writes only the platforms that its registry has, and then refuses to install.
func TestTheLockIsForEveryMachine(t *testing.T) {
	var lock struct {
		Packages map[string]struct {
			Version              string
			Resolved             string
			OptionalDependencies map[string]string
		}
	}
	text, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &lock))
	for name, p := range lock.Packages {
		assert.Empty(t, p.Resolved, "%s names a registry", name)
		for dependency, version := range p.OptionalDependencies {
			assert.Equal(t, version, lock.Packages["node_modules/"+dependency].Version, "%s of %s", dependency, name)
		}
	}
	assert.NotEmpty(t, lock.Packages["node_modules/nx"].OptionalDependencies)
}
