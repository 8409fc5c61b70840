package generate

import (
	"fmt"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"

	"levada.dev/workflows/llm"
)

// Binding is a binding to be made: a name in a Worker's env.
type Binding struct {
	Name   string
	Worker string // its role
	Kind   string // one of BindingKinds
	Target string // what it leads to; from the name when empty
}

// kind is how the table calls a kind of binding, and how a resource of it comes to be.
type kind struct {
	constant string
	resource func(d *draft, target string) error // makes it, or refuses; nil: there is none
}

// bindingKinds are the kinds by what people call them.
var bindingKinds = map[string]kind{
	"kv":        {"KV", func(d *draft, t string) error { return d.resource("kv", t, "[]Namespace") }},
	"r2":        {"R2", func(d *draft, t string) error { return d.resource("r2", t, "[]Bucket") }},
	"queue":     {"Producer", func(d *draft, t string) error { return d.newQueue(t) }},
	"object":    {"Class", (*draft).knownClass},
	"workflow":  {"Flow", (*draft).knownFlow},
	"vectorize": {"Vectorize", (*draft).knownIndex},
	"service":   {"Service", (*draft).knownRole},
	"ai":        {"AI", nil},
}

// BindingKinds are the kinds of bindings.
func BindingKinds() []string { return slices.Sorted(maps.Keys(bindingKinds)) }

var envName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// NewBinding plans a binding, and the resource that it leads to where that is not there yet.
func NewBinding(o Options, b Binding) (*Plan, error) {
	if !envName.MatchString(b.Name) || len(b.Name) > 2*maxName {
		return nil, refuse(codeName, "", "binding", "use upper-case letters, digits and single underscores, a letter first, such as REPORTS", "%.60q cannot be a name in a Worker's env", b.Name)
	}
	k, ok := bindingKinds[b.Kind]
	if !ok {
		return nil, refuse(codeOption, "", "kind", "one of "+strings.Join(BindingKinds(), ", "), "%.40q is no kind of binding", b.Kind)
	}
	d := newDraft(o, "binding", b.Name)
	roles, err := d.roles()
	if err != nil {
		return nil, err
	}
	constant, ok := roles[b.Worker]
	if !ok {
		return nil, refuse(codeOption, "", "worker", "one of "+strings.Join(slices.Sorted(maps.Keys(roles)), ", "), "there is no Worker %.40q", b.Worker)
	}
	switch {
	case k.resource == nil && b.Target != "":
		return nil, refuse(codeOption, "", "target", "leave it out", "a binding to %s leads nowhere else", b.Kind)
	case k.resource != nil && b.Target == "":
		b.Target = targetOf(b.Kind, b.Name)
	}
	if k.resource != nil {
		if err := k.resource(d, b.Target); err != nil {
			return nil, err
		}
	}
	if err := d.bind(constant, b.Name, k.constant, goTarget(b.Target)); err != nil {
		return nil, err
	}
	d.note("next: go test ./infra/stack")
	return d.plan()
}

// targetOf is the resource that a binding's name means.
func targetOf(kind, name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	if kind == "object" {
		return parts(words).Go()
	}
	if kind == "vectorize" && words[0] == "vectors" {
		words = words[1:]
	}
	return strings.Join(words, "-")
}

func parts(words []string) name { return name{words: words} }

func goTarget(target string) string {
	if target == "" {
		return ""
	}
	return fmt.Sprintf("%q", target)
}

// bind adds a binding to the Worker of a role. The target is Go; it may be empty.
func (d *draft) bind(constant, env, kind, target string) error {
	row := fmt.Sprintf("{Name: %q, Kind: %s", env, kind)
	if target != "" {
		row += ", Target: " + target
	}
	row += "}"
	return d.table("levadaWorkers", row, func(s *source, f *ast.FuncDecl) error {
		call, ok := s.worker(constant)
		if !ok {
			return s.missing("levadaWorker("+constant+", ...)", row)
		}
		for _, has := range s.bindings(f, call) {
			if text(has, "Name") != env {
				continue
			}
			theirs, _ := field(has, "Kind")
			leads, _ := field(has, "Target")
			if theirs != nil && s.said(theirs) == kind && (leads == nil && target == "" || leads != nil && s.said(leads) == target) {
				return nil
			}
			return refuse(codeTaken, s.name, env, "take another name", "the Worker has another binding of that name, in line %d", s.line(has.Pos()))
		}
		for _, arg := range call.Args {
			if list, ok := arg.(*ast.CompositeLit); ok && s.said(list.Type) == "[]Binding" {
				s.add(list, row)
				return nil
			}
		}
		s.addArg(call, "[]Binding{"+row+"}")
		return nil
	})
}

