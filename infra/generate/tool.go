package generate

import (
	"go/ast"
	"slices"
	"strconv"
)

// NewTool plans a tool: a typed function with the schemas of its types, among those of the platform.
func NewTool(o Options, tool string) (*Plan, error) {
	n, err := parseName("tool", tool, true)
	if err != nil {
		return nil, err
	}
	const folder = "workflows/tools/builtin"
	d := newDraft(o, "tool", n.Kebab)
	file := folder + "/" + n.Package() + ".go"
	for _, err := range []error{
		d.undeclared(file, n.Local(), n.Local()+"Tool", n.Local()+"Input", n.Local()+"Output"),
		d.ownAll("tool", map[string]string{
			"tool.go": file, "tool_test.go": folder + "/" + n.Package() + "_test.go",
			"input.json": folder + "/schema/" + n.Snake() + ".input.json", "output.json": folder + "/schema/" + n.Snake() + ".output.json",
		}, thing{Name: n}),
		d.goFile(folder+"/all.go", func(s *source) error {
			row := n.Local() + "Tool()"
			list, ok := s.literal(s.tree, "[]tool")
			if !ok {
				return s.missing("all", row)
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
	d.note("next: go test ./workflows/tools/builtin -update derives its schemas again when its types have changed")
	return d.plan()
}
