package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

type problemsOptions struct {
	Platform platformOptions
	View     view
	Job      string
	Limit    int
}

func newJobProblems(g *globals) *cobra.Command {
	var o problemsOptions
	cmd := &cobra.Command{
		Use:   "problems ID",
		Short: "List all that went wrong with a job",
		Long: "Lists, of an import, every entry that was refused and every document that failed, in the order in which it was found;\n" +
			"of another job what it failed of.",
		Example: "  levada jobs problems 01998c2e-7a33-7000-8000-000000000001\n  levada jobs problems --limit 0 --json 01998c2e-7a33-7000-8000-000000000001 | jq .line",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Job, o.View.Stdout, o.View.Stderr = args[0], cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	cmd.Flags().IntVar(&o.Limit, "limit", 100, "how many; 0 for all")
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON, a problem a line")
	return cmd
}

func (o *problemsOptions) run(ctx context.Context) error {
	if err := atLeastNone(o.Limit); err != nil {
		return err
	}
	t := newTable(column{name: "line", sparse: true, right: true}, column{name: "document", sparse: true, most: 60}, column{name: "stage", sparse: true, spare: 1},
		"code", column{name: "message", most: 60}, column{name: "what to do", sparse: true, most: 60}, column{name: "when", sparse: true, spare: 2})
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		return list(o.View, c.Problems(ctx, o.Job), o.Limit, t, problemRow, "no problems")
	})
}

func problemRow(p job.Problem) []any {
	line := ""
	if p.Line > 0 {
		line = fmt.Sprint(p.Line)
	}
	return []any{line, p.DocID, p.Stage, p.Code, said(p), p.Hint, when(p.At)}
}
