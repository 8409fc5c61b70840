package validate

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Checker is a JSON Schema (draft 2020-12) that texts are held against. It is compiled when it is first needed.
type Checker struct{ compiled func() *jsonschema.Schema }

// NewChecker makes a Checker of a schema of this repository. One that is none panics when it is first used.
func NewChecker(name string, schema []byte) Checker {
	return Checker{sync.OnceValue(func() *jsonschema.Schema {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
		if err != nil {
			panic(fmt.Errorf("%s: %w", name, err)) // a file of this repository, which tests compile
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, doc); err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		return c.MustCompile(name)
	})}
}

// Problems is what the schema finds in a text.
func (c Checker) Problems(b []byte) tenants.Problems {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return tenants.Problems{{Message: "is not JSON: " + err.Error()}}
	}
	var failed *jsonschema.ValidationError
	if !errors.As(c.compiled().Validate(doc), &failed) {
		return nil
	}
	return leaves(failed, nil)
}

var tenantSchema = NewChecker("tenant.schema.json", tenants.Schema())

// schemaProblems is what the JSON Schema finds. tenants.Inspect says the same with better words; this is the second
// opinion, and what editors show.
func schemaProblems(b []byte) tenants.Problems { return tenantSchema.Problems(b) }

// leaves collects the errors that have no cause of their own.
func leaves(e *jsonschema.ValidationError, found tenants.Problems) tenants.Problems {
	at := fault.Path("", e.InstanceLocation...)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			found = append(found, tenants.Problem{Path: join(at, name), Message: "is not a known field"})
		}
		return found
	case *kind.Required:
		for _, name := range k.Missing {
			found = append(found, tenants.Problem{Path: join(at, name), Message: "is required"})
		}
		return found
	case *kind.PropertyNames:
		// The location of this kind shares memory with later ones and is wrong by now; the schema's is not.
		at = fault.Path("", schemaLocation(e.SchemaURL)...)
		return append(found, tenants.Problem{Path: join(at, k.Property), Message: "is not an allowed name"})
	}
	if len(e.Causes) == 0 {
		words := e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		return append(found, tenants.Problem{Path: at, Message: words})
	}
	for _, cause := range e.Causes {
		found = leaves(cause, found)
	}
	return found
}

// schemaLocation is where a part of the schema applies: a/b for .../properties/a/properties/b/propertyNames.
func schemaLocation(url string) []string {
	_, pointer, _ := strings.Cut(url, "#")
	steps := strings.Split(pointer, "/")
	var location []string
	for i := 1; i+1 < len(steps); i += 2 {
		location = append(location, steps[i+1])
	}
	return location
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Merge adds to the problems those of more that are at no place, nor inside or around one, that has a problem.
func Merge(problems, more tenants.Problems) tenants.Problems {
	first := len(problems)
	for _, p := range more {
		known := false
		for _, q := range problems[:first] {
			known = known || q.Line > 0 || inside(p.Path, q.Path) || inside(q.Path, p.Path)
		}
		if !known {
			problems = append(problems, p)
		}
	}
	return problems
}

// inside reports whether one path is the other or below it.
func inside(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
