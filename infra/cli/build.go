package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

type buildOptions struct {
	Root, Out      string
	Stack          stack.Stack
	JSON           bool
	Stdout, Stderr io.Writer
}

// buildRow is one role in the output of levada build; sizes are in bytes.
type buildRow struct {
	Role       stack.Role `json:"role"`
	Dir        string     `json:"dir"`
	Raw        int64      `json:"raw_bytes"`
	Gzip       int64      `json:"gzip_bytes"`
	Budget     int64      `json:"budget_bytes"`
	OverBudget bool       `json:"over_budget"`
	took       time.Duration
}

func newBuild(g *globals) *cobra.Command {
	o := buildOptions{Stack: stack.Levada(stack.Pool{Name: "local"})} // no index is in a Worker
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build every Worker and hold its size against the budget",
		Long: "Builds every Worker of the stack and prints its size, plain and after gzip -9,\n" +
			"beside the budget from the table in infra/stack. Exits with 1 when one is over it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			if !cmd.Flags().Changed("out") {
				o.Out = filepath.Join(o.Root, o.Out)
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.Out, "out", filepath.Join("bin", "workers"), "folder for the Workers, each in one named after its role")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *buildOptions) run(ctx context.Context) error {
	built, err := build.Roles(ctx, build.Options{
		Root: o.Root, Out: o.Out, Stack: o.Stack, Measure: true,
		Progress: func(role, step string) { fmt.Fprintf(o.Stderr, "%s: %s\n", role, step) },
	})
	if err != nil {
		return err
	}
	rows, over := o.rows(built)
	if o.JSON {
		err = printJSON(o.Stdout, rows)
	} else {
		_, err = fmt.Fprintln(o.Stdout, sizeTable(rows))
	}
	if err == nil && len(over) > 0 {
		err = fmt.Errorf("over the size budget: %s", strings.Join(over, ", "))
	}
	return err
}

func (o *buildOptions) rows(built []build.Built) (rows []buildRow, over []string) {
	for _, b := range built {
		worker, _ := o.Stack.Worker(b.Role) // it was built from there
		row := buildRow{Role: b.Role, Dir: b.Dir, Raw: b.WasmBytes, Gzip: b.Gzip, Budget: int64(worker.BudgetKiB) << 10, took: b.Took}
		if row.OverBudget = row.Gzip > row.Budget; row.OverBudget {
			over = append(over, string(b.Role))
		}
		rows = append(rows, row)
	}
	return rows, over
}

func sizeTable(rows []buildRow) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"Worker", "raw KiB", "gzip KiB", "budget KiB", "used", "took"})
	var columns []table.ColumnConfig
	for n := 2; n <= 6; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, r := range rows {
		used := fmt.Sprintf("%d%%", (r.Gzip*100+r.Budget-1)/max(r.Budget, 1))
		t.AppendRow(table.Row{r.Role, r.Raw >> 10, r.Gzip >> 10, r.Budget >> 10, used, r.took.Round(100 * time.Millisecond)})
	}
	return t.Render()
}
