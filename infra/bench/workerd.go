package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Workerd is one Worker alone in a workerd of its own, so that its CPU time and memory can be told from any other's.
type Workerd struct {
	URL string
	PID int
	cmd *exec.Cmd
}

// startWorkerd serves the modules below dir, worker.mjs first, on a free port of the loopback interface.
func startWorkerd(ctx context.Context, root, dir string, vars map[string]string, flags ...string) (*Workerd, error) {
	config, err := capnp(dir, vars, flags)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	bin, err := workerdBinary(root)
	if err != nil {
		return nil, err
	}
	control, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer control.Close()
	cmd := exec.CommandContext(ctx, bin, "serve", "--experimental", "--control-fd=3", path, "config")
	cmd.ExtraFiles = []*os.File{tell}
	cmd.Stderr = os.Stderr
	err = cmd.Start()
	tell.Close()
	if err != nil {
		return nil, err
	}
	w := &Workerd{PID: cmd.Process.Pid, cmd: cmd}
	port, err := listening(control)
	if err != nil {
		w.Stop()
		return nil, err
	}
	w.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	return w, nil
}

// Stop ends the process at once; a benchmark has nothing to save.
func (w *Workerd) Stop() {
	w.cmd.Process.Kill()
	w.cmd.Wait()
}

// listening reads the port from workerd's control messages.
func listening(control *os.File) (int, error) {
	control.SetReadDeadline(time.Now().Add(30 * time.Second))
	lines := bufio.NewScanner(control)
	for lines.Scan() {
		var m struct {
			Event string `json:"event"`
			Port  int    `json:"port"`
		}
		if json.Unmarshal(lines.Bytes(), &m) == nil && m.Event == "listen" {
			return m.Port, nil
		}
	}
	return 0, errors.Join(errors.New("workerd ended before it listened"), lines.Err())
}

// workerdBinary is the executable itself: the npm package's own command is a script around it.
func workerdBinary(root string) (string, error) {
	arch := map[string]string{"amd64": "64", "arm64": "arm64"}[runtime.GOARCH]
	bin := filepath.Join(root, "node_modules", "@cloudflare", "workerd-"+runtime.GOOS+"-"+arch, "bin", "workerd")
	if _, err := os.Stat(bin); err != nil {
		return "", fmt.Errorf("no workerd: run npm ci (%w)", err)
	}
	return bin, nil
}

// capnp is the workerd configuration of the modules below dir.
func capnp(dir string, vars map[string]string, flags []string) (string, error) {
	var modules []string
	add := func(path string) {
		kind := "esModule"
		if strings.HasSuffix(path, ".wasm") {
			kind = "wasm"
		}
		modules = append(modules, fmt.Sprintf("(name=%q, %s=embed %q)", path, kind, path))
	}
	add("worker.mjs")
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err == nil && !d.IsDir() && path != "worker.mjs" && (ext == ".mjs" || ext == ".js" || ext == ".wasm") {
			add(path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	var bindings []string
	for k, v := range vars {
		bindings = append(bindings, fmt.Sprintf("(name=%q, text=%q)", k, v))
	}
	quoted := make([]string, len(flags))
	for i, f := range flags {
		quoted[i] = fmt.Sprintf("%q", f)
	}
	return fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name="main", worker = .main)],
  sockets = [(name="http", address="127.0.0.1:0", http=(), service="main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  compatibilityFlags = [%s],
  modules = [%s],
  bindings = [%s],
);
`, strings.Join(quoted, ", "), strings.Join(modules, ",\n    "), strings.Join(bindings, ", ")), nil
}
