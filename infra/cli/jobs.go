package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

type jobsOptions struct {
	Platform platformOptions
	View     view
}

func newJobs(g *globals) *cobra.Command {
	var list jobListOptions
	cmd := &cobra.Command{
		Use:     "jobs",
		Short:   "List, show, follow and cancel jobs, and what went wrong",
		Long:    "Lists the tenant's jobs, newest first: documents on their way, imports, erasures.",
		Example: "  levada jobs --kind import\n  levada jobs --state running\n  levada jobs follow 01998c2e-7a33-7000-8000-000000000001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list.View.Stdout, list.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return list.run(cmd.Context())
		},
	}
	list.bind(g, cmd)
	cmd.AddCommand(
		newJobCommand(g, "show", "Show one job", (*jobsOptions).show),
		newJobCommand(g, "follow", "Follow one job to its end; exits with 1 when it, or a document of it, failed", (*jobsOptions).follow),
		newJobProblems(g),
		newJobCommand(g, "cancel", "Cancel one job: what has not begun does not begin, what is on its way is not shown", (*jobsOptions).cancel),
	)
	return cmd
}

// newJobCommand is a command about one job.
func newJobCommand(g *globals, name, short string, run func(*jobsOptions, context.Context, *client.Client, string) error) *cobra.Command {
	var o jobsOptions
	cmd := &cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.Platform.run(cmd.Context(), func(ctx context.Context, c *client.Client) error { return run(&o, ctx, c, args[0]) })
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func (o *jobsOptions) show(ctx context.Context, c *client.Client, id string) error {
	j, err := c.Job(ctx, id)
	if err != nil {
		return err
	}
	return o.View.job(j)
}

func (o *jobsOptions) follow(ctx context.Context, c *client.Client, id string) error {
	j, err := o.View.follow(ctx, c, id)
	if err != nil {
		return err
	}
	return o.View.ended(j)
}

func (o *jobsOptions) cancel(ctx context.Context, c *client.Client, id string) error {
	j, err := c.CancelJob(ctx, id)
	if err != nil {
		return err
	}
	return o.View.outcome(j, "")
}

// job shows all of one job.
func (v view) job(j job.Job) error {
	if v.JSON {
		return printJSON(v.Stdout, j)
	}
	rows := []row{
		{"job", j.ID}, {"kind", string(j.Kind)}, {"state", fmt.Sprintf("%s, %d %%", j.State, j.Percent)}, {"stage", j.Stage},
		{"document", j.DocID}, {"import", j.ImportID}, {"source", j.Source}, {"of", origin(j)},
	}
	switch j.Kind {
	case job.Import:
		rows = append(rows, row{"documents", tally(j)})
	case job.Erase:
		rows = append(rows, row{"receipt", removal(j)})
	case job.Reembed:
		rows = append(rows, row{"space", spaceOf(j)})
	default:
		rows = append(rows, row{"slices", fmt.Sprintf("%d of %d", j.Counts.Done, j.Counts.Total)})
	}
	if j.Note != nil {
		rows = append(rows, row{"note", noted(*j.Note)})
	}
	if j.Unchanged {
		rows = append(rows, row{"unchanged", "the same document was searchable already"})
	}
	if j.Cost != nil {
		rows = append(rows, row{"cost", cost(*j.Cost)})
	}
	rows = append(rows, row{"created", when(j.CreatedAt)}, row{"changed", when(j.UpdatedAt)})
	printRows(v.Stdout, rows)
	if failed := v.together(nil, 0, j, nil); len(failed) > 0 {
		failures(failed).draw(v.Stdout)
	}
	return nil
}

// row is one line of what a thing is.
type row struct{ name, value string }

// printRows prints those that have a value.
func printRows(w io.Writer, rows []row) {
	for _, r := range rows {
		if r.value != "" {
			fmt.Fprintf(w, "%-12s %s\n", r.name, r.value)
		}
	}
}

// cost is what models took, in dollars.
func cost(c job.Cost) string {
	took := count(int(c.Tokens), "token")
	if c.Chars > 0 {
		took += ", " + count(int(c.Chars), "character")
	}
	return fmt.Sprintf("%s, $%d.%09d", took, c.Nanos/1e9, c.Nanos%1e9)
}

type jobListOptions struct {
	Platform            platformOptions
	View                view
	Kind, State, Import string
	Limit               int
}

func (o *jobListOptions) bind(g *globals, cmd *cobra.Command) {
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	f.StringVar(&o.Kind, "kind", "", "only these: ingest, import or erase")
	f.StringVar(&o.State, "state", "", "only these: queued, running, succeeded, failed or cancelled")
	f.StringVar(&o.Import, "import", "", "only those of the documents of this import")
	f.IntVar(&o.Limit, "limit", 50, "how many; 0 for all")
	f.BoolVar(&o.View.JSON, "json", false, "print JSON, a job a line")
}

func (o *jobListOptions) run(ctx context.Context) error {
	if err := errors.Join(among("kind", o.Kind, job.Kinds), among("state", o.State, job.States), atLeastNone(o.Limit)); err != nil {
		return err
	}
	t := newTable(column{name: "job", id: true}, column{name: "kind", spare: 1}, "state", column{name: "what", sparse: true}, column{name: "done", spare: 2}, column{name: "failed", spare: 3},
		column{name: "created", spare: 4}, column{name: "took", spare: 5})
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		found := c.Jobs(ctx, client.JobQuery{Kind: o.Kind, State: o.State, ImportID: o.Import})
		return list(o.View, found, o.Limit, t, jobRow, "no jobs")
	})
}

func jobRow(j job.Job) []any {
	return []any{j.ID, j.Kind, state(j), subject(j), fmt.Sprintf("%d of %d", j.Counts.Done, j.Counts.Total), j.Counts.Failed, when(j.CreatedAt),
		j.UpdatedAt.Sub(j.CreatedAt).Round(100 * time.Millisecond)}
}

// state is a job's, with what is wrong in a word.
func state(j job.Job) string {
	s := string(j.State)
	switch {
	case j.Unchanged:
		s += ", unchanged"
	case len(j.Errors) > 0 && j.Kind != job.Import:
		s += ", " + j.Errors[0].Code
	}
	return s
}

// subject is what a job is about.
func subject(j job.Job) string {
	return strings.Join(slices.DeleteFunc([]string{j.DocID, j.Source, origin(j)}, func(s string) bool { return s == "" }), " ")
}

// origin is what an import is of.
func origin(j job.Job) string {
	if j.Of == nil {
		return ""
	}
	switch of := *j.Of; of.Kind {
	case "sitemap":
		return "sitemap " + of.URL
	case "prefix":
		return "prefix " + of.Prefix
	case "urls":
		if n := j.Counts.Total; n > 1 {
			return fmt.Sprintf("%s and %d more", of.URL, n-1)
		}
		return of.URL
	default:
		return of.Kind
	}
}