// bindings are those of a Worker that the table spells out: in its call, and in the variables that the call takes.
func (s *source) bindings(f *ast.FuncDecl, call *ast.CallExpr) (all []*ast.CompositeLit) {
	values := s.variables(f)
	var collect func(e ast.Expr)
	collect = func(e ast.Expr) {
		switch x := e.(type) {
		case *ast.Ident:
			collect(values[x.Name])
		case *ast.CompositeLit:
			if x.Type != nil && s.said(x.Type) == "[]Binding" {
				for _, e := range x.Elts {
					collect(e)
				}
				return
			}
			all = append(all, x)
		}
	}
	for _, arg := range call.Args[1:] {
		collect(arg)
	}
	return all
}

// variables are the values that a function's variables begin with.
func (s *source) variables(f *ast.FuncDecl) map[string]ast.Expr {
	values := map[string]ast.Expr{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.ValueSpec:
			for i, name := range x.Names {
				if i < len(x.Values) {
					values[name.Name] = x.Values[i]
				}
			}
		case *ast.AssignStmt:
			for i, to := range x.Lhs {
				name, ok := to.(*ast.Ident)
				if _, known := values[nameOf(name, ok)]; ok && !known && i < len(x.Rhs) {
					values[name.Name] = x.Rhs[i]
				}
			}
		}
		return true
	})
	return values
}

func nameOf(i *ast.Ident, ok bool) string {
	if !ok {
		return ""
	}
	return i.Name
}

// resource adds the row of a store that is not there yet.
func (d *draft) resource(kind, target, list string) error {
	if _, err := parseName(kind, target, true); err != nil && !d.has("Levada", list, target) {
		return err
	}
	return d.row("Levada", list, fmt.Sprintf("{Name: %q}", target), named(target))
}

// newQueue adds the row of a queue that is not there yet.
func (d *draft) newQueue(target string) error {
	if d.has("levadaQueues", "[]Queue", target) {
		return nil
	}
	if _, err := parseName("queue", target, false); err != nil {
		return err
	}
	d.note("the consumers take what comes by the new queue; levada new consumer writes a stage with its handler")
	return d.queueRow(target, "")
}

// has reports whether a list of the table has an element with a name.
func (d *draft) has(function, list, target string) (found bool) {
	_ = d.table(function, "", func(s *source, f *ast.FuncDecl) error {
		if l, ok := s.literal(f, list); ok {
			found = named(target)(s, l)
		}
		return nil
	})
	return found
}

func (d *draft) knownRole(target string) error {
	roles, err := d.roles()
	if err != nil || roles[target] != "" {
		return err
	}
	return refuse(codeOption, "", "target", "make it: levada new worker "+target, "there is no Worker %.40q", target)
}

func (d *draft) knownClass(target string) (err error) {
	found := false
	err = d.table("levadaObjects", "", func(s *source, f *ast.FuncDecl) error {
		_, found = find(f, func(b *ast.BasicLit) bool { return quoted(b) == target })
		return nil
	})
	if err == nil && !found {
		return refuse(codeOption, "", "target", "make it: levada new object "+strings.ToLower(target), "there is no class %.40q", target)
	}
	return err
}

func (d *draft) knownFlow(target string) error {
	var known []string
	err := d.table("levadaWorkflows", "", func(s *source, f *ast.FuncDecl) error {
		list, ok := s.literal(f, "[]Workflow")
		if !ok {
			return s.missing("levadaWorkflows", "")
		}
		for _, e := range list.Elts {
			if l, ok := e.(*ast.CompositeLit); ok {
				known = append(known, strings.ToLower(text(l, "Class")))
			}
		}
		return nil
	})
	if err == nil && !slices.Contains(known, target) {
		return refuse(codeOption, "", "target", "one of "+strings.Join(known, ", ")+", or make it: levada new workflow "+target, "there is no workflow %.40q", target)
	}
	return err
}

func (d *draft) knownIndex(target string) error {
	var known []string
	for _, m := range llm.EmbeddingModels() {
		known = append(known, m.Slug)
	}
	if slices.Contains(known, target) {
		return nil
	}
	return refuse(codeOption, "", "target", "one of "+strings.Join(known, ", "), "there is no index %.40q: each embedding model has one", target)
}
