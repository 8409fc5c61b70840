package build

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"levada.dev/infra/glue"
	"levada.dev/infra/stack"
)

// assemble makes the folder of a role hold exactly the given files, and tells
// whether that changed anything. The entry module comes last, so that a folder
// which is new is complete once it has one.
func assemble(dir, entry string, wasmExec, wasm []byte) (changed bool, err error) {
	files := map[string][]byte{"wasm_exec.js": wasmExec, "app.wasm": wasm}
	names, err := fs.Glob(glue.Files, "*")
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if files[name], err = glue.Files.ReadFile(name); err != nil {
			return false, err
		}
	}
	glueDir := filepath.Join(dir, "glue")
	if err := os.MkdirAll(glueDir, 0o755); err != nil {
		return false, err
	}
	for name, data := range files {
		wrote, err := writeChanged(filepath.Join(glueDir, name), data)
		if err != nil {
			return changed, err
		}
		changed = changed || wrote
	}
	removed, err := removeOthers(glueDir, files)
	if err != nil {
		return changed, err
	}
	wrote, err := writeChanged(filepath.Join(dir, "worker.mjs"), []byte(entry))
	return changed || removed || wrote, err
}

// entryModule is the source of a role's worker.mjs: workerd finds the classes of
// Durable Objects and Workflows by the names the module exports.
func entryModule(s *stack.Stack, role stack.Role) string {
	imports := []string{"worker"}
	var exports strings.Builder
	for i, o := range s.ObjectsOf(role) {
		if i == 0 {
			imports = append(imports, "object")
		}
		fmt.Fprintf(&exports, "export const %s = object(%q);\n", o.Class, o.Class)
	}
	for i, w := range s.WorkflowsOf(role) {
		if i == 0 {
			imports = append(imports, "workflow")
		}
		fmt.Fprintf(&exports, "export const %s = workflow(%q);\n", w.Class, w.Class)
	}
	return fmt.Sprintf("// Generated from the table in infra/stack.\nimport { %s } from \"./glue/index.mjs\";\n%sexport default worker();\n",
		strings.Join(imports, ", "), &exports)
}

// writeChanged puts data into the file, unless it is there already. A reader
// sees the old content or the new, never a part.
func writeChanged(path string, data []byte) (wrote bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return false, err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return false, errors.Join(err, os.Remove(temp.Name()))
	}
	return true, nil
}

// removeOthers removes what is not one of the files: modules that have gone
// since the last build, and what an interrupted one left.
func removeOthers(dir string, files map[string][]byte) (removed bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if _, ours := files[e.Name()]; ours {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return removed, err
		}
		removed = true
	}
	return removed, nil
}

// gzipSize is the size after gzip -9, which is what a budget is given in.
func gzipSize(data []byte) int64 {
	var n counter
	w, _ := gzip.NewWriterLevel(&n, gzip.BestCompression) // fails only for an unknown level
	w.Write(data)
	w.Close()
	return int64(n)
}

// counter counts what is written to it, and never fails.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
