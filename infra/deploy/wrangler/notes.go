package wrangler

import (
	"fmt"
	"slices"

	"levada.dev/infra/stack"
)

// header is said at the top of a Worker's file: what it is, how it is deployed and what has to be there before.
func (p *Pool) header(w stack.Worker) []string {
	lines := []string{
		fmt.Sprintf("The Worker %q of the pool %s in %s. Written by levada wrangler from the table in infra/stack and the tenants' configuration:", w.Role, p.Unit.Pool, p.Unit.Env),
		"what is changed here is gone the next time. To deploy it, with CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN set, from the checkout:",
		"",
		"  " + p.deploy(w).String(),
		"",
	}
	var before []string
	for _, n := range p.needs() {
		if !p.uses(w, n) {
			continue
		}
		for _, s := range n.steps {
			before = append(before, "  "+s.String())
		}
	}
	if len(before) > 0 {
		lines = append(lines, "This has to be there before; other Workers of the pool use some of it, too:", "")
		lines = append(lines, before...)
		lines = append(lines, "")
	}
	return lines
}

// uses reports whether a Worker binds a resource, or receives from a queue or leaves its dead letters there.
func (p *Pool) uses(w stack.Worker, n need) bool {
	if slices.ContainsFunc(w.Bindings, func(b stack.Binding) bool { return b.Kind == n.kind && b.Target == n.name }) {
		return true
	}
	return n.kind == stack.Producer && slices.ContainsFunc(p.Stack.Queues, func(q stack.Queue) bool {
		return q.Consumer == w.Role && (q.Name == n.name || q.DeadLetter == n.name)
	})
}

// notes are the comments at the members of a Worker's file.
func (p *Pool) notes(w stack.Worker, c config) map[string][]string {
	notes := map[string][]string{
		"rules": {"The modules go as they were built and tested. wrangler would take a .js for CommonJS."},
	}
	if len(c.Migrations) > 0 {
		notes["migrations"] = []string{"The n-th class came with the tag vn. A class is added at the end; none is removed or moved: its objects' data hangs on it."}
	}
	if len(w.Secrets) > 0 {
		notes["secrets"] = []string{"Names only. To change one: npx wrangler secret put NAME --config " + p.configured(w.Role)}
	}
	if slices.ContainsFunc(w.Bindings, func(b stack.Binding) bool { return b.Kind == stack.KV && p.Namespaces[b.Target] == "" }) {
		notes["kv_namespaces"] = []string{"wrangler knows a namespace by its id alone, and would make one for each Worker that names none.",
			"levada wrangler takes the ids with --kv NAME=ID, or asks the account for them with --look-up."}
	}
	if len(p.Stack.WorkflowsOf(w.Role)) > 0 {
		notes["workflows"] = []string{"wrangler makes the Workflows that are bound: those of the Worker itself are here for that."}
	}
	if len(c.Triggers.Crons) == 0 {
		notes["triggers"] = []string{"None, said so that those of before are removed."}
	}
	return notes
}
