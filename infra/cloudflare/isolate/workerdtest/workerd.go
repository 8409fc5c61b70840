//go:build unix

package workerdtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levada.dev/infra/glue"
)

// Worker describes a Worker under test.
type Worker struct {
	Main      string            // the Go main package; empty for a Worker in JavaScript only
	Entry     string            // source of the entry module
	MemoryMiB int               // maximum of Go's memory, 0 for none
	Env       map[string]string // text variables
	Services  map[string]string // service bindings: name -> source of a JavaScript Worker
	Objects   map[string]string // Durable Object bindings: name -> class
}

// Start runs the Worker on workerd until the end of the test.
func Start(t testing.TB, w Worker) *Server {
	t.Helper()
	bin, dir := tool(t, ".bin", "workerd"), temp(t)
	config := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(config, []byte(capnp(t, dir, w)), 0o644); err != nil {
		t.Fatal(err)
	}
	// workerd tells on the control descriptor which port it got.
	control, controlEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	cmd := exec.Command(bin, "serve", "--control-fd=3", config, "config")
	cmd.ExtraFiles = []*os.File{controlEnd}
	s := launch(t, cmd)
	_ = controlEnd.Close()
	lines := bufio.NewScanner(control)
	for lines.Scan() {
		var e struct {
			Event string
			Port  int
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Event == "listen" {
			s.URL = fmt.Sprintf("http://127.0.0.1:%d", e.Port)
			return s
		}
	}
	t.Fatalf("workerd did not start:\n%s", s.Log())
	return nil
}

func capnp(t testing.TB, dir string, w Worker) string {
	var modules, bindings, objects, services strings.Builder
	for _, name := range layOut(t, dir, w) {
		kind := "esModule"
		if strings.HasSuffix(name, ".wasm") {
			kind = "wasm"
		}
		fmt.Fprintf(&modules, "(name=%q, %s=embed %q), ", name, kind, name)
	}
	for _, k := range sorted(w.Env) {
		fmt.Fprintf(&bindings, "(name=%q, text=%q), ", k, w.Env[k])
	}
	for i, k := range sorted(w.Services) {
		file := fmt.Sprintf("service%d.mjs", i)
		if err := os.WriteFile(filepath.Join(dir, file), []byte(w.Services[k]), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&bindings, "(name=%q, service=%q), ", k, k)
		fmt.Fprintf(&services, "(name=%q, worker=(compatibilityDate=%q, modules=[(name=%q, esModule=embed %q)])), ", k, glue.CompatibilityDate, file, file)
	}
	for _, k := range sorted(w.Objects) {
		fmt.Fprintf(&bindings, "(name=%q, durableObjectNamespace=%q), ", k, w.Objects[k])
		fmt.Fprintf(&objects, "(className=%q, uniqueKey=%q, enableSql=true), ", w.Objects[k], w.Objects[k])
	}
	storage := ""
	if len(w.Objects) > 0 {
		data := filepath.Join(dir, "data")
		if err := os.Mkdir(data, 0o755); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&services, "(name=\"disk\", disk=(path=%q, writable=true)), ", data)
		storage = fmt.Sprintf("durableObjectNamespaces=[%s], durableObjectStorage=(localDisk=\"disk\"),", objects.String())
	}
	return fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ %s (name="worker", worker= .worker) ],
  sockets = [ (name="http", address="127.0.0.1:0", http=(), service="worker") ],
  v8Flags = ["--expose-gc"],
);
const worker :Workerd.Worker = (
  compatibilityDate=%q, compatibilityFlags=[%s],
  modules=[ %s ], bindings=[ %s ], %s
);
`, services.String(), glue.CompatibilityDate, quoted(glue.CompatibilityFlags()), modules.String(), bindings.String(), storage)
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
