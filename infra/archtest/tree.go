package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Module is the path of the module whose tree is checked.
const Module = "levada.dev"

// Tree is what the rules look at.
type Tree struct {
	// Top are the names at the root, folders with a slash at the end.
	Top []string
	// Files are all source files of ours: Go, and JavaScript beside it.
	Files []File
}

// File is one source file. What follows Generated is known of Go files only.
type File struct {
	Path      string // from the root, with slashes
	Lines     int
	Generated bool

	Package string   // name in the package clause
	Doc     string   // comment above the package clause
	Imports []string // paths
	Wasm    bool     // has a go:wasmimport or go:wasmexport
	Native  bool     // part of the build for this machine
	JS      bool     // part of the build for a Worker
}

func (f File) dir() string    { return path.Dir(f.Path) }
func (f File) isGo() bool     { return strings.HasSuffix(f.Path, ".go") }
func (f File) isTest() bool   { return strings.HasSuffix(f.Path, "_test.go") }
func (f File) isJSFile() bool { return jsFile.MatchString(f.Path) }

var (
	jsFile        = regexp.MustCompile(`_js(_test)?\.go$`)
	wasmDirective = regexp.MustCompile(`(?m)^//go:wasm(import|export)\s`)
	generatedMark = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

// Load reads the tree below root.
func Load(root string) (Tree, error) {
	var t Tree
	entries, err := os.ReadDir(root)
	if err != nil {
		return t, err
	}
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() {
			t.Top = append(t.Top, name)
			continue
		}
		t.Top = append(t.Top, name+"/")
		if isOurs(name) {
			if err := t.walk(root, name); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// isOurs tells whether a folder holds source of this module: the go command
// skips those with a dot, an underscore or the name testdata, too. What is in
// bin was made.
func isOurs(folder string) bool {
	return folder != "node_modules" && folder != "bin" && folder != "testdata" && folder[0] != '.' && folder[0] != '_'
}

func (t *Tree) walk(root, top string) error {
	return filepath.WalkDir(filepath.Join(root, top), func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if !isOurs(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		f := File{Path: filepath.ToSlash(rel)}
		switch path.Ext(f.Path) {
		case ".go", ".js", ".mjs", ".ts":
			if err := f.read(file); err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			t.Files = append(t.Files, f)
		}
		return nil
	})
}

func (f *File) read(file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f.Lines = bytes.Count(source, []byte("\n"))
	f.Generated = generatedMark.Match(source)
	if !f.isGo() {
		return nil
	}
	f.Wasm = wasmDirective.Match(source)
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	f.Package = parsed.Name.Name
	f.Doc = parsed.Doc.Text()
	f.Imports = imports(parsed)
	if f.Native, err = built(file, build.Default); err != nil {
		return err
	}
	worker := build.Default
	worker.GOOS, worker.GOARCH, worker.CgoEnabled = "js", "wasm", false
	f.JS, err = built(file, worker)
	return err
}

func imports(file *ast.File) (paths []string) {
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // the parser has checked it
			paths = append(paths, p)
		}
	}
	return paths
}

// built tells whether the file's name and build constraint make it part of a build.
func built(file string, where build.Context) (bool, error) {
	return where.MatchFile(filepath.Dir(file), filepath.Base(file))
}
