package generate

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// stackFolder has the table of what is deployed.
const stackFolder = "infra/stack"

// stackFile edits the file of the table that has something.
func (d *draft) stackFile(what, row string, has func(s *source) bool, change func(s *source) error) error {
	sources, err := d.stackSources()
	if err != nil {
		return err
	}
	for _, s := range sources {
		if has(s) {
			return d.goFile(s.name, change)
		}
	}
	return refuse(codeForm, stackFolder, what, "add by hand: "+row, "the place for it was not found")
}

// stackSources are the table's files as the draft has them, sorted by name.
func (d *draft) stackSources() ([]*source, error) {
	found, err := filepath.Glob(filepath.Join(d.Root, filepath.FromSlash(stackFolder), "*.go"))
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	var sources []*source
	for _, at := range found {
		base := filepath.Base(at)
		if strings.HasSuffix(base, "_test.go") {
			continue
		}
		name := path.Join(stackFolder, base)
		f, err := d.file(name)
		if err != nil {
			return nil, err
		}
		s, err := parseSource(name, f.after)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// table edits a function of the table.
func (d *draft) table(function, row string, change func(s *source, f *ast.FuncDecl) error) error {
	has := func(s *source) bool { _, ok := s.function(function); return ok }
	return d.stackFile(function, row, has, func(s *source) error {
		f, _ := s.function(function)
		return change(s, f)
	})
}

// row adds an element to the list of a type in a function of the table, unless same finds it.
func (d *draft) row(function, typ, element string, same func(s *source, l *ast.CompositeLit) bool) error {
	return d.table(function, element, func(s *source, f *ast.FuncDecl) error {
		list, ok := s.literal(f, typ)
		if !ok {
			return s.missing(function, element)
		}
		if !same(s, list) {
			s.add(list, element)
		}
		return nil
	})
}

// named tells whether a list has an element with a name.
func named(name string) func(*source, *ast.CompositeLit) bool {
	return func(_ *source, list *ast.CompositeLit) bool {
		return hasElement(list, func(l *ast.CompositeLit) bool { return text(l, "Name") == name })
	}
}

// queueRow adds a queue; its dead-letter queue is derived from it.
func (d *draft) queueRow(name, consumer string) error {
	more := ""
	if consumer != "" {
		more = "Consumer: " + consumer + ", "
	}
	return d.row("levadaQueues", "[]Queue", fmt.Sprintf("{Name: %q, %sMaxBatchSize: 10, MaxConcurrency: 2}", name, more), named(name))
}

// classRow adds a class of Durable Objects to the list of their names.
func (d *draft) classRow(class string) error {
	return d.table("levadaObjects", fmt.Sprintf("%q", class), func(s *source, f *ast.FuncDecl) error {
		if list, ok := s.literal(f, "[]string"); ok {
			if !slices.ContainsFunc(list.Elts, func(e ast.Expr) bool { return quoted(e) == class }) {
				s.add(list, fmt.Sprintf("%q", class))
			}
			return nil
		}
		list, ok := s.literal(f, "[]Object")
		if !ok {
			return s.missing("levadaObjects", class)
		}
		if !hasElement(list, func(l *ast.CompositeLit) bool { return text(l, "Class") == class }) {
			s.add(list, fmt.Sprintf("{Class: %q, Role: Objects}", class))
		}
		return nil
	})
}

// roles are the Workers of the table: the constant of each by its value.
func (d *draft) roles() (map[string]string, error) {
	all := map[string]string{}
	err := d.eachConst("Role", func(constant, value string) { all[value] = constant })
	return all, err
}

// eachConst calls f with each constant of a string type of the table.
func (d *draft) eachConst(typ string, f func(constant, value string)) error {
	sources, err := d.stackSources()
	if err != nil {
		return err
	}
	for _, s := range sources {
		for _, spec := range s.consts(typ) {
			f(spec.Names[0].Name, quoted(spec.Values[0]))
		}
	}
	return nil
}

// consts are the constants of a string type in a file.
func (s *source) consts(typ string) (all []*ast.ValueSpec) {
	for _, decl := range s.tree.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if t, ok := v.Type.(*ast.Ident); ok && t.Name == typ && len(v.Names) == 1 && len(v.Values) == 1 {
				all = append(all, v)
			}
		}
	}
	return all
}

// roleConst adds the constant of a role. What else the table calls by that name takes it.
func (d *draft) roleConst(role name) error {
	roles, err := d.roles()
	if err != nil || roles[role.Kebab] != "" {
		return err
	}
	sources, err := d.stackSources()
	if err != nil {
		return err
	}
	for _, s := range sources {
		if s.declares(role.Go()) {
			return refuse(codeTaken, s.name, role.Go(), "take another name", "%s is something else in package stack", role.Go())
		}
	}
	constant := fmt.Sprintf("%s Role = %q", role.Go(), role.Kebab)
	has := func(s *source) bool { return len(s.consts("Role")) > 0 }
	return d.stackFile("Role", constant, has, func(s *source) error {
		all := s.consts("Role")
		s.insert(all[len(all)-1].End(), "\n\t%s", constant)
		return nil
	})
}

// declares reports whether a file declares a name at its top.
func (s *source) declares(name string) bool {
	for _, decl := range s.tree.Decls {
		switch x := decl.(type) {
		case *ast.FuncDecl:
			if x.Recv == nil && x.Name.Name == name {
				return true
			}
		case *ast.GenDecl:
			for _, spec := range x.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
					return true
				}
				if v, ok := spec.(*ast.ValueSpec); ok && slices.ContainsFunc(v.Names, func(i *ast.Ident) bool { return i.Name == name }) {
					return true
				}
			}
		}
	}
	return false
}
