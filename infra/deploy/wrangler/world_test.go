package wrangler

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/build"
	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// compiled is where Node keeps wrangler's code between its runs: a third of the time each takes.
var compiled string

func TestMain(m *testing.M) {
	var err error
	if compiled, err = os.MkdirTemp("", "compiled-*"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(compiled)
	os.Exit(code)
}

// root is the checkout.
const root = "../../.."

// pools are those of two tenants, as different as pools get, in an environment.
func pools(env string) []Pool {
	acme := stack.Pool{
		Name: "acme", Env: env, Filterable: map[string]tenants.FieldType{"year": "number", "open": "boolean"},
		Budgets: []stack.Budget{{Tenant: "acme", USDPerDay: 20, USDPerMonth: 300}},
		Domains: []string{env + ".acme.example"}, Routes: []stack.Route{{Pattern: "acme.example/" + env + "/*", Zone: "acme.example"}},
	}
	beta := stack.Pool{Name: "beta-shared", Env: env, WorkersDev: true}
	return []Pool{
		{Unit: deploy.Unit{Pool: "acme", Env: env}, Stack: stack.Levada(acme), Account: strings.Repeat("a", 32), Namespaces: map[string]string{"config": strings.Repeat("c", 32), "cache": strings.Repeat("d", 32)}},
		{Unit: deploy.Unit{Pool: "beta-shared", Env: env}, Stack: stack.Levada(beta)},
	}
}

// site is a checkout of a kind: stand-ins of the built Workers, and the configurations of a pool beside them.
type site struct {
	dir   string // where wrangler is called
	home  string
	env   []string // beside what every wrangler gets
	files []File
}

// newSite writes what a pool needs to be deployed. The modules are of the shape of real ones, and small.
func newSite(t *testing.T, p *Pool) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), home: t.TempDir()}
	schema, err := filepath.Abs(filepath.Join(root, "node_modules/wrangler/config-schema.json"))
	require.NoError(t, err)
	p.Dir, p.Built, p.Schema = "wrangler", "../workers", filepath.ToSlash(schema)
	s.files, err = p.Files()
	require.NoError(t, err)
	for _, f := range s.files {
		s.write(t, filepath.Join(p.Dir, f.Path), string(f.Data))
		s.build(t, p.Stack, f.Role, "one")
	}
	return s
}

// build makes the modules of a Worker, and its files; what it says makes it another build.
func (s *site) build(t *testing.T, table stack.Stack, role stack.Role, says string) {
	t.Helper()
	entry := "import { worker } from \"./glue/index.mjs\";\n"
	for _, o := range table.ObjectsOf(role) {
		entry += "export class " + o.Class + " {}\n"
	}
	for _, w := range table.WorkflowsOf(role) {
		entry += "export class " + w.Class + " {}\n"
	}
	for name, data := range map[string]string{
		"worker.mjs":        entry + "export default worker;\n",
		"glue/index.mjs":    "import \"./wasm_exec.js\";\nimport app from \"./app.wasm\";\nexport const worker = { fetch: () => new Response(app && " + fmt.Sprintf("%q", says) + ") };\n",
		"glue/wasm_exec.js": "globalThis.Go = class {};\n",
		"glue/app.wasm":     "\x00asm\x01\x00\x00\x00",
	} {
		s.write(t, filepath.Join("workers", string(role), name), data)
	}
	if w, _ := table.Worker(role); w.Assets != nil {
		for name, data := range map[string]string{
			stack.HeadersFile: w.Assets.Path + "*\n  X-Frame-Options: DENY\n",
			"index.html":      "<title>" + says + "</title>\n", "404.html": "<title>nothing</title>\n", "app/main.js": "export {};\n",
		} {
			if name != stack.HeadersFile {
				name = w.Assets.Path + name
			}
			s.write(t, filepath.Join("workers", build.AssetsFolder(role), name), data)
		}
	}
}

func (s *site) write(t *testing.T, name, data string) {
	t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(data), 0o644))
}

// wrangler runs the real one. Nothing of this machine's wrangler, account or network settings reaches it.
func (s *site) wrangler(t *testing.T, stdin string, args ...string) (output string, err error) {
	bin, err := filepath.Abs(filepath.Join(root, "node_modules"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, ".bin", "node"), append([]string{filepath.Join(bin, "wrangler/bin/wrangler.js")}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_CONFIG_HOME=" + filepath.Join(s.home, "config"), "XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"),
		"CI=1", "NO_COLOR=1", "COLUMNS=400", "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true",
		"NODE_COMPILE_CACHE=" + compiled,
	}, s.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}
