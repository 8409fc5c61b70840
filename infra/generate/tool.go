package generate

import (
	"go/ast"
	"slices"
	"strconv"
)

// NewTool plans a tool: a typed function with its schema, among those of the platform.
func NewTool(o Options, tool string) (*Plan, error) {
	n, err := parseName("tool", tool, true)
	if err != nil {
		return nil, err
	}
	const folder = "workflows/tools/builtin"
	d := newDraft(o, "tool", n.Kebab)
	file := folder + "/" + n.Package() + ".go"
	for _, err := range []error{
		d.undeclared(file, n.Local(), n.Local()+"Tool", n.Local()+"Input", n.Local()+"Output", n.Local()+"Schema", n.Local()+"Result"),
		d.ownAll("tool", map[string]string{"tool.go": file, "tool_test.go": folder + "/" + n.Package() + "_test.go"}, thing{Name: n}),
		d.goFile(folder+"/all.go", func(s *source) error {
			row := n.Local() + "Tool()"
			list, ok := s.literal(s.tree, "[]tools.Tool")
			if !ok {
				return s.missing("All", row)
			}
			if !slices.ContainsFunc(list.Elts, func(e ast.Expr) bool { return s.said(e) == row }) {
				s.add(list, row)
			}
			return nil
		}),
		d.goFile("tenants/tool_names.go", func(s *source) error {
			row := strconv.Quote(n.Snake())
			list, ok := s.literal(s.tree, "[]string")
			if !ok {
				return s.missing("PlatformTools", row)
			}
			if !slices.ContainsFunc(list.Elts, func(e ast.Expr) bool { return s.said(e) == row }) {
				s.add(list, row)
			}
			return nil
		}),
	} {
		if err != nil {
			return nil, err
		}
	}
	d.note("next: go test ./workflows/tools/...")
	return d.plan()
}
