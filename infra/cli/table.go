package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// grid is a table that fits the terminal it is drawn on. Elsewhere, in a file or a pipe, it is as wide as it needs to be.
type grid struct {
	columns []column
	rows    []table.Row
	footer  table.Row
	breaks  []int // after so many rows there is a line
}

// column is one of a grid's.
type column struct {
	name   string
	spare  int  // where there is no room for all, the columns with the largest go first; those with 0 stay
	sparse bool // not drawn where no row has anything in it
	right  bool
	most   int  // as wide as this at most, even where there is room
	id     bool // people copy it: it is broken only when nothing else is left to give way
}

// newTable is a table as all commands draw them, of columns that are names or a column each.
func newTable(columns ...any) *grid {
	g := &grid{}
	for _, c := range columns {
		if name, plain := c.(string); plain {
			c = column{name: name}
		}
		g.columns = append(g.columns, c.(column))
	}
	return g
}

func (g *grid) add(cells ...any) { g.rows = append(g.rows, cells) }

// line separates what follows from what was added.
func (g *grid) line() { g.breaks = append(g.breaks, len(g.rows)) }

// draw draws the grid, and says what there was no room for.
func (g *grid) draw(w io.Writer) {
	drawn, left := g.render(widthOf(w))
	fmt.Fprintln(w, drawn)
	if len(left) > 0 {
		fmt.Fprintf(w, "no room for: %s (--json has all)\n", strings.Join(left, ", "))
	}
}

// render draws the grid as wide as width, 0 for any, and names the columns that it left out.
func (g *grid) render(width int) (drawn string, left []string) {
	widths := g.widths()
	shown := g.filled(widths)
	for width > 0 && tableWidth(widths, shown) > width {
		spare := slices.MaxFunc(shown, func(a, b int) int { return g.columns[a].spare - g.columns[b].spare })
		if g.columns[spare].spare == 0 {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == spare })
		left = append(left, g.columns[spare].name)
	}
	return g.table(shown, g.narrowed(widths, shown, width)).Render(), left
}

// widths is how wide each column is where there is room.
func (g *grid) widths() []int {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = text.StringWidthWithoutEscSequences(c.name)
		for _, row := range append(g.rows, g.footer) {
			if i < len(row) {
				widths[i] = max(widths[i], text.LongestLineLen(fmt.Sprint(row[i])))
			}
		}
		if c.most > 0 {
			widths[i] = min(widths[i], c.most)
		}
	}
	return widths
}

// filled are the columns that there is something to see of.
func (g *grid) filled(widths []int) (shown []int) {
	for i, c := range g.columns {
		if !c.sparse || slices.ContainsFunc(g.rows, func(row table.Row) bool { return i < len(row) && fmt.Sprint(row[i]) != "" }) {
			shown = append(shown, i)
		}
	}
	return shown
}

// tableWidth is the width of a table: its columns, a space on both sides of each, and the lines between them.
func tableWidth(widths, shown []int) int {
	n := 1
	for _, i := range shown {
		n += widths[i] + 3
	}
	return n
}

// leastColumn is as narrow as a column gets. A terminal that has no room even for that breaks the lines itself.
const leastColumn = 6

// narrowed is how wide the columns that are shown may be: the widest give way until all fit.
func (g *grid) narrowed(widths, shown []int, width int) []int {
	widths = slices.Clone(widths)
	for width > 0 && tableWidth(widths, shown) > width {
		widest := slices.MaxFunc(shown, func(a, b int) int { return g.excess(a, widths) - g.excess(b, widths) })
		if widths[widest] <= leastColumn {
			break
		}
		widths[widest]--
	}
	return widths
}

// excess is how much of a column can give way, that of an id after all others.
func (g *grid) excess(column int, widths []int) int {
	over := widths[column] - leastColumn
	if g.columns[column].id && over > 0 {
		return 0
	}
	return over
}

func (g *grid) table(shown, widths []int) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Footer = text.FormatDefault
	pick := func(row table.Row) (picked table.Row) {
		for _, i := range shown {
			if i < len(row) {
				picked = append(picked, row[i])
			}
		}
		return picked
	}
	var head table.Row
	var configs []table.ColumnConfig
	for n, i := range shown {
		c := table.ColumnConfig{Number: n + 1, WidthMax: widths[i], WidthMaxEnforcer: text.WrapSoft}
		if g.columns[i].right {
			c.Align, c.AlignHeader, c.AlignFooter = text.AlignRight, text.AlignRight, text.AlignRight
		}
		head, configs = append(head, g.columns[i].name), append(configs, c)
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(configs)
	for n, row := range g.rows {
		if slices.Contains(g.breaks, n) {
			t.AppendSeparator()
		}
		t.AppendRow(pick(row))
	}
	if g.footer != nil {
		t.AppendFooter(pick(g.footer))
	}
	return t
}

// widthOf is how wide the terminal is that w writes to; 0 for anything else.
func widthOf(w io.Writer) int {
	f, ok := behind(w).(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
