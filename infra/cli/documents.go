package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/corpus"
)

type documentsOptions struct {
	Platform              platformOptions
	View                  view
	State, Source, Prefix string
	Limit                 int
	Wait                  bool
}

func newDocuments(g *globals) *cobra.Command {
	var o documentsOptions
	cmd := &cobra.Command{
		Use:     "documents",
		Short:   "List, show and delete documents",
		Long:    "Lists the tenant's documents by their ids: what is searchable, what is not, and why.",
		Example: "  levada documents --state failed\n  levada documents --prefix handbook/\n  levada documents show handbook/start.md",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := errors.Join(among("state", o.State, listedStates), atLeastNone(o.Limit)); err != nil {
				return err
			}
			return o.Platform.run(cmd.Context(), o.list)
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	f := cmd.Flags()
	f.StringVar(&o.State, "state", "", "only these: submitted, chunked, indexed, failed, cancelled or deleted")
	f.StringVar(&o.Source, "source", "", "only those of this source")
	f.StringVar(&o.Prefix, "prefix", "", "only those whose ids begin with it")
	f.IntVar(&o.Limit, "limit", 50, "how many; 0 for all")
	f.BoolVar(&o.View.JSON, "json", false, "print JSON, a document a line")
	cmd.AddCommand(newShowDocument(g), newDeleteDocument(g))
	return cmd
}

// listedStates are those that a document may have. A version may also be replaced, but never the newest.
var listedStates = slices.DeleteFunc(slices.Clone(corpus.States), func(s corpus.State) bool { return s == corpus.Replaced })

// documentCommand makes a command about one document.
func documentCommand(g *globals, o *documentsOptions, use, short string, run func(ctx context.Context, c *client.Client, id string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.Platform.run(cmd.Context(), func(ctx context.Context, c *client.Client) error { return run(ctx, c, args[0]) })
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func newShowDocument(g *globals) *cobra.Command {
	o := &documentsOptions{}
	return documentCommand(g, o, "show ID", "Show one document: its stages, its versions, and why it is not searchable", o.show)
}

func newDeleteDocument(g *globals) *cobra.Command {
	o := &documentsOptions{}
	cmd := documentCommand(g, o, "delete ID", "Delete one document and show the receipt of its erasure", o.delete)
	cmd.Flags().BoolVar(&o.Wait, "wait", true, "follow the erasure to its end")
	return cmd
}

func (o *documentsOptions) list(ctx context.Context, c *client.Client) error {
	t := newTable("document", "state", "searchable", column{name: "bytes", spare: 2}, column{name: "chunks", spare: 3}, column{name: "changed", spare: 1},
		column{name: "why not", sparse: true})
	found := c.Documents(ctx, client.DocumentQuery{State: o.State, Source: o.Source, Prefix: o.Prefix})
	return list(o.View, found, o.Limit, t, documentRow, "no documents")
}

func documentRow(d corpus.Document) []any {
	return []any{d.ID, d.State, searchable(d), d.Bytes, d.Chunks, when(d.UpdatedAt), whyNot(d.Why)}
}

func (o *documentsOptions) show(ctx context.Context, c *client.Client, id string) error {
	d, err := c.Document(ctx, id)
	if err != nil {
		return err
	}
	return o.View.document(d)
}

func (o *documentsOptions) delete(ctx context.Context, c *client.Client, id string) error {
	a, err := c.DeleteDocument(ctx, id)
	if err != nil {
		return err
	}
	if !o.Wait {
		j, err := c.Job(ctx, a.JobID)
		if err != nil {
			return err
		}
		return o.View.job(j)
	}
	j, err := o.View.follow(ctx, c, a.JobID)
	if err != nil {
		return err
	}
	return o.View.ended(j)
}
