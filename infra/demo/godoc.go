package demo

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Page is one package's documentation as Markdown.
type Page struct {
	Import   string // "net/http"
	Synopsis string
	Markdown []byte
}

// StandardLibrary reads the documentation of the standard library below root (GOROOT), sorted by import path.
// With overview set only what each package says of itself is read, else every exported symbol, too.
func StandardLibrary(root string, overview bool) ([]Page, error) {
	src := filepath.Join(root, "src")
	var pages []Page
	err := filepath.WalkDir(src, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch d.Name() {
		case "internal", "vendor", "testdata", "cmd", "builtin":
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(src, dir)
		if err != nil {
			return err
		}
		p, err := packagePage(dir, filepath.ToSlash(rel), overview)
		if err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		if p != nil {
			pages = append(pages, *p)
		}
		return nil
	})
	if err == nil && len(pages) == 0 {
		err = fmt.Errorf("no packages below %s", src)
	}
	slices.SortFunc(pages, func(a, b Page) int { return strings.Compare(a.Import, b.Import) })
	return pages, err
}

// packagePage is the page of the package in dir, nil when there is none to document.
func packagePage(dir, importPath string, overview bool) (*Page, error) {
	bp, err := build.ImportDir(dir, build.ImportComment)
	if err != nil || bp.Name == "main" {
		return nil, nil // no Go files for this platform
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range append(bp.GoFiles, bp.CgoFiles...) {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(fset, files, importPath)
	if err != nil {
		return nil, err
	}
	if d.Doc == "" {
		return nil, nil
	}
	w := pageWriter{pkg: d, fset: fset}
	w.section("# Package "+importPath, nil, d.Doc)
	if !overview {
		w.symbols()
	}
	return &Page{Import: importPath, Synopsis: d.Synopsis(d.Doc), Markdown: w.Bytes()}, nil
}

type pageWriter struct {
	bytes.Buffer
	pkg  *doc.Package
	fset *token.FileSet
}

func (w *pageWriter) symbols() {
	for _, f := range w.pkg.Funcs {
		w.function("## func "+f.Name, f)
	}
	for _, t := range w.pkg.Types {
		w.section("## type "+t.Name, nil, t.Doc)
		for _, f := range t.Funcs {
			w.function("### func "+f.Name, f)
		}
		for _, f := range t.Methods {
			w.function("### func ("+f.Recv+") "+f.Name, f)
		}
	}
}

func (w *pageWriter) function(heading string, f *doc.Func) {
	if f.Doc != "" {
		f.Decl.Body = nil
		w.section(heading, f.Decl, f.Doc)
	}
}

// section writes a heading, the declaration and the comment; a symbol without a comment has no section.
func (w *pageWriter) section(heading string, decl *ast.FuncDecl, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(w, "%s\n\n", heading)
	if decl != nil {
		decl.Doc = nil
		var b bytes.Buffer
		if printer.Fprint(&b, w.fset, decl) == nil {
			fmt.Fprintf(w, "```go\n%s\n```\n\n", b.Bytes())
		}
	}
	p := w.pkg.Printer()
	p.HeadingLevel = 3
	p.HeadingID = func(*comment.Heading) string { return "" }
	w.Write(p.Markdown(w.pkg.Parser().Parse(text)))
	w.WriteString("\n")
}

// URL is where the page is published.
func (p Page) URL() string { return "https://pkg.go.dev/" + p.Import }

// DocID is the id under which the page is ingested.
func (p Page) DocID() string { return "go." + strings.ReplaceAll(path.Clean(p.Import), "/", ".") }
