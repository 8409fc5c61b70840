package cli

import (
	"fmt"
	"iter"
)

// list shows what a platform lists, limit of it at most, or all for 0: a row of the table each, or a line of JSON. none is what is said
// when there is nothing.
func list[T any](v view, all iter.Seq2[T, error], limit int, t *grid, row func(T) []any, none string) error {
	n := 0
	for x, err := range all {
		if err != nil {
			return err
		}
		if n++; limit > 0 && n > limit {
			fmt.Fprintln(v.Stderr, "there are more: --limit 0 lists all")
			break
		}
		if v.JSON {
			if err := printLine(v.Stdout, x); err != nil {
				return err
			}
			continue
		}
		t.add(row(x)...)
	}
	switch {
	case v.JSON:
	case n == 0:
		fmt.Fprintln(v.Stdout, none)
	default:
		t.draw(v.Stdout)
	}
	return nil
}
