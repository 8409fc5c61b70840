package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

type embeddingOptions struct {
	Platform platformOptions
	View     view
	Stay     bool
	Cost     foresight
}

func newEmbedding(g *globals) *cobra.Command {
	cmd := newEmbeddingCommand(g, "embedding", cobra.NoArgs, (*embeddingOptions).show, nil)
	cmd.Short = "Show and change which embedding model searches use"
	cmd.Long = "Shows which embedding model's space searches use, which others have something in them, and which move is under way.\n" +
		"A model has two names: @cf/baai/bge-m3, or bge-m3."
	cmd.Example = "  levada embedding\n  levada embedding estimate bge-m3\n  levada embedding move bge-m3\n  levada embedding back\n  levada embedding drop bge-m3"
	move := newEmbeddingCommand(g, "move MODEL", cobra.ExactArgs(1), (*embeddingOptions).move, func(o *embeddingOptions, cmd *cobra.Command) {
		cmd.Flags().BoolVar(&o.Cost.Yes, "yes", false, "do not ask")
		cmd.Flags().BoolVar(&o.Stay, "stay", false, "fill the space only; levada search --embedding MODEL reads it")
	})
	move.Short = "Change the embedding model: fill its space, and have searches use it"
	move.Long = "Says what it costs, and asks on a terminal. Fills the model's space beside the one that searches use, and switches. Documents are searched and taken meanwhile. Interrupted, it goes on;\n" +
		"cancelled (levada jobs cancel) or failed, searches stay where they are, and the same command goes on where it was."
	estimate := newEmbeddingCommand(g, "estimate MODEL", cobra.ExactArgs(1), (*embeddingOptions).estimate, nil)
	estimate.Short = "Say what a move to a model would take"
	back := newEmbeddingCommand(g, "back", cobra.NoArgs, (*embeddingOptions).back, func(o *embeddingOptions, cmd *cobra.Command) {
		cmd.Flags().BoolVar(&o.Cost.Yes, "yes", false, "do not ask")
	})
	back.Short = "Go back to the model before: what came since is filled, then searches use its space again"
	drop := newEmbeddingCommand(g, "drop MODEL", cobra.ExactArgs(1), (*embeddingOptions).drop, nil)
	drop.Short = "Remove what is in the space of a model that searches do not use"
	cmd.AddCommand(estimate, move, back, drop)
	return cmd
}

func newEmbeddingCommand(g *globals, use string, args cobra.PositionalArgs, run func(*embeddingOptions, context.Context, *client.Client, []string) error, flags func(*embeddingOptions, *cobra.Command)) *cobra.Command {
	var o embeddingOptions
	cmd := &cobra.Command{
		Use:  use,
		Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr, o.Cost.questions = cmd.OutOrStdout(), cmd.ErrOrStderr(), questions(cmd)
			if len(args) > 0 {
				m, err := embeddingNamed(args[0])
				if err != nil {
					return err
				}
				args = []string{m}
			}
			return o.Platform.run(cmd.Context(), func(ctx context.Context, c *client.Client) error { return run(&o, ctx, c, args) })
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON")
	if flags != nil {
		flags(&o, cmd)
	}
	return cmd
}

// embeddingNamed is the full name of a model.
func embeddingNamed(name string) (string, error) {
	var short []string
	for _, m := range llm.EmbeddingModels() {
		if name == m.Name || name == m.Slug {
			return m.Name, nil
		}
		short = append(short, m.Slug)
	}
	return "", usagef("there is no embedding model %s: one of %s", name, strings.Join(short, ", "))
}

func (o *embeddingOptions) show(ctx context.Context, c *client.Client, _ []string) error {
	e, err := c.Embedding(ctx)
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, e)
	}
	rows := []row{{"searches use", e.Active}, {"kept", strings.Join(e.Kept, ", ")}}
	if e.Configured != e.Active {
		rows = append(rows, row{"configured", e.Configured + " (for a tenant without documents)"})
	}
	if m := e.Move; m != nil {
		rows = append(rows, row{m.Phase, m.Model}, row{"follow it", o.View.command("levada jobs follow " + m.JobID)})
	}
	printRows(o.View.Stdout, rows)
	return nil
}

func (o *embeddingOptions) estimate(ctx context.Context, c *client.Client, args []string) error {
	e, err := c.EstimateMove(ctx, args[0])
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, e)
	}
	printRows(o.View.Stdout, []row{
		{"from", e.From}, {"to", e.To}, {"to embed", embedded(e)},
		{"cost", "about " + cost(e.Cost)}, {"time", "about " + (time.Duration(e.Seconds) * time.Second).String()},
	})
	room, err := c.Estimate(ctx, workOf(e))
	if why, unknown := notForThisKey(err); unknown {
		fmt.Fprintf(o.View.Stderr, "what is left of the budgets is not known: %s\n", why)
		return nil
	}
	if err != nil {
		return err
	}
	o.View.rooms(room)
	return nil
}

// embedded is what a move embeds, for people.
func embedded(e client.MoveEstimate) string {
	return count(e.Documents, "document") + ", " + count(e.Chunks, "chunk")
}

// workOf is the same for an estimate.
func workOf(e client.MoveEstimate) client.Work {
	return client.Work{Capability: quota.Ingest, Model: e.To, Documents: new(int64(e.Documents)), Tokens: &e.Cost.Tokens}
}

// move says what it costs before it begins. One that goes on, or has nothing to embed, is not asked about.
func (o *embeddingOptions) move(ctx context.Context, c *client.Client, args []string) error {
	e, err := c.EstimateMove(ctx, args[0])
	if err != nil {
		return err
	}
	if e.Chunks > 0 {
		if err := o.Cost.agree(ctx, o.View.Stderr, c, "to embed "+embedded(e), workOf(e)); err != nil {
			return err
		}
	}
	a, err := c.MoveEmbedding(ctx, client.MoveRequest{Model: args[0], Stay: o.Stay})
	if err != nil {
		return err
	}
	return o.follow(ctx, c, a)
}

func (o *embeddingOptions) back(ctx context.Context, c *client.Client, _ []string) error {
	e, err := c.Embedding(ctx)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(e.Kept, func(m string) bool { return m == e.Active })
	switch len(kept) {
	case 0:
		return fmt.Errorf("nothing is kept in another space than that of %s; levada embedding move MODEL fills one", e.Active)
	case 1:
		return o.move(ctx, c, kept)
	}
	return fmt.Errorf("there are several to go back to: %s; levada embedding move names one", strings.Join(kept, ", "))
}

func (o *embeddingOptions) drop(ctx context.Context, c *client.Client, args []string) error {
	a, err := c.DropEmbedding(ctx, args[0])
	if err != nil {
		return err
	}
	return o.follow(ctx, c, a)
}

func (o *embeddingOptions) follow(ctx context.Context, c *client.Client, a client.Accepted) error {
	j, err := o.View.follow(ctx, c, a.JobID)
	if err != nil {
		return err
	}
	return o.View.ended(j)
}

// spaceOf says in a line how the space of a model comes on.
func spaceOf(j job.Job) string {
	s := "space of " + j.Model + ": " + string(j.State)
	if !j.State.Final() && j.Stage != "" {
		s += ", " + j.Stage
	}
	s += ", " + count(j.Counts.Done, "document")
	if left := j.Counts.Total - j.Counts.Done - j.Counts.Failed; !j.State.Final() && left > 0 {
		s += fmt.Sprintf(" of %d", j.Counts.Total)
	}
	if j.Counts.Failed > 0 {
		s += fmt.Sprintf(", %d failed", j.Counts.Failed)
	}
	return s
}
