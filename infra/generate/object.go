package generate

import (
	"fmt"
	"go/ast"
	"strconv"
)

// Object is a class of Durable Objects to be made.
type Object struct {
	Name   string
	Worker string // the role that gets a binding to it; none when empty
}

// thing is what the templates of a package of its own are told.
type thing struct {
	Name    name
	Package string // how code elsewhere calls the package
	Import  string // how it imports it
}

func newThing(n name, folder string) thing {
	return thing{Name: n, Package: n.Package(), Import: strconv.Quote("levada.dev/" + folder + "/" + n.Package())}
}

// NewObject plans a class: what its objects decide, the class itself, the port that reaches it, and its row in the table.
func NewObject(o Options, x Object) (*Plan, error) {
	n, err := parseName("object", x.Name, true)
	if err != nil {
		return nil, err
	}
	d := newDraft(o, "object", n.Kebab)
	folder := "workflows/" + n.Package()
	class, adapter := "infra/cloudflare/objects/"+n.Package()+"_js.go", "infra/cloudflare/port/"+n.Package()+"_js.go"
	for _, err := range []error{
		d.ownFolder(folder),
		d.undeclared(class, "Register"+n.Go(), n.Local()+"Object"),
		d.undeclared(adapter, "New"+n.Go()),
		d.ownAll("object", map[string]string{
			"doc.go": folder + "/doc.go", "book.go": folder + "/book.go", "client.go": folder + "/client.go", "book_test.go": folder + "/book_test.go",
			"object_js.go": class, "port_js.go": adapter,
		}, newThing(n, "workflows")),
		d.classRow(n.Go()),
		d.registered("infra/workers/objects/main_js.go", "objects.Register"+n.Go(), "objects.Register"+n.Go()+"()"),
	} {
		if err != nil {
			return nil, err
		}
	}
	if x.Worker != "" {
		roles, err := d.roles()
		if err != nil {
			return nil, err
		}
		if roles[x.Worker] == "" {
			return nil, d.noWorker(x.Worker, roles)
		}
		if err := d.bind(roles[x.Worker], n.Env(), "Class", strconv.Quote(n.Go())); err != nil {
			return nil, err
		}
		d.note("there: port.New%s(object.Open(%q))", n.Go(), n.Env())
	} else {
		d.note("who calls it needs a binding: levada new binding %s --worker ROLE --kind object --target %s", n.Env(), n.Go())
	}
	d.note("a tenant's erasure does not know of it yet: give app.Erasure a store that sweeps it (workflows/erasure)")
	d.note("next: go test ./%s ./infra/stack", folder)
	return d.plan()
}

// registered adds a statement to a Worker's main, before the Worker runs, unless it calls the function already.
func (d *draft) registered(main, function, statement string, imports ...imported) error {
	return d.goFile(main, func(s *source) error {
		if _, there := s.call(s.tree, function); there {
			return nil
		}
		run, ok := find(s.tree, func(e *ast.ExprStmt) bool { return s.said(e) == "isolate.Run()" })
		if !ok {
			return s.missing("isolate.Run()", statement)
		}
		args := make([]any, len(imports))
		for i, in := range imports {
			args[i] = s.imported(in.path, in.alias)
		}
		s.addBefore(run, fmt.Sprintf(statement, args...))
		return nil
	})
}

// imported is a package that a statement uses, and what it is called where its own name means something else.
type imported struct{ path, alias string }
