package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/rag"
)

type searchOptions struct {
	Platform platformOptions
	View     view
	Question client.Question
	Mode     string
}

func newSearch(g *globals) *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:     "search QUESTION",
		Short:   "Search the documents, and show what the scores are made of",
		Long:    "Asks the tenant's documents and lists the sources, best first, with the parts of their scores.",
		Example: "  levada search \"How old are the channels?\"\n  levada search --mode keyword --top 10 QX-7741",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := errors.Join(among("mode", o.Mode, rag.Modes), atLeastNone(o.Question.TopK)); err != nil {
				return err
			}
			if name := o.Question.EmbeddingModel; name != "" {
				m, err := embeddingNamed(name)
				if err != nil {
					return err
				}
				o.Question.EmbeddingModel = m
			}
			o.Question.Query, o.Question.Mode = strings.Join(args, " "), o.Mode
			return o.Platform.run(cmd.Context(), o.run)
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	f.StringVar(&o.Mode, "mode", "", "hybrid, vector or keyword; the tenant's default is hybrid")
	f.IntVar(&o.Question.TopK, "top", 0, "how many sources; 0 for the tenant's default")
	f.StringVar(&o.Question.EmbeddingModel, "embedding", "", "read the space of another embedding model, filled or being filled (levada embedding)")
	f.BoolVar(&o.Question.Rerank, "rerank", false, "let a model order the best of them")
	f.BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func (o *searchOptions) run(ctx context.Context, c *client.Client) error {
	found, err := c.Ask(ctx, o.Question)
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, found)
	}
	for _, m := range found.Degraded {
		fmt.Fprintf(o.View.Stderr, "searched without %s: %s\n", m.Part, m.Code)
	}
	if len(found.Sources) == 0 {
		fmt.Fprintln(o.View.Stdout, "nothing was found")
		return nil
	}
	t := newTable("score", column{name: "vector", sparse: true}, column{name: "keyword", sparse: true}, column{name: "rerank", sparse: true}, column{name: "boost", sparse: true},
		"chunk", column{name: "title", sparse: true, spare: 1, most: 30}, column{name: "text", most: 60})
	for _, s := range found.Sources {
		t.add(fmt.Sprintf("%.3f", s.Score), part(s, "vector"), part(s, "keyword"), part(s, "rerank"), part(s, "boost"), s.ChunkID, s.Title, beginning(s.Text))
	}
	t.draw(o.View.Stdout)
	return nil
}

// part is one of those that a score is made of; empty when it has none.
func part(s client.Source, name string) string {
	if v, ok := s.Scores[name]; ok {
		return fmt.Sprintf("%.3f", v)
	}
	return ""
}

// beginning is how a text begins, in one line.
func beginning(text string) string {
	const most = 110
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) <= most {
		return string(line)
	}
	return string(line[:most-1]) + "…"
}
