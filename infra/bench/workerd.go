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
	"slices"
	"strings"
	"time"

	"levada.dev/infra/glue"
)

// Workerd is a workerd of its own, so that the CPU time and memory of what it serves can be told from any other's.
type Workerd struct {
	URL string
	PID int
	cmd *exec.Cmd
}

// site is what one workerd serves.
type site struct {
	services []service         // the first answers requests
	external map[string]string // services elsewhere: name -> host and port
	state    string            // the folder that keeps the Durable Objects, if there are any
}

// service is one Worker.
type service struct {
	name     string
	dir      string // worker.mjs and all other modules
	flags    []string
	vars     map[string]string
	bindings map[string]string // other bindings: name -> what it is, in workerd's own language
	classes  []string          // of Durable Objects
}

// startWorkerd serves the modules below dir, worker.mjs first, on a free port of the loopback interface.
func startWorkerd(ctx context.Context, root, dir string, vars map[string]string, flags ...string) (*Workerd, error) {
	return startSite(ctx, root, dir, site{services: []service{{name: "main", dir: dir, flags: flags, vars: vars}}})
}

// startSite serves a site, whose configuration is written to dir.
func startSite(ctx context.Context, root, dir string, s site) (*Workerd, error) {
	config, err := s.capnp(dir)
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

// capnp is the site as a workerd configuration that lies in dir.
func (s site) capnp(dir string) (string, error) {
	var services []string
	for _, w := range s.services {
		text, err := w.capnp(dir)
		if err != nil {
			return "", err
		}
		services = append(services, text)
	}
	for name, address := range s.external {
		services = append(services, fmt.Sprintf("(name=%q, external=(address=%q, http=()))", name, address))
	}
	if s.state != "" {
		services = append(services, fmt.Sprintf("(name=%q, disk=(path=%q, writable=true))", diskService, s.state))
	}
	return fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    %s
  ],
  sockets = [(name="http", address="127.0.0.1:0", http=(), service=%q)],
);
`, strings.Join(services, ",\n    "), s.services[0].name), nil
}

// diskService is the service that keeps the Durable Objects' databases.
const diskService = "disk"

// capnp is the Worker as a service of a configuration that lies in dir, which embeds its modules by their paths from there.
func (w service) capnp(dir string) (string, error) {
	from, err := filepath.Rel(dir, w.dir)
	if err != nil {
		return "", err
	}
	var modules, bindings, flags, classes []string
	paths, err := modulePaths(w.dir)
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		kind := "esModule"
		if strings.HasSuffix(path, ".wasm") {
			kind = "wasm"
		}
		modules = append(modules, fmt.Sprintf("(name=%q, %s=embed %q)", path, kind, filepath.ToSlash(filepath.Join(from, path))))
	}
	for name, value := range w.vars {
		bindings = append(bindings, fmt.Sprintf("(name=%q, text=%q)", name, value))
	}
	for name, is := range w.bindings {
		bindings = append(bindings, fmt.Sprintf("(name=%q, %s)", name, is))
	}
	for _, f := range w.flags {
		flags = append(flags, fmt.Sprintf("%q", f))
	}
	for _, c := range w.classes {
		classes = append(classes, fmt.Sprintf("(className=%q, uniqueKey=%q, enableSql=true)", c, w.name+"-"+c))
	}
	storage := ""
	if len(classes) > 0 {
		storage = fmt.Sprintf("\n      durableObjectNamespaces=[%s], durableObjectStorage=(localDisk=%q),", strings.Join(classes, ", "), diskService)
	}
	return fmt.Sprintf(`(name=%q, worker=(
      compatibilityDate=%q, compatibilityFlags=[%s],
      modules=[%s],
      bindings=[%s],%s
    ))`, w.name, glue.CompatibilityDate, strings.Join(flags, ", "), strings.Join(modules, ", "), strings.Join(bindings, ", "), storage), nil
}

// modulePaths are the modules below dir, the main one first.
func modulePaths(dir string) ([]string, error) {
	const entry = "worker.mjs"
	paths := []string{entry}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		module := slices.Contains([]string{".mjs", ".js", ".wasm"}, filepath.Ext(path))
		if err == nil && !d.IsDir() && path != entry && module {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}
