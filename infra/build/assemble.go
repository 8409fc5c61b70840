package build

import (
	"compress/gzip"
	"fmt"
	"io/fs"
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
	held, err := hold(filepath.Join(dir, "glue"), files)
	if err != nil {
		return held, err
	}
	wrote, err := writeChanged(filepath.Join(dir, "worker.mjs"), []byte(entry))
	return held || wrote, err
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
