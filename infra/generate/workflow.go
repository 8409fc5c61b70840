package generate

import (
	"go/ast"
	"strings"
)

// NewWorkflow plans a flow: its steps, what it keeps and where, its class, and who may start it.
func NewWorkflow(o Options, flow string) (*Plan, error) {
	n, err := parseName("workflow", flow, true)
	if err != nil {
		return nil, err
	}
	d := newDraft(o, "workflow", n.Kebab)
	folder := "workflows/" + n.Package()
	adapter := "infra/cloudflare/port/" + n.Package() + "results_js.go"
	pkg := imported{"levada.dev/" + folder, n.Package() + "flow"}
	for _, err := range []error{
		d.ownFolder(folder),
		d.undeclared(adapter, n.Go()+"Results", "New"+n.Go()+"Results"),
		d.ownAll("workflow", map[string]string{
			"doc.go": folder + "/doc.go", "flow.go": folder + "/" + n.Package() + ".go", "flow_test.go": folder + "/" + n.Package() + "_test.go", "port_js.go": adapter,
		}, newThing(n, "workflows")),
		d.workflowRow(n, pkg),
		d.registered("infra/workers/workflows/main_js.go", "port.New"+n.Go()+"Results",
			"port.RegisterFlow(\""+n.Go()+"\", %s.New(port.New"+n.Go()+"Results(r2.Open(\"CORPUS\"))).Flow, 0)", pkg),
		d.startedByConsumers(n, pkg),
	} {
		if err != nil {
			return nil, err
		}
	}
	d.note("a consumer starts it: consumers.Starts(runs, %s.Kind, ...)", n.Package())
	d.note("next: go test ./%s ./infra/stack", folder)
	return d.plan()
}

// workflowRow adds the class to the table, and the binding by which the consumers start it.
func (d *draft) workflowRow(n name, pkg imported) error {
	return d.table("levadaWorkflows", "{Class: "+n.Go()+"}", func(s *source, f *ast.FuncDecl) error {
		list, ok := s.literal(f, "[]Workflow")
		if !ok {
			return s.missing("levadaWorkflows", n.Go())
		}
		if hasElement(list, func(l *ast.CompositeLit) bool { return text(l, "Class") == n.Go() }) {
			return nil
		}
		known := s.imported(pkg.path, pkg.alias)
		s.add(list, "{Name: string("+known+".Kind), Class: \""+n.Go()+"\", Role: Workflows}")
		return nil
	})
}

// startedByConsumers has the consumers know the flow: in their table's bindings, and among the runs that they may start.
func (d *draft) startedByConsumers(n name, pkg imported) error {
	if err := d.bindFlow(n, pkg); err != nil {
		return err
	}
	return d.goFile("infra/workers/consumers/main_js.go", func(s *source) error {
		list, ok := s.literal(s.tree, "map[flow.Kind]workflow.Workflow")
		if !ok {
			return s.missing("map[flow.Kind]workflow.Workflow", n.Package()+".Kind")
		}
		opened := "workflow.Open(\"" + n.Env() + "\")"
		if strings.Contains(s.said(list), opened) {
			return nil
		}
		s.add(list, s.imported(pkg.path, pkg.alias)+".Kind: "+opened)
		return nil
	})
}

// bindFlow binds the consumers to the flow, by the package's name in the file of the table.
func (d *draft) bindFlow(n name, pkg imported) error {
	known := ""
	err := d.table("levadaWorkers", n.Env(), func(s *source, _ *ast.FuncDecl) error {
		known = s.imported(pkg.path, pkg.alias)
		return nil
	})
	if err != nil {
		return err
	}
	return d.bind("Consumers", n.Env(), "Flow", "string("+known+".Kind)")
}
