package wrangler

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
)

// The real wrangler accepts what is written, takes the modules as they are, and sees the bindings of the table and no others.
func TestWranglerAcceptsThePool(t *testing.T) {
	for _, p := range []Pool{pools("prod")[0], pools("stage")[1]} {
		s := newSite(t, &p)
		for _, f := range s.files {
			t.Run(f.Script, func(t *testing.T) {
				t.Parallel()
				out, err := s.wrangler(t, "", "deploy", "--config", p.configured(f.Role), "--dry-run")
				require.NoError(t, err, out)
				warnings := 0
				if w, _ := p.Stack.Worker(f.Role); w.Assets != nil && len(p.Stack.Routes) > 0 { // which are below a path, as a route is: that files answer there, too, is meant
					assert.Contains(t, out, "The following routes will attempt to serve Assets on a configured path")
					warnings = 1
				}
				assert.Equal(t, warnings, strings.Count(out, "WARNING"), out)
				assert.Equal(t, []string{"glue/app.wasm compiled-wasm", "glue/index.mjs esm", "glue/wasm_exec.js esm"}, modulesIn(out))
				w, _ := p.Stack.Worker(f.Role)
				assert.ElementsMatch(t, bindingsOf(&p, w), bindingsIn(out), out)
			})
		}
	}
}

var (
	moduleLine  = regexp.MustCompile(`(?m)^│ (glue/\S+) +│ (\S+) +│`)
	bindingLine = regexp.MustCompile(`(?m)^env\.(.*?) {2,}(\S.*?) *$`)
)

// modulesIn are the modules that a dry run attached.
func modulesIn(out string) (modules []string) {
	for _, m := range moduleLine.FindAllStringSubmatch(out, -1) {
		modules = append(modules, m[1]+" "+m[2])
	}
	return modules
}

// bindingsIn is the table of bindings that a dry run prints.
func bindingsIn(out string) (bindings []string) {
	for _, m := range bindingLine.FindAllStringSubmatch(out, -1) {
		bindings = append(bindings, m[1]+": "+m[2])
	}
	return bindings
}

// bindingsOf is what that table has to be.
func bindingsOf(p *Pool, w stack.Worker) (bindings []string) {
	say := func(name, target, kind string) {
		if target != "" {
			name += " (" + target + ")"
		}
		bindings = append(bindings, name+": "+kind)
	}
	prefix := p.Unit.Pool + "-" + p.Unit.Env + "-"
	for _, b := range w.Bindings {
		switch b.Kind {
		case stack.KV:
			id := p.Namespaces[b.Target]
			if id == "" {
				id = "<id of " + prefix + b.Target + ">"
			}
			say(b.Name, id, "KV Namespace")
		case stack.R2:
			say(b.Name, prefix+b.Target, "R2 Bucket")
		case stack.Producer:
			say(b.Name, prefix+b.Target, "Queue")
		case stack.Vectorize:
			say(b.Name, prefix+b.Target, "Vectorize Index")
		case stack.Class:
			if w.Role != stack.Objects {
				b.Target += ", defined in " + prefix + "objects"
			}
			say(b.Name, b.Target, "Durable Object")
		case stack.Flow:
			for _, f := range p.Stack.Workflows {
				if f.Name == b.Target {
					say(b.Name, f.Class+" (defined in "+prefix+string(f.Role)+")", "Workflow")
				}
			}
		case stack.Service:
			say(b.Name, prefix+b.Target, "Worker")
		case stack.Analytics:
			say(b.Name, strings.ReplaceAll(prefix+b.Target, "-", "_"), "Analytics Engine Dataset")
		case stack.AI:
			say(b.Name, "", "AI")
		case stack.Version:
			say(b.Name, "", "Worker Version Metadata")
		case stack.GatewayID:
			say(b.Name, `"`+prefix+b.Target+`"`, "Environment Variable")
		}
	}
	for name, value := range p.Stack.VarsOf(w) {
		say(name, `"`+value+`"`, "Environment Variable")
	}
	if w.Role == stack.Workflows { // wrangler makes what a Worker binds
		for _, f := range p.Stack.Workflows {
			say(strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")), f.Class, "Workflow")
		}
	}
	slices.Sort(bindings)
	return bindings
}
