package generate

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// source is a Go file under edit. Places are found on the syntax tree, and what is inserted goes into the text, so that every
// comment stays where it is.
type source struct {
	name string
	text []byte
	fset *token.FileSet
	tree *ast.File

	inserts []insert
	added   map[string]string // imports, by path
}

// insert is a text that goes in at an offset.
type insert struct {
	at   int
	text string
}

func parseSource(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, refuse(codeForm, name, "", "it must compile before something can be added to it", "is not Go: %v", err)
	}
	return &source{name: name, text: text, fset: fset, tree: tree, added: map[string]string{}}, nil
}

// goFile edits a Go file of the draft.
func (d *draft) goFile(name string, change func(s *source) error) error {
	return d.edit(name, func(text []byte) ([]byte, error) {
		s, err := parseSource(name, text)
		if err != nil {
			return nil, err
		}
		if err := change(s); err != nil {
			return nil, err
		}
		return s.done()
	})
}

// done is the text with what was inserted.
func (s *source) done() ([]byte, error) {
	if len(s.inserts) == 0 {
		return s.text, nil
	}
	slices.SortStableFunc(s.inserts, func(a, b insert) int { return a.at - b.at })
	var out []byte
	last := 0
	for _, in := range s.inserts {
		out = append(out, s.text[last:in.at]...)
		out = append(out, in.text...)
		last = in.at
	}
	out = append(out, s.text[last:]...)
	formatted, err := format.Source(out)
	if err != nil {
		return nil, refuse(codeForm, s.name, "", "", "what would be inserted does not fit: %v", err)
	}
	return formatted, nil
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }
func (s *source) line(p token.Pos) int   { return s.fset.Position(p).Line }

// said is the text of a part of the file.
func (s *source) said(n ast.Node) string { return string(s.text[s.offset(n.Pos()):s.offset(n.End())]) }

func (s *source) insert(at token.Pos, format string, args ...any) {
	s.inserts = append(s.inserts, insert{s.offset(at), fmt.Sprintf(format, args...)})
}

// missing is the refusal of a file that is not written the way that the generator knows.
func (s *source) missing(what, row string) error {
	return refuse(codeForm, s.name, what, "add by hand: "+row, "the place for it was not found")
}

// find is the first part of a tree that is asked for, nil when there is none.
func find[N ast.Node](in ast.Node, is func(N) bool) (found N, ok bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		if x, right := n.(N); !ok && right && is(x) {
			found, ok = x, true
		}
		return !ok
	})
	return found, ok
}

// function is a function of the file.
func (s *source) function(name string) (*ast.FuncDecl, bool) {
	return find(s.tree, func(f *ast.FuncDecl) bool { return f.Recv == nil && f.Name.Name == name && f.Body != nil })
}

// literal is the first composite literal of a type, as it is written, below a part of the tree.
func (s *source) literal(in ast.Node, typ string) (*ast.CompositeLit, bool) {
	return find(in, func(l *ast.CompositeLit) bool { return l.Type != nil && s.said(l.Type) == typ })
}

// call is the first call of a function, as it is written, below a part of the tree.
func (s *source) call(in ast.Node, fun string) (*ast.CallExpr, bool) {
	return find(in, func(c *ast.CallExpr) bool { return s.said(c.Fun) == fun })
}

// add adds an element to a literal: on a line of its own where the others have one.
func (s *source) add(l *ast.CompositeLit, element string) {
	s.addLast(exprs(l.Elts), l.Lbrace, l.Rbrace, element)
}

// addArg adds an argument to a call.
func (s *source) addArg(c *ast.CallExpr, arg string) {
	s.addLast(exprs(c.Args), c.Lparen, c.Rparen, arg)
}

func exprs(all []ast.Expr) []ast.Node {
	nodes := make([]ast.Node, len(all))
	for i, e := range all {
		nodes[i] = e
	}
	return nodes
}

func (s *source) addLast(all []ast.Node, open, end token.Pos, text string) {
	switch {
	case len(all) == 0 && s.line(open) == s.line(end):
		s.insert(end, "%s", text)
	case len(all) > 0 && s.line(all[len(all)-1].End()) == s.line(end):
		s.insert(all[len(all)-1].End(), ", %s", text)
	default: // the last one has a comma, and perhaps a comment behind it
		s.insert(end, "%s,\n", text)
	}
}

// addBefore adds a statement on the line before another one.
func (s *source) addBefore(n ast.Node, text string) { s.insert(n.Pos(), "%s\n", text) }

// uses reports whether a name means something in the file already.
func (s *source) uses(name string) bool {
	_, used := find(s.tree, func(i *ast.Ident) bool { return i.Name == name })
	return used
}

// imported is the name under which the file knows a package, which is imported if it is not. One that it cannot have its own
// name in the file gets the alias.
func (s *source) imported(pkg, alias string) string {
	if known, now := s.added[pkg]; now {
		return known
	}
	own := path.Base(pkg)
	for _, spec := range s.tree.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == pkg {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return own
		}
	}
	text, known := strconv.Quote(pkg), own
	if s.uses(own) {
		known = alias
		text = alias + " " + text
	}
	s.added[pkg] = known
	if last := s.neighbour(pkg); last != nil {
		s.insert(last.Pos(), "%s\n\t", text) // gofmt sorts them
		return known
	}
	s.insert(s.tree.Name.End(), "\n\nimport %s\n", text)
	return known
}

// neighbour is an import of the group in which a package belongs: of the same module, else any.
func (s *source) neighbour(pkg string) *ast.ImportSpec {
	module, _, _ := strings.Cut(pkg, "/")
	var any *ast.ImportSpec
	for _, spec := range s.tree.Imports {
		if decl := s.group(spec); !decl.Lparen.IsValid() {
			continue
		}
		any = spec
		if p, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(p, module+"/") {
			return spec
		}
	}
	return any
}

// group is the declaration that an import is in.
func (s *source) group(spec *ast.ImportSpec) *ast.GenDecl {
	for _, decl := range s.tree.Decls {
		if g, ok := decl.(*ast.GenDecl); ok && g.Pos() <= spec.Pos() && spec.End() <= g.End() {
			return g
		}
	}
	return &ast.GenDecl{}
}

// field is the value of a literal's field, by its key.
func field(l *ast.CompositeLit, key string) (ast.Expr, bool) {
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if k, ok := kv.Key.(*ast.Ident); ok && k.Name == key {
				return kv.Value, true
			}
		}
	}
	return nil, false
}

// text is the value of a literal's field that is a string, as far as the file says what that is.
func text(l *ast.CompositeLit, key string) string {
	value, _ := field(l, key)
	return quoted(value)
}

func quoted(e ast.Expr) string {
	if b, ok := e.(*ast.BasicLit); ok && b.Kind == token.STRING {
		s, err := strconv.Unquote(b.Value)
		if err == nil { // the parser has read it
			return s
		}
	}
	return ""
}

// hasElement reports whether one of a list's elements is the literal asked for.
func hasElement(list *ast.CompositeLit, is func(*ast.CompositeLit) bool) bool {
	return slices.ContainsFunc(list.Elts, func(e ast.Expr) bool {
		l, ok := e.(*ast.CompositeLit)
		return ok && is(l)
	})
}
