//go:build unix

package workerdtest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"levada.dev/infra/glue"
)

//go:embed miniflare.mjs
var script []byte

// StartMiniflare runs the Worker under Miniflare. options are the Worker's options of
// Miniflare (kvNamespaces, queueProducers, workflows, ...); a service binding may name one of
// w.Services, whose entrypoint classes are its exports: {"name": ..., "entrypoint": ...}.
func StartMiniflare(t testing.TB, w Worker, options map[string]any) *Server {
	t.Helper()
	node, dir := tool(t, ".bin", "node"), temp(t)
	tool(t, "miniflare")
	path := filepath.Join(dir, "miniflare.mjs")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		t.Fatal(err)
	}
	worker := maps.Clone(options)
	if worker == nil {
		worker = map[string]any{}
	}
	worker["name"] = "worker"
	worker["compatibilityDate"] = glue.CompatibilityDate
	worker["compatibilityFlags"] = glue.CompatibilityFlags()
	worker["bindings"] = w.Env
	config, err := json.Marshal(map[string]any{
		"root": Root(), "dir": filepath.Join(dir, "worker"), "modules": layOut(t, filepath.Join(dir, "worker"), w),
		"worker": worker, "services": w.Services, "state": filepath.Join(dir, "state"),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, path, string(config))
	out, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = end
	s := launch(t, cmd)
	_ = end.Close()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e struct{ URL string }
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.URL != "" {
			s.URL = e.URL
			go func() {
				defer out.Close()
				for lines.Scan() {
					_, _ = s.log.Write(append(lines.Bytes(), '\n'))
				}
			}()
			return s
		}
		_, _ = s.log.Write(append(lines.Bytes(), '\n'))
	}
	t.Fatalf("Miniflare did not start:\n%s", s.Log())
	return nil
}
