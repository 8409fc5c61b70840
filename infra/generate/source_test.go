package generate

import (
	"go/ast"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// registry is written the way that people leave such things.
const registry = `package table

import (
	"strings"

	"levada.dev/events" // facts
	"levada.dev/workflows/flow"
)

// rows are all there are.
func rows() []Row {
	// the first ones
	return []Row{
		{Name: "a"}, // the oldest
		/* two in a line */ {Name: "b"}, {Name: "c"},
	} // and no more
}

func names() []string { return []string{"a", "b"} } // short

var none = []string{}

var digest = strings.ToUpper(events.X + flow.Y)
`

func TestElementsAreAddedAndCommentsStay(t *testing.T) {
	s, err := parseSource("table.go", []byte(registry))
	require.NoError(t, err)
	f, ok := s.function("rows")
	require.True(t, ok)
	list, ok := s.literal(f, "[]Row")
	require.True(t, ok)
	assert.False(t, named("d")(s, list))
	assert.True(t, named("c")(s, list))
	s.add(list, `{Name: "d"}`)
	f, _ = s.function("names")
	list, _ = s.literal(f, "[]string")
	s.add(list, `"d"`)
	list, ok = find(s.tree, func(l *ast.CompositeLit) bool { return len(l.Elts) == 0 })
	require.True(t, ok)
	s.add(list, `"first"`)
	assert.Equal(t, "digests", s.imported("levada.dev/workflows/digest", "digests"), "its name means something here")
	assert.Equal(t, "digests", s.imported("levada.dev/workflows/digest", "digests"))
	assert.Equal(t, "letters", s.imported("levada.dev/workflows/letters", "x"))
	assert.Equal(t, "flow", s.imported("levada.dev/workflows/flow", "x"))
	got, err := s.done()
	require.NoError(t, err)
	assert.Equal(t, `package table

import (
	"strings"

	"levada.dev/events" // facts
	digests "levada.dev/workflows/digest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/letters"
)

// rows are all there are.
func rows() []Row {
	// the first ones
	return []Row{
		{Name: "a"}, // the oldest
		/* two in a line */ {Name: "b"}, {Name: "c"},
		{Name: "d"},
	} // and no more
}

func names() []string { return []string{"a", "b", "d"} } // short

var none = []string{"first"}

var digest = strings.ToUpper(events.X + flow.Y)
`, string(got))
}

func TestAFileThatNeedsNothingStaysByteForByte(t *testing.T) {
	text := []byte("package x\n\n\n\nvar   a =1 // as it is\n")
	s, err := parseSource("x.go", text)
	require.NoError(t, err)
	got, err := s.done()
	require.NoError(t, err)
	assert.Equal(t, text, got)
}

func TestSourceThatIsNoGoIsNamed(t *testing.T) {
	_, err := parseSource("infra/x.go", []byte("package x\nfunc {"))
	require.ErrorContains(t, err, "infra/x.go: is not Go: infra/x.go:2:6")
	require.ErrorContains(t, err, "it must compile before something can be added to it")
}

func TestImportsOfAFileWithoutAny(t *testing.T) {
	s, err := parseSource("x.go", []byte("package x\n\nvar a = 1\n"))
	require.NoError(t, err)
	assert.Equal(t, "flow", s.imported("levada.dev/workflows/flow", "x"))
	got, err := s.done()
	require.NoError(t, err)
	assert.Equal(t, "package x\n\nimport \"levada.dev/workflows/flow\"\n\nvar a = 1\n", string(got))
}
