package validate

import (
	"fmt"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/schema"
)

// checkTools compiles the schemas of a tenant's HTTP tools, and refuses private networks in production.
func (s *set) checkTools(m member, env string) {
	for i, t := range m.config.Tools.HTTP {
		at := fmt.Sprintf("tools.http[%d]", i)
		if env == Prod && t.Private {
			s.add(m.file, at+".private", "leave it out", "calling private networks is refused in the environment %s", Prod)
		}
		s.checkSchema(m.file, at+".input", string(t.Input))
		s.checkSchema(m.file, at+".output", string(t.Output))
	}
}

// checkSchema finds what is wrong with a schema that seems to be one so far.
func (s *set) checkSchema(file, at, text string) {
	known := func(p tenants.Problem) bool { return p.File == file && inside(p.Path, at) }
	if text == "" || slices.ContainsFunc(s.problems, known) {
		return
	}
	if _, err := schema.Compile(text); err != nil {
		s.add(file, at, "", "%s", strings.ReplaceAll(fault.As(err).Message, "\n", " "))
	}
}
