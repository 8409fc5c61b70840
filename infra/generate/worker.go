package generate

import (
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Worker is a Worker to be made.
type Worker struct {
	Role    string
	Handler Handler
}

// Handler is what a Worker answers.
type Handler string

// The handlers.
const (
	HTTP  Handler = "http"  // requests of other Workers, by service bindings
	Queue Handler = "queue" // the batches of a queue of its own
)

// The budgets of new Workers in KiB: what the handler measures (levada build) and about 15 %.
const (
	httpBudgetKiB  = 1950
	queueBudgetKiB = 2350
)

// NewWorker plans a Worker: its entry point, its role and row in the table, and for a queue handler the queue.
func NewWorker(o Options, w Worker) (*Plan, error) {
	role, err := parseName("worker", w.Role, true)
	if err != nil {
		return nil, err
	}
	if w.Handler != HTTP && w.Handler != Queue {
		return nil, refuse(codeOption, "", "handler", "http or queue", "%q is no handler", w.Handler)
	}
	d := newDraft(o, "worker", role.Kebab)
	folder := "infra/workers/" + role.Kebab
	if err := d.notTaken(role, folder+"/main_js.go"); err != nil {
		return nil, err
	}
	budget := map[Handler]int{HTTP: httpBudgetKiB, Queue: queueBudgetKiB}[w.Handler]
	data := struct {
		Name   name
		Budget int
	}{role, budget}
	err = d.ownAll("worker", map[string]string{
		string(w.Handler) + "_js.go":   folder + "/main_js.go",
		string(w.Handler) + "_test.go": folder + "/main_test.go",
	}, data)
	if err != nil {
		return nil, err
	}
	if err := d.roleConst(role); err != nil {
		return nil, err
	}
	row := "levadaWorker(" + role.Go() + ", " + strconv.Itoa(budget) + ")"
	err = d.row("levadaWorkers", "[]Worker", row, func(s *source, _ *ast.CompositeLit) bool { return s.hasWorker(role.Go()) })
	if err != nil {
		return nil, err
	}
	if w.Handler == Queue {
		if err := d.queueRow(role.Kebab, role.Go()); err != nil {
			return nil, err
		}
		d.note("who sends to it needs a binding: levada new binding %s --worker ROLE --kind queue --target %s", role.Env(), role.Kebab)
	} else {
		d.note("who calls it needs a binding: levada new binding %s --worker ROLE --kind service --target %s", role.Env(), role.Kebab)
	}
	d.note("next: go test ./infra/stack ./%s", folder)
	return d.plan()
}

// notTaken refuses the name of a Worker that is there and that no generator made.
func (d *draft) notTaken(role name, main string) error {
	roles, err := d.roles()
	if err != nil || roles[role.Kebab] == "" {
		return err
	}
	text, err := read(d.Root, main)
	if err == nil && text == nil {
		return refuse(codeTaken, stackFolder, role.Kebab, "take another name", "is a role already; there are %s", strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
	}
	return err
}

// hasWorker reports whether the table makes a Worker of a role.
func (s *source) hasWorker(constant string) bool {
	_, ok := s.worker(constant)
	return ok
}

// worker is the call that makes the Worker of a role.
func (s *source) worker(constant string) (*ast.CallExpr, bool) {
	return find(s.tree, func(c *ast.CallExpr) bool {
		if f, ok := c.Fun.(*ast.Ident); !ok || f.Name != "levadaWorker" || len(c.Args) == 0 {
			return false
		}
		role, ok := c.Args[0].(*ast.Ident)
		return ok && role.Name == constant
	})
}
