package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"levada.dev/infra/eval"
)

type evalOptions struct {
	Root      string
	Folders   []string
	Modes     []string
	Questions int
	Answers   int
	Out       string
	Resume    string
	View      view
}

func newEval(g *globals) *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval FOLDER...",
		Short: "Measure how good searches and answers are, on collections of questions",
		Long: "Takes collections (folders with corpus.jsonl, queries.jsonl and qrels.tsv, as BEIR hands them out), ingests each into a\n" +
			"platform of its own, asks every question in every mode as clients do, and prints nDCG, MRR, recall and times beside\n" +
			"those of a BM25 of its own. Some questions are answered, too, and some that the collection has no answer to: their\n" +
			"citations are held against the documents. With --out the page is written.\n\n" +
			fmt.Sprintf("Ends with 1 where hybrid search falls short: below %.2f of the better of BM25 and vectors on a collection (nDCG@10), or\n", eval.LeastOfEach) +
			fmt.Sprintf("below %.2f on the mean of several. Fewer modes or questions than there are are held against nothing.", eval.LeastOfMean),
		Example: "  levada eval --out docs/quality.md scifact cranfield\n  levada eval --questions 20 --answers 0 --mode keyword cranfield",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.View.Stdout, o.View.Stderr, o.Folders = cmd.OutOrStdout(), cmd.ErrOrStderr(), args
			for _, mode := range o.Modes {
				if err := among("mode", mode, eval.Modes); err != nil {
					return err
				}
			}
			if o.Questions < 0 || o.Answers < 0 {
				return usagef("--questions %d, --answers %d: neither is below 0", o.Questions, o.Answers)
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
	f.IntVar(&o.Answers, "answers", 200, "how many of them are answered, and as many without an answer; 0 for none")
	f.StringVar(&o.Out, "out", "", "write the page there, such as docs/quality.md")
	f.StringVar(&o.Resume, "resume", "", "keep each collection's result in this file, and measure what it has not")
	f.BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

// collections reads the folders. Two of the same name would have one state.
func (o *evalOptions) collections() (all []eval.Collection, err error) {
	from := map[string]string{}
	for _, folder := range o.Folders {
		c, err := eval.Load(folder)
		if err != nil {
			return nil, err
		}
		if other, twice := from[c.Name]; twice {
			return nil, usagef("%s and %s are both named %s", other, folder, c.Name)
		}
		from[c.Name] = folder
		if o.Questions > 0 {
			c.Questions = c.Questions[:min(o.Questions, len(c.Questions))]
		}
		all = append(all, c)
	}
	return all, nil
}

func (o *evalOptions) run(ctx context.Context) error {
	collections, err := o.collections()
	if err != nil {
		return err
	}
	r := eval.Run{Root: o.Root, Collections: collections, Modes: o.Modes, Answers: o.Answers, Commit: commitOf(ctx, o.Root)}
	if o.Resume != "" {
		if r.Keep, err = eval.OpenKept(o.Resume); err != nil {
			return err
		}
	}
	if o.Out != "" {
		if _, err := os.Stat(filepath.Dir(o.Out)); err != nil { // not after an hour
			return err
		}
	}
	if r.Dir, err = os.MkdirTemp("", "levada-eval-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.Dir)
	steps := steps{w: o.View.Stderr}
	r.Progress = steps.show
	results, err := r.Run(ctx)
	steps.end()
	if err != nil {
		if r.Keep != nil && len(results) > 0 {
			err = fmt.Errorf("%w (%s has %d of %d collections)", err, o.Resume, len(results), len(collections))
		}
		return err
	}
	report := eval.Report{Results: results, Server: os.Getenv("OPENAI_BASE_URL") != ""}
	if o.Out != "" {
		if err := os.WriteFile(o.Out, []byte(report.Page()), 0o644); err != nil {
			return err
		}
	}
	if o.View.JSON {
		err = printJSON(o.View.Stdout, results)
	} else {
		err = o.tell(report)
	}
	if err != nil {
		return err
	}
	return o.judge(report)
}

// judge fails a run in which hybrid search falls short of what is asked of it. A part of the questions says too little for that.
func (o *evalOptions) judge(report eval.Report) error {
	if o.Questions > 0 {
		return nil
	}
	if short := report.Short(); len(short) > 0 {
		return fmt.Errorf("hybrid search falls short\n  %s", strings.Join(short, "\n  "))
	}
	return nil
}

// commitOf is a short name of what is checked out, from which the platform is built; empty where git knows none. The docs, which have the page,
// are no part of it.
func commitOf(ctx context.Context, root string) string {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return ""
	}
	if changed, err := git("status", "--porcelain", "--", ".", ":!docs"); err != nil || changed != "" {
		commit += " with changes"
	}
	return commit
}

// tell draws the tables.
func (o *evalOptions) tell(report eval.Report) error {
	right := func(name string) column { return column{name: name, right: true} }
	ranking := newTable("collection", "mode", right("nDCG@10"), right("MRR@10"), right("recall@10"), right("recall@50"), right("p50"), right("p95"), right("p99"), right("cached p50"), right("p95"))
	answers := newTable("collection", right("coverage"), right("supported"), right("exact"), right("in a right document"), right("abstention F1"), right("calibration error"), right("p50"), right("p95"))
	for _, c := range report.Results {
		ranking.line()
		ranking.add(c.Name, "BM25", score(c.BM25.NDCG), score(c.BM25.MRR), score(c.BM25.Recall), score(c.BM25.Deep))
		for _, mode := range eval.Modes {
			if m, there := c.Modes[mode]; there {
				ranking.add("", mode, score(m.NDCG), score(m.MRR), score(m.Recall), score(m.Deep),
					took(m.Searched, m.Searched.P50), took(m.Searched, m.Searched.P95), took(m.Searched, m.Searched.P99), took(m.Remembered, m.Remembered.P50), took(m.Remembered, m.Remembered.P95))
			}
		}
		if a := c.Answers; a != nil {
			_, _, f1 := a.Abstention()
			sources := a.OfSources()
			answers.add(c.Name, score(a.Coverage()), ratio(a.Supported, a.Sentences), ratio(a.Exact, a.Spans), ratio(a.Relevant, a.OwnSpans), score(f1), score(sources.Error()), took(a.Took, a.Took.P50), took(a.Took, a.Took.P95))
		}
	}
	ranking.draw(o.View.Stdout)
	if better, own, there := report.Mean(); there {
		fmt.Fprintf(o.View.Stdout, "hybrid is %.3f of the better of BM25 and vectors, on the mean, and %.3f of its own better half\n", better, own)
	}
	if len(answers.rows) > 0 {
		answers.draw(o.View.Stdout)
	}
	if o.Out != "" {
		fmt.Fprintf(o.View.Stdout, "written: %s\n", o.Out)
	}
	return nil
}

func score(x float64) string { return fmt.Sprintf("%.4f", x) }

// ratio is n of all; empty of nothing.
func ratio(n, all int) string {
	if all == 0 {
		return ""
	}
	return score(float64(n) / float64(all))
}

// took is a time of a latency, if there is one.
func took(l eval.Latency, d time.Duration) string {
	if l.N == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// steps draws how far a run of several steps is: a bar where somebody is looking, elsewhere a line for each step.
type steps struct {
	w    io.Writer
	what string
	bar  *progressbar.ProgressBar
}

// show implements eval.Progress.
func (s *steps) show(what string, done, total int) {
	if what != s.what {
		s.end()
		s.what = what
		if !isTerminal(s.w) || total == 0 {
			fmt.Fprintln(s.w, what)
			return
		}
		s.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(s.w), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(min(max(widthOf(s.w)-besideBar-len(what), 1), 30)), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(redraw))
	}
	if s.bar != nil {
		_ = s.bar.Set(done) // fails where the terminal does
	}
}

// end leaves the bar of the last step as it is.
func (s *steps) end() {
	if s.bar != nil {
		fmt.Fprintln(s.w)
	}
	s.what, s.bar = "", nil
}
