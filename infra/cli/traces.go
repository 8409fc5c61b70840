package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	meters "levada.dev/events/meter/view"
	"levada.dev/infra/client"
	"levada.dev/infra/waterfall"
)

type tracesOptions struct {
	Platform platformOptions
	View     view
	Name     string
	Failed   bool
	Limit    int
	To       string   // a collector
	Headers  []string // that it wants
}

func newTraces(g *globals) *cobra.Command {
	list := tracesOptions{Limit: 20}
	cmd := newTracesCommand(g, &list, &cobra.Command{
		Use:     "traces",
		Short:   "List traces, show one, export them to a collector",
		Long:    "Lists the tenant's traces that are kept, newest first: requests, and what came of them in queues and workflows.",
		Example: "  levada traces --failed\n  levada traces --name /search\n  levada traces show 0af7651916cd43dd8448eb211c80319c\n  levada traces export --to http://127.0.0.1:4318",
		Args:    cobra.NoArgs,
	}, (*tracesOptions).list)
	list.filter(cmd)
	cmd.AddCommand(newShowTrace(g), newExportTraces(g))
	return cmd
}

func newShowTrace(g *globals) *cobra.Command {
	return newTracesCommand(g, &tracesOptions{}, &cobra.Command{
		Use:   "show ID",
		Short: "Draw one trace: what was done, when, how long it took, and what it cost",
		Args:  cobra.ExactArgs(1),
	}, (*tracesOptions).show)
}

func newExportTraces(g *globals) *cobra.Command {
	o := tracesOptions{Limit: 20}
	cmd := newTracesCommand(g, &o, &cobra.Command{
		Use:     "export [ID...]",
		Short:   "Export traces to a collector by OTLP/HTTP: those that are named, or the newest",
		Long:    "Posts each trace as OTLP's JSON. Without a path in --to it is posted to /v1/traces, as collectors have it. A collector that is busy is asked again.",
		Example: "  levada traces export --to http://127.0.0.1:4318\n  levada traces export --failed --limit 0 --to https://otlp.example.com/v1/traces --header 'authorization: Bearer ...'",
	}, (*tracesOptions).export)
	o.filter(cmd)
	cmd.Flags().StringVar(&o.To, "to", "", "the collector's address")
	cmd.Flags().StringArrayVar(&o.Headers, "header", nil, "a header that the collector wants, as 'name: value'; may be repeated")
	_ = cmd.MarkFlagRequired("to") // the flag is there
	return cmd
}

func newTracesCommand(g *globals, o *tracesOptions, cmd *cobra.Command, run func(*tracesOptions, context.Context, *client.Client, []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
		if err := atLeastNone(o.Limit); err != nil {
			return err
		}
		return o.Platform.run(cmd.Context(), func(ctx context.Context, c *client.Client) error { return run(o, ctx, c, args) })
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func (o *tracesOptions) filter(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "", "only what begins with this: a route, such as /search")
	f.BoolVar(&o.Failed, "failed", false, "only those in which something failed")
	f.IntVar(&o.Limit, "limit", o.Limit, "how many; 0 for all that are kept")
}

func (o *tracesOptions) list(ctx context.Context, c *client.Client, _ []string) error {
	t := newTable(column{name: "trace", id: true}, "what", column{name: "began", spare: 2}, column{name: "ms", right: true}, column{name: "spans", right: true, spare: 1},
		column{name: "failed", right: true, spare: 1}, "outcome")
	return list(o.View, c.Traces(ctx, o.Name, o.Failed), o.Limit, t, func(t meters.Trace) []any {
		ended := string(t.Outcome)
		if t.Code != "" {
			ended += ": " + t.Code
		}
		return []any{t.ID, string(t.Kind) + " " + t.Name, when(t.Start), fmt.Sprintf("%.1f", t.Duration), t.Spans, t.Failed, ended}
	}, "no traces; what has been asked for is to be seen here after some seconds")
}

func (o *tracesOptions) show(ctx context.Context, c *client.Client, args []string) error {
	t, err := c.Trace(ctx, args[0])
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, t)
	}
	fmt.Fprintf(o.View.Stdout, "%s, %s\n", t.ID, when(t.Start))
	waterfall.Draw(o.View.Stdout, t, widthOf(o.View.Stdout))
	return nil
}

// export posts traces to a collector, one after the other, and stops at the first that it does not take.
func (o *tracesOptions) export(ctx context.Context, c *client.Client, ids []string) error {
	to, err := o.collector()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		for t, err := range c.Traces(ctx, o.Name, o.Failed) {
			if err != nil {
				return err
			}
			if ids = append(ids, t.ID); len(ids) == o.Limit {
				break
			}
		}
	}
	bar := newBar(o.View.Stderr, len(ids), widthOf(o.View.Stderr))
	bar.Describe("exporting")
	for n, id := range ids {
		body, err := c.OTLP(ctx, id)
		if err == nil {
			err = to.Export(ctx, body)
		}
		if err != nil {
			fmt.Fprintln(o.View.Stderr)
			return fmt.Errorf("trace %s, after %d that were exported: %w", id, n, err)
		}
		_ = bar.Add(1) // a picture
	}
	fmt.Fprintln(o.View.Stderr)
	if o.View.JSON {
		return printJSON(o.View.Stdout, map[string]any{"exported": len(ids), "to": to.URL()})
	}
	fmt.Fprintf(o.View.Stdout, "%d exported to %s\n", len(ids), to.URL())
	return nil
}

// collector is the one that the flags name.
func (o *tracesOptions) collector() (*client.Collector, error) {
	header := http.Header{}
	for _, h := range o.Headers {
		name, value, found := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !found || name == "" {
			return nil, usagef("--header %s: is not 'name: value'", h)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	c, err := client.NewCollector(o.To, header, o.Platform.globals.http)
	if err != nil {
		return nil, usagef("--to %w", err)
	}
	return c, nil
}
