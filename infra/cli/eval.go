package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/eval"
)

type evalOptions struct {
	Root           string
	Folders        []string
	Modes          []string
	Questions      int
	Out            string
	JSON           bool
	Stdout, Stderr io.Writer
}

func newEval(g *globals) *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval FOLDER...",
		Short: "Measure how good searches are, on collections of questions and answers",
		Long: "Takes collections (folders with corpus.jsonl, queries.jsonl and qrels.tsv, as BEIR hands them out), ingests each into a\n" +
			"platform of its own, asks every question in every mode as clients do, and prints nDCG, MRR, recall and times beside\n" +
			"those of a BM25 of its own. With --out the page is written, too.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Stdout, o.Stderr, o.Folders = cmd.OutOrStdout(), cmd.ErrOrStderr(), args
			for _, mode := range o.Modes {
				if !slices.Contains(eval.Modes, mode) {
					return usagef("--mode %q is none of %s", mode, strings.Join(eval.Modes, ", "))
				}
			}
			if o.Questions < 0 {
				return usagef("--questions %d is below 0", o.Questions)
			}
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Modes, "mode", eval.Modes, "the modes to compare")
	f.IntVar(&o.Questions, "questions", 0, "how many questions of each collection, the first ones; 0 for all")
	f.StringVar(&o.Out, "out", "", "write the page there, such as docs/quality.md")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *evalOptions) run(ctx context.Context) error {
	var collections []eval.Collection
	for _, folder := range o.Folders {
		c, err := eval.Load(folder)
		if err != nil {
			return err
		}
		if o.Questions > 0 {
			c.Questions = c.Questions[:min(o.Questions, len(c.Questions))]
		}
		collections = append(collections, c)
	}
	dir, err := os.MkdirTemp("", "levada-eval-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	results, err := eval.Run{Root: o.Root, Dir: dir, Collections: collections, Modes: o.Modes, Bar: o.Stderr}.Run(ctx)
	if err != nil {
		return err
	}
	page := eval.Page(results, time.Now())
	if o.Out != "" {
		if err := os.WriteFile(filepath.Clean(o.Out), []byte(page), 0o644); err != nil {
			return err
		}
	}
	if o.JSON {
		return printJSON(o.Stdout, results)
	}
	_, err = fmt.Fprint(o.Stdout, page)
	return err
}
